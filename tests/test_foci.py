"""Foci found on a liver made here: a ball of liver in soft tissue, grain, and bright spheres."""

import numpy as np
import pytest
from scipy import ndimage

from lesionmatch.errors import InvalidInput, WrongQuantity
from lesionmatch.foci import Field, field_of, find_foci, null_p, resolution_mm
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.protocol import Protocol

PET = Frame("1.2.3")
GRID = Grid.of(PET, (50, 50, 50), origin_mm=(-98, -98, -98), spacing_mm=(4, 4, 4))
LEVEL, COV, FWHM_MM = 6.0, 0.12, 7.0
PROTOCOL = Protocol()


def away_mm(centre_mm: tuple[float, float, float]) -> np.ndarray:
    """Distance of every voxel from a point."""
    at = GRID.world(np.stack(np.indices(GRID.shape), -1).reshape(-1, 3))
    return np.linalg.norm(at - centre_mm, axis=1).reshape(GRID.shape)


def liver_pet(
    *spheres: tuple[tuple[float, float, float], float, float], seed: int = 0
) -> tuple[Image, Mask]:
    """A PET of a ball of liver, 75 mm in radius, with (centre, diameter, times liver) in it."""
    activity = np.where(away_mm((0, 0, 0)) < 75, LEVEL, 0.6)
    for centre, diameter, ratio in spheres:
        part = np.clip((diameter / 2 - away_mm(centre)) / 4 + 0.5, 0, 1)
        activity = activity + part * ((ratio - 1) * LEVEL)
    clean = ndimage.gaussian_filter(activity, FWHM_MM / 2.355 / 4)
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(GRID.shape), 0.5)
    suv = clean + grain / grain.std() * COV * np.sqrt(clean * LEVEL)
    image = Image(GRID, np.maximum(suv, 0).astype(np.float32), Quantity.SUV_BW)
    return image, Mask(GRID, away_mm((0, 0, 0)) < 75)


@pytest.fixture(scope="module")
def quiet() -> Field:
    return field_of(*liver_pet())


def ball_mask(centre: tuple[float, float, float], radius_mm: float) -> Mask:
    return Mask(GRID, away_mm(centre) <= radius_mm).trimmed()


def test_a_liver_without_lesions_has_no_foci() -> None:
    assert find_foci(*liver_pet(), PROTOCOL) == ()


def test_a_bright_sphere_is_one_focus_where_it_is() -> None:
    (focus,) = find_foci(*liver_pet(((20, -10, 14), 14, 4.0)), PROTOCOL)
    assert np.linalg.norm(focus.centroid_mm - (20, -10, 14)) < 2.0
    assert focus.focus_id == "F1"
    assert focus.counts


def test_the_noise_of_the_liver_is_measured(quiet: Field) -> None:
    assert quiet.cov == pytest.approx(0.12, rel=0.1)
    assert quiet.level == pytest.approx(6.0, rel=0.02)


def test_an_image_that_is_not_suv_is_refused() -> None:
    image, liver = liver_pet()
    with pytest.raises(WrongQuantity):
        field_of(Image(image.grid, image.array, Quantity.BQ_PER_ML), liver)


def test_a_liver_on_another_grid_is_refused() -> None:
    image, liver = liver_pet()
    with pytest.raises(InvalidInput, match="on the PET's grid"):
        field_of(image, liver.trimmed())


def test_an_empty_liver_is_refused() -> None:
    image, liver = liver_pet()
    with pytest.raises(InvalidInput, match="got none"):
        field_of(image, Mask(liver.grid, np.zeros(liver.grid.shape, bool)))


def test_a_liver_too_small_to_know_its_noise_is_refused() -> None:
    image, _ = liver_pet()
    with pytest.raises(InvalidInput, match="wanted 20 ml of liver deeper than 8 mm"):
        field_of(image, Mask(GRID, away_mm((0, 0, 0)) < 18))


def test_the_chance_of_bright_uptake_is_as_small_as_the_places_allow() -> None:
    field = field_of(*liver_pet(((0, 0, 0), 14, 4.0)))
    search = ball_mask((0, 0, 0), 12)
    assert null_p(field, search, PROTOCOL, avoid=search, rng=np.random.default_rng(1)) == 1 / 201


def test_the_same_generator_gives_the_same_chance(quiet: Field) -> None:
    search = ball_mask((10, 0, 0), 12)
    first, again = (
        null_p(quiet, search, PROTOCOL, avoid=None, rng=np.random.default_rng(5)) for _ in range(2)
    )
    assert first == again


def test_no_other_place_gives_no_chance(quiet: Field) -> None:
    everywhere = Mask(GRID, away_mm((0, 0, 0)) < 75)
    search = ball_mask((10, 0, 0), 12)
    rng = np.random.default_rng(0)
    assert null_p(quiet, search, PROTOCOL, avoid=everywhere, rng=rng) is None


def test_a_resolution_in_the_header_is_believed() -> None:
    resolution = resolution_mm(liver_pet()[0], 6.2, PROTOCOL)
    assert (resolution.fwhm_mm, resolution.source) == (6.2, "header: reconstruction")


def test_an_impossible_resolution_is_refused() -> None:
    with pytest.raises(InvalidInput, match="wanted 0 to 30 mm"):
        resolution_mm(liver_pet()[0], -1.0, PROTOCOL)

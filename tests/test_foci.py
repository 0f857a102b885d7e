"""Foci found on a liver made here: a ball of liver in soft tissue, grain, and bright spheres."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from lesionmatch.errors import InvalidInput, WrongQuantity
from lesionmatch.foci import field_of, find_foci
from lesionmatch.image import Image, Mask, Quantity
from tests.foci_livers import GRID, LEVEL, PROTOCOL, away_mm, liver_pet


def test_a_liver_without_lesions_has_no_foci() -> None:
    assert find_foci(*liver_pet(), PROTOCOL) == ()


def test_a_bright_sphere_is_one_focus_where_it_is() -> None:
    (focus,) = find_foci(*liver_pet(((20, -10, 14), 14, 4.0)), PROTOCOL)
    assert np.linalg.norm(focus.centroid_mm - (20, -10, 14)) < 2.0
    assert focus.focus_id == "F1"
    assert focus.counts


def test_a_pet_without_noise_is_refused() -> None:
    uptake = np.where(away_mm((0, 0, 0)) < 75, LEVEL, 0.6)
    for suv in (uptake, ndimage.gaussian_filter(uptake, 0.75)):
        image = Image(GRID, suv.astype(np.float32), Quantity.SUV_BW)
        with pytest.raises(InvalidInput, match="wanted a PET with noise"):
            find_foci(image, liver_pet()[1], PROTOCOL)


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


@pytest.mark.parametrize("diameter_mm", [15, 25, 40, 60])
def test_a_large_uniform_lesion_is_one_focus_of_its_own_size(diameter_mm: int) -> None:
    (focus,) = find_foci(*liver_pet(((0, 0, 0), diameter_mm, 3.0)), PROTOCOL)
    true_ml = np.pi / 6 * diameter_mm**3 / 1000
    assert 0.8 * true_ml < focus.extent.volume_ml < 1.45 * true_ml


def test_a_small_lesion_beside_a_large_one_is_found() -> None:
    large, small = ((-20, 0, 0), 45, 4.0), ((25, 0, 0), 12, 3.0)
    found = find_foci(*liver_pet(large, small), PROTOCOL)
    assert [np.rint(f.centroid_mm / 5).tolist() for f in found] == [[-4, 0, 0], [5, 0, 0]]


@pytest.mark.parametrize(
    ("large", "small", "gap_mm", "seed"),
    [((40, 3.0), (9, 3.0), 11.0, 0), ((16, 5.4), (10, 2.5), 8.5, 3)],
)
def test_a_small_lesion_on_the_skirt_of_a_hotter_one_is_found(
    large: tuple[float, float], small: tuple[float, float], gap_mm: float, seed: int
) -> None:
    x_mm = large[0] / 2 + gap_mm + small[0] / 2 - 20
    pet = liver_pet(((-20, 0, 0), *large), ((x_mm, 0, 0), *small), seed=seed, fwhm_mm=8.0)
    found = find_foci(*pet, PROTOCOL)
    assert any(np.linalg.norm(f.centroid_mm - [x_mm, 0, 0]) < 6.0 for f in found)


@pytest.mark.parametrize(
    ("ratio", "seed", "less"),
    # A hot one either threshold keeps whole, a faint one only the second.
    [(3.0, 0, {"dip_fraction": 0.95, "dip_sd": 1.5}), (1.4, 1, {"dip_sd": 1.5})],
)
def test_a_large_uniform_lesion_in_grain_is_one_focus_as_a_dip_is_deep(
    ratio: float, seed: int, less: dict[str, float]
) -> None:
    pet = liver_pet(((0, 0, 0), 60, ratio), seed=seed)
    assert len(find_foci(*pet, PROTOCOL)) == 1
    shallow = replace(PROTOCOL, foci=replace(PROTOCOL.foci, **less))
    assert len(find_foci(*pet, shallow)) > 1


@pytest.mark.parametrize(("outer_mm", "core_mm"), [(28, 14), (44, 28), (56, 40)])
def test_a_lesion_with_a_cold_core_is_one_focus(outer_mm: int, core_mm: int) -> None:
    ring = (((0, 0, 0), outer_mm, 4.0), ((1, 0, 0), core_mm, -2.0))
    assert len(find_foci(*liver_pet(*ring), PROTOCOL)) == 1


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_lesion_20_mm_beside_one_of_twice_its_height_has_a_focus_of_its_own(seed: int) -> None:
    pet = liver_pet(((0, 0, 0), 13, 4.0), ((20, 0, 0), 13, 2.2), seed=seed)
    assert [round(f.centroid_mm[0] / 20) for f in find_foci(*pet, PROTOCOL)] == [0, 1]


@pytest.mark.parametrize(("apart_mm", "count"), [(12, 1), (22, 2)])
def test_two_lesions_are_two_foci_where_a_dip_divides_them(apart_mm: float, count: int) -> None:
    pair = (((0, 0, 0), 14, 4.0), ((apart_mm, 0, 0), 14, 4.0))
    assert len(find_foci(*liver_pet(*pair), PROTOCOL)) == count


def test_the_extents_of_two_foci_share_no_voxel() -> None:
    pair = find_foci(*liver_pet(((0, 0, 0), 14, 4.0), ((20, 0, 0), 14, 4.0)), PROTOCOL)
    assert np.sum([f.extent.on(GRID).array for f in pair], axis=0).max() == 1


def test_a_liver_that_is_tumour_throughout_is_one_focus() -> None:
    image, liver = liver_pet(((0, 0, 0), 150, 4.0))
    (focus,) = [f for f in find_foci(image, liver, PROTOCOL) if f.counts]
    assert not field_of(image, liver).level_is_seen
    assert focus.extent.volume_ml > 0.8 * liver.volume_ml


def test_a_fainter_lesion_that_leans_on_a_hot_one_belongs_to_its_focus() -> None:
    image, liver = liver_pet(((-24, 0, 0), 40, 9.0), ((18, 0, 0), 44, 3.0))
    (focus,) = find_foci(image, liver, PROTOCOL)
    extent = focus.extent.on(GRID).array
    assert extent[away_mm((22, 0, 0)) < 14].mean() > 0.95


def test_every_lesion_of_many_is_one_focus() -> None:
    many = [((x, y, z), 20, 4.0) for x in (-36, 0, 36) for y in (-36, 0, 36) for z in (-36, 0, 36)]
    found = find_foci(*liver_pet(*many), PROTOCOL)
    near = [sum(np.linalg.norm(f.centroid_mm - m[0]) < 4.0 for f in found) for m in many]
    assert near == [1] * 27

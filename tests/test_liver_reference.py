"""Reference uptake and the spleen on simulated uptake whose truth is known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.errors import InvalidInput, WrongQuantity
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver import reference_uptake
from lesionmatch.liver.reference import half_sample_mode, main_peak
from lesionmatch.protocol import Protocol

GRID = Grid.of(Frame("pet"), (60, 50, 90), origin_mm=(-178, -98, -88.5), spacing_mm=(3, 4, 4))
X, Y, Z = np.moveaxis(GRID.world(np.indices(GRID.shape).reshape(3, -1).T), 1, 0).reshape(
    3, *GRID.shape
)
Voxels = NDArray[np.bool_]


def ellipsoid(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Voxels:
    x, y, z = ((a - c) / r for a, c, r in zip((X, Y, Z), centre, radii, strict=True))
    return np.asarray(x * x + y * y + z * z <= 1.0)


BODY = ellipsoid((0, 0, 0), (170, 95, 400))
LIVER = ellipsoid((-70, 0, 10), (80, 70, 70))
SPLEEN = ellipsoid((110, 35, 20), (26, 30, 42))
KIDNEYS = ellipsoid((-62, 50, -75), (24, 22, 40)) | ellipsoid((62, 50, -75), (24, 22, 40))


def pet(uptake: dict[float, Voxels], cov: float = 0.12, seed: int = 1) -> Image:
    """Blurred uptake with correlated, skewed noise; the liver has 5."""
    truth = np.where(BODY, 0.6, 0.0)
    truth[LIVER] = 5.0
    for value, region in uptake.items():
        truth[region] = value
    spacing = GRID.spacing_mm
    blurred = ndimage.gaussian_filter(truth, 6.5 / 2.355 / spacing)
    noise = ndimage.gaussian_filter(
        np.random.default_rng(seed).normal(size=truth.shape), 5.0 / 2.355 / spacing
    )
    noise *= cov / noise.std()
    array = blurred * np.exp(noise - cov**2 / 2.0)
    return Image(GRID, array.astype(np.float32), Quantity.SUV_BW)


def lesions(share: float, seed: int = 3) -> Voxels:
    """Balls of 16 to 50 mm that replace a share of the liver."""
    rng = np.random.default_rng(seed)
    places = np.argwhere(LIVER)
    found = np.zeros(GRID.shape, np.bool_)
    while found[LIVER].mean() < share:
        x, y, z = GRID.world(places[rng.integers(len(places))])
        found |= ellipsoid((x, y, z), (rng.uniform(8, 25),) * 3) & LIVER
    return found


def reference(suv: Image, avoid: Voxels | None = None) -> tuple[float, float]:
    known = None if avoid is None else Mask(GRID, avoid)
    found = reference_uptake(suv, Mask(GRID, LIVER), known, Protocol())
    return found.suv_mean, found.cov


def test_a_liver_without_lesions_has_its_own_mean_and_noise() -> None:
    mean, cov = reference(pet({}))
    assert mean == pytest.approx(5.0, rel=0.01)
    # Places whose mean over a centimetre is far off are left out, and their noise with them.
    assert cov == pytest.approx(0.12, rel=0.11)


@pytest.mark.parametrize("uptake", [0.5, 2.0, 3.5, 6.0, 8.0, 20.0, 40.0])
def test_lesions_in_30_percent_of_the_liver_move_the_mean_by_less_than_3_percent(
    uptake: float,
) -> None:
    mean, _ = reference(pet({uptake: lesions(0.3)}))
    assert mean == pytest.approx(5.0, rel=0.03)


def test_hot_and_cold_lesions_together_move_the_mean_by_less_than_3_percent() -> None:
    half = lesions(0.15, seed=5)
    mean, _ = reference(pet({20.0: lesions(0.15), 0.8: half}))
    assert mean == pytest.approx(5.0, rel=0.03)


def test_thin_vessels_that_blur_hides_move_the_mean_by_less_than_3_percent() -> None:
    tubes = np.zeros(GRID.shape, np.bool_)
    for n, x in enumerate(range(-140, 0, 24)):
        tubes |= np.hypot(X - x, Y - 20 * (n % 3 - 1)) < 4.0
        tubes |= np.hypot(Y - 30 * (n % 3 - 1), Z - 20 * (n % 4 - 2)) < 4.0
    assert tubes[LIVER].mean() > 0.04
    mean, _ = reference(pet({1.4: tubes & LIVER}))
    assert mean == pytest.approx(5.0, rel=0.03)


def test_known_lesions_are_avoided_even_where_they_fill_half_of_the_liver() -> None:
    half = lesions(0.5)
    mean, _ = reference(pet({12.0: half}), avoid=half)
    assert mean == pytest.approx(5.0, rel=0.03)


def test_a_small_liver_is_measured_up_to_its_surface() -> None:
    small = ellipsoid((-70, 0, 10), (24, 24, 24))
    found = reference_uptake(pet({}), Mask(GRID, small), None, Protocol())
    assert "0 mm from its surface" in found.text
    # Of 58 ml; the rest is darkened by the blur at its surface.
    assert found.volume_ml > 25.0


def test_the_half_sample_mode_of_a_cluster_among_strays() -> None:
    values = np.array([0.0, 9.9, 10.0, 10.1, 15.0, 30.0, 70.0])
    assert half_sample_mode(values) == pytest.approx(10.0, abs=0.1)


def test_the_main_peak_is_that_of_the_majority() -> None:
    rng = np.random.default_rng(2)
    peak = main_peak(np.concatenate([rng.normal(5, 0.3, 7000), rng.uniform(5, 30, 3000)]))
    assert peak.mean == pytest.approx(5.0, abs=0.05)
    assert peak.sd == pytest.approx(0.3, abs=0.06)


def test_equal_values_have_a_peak_without_width() -> None:
    peak = main_peak(np.full(50, 4.0))
    assert (peak.mean, peak.sd) == (4.0, 0.0)


def test_counts_are_refused() -> None:
    counts = Image(GRID, pet({}).array, Quantity.BQ_PER_ML)
    with pytest.raises(WrongQuantity, match="SUVbw"):
        reference_uptake(counts, Mask(GRID, LIVER), None, Protocol())


def test_a_liver_beside_the_pet_is_refused() -> None:
    nowhere = Mask(GRID, np.zeros(GRID.shape, np.bool_))
    with pytest.raises(InvalidInput, match="wanted liver within the PET"):
        reference_uptake(pet({}), nowhere, None, Protocol())


def spleen_of(suv: Image, drawn: Mask | None = None) -> float | None:
    return reference_uptake(suv, Mask(GRID, LIVER), None, Protocol(), spleen=drawn).spleen_suv_mean


@pytest.mark.parametrize("kidney", [9.0, 18.0, 27.0])
def test_the_spleen_is_found_beside_kidneys_colder_or_hotter(kidney: float) -> None:
    assert spleen_of(pet({kidney: KIDNEYS, 18.1: SPLEEN})) == pytest.approx(18.1, rel=0.07)


@pytest.mark.parametrize("kidney", [11.0, 26.0])
def test_a_kidney_that_touches_the_spleen_is_no_part_of_it(kidney: float) -> None:
    high = ellipsoid((-66, 54, -65), (24, 22, 45)) | ellipsoid((78, 46, -45), (26, 24, 45))
    assert (ndimage.binary_dilation(high, iterations=2) & SPLEEN).any()
    found = spleen_of(pet({kidney: high & ~LIVER & ~SPLEEN, 18.1: SPLEEN}))
    assert found == pytest.approx(18.1, rel=0.1)


def test_a_spleen_12_mm_thick_is_found() -> None:
    thin = ellipsoid((118, 35, 20), (10, 30, 42))
    assert spleen_of(pet({14.0: KIDNEYS, 18.1: thin})) == pytest.approx(18.1, rel=0.15)


def test_a_kidney_is_not_taken_for_a_spleen_that_was_removed() -> None:
    assert spleen_of(pet({14.0: KIDNEYS})) is None


def test_a_drawn_spleen_is_used_as_it_is() -> None:
    suv = pet({})
    drawn = Mask(GRID, LIVER)
    assert spleen_of(suv, drawn) == pytest.approx(float(suv.array[LIVER].mean()))

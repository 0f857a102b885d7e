"""An image without its grain: noise goes, edges and what was not scanned stay."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Quantity
from lesionmatch.registration.grain import noise_sd, without_grain

GRID = Grid.of(Frame("1.2.3"), (40, 40, 40), spacing_mm=(2.5, 2.5, 2.5))
INSIDE = np.ones(GRID.shape, np.bool_)
INSIDE[:, :, 35:] = False
VESSEL = np.zeros(GRID.shape, np.bool_)
VESSEL[:, 18:22, 18:22] = True


def image(noise_hu: float, grain_voxels: float = 0.0) -> Image:
    """Liver of 100 HU with a vessel of 10 mm and 160 HU, in noise of this standard deviation."""
    noise = np.random.default_rng(5).normal(size=GRID.shape)
    if grain_voxels:
        noise = ndimage.gaussian_filter(noise, grain_voxels)
    values = 100.0 + 60.0 * VESSEL + noise_hu * noise / noise.std()
    return Image(GRID, values.astype(np.float32), Quantity.HOUNSFIELD)


@pytest.mark.parametrize("grain_voxels", [0.0, 0.5])
def test_the_grain_is_measured_whether_neighbours_share_it_or_not(grain_voxels: float) -> None:
    assert noise_sd(image(30.0, grain_voxels), INSIDE) == pytest.approx(30.0, rel=0.05)


def test_grain_goes_and_a_vessel_stays() -> None:
    noisy = image(30.0)
    quiet = without_grain(noisy, INSIDE, 25.0).array
    tissue = INSIDE & ~ndimage.binary_dilation(VESSEL, iterations=2)
    assert quiet[tissue].std() < 0.35 * noisy.array[tissue].std()
    assert quiet[VESSEL].mean() - quiet[tissue].mean() > 45.0


def test_a_quiet_image_is_hardly_changed() -> None:
    noisy = image(3.0)
    assert np.abs(without_grain(noisy, INSIDE, 25.0).array - noisy.array).max() < 1.0


def lost(array: NDArray[np.floating]) -> Image:
    return Image(GRID, array.astype(np.float32), Quantity.HOUNSFIELD)


def test_what_was_not_scanned_stays_unknown_and_is_no_edge() -> None:
    noisy = image(30.0).array.copy()
    noisy[:, :, :10] = np.nan
    quiet = without_grain(lost(noisy), INSIDE, 25.0).array
    np.testing.assert_array_equal(np.isnan(quiet), np.isnan(noisy))
    assert np.nanmean(quiet[:, :, 10]) == pytest.approx(100.0, abs=5.0)


@pytest.mark.parametrize("values", [np.nan, 100.0])
def test_an_image_with_nothing_to_measure_is_left_alone(values: float) -> None:
    same = lost(np.full(GRID.shape, values))
    assert without_grain(same, INSIDE, 25.0) is same

"""How rare a height is: against closed form, and by counting peaks of noise."""

import numpy as np
import pytest
from scipy import ndimage

from lesionmatch.foci.rarity import as_rare_by_sd, chance_places
from lesionmatch.geometry import Frame, Grid


def noise_of(fwhm_mm: float, spacing_mm: tuple[float, float, float]) -> tuple[np.ndarray, Grid]:
    grid = Grid.of(Frame("1.2.3"), (64, 64, 64), origin_mm=(0, 0, 0), spacing_mm=spacing_mm)
    white = np.random.default_rng(0).standard_normal(grid.shape)
    noise = ndimage.gaussian_filter(white, fwhm_mm / 2.3548 / grid.spacing_mm, mode="wrap")
    return 3.0 * noise.astype(np.float32), grid


@pytest.mark.parametrize("spacing_mm", [(2.0, 2.0, 2.0), (2.0, 3.0, 2.5)])
def test_places_are_those_of_the_closed_form(spacing_mm: tuple[float, float, float]) -> None:
    # V (4 ln 2)^1.5 / FWHM^3 / (2 pi)^2 for Gaussian noise; 1.5 l at 12 mm hold 101.5.
    noise, grid = noise_of(12.0, spacing_mm)
    everywhere = np.ones(grid.shape, bool)
    assert chance_places(noise, everywhere, 1500.0, grid) == pytest.approx(101.5, rel=0.08)
    assert chance_places(noise, everywhere, 750.0, grid) == pytest.approx(50.8, rel=0.08)


def test_what_is_not_quiet_tells_nothing_of_the_places() -> None:
    noise, grid = noise_of(12.0, (2.0, 2.0, 2.0))
    quiet = np.ones(grid.shape, bool)
    quiet[20:30] = False
    odd = np.where(quiet, noise, 1000.0 * noise)
    wanted = chance_places(noise, quiet, 1500.0, grid)
    assert chance_places(odd, quiet, 1500.0, grid) == pytest.approx(wanted)


def test_ten_times_the_places_need_nearly_half_a_standard_deviation_more() -> None:
    off = as_rare_by_sd(5000.0, 500.0, 4.95)
    assert off == pytest.approx(-np.log(10.0) / 4.95)
    # The expected number of peaks, n (z^2 - 1) exp(-z^2 / 2), is the same to a seventh.
    count = [n * (z**2 - 1) * np.exp(-(z**2) / 2) for n, z in ((500, 4.95), (5000, 4.95 - off))]
    assert count[1] == pytest.approx(count[0], rel=0.15)


def test_as_many_peaks_are_counted_as_expected() -> None:
    noise, grid = noise_of(8.0, (2.0, 2.0, 2.0))
    z = noise / noise.std()
    is_peak = (z == ndimage.maximum_filter(z, size=3, mode="wrap")) & (z > 3.0)
    litres = z.size * grid.voxel_ml / 1000.0
    places = chance_places(noise, np.ones(grid.shape, bool), 1000.0 * litres, grid)
    expected = places * (3.0**2 - 1) * np.exp(-(3.0**2) / 2)
    assert np.count_nonzero(is_peak) == pytest.approx(expected, rel=0.3)

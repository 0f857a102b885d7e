"""Noise that is not the same all over the liver: learned where it is, ignored where it is not."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.foci.unevenness import local_scatter
from lesionmatch.geometry import Frame, Grid
from lesionmatch.protocol import FociRules

GRID = Grid.of(Frame("1.2.3"), (50, 50, 50), origin_mm=(0, 0, 0), spacing_mm=(4.0, 4.0, 4.0))
QUIET = np.ones(GRID.shape, bool)


def even_noise(seed: int) -> NDArray[np.float32]:
    white = np.random.default_rng(seed).standard_normal(GRID.shape)
    noise = ndimage.gaussian_filter(white, 1.0, mode="wrap")
    return np.asarray(noise / noise.std(), np.float32)


def half_as_strong_beyond_the_middle(factor: float) -> NDArray[np.float32]:
    noise = even_noise(0)
    noise[25:] *= factor
    return noise


@pytest.mark.parametrize("seed", range(4))
def test_even_noise_is_the_same_everywhere(seed: int) -> None:
    scatter = local_scatter(5.0 * even_noise(seed), QUIET, GRID, FociRules())
    np.testing.assert_array_equal(scatter, 1.0)


def test_stronger_noise_is_told_from_weaker() -> None:
    scatter = local_scatter(half_as_strong_beyond_the_middle(0.5), QUIET, GRID, FociRules())
    # Variances of 1 and 0.25 have a mean of 0.625.
    assert np.median(scatter[:8]) == pytest.approx(np.sqrt(1.0 / 0.625), rel=0.06)
    assert np.median(scatter[-8:]) == pytest.approx(np.sqrt(0.25 / 0.625), rel=0.06)


def test_what_is_not_quiet_tells_nothing() -> None:
    noise, quiet = even_noise(0), QUIET.copy()
    quiet[:, :8] = False
    noise[~quiet] *= 10.0
    np.testing.assert_array_equal(local_scatter(noise, quiet, GRID, FociRules()), 1.0)


def test_how_far_beyond_chance_it_must_differ_is_a_threshold() -> None:
    noise = half_as_strong_beyond_the_middle(0.8)
    seen = local_scatter(noise, QUIET, GRID, FociRules())
    assert seen.max() > 1.1
    strict = replace(FociRules(), noise_by_chance=1000.0)
    np.testing.assert_array_equal(local_scatter(noise, QUIET, GRID, strict), 1.0)

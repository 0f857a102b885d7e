"""Gaussian filters and distances on grids whose voxels are not cubes; widths in mm."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special, stats

from lesionmatch.geometry import Grid

Array = NDArray[np.float32]
Where = NDArray[np.bool_]

SD_PER_MEDIAN = float(1.0 / special.ndtri(0.75))
"""Standard deviation of a Gaussian over the median of what its values are off 0 by."""

UPPER_TENTH_SD = 1.2816
"""A tenth of a Gaussian lies this many standard deviations above its median, and more."""

UPPER_TWENTIETH_SD = 1.6449
"""And a twentieth this many."""

TRUNCATE_SD = 3.0
"""Kernels end here; what is left out is 0.3 % of a Gaussian's weight."""


def gaussian(array: Array, sd_mm: float, grid: Grid) -> Array:
    """`array` smoothed by a Gaussian of `sd_mm`; beyond its edge the edge is repeated."""
    sd = sd_mm / grid.spacing_mm
    return np.asarray(
        ndimage.gaussian_filter(array, sd, mode="nearest", truncate=TRUNCATE_SD, output=np.float32)
    )


def local_mean(array: Array, weight: Array, sd_mm: float, grid: Grid, *, prior: float) -> Array:
    """Weighted Gaussian mean around each voxel; far from any weight it tends to `prior`.

    Normalised convolution (Knutsson & Westin, CVPR 1993).
    """
    faint = np.float32(1e-3)
    above = gaussian(weight * (array - np.float32(prior)), sd_mm, grid)
    return np.asarray(prior + above / (gaussian(weight, sd_mm, grid) + faint))


def depth_mm(region: Where, grid: Grid) -> Array:
    """Signed distance to the border of `region`, half a voxel off its voxels; positive inside."""
    if region.all() or not region.any():
        return np.full(region.shape, np.inf if region.all() else -np.inf, np.float32)
    half = float(grid.spacing_mm.mean()) / 2.0
    inside = ndimage.distance_transform_edt(region, sampling=grid.spacing_mm)
    outside = ndimage.distance_transform_edt(~region, sampling=grid.spacing_mm)
    return np.where(region, inside - half, half - outside).astype(np.float32)


def robust_sd(values: NDArray[np.floating]) -> float:
    """Standard deviation from the median absolute deviation, as a Gaussian has it."""
    return float(stats.median_abs_deviation(values, scale="normal"))


def upper_sd(values: NDArray[np.floating]) -> float:
    """Standard deviation from the highest tenth, as a Gaussian has it.

    What anatomy adds in a few places of many alike the median deviation does not see.
    """
    middle, high = np.quantile(values, (0.5, 0.9))
    return float(high - middle) / UPPER_TENTH_SD


CHANCE_SKEW = 0.8
"""Standard deviation of `robust_skew` of symmetric noise, times the root of its places: 0.86 and
0.71 at the two scales of the statistic (own measurement, 28 volumes of smoothed noise)."""


def robust_skew(values: NDArray[np.floating]) -> float:
    """Skewness from the lowest and the highest twentieth, as a log-normal distribution has it.

    A few faint lesions, which the third moment takes for skewed noise, hardly move these.
    """
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    return float(6.0 * (low + high - 2.0 * middle) / (UPPER_TWENTIETH_SD * (high - low)))


def sure_skew(skew: float, places: float) -> float:
    """What is left of a `robust_skew` without what chance makes of symmetric noise.

    The fewer independent places tell it, the more (see `rarity`). Its positive part is taken as
    the estimator of James and Stein (1961) takes it: near chance nothing is left, far above all.
    """
    chance = CHANCE_SKEW / float(np.sqrt(places))
    return max(skew - chance**2 / skew, 0.0) if skew > 0.0 else 0.0


def unskewed(z: Array, skew: float) -> Array:
    """`z`, of noise with this skewness, as high as normal noise would be as rarely.

    Reconstructed activity cannot fall below zero and is near log-normal (Barrett, Wilson & Tsui,
    Phys Med Biol 1994), whose skewness is three times its relative spread s: what is normal is
    ln(1 + s z) / s. Noise with a longer tail below than above is left as it is.
    """
    if skew <= 0.0:
        return z
    spread = np.float32(skew / 3.0)
    return np.asarray(np.log1p(spread * np.maximum(z, 0.0)) / spread + np.minimum(z, 0.0))


def one_sided_sd(values: NDArray[np.floating]) -> float:
    """Standard deviation about 0 from the values below it, or from both sides if that is less.

    Tumour lies above the liver, so what lies below it is noise even in a liver full of it.
    """
    below = values[values < 0]
    both = SD_PER_MEDIAN * float(np.median(np.abs(values)))
    return min(both, SD_PER_MEDIAN * float(np.median(-below))) if len(below) else both

"""What lesion-free liver looks like in this study, however much of it is tumour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.foci.filters import Array, Where, gaussian, local_mean, one_sided_sd
from lesionmatch.geometry import Grid

LIGHT_SD_MM = 2.0
"""The smoothing under which single voxels are called cold or hot."""

BACKGROUND_SD_MM = 15.0
COLD_SD = 2.5
"""Places this many standard deviations below the background are cold."""

ODD_SD = 2.5
"""Places this far from the background are left out of it."""

CORE_SD, SKIRT_SD = 7.0, 2.0
"""A hot region has a core above the first and reaches down to the second."""

SKIRT_MM = 8.0
"""The skirt ends this far from the core: further out it would follow the grain."""

OWN_DEPTH_MM = 3.0
"""A hot region whose brightest voxel lies deeper than this belongs to the liver."""

LOG_STEP = 0.04
"""Width of a bin of log SUV; the liver's own peak is two to five bins wide."""

TELLING_SHARE = 0.35
"""The lowest mode at least this tall beside the tallest is liver: tumour is hotter."""


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The lesion-free liver expected at every voxel, and what does not look like it."""

    suv: Array
    cold: Where
    hot: Where
    """Hot regions of the liver itself; hot neighbours are not among them."""
    light: Array
    """The image lightly smoothed."""
    light_sd: float
    """Noise of `light` over the square root of the activity."""


def liver_level(values: NDArray[np.floating]) -> float:
    """SUV of the liver from voxels of liver and tumour: the lowest telling mode of log SUV.

    Lesion-free liver is one narrow peak, tumours are hotter and spread; cysts are colder but
    few. A median would follow the tumours once they fill half the liver.
    """
    logs = np.log(np.maximum(values, 1e-3))
    bins = np.arange(logs.min() - 1.0, logs.max() + 1.0, LOG_STEP)
    density = ndimage.gaussian_filter1d(np.histogram(logs, bins)[0].astype(float), 2.0)
    top = (density >= np.roll(density, 1)) & (density > np.roll(density, -1))
    modes = np.flatnonzero(top & (density >= TELLING_SHARE * density.max()))
    middle = bins[modes[0]] + LOG_STEP / 2
    near = np.abs(logs - middle) < 0.25
    return float(np.exp(np.median(logs[near])))


def background_of(
    array: Array, depth: Array, deep: Where, grid: Grid, inner_mm: float
) -> Background:
    """Local mean of the liver; lesions, vessels and cysts left out."""
    light = gaussian(array, LIGHT_SD_MM, grid)
    level = liver_level(light[deep])
    local: Array = np.full(array.shape, level, np.float32)
    inner = depth > inner_mm
    hot = np.zeros(array.shape, bool)
    for _ in range(3):
        apart = (light - local) / np.sqrt(local)
        sd = one_sided_sd(apart[deep & ~hot])
        hot = _hot(apart / sd, light, depth, grid)
        usual = inner & ~hot & (np.abs(apart) < ODD_SD * sd)
        local = local_mean(array, usual.astype(np.float32), BACKGROUND_SD_MM, grid, prior=level)
        local = np.clip(local, 0.5 * level, 1.6 * level, dtype=np.float32)
    apart = (light - local) / np.sqrt(local)
    sd = one_sided_sd(apart[deep & ~hot])
    return Background(local, apart < -COLD_SD * sd, _hot(apart / sd, light, depth, grid), light, sd)


def _hot(above: NDArray[np.floating], light: Array, depth: Array, grid: Grid) -> Where:
    """Regions of the liver far above the noise, down to where they fade; not the neighbours."""
    core = (above > CORE_SD) & (depth > 0)
    if not core.any():
        return core
    near = ndimage.distance_transform_edt(~core, sampling=grid.spacing_mm) <= SKIRT_MM
    whole, count = ndimage.label((above > SKIRT_SD) & near & (depth > -2 * OWN_DEPTH_MM))
    numbers = np.unique(whole[core])
    peaks = ndimage.maximum_position(np.where(depth > -2 * OWN_DEPTH_MM, light, 0), whole, numbers)
    own = np.zeros(count + 1, bool)
    own[numbers] = [depth[peak] > OWN_DEPTH_MM for peak in peaks]
    return np.asarray(own[whole] & (depth > 0))

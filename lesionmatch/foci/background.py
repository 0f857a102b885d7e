"""What lesion-free liver looks like at every place, however much of it is tumour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.errors import InvalidInput
from lesionmatch.foci.filters import Array, Where, gaussian, local_mean, one_sided_sd
from lesionmatch.foci.liver_level import Level, liver_level
from lesionmatch.geometry import Grid
from lesionmatch.protocol import FociRules

LIGHT_SD_MM = 2.0
"""The smoothing under which single voxels are called cold or hot."""

CALM_SD_MM = 5.0
"""The smoothing under which a liver shows whether it is one tissue: little noise is left."""

BACKGROUND_SD_MM = 15.0

LEAST_VOXELS = 60
"""Fewer tell no standard deviation."""

GRAIN_SD_MM = 6.0
CALM_SHARE = 0.25
"""So much of the liver, the calmest, tells the grain: no edges of lesions run there."""

MOST_IN_GRAIN = 1.5
"""What is left of noise without all that is smooth over the width above it holds at least one
part in this of its standard deviation, at a grain of up to 8 mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The lesion-free liver expected at every voxel, and what does not look like it."""

    suv: Array
    cold: Where
    hot: Where
    """Hot regions of the liver itself; hot neighbours are not among them."""
    above: Array
    """Standard deviations of `light` above `suv`."""
    light: Array
    """The image lightly smoothed."""
    light_sd: float
    """Noise of `light` over the square root of the activity."""
    level: Level
    core: Where
    """Hot regions but for their skirts."""


def background_of(
    array: Array, depth: Array, deep: Where, grid: Grid, rules: FociRules
) -> Background:
    """Local mean of the liver; lesions, vessels and cysts left out.

    Raises `InvalidInput` where the liver has no noise.
    """
    light = gaussian(array, LIGHT_SD_MM, grid)
    level = liver_level(light[deep], rules, calm=gaussian(array, CALM_SD_MM, grid)[deep])
    local: Array = np.full(array.shape, level.suv, np.float32)
    inner = depth > rules.inner_mm
    hot = np.zeros(array.shape, bool)
    most = most_sd(light, deep, grid)
    least = rules.least_noise * float(np.sqrt(level.suv))
    for _ in range(3 if level.is_seen else 0):
        apart = (light - local) / np.sqrt(local)
        sd = _noise_sd(apart[deep & ~hot], most, least)
        hot = _hot(apart / sd, light, depth, grid, rules)
        usual = inner & ~hot & (np.abs(apart) < rules.odd_sd * sd)
        weight = usual.astype(np.float32)
        local = local_mean(array, weight, BACKGROUND_SD_MM, grid, prior=level.suv)
        local = np.clip(local, 0.5 * level.suv, 1.6 * level.suv, dtype=np.float32)
    apart = (light - local) / np.sqrt(local)
    sd = _noise_sd(apart[deep & ~hot], most, least)
    above = np.asarray(apart / sd, np.float32)
    hot = _hot(above, light, depth, grid, rules)
    # Were every place below the second cold, noise would lose its lower tail, and look skewed.
    cold = ndimage.binary_propagation(above < -rules.cold_core_sd, mask=above < -rules.cold_sd)
    core = hot & (above > rules.hot_core_sd)
    return Background(local, cold, hot, above, light, sd, level, core)


def _noise_sd(apart: NDArray[np.floating], most: float, least: float) -> float:
    """Noise from what is not hot; from the grain where nothing is.

    Raises `InvalidInput` below the `least` that an acquired image has.
    """
    sd = most if len(apart) < LEAST_VOXELS else min(one_sided_sd(apart), most)
    if not sd >= least:
        raise InvalidInput(
            f"foci: wanted a PET with noise, got a liver whose grain is {sd / least:.2g} of the "
            "least an acquired image has; give the image as it was reconstructed, not a noise-free "
            "simulation"
        )
    return sd


def most_sd(array: Array, deep: Where, grid: Grid) -> float:
    """The most that noise over the square root of the activity can be, tumour or not.

    From the grain alone: where tumour is most of the liver, what lies about the liver's level
    is the slope of a lesion, not noise.
    """
    smooth = gaussian(array, GRAIN_SD_MM, grid)
    grain = np.asarray((array - smooth) ** 2 / np.maximum(smooth, 1e-3), np.float32)
    around = gaussian(grain, GRAIN_SD_MM, grid)[deep]
    return MOST_IN_GRAIN * float(np.sqrt(np.quantile(around, CALM_SHARE)))


def _hot(
    above: NDArray[np.floating], light: Array, depth: Array, grid: Grid, rules: FociRules
) -> Where:
    """Regions of the liver far above the noise, down to where they fade; not the neighbours."""
    core = (above > rules.hot_core_sd) & (depth > 0)
    if not core.any():
        return core
    box = grid.box_around(grid.world(np.argwhere(core)), rules.hot_skirt_mm)
    away_mm = ndimage.distance_transform_edt(~core[box], sampling=grid.spacing_mm)
    reach = (away_mm <= rules.hot_skirt_mm) & (above[box] > rules.hot_skirt_sd)
    reach &= depth[box] > -2 * rules.own_depth_mm
    whole, count = ndimage.label(reach)
    own = np.zeros(count + 1, bool)
    own[1:] = _depth_of_brightest(whole, light[box], depth[box]) > rules.own_depth_mm
    inside = np.bincount(whole[depth[box] > 0], minlength=count + 1)
    far_in = np.bincount(whole[depth[box] > rules.spill_depth_mm], minlength=count + 1)
    own |= far_in > rules.own_share * inside
    own[np.setdiff1d(np.arange(count + 1), whole[core[box]])] = False
    hot = np.zeros_like(core)
    hot[box] = own[whole] & (depth[box] > 0)
    return hot


def _depth_of_brightest(labels: NDArray[np.signedinteger], light: Array, depth: Array) -> Array:
    """(labels,) depth of the brightest voxel of each region, from label 1 on."""
    within = labels > 0
    numbers, depths = labels[within], depth[within]
    order = np.lexsort((light[within], numbers))
    last = np.flatnonzero(np.diff(numbers[order], append=0))
    return np.asarray(depths[order][last])

"""What lesion-free liver looks like at every place, however much of it is tumour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.foci.filters import Array, Where, gaussian, local_mean, one_sided_sd
from lesionmatch.foci.liver_level import Level, liver_level
from lesionmatch.geometry import Grid
from lesionmatch.protocol import FociRules

LIGHT_SD_MM = 2.0
"""The smoothing under which single voxels are called cold or hot."""

CALM_SD_MM = 5.0
"""The smoothing under which a liver shows whether it is one tissue: little noise is left."""

BACKGROUND_SD_MM = 15.0

ODD_SD = 2.5
"""Places this far from the background are left out of it."""

CORE_SD, SKIRT_SD = 7.0, 2.0
"""A hot region has a core above the first and reaches down to the second."""

SKIRT_MM = 8.0
"""The skirt ends this far from the core: further out it would follow the grain."""

OWN_DEPTH_MM = 3.0
"""A hot region whose brightest voxel lies deeper than this belongs to the liver."""

SPILL_DEPTH_MM, OWN_SHARE = 15.0, 0.2
"""So does one with more than this share of its liver below this depth, though it runs into a
hotter neighbour: spill-in, breathing and a wrong mask reach less deep."""

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

    @property
    def core(self) -> Where:
        """Hot regions but for their skirts."""
        return np.asarray(self.hot & (self.above > CORE_SD))


def background_of(
    array: Array, depth: Array, deep: Where, grid: Grid, rules: FociRules
) -> Background:
    """Local mean of the liver; lesions, vessels and cysts left out."""
    light = gaussian(array, LIGHT_SD_MM, grid)
    level = liver_level(light[deep], rules, calm=gaussian(array, CALM_SD_MM, grid)[deep])
    local: Array = np.full(array.shape, level.suv, np.float32)
    inner = depth > rules.inner_mm
    hot = np.zeros(array.shape, bool)
    most = most_sd(light, deep, grid)
    for _ in range(3 if level.is_seen else 0):
        apart = (light - local) / np.sqrt(local)
        sd = _noise_sd(apart[deep & ~hot], most)
        hot = _hot(apart / sd, light, depth, grid)
        usual = inner & ~hot & (np.abs(apart) < ODD_SD * sd)
        weight = usual.astype(np.float32)
        local = local_mean(array, weight, BACKGROUND_SD_MM, grid, prior=level.suv)
        local = np.clip(local, 0.5 * level.suv, 1.6 * level.suv, dtype=np.float32)
    apart = (light - local) / np.sqrt(local)
    sd = _noise_sd(apart[deep & ~hot], most)
    above = np.asarray(apart / sd, np.float32)
    hot = _hot(above, light, depth, grid)
    # Were every place below the second cold, noise would lose its lower tail, and look skewed.
    cold = ndimage.binary_propagation(above < -rules.cold_core_sd, mask=above < -rules.cold_sd)
    return Background(local, cold, hot, above, light, sd, level)


def _noise_sd(apart: NDArray[np.floating], most: float) -> float:
    """Noise from what is not hot; from the grain where nothing is."""
    return most if len(apart) < LEAST_VOXELS else min(one_sided_sd(apart), most)


def most_sd(array: Array, deep: Where, grid: Grid) -> float:
    """The most that noise over the square root of the activity can be, tumour or not.

    From the grain alone: where tumour is most of the liver, what lies about the liver's level
    is the slope of a lesion, not noise.
    """
    smooth = gaussian(array, GRAIN_SD_MM, grid)
    grain = np.asarray((array - smooth) ** 2 / np.maximum(smooth, 1e-3), np.float32)
    around = gaussian(grain, GRAIN_SD_MM, grid)[deep]
    return MOST_IN_GRAIN * float(np.sqrt(np.quantile(around, CALM_SHARE)))


def _hot(above: NDArray[np.floating], light: Array, depth: Array, grid: Grid) -> Where:
    """Regions of the liver far above the noise, down to where they fade; not the neighbours."""
    core = (above > CORE_SD) & (depth > 0)
    if not core.any():
        return core
    box = grid.box_around(grid.world(np.argwhere(core)), SKIRT_MM)
    near = ndimage.distance_transform_edt(~core[box], sampling=grid.spacing_mm) <= SKIRT_MM
    reach = near & (above[box] > SKIRT_SD) & (depth[box] > -2 * OWN_DEPTH_MM)
    whole, count = ndimage.label(reach)
    own = np.zeros(count + 1, bool)
    own[1:] = _depth_of_brightest(whole, light[box], depth[box]) > OWN_DEPTH_MM
    inside = np.bincount(whole[depth[box] > 0], minlength=count + 1)
    far_in = np.bincount(whole[depth[box] > SPILL_DEPTH_MM], minlength=count + 1)
    own |= far_in > OWN_SHARE * inside
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

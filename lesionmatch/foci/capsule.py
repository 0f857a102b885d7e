"""The liver's edge as it is, with the edge taken off.

Where cold places are filled with liver, what a lesion adds beyond the capsule is filled over,
and a lesion whose centre lies 3 to 6 mm deep loses a third of its signal. Here the edge towards
the cold outside stays, and what this liver shows on the median at the same distance from a
smoothed border is taken off, so that a lesion's own uptake is left on both sides of it.
Alone this would not do: at corners, in thin margins and where vessels run under the capsule the
smoothed border is wrong by millimetres, and the rest looks like a lesion. But there the filled
image shows nothing at all; so the two are asked together (see `field`).
"""

import numpy as np
from scipy import ndimage, special

from lesionmatch.foci.background import LEAST_VOXELS, LIGHT_SD_MM, Background
from lesionmatch.foci.filters import Array, Where, gaussian, local_mean
from lesionmatch.geometry import Grid
from lesionmatch.protocol import FociRules

EDGE_SD_MM = 3.5
"""Width of a liver's edge in the lightly smoothed image: it only scales the distance."""

FROM_MM, TO_MM, STEP_MM = -12.0, 16.0, 1.0
"""Signed distances from the smoothed border the edge is learned at, positive in the liver."""


def edge_taken_off(
    array: Array,
    known: Background,
    depth: Array,
    edge_mm: Array,
    plain: Where,
    grid: Grid,
    rules: FociRules,
) -> Array:
    """`array`, in which organs are filled with liver, less the edge: liver where no lesion is.

    Vessels and cysts, which lie deep, are filled; so is the cold far outside. `plain` is what
    is neither hot nor beside an organ.
    """
    inner = known.cold & (depth > rules.capsule_cold_mm)
    whole = np.where(inner, known.suv, array)
    light = gaussian(whole, LIGHT_SD_MM, grid)
    cold = _cold_level(light, known, edge_mm, grid, rules)
    step = known.suv - cold
    share = np.clip((light - cold) / step, 0.0, 1.0).astype(np.float32)
    across_mm = _across_mm(share, grid, rules)
    height = np.asarray((whole - cold) / step, np.float32)
    learned = plain & (depth > -rules.capsule_learned_mm)
    above = (height - _profile(height, across_mm, learned)) * step
    within = (across_mm > -rules.capsule_out_mm) & (across_mm < rules.capsule_in_mm)
    at_edge = within & (depth > FROM_MM) & ~inner
    filled = np.where(known.cold, known.suv, array)
    return np.where(at_edge, known.suv + above, filled).astype(np.float32)


def _cold_level(
    light: Array, known: Background, edge_mm: Array, grid: Grid, rules: FociRules
) -> Array:
    """SUV of the cold tissue around each voxel: fat, lung, muscle."""
    far = (light < rules.edge_cold_share * known.suv) & (edge_mm < -rules.capsule_far_mm)
    usual = float(np.median(light[far])) if np.count_nonzero(far) >= LEAST_VOXELS else 0.0
    level = local_mean(light, far.astype(np.float32), rules.capsule_level_mm, grid, prior=usual)
    return np.asarray(np.minimum(level, rules.capsule_most_cold * known.suv), np.float32)


def _across_mm(share: Array, grid: Grid, rules: FociRules) -> Array:
    """Signed distance to a border smoothed along the capsule, to parts of a voxel.

    `share` of a straight edge is the integral of a Gaussian; smoothed once more it is a wider
    one, whose inverse is the distance.
    """
    smooth = gaussian(share, rules.capsule_smooth_mm, grid)
    width_mm = float(np.hypot(rules.capsule_smooth_mm, EDGE_SD_MM))
    return np.asarray(width_mm * special.ndtri(np.clip(smooth, 1e-4, 1.0 - 1e-4)), np.float32)


def _profile(height: Array, across_mm: Array, learned: Where) -> Array:
    """Median of `height` over `learned` at each voxel's distance from the smoothed border."""
    ends = np.arange(FROM_MM, TO_MM + STEP_MM, STEP_MM)
    steps, values = np.digitize(across_mm[learned], ends), height[learned]
    bins = [(start + STEP_MM / 2, values[steps == n]) for n, start in enumerate(ends[:-1], 1)]
    known = [(middle, float(np.median(part))) for middle, part in bins if len(part) >= LEAST_VOXELS]
    if not known:
        return np.ones_like(height)
    middles, medians = zip(*known, strict=True)
    calm = ndimage.gaussian_filter1d(medians, 0.7, mode="nearest")
    return np.interp(across_mm, middles, calm).astype(np.float32)

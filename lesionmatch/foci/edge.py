"""What cold surroundings do to the statistic, learned from this liver by distance to them.

Beside fat, lung, a cyst or a vessel blur leaves the liver darker, and a lesion there starts
from below; a reconstruction that models resolution overshoots, and a centimetre further in the
liver is brighter. How much is the same all along the edge of one image, so its median by
distance to what is cold is taken off. Corners, thin margins and breathing leave a rest in
some places of many; so where the edge scatters more than noise does, or its highest tenth lies
higher, it counts less. Where it scatters less, as the activity and so its noise are less there,
it counts a little more. Hot neighbours have no cold edge and change nothing.
"""

import numpy as np
from numpy.typing import NDArray

from lesionmatch.foci.background import LEAST_VOXELS, Background
from lesionmatch.foci.filters import Array, Where, depth_mm, robust_sd, upper_sd
from lesionmatch.geometry import Grid
from lesionmatch.protocol import FociRules

NEAREST_MM, FURTHEST_MM, STEP_MM = -6.0, 18.0, 1.5
"""Signed distances to the cold edge that are looked at; further in nothing is taken."""

MASK_WITHIN_MM = 3.0
"""The edge is learned up to this far outside the mask."""


def edge_distance_mm(known: Background, grid: Grid, rules: FociRules) -> Array:
    """Signed distance to where the image itself turns cold, positive in the warm."""
    return depth_mm(known.light > rules.edge_cold_share * known.suv, grid)


def standard(
    raised: NDArray[np.floating],
    noise: NDArray[np.floating],
    edge_mm: Array,
    learned: Where,
    quiet: Where,
    rules: FociRules,
) -> Array:
    """`raised` in standard deviations of `noise`, as it is at the voxel's distance to the edge.

    Far from the edge median and standard deviation are those of `quiet` liver; nearer those of
    `learned` at that distance, the standard deviation at least about that of quiet liver.
    """
    median, sd = float(np.median(noise[quiet])), robust_sd(noise[quiet])
    ends = np.arange(NEAREST_MM, FURTHEST_MM + STEP_MM, STEP_MM)
    steps, values = np.digitize(edge_mm[learned], ends), noise[learned]
    bins = [(start, values[steps == n]) for n, start in enumerate(ends[:-1], start=1)]
    known = [(start + STEP_MM / 2, part) for start, part in bins if len(part) >= LEAST_VOXELS]
    middles = [middle for middle, _ in known] + [FURTHEST_MM + STEP_MM]
    medians = [*(float(np.median(part)) for _, part in known), median]
    least = rules.edge_least_scatter * sd
    sds = [*(max(robust_sd(part), upper_sd(part), least) for _, part in known), sd]
    off = raised - np.interp(edge_mm, middles, medians)
    return np.asarray(off / np.interp(edge_mm, middles, sds), np.float32)

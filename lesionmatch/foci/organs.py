"""Hot organs beside the liver, and what blur and breathing carry from them into it.

Beside stomach, bowel, kidney or spleen a difference of Gaussians holds the liver against liver
and organ together, and a lesion there starts from far below. So the statistic is taken on an
image in which the organ is filled with liver and what it spills into the liver is taken off,
as this image shows it: the median by distance from the organs, as a share of how hot each is.
What the median leaves, scatter above all, is learned the same way and divided by. Were the
organs cut out and their spill-in left, it would stand up as a rim of false foci.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.foci.background import LEAST_VOXELS, Background
from lesionmatch.foci.filters import Array, Where, gaussian, robust_sd, upper_sd
from lesionmatch.geometry import Grid
from lesionmatch.protocol import FociRules

SLACK_MM = 2.0
"""An organ that leans is followed this much further than one that lies square to the capsule."""

STEP_MM = 1.5
"""Spill-in is learned in steps of distance this wide."""

LEAST_EXCESS = 0.1
"""An organ is taken to be hotter than the liver by at least this share of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Organs:
    """Hot neighbours: where they are, and how hot."""

    region: Where
    away_mm: Array
    """Distance from the nearest of them, 0 and less within; infinite without any."""
    excess: Array
    """SUV of the organ nearest to each voxel above the liver there."""


def hot_organs(known: Background, depth: Array, grid: Grid, rules: FociRules) -> Organs:
    """Hot regions that reach far out of the liver; a lesion at its edge does not."""
    excess = np.maximum(known.light - known.suv, 0.0)
    hot = (excess > (rules.neighbour_ratio - 1.0) * known.suv) & (depth < rules.organ_inside_mm)
    core = hot & (depth < -rules.organ_core_mm) & ~_skirt(known.light, depth, grid, rules)
    organ = _around(core & known.level.is_seen, hot, grid, rules)
    weight = np.where(organ & (depth < -rules.outside_liver_mm), excess**2, 0.0).astype(np.float32)
    near = gaussian(weight, rules.organ_level_mm, grid)
    height = gaussian(weight * excess, rules.organ_level_mm, grid) / np.maximum(near, 1e-6)
    region = organ & (near > 1e-6) & (excess > rules.organ_border_fraction * height)
    return Organs(region, _away_mm(region, grid), np.asarray(height, np.float32))


def _skirt(light: Array, depth: Array, grid: Grid, rules: FociRules) -> Where:
    """Where uptake outside the liver is less than inside near by: tumour that reaches out."""
    size = [2 * round(rules.organ_core_mm / float(mm)) + 1 for mm in grid.spacing_mm]
    outside = depth < -rules.outside_liver_mm
    beyond = ndimage.maximum_filter(np.where(outside, light, 0.0).astype(np.float32), size)
    within = ndimage.maximum_filter(np.where(outside, 0.0, light).astype(np.float32), size)
    return np.asarray(within > rules.organ_skirt_ratio * beyond)


def _around(core: Where, hot: Where, grid: Grid, rules: FociRules) -> Where:
    """What is hot and joined to a core, no further from it than the depth organs are followed."""
    if not core.any():
        return core
    reach_mm = rules.organ_core_mm + rules.organ_inside_mm + SLACK_MM
    near = ndimage.distance_transform_edt(~core, sampling=grid.spacing_mm) <= reach_mm
    labels, count = ndimage.label(hot & near)
    is_organ = np.zeros(count + 1, bool)
    is_organ[labels[core]] = True
    return is_organ[labels]


def _away_mm(region: Where, grid: Grid) -> Array:
    if not region.any():
        return np.full(region.shape, np.inf, np.float32)
    half = float(grid.spacing_mm.mean()) / 2.0
    away = ndimage.distance_transform_edt(~region, sampling=grid.spacing_mm)
    return np.asarray(away - half, np.float32)


def spill_in(
    array: Array, known: Background, organs: Organs, learned: Where, rules: FociRules
) -> Array:
    """SUV that hot organs add to `array`, from its medians over `learned` by distance to them.

    It falls with distance, and is 0 within the organs and from `spill_reach_mm` on.
    """
    height = np.maximum(organs.excess, LEAST_EXCESS * known.suv)
    shares = (array[learned] - known.suv[learned]) / height[learned]
    middles, parts = _by_distance(organs.away_mm[learned], shares, rules.spill_reach_mm)
    medians = [max(float(np.median(part)), 0.0) for part in parts]
    falling = np.maximum.accumulate(medians[::-1])[::-1] if medians else np.zeros(0)
    share = np.interp(
        organs.away_mm, [*middles, rules.spill_reach_mm + STEP_MM / 2], [*falling, 0.0]
    )
    return np.where(organs.region, 0.0, share * organs.excess).astype(np.float32)


def evened(z: Array, organs: Organs, learned: Where, rules: FociRules) -> Array:
    """`z` less its median by distance to hot organs, over its scatter there if that is above 1.

    Breathing carries an organ further along the body than across it: above and below it the
    median leaves a rest on a part of its surface, which the highest tenth tells.
    """
    middles, parts = _by_distance(organs.away_mm[learned], z[learned], rules.spill_reach_mm)
    medians = [*(float(np.median(part)) for part in parts), 0.0]
    sds = [*(max(robust_sd(part), upper_sd(part), 1.0) for part in parts), 1.0]
    middles = [*middles, rules.spill_reach_mm + STEP_MM / 2]
    off = z - np.interp(organs.away_mm, middles, medians)
    return np.asarray(off / np.interp(organs.away_mm, middles, sds), np.float32)


def _by_distance(
    away_mm: Array, values: NDArray[np.floating], reach_mm: float
) -> tuple[list[float], list[NDArray[np.floating]]]:
    """Middles of the steps of distance that hold enough values, and their values."""
    starts = np.arange(0.0, reach_mm, STEP_MM)
    steps = np.digitize(away_mm, [*starts, reach_mm])
    parts = [(start, values[steps == n]) for n, start in enumerate(starts, start=1)]
    known = [(start + STEP_MM / 2, part) for start, part in parts if len(part) >= LEAST_VOXELS]
    return [middle for middle, _ in known], [part for _, part in known]

"""Peaks of the statistic, and which of them are resolved from a brighter one."""

import numpy as np

from lesionmatch.balls import ball, highest_within
from lesionmatch.foci.dips import Look, Voxel
from lesionmatch.foci.field import Field
from lesionmatch.foci.filters import Array, Where
from lesionmatch.protocol import FociRules

Peak = tuple[Voxel, Voxel]
"""Where the statistic is highest, and the brightest voxel near it."""

TOP_WITHIN_MM = 4.0
"""The brightest place of a focus lies this near the peak of its statistic."""

TOWARDS_CAPSULE_MM = 2.0
"""And not further out than this: there a hot neighbour would be taken for it."""


def candidates(field: Field, rules: FociRules) -> list[Voxel]:
    """Voxels where z is above the threshold inside the liver and highest around, highest first.

    Where the light-smoothed SUV is, too, if it stands as high above the background: on the
    skirt of a hotter lesion z only rises towards that.
    """
    near = ball(rules.peak_distance_mm, field.grid)
    above = (field.light - field.background) / (field.light_sd * np.sqrt(field.background))
    is_bright = (above > rules.least_z) & (field.depth > rules.own_depth_mm)
    top = _is_highest(field.z, near) | (is_bright & _is_highest(field.light, near))
    found = np.argwhere(top & (field.z > rules.least_z) & (field.depth > -rules.outside_mm))
    order = np.argsort([-field.z[tuple(v)] for v in found], kind="stable")
    return [_voxel(found[n]) for n in order]


def _is_highest(array: Array, near: Where) -> Where:
    """Where nothing near is higher."""
    return np.asarray(array >= highest_within(array, near))


def brightest_near(field: Field, peak: Voxel) -> Voxel:
    """The voxel of the highest light-smoothed SUV within reach of `peak`."""
    box = tuple(
        slice(max(0, i - int(r)), i + int(r) + 1)
        for i, r in zip(peak, np.ceil(TOP_WITHIN_MM / field.grid.spacing_mm), strict=True)
    )
    near = np.argwhere(np.ones_like(field.light[box], bool)) + [s.start for s in box]
    is_near = np.linalg.norm((near - peak) * field.grid.spacing_mm, axis=1) <= TOP_WITHIN_MM
    no_further_out = field.depth[tuple(near.T)] >= field.depth[peak] - TOWARDS_CAPSULE_MM
    inside = near[is_near & no_further_out]
    return _voxel(inside[np.argmax(field.light[tuple(inside.T)])])


def resolved(field: Field, peaks: list[Voxel], rules: FociRules) -> list[Peak]:
    """The peaks a dip divides from every brighter one.

    A dip divides where it falls below a share of the fainter peak's height above the liver
    and by more than the noise makes, or down to the liver's own noise.
    """
    tops = [brightest_near(field, peak) for peak in peaks]
    order = sorted(range(len(peaks)), key=lambda n: -float(field.light[tops[n]]))
    light = Look.light(field, rules)
    kept: list[int] = []
    for n in order:
        around = light.undivided(tops[n], rules)
        joined = [tops[m] for m in kept if around[tops[m]]]
        if all(_is_kept_apart(field, tops[n], top, rules) for top in joined):
            kept.append(n)
    return [(peaks[n], tops[n]) for n in sorted(kept)]


def _is_kept_apart(field: Field, fainter: Voxel, brighter: Voxel, rules: FociRules) -> bool:
    """Whether the brighter may be a neighbour's uptake, which must not take tumour behind it."""
    may_spill = field.depth[brighter] <= rules.own_depth_mm
    return bool(may_spill and field.depth[fainter] > rules.spill_depth_mm)


def _voxel(index: np.ndarray) -> Voxel:
    return tuple(int(i) for i in index)

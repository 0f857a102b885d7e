"""Uptake near the capsule that a hot neighbour explains: stomach, bowel, kidney, spleen."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.balls import ball
from lesionmatch.foci.dips import Look, Voxel
from lesionmatch.foci.field import Field
from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.protocol import FociRules
from lesionmatch.segments import Structure

NORMAL = {
    Structure.SPLEEN: "spleen",
    Structure.KIDNEY: "kidney",
    Structure.ADRENAL: "adrenal gland",
    Structure.STOMACH: "stomach",
    Structure.BOWEL: "bowel",
    Structure.PANCREAS: "pancreas",
    Structure.GALLBLADDER: "gallbladder",
    Structure.BILE_DUCT: "bile duct",
}


def neighbour_of(
    field: Field, top: Voxel, rules: FociRules, structures: Mapping[Structure, Mask]
) -> str | None:
    """What normal uptake explains the focus at `top`, in words; None where none does.

    Either no dip divides it from a brighter place outside the liver (spill-in, or the organ
    itself inside a mask that is wrong), or it lies at the very edge beside a hot
    organ, where liver and organ cannot be told apart without being told where to look.
    """
    if field.depth[top] > deepest_mm(field, top, rules):
        return None
    source = _brighter_outside(field, top, rules)
    if source is not None:
        return f"spill-in through the capsule from {_name(field, source, structures)}"
    hot = _hot_beside(field, top, rules)
    if field.depth[top] < rules.undecided_mm and hot is not None:
        return f"at the capsule beside {_name(field, hot, structures)}"
    if _is_like_adrenal(field, top, rules) and _is_at_adrenal(field, top, rules):
        return "at the capsule where the right adrenal gland touches it"
    return None


def deepest_mm(field: Field, top: Voxel, rules: FociRules) -> float:
    """How deep a neighbour's uptake may reach: further where the image has no peak at `top` but
    only rises, as on the side of an organ that breathing or a wrong mask brings there."""
    around = _around(field, top, rules.peak_distance_mm)
    is_on_slope = field.seen[tuple(around.T)].max() > field.seen[top]
    return rules.neighbour_slope_mm if is_on_slope else rules.neighbour_depth_mm


def _brighter_outside(field: Field, top: Voxel, rules: FociRules) -> Voxel | None:
    """The brightest place outside the liver that no dip divides from `top`, where brighter."""
    joined = Look.seen(field, rules).undivided(top, rules)
    outside = joined & field.outside
    if not outside.any():
        return None
    best = np.unravel_index(np.argmax(np.where(outside, field.seen, -np.inf)), outside.shape)
    place = tuple(int(i) for i in best)
    return place if field.seen[place] > field.seen[top] else None


def _hot_beside(field: Field, top: Voxel, rules: FociRules) -> Voxel | None:
    """The brightest voxel outside the liver near `top`, where it is hotter than the liver."""
    around = _around(field, top, rules.neighbour_reach_mm)
    outside = around[field.outside[tuple(around.T)]]
    if not len(outside):
        return None
    best = tuple(int(i) for i in outside[np.argmax(field.seen[tuple(outside.T)])])
    is_hot = field.seen[best] > rules.neighbour_ratio * field.background[top]
    return best if is_hot else None


def _is_like_adrenal(field: Field, top: Voxel, rules: FociRules) -> bool:
    """Whether so thin a gland, on the surface, could look like this."""
    is_faint = field.seen[top] < rules.adrenal_most_ratio * field.background[top]
    return bool(is_faint and field.depth[top] < rules.adrenal_depth_mm)


def _is_at_adrenal(field: Field, top: Voxel, rules: FociRules) -> bool:
    """Whether the surface near `top` faces the midline and the back, where the liver has no
    peritoneum: the right adrenal gland touches it in everyone, and takes up the tracer."""
    near = _around(field, top, rules.adrenal_reach_mm)
    part = field.grid.world(near[field.liver[tuple(near.T)]])
    here = field.grid.world(top)
    left, back, up = here - part.mean(axis=0)
    whole = field.grid.world(np.argwhere(field.liver))
    low, high = whole.min(axis=0), whole.max(axis=0)
    _, behind, height = (here - low) / (high - low)
    is_middle = rules.adrenal_lowest < height < rules.adrenal_highest
    is_facing = left > abs(up) and back > abs(up)
    return bool(is_facing and is_middle and behind > rules.adrenal_behind)


def _around(field: Field, top: Voxel, reach_mm: float) -> NDArray[np.intp]:
    """(N, 3) voxels of the field within reach of `top`."""
    near = ball(reach_mm, field.grid)
    around = np.argwhere(near) - np.array(near.shape) // 2 + top
    return np.asarray(around[((around >= 0) & (around < field.grid.shape)).all(1)])


def _name(field: Field, place: Voxel, structures: Mapping[Structure, Mask]) -> str:
    """The organ drawn there, else the side of the liver it lies on."""
    point = field.grid.world(place)
    for structure, name in NORMAL.items():
        mask = structures.get(structure)
        if mask is not None and mask.holds(point[None])[0]:
            return name
    middle = field.grid.world(ndimage.center_of_mass(field.liver))
    return f"uptake outside the liver ({_side(point - middle)})"


def _side(off_mm: Points) -> str:
    """The side (LPS) the vector points to most."""
    words = (("right", "left"), ("front", "back"), ("below", "above"))
    axis = int(np.argmax(np.abs(off_mm)))
    return words[axis][int(off_mm[axis] > 0)]

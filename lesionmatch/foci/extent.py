"""How far a focus reaches: down to a threshold between its maximum and the liver around it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.segmentation import watershed

from lesionmatch.foci.dips import Voxel
from lesionmatch.foci.field import Field
from lesionmatch.foci.filters import Where
from lesionmatch.protocol import FociRules

OUTSIDE_MM = 4.0
"""An extent may leave the liver mask this far: masks are wrong by about as much."""

SLACK_MM = 2.0
"""What was kept off an extent grows back to it by a little more, so that the two touch."""


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """The region of a focus within the smallest box of the field that holds its basin."""

    box: tuple[slice, slice, slice]
    region: Where


def extents(field: Field, tops: Sequence[Voxel], rules: FociRules) -> list[Extent]:
    """How far each focus reaches; the dips between them divide them."""
    if not tops:
        return []
    basin = _basins(field, tops, rules)
    found = []
    for n, (top, box) in enumerate(zip(tops, ndimage.find_objects(basin, len(tops)), strict=True)):
        planes, rows, columns = box
        region = _reach(field, top, box, basin[box] == n + 1, rules)
        found.append(Extent((planes, rows, columns), region))
    return found


def _basins(field: Field, tops: Sequence[Voxel], rules: FociRules) -> NDArray[np.int32]:
    """The number of the focus whose uptake each voxel belongs to, from 1.

    What lies beside the liver is a basin of its own, so that a focus ends where a hot
    neighbour begins.
    """
    marks = np.where(field.depth < -OUTSIDE_MM, len(tops) + 1, 0).astype(np.int32)
    for n, top in enumerate(tops, start=1):
        marks[top] = n
    where = (field.light > field.background) | (marks > 0)
    basin = np.asarray(watershed(-field.light, marks, mask=where), np.int32)
    return _given_back(field, tops, basin, rules)


def _given_back(
    field: Field, tops: Sequence[Voxel], basin: NDArray[np.int32], rules: FociRules
) -> NDArray[np.int32]:
    """The basins without the tumour that the basin beside the liver took: the nearest focus's.

    Grain alone decides where on an even wide tumour two basins meet.
    """
    taken = (basin > len(tops)) & field.core
    if not taken.any():
        return basin
    is_own = _is_own(field, rules)
    own = [n for n, top in enumerate(tops, start=1) if is_own[top]]
    taken &= is_own
    if not own or not taken.any():
        return basin
    spacing, places = field.grid.spacing_mm, np.argwhere(taken)
    near = cKDTree([np.multiply(tops[n - 1], spacing) for n in own]).query(places * spacing)[1]
    basin[taken] = np.array(own)[near]
    return basin


def _is_own(field: Field, rules: FociRules) -> Where:
    """Where no neighbour's uptake can be: deeper than spill-in reaches, or where nothing outside
    so near is as bright, as spill-in falls away from its organ."""
    reach_mm = rules.spill_depth_mm + OUTSIDE_MM
    size = [2 * round(reach_mm / float(mm)) + 1 for mm in field.grid.spacing_mm]
    outside = np.where(field.depth < -OUTSIDE_MM, field.light, -np.inf).astype(np.float32)
    brightest = ndimage.maximum_filter(outside, size)
    return np.asarray((field.depth > rules.spill_depth_mm) | (field.light > brightest))


def _reach(
    field: Field, top: Voxel, box: tuple[slice, ...], basin: Where, rules: FociRules
) -> Where:
    """Of a basin, what is joined to its brightest voxel `top` (of the field) above the level."""
    base = float(field.background[top])
    level = base + rules.extent_fraction * (float(field.light[top]) - base)
    here = tuple(i - part.start for i, part in zip(top, box, strict=True))
    bright = basin & (field.light[box] > level)
    bright[here] = True
    labels, _ = ndimage.label(bright)
    region = labels == labels[here]
    leaning = _leaning(field, region, basin & field.core[box], rules)
    return np.asarray(ndimage.binary_fill_holes(region | leaning))


def _leaning(field: Field, region: Where, hot: Where, rules: FociRules) -> Where:
    """Tumour of the same basin that lies further off than blur carries.

    A less hot lesion that leans on the focus has no peak of its own and is not a focus; but
    nor is it nothing.
    """
    nothing = np.zeros_like(region)
    if not (hot & ~region).any():
        return nothing
    spacing = field.grid.spacing_mm
    off = ndimage.distance_transform_edt(~region, sampling=spacing)
    labels, count = ndimage.label(hot & (off > rules.shoulder_mm))
    sizes_ml = np.bincount(labels.ravel(), minlength=count + 1) * field.grid.voxel_ml
    sizes_ml[0] = 0.0
    far = (sizes_ml >= rules.shoulder_ml)[labels]
    if not far.any():
        return nothing
    back = ndimage.distance_transform_edt(~far, sampling=spacing)
    return np.asarray(hot & (back <= rules.shoulder_mm + SLACK_MM))

"""How far a focus reaches: down to a threshold between its maximum and the liver around it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from lesionmatch.foci.field import Field
from lesionmatch.foci.filters import Where
from lesionmatch.foci.peaks import Voxel
from lesionmatch.protocol import FociRules

OUTSIDE_MM = 4.0
"""An extent may leave the liver mask this far: masks are wrong by about as much."""

SLACK_MM = 2.0
"""What was kept off an extent grows back to it by a little more, so that the two touch."""


def extents(field: Field, tops: Sequence[Voxel], rules: FociRules) -> list[Where]:
    """The region of each focus on the field's grid; the dips between them divide them."""
    if not tops:
        return []
    basin = _basins(field, tops)
    return [_reach(field, top, basin == n, rules) for n, top in enumerate(tops, start=1)]


def _basins(field: Field, tops: Sequence[Voxel]) -> NDArray[np.int32]:
    """The number of the focus whose uptake each voxel belongs to, from 1.

    What lies beside the liver is a basin of its own, so that a focus ends where a hot
    neighbour begins.
    """
    marks = np.where(field.depth < -OUTSIDE_MM, len(tops) + 1, 0).astype(np.int32)
    for n, top in enumerate(tops, start=1):
        marks[top] = n
    where = (field.light > field.background) | (marks > 0)
    return np.asarray(watershed(-field.light, marks, mask=where), np.int32)


def _reach(field: Field, top: Voxel, basin: Where, rules: FociRules) -> Where:
    base = float(field.background[top])
    level = base + rules.extent_fraction * (float(field.light[top]) - base)
    bright = basin & (field.light > level)
    bright[top] = True
    labels, _ = ndimage.label(bright)
    region = labels == labels[top]
    return np.asarray(ndimage.binary_fill_holes(region | _shoulders(field, region, basin, rules)))


def _shoulders(field: Field, region: Where, basin: Where, rules: FociRules) -> Where:
    """Tumour of the same basin that lies further off than blur carries: a lesion leans here.

    It has no peak of its own, being less hot, so it is not a focus; but nor is it nothing.
    """
    hot = basin & field.core
    if not (hot & ~region).any():
        return region
    away = ndimage.distance_transform_edt(~region, sampling=field.grid.spacing_mm)
    labels, count = ndimage.label(hot & (away > rules.shoulder_mm))
    sizes_ml = np.bincount(labels.ravel(), minlength=count + 1) * field.grid.voxel_ml
    sizes_ml[0] = 0.0
    leaning = (sizes_ml >= rules.shoulder_ml)[labels]
    if not leaning.any():
        return region
    back = ndimage.distance_transform_edt(~leaning, sampling=field.grid.spacing_mm)
    return np.asarray(hot & (back <= rules.shoulder_mm + SLACK_MM))

"""Lesions that count and lie beside the liver.

What a reader drew as a metastasis counts, and drawn lesions belong to the liver's mask. A
lymph node or a bone in the same segmentation would so make a liver involved that is not,
or the mask lacks the part of the liver in which the lesion lies: someone should look.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.spatial import cKDTree

from lesionmatch.geometry import Grid
from lesionmatch.image import Mask
from lesionmatch.lesions import Lesion
from lesionmatch.protocol import LesionRules
from lesionmatch.wording import enumerated

TOUCHING = np.ones((3, 3, 3), np.bool_)

Voxels = NDArray[np.intp]
"""(N, 3) slice, row and column."""


def lesions_beside(liver: Mask, lesions: Sequence[Lesion], rules: LesionRules) -> tuple[str, ...]:
    """A sentence that names the lesions that count and lie beside the liver; none without.

    `liver` holds the lesions that were drawn on its image; all are in its frame.
    """
    whole = liver.trimmed()
    places = [_voxels(one, whole.grid) for one in lesions]
    own = _without_lesions_alone(whole, places, rules.least_liver_ml)
    suspects = [
        one
        for one, place in zip(lesions, places, strict=True)
        if one.kind.counts and not own.array[tuple(place.T)].any()
    ]
    if not suspects or own.is_empty:
        return ()
    tree = cKDTree(own.points_mm())
    away_mm = {
        one.lesion_id: float(np.min(tree.query(one.mask.points_mm())[0])) for one in suspects
    }
    return _said({name: mm for name, mm in away_mm.items() if mm > rules.beside_liver_mm})


def _voxels(lesion: Lesion, grid: Grid) -> Voxels:
    """Of a grid, those that a lesion reaches."""
    points_mm = lesion.samples_mm(float(grid.spacing_mm.min()))
    voxels = np.unique(np.rint(grid.voxels(points_mm)).astype(np.intp), axis=0)
    return voxels[((voxels >= 0) & (voxels < grid.shape)).all(axis=1)]


def _without_lesions_alone(whole: Mask, places: Sequence[Voxels], least_ml: float) -> Mask:
    """The pieces of a liver that are more than lesions."""
    free = whole.array.copy()
    for place in places:
        free[tuple(place.T)] = False
    pieces, count = label(whole.array, TOUCHING)
    volume_ml = np.bincount(pieces[free], minlength=count + 1) * whole.grid.voxel_ml
    return Mask(whole.grid, (volume_ml >= least_ml)[pieces])


def _said(away_mm: dict[str, float]) -> tuple[str, ...]:
    if not away_mm:
        return ()
    named, nearest = enumerated([*away_mm]), f"{min(away_mm.values()):.0f} mm"
    if len(away_mm) == 1:
        return (f"{named} lies {nearest} outside the liver and counts as its lesion",)
    return (f"{named} lie {nearest} and more outside the liver and count as its lesions",)

"""Lesions that count and lie beside the liver.

What a reader drew as a metastasis counts, and drawn lesions belong to the liver's mask. A
lymph node or a bone in the same segmentation would so make a liver involved that is not,
or the mask lacks the part of the liver in which the lesion lies: someone should look.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import label
from scipy.spatial import cKDTree

from lesionmatch.image import Mask, union
from lesionmatch.lesions import Lesion
from lesionmatch.protocol import LesionRules
from lesionmatch.resample import region_on
from lesionmatch.wording import enumerated

LEAST_LIVER_ML = 5.0
"""A piece of the mask with less than this that no lesion is, is no piece of the liver."""

TOUCHING = np.ones((3, 3, 3), np.bool_)


def lesions_beside(liver: Mask, lesions: Sequence[Lesion], rules: LesionRules) -> tuple[str, ...]:
    """A sentence that names the lesions that count and lie beside the liver; none without.

    `liver` holds the lesions that were drawn on its image; all are in its frame.
    """
    whole = liver.trimmed()
    own = _without_lesions_alone(whole, [one.mask for one in lesions])
    inside = [bool((region_on(whole.grid, one.mask).array & own.array).any()) for one in lesions]
    suspects = [
        one for one, is_in in zip(lesions, inside, strict=True) if one.kind.counts and not is_in
    ]
    if not suspects or own.is_empty:
        return ()
    tree = cKDTree(own.points_mm())
    away_mm = [float(np.min(tree.query(one.mask.points_mm())[0])) for one in suspects]
    beside = {
        one.lesion_id: mm
        for one, mm in zip(suspects, away_mm, strict=True)
        if mm > rules.beside_liver_mm
    }
    return _said(beside)


def _without_lesions_alone(whole: Mask, lesions: Sequence[Mask]) -> Mask:
    """The pieces of a liver that are more than lesions."""
    drawn = union(whole.grid, [region_on(whole.grid, lesion) for lesion in lesions])
    pieces, count = label(whole.array, TOUCHING)
    free = np.bincount(pieces[whole.array & ~drawn.array], minlength=count + 1)
    return Mask(whole.grid, (free * whole.grid.voxel_ml >= LEAST_LIVER_ML)[pieces])


def _said(beside: dict[str, float]) -> tuple[str, ...]:
    if not beside:
        return ()
    nearest = f"{min(beside.values()):.0f} mm"
    if len(beside) == 1:
        return (f"{next(iter(beside))} lies {nearest} outside the liver and counts as its lesion",)
    named = enumerated([*beside])
    return (f"{named} lie {nearest} and more outside the liver and count as its lesions",)

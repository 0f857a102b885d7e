"""Where a lesion's own uptake is looked for, when others lie close by."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lesionmatch.concordance.relations import Focus, boxes_meet
from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.lesions import Carried


def own_search(
    carried: Carried, lesions: Sequence[Carried], foci: Sequence[Focus], fwhm_mm: float
) -> Mask:
    """The search of a covered lesion less what lies nearer to another lesion or under a focus.

    `foci` are those that do not belong to it; they reach half the resolution beyond their
    extent, where their blur does. Where nothing is left it is the lesion's extent.
    """
    if carried.extent is None or carried.search is None:
        raise ValueError("own search: wanted a lesion on the PET, got one beside it")
    points = carried.search.points_mm()
    own_mm = _distance_mm(points, carried.extent)
    keep = np.ones(len(points), np.bool_)
    for other in lesions:
        if (
            other is not carried
            and other.extent is not None
            and boxes_meet(carried.search, other.extent)
        ):
            keep &= own_mm <= _distance_mm(points, other.extent)
    for focus in foci:
        if boxes_meet(carried.search, focus.extent, fwhm_mm):
            keep &= _distance_mm(points, focus.extent) > fwhm_mm / 2.0
    return _part(carried.search, keep) if keep.any() else carried.extent


def _part(mask: Mask, keep: NDArray[np.bool_]) -> Mask:
    """The voxels of `mask` to keep, in the order of its points."""
    array = mask.array.copy()
    array[mask.array] = keep
    return Mask(mask.grid, array).trimmed()


def _distance_mm(points_mm: Points, mask: Mask) -> NDArray[np.float64]:
    """To the nearest voxel centre of `mask`."""
    return np.asarray(cKDTree(mask.points_mm()).query(points_mm)[0])

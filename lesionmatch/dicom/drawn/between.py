"""What lies between contours that were not drawn on every slice.

Readers draw on every second or third slice, or on a series of thicker slices at the same
places, and mean one lesion. A region whose contours nowhere lie on neighbouring slices is
filled in between those that lie one above the other. Where they do, a slice without one may
as well be where one lesion ends and the next begins, so it is left open, and that is said.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, label

from lesionmatch.image import Mask

MOST_MM = 10.0
"""Contours farther apart say nothing about what lies between."""

Plane = NDArray[np.bool_]


def filled(mask: Mask) -> tuple[Mask, int, int]:
    """A region of one plane a contour with what lies between them; how many planes were filled
    in, and how many gaps between parts one above the other are left open."""
    if mask.is_empty:
        return mask, 0, 0
    array = mask.array.copy()
    drawn = array[mask.box()]
    most = int(MOST_MM / mask.grid.spacing_mm[0])
    planes = _fill(drawn, _step(drawn, most))
    return Mask(mask.grid, array), planes, _open_gaps(drawn, most)


def _step(array: NDArray[np.bool_], most: int) -> int:
    """How many slices planes one above the other lie apart at least; 0 where none do."""
    pairs = ((n, array[:-n] & array[n:]) for n in range(1, min(most, len(array) - 1) + 1))
    return next((n for n, both in pairs if both.any()), 0)


def _fill(array: NDArray[np.bool_], step: int) -> int:
    """Fill in, in place, between planes `step` slices apart; returns how many were."""
    drawn, new = array.copy(), set()
    for low in range(len(array) - step):
        if (drawn[low] & drawn[low + step]).any():
            for n in range(1, step):
                array[low + n] |= _between(drawn[low], drawn[low + step], n / step)
                new.add(low + n)
    return len(new)


def _between(low: Plane, high: Plane, share: float) -> Plane:
    """The region at this share of the way from one plane to another: where the distances to
    both outlines, weighted so, are inside (Raya and Udupa 1990, doi 10.1109/42.52980)."""
    return np.asarray((1.0 - share) * _depth(low) + share * _depth(high) > 0.0)


def _depth(plane: Plane) -> NDArray[np.float64]:
    """How deep each pixel lies inside the outline, in pixels; negative outside."""
    padded = np.pad(plane, 1)
    found = distance_transform_edt(padded) - distance_transform_edt(~padded)
    return np.asarray(found[1:-1, 1:-1])


def _open_gaps(array: NDArray[np.bool_], most: int) -> int:
    """Pairs of connected parts, one above the other, with fewer than `most` slices between."""
    labels, _ = label(array, np.ones((3, 3, 3)))
    parts = [(box[0], (labels == n).any(0)) for n, box in enumerate(find_objects(labels), 1)]
    return sum(
        0 < max(a.start, b.start) - min(a.stop, b.stop) < most and bool((one & other).any())
        for (a, one), (b, other) in combinations(parts, 2)
    )

"""What lies between contours, or planes of a mask, that were not drawn on every slice.

Readers draw on every second or third slice, or on a series of thicker slices at the same
places, and mean one lesion. A region that nowhere was drawn on neighbouring slices is filled
in between those that lie one above the other. Where it was, a slice without anything may as
well be where one lesion ends and the next begins, so it is left open, and that is said.
Contours are of one region; a mask may hold many lesions, of which two of one slice each may
lie above each other. It is filled in only where three planes follow each other evenly, and a
gap is said where both parts are of one slice alone.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, label

from lesionmatch.dicom.drawn.content import FromFile
from lesionmatch.image import Mask
from lesionmatch.segments import Segment
from lesionmatch.wording import number_of, was_or_were

Plane = NDArray[np.bool_]


def filled(mask: Mask, most_mm: float) -> tuple[Mask, int, int]:
    """A region of one plane a contour with what lies between those at most so far apart; how many
    planes were filled in, and how many gaps between parts one above the other are left open."""
    if mask.is_empty:
        return mask, 0, 0
    array = mask.array.copy()
    drawn = array[mask.box()]
    most = int(most_mm / mask.grid.spacing_mm[0])
    planes = _fill(drawn, _step(drawn, most))
    return Mask(mask.grid, array), planes, _open_gaps(drawn, most)


def completed(file: FromFile, most_mm: float) -> FromFile:
    """What a file of masks has drawn, filled in between slices, with notes on what was."""
    found = [_completed(segment, most_mm) for segment in file.segments]
    segments = tuple(segment for segment, _ in found)
    notes = tuple(note for _, own in found for note in own)
    return replace(file, segments=segments, notes=(*file.notes, *notes))


def _completed(segment: Segment, most_mm: float) -> tuple[Segment, list[str]]:
    mask = segment.mask
    # A file may have its axes in any order; a reader draws across the thickest slices.
    axis = int(np.argmax(np.round(mask.grid.spacing_mm, 3)))
    most = int(most_mm / mask.grid.spacing_mm[axis])
    array = mask.array.copy()
    drawn = np.moveaxis(array, axis, 0)
    step = _step(drawn, most)
    if step > 1 and (drawn[: -2 * step] & drawn[step:-step] & drawn[2 * step :]).any():
        planes = _fill(drawn, step)
        whole = replace(segment, mask=Mask(mask.grid, array))
        return whole, [f"{segment.source}: {planes} slices between those drawn were filled in"]
    gaps = _single_gaps(drawn, most)
    said = f"{number_of(gaps, 'gap')} between single slices one above the other"
    return segment, [f"{segment.source}: {said} {was_or_were(gaps)} left open"] if gaps else []


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


def _single_gaps(array: NDArray[np.bool_], most: int) -> int:
    """The same of parts of one plane alone, of which a mask may hold thousands."""
    labels, count = label(array, np.ones((3, 3, 3)))
    boxes = find_objects(labels)
    is_single = np.array([False, *(box[0].stop - box[0].start == 1 for box in boxes)])
    single = np.where(is_single[labels], labels, 0)
    pairs = set()
    for n in range(2, min(most, len(array) - 1) + 1):
        low, high = single[:-n], single[n:]
        both = (low > 0) & (high > 0)
        pairs |= set(np.unique(low[both] * np.int64(count + 1) + high[both]).tolist())
    return len(pairs)

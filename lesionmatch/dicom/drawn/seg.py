"""DICOM Segmentation: what its segments are called and which pixels belong to each.

Frames may be sparse, cropped, in any order, overlapping, binary, fractional or a label map,
and compressed. Where they lie is a matter of `seg_frames`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lesionmatch.dicom.drawn.content import FromFile, is_about_lesions
from lesionmatch.dicom.drawn.seg_frames import Drawn, SegFrame, frames_of, mask_of
from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.values import items, number, text
from lesionmatch.dicom.pixels.volume import stored
from lesionmatch.dicom.series.classify import LABELMAP_SEG
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.protocol import Protocol
from lesionmatch.segments import Code, Segment, meaning_of
from lesionmatch.wording import enumerated

BACKGROUND = 0
"""The number of no segment, in a label map alone."""

ELEMENT_HEAD = 12
"""Bytes of a pixel data element that holds nothing."""


@dataclass(frozen=True, slots=True)
class Description:
    """What the file says about a segment."""

    number: int
    label: str
    codes: tuple[Code, ...]


def read_seg(
    instance: Instance, frame: Frame, grids: Sequence[Grid], protocol: Protocol, what: str
) -> FromFile:
    """The segments of a SEG file that hold a voxel, and notes on the others.

    `frame` is the frame of reference it is drawn in. `grids` are those of the images at hand;
    they tell the distance of slices. Raises `InvalidInput` where frames have no place or do not
    lie on one grid.
    """
    dataset = instance.dataset
    described = descriptions(dataset)
    meanings = [meaning_of(one.label, one.codes) for one in described]
    about = is_about_lesions(meanings)
    if _has_no_frame(instance):
        return FromFile((), (f"{what} holds no frame: nothing was drawn",), about)
    frames = frames_of(dataset, what)
    pixels = stored(instance, protocol.input, what)
    _require_described(_numbers_drawn(dataset, frames, pixels), described, what)
    near = [grid for grid in grids if grid.frame == frame]
    segments, empty = [], []
    for description, meaning in zip(described, meanings, strict=True):
        drawn = _drawn(frames, pixels, description.number, dataset, what)
        if drawn:
            mask = mask_of(drawn, frames, near, frame, protocol, what)
            source = f"SEG segment {description.number}"
            segments.append(Segment(description.label, meaning, mask, source))
        else:
            empty.append(str(description.number))
    return FromFile(tuple(segments), _said_of_empty(empty, what), about)


def _has_no_frame(instance: Instance) -> bool:
    """Whether nothing tells of a frame; a count that was lost makes no lesion vanish."""
    dataset = instance.dataset
    told = number(dataset, "NumberOfFrames") or items(dataset, "PerFrameFunctionalGroupsSequence")
    return not told and instance.size <= instance.pixel_offset + ELEMENT_HEAD


def _said_of_empty(numbers: Sequence[str], what: str) -> tuple[str, ...]:
    """That the segments of these numbers hold no voxel, as one note or none."""
    if len(numbers) < 2:
        return tuple(f"{what} segment {number} is empty" for number in numbers)
    return (f"{what} segments {enumerated(numbers)} are empty",)


def descriptions(dataset: Dataset) -> tuple[Description, ...]:
    """The segments of a SEG file, background left out."""
    found = []
    for item in items(dataset, "SegmentSequence"):
        codes = [
            Code(text(code, "CodingSchemeDesignator"), text(code, "CodeValue"))
            for keyword in (
                "SegmentedPropertyTypeCodeSequence",
                "SegmentedPropertyCategoryCodeSequence",
            )
            for code in items(item, keyword)
        ]
        found.append(
            Description(
                int(number(item, "SegmentNumber") or 0), text(item, "SegmentLabel"), tuple(codes)
            )
        )
    is_map = text(dataset, "SOPClassUID") == LABELMAP_SEG
    return tuple(item for item in found if not (is_map and item.number == 0))


def _numbers_drawn(
    dataset: Dataset, frames: Sequence[SegFrame], pixels: NDArray[np.generic]
) -> set[int]:
    """The numbers of the segments that frames or, in a label map, pixels belong to."""
    if text(dataset, "SOPClassUID") == LABELMAP_SEG:
        return {int(value) for value in np.unique(pixels)} - {BACKGROUND}
    return {frame.number for frame in frames}


def _require_described(drawn: set[int], described: Sequence[Description], what: str) -> None:
    """Raise `InvalidInput` where something is drawn of no segment, or a number is of several."""
    known = [one.number for one in described]
    strange = drawn - set(known)
    if strange or len(set(known)) < len(known):
        raise InvalidInput(
            f"{what}: wanted all that is drawn to belong to one of the segments {sorted(known)}, "
            f"got {sorted(strange) or 'a number twice'}; export it again"
        )


def _threshold(dataset: Dataset, what: str) -> float:
    """The least stored value that belongs to a segment; a fraction counts from one half.

    Raises `InvalidInput` where stored numbers may be fractions of nobody knows what.
    """
    kind = text(dataset, "SegmentationType").upper()
    if kind == "BINARY" or number(dataset, "BitsAllocated") == 1:
        return 1.0
    most = number(dataset, "MaximumFractionalValue")
    if kind != "FRACTIONAL" or not most:
        raise InvalidInput(
            f"{what}: wanted SegmentationType and MaximumFractionalValue of its numbers, "
            f"got {kind or 'none'} and {most or 'none'}; export it again"
        )
    return 0.5 * most


def _drawn(
    frames: Sequence[SegFrame],
    pixels: NDArray[np.generic],
    segment: int,
    dataset: Dataset,
    what: str,
) -> Drawn:
    """The frames in which a segment has pixels, and these pixels. Raises `InvalidInput`."""
    is_map = text(dataset, "SOPClassUID") == LABELMAP_SEG
    threshold = 1.0 if is_map else _threshold(dataset, what)
    found = []
    for frame in frames:
        if not is_map and frame.number != segment:
            continue
        inside = pixels[frame.index] == segment if is_map else pixels[frame.index] >= threshold
        if inside.any():
            found.append((frame, np.asarray(inside, np.bool_)))
    return found

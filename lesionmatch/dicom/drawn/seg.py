"""DICOM Segmentation: each frame put where its own position says, never by frame order.

Frames may be sparse, cropped, in any order, overlapping, binary, fractional or a label map,
and compressed. The distance of slices is not in every file. Where it is not, it is that of the
images the frames lie on where those are at hand, else their thickness, else the smallest gap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lesionmatch.dicom.drawn.content import FromFile, is_about_lesions
from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.sources import MEGABYTE
from lesionmatch.dicom.files.values import items, number, numbers, text, words
from lesionmatch.dicom.pixels.volume import stored
from lesionmatch.dicom.series.classify import LABELMAP_SEG
from lesionmatch.dicom.series.plane import pixel_shape
from lesionmatch.dicom.series.rounded import units_mm
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Mask
from lesionmatch.protocol import InputLimits, Protocol
from lesionmatch.segments import Code, Segment, meaning_of
from lesionmatch.wording import enumerated

BACKGROUND = 0
"""The number of no segment, in a label map alone."""
ON_GRID_TOL = 0.05
"""Frames may lie this fraction of a voxel off the grid they share, or as far as the rounding of
their positions moves them."""
MOST_OFF = 0.25
"""No rounding excuses more than this fraction: it is no longer clear which voxel is meant."""
UNIT_TOL = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class SegFrame:
    """Where one frame lies and to which segment it belongs."""

    index: int
    number: int
    """Of the segment; 0 in a label map, whose pixels are the numbers."""
    position_mm: NDArray[np.float64]
    written: tuple[str, ...]
    """The position as the file has it."""
    axes: NDArray[np.float64]
    """(2, 3): along which the column, then the row index grows."""
    spacing_mm: tuple[float, float]
    distance_mm: float | None
    """Of slices as the file says, or None."""
    thickness_mm: float | None
    """Of a slice as the file says, or None; slices may overlap or lie apart."""


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
    they tell the distance of slices. Raises
    `InvalidInput` where frames have no place or do not lie on one grid.
    """
    dataset = instance.dataset
    described = descriptions(dataset)
    meanings = [meaning_of(one.label, one.codes) for one in described]
    about = is_about_lesions(meanings)
    if int(number(dataset, "NumberOfFrames") or 0) == 0:
        return FromFile((), (f"{what} holds no frame: nothing was drawn",), about)
    frames = _frames(dataset, what)
    pixels = stored(instance, protocol.input, what)
    _require_described(_numbers_drawn(dataset, frames, pixels), described, what)
    near = [grid for grid in grids if grid.frame == frame]
    threshold = _threshold(dataset)
    segments, empty = [], []
    for description, meaning in zip(described, meanings, strict=True):
        mine = _drawn(frames, pixels, description.number, dataset, threshold)
        if not mine:
            empty.append(str(description.number))
            continue
        mask = _mask(mine, frames, pixel_shape(dataset), near, frame, protocol, what)
        segments.append(
            Segment(
                label=description.label,
                meaning=meaning,
                mask=mask,
                source=f"SEG segment {description.number}",
            )
        )
    return FromFile(tuple(segments), _said_of_empty(empty, what), about)


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


def _threshold(dataset: Dataset) -> float:
    """The least stored value that belongs to a segment; a fraction counts from one half."""
    if text(dataset, "SegmentationType").upper() != "FRACTIONAL":
        return 1.0
    return 0.5 * (number(dataset, "MaximumFractionalValue") or 255.0)


def _frames(dataset: Dataset, what: str) -> tuple[SegFrame, ...]:
    shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    count = int(number(dataset, "NumberOfFrames") or 0)
    if len(own) != count:
        raise InvalidInput(
            f"{what}: wanted the place of each of {count} frames, got {len(own)}; export it again"
        )
    is_map = text(dataset, "SOPClassUID") == LABELMAP_SEG
    return tuple(_frame(index, (item, *shared), is_map, what) for index, item in enumerate(own))


def _group(groups: Iterable[Dataset], keyword: str) -> Dataset:
    return next((item for group in groups for item in items(group, keyword)[:1]), Dataset())


def _frame(index: int, groups: tuple[Dataset, ...], is_map: bool, what: str) -> SegFrame:
    position = numbers(_group(groups, "PlanePositionSequence"), "ImagePositionPatient")
    axes = numbers(_group(groups, "PlaneOrientationSequence"), "ImageOrientationPatient")
    measures = _group(groups, "PixelMeasuresSequence")
    spacing = numbers(measures, "PixelSpacing")
    if position is None or axes is None or spacing is None:
        raise InvalidInput(
            f"{what}: wanted position, orientation and spacing of frame {index + 1}, got none; "
            "export it again"
        )
    if (len(position), len(axes), len(spacing)) != (3, 6, 2) or min(spacing) <= 0:
        raise InvalidInput(f"{what}: wanted a place for frame {index + 1}, got a malformed one")
    directions = np.array(axes).reshape(2, 3)
    if np.abs(directions @ directions.T - np.eye(2)).max() > UNIT_TOL:
        raise InvalidInput(f"{what}: wanted unit vectors in frame {index + 1}, got {axes}")
    identified = _group(groups, "SegmentIdentificationSequence")
    segment = 0 if is_map else int(number(identified, "ReferencedSegmentNumber") or 0)
    distance, thickness = (
        number(measures, name) for name in ("SpacingBetweenSlices", "SliceThickness")
    )
    return SegFrame(
        index=index,
        number=segment,
        position_mm=np.array(position),
        written=words(_group(groups, "PlanePositionSequence"), "ImagePositionPatient"),
        axes=directions,
        spacing_mm=(spacing[0], spacing[1]),
        distance_mm=abs(distance) if distance else None,
        thickness_mm=thickness or None,
    )


Drawn = list[tuple[SegFrame, NDArray[np.bool_]]]


def _drawn(
    frames: Sequence[SegFrame],
    pixels: NDArray[np.generic],
    segment: int,
    dataset: Dataset,
    threshold: float,
) -> Drawn:
    """The frames in which a segment has pixels, and these pixels."""
    is_map = text(dataset, "SOPClassUID") == LABELMAP_SEG
    found = []
    for frame in frames:
        if not is_map and frame.number != segment:
            continue
        inside = pixels[frame.index] == segment if is_map else pixels[frame.index] >= threshold
        if inside.any():
            found.append((frame, np.asarray(inside, np.bool_)))
    return found


def _mask(
    drawn: Drawn,
    frames: Sequence[SegFrame],
    shape: tuple[int, int],
    grids: Sequence[Grid],
    frame: Frame,
    protocol: Protocol,
    what: str,
) -> Mask:
    """The pixels of a segment on the smallest grid that holds its frames."""
    first = drawn[0][0]
    normal = np.cross(first.axes[0], first.axes[1])
    units = units_mm([one.written for one in frames], protocol.series.coarsest_position_mm)
    depth = slice_distance_mm(frames, normal, grids, units)
    matrix = np.eye(4)
    matrix[:3, 0] = normal * depth
    matrix[:3, 1] = first.axes[1] * first.spacing_mm[0]
    matrix[:3, 2] = first.axes[0] * first.spacing_mm[1]
    matrix[:3, 3] = first.position_mm
    corners = [_corner(one, matrix, first, units, what) for one, _ in drawn]
    low = np.min(corners, axis=0)
    size = np.max(corners, axis=0) - low + (1, *shape)
    matrix[:3, 3] += matrix[:3, :3] @ low
    array = _placed(drawn, np.array(corners) - low, shape, size, protocol.input, what)
    return Mask(Grid(frame, (size[0], size[1], size[2]), matrix), array).trimmed()


def _placed(
    drawn: Drawn,
    corners: NDArray[np.int_],
    shape: tuple[int, int],
    size: NDArray[np.int_],
    limits: InputLimits,
    what: str,
) -> NDArray[np.bool_]:
    """The frames' pixels in one array of `size`. Raises `InvalidInput` beyond the limits."""
    size_mb = float(np.prod(size, dtype=np.float64)) / MEGABYTE
    if size_mb > limits.volume_mb:
        raise InvalidInput(
            f"{what}: wanted frames within {limits.volume_mb:.0f} MB of voxels, got some so far "
            f"apart that {size_mb:.0f} MB lie between; export it again"
        )
    array = np.zeros(size, np.bool_)
    for (z, y, x), (_, inside) in zip(corners, drawn, strict=True):
        array[z, y : y + shape[0], x : x + shape[1]] |= inside
    return array


def _corner(
    frame: SegFrame,
    matrix: NDArray[np.float64],
    first: SegFrame,
    units: NDArray[np.float64],
    what: str,
) -> NDArray[np.int_]:
    """The first voxel of a frame on the grid of the first one. Raises `InvalidInput` off it."""
    exact = np.linalg.solve(matrix[:3, :3], frame.position_mm - matrix[:3, 3])
    whole = np.rint(exact).astype(int)
    turned = np.abs(frame.axes - first.axes).max() > UNIT_TOL
    sizes = np.linalg.norm(matrix[:3, :3], axis=0)
    axes = matrix[:3, :3].T / sizes[:, None]
    most = [_off(axis, units, size) for axis, size in zip(axes, sizes, strict=True)]
    if turned or (np.abs(exact - whole) > most).any() or frame.spacing_mm != first.spacing_mm:
        raise InvalidInput(
            f"{what}: wanted frames of one grid, got frame {frame.index + 1} off it by "
            f"{np.abs(exact - whole).max():.2f} voxels; export one segmentation a series"
        )
    return np.asarray(whole)


def _off(axis: NDArray[np.float64], units: NDArray[np.float64], size_mm: float) -> float:
    """How far off a position may be along an axis, in voxels of this size: two that were rounded
    differ by up to a unit from what they were."""
    rounded = float(np.abs(axis) @ units) / size_mm
    return max(ON_GRID_TOL, min(rounded, MOST_OFF))


def slice_distance_mm(
    frames: Sequence[SegFrame],
    normal: NDArray[np.float64],
    grids: Sequence[Grid],
    units: NDArray[np.float64],
) -> float:
    """How far slices lie apart: of several answers, the first that all frames fit, and where none
    does, the first that they fit but for their rounding."""
    places = np.unique(np.round([frame.position_mm @ normal for frame in frames], 3))
    gaps = np.diff(places)
    gaps = gaps[gaps > 0.01]
    near = [
        _distance_along(grid, normal) for grid in grids if _lies_on(grid, frames[0], normal, units)
    ]
    options = [
        *sorted({frame.distance_mm for frame in frames if frame.distance_mm}),
        *near,
        *sorted({frame.thickness_mm for frame in frames if frame.thickness_mm}),
        *([float(gaps.min())] if len(gaps) else []),
    ]
    for excuses in (0.0 * units, units):
        for option in options:
            steps = gaps / option
            most = _off(normal, excuses, option)
            if (np.abs(steps - np.rint(steps)) < most).all() and (steps > 0.5).all():
                return option
    return options[0] if options else 1.0


def _distance_along(grid: Grid, normal: NDArray[np.float64]) -> float:
    return float(abs(grid.world_from_voxel[:3, 0] @ normal))


def _lies_on(
    grid: Grid, frame: SegFrame, normal: NDArray[np.float64], units: NDArray[np.float64]
) -> bool:
    """Whether a frame lies on one of the slices of a grid."""
    if abs(abs(grid.directions[:, 0] @ normal) - 1.0) > UNIT_TOL:
        return False
    along = float(grid.voxels(frame.position_mm)[0])
    return abs(along - round(along)) <= _off(normal, units, _distance_along(grid, normal))

"""Where the frames of a SEG lie, and the grid they share.

Each frame is put where its own position says, never by frame order. The distance of slices is
not in every file. Where it is not, it is that of the images the frames lie on where those are
at hand, else their thickness, else the smallest gap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lesionmatch.dicom.files.sources import MEGABYTE
from lesionmatch.dicom.files.values import items, number, numbers, text, words
from lesionmatch.dicom.series.classify import LABELMAP_SEG
from lesionmatch.dicom.series.rounded import units_mm
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Mask
from lesionmatch.protocol import InputLimits, Protocol

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


Drawn = Sequence[tuple[SegFrame, NDArray[np.bool_]]]
"""Frames of one segment, each with the pixels (rows, columns) that belong to it."""


def frames_of(dataset: Dataset, what: str) -> tuple[SegFrame, ...]:
    """The frames of a SEG. Raises `InvalidInput` where one has no place."""
    shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    count = int(number(dataset, "NumberOfFrames") or 0)
    if not own or len(own) != count:
        raise InvalidInput(
            f"{what}: wanted the place of each of {count} frames, got {len(own)}; export it again"
        )
    is_map = text(dataset, "SOPClassUID") == LABELMAP_SEG
    return tuple(_frame(index, (item, *shared), is_map, what) for index, item in enumerate(own))


def _group(groups: Iterable[Dataset], keyword: str) -> Dataset:
    return next((item for group in groups for item in items(group, keyword)[:1]), Dataset())


def _frame(index: int, groups: tuple[Dataset, ...], is_map: bool, what: str) -> SegFrame:
    position, axes, spacing = _place(index, groups, what)
    measures = _group(groups, "PixelMeasuresSequence")
    identified = _group(groups, "SegmentIdentificationSequence")
    segment = 0 if is_map else int(number(identified, "ReferencedSegmentNumber") or 0)
    distance, thickness = (
        number(measures, name) for name in ("SpacingBetweenSlices", "SliceThickness")
    )
    return SegFrame(
        index=index,
        number=segment,
        position_mm=position,
        written=words(_group(groups, "PlanePositionSequence"), "ImagePositionPatient"),
        axes=axes,
        spacing_mm=spacing,
        distance_mm=abs(distance) if distance else None,
        thickness_mm=thickness or None,
    )


def _place(
    index: int, groups: tuple[Dataset, ...], what: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float]]:
    """(3,) position, (2, 3) axes and the spacing of a frame. Raises `InvalidInput`."""
    position = numbers(_group(groups, "PlanePositionSequence"), "ImagePositionPatient")
    axes = numbers(_group(groups, "PlaneOrientationSequence"), "ImageOrientationPatient")
    spacing = numbers(_group(groups, "PixelMeasuresSequence"), "PixelSpacing")
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
    return np.array(position), directions, (spacing[0], spacing[1])


def mask_of(
    drawn: Drawn,
    frames: Sequence[SegFrame],
    grids: Sequence[Grid],
    frame: Frame,
    protocol: Protocol,
    what: str,
) -> Mask:
    """The pixels of a segment on the smallest grid in `frame` that holds its frames.

    `frames` are all of the file and `grids` those of the images at hand, which tell the distance
    of slices. Raises `InvalidInput` where frames do not lie on one grid, or too far apart.
    """
    first, shape = drawn[0][0], drawn[0][1].shape
    normal = np.cross(first.axes[0], first.axes[1])
    units = units_mm([one.written for one in frames], protocol.series.coarsest_position_mm)
    grid = Grid.of(
        frame,
        (1, *shape),
        origin_mm=first.position_mm,
        spacing_mm=(slice_distance_mm(frames, normal, grids, units), *first.spacing_mm),
        directions=np.column_stack([normal, first.axes[1], first.axes[0]]),
    )
    corners = [_corner(one, grid, first, units, what) for one, _ in drawn]
    low = np.min(corners, axis=0)
    size = np.max(corners, axis=0) - low + (1, *shape)
    array = _placed(drawn, np.array(corners) - low, size, protocol.input, what)
    matrix = grid.world_from_voxel.copy()
    matrix[:3, 3] = grid.world(low)
    return Mask(Grid(frame, (size[0], size[1], size[2]), matrix), array).trimmed()


def _placed(
    drawn: Drawn,
    corners: NDArray[np.int_],
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
        rows, columns = inside.shape
        array[z, y : y + rows, x : x + columns] |= inside
    return array


def _corner(
    frame: SegFrame,
    grid: Grid,
    first: SegFrame,
    units: NDArray[np.float64],
    what: str,
) -> NDArray[np.int_]:
    """The first voxel of a frame on the grid of the first one. Raises `InvalidInput` off it."""
    exact = grid.voxels(frame.position_mm)
    whole = np.rint(exact).astype(int)
    turned = np.abs(frame.axes - first.axes).max() > UNIT_TOL
    sizes = zip(grid.directions.T, grid.spacing_mm, strict=True)
    most = [_off(axis, units, size) for axis, size in sizes]
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

"""Where voxels are, and how points move between frames of reference.

Points are DICOM patient coordinates: (x, y, z), LPS+, millimetres, relative to one
Frame of Reference. Voxel indices are (slice, row, column); an integer index is a
voxel's centre. A matrix ``b_from_a`` maps points of ``a`` to points of ``b``, so
products read by adjacency: ``c_from_b @ b_from_a``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NewType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesionmatch.errors import FrameMismatch, InvalidGeometry

Frame = NewType("Frame", str)
"""A Frame of Reference UID, or a name for a frame that has none."""

Points = NDArray[np.float64]
"""(N, 3) points, (x, y, z) in LPS millimetres; or (N, 3) voxel indices where so named."""

LAST_ROW = (0.0, 0.0, 0.0, 1.0)

SAME_PLACE_TOL_MM = 0.01
"""Grids whose corners agree this well are the same: DICOM writes positions as decimal
strings of 16 characters, and two writers of one geometry differ by far less than this."""

LARGEST_CONDITION = 1e9
"""Of a matrix that can be inverted: beyond it rounding alone moves a point a metre away by
more than a thousandth of a millimetre on the way there and back."""


def _affine(matrix: ArrayLike, what: str) -> NDArray[np.float64]:
    """A read-only (4, 4) copy. Raises `InvalidGeometry` unless finite, affine and invertible."""
    copy = np.array(matrix, dtype=np.float64)
    if copy.shape != (4, 4) or not np.array_equal(copy[3], LAST_ROW):
        raise InvalidGeometry(f"{what}: wanted (4, 4) ending {LAST_ROW}, got {copy.tolist()}")
    if not np.isfinite(copy).all() or not np.linalg.cond(copy[:3, :3]) <= LARGEST_CONDITION:
        raise InvalidGeometry(f"{what}: wanted finite and invertible, got {copy.tolist()}")
    copy.setflags(write=False)
    return copy


def _apply(matrix: NDArray[np.float64], points: ArrayLike) -> Points:
    return np.asarray(points, dtype=np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """An invertible affine map of the points of `source` onto `target`."""

    target: Frame
    source: Frame
    matrix: NDArray[np.float64]
    """(4, 4) target_from_source, millimetres to millimetres; read-only."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", _affine(self.matrix, "affine map"))

    def __matmul__(self, first: "Transform") -> "Transform":
        """`first`, then this. Raises `FrameMismatch` unless they meet."""
        if first.target != self.source:
            raise FrameMismatch("composing transforms", self.source, first.target)
        return Transform(self.target, first.source, self.matrix @ first.matrix)

    @property
    def inverse(self) -> "Transform":
        """The map of `target` back onto `source`."""
        return Transform(self.source, self.target, _inverse(self.matrix))

    def apply(self, points_mm: ArrayLike) -> Points:
        """Map points, shape (N, 3), to shape (N, 3)."""
        return _apply(self.matrix, points_mm)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where the voxels of an image lie: a shape and a place in one frame of reference."""

    frame: Frame
    shape: tuple[int, int, int]
    """(slices, rows, columns), each at least 1."""
    world_from_voxel: NDArray[np.float64]
    """(4, 4): maps (slice, row, column, 1) to (x, y, z, 1), LPS millimetres; read-only."""

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise InvalidGeometry(f"grid: wanted 3 sizes of at least 1, got {self.shape}")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "world_from_voxel", _affine(self.world_from_voxel, "grid"))

    @classmethod
    def of(
        cls,
        frame: Frame,
        shape: Sequence[int],
        *,
        origin_mm: ArrayLike = (0.0, 0.0, 0.0),
        spacing_mm: ArrayLike = (1.0, 1.0, 1.0),
        directions: ArrayLike | None = None,
    ) -> "Grid":
        """A grid from the centre of voxel (0, 0, 0) and the spacing of (slice, row, column).

        `directions`, (3, 3), has as columns the unit vectors along which the slice, row
        and column index grow. By default these are z, y and x: axial slices from foot to
        head, rows from front to back, columns from the patient's right to left.
        """
        axes = np.eye(3)[:, ::-1] if directions is None else np.asarray(directions, np.float64)
        matrix = np.eye(4)
        matrix[:3, :3] = axes * np.asarray(spacing_mm, np.float64)
        matrix[:3, 3] = origin_mm
        return cls(frame, (int(shape[0]), int(shape[1]), int(shape[2])), matrix)

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """(3,) distance between neighbours along slice, row and column."""
        return np.asarray(np.linalg.norm(self.world_from_voxel[:3, :3], axis=0))

    @property
    def directions(self) -> NDArray[np.float64]:
        """(3, 3); columns are the unit vectors along slice, row and column."""
        return np.asarray(self.world_from_voxel[:3, :3] / self.spacing_mm)

    @property
    def origin_mm(self) -> NDArray[np.float64]:
        """(3,) centre of voxel (0, 0, 0)."""
        return self.world_from_voxel[:3, 3]

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return float(abs(np.linalg.det(self.world_from_voxel[:3, :3])) / 1000.0)

    @property
    def centre_mm(self) -> NDArray[np.float64]:
        """(3,) middle of the grid."""
        return np.asarray(self.world((np.array(self.shape) - 1.0) / 2.0))

    def world(self, voxels: ArrayLike) -> Points:
        """Points of voxel indices (…, 3), which may be fractional."""
        return _apply(self.world_from_voxel, voxels)

    def voxels(self, points_mm: ArrayLike) -> Points:
        """Fractional voxel indices (…, 3) of points."""
        return _apply(_inverse(self.world_from_voxel), points_mm)

    def contains(self, points_mm: ArrayLike) -> NDArray[np.bool_]:
        """Which points lie in a voxel of the grid, half a voxel beyond the outer centres."""
        voxels = self.voxels(points_mm)
        return np.asarray(((voxels >= -0.5) & (voxels <= np.array(self.shape) - 0.5)).all(-1))

    def corners_mm(self) -> Points:
        """(8, 3) centres of the corner voxels."""
        last = np.array(self.shape) - 1
        return self.world(np.indices((2, 2, 2)).reshape(3, 8).T * last)

    def matches(self, other: "Grid", tol_mm: float = SAME_PLACE_TOL_MM) -> bool:
        """Whether both have the same frame, shape and, within `tol_mm`, the same corners."""
        return (
            self.frame == other.frame
            and self.shape == other.shape
            and bool(np.abs(self.corners_mm() - other.corners_mm()).max() <= tol_mm)
        )

    def crop(self, box: tuple[slice, slice, slice]) -> "Grid":
        """The part of the grid in `box` (slices with a start and a stop, within the shape)."""
        start = np.array([s.start for s in box], np.float64)
        matrix = self.world_from_voxel.copy()
        matrix[:3, 3] = self.world(start)
        return Grid(self.frame, (_length(box[0]), _length(box[1]), _length(box[2])), matrix)

    def box_around(self, points_mm: ArrayLike, margin_mm: float) -> tuple[slice, slice, slice]:
        """The voxels around `points_mm` with a margin, clipped to the grid.

        Raises `InvalidGeometry` where none of it lies on the grid.
        """
        voxels = self.voxels(points_mm).reshape(-1, 3)
        margin = margin_mm / self.spacing_mm
        low = np.maximum(np.floor(voxels.min(0) - margin), 0).astype(int)
        high = np.minimum(np.ceil(voxels.max(0) + margin) + 1, self.shape).astype(int)
        if (low >= high).any():
            raise InvalidGeometry("box: wanted points on the grid, got points beside it")
        return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))

    def with_spacing(self, spacing_mm: ArrayLike) -> "Grid":
        """A grid over the same extent and along the same axes, with other voxels."""
        spacing = np.broadcast_to(np.asarray(spacing_mm, np.float64), 3)
        extent_mm = np.array(self.shape) * self.spacing_mm
        shape = np.maximum(np.ceil(extent_mm / spacing - 1e-6), 1).astype(int)
        first = self.world((spacing / self.spacing_mm - 1.0) / 2.0)
        return Grid.of(
            self.frame,
            tuple(int(n) for n in shape),
            origin_mm=first,
            spacing_mm=spacing,
            directions=self.directions,
        )


def _length(part: slice) -> int:
    return int(part.stop) - int(part.start)


def require_same_frame(where: str, wanted: Frame, got: Frame) -> None:
    """Raise `FrameMismatch` unless both are one frame of reference."""
    if wanted != got:
        raise FrameMismatch(where, wanted, got)


def at_once(
    of: Callable[[Points], NDArray[np.float64]], groups: Sequence[Points]
) -> list[NDArray[np.float64]]:
    """What `of` gives for the points of each group, asked once for all of them.

    For functions whose cost is more in the call than in the points.
    """
    if not groups:
        return []
    ends = np.cumsum([len(points) for points in groups])[:-1]
    return np.split(of(np.concatenate(groups)), ends)

"""Voxels with their place and their meaning: `Image`, `Mask` and `LabelMap`.

Arrays are (slices, rows, columns) on a `Grid` and read-only. Whoever needs another
array makes a new value, so an image that was handed on never changes behind its owner.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import InvalidGeometry, WrongQuantity
from lesionmatch.geometry import Frame, Grid, Points


class Quantity(Enum):
    """What the voxels of an image measure."""

    BQ_PER_ML = "Bq/ml"
    SUV_BW = "g/ml{SUVbw}"
    SUV_OTHER = "SUV by another body size than weight"
    HOUNSFIELD = "HU"
    ARBITRARY = "arbitrary units"


def _read_only(array: NDArray[np.generic], grid: Grid, what: str) -> None:
    if array.shape != grid.shape:
        raise InvalidGeometry(f"{what}: wanted an array of shape {grid.shape}, got {array.shape}")
    array.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Numbers on a grid that measure one quantity."""

    grid: Grid
    array: NDArray[np.float32]
    quantity: Quantity

    def __post_init__(self) -> None:
        array = np.ascontiguousarray(self.array, dtype=np.float32).view()
        _read_only(array, self.grid, "image")
        object.__setattr__(self, "array", array)

    @property
    def frame(self) -> Frame:
        """The frame of reference of the grid."""
        return self.grid.frame

    def require(self, quantity: Quantity) -> "Image":
        """This image. Raises `WrongQuantity` unless it measures `quantity`."""
        if self.quantity is not quantity:
            raise WrongQuantity(f"image: wanted {quantity.value}, got {self.quantity.value}")
        return self

    def crop(self, box: tuple[slice, slice, slice]) -> "Image":
        """The part in `box`."""
        return Image(self.grid.crop(box), self.array[box], self.quantity)


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A region: which voxels of a grid belong to it."""

    grid: Grid
    array: NDArray[np.bool_]

    def __post_init__(self) -> None:
        array = np.ascontiguousarray(self.array, dtype=np.bool_).view()
        _read_only(array, self.grid, "mask")
        object.__setattr__(self, "array", array)

    @property
    def frame(self) -> Frame:
        """The frame of reference of the grid."""
        return self.grid.frame

    @property
    def is_empty(self) -> bool:
        """Whether no voxel belongs to it."""
        return not self.array.any()

    @property
    def volume_ml(self) -> float:
        """Volume of its voxels."""
        return float(np.count_nonzero(self.array) * self.grid.voxel_ml)

    def points_mm(self) -> Points:
        """(N, 3) centres of its voxels."""
        return self.grid.world(np.argwhere(self.array))

    def holds(self, points_mm: Points) -> NDArray[np.bool_]:
        """(N,) which of the points, (N, 3), lie in a voxel that belongs to it."""
        found = self.grid.contains(points_mm)
        # A point on the outer border rounds to a voxel beyond.
        voxels = np.rint(self.grid.voxels(points_mm[found])).astype(int)
        voxels = voxels.clip(0, np.array(self.grid.shape) - 1)
        found[found] = self.array[tuple(voxels.T)]
        return found

    def crop(self, box: tuple[slice, slice, slice]) -> "Mask":
        """The part in `box`."""
        return Mask(self.grid.crop(box), self.array[box])

    def trimmed(self, margin_mm: float = 0.0) -> "Mask":
        """The same region on the smallest part of the grid that holds it, with a margin.

        Raises `InvalidGeometry` for an empty mask, which has no place.
        """
        return self.crop(self.box(margin_mm))

    def box(self, margin_mm: float = 0.0) -> tuple[slice, slice, slice]:
        """The smallest part of the grid that holds it, with a margin.

        Raises `InvalidGeometry` for an empty mask, which has no place.
        """
        if self.is_empty:
            raise InvalidGeometry("trimming a mask: wanted a voxel that belongs to it, got none")
        filled = (np.flatnonzero(self.array.any(tuple({0, 1, 2} - {axis}))) for axis in range(3))
        ends = np.array([(n[0], n[-1]) for n in filled])
        return self.grid.box_around(self.grid.world(ends.T), margin_mm)

    def on(self, grid: Grid) -> "Mask":
        """This cropped region put back on `grid`, of which its own grid is a part.

        Raises `InvalidGeometry` unless the voxels of both coincide.
        """
        return union(grid, [self])

    def box_in(self, grid: Grid) -> tuple[slice, slice, slice]:
        """The part of `grid` that its own grid is.

        Raises `InvalidGeometry` unless the voxels of both coincide.
        """
        start = np.rint(grid.voxels(self.grid.origin_mm)).astype(int)
        stop = start + np.array(self.grid.shape)
        box = (slice(start[0], stop[0]), slice(start[1], stop[1]), slice(start[2], stop[2]))
        inside = bool((start >= 0).all() and (stop <= np.array(grid.shape)).all())
        if not inside or not grid.crop(box).matches(self.grid):
            raise InvalidGeometry("mask: wanted a grid that holds its voxels, got another")
        return box


def union(grid: Grid, regions: Iterable[Mask]) -> Mask:
    """The voxels of `grid` that belong to any of the regions, which lie on parts of it.

    Raises `InvalidGeometry` for a region with other voxels.
    """
    array = np.zeros(grid.shape, np.bool_)
    for region in regions:
        array[region.box_in(grid)] |= region.array
    return Mask(grid, array)


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """Several regions that do not overlap: 0 is none, n the n-th."""

    grid: Grid
    array: NDArray[np.uint16]

    def __post_init__(self) -> None:
        array = np.ascontiguousarray(self.array, dtype=np.uint16).view()
        _read_only(array, self.grid, "label map")
        object.__setattr__(self, "array", array)

    @property
    def frame(self) -> Frame:
        """The frame of reference of the grid."""
        return self.grid.frame

    def mask(self, label: int) -> Mask:
        """The region of one label."""
        return Mask(self.grid, self.array == label)

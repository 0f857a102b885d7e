"""Volumes laid out for drawing, and planes cut through them at any resolution.

A `Volume` has its axes along z, y and x, indices growing towards head, back and left, so
that a plane is cut axis by axis instead of by a search for every pixel. Interpolation is
cubic convolution (Keys, IEEE Trans ASSP 1981;29:1153): exact at voxel centres, smooth
between them, and without the diamonds that linear interpolation draws.

The four voxels of each place are added in their order, never by a product of matrices: a
linear algebra library adds in an order that depends on its threads and on the processor,
and a picture would then differ in single grey levels from one run to the next.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid

Pixels = NDArray[np.float32]

AXES = (2, 1, 0)
"""The world axis (0: x, 1: y, 2: z) along which each of slice, row and column grows."""


class View(Enum):
    """The three planes: the world axis across them, and those along a picture's rows and columns.

    Pictures follow the radiologists' habit: the patient's right on the left of axial and
    coronal planes, front on the left of sagittal ones, the head up.
    """

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def across(self) -> int:
        """The world axis the plane stands on."""
        return {"axial": 2, "coronal": 1, "sagittal": 0}[self.value]

    @property
    def down(self) -> int:
        """The world axis along a picture's rows."""
        return 1 if self is View.AXIAL else 2

    @property
    def down_sign(self) -> int:
        """Whether that axis grows downwards (1) or upwards (-1) in the picture."""
        return 1 if self is View.AXIAL else -1

    @property
    def right(self) -> int:
        """The world axis along a picture's columns; it grows to the right."""
        return 1 if self is View.SAGITTAL else 0

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """What lies to the left, right, top and bottom of the picture."""
        return {"axial": "RLAP", "coronal": "RLHF", "sagittal": "APHF"}[self.value]  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A square picture's place: its view, its middle, its field and its pixels."""

    view: View
    centre_mm: NDArray[np.float64]
    """(3,) x, y, z of the middle of the picture."""
    field_mm: float
    pixels: int

    @property
    def pixel_mm(self) -> float:
        """Side of a pixel."""
        return self.field_mm / self.pixels

    def _offsets_mm(self) -> NDArray[np.float64]:
        return np.asarray((np.arange(self.pixels) + 0.5) * self.pixel_mm - self.field_mm / 2)

    def down_mm(self) -> NDArray[np.float64]:
        """World coordinate of each row of pixels."""
        view = self.view
        offsets = view.down_sign * self._offsets_mm()
        return np.asarray(self.centre_mm[view.down] + offsets, dtype=np.float64)

    def right_mm(self) -> NDArray[np.float64]:
        """World coordinate of each column of pixels."""
        return np.asarray(self.centre_mm[self.view.right] + self._offsets_mm())

    def pixel_of(self, point_mm: NDArray[np.float64]) -> tuple[float, float]:
        """(column, row) in pixels, from the picture's top left corner, of a point."""
        view, half = self.view, self.pixels / 2
        offset = (np.asarray(point_mm) - self.centre_mm) / self.pixel_mm
        return half + float(offset[view.right]), half + view.down_sign * float(offset[view.down])


@dataclass(frozen=True, eq=False)
class Volume:
    """Numbers on a grid along z, y and x."""

    array: NDArray[np.float32]
    first_mm: NDArray[np.float64]
    """(3,) x, y, z of the centre of voxel (0, 0, 0)."""
    spacing_mm: NDArray[np.float64]
    """(3,) along x, y, z."""

    @property
    def last_mm(self) -> NDArray[np.float64]:
        """(3,) x, y, z of the centre of the last voxel."""
        return np.asarray(self.first_mm + (np.array(self.array.shape[::-1]) - 1) * self.spacing_mm)

    @cached_property
    def centre_mm(self) -> NDArray[np.float64]:
        """(3,) the middle."""
        return np.asarray((self.first_mm + self.last_mm) / 2)

    def axis_mm(self, axis: int) -> NDArray[np.float64]:
        """World coordinates of the voxels' centres along a world axis (0: x, 1: y, 2: z)."""
        count = self.array.shape[2 - axis]
        return np.asarray(self.first_mm[axis] + np.arange(count) * self.spacing_mm[axis])

    def crop(self, low_mm: NDArray[np.float64], high_mm: NDArray[np.float64]) -> "Volume":
        """The part between two corners, clipped to the volume, at least a voxel wide."""
        last = np.array(self.array.shape[::-1]) - 1
        low = np.clip(np.floor((low_mm - self.first_mm) / self.spacing_mm), 0, last).astype(int)
        high = np.clip(np.ceil((high_mm - self.first_mm) / self.spacing_mm), low, last).astype(int)
        part = tuple(slice(a, b + 1) for a, b in zip(low[::-1], high[::-1], strict=True))
        return Volume(self.array[part], self.first_mm + low * self.spacing_mm, self.spacing_mm)

    def cut(self, plane: Plane, outside: float = np.nan) -> Pixels:
        """The plane through the volume, interpolated at the picture's own pixels."""
        return self._cut(plane, plane.down_mm(), plane.right_mm(), outside)

    def cut_where_it_lies(self, plane: Plane) -> tuple[Pixels, int, int]:
        """The part of the plane that holds the volume, and its first column and row."""
        view, low, high = plane.view, self.first_mm, self.last_mm
        down, right = plane.down_mm(), plane.right_mm()
        rows = np.flatnonzero((down >= low[view.down]) & (down <= high[view.down]))
        columns = np.flatnonzero((right >= low[view.right]) & (right <= high[view.right]))
        if not rows.size or not columns.size:
            return np.zeros((0, 0), np.float32), 0, 0
        values = self._cut(plane, down[rows], right[columns], outside=0.0)
        return values, int(columns[0]), int(rows[0])

    def _cut(
        self,
        plane: Plane,
        down_mm: NDArray[np.float64],
        right_mm: NDArray[np.float64],
        outside: float,
    ) -> Pixels:
        view = plane.view
        across = _taps(self, view.across, plane.centre_mm[view.across : view.across + 1])
        down, right = _taps(self, view.down, down_mm), _taps(self, view.right, right_mm)
        # Across first, on four slices: what is left is no larger than the picture.
        cut = across.along(self.array, 2 - view.across)
        cut = right.along(down.along(cut, 2 - view.down), 2 - view.right)
        is_inside = np.outer(down.is_inside, right.is_inside) & across.is_inside.any()
        # What is left of (z, y, x) keeps its order, that of rows and columns in every view.
        flat = cut.squeeze(2 - view.across)
        return np.where(is_inside, flat, np.float32(outside)).astype(np.float32)

    def on_grid_of(self, other: "Volume") -> "Volume":
        """Resampled at another volume's voxels; zero outside this one."""
        return self.at(*(other.axis_mm(axis) for axis in range(3)))

    def at(
        self, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64], z_mm: NDArray[np.float64]
    ) -> "Volume":
        """Resampled at evenly spaced world coordinates; zero outside."""
        array = self.array
        for axis, places in enumerate((x_mm, y_mm, z_mm)):
            array = _taps(self, axis, places).along(array, 2 - axis)
        places_mm = (x_mm, y_mm, z_mm)
        first = np.array([places[0] for places in places_mm])
        steps = [
            p[1] - p[0] if len(p) > 1 else s
            for p, s in zip(places_mm, self.spacing_mm, strict=True)
        ]
        return Volume(np.ascontiguousarray(array), first, np.array(steps))


@dataclass(frozen=True, slots=True, eq=False)
class _Taps:
    """The four voxels along an axis that each place takes its value from, and their shares."""

    voxels: NDArray[np.intp]
    """(4, places)"""
    shares: Pixels
    """(4, places); zeros outside the volume."""
    is_inside: NDArray[np.bool_]
    """(places,)"""

    def along(self, array: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
        """The array with its voxels along `axis` replaced by the places."""
        shape = [1] * array.ndim
        shape[axis] = self.shares.shape[1]
        total = np.float32(0.0)
        for voxels, shares in zip(self.voxels, self.shares, strict=True):
            total = total + array.take(voxels, axis) * shares.reshape(shape)
        return np.asarray(total)


def _taps(volume: Volume, axis: int, places_mm: NDArray[np.float64]) -> _Taps:
    """What cubic convolution takes along a world axis (0: x, 1: y, 2: z)."""
    count = volume.array.shape[2 - axis]
    place = (places_mm - volume.first_mm[axis]) / volume.spacing_mm[axis]
    is_inside = (place >= -0.5) & (place <= count - 0.5)
    wanted = np.floor(place).astype(np.intp) + np.arange(-1, 3)[:, None]
    shares = _keys(place - wanted) * is_inside
    return _Taps(np.clip(wanted, 0, count - 1), shares, is_inside)


def _keys(t: NDArray[np.float64]) -> NDArray[np.float32]:
    """Keys' cubic convolution kernel, a = -1/2."""
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1.0
    far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0)).astype(np.float32)


def volume_of(grid: Grid, array: NDArray[np.generic], *, is_label: bool = False) -> Volume:
    """An array of a grid laid out for drawing.

    A grid whose axes lie along x, y and z is only turned round. An oblique one is
    resampled, by nearest neighbour where its numbers are labels.
    """
    numbers = array.astype(np.float32)
    nearest = np.abs(grid.directions).argmax(0)
    aligned = np.abs(grid.directions).max(0).min() > 0.9999 and len(set(nearest)) == 3
    if not aligned:
        return _straightened(grid, numbers, is_label=is_label)
    turned = np.transpose(numbers, [int(np.flatnonzero(nearest == axis)[0]) for axis in AXES])
    signs = [grid.directions[axis, np.flatnonzero(nearest == axis)[0]] for axis in AXES]
    turned = turned[tuple(slice(None, None, 1 if sign > 0 else -1) for sign in signs)]
    spacing = np.array([grid.spacing_mm[np.flatnonzero(nearest == axis)[0]] for axis in range(3)])
    first = grid.corners_mm().min(0)
    return Volume(np.ascontiguousarray(turned), first, spacing)


def _straightened(grid: Grid, numbers: NDArray[np.float32], *, is_label: bool) -> Volume:
    corners = grid.corners_mm()
    step = float(grid.spacing_mm.min())
    low, high = corners.min(0), corners.max(0)
    shape = tuple(int(n) for n in np.floor((high - low) / step)[::-1] + 1)
    z, y, x = np.indices(shape, np.float64) * step
    points = np.stack([x + low[0], y + low[1], z + low[2]], axis=-1)
    voxels = np.moveaxis(grid.voxels(points), -1, 0)
    if is_label:
        array = ndimage.map_coordinates(numbers, voxels, order=0, mode="constant", cval=0.0)
    else:
        array = ndimage.map_coordinates(numbers, voxels, order=1, mode="constant", cval=0.0)
    return Volume(array, low, np.full(3, step))

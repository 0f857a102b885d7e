"""Solids by their signed distance: negative inside, millimetres, nearly exact at the surface.

A signed distance gives the part of a voxel that a solid fills from one evaluation at its
centre, so an image is rendered at its own grid without an intermediate raster. Coordinates
are a triple of arrays that broadcast against each other, which makes a grid along the
body's axes cheap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Field = NDArray[np.floating[Any]]
"""Numbers at coordinates: single precision for voxels, double for points."""
Coords = tuple[Field, Field, Field]
"""x, y and z of the body, millimetres; each may have length 1 along some axes."""
Distance = Callable[[Coords], Field]


def coords_of(points_mm: ArrayLike) -> Coords:
    """Coordinates of points, (N, 3)."""
    points = np.asarray(points_mm, np.float32)
    return points[..., 0], points[..., 1], points[..., 2]


def union(first: Field, second: Field, blend_mm: float = 0.0) -> Field:
    """Either solid; the crease is filled over `blend_mm`."""
    if blend_mm == 0.0:
        return np.minimum(first, second)
    overlap = np.maximum(blend_mm - np.abs(first - second), 0.0) / np.float32(blend_mm)
    return np.asarray(np.minimum(first, second) - overlap * overlap * np.float32(blend_mm / 4))


def common(first: Field, second: Field, blend_mm: float = 0.0) -> Field:
    """Where both solids are; the edge is rounded over `blend_mm`."""
    return -union(-first, -second, blend_mm)


def without(first: Field, second: Field, blend_mm: float = 0.0) -> Field:
    """The first solid, carved by the second."""
    return common(first, -second, blend_mm)


def rotation(axis: ArrayLike, angle_rad: float) -> NDArray[np.float64]:
    """(3, 3) rotation by an angle about an axis (Rodrigues)."""
    x, y, z = np.asarray(axis, np.float64) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned = np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross
    return np.asarray(turned)


Triple = tuple[float, float, float]


def triple(values: ArrayLike) -> Triple:
    """Three plain floats, which leave single-precision arrays single."""
    x, y, z = (float(v) for v in np.asarray(values, np.float64))
    return x, y, z


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An ellipsoid; `axes` has the body's direction of each radius in its rows."""

    centre_mm: Triple
    radii_mm: Triple
    axes: tuple[Triple, Triple, Triple] | None = None

    def __call__(self, at: Coords) -> Field:
        """Signed distance, to first order in the depth."""
        parts = [a - np.float32(c) for a, c in zip(at, self.centre_mm, strict=True)]
        if self.axes is not None:
            parts = [parts[0] * u[0] + parts[1] * u[1] + parts[2] * u[2] for u in self.axes]
        near = sum((p * (1.0 / r)) ** 2 for p, r in zip(parts, self.radii_mm, strict=True))
        steep = sum((p * (1.0 / r**2)) ** 2 for p, r in zip(parts, self.radii_mm, strict=True))
        norm = np.sqrt(near)
        return np.asarray(norm * (norm - 1.0) / np.sqrt(np.maximum(steep, 1e-12)))

    def grown(self, margin_mm: float) -> "Ellipsoid":
        """With every radius longer by a margin."""
        x, y, z = (r + margin_mm for r in self.radii_mm)
        return Ellipsoid(self.centre_mm, (x, y, z), self.axes)

    def surface_mm(self, count: int = 200) -> NDArray[np.float64]:
        """(N, 3) points of the surface, spread by the golden angle."""
        n = np.arange(count)
        z = 1 - (2 * n + 1) / count
        ring, turn = np.sqrt(1 - z * z), np.pi * (3 - np.sqrt(5)) * n
        ball = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], 1)
        axes = np.eye(3) if self.axes is None else np.array(self.axes)
        return np.asarray(np.array(self.centre_mm) + (ball * np.array(self.radii_mm)) @ axes)

    @property
    def half_mm(self) -> Triple:
        """Half the size of the box around it along the body's axes."""
        if self.axes is None:
            return self.radii_mm
        rows = np.array(self.axes) * np.array(self.radii_mm)[:, None]
        return triple(np.sqrt((rows**2).sum(0)))


def turned(centre_mm: ArrayLike, radii_mm: ArrayLike, turn: NDArray[np.float64]) -> Ellipsoid:
    """An ellipsoid whose own axes are turned by a rotation."""
    x, y, z = (triple(row) for row in turn.T)
    return Ellipsoid(triple(centre_mm), triple(radii_mm), (x, y, z))


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a tube: a cone with round ends."""

    start_mm: Triple
    stop_mm: Triple
    start_radius_mm: float
    stop_radius_mm: float

    def __call__(self, at: Coords) -> Field:
        """Signed distance, exact for a cylinder."""
        start, stop = np.array(self.start_mm), np.array(self.stop_mm)
        along = stop - start
        length2 = float(max(along @ along, 1e-9))
        parts = [a - c for a, c in zip(at, self.start_mm, strict=True)]
        way = sum(p * float(u / length2) for p, u in zip(parts, along, strict=True))
        way = np.clip(way, 0.0, 1.0)
        gap2 = sum((p - way * float(u)) ** 2 for p, u in zip(parts, along, strict=True))
        grow = self.stop_radius_mm - self.start_radius_mm
        return np.asarray(np.sqrt(gap2) - way * grow - self.start_radius_mm)

    @property
    def centre_mm(self) -> Triple:
        """Its middle."""
        return triple((np.array(self.start_mm) + np.array(self.stop_mm)) / 2)

    @property
    def half_mm(self) -> Triple:
        """Half the size of the box around it along the body's axes."""
        reach = max(self.start_radius_mm, self.stop_radius_mm)
        return triple(np.abs(np.array(self.stop_mm) - np.array(self.start_mm)) / 2 + reach)


def tube(points_mm: ArrayLike, start_radius_mm: float, stop_radius_mm: float) -> list[Segment]:
    """A tube along points, whose radius changes evenly from end to end."""
    points = np.asarray(points_mm, np.float64)
    radii = np.linspace(start_radius_mm, stop_radius_mm, len(points)).tolist()
    return [
        Segment(triple(points[n]), triple(points[n + 1]), radii[n], radii[n + 1])
        for n in range(len(points) - 1)
    ]


def distance_to_segments(segments: Sequence[Segment], at: Coords) -> Field:
    """Signed distance to the nearest of some segments; inf for none."""
    nearest: Field = np.full(np.broadcast_shapes(*(a.shape for a in at)), np.inf, np.float32)
    for segment in segments:
        nearest = np.minimum(nearest, segment(at))
    return nearest


@dataclass(frozen=True, slots=True)
class Ripple:
    """A smooth random field of mean 0 and standard deviation 1: a sum of plane waves."""

    waves: tuple[Triple, ...]
    """Wave vectors, radians per millimetre."""
    phases: tuple[float, ...]

    def __call__(self, at: Coords) -> Field:
        """Its value at coordinates."""
        total = sum(
            np.sin(at[0] * k[0] + at[1] * k[1] + at[2] * k[2] + phase)
            for k, phase in zip(self.waves, self.phases, strict=True)
        )
        return np.asarray(total * float(np.sqrt(2.0 / len(self.waves))))


def ripple(rng: np.random.Generator, waves: int, wavelengths_mm: tuple[float, float]) -> Ripple:
    """A random field with wavelengths between two bounds."""
    directions = rng.normal(size=(waves, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = rng.uniform(*wavelengths_mm, size=(waves, 1))
    vectors = 2 * np.pi * directions / lengths
    phases = rng.uniform(0, 2 * np.pi, waves)
    return Ripple(tuple(triple(v) for v in vectors), tuple(float(p) for p in phases))

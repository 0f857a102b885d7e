"""How a body lies in a scanner: rigidly placed, breathed in or out, and deformed.

The anatomy is defined once, in body coordinates at the breath of the CT. A `Pose` maps the
points of a scanner's frame back onto that anatomy. It has two answers. What is `static`
(skin, muscles, ribs, spine, aorta) only follows the patient's position. What is `visceral`
slides in the cavity: mostly along the body, while the part across it fades towards wall
and spine, so organs slide along them and neither leave a gap nor cross them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesionmatch.geometry import Frame, Grid, Points, Transform
from lesionmatch.phantom.shapes import (
    Coords,
    Distance,
    Field,
    Ripple,
    Triple,
    coords_of,
    ripple,
    triple,
)

WALL_FADE_MM = 35.0
"""Depth at which a visceral displacement across the body is full."""
INVERSE_STEPS = 40
SHEAR_WAVES = 6


def _smooth_step(share: Field) -> Field:
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


@dataclass(frozen=True, slots=True)
class Breath:
    """A craniocaudal shift: full at the dome, less below and on the left."""

    shift_mm: float
    dome_z_mm: float
    ap_share: float = 0.0
    """Shift to the back, of what lies away from wall and spine, as a share of that upwards."""

    def __call__(self, at: Coords) -> Field:
        """How far the anatomy found at these coordinates lies below them."""
        below = _smooth_step((self.dome_z_mm - at[2]) / 260.0)
        left = _smooth_step((at[0] + 40.0) / 180.0)
        return np.asarray(-self.shift_mm * (1.0 - 0.65 * below) * (1.0 - 0.15 * left))


@dataclass(frozen=True, slots=True)
class Deformation:
    """A smooth displacement, three `Ripple` fields scaled to a largest length."""

    fields: tuple[Ripple, Ripple, Ripple]
    scale_mm: float

    def __call__(self, at: Coords) -> tuple[Field, Field, Field]:
        """The three components of the displacement."""
        x, y, z = (f(at) * self.scale_mm for f in self.fields)
        return x, y, z


@dataclass(frozen=True, slots=True)
class Shear:
    """A smooth displacement without sources: plane waves that swing across their way."""

    waves: tuple[Ripple, ...]
    """One plane wave each."""
    swings_mm: tuple[Triple, ...]

    def __call__(self, at: Coords) -> tuple[Field, Field, Field]:
        """The three components of the displacement."""
        heights = [wave(at) for wave in self.waves]
        x, y, z = (
            sum(height * swing[axis] for height, swing in zip(heights, self.swings_mm, strict=True))
            for axis in range(3)
        )
        return np.asarray(x), np.asarray(y), np.asarray(z)

    def scaled(self, factor: float) -> "Shear":
        """The same shape with another size."""
        swings = tuple(triple(np.array(swing) * factor) for swing in self.swings_mm)
        return Shear(self.waves, swings)


def shear(
    rng: np.random.Generator,
    largest_mm: float,
    wavelengths_mm: tuple[float, float],
    points_mm: Points,
) -> Shear:
    """A random volume-keeping deformation of a largest length among `points_mm`."""
    waves = tuple(ripple(rng, 1, wavelengths_mm) for _ in range(SHEAR_WAVES))
    swings = tuple(triple(np.cross(wave.waves[0], rng.normal(size=3))) for wave in waves)
    unit = Shear(waves, tuple(triple(np.array(s) / np.linalg.norm(s)) for s in swings))
    longest = float(np.linalg.norm(np.stack(unit(coords_of(points_mm)), -1), axis=-1).max())
    return unit.scaled(largest_mm / longest)


def deformation(
    rng: np.random.Generator,
    largest_mm: float,
    wavelengths_mm: tuple[float, float],
    points_mm: Points,
) -> Deformation:
    """A random deformation whose largest length among `points_mm` is as wanted."""
    fields = (
        ripple(rng, 3, wavelengths_mm),
        ripple(rng, 3, wavelengths_mm),
        ripple(rng, 3, wavelengths_mm),
    )
    unit = np.stack(Deformation(fields, 1.0)(coords_of(points_mm)), -1)
    longest = float(np.linalg.norm(unit, axis=-1).max())
    return Deformation(fields, largest_mm / longest)


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where the anatomy lies in a scanner's frame of reference."""

    body_from_world: Transform
    cavity: Distance
    breath: Breath | None = None
    deformation: Deformation | Shear | None = None
    is_cut_by_wall: bool = False
    """Whether the deformation goes on into wall and spine."""

    @property
    def frame(self) -> Frame:
        """The scanner's frame of reference."""
        return self.body_from_world.source

    @property
    def is_rigid(self) -> bool:
        """Whether nothing moves against the spine."""
        return self.breath is None and self.deformation is None

    def static_coords(self, grid: Grid) -> Coords:
        """Body coordinates of a grid's voxels for what does not breathe."""
        matrix = self.body_from_world.matrix @ grid.world_from_voxel
        open_voxels = np.ogrid[tuple(slice(0, n) for n in grid.shape)]
        x, y, z = (_broadcast_sum(open_voxels, row) for row in matrix[:3])
        return x, y, z

    def visceral_coords(self, static: Coords) -> Coords:
        """Body coordinates for what breathes, given those for what does not."""
        x, y, z = static
        if self.is_rigid:
            return static
        inside = _smooth_step(-self.cavity(static) / WALL_FADE_MM)
        if self.deformation is not None:
            dx, dy, dz = self.deformation(static)
            across = 1.0 if self.is_cut_by_wall else inside
            x, y, z = x + across * dx, y + across * dy, z + dz
        if self.breath is not None:
            down = self.breath(static)
            z = z + down
            if self.breath.ap_share:
                y = y + self.breath.ap_share * inside * down
        return x, y, z

    def anatomy_mm(self, world_mm: ArrayLike) -> Points:
        """Points of the anatomy, (N, 3), where the viscera at these points of the frame belong."""
        static = self.body_from_world.apply(world_mm)
        moved = self.visceral_coords(_double_coords(static))
        return np.stack(np.broadcast_arrays(*moved), -1).astype(np.float64)

    def world_mm(self, anatomy_mm: ArrayLike) -> Points:
        """Where in the frame visceral points of the anatomy, (N, 3), lie.

        By fixed-point iteration, which converges as the displacement's slope is below 1.
        """
        wanted = np.asarray(anatomy_mm, np.float64).reshape(-1, 3)
        static = wanted.copy()
        for _ in range(INVERSE_STEPS):
            moved = np.stack(self.visceral_coords(_double_coords(static)), -1)
            static = static + (wanted - moved)
        return self.body_from_world.inverse.apply(static)


def _double_coords(points_mm: Points) -> Coords:
    # Points are few, so they keep double precision where voxels have single.
    return points_mm[..., 0], points_mm[..., 1], points_mm[..., 2]


def _broadcast_sum(
    open_voxels: tuple[NDArray[np.intp], ...], row: NDArray[np.float64]
) -> NDArray[np.float32]:
    """One body coordinate of every voxel; axes along which it is constant keep length 1."""
    total = np.full((1, 1, 1), row[3], np.float64)
    for indices, step in zip(open_voxels, row[:3], strict=True):
        if abs(step) > 1e-12:
            total = total + indices * step
    return total.astype(np.float32)

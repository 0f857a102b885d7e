"""The maps both ways, made of a fitted field: one the other's inverse, neither folding.

Forward, ``x -> A(x + u(x))``, u on a grid about the liver that fades to nothing, so that far
from the liver the affine map alone is left. Backward, ``y -> z + v(z)`` with z the point that
A takes to y: v solves ``v(z) = -u(z + v(z))`` by iteration, which converges because u changes
by less than 1 mm a mm.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid, Points, Transform
from lesionmatch.image import Mask
from lesionmatch.registration.sampling import gradient
from lesionmatch.registration.scene import Scene, grid_about
from lesionmatch.registration.threads import beside
from lesionmatch.resample import PointMap, distance_mm, resample_mask

Floats = NDArray[np.float32]

FIELD_SPACING_MM = 4.0
"""Linear steps of this size follow splines with knots of 40 mm to a few hundredths of a mm."""
FULL_WITHIN_MM = 20.0
NOTHING_BEYOND_MM = 56.0
"""Of the liver. Between the two the field fades; 10 mm over 36 cannot fold."""
INVERSE_STEPS = 40
INVERSE_TOL_MM = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class TwoWay:
    """A map of the MRI's frame onto the target's, and back."""

    target_from_mri: PointMap
    mri_from_target: PointMap


def linear_both_ways(target_from_mri: Transform) -> TwoWay:
    """The maps of a matrix and its inverse."""
    return TwoWay(PointMap.affine(target_from_mri), PointMap.affine(target_from_mri.inverse))


def both_ways(scene: Scene, field: Floats, liver: Mask, affine: Transform) -> TwoWay:
    """The maps of `affine` after `field`: (3, scene's grid), mm along the grid's axes."""
    grid = grid_about(liver, NOTHING_BEYOND_MM + 2 * FIELD_SPACING_MM, FIELD_SPACING_MM)
    shifts = _faded(scene, field, liver, grid)
    forward = PointMap.displacement(grid.frame, grid, shifts)
    backward = PointMap.displacement(grid.frame, grid, inverse_shifts(shifts, grid))
    return TwoWay(
        PointMap.affine(affine).after(forward), backward.after(PointMap.affine(affine.inverse))
    )


def _faded(scene: Scene, field: Floats, liver: Mask, grid: Grid) -> NDArray[np.float64]:
    """(grid, 3) displacement as (x, y, z): `field` near the liver, nothing far from it."""
    voxels = scene.grid.voxels(grid.world(np.moveaxis(np.indices(grid.shape), 0, -1)))
    last = np.array(scene.grid.shape) - 1
    where = np.moveaxis(np.clip(voxels, 0, last), -1, 0)
    along = beside(partial(_read, where=where), field)
    shifts = np.einsum("ij,jzyx->zyxi", scene.grid.directions, np.stack(along))
    near = Mask(grid, resample_mask(liver, grid) >= 0.25)
    way_out = (distance_mm(near) - FULL_WITHIN_MM) / (NOTHING_BEYOND_MM - FULL_WITHIN_MM)
    t = np.clip(way_out, 0.0, 1.0)
    return np.asarray(shifts * (1 - t * t * (3 - 2 * t))[..., None], np.float64)


def inverse_shifts(shifts: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """v with ``v(y) = -u(y + v(y))`` at the voxels of the same grid."""
    home = np.indices(grid.shape).astype(np.float64)
    unit = grid.directions / grid.spacing_mm
    channels = np.moveaxis(shifts, -1, 0)
    back = -channels
    for _ in range(INVERSE_STEPS):
        where = home + np.einsum("ji,jzyx->izyx", unit, back)
        change = -np.stack(beside(partial(_read, where=where), channels)) - back
        back = back + change
        if np.abs(change).max() < INVERSE_TOL_MM:
            break
    return np.moveaxis(back, 0, -1)


def _read(channel: NDArray[np.floating], where: NDArray[np.floating]) -> NDArray[np.floating]:
    """A channel between its voxels; beyond its grid the border's."""
    return np.asarray(ndimage.map_coordinates(channel, where, order=1, mode="nearest"))


def growth_of(scene: Scene, field: Floats, affine: Transform) -> Floats:
    """(voxels of the liver) how much each's volume grows on its way to the target.

    The determinant of the map's derivative.
    """
    slopes = np.stack([gradient(u, scene.grid.spacing_mm)[:, scene.inside] for u in field])
    derivative = slopes.transpose(2, 0, 1) + np.eye(3, dtype=np.float32)
    return np.asarray(np.linalg.det(derivative) * np.linalg.det(affine.matrix[:3, :3]), np.float32)


def displaced(scene: Scene, field: Floats, points_mm: Points) -> Points:
    """``x + u(x)`` of MRI points within the scene's grid."""
    voxels = scene.grid.voxels(points_mm).T
    along = [ndimage.map_coordinates(f, voxels, order=1, mode="nearest") for f in field]
    return np.asarray(points_mm + np.stack(along, -1) @ scene.grid.directions.T)

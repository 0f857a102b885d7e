"""The maps both ways, made of a fitted field: one the other's inverse, neither folding.

Forward, ``x -> A(x + u(x))``, u on a grid about the liver that fades to nothing, so that far
from the liver the affine map alone is left. Backward, ``y -> z + v(z)`` with z the point that
A takes to y: v solves ``v(z) = -u(z + v(z))`` by iteration, which converges because u changes
by less than 1 mm a mm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid, Points, Transform
from lesionmatch.image import Mask
from lesionmatch.registration.sampling import gradient, interpolation
from lesionmatch.registration.scene import Scene, grid_about
from lesionmatch.registration.threads import THREADS, beside
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


def _faded(scene: Scene, field: Floats, liver: Mask, grid: Grid) -> Floats:
    """(grid, 3) displacement as (x, y, z): `field` near the liver, nothing far from it."""
    around = distance_mm(Mask(grid, resample_mask(liver, grid) >= 0.25))
    near = around < NOTHING_BEYOND_MM
    t = np.clip((around[near] - FULL_WITHIN_MM) / (NOTHING_BEYOND_MM - FULL_WITHIN_MM), 0.0, 1.0)
    voxels = scene.grid.voxels(grid.world(np.argwhere(near)))
    along = interpolation(voxels, scene.grid.shape) @ field.reshape(3, -1).T
    shifts = np.zeros((*grid.shape, 3), np.float32)
    turned = np.einsum("ij,nj->ni", scene.grid.directions, along)
    shifts[near] = turned * (1 - t * t * (3 - 2 * t))[:, None]
    return shifts


def inverse_shifts(shifts: NDArray[np.floating], grid: Grid) -> NDArray[np.floating]:
    """v with ``v(y) = -u(y + v(y))`` at the voxels of the same grid."""
    unit = grid.directions / grid.spacing_mm
    forth = shifts.reshape(-1, 3)
    back = -forth

    def solve(places: NDArray[np.intp]) -> None:
        """Write the inverse of some voxels; each goes on until it no longer changes."""
        for _ in range(INVERSE_STEPS):
            home = np.stack(np.unravel_index(places, grid.shape), -1)
            where = home + np.einsum("nj,ji->ni", back[places], unit)
            change = -(interpolation(where, grid.shape) @ forth) - back[places]
            back[places] += change
            places = places[np.abs(change).max(1) >= INVERSE_TOL_MM]
            if len(places) == 0:
                break

    beside(solve, np.array_split(np.flatnonzero(forth.any(1)), THREADS))
    return back.reshape(shifts.shape)


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

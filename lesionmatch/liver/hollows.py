"""Dark lesions that open a hole in the liver's surface, without having been drawn.

A lesion at the capsule leaves a hollow in the bright liver. It is round and the liver
closes around most of it, where gallbladder, kidney and fissures lie in troughs that are
open on one side. The largest ball that fits into the hollow is looked at: when liver lies
behind most of its surface, and it is evenly dark, it belongs to the liver.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Mask
from lesionmatch.liver.morphology import Values, Voxels
from lesionmatch.resample import distance_mm

LEAST_MM, MOST_MM = 4.0, 45.0
"""Radius of the ball."""
WALL_MM = 4.5
"""How far behind the ball's surface liver is looked for."""
LEAST_ENCLOSED = 0.62
"""Share of the ball's surface with liver behind it; a trough encloses half."""
MOST_UNEVEN = 0.3
"""Spread within the ball, relative to the liver's brightness."""
DIRECTIONS = 200
ROUNDS = 2
MARGIN_MM = 1.0


def with_hollows(liver: Voxels, ratio: Values, grid: Grid) -> Voxels:
    """`liver` with the hollows that dark lesions left in it; `ratio` is 1 in parenchyma."""
    whole = liver.copy()
    for _ in range(ROUNDS):
        distance = distance_mm(Mask(grid, whole))
        for voxel in _middles(distance, grid):
            radius_mm = float(distance[tuple(voxel)])
            if _is_lesion(voxel, radius_mm, whole, ratio, grid):
                _fill(whole, voxel, radius_mm + MARGIN_MM, grid)
    return whole


def _middles(distance: Values, grid: Grid) -> NDArray[np.int_]:
    """(N, 3) voxels further from the liver than those around them, largest balls first."""
    size = np.maximum(2 * np.round(4.0 / grid.spacing_mm).astype(int) + 1, 3)
    # Behind the largest ball that could be of interest all voxels are equally far.
    near = np.minimum(distance, MOST_MM + 1.0)
    is_top = ndimage.maximum_filter(near, size=tuple(int(n) for n in size)) == near
    voxels = np.argwhere(is_top & (near > LEAST_MM) & (near < MOST_MM))
    return np.asarray(voxels[np.argsort(-distance[tuple(voxels.T)])])


def _directions() -> NDArray[np.float64]:
    """(N, 3) unit vectors spread evenly over the sphere, on a spiral of the golden angle."""
    n = np.arange(DIRECTIONS) + 0.5
    z = 1.0 - 2.0 * n / DIRECTIONS
    turn = np.pi * (3.0 - np.sqrt(5.0)) * n
    flat = np.sqrt(1.0 - z * z)
    return np.stack([z, flat * np.cos(turn), flat * np.sin(turn)], 1)


def _is_lesion(
    voxel: NDArray[np.int_], radius_mm: float, liver: Voxels, ratio: Values, grid: Grid
) -> bool:
    if liver[tuple(voxel)]:
        return False
    ways = _directions() / grid.spacing_mm
    behind = np.rint(voxel + (radius_mm + WALL_MM) * ways).astype(int)
    inside = ((behind >= 0) & (behind < liver.shape)).all(1)
    enclosed = liver[tuple(behind[inside].T)].sum() / DIRECTIONS
    if enclosed < LEAST_ENCLOSED:
        return False
    within = np.concatenate([voxel + share * radius_mm * ways for share in (0.0, 0.35, 0.7)])
    cells = np.clip(np.rint(within).astype(int), 0, np.array(liver.shape) - 1)
    low, middle, high = np.percentile(ratio[tuple(cells.T)], [10.0, 50.0, 90.0])
    return bool(middle < 0.9 and high - low < MOST_UNEVEN)


def _fill(liver: Voxels, voxel: NDArray[np.int_], radius_mm: float, grid: Grid) -> None:
    """Add a ball, in place."""
    reach = np.ceil(radius_mm / grid.spacing_mm).astype(int)
    low, high = np.maximum(voxel - reach, 0), np.minimum(voxel + reach + 1, liver.shape)
    axes = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
    z, y, x = (
        ((axis - v) * mm) ** 2 for axis, v, mm in zip(axes, voxel, grid.spacing_mm, strict=True)
    )
    ball = z[:, None, None] + y[None, :, None] + x[None, None, :] <= radius_mm**2
    liver[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] |= ball

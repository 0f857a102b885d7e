"""Growing, shrinking, closing and filling regions by millimetres, and finding their edges."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Mask
from lesionmatch.resample import distance_mm

Voxels = NDArray[np.bool_]
Values = NDArray[np.float32]


def ball_radius_mm(volume_ml: float) -> float:
    """Radius of a ball of this volume."""
    return float(np.cbrt(3.0 * volume_ml * 1000.0 / (4.0 * np.pi)))


def dilated(voxels: Voxels, grid: Grid, radius_mm: float) -> Voxels:
    """Voxels whose centre lies within a radius of a voxel's centre of the region."""
    return distance_mm(Mask(grid, voxels)) <= radius_mm


def eroded(voxels: Voxels, grid: Grid, radius_mm: float) -> Voxels:
    """Voxels of the region further than a radius from every voxel outside it.

    The region is taken to go on beyond the grid.
    """
    return distance_mm(Mask(grid, ~voxels)) > radius_mm


def steepness(values: Values, grid: Grid) -> Values:
    """How fast `values` change in the direction in which they change most, per mm."""
    slopes = np.gradient(values, *grid.spacing_mm)
    return np.asarray(np.sqrt(sum(slope**2 for slope in slopes)), np.float32)


def padded(grid: Grid, pad: NDArray[np.int_]) -> Grid:
    """`grid` with `pad` voxels more on either side along each axis."""
    matrix = grid.world_from_voxel.copy()
    matrix[:3, 3] = grid.world(-pad.astype(float))
    slices, rows, columns = (int(n) for n in np.array(grid.shape) + 2 * pad)
    return Grid(grid.frame, (slices, rows, columns), matrix)


def closed(voxels: Voxels, grid: Grid, radius_mm: float) -> Voxels:
    """The region with every gap filled that a ball of this radius cannot enter from outside.

    Where the region ends at the edge of the grid it is taken to go on.
    """
    pad = np.ceil(radius_mm / grid.spacing_mm).astype(int) + 1
    wide = padded(grid, pad)
    room = np.pad(voxels, [(n, n) for n in pad], mode="edge")
    shut = eroded(dilated(room, wide, radius_mm), wide, radius_mm)
    inner = tuple(slice(int(n), -int(n)) for n in pad)
    return np.asarray(shut[inner] | voxels)


def filled(voxels: Voxels) -> Voxels:
    """The region with what it encloses, in space or within any plane of voxels."""
    whole = ndimage.binary_fill_holes(voxels)
    planes = [np.stack(list(_filled_planes(np.moveaxis(voxels, a, 0))), a) for a in range(3)]
    return np.asarray(whole | planes[0] | planes[1] | planes[2])


def _filled_planes(planes: NDArray[np.bool_]) -> Iterable[Voxels]:
    return (ndimage.binary_fill_holes(plane) if plane.any() else plane for plane in planes)


def large_pieces(voxels: Voxels, least_share: float = 1.0) -> Voxels:
    """The connected pieces of a region that have a share of the largest one's voxels."""
    labels, _ = ndimage.label(voxels)
    sizes = np.bincount(labels.ravel(), minlength=2)
    sizes[0] = 0
    is_large = (sizes >= least_share * sizes.max()) & (sizes > 0)
    return np.asarray(is_large[labels])

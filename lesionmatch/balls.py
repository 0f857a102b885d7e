"""Balls of voxels, and the highest and lowest value within one about each voxel."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid

Ball = NDArray[np.bool_]
Values = TypeVar("Values", NDArray[np.float32], NDArray[np.float64])

HAIR_MM = 1e-6
"""What lies on the sphere belongs to the ball, however its distance was rounded."""


def ball(radius_mm: float, grid: Grid) -> Ball:
    """The voxels of `grid` whose centres lie within `radius_mm` of a central one's."""
    reach = np.floor((radius_mm + HAIR_MM) / grid.spacing_mm).astype(int)
    steps = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), -1)
    return np.asarray(np.linalg.norm(steps * grid.spacing_mm, axis=-1) <= radius_mm + HAIR_MM)


def highest_within(values: Values, near: Ball) -> Values:
    """The highest of `values` within the ball `near` about each voxel.

    The same as scipy's `grey_dilation`, which asks each voxel of the ball. Here a row of the
    ball is one running maximum, and rows of one length share it.
    """
    planes, rows, columns = values.shape
    pad = [(n // 2, n // 2) for n in near.shape]
    wide = np.pad(values, pad, constant_values=-np.inf)
    lengths = np.count_nonzero(near, axis=2)
    inner = slice(pad[2][0], pad[2][0] + columns)
    along = {
        n: ndimage.maximum_filter1d(wide, n, axis=2)[..., inner] for n in set(lengths.flat) - {0}
    }
    highest = np.full_like(values, -np.inf)
    for z, y in np.argwhere(lengths):
        row = along[lengths[z, y]][z : z + planes, y : y + rows]
        np.maximum(highest, row, out=highest)
    return highest


def lowest_within(values: Values, near: Ball) -> Values:
    """The lowest of `values` within the ball `near` about each voxel."""
    return -highest_within(-values, near)

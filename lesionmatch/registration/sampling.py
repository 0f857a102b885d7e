"""Images read at scattered points: one sparse matrix for any number of channels.

Linear interpolation at N points is a matrix with eight weights a row. Written so, one
product reads an image, its gradient and every other channel at once, in an order of
additions that no number of threads can change.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]


def interpolation(voxels: NDArray[np.floating], shape: tuple[int, ...]) -> sparse.csr_array:
    """(N, voxels of `shape`): what linear interpolation at `voxels` (N, 3) takes from each.

    Points beyond the grid read its border.
    """
    last = np.array(shape) - 1
    inside = np.clip(voxels, 0, last).astype(np.float32)
    first = np.minimum(inside.astype(np.int32), np.maximum(last - 1, 0).astype(np.int32))
    fraction = inside - first
    columns = np.empty((len(inside), 8), np.int32)
    weights = np.empty((len(inside), 8), np.float32)
    # Along each axis, the two voxels a point lies between and what each counts for.
    z, y, x = np.stack([first, np.minimum(first + 1, last)]).astype(np.int32).transpose(2, 0, 1)
    near_z, near_y, near_x = np.stack([1 - fraction, fraction]).transpose(2, 0, 1)
    for n, (i, j, k) in enumerate(np.ndindex(2, 2, 2)):
        columns[:, n] = (z[i] * shape[1] + y[j]) * shape[2] + x[k]
        weights[:, n] = near_z[i] * near_y[j] * near_x[k]
    rows = np.arange(len(inside) + 1, dtype=np.int32) * 8
    return sparse.csr_array(
        (weights.ravel(), columns.ravel(), rows), shape=(len(inside), int(np.prod(shape)))
    )


def gradient(array: Floats, spacing_mm: NDArray[np.float64]) -> Floats:
    """(3, array) slope per mm along slice, row and column, by central differences."""
    slopes: list[Floats] = list(np.gradient(array, *spacing_mm))
    return np.stack(slopes).astype(np.float32, copy=False)


def with_gradients(channels: list[Floats], spacing_mm: NDArray[np.float64]) -> Floats:
    """(voxels, channels, 4): value and gradient per mm along slice, row and column."""
    stacked = np.empty((channels[0].size, len(channels), 4), np.float32)
    for n, channel in enumerate(channels):
        stacked[:, n, 0] = channel.ravel()
        for axis, slope in enumerate(gradient(channel, spacing_mm)):
            stacked[:, n, axis + 1] = slope.ravel()
    return stacked


def read(matrix: sparse.csr_array, stacked: Floats) -> Floats:
    """(N, channels, 4) of `with_gradients` at the points of an `interpolation`."""
    flat = stacked.reshape(stacked.shape[0], -1)
    return np.asarray(matrix @ flat).reshape(-1, *stacked.shape[1:])

"""Images read at scattered points: one sparse matrix for any number of channels.

Linear interpolation at N points is a matrix with eight weights a row. Written so, one
product reads an image, its gradient and every other channel at once, in an order of
additions that no number of threads can change.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]

_CORNERS = np.indices((2, 2, 2)).reshape(3, 8).T


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
    for n, corner in enumerate(_CORNERS):
        z, y, x = np.minimum(first + corner, last).astype(np.int32).T
        columns[:, n] = (z * shape[1] + y) * shape[2] + x
        weights[:, n] = np.where(corner == 1, fraction, 1 - fraction).prod(1)
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

"""Images read at scattered points: one sparse matrix for any number of channels.

Linear interpolation at N points is a matrix with eight weights a row. Written so, one
product reads an image, its gradient and every other channel at once, in an order of
additions that no number of threads can change.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lesionmatch.registration.threads import beside

Floats = NDArray[np.float32]

_SLICES = 8
"""As many at once as the processor's own memory holds."""


def drawn(rng: np.random.Generator, most: int, of: int) -> NDArray[np.intp]:
    """At most `most` different numbers below `of`, ascending, as memory is fastest in order."""
    return np.sort(rng.choice(of, min(most, of), replace=False, shuffle=False))


def interpolation(voxels: NDArray[np.floating], shape: tuple[int, ...]) -> sparse.csr_array:
    """(N, voxels of `shape`): what linear interpolation at `voxels` (N, 3) takes from each.

    Points beyond the grid read its border.
    """
    strides = np.array([shape[1] * shape[2], shape[2], 1], np.int32)
    corner = np.zeros(len(voxels), np.int32)
    near = []
    for along, length, stride in zip(voxels.T, shape, strides, strict=True):
        inside = np.clip(along, 0, length - 1).astype(np.float32)
        first = np.minimum(inside.astype(np.int32), np.int32(max(length - 2, 0)))
        corner += first * stride
        near.append((1 - (inside - first), inside - first))
    columns = np.empty((len(voxels), 8), np.int32)
    weights = np.empty((len(voxels), 8), np.float32)
    ahead = np.where(np.array(shape) > 1, strides, 0)
    for n, (i, j, k) in enumerate(np.ndindex(2, 2, 2)):
        columns[:, n] = corner + (i * ahead[0] + j * ahead[1] + k * ahead[2])
        weights[:, n] = near[0][i] * near[1][j] * near[2][k]
    rows = np.arange(len(voxels) + 1, dtype=np.int32) * 8
    return sparse.csr_array(
        (weights.ravel(), columns.ravel(), rows), shape=(len(voxels), int(np.prod(shape)))
    )


def gradient(array: Floats, spacing_mm: NDArray[np.float64]) -> Floats:
    """(3, array) slope per mm along slice, row and column, by central differences.

    Differences of neighbours at the ends, so that every axis needs two voxels at least.
    """
    slopes = np.empty((3, *array.shape), np.float32)
    _write_gradient(slopes, array, spacing_mm)
    return slopes


def _write_gradient(slopes: Floats, array: Floats, spacing_mm: NDArray[np.float64]) -> None:
    """Write the `gradient` of an array without another array between."""
    for axis, step in enumerate(np.asarray(spacing_mm, np.float32)):
        along, slope = np.moveaxis(array, axis, 0), np.moveaxis(slopes[axis], axis, 0)
        np.subtract(along[2:], along[:-2], out=slope[1:-1])
        slope[1:-1] /= 2 * step
        slope[0] = (along[1] - along[0]) / step
        slope[-1] = (along[-1] - along[-2]) / step


def with_gradients(
    sloped: list[Floats], plain: Floats | NDArray[np.bool_], spacing_mm: NDArray[np.float64]
) -> Floats:
    """(voxels, 4 a channel and 1): value and gradient of each `sloped` channel, then `plain`.

    Gradients are per mm along slice, row and column. What belongs to one voxel lies side by
    side; a few slices at a time are made channel by channel, as memory is fastest in a row.
    """
    stacked = np.empty((*plain.shape, 4 * len(sloped) + 1), np.float32)

    def fill(start: int) -> None:
        first, last = max(start - 1, 0), min(start + _SLICES + 1, len(plain))
        channels = np.empty((stacked.shape[-1], last - first, *plain.shape[1:]), np.float32)
        for n, channel in enumerate(sloped):
            channels[4 * n] = channel[first:last]
            _write_gradient(channels[4 * n + 1 : 4 * n + 4], channel[first:last], spacing_mm)
        channels[-1] = plain[first:last]
        part = channels[:, start - first : start - first + _SLICES]
        stacked[start : start + _SLICES] = np.moveaxis(part, 0, -1)

    beside(fill, range(0, len(plain), _SLICES))
    return stacked.reshape(-1, stacked.shape[-1])


def read(matrix: sparse.csr_array, stacked: Floats) -> tuple[Floats, Floats]:
    """(sloped channels, 4, N) and (N,) plain of `with_gradients` at an `interpolation`'s points."""
    found = np.ascontiguousarray((matrix @ stacked).T)
    return found[:-1].reshape(-1, 4, found.shape[1]), found[-1]

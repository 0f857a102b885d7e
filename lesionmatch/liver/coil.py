"""The sensitivity of the coil, from the liver's own brightness.

A quadratic of the logarithm, fitted to liver with outliers left out, divided out
everywhere: liver is then 1. Beyond the liver the quadratic is held at its value at the
edge of a box twice as wide, and its curvature is damped, so that it does not run away.
"""

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Grid
from lesionmatch.image import Image
from lesionmatch.liver.morphology import Values, Voxels

FITTED_VOXELS = 20_000
ROUNDS = 4
OUTLIER_SDS = 2.5
DAMPING = (0.0, 1e-3, 3e-2)
"""Ridge weights of the constant, the slopes and the curvatures, per fitted voxel."""
UNIT_MM = 100.0
REACH = 2.0
_POWERS = [(i, j, k) for n in range(3) for i in range(n, -1, -1) for j in range(n - i, -1, -1)
           for k in [n - i - j]]  # fmt: skip


def sensitivity(image: Image, liver: Voxels) -> Values:
    """Brightness liver would have at each voxel of `image`; positive."""
    places = np.argwhere(liver)
    places = places[:: max(1, len(places) // FITTED_VOXELS)]
    values = np.log(np.maximum(image.array[tuple(places.T)], 1e-6)).astype(np.float64)
    middle = places.mean(0)
    terms = _terms((places - middle) * (image.grid.spacing_mm / UNIT_MM))
    fit = _robust_fit(terms, values)
    return _evaluated(fit, image.grid, middle)


def _terms(points: NDArray[np.float64]) -> NDArray[np.float64]:
    z, y, x = points.T
    return np.stack([z**i * y**j * x**k for i, j, k in _POWERS], 1)


def _robust_fit(terms: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    damping = np.array([DAMPING[sum(powers)] for powers in _POWERS])
    keep = np.ones(len(values), np.bool_)
    fit: NDArray[np.float64] = np.zeros(len(_POWERS))
    for _ in range(ROUNDS):
        a, b = terms[keep], values[keep]
        fit = np.asarray(np.linalg.solve(a.T @ a + np.diag(damping * len(a)), a.T @ b))
        rest = np.abs(values - terms @ fit)
        spread = 1.4826 * float(np.median(rest[keep]))
        keep = rest <= OUTLIER_SDS * max(spread, 1e-6)
    return fit


def _evaluated(fit: NDArray[np.float64], grid: Grid, middle: NDArray[np.float64]) -> Values:
    axes = [
        ((np.arange(n) - m) * (mm / UNIT_MM)).clip(-REACH, REACH).astype(np.float32)
        for n, m, mm in zip(grid.shape, middle, grid.spacing_mm, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    log = np.zeros(grid.shape, np.float32)
    for weight, (i, j, k) in zip(fit, _POWERS, strict=True):
        log += np.float32(weight) * (z**i * y**j * x**k)
    return np.asarray(np.exp(log))

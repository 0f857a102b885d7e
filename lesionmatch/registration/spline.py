"""Smooth displacement fields: separable cubic B-splines, and how much they bend.

A field on a grid is ``u = sum of c_ijk B_i(z) B_j(y) B_k(x)``: three small matrices, one an
axis, applied in turn. Its bending energy, the integral of the squared second derivatives
(u_zz² + u_yy² + u_xx² + 2 u_zy² + 2 u_zx² + 2 u_yx²), is exact and quadratic in c:
a sum of products of the axes' Gram matrices. It does not mind any affine part, which is
fitted before. Rueckert et al. 1999, doi 10.1109/42.796284.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]

_GAUSS_PER_KNOT = 8
"""Midpoints an interval is integrated at; the squares of cubics want few."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The splines of one axis of a grid."""

    basis: sparse.csr_array
    """(samples, knots): each knot's spline at each voxel."""
    cells: sparse.csr_array
    """(cells, knots): the same, averaged over runs of voxels."""
    gram: tuple[Floats, Floats, Floats]
    """(knots, knots) integrals of products of the splines, their slopes and curvatures."""


def axis(samples: int, spacing_mm: float, knot_mm: float, cell: int) -> Axis:
    """Splines with a knot every `knot_mm` over an axis, centred on it; cells of `cell` voxels."""
    length = (samples - 1) * spacing_mm
    knots = int(np.ceil(length / knot_mm)) + 3
    start = ((knots - 3) * knot_mm - length) / 2
    at_voxels = _splines(np.arange(samples) * spacing_mm + start, knots, knot_mm)[0]
    middles = (np.arange(_GAUSS_PER_KNOT * (knots - 3)) + 0.5) * knot_mm / _GAUSS_PER_KNOT
    first, second, third = (
        (b.T @ b * knot_mm / _GAUSS_PER_KNOT).astype(np.float32)
        for b in _splines(middles, knots, knot_mm)
    )
    averaged = np.add.reduceat(at_voxels, np.arange(0, samples, cell), axis=0)
    averaged /= np.diff(np.append(np.arange(0, samples, cell), samples))[:, None]
    return Axis(_sparse(at_voxels), _sparse(averaged), (first, second, third))


def _sparse(dense: NDArray[np.float64]) -> sparse.csr_array:
    return sparse.csr_array(dense.astype(np.float32))


def _splines(x_mm: NDArray[np.floating], knots: int, knot_mm: float) -> list[NDArray[np.float64]]:
    """(samples, knots) of value, slope and curvature of each spline at `x_mm`."""
    first = np.minimum((x_mm / knot_mm).astype(int), knots - 4)
    t = x_mm / knot_mm - first
    pieces = [
        [(1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, None, t**3 / 6],
        [-((1 - t) ** 2) / 2, (9 * t**2 - 12 * t) / 6, None, t**2 / 2],
        [1 - t, 3 * t - 2, None, t],
    ]
    totals = (1.0, 0.0, 0.0)
    rows = np.arange(len(x_mm))
    found = []
    for order, (piece, total) in enumerate(zip(pieces, totals, strict=True)):
        known = [p for p in piece if p is not None]
        weights = [piece[0], piece[1], total - sum(known), piece[3]]
        matrix = np.zeros((len(x_mm), knots))
        for n, weight in enumerate(weights):
            matrix[rows, first + n] = np.asarray(weight) / knot_mm**order
        found.append(matrix)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Spline:
    """Fields of three components on one grid."""

    axes: tuple[Axis, Axis, Axis]

    @classmethod
    def over(
        cls, shape: tuple[int, ...], spacing_mm: NDArray[np.float64], knot_mm: float, cell: int
    ) -> "Spline":
        """The splines of a grid of `shape`."""
        z, y, x = (axis(n, float(s), knot_mm, cell) for n, s in zip(shape, spacing_mm, strict=True))
        return cls((z, y, x))

    @property
    def coefficients_shape(self) -> tuple[int, int, int, int]:
        """(3, slice knots, row knots, column knots)."""
        z, y, x = (a.basis.shape[1] for a in self.axes)
        return (3, z, y, x)

    @property
    def cells_shape(self) -> tuple[int, int, int]:
        """How many cells along slice, row and column."""
        z, y, x = (a.cells.shape[0] for a in self.axes)
        return (z, y, x)

    def field(self, coefficients: Floats) -> Floats:
        """(3, slices, rows, columns) at every voxel."""
        return _separable([a.basis for a in self.axes], coefficients)

    def cell_means(self, coefficients: Floats) -> Floats:
        """(3, cells…): the field averaged over each cell."""
        return _separable([a.cells for a in self.axes], coefficients)

    def gathered(self, forces: Floats) -> Floats:
        """The transpose of `cell_means`: forces on cells as forces on coefficients."""
        return _separable([a.cells.T.tocsr() for a in self.axes], forces)

    def bending(self, coefficients: Floats) -> Floats:
        """Half the derivative of the bending energy by the coefficients."""
        (z, y, x) = (a.gram for a in self.axes)
        terms = ((1, 2, 0, 0), (1, 0, 2, 0), (1, 0, 0, 2), (2, 1, 1, 0), (2, 1, 0, 1), (2, 0, 1, 1))
        total = np.zeros_like(coefficients)
        for factor, i, j, k in terms:
            total += np.float32(factor) * _separable([z[i], y[j], x[k]], coefficients)
        return total

    def fitted(self, field: Floats) -> Floats:
        """The coefficients whose field is nearest to `field` in least squares."""
        inverses = [np.linalg.pinv(a.basis.toarray()).astype(np.float32) for a in self.axes]
        return _separable(inverses, field)


def _separable(matrices: list[Floats] | list[sparse.csr_array], array: Floats) -> Floats:
    """Apply one matrix along each of the last three axes of (3, z, y, x)."""
    for matrix in matrices:
        front = np.moveaxis(array, 1, 0)
        flat = np.asarray(matrix @ np.ascontiguousarray(front).reshape(front.shape[0], -1))
        array = np.moveaxis(flat.reshape(flat.shape[0], *front.shape[1:]), 0, -1)
    return np.ascontiguousarray(array)

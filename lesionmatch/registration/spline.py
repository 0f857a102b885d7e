"""Smooth displacement fields: separable cubic B-splines, and how much they bend.

A field on a grid is ``u = sum of c_ijk B_i(z) B_j(y) B_k(x)``: three small matrices, one an
axis, applied in turn. Its bending energy, the integral of the squared second derivatives
(u_zz² + u_yy² + u_xx² + 2 u_zy² + 2 u_zx² + 2 u_yx²), is exact and quadratic in c:
with the Gram matrices Z_n, Y_n and X_n of the splines' n-th derivatives it is that of

    Z_2 (x) Y_0 (x) X_0  +  Z_1 (x) 2 (Y_1 (x) X_0 + Y_0 (x) X_1)
                         +  Z_0 (x) (Y_2 (x) X_0 + Y_0 (x) X_2 + 2 Y_1 (x) X_1),

(x) the Kronecker product: what acts within a slice is one small matrix, made once. It does not
mind any affine part, which is fitted before. Rueckert et al. 1999, doi 10.1109/42.796284.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Grams = tuple[Floats, Floats, Floats]
"""(knots, knots) each: integrals of products of the splines, their slopes and curvatures."""

_GAUSS_PER_KNOT = 8
"""Midpoints an interval is integrated at; the squares of cubics want few."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The splines of one axis of a grid."""

    basis: Floats
    """(knots, samples): each knot's spline at each voxel."""
    cells: Floats
    """(knots, cells): the same, averaged over runs of voxels."""
    gram: Grams


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
    return Axis(
        at_voxels.T.astype(np.float32), averaged.T.astype(np.float32), (first, second, third)
    )


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
    within_slices: Grams
    """(row and column knots, the same): what Z_0, Z_1 and Z_2 go with (see the module)."""

    @classmethod
    def over(
        cls, shape: tuple[int, ...], spacing_mm: NDArray[np.float64], knot_mm: float, cell: int
    ) -> "Spline":
        """The splines of a grid of `shape`."""
        z, y, x = (axis(n, float(s), knot_mm, cell) for n, s in zip(shape, spacing_mm, strict=True))
        return cls((z, y, x), _within_slices(y.gram, x.gram))

    @property
    def coefficients_shape(self) -> tuple[int, int, int, int]:
        """(3, slice knots, row knots, column knots)."""
        z, y, x = (len(a.basis) for a in self.axes)
        return (3, z, y, x)

    @property
    def cells_shape(self) -> tuple[int, int, int]:
        """How many cells along slice, row and column."""
        z, y, x = (a.cells.shape[1] for a in self.axes)
        return (z, y, x)

    def field(self, coefficients: Floats) -> Floats:
        """(3, slices, rows, columns) at every voxel."""
        return _separable([a.basis for a in self.axes], coefficients)

    def cell_means(self, coefficients: Floats) -> Floats:
        """(3, cells…): the field averaged over each cell."""
        return _separable([a.cells for a in self.axes], coefficients)

    def gathered(self, forces: Floats) -> Floats:
        """The transpose of `cell_means`: forces on cells as forces on coefficients."""
        return _separable([a.cells.T for a in self.axes], forces)

    def bending(self, coefficients: Floats) -> Floats:
        """Half the derivative of the bending energy by the coefficients."""
        flat = coefficients.reshape(3, len(self.axes[0].basis), -1)
        total = np.zeros_like(flat)
        for slices, within in zip(self.axes[0].gram, self.within_slices, strict=True):
            total += slices @ (flat @ within)
        return total.reshape(coefficients.shape)

    def fitted(self, field: Floats) -> Floats:
        """The coefficients whose field is nearest to `field` in least squares."""
        inverses = [np.linalg.pinv(a.basis).astype(np.float32) for a in self.axes]
        return _separable(inverses, field)


def _within_slices(y: Grams, x: Grams) -> Grams:
    """(row and column knots, the same): what goes with Z_0, Z_1 and Z_2 (see the module)."""
    none = np.kron(y[2], x[0]) + np.kron(y[0], x[2]) + 2 * np.kron(y[1], x[1])
    one = 2 * (np.kron(y[1], x[0]) + np.kron(y[0], x[1]))
    return none, one, np.kron(y[0], x[0])


def _separable(matrices: list[Floats], array: Floats) -> Floats:
    """(3, z, y, x) with each of its last three axes taken through one of (before, after)."""
    z, y, x = matrices
    rows = (array.reshape(-1, len(x)) @ x).reshape(-1, len(y), x.shape[1])
    slices = (y.T @ rows).reshape(3, len(z), -1)
    return (z.T @ slices).reshape(3, z.shape[1], y.shape[1], x.shape[1])

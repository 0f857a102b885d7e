"""How tubular an image is at each place, at several scales at once.

For the eigenvalues ``a >= b >= c`` of the Hessian of an image in which tubes are dips, scaled
by the square of the scale, the strength of a tube is ``b - |c|``: nearly ``b`` for a tube
(a = b > 0 = c), and nothing for a ball (a = b = c) or a sheet (b = c = 0). After Sato et
al., Med Image Anal 1998;2:143 and Frangi et al., MICCAI 1998, but with the weakest direction
taken off, because a lesion must be no vessel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.liver.morphology import Values, Voxels

SCALES_MM = (1.6, 2.4, 3.6, 5.4)
"""Gaussian widths; a tube of radius r answers most strongly near r / 1.4."""

_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Tubes:
    """Strength of tubes at the places of a region, (N,) in the order of its voxels."""

    dips: NDArray[np.float32]
    """Of tubes lower than their surroundings; at most 0 where there is none."""
    ridges: NDArray[np.float32]
    """Of tubes higher than their surroundings, which noise makes as often as dips."""


def tubes(values: Values, region: Voxels, grid: Grid) -> Tubes:
    """The strongest tube of any scale at each voxel of `region`, in units of `values`."""
    places = np.nonzero(region)
    dips = np.full(len(places[0]), -np.inf, np.float32)
    ridges = dips.copy()
    for scale_mm in SCALES_MM:
        low, middle, high = eigenvalues(_hessian(values, places, grid, scale_mm))
        np.maximum(dips, middle - np.abs(low), out=dips)
        np.maximum(ridges, -middle - np.abs(high), out=ridges)
    return Tubes(dips, ridges)


def _hessian(
    values: Values, places: tuple[NDArray[np.int_], ...], grid: Grid, scale_mm: float
) -> list[NDArray[np.float32]]:
    """The six second derivatives of `_PAIRS` at some voxels, times the scale squared.

    As differences of neighbours in the smoothed image, which are zero where the image is
    even; derivatives of a Gaussian narrower than a voxel are not.
    """
    soft = ndimage.gaussian_filter(values, scale_mm / grid.spacing_mm, truncate=3.0)
    room = np.pad(soft, 1, mode="edge")
    parts = []
    for i, j in _PAIRS:
        second = _second_difference(room, i, j)[places]
        parts.append(second * np.float32(scale_mm**2 / (grid.spacing_mm[i] * grid.spacing_mm[j])))
    return parts


def _second_difference(room: Values, i: int, j: int) -> Values:
    """Along axes i and j at every voxel but the outermost of `room`, per voxel squared."""

    def moved(a: int, b: int) -> Values:
        """`room` seen from a step of a along i and of b along j."""
        steps = [0, 0, 0]
        steps[i] += a
        steps[j] += b
        return room[tuple(slice(1 + n, s - 1 + n) for n, s in zip(steps, room.shape, strict=True))]

    if i == j:
        return moved(1, 0) + moved(-1, 0) - 2.0 * moved(0, 0)
    return (moved(1, 1) + moved(-1, -1) - moved(1, -1) - moved(-1, 1)) / 4.0


def eigenvalues(parts: list[NDArray[np.float32]]) -> tuple[NDArray[np.float32], ...]:
    """Eigenvalues, ascending, of symmetric 3x3 matrices given as xx, yy, zz, xy, xz, yz.

    In closed form (Smith, Commun ACM 1961;4:168), for millions of them at once.
    """
    xx, yy, zz, xy, xz, yz = parts
    mean = (xx + yy + zz) / 3.0
    xx, yy, zz = xx - mean, yy - mean, zz - mean
    off = xy * xy + xz * xz + yz * yz
    size = np.sqrt((xx * xx + yy * yy + zz * zz + 2.0 * off) / 6.0)
    size = np.maximum(size, np.finfo(np.float32).tiny ** 0.25)
    determinant = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    angle = np.arccos(np.clip(determinant / (2.0 * size**3), -1.0, 1.0)) / 3.0
    high = mean + 2.0 * size * np.cos(angle)
    low = mean + 2.0 * size * np.cos(angle + 2.0 * np.pi / 3.0)
    return low, 3.0 * mean - low - high, high

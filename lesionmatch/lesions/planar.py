"""The long and the short axis of a region in the plane it was drawn in."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

from lesionmatch.image import Mask


def axes_mm(mask: Mask) -> tuple[float, float]:
    """Longest in-plane diameter over all slices, and the longest across it in that slice.

    The outline runs half way between a voxel of the region and its neighbour that is not.
    Where several slices share the longest, the one with the longest short axis is taken.
    """
    spacing = mask.grid.spacing_mm[1:]
    slices = [plane for plane in mask.array if plane.any()]
    return max(_plane_axes_mm(_outline_mm(plane, spacing)) for plane in slices)


def _outline_mm(plane: NDArray[np.bool_], spacing_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) corners of the convex hull of the outline of a plane, in order around it."""
    padded = np.pad(plane, 1)
    points = []
    for axis in (0, 1):
        for step in (-1, 1):
            edge = padded & ~np.roll(padded, -step, axis)
            half = np.zeros(2)
            half[axis] = step / 2.0
            points.append(np.argwhere(edge) + half)
    outline = np.concatenate(points) * spacing_mm
    return np.asarray(outline[ConvexHull(outline).vertices])


def _plane_axes_mm(hull_mm: NDArray[np.float64]) -> tuple[float, float]:
    """Diameter of a convex polygon, and its longest chord perpendicular to it."""
    distances = squareform(pdist(hull_mm))
    first, second = np.unravel_index(distances.argmax(), distances.shape)
    long_mm = float(distances[first, second])
    along = (hull_mm[second] - hull_mm[first]) / long_mm
    across = np.array([-along[1], along[0]])
    s, t = (hull_mm - hull_mm[first]) @ along, (hull_mm - hull_mm[first]) @ across
    # A chord's length along the axis is concave and bends only at corners.
    return long_mm, float(np.max(_chain(s, t, t >= 0.0) - _chain(s, t, t <= 0.0)))


def _chain(
    s: NDArray[np.float64], t: NDArray[np.float64], side: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Height over every corner of the part of the hull on one side of the long axis."""
    order = np.argsort(s[side], kind="stable")
    return np.asarray(np.interp(s, s[side][order], t[side][order]))

"""Dark lesions that open a hole in the liver's surface, without having been drawn.

A lesion at the capsule leaves a hollow in the bright liver. The space outside is divided at
its edges, as the liver was: a part that is dark, no larger than lesions are, and has the
liver on most of its surface is a lesion. Gallbladder, caval vein, kidney and fissures lie in
troughs, and more than half of their surface is free.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from lesionmatch.geometry import Grid
from lesionmatch.liver.level import DARK_SHARE
from lesionmatch.liver.morphology import Values, Voxels, dilated, eroded, steepness

REACH_MM = 15.0
"""How far outside the liver the space is divided."""
SMOOTHING_MM = 2.0
EVEN_PER_MM = 0.02
"""Slope of brightness, relative to the liver's, below which a place lies in no edge."""
CORE_MM = 3.1
"""A part of the space has a core this far from its edges."""
LEAST_ML, MOST_ML = 0.5, 250.0
LEAST_ENCLOSED = 0.54
"""Share of a part's surface that is liver; half a ball has two thirds of it inside, a
gallbladder less than half."""


def with_hollows(liver: Voxels, ratio: Values, grid: Grid) -> Voxels:
    """`liver` with the hollows that dark lesions left in it; `ratio` is 1 in parenchyma."""
    soft = ndimage.gaussian_filter(ratio, SMOOTHING_MM / grid.spacing_mm)
    slope = steepness(soft, grid)
    even = (slope < EVEN_PER_MM) & ~liver & (soft < DARK_SHARE)
    cores, count = ndimage.label(eroded(even, grid, CORE_MM))
    cores[liver] = count + 1
    space = dilated(liver, grid, REACH_MM) | (cores > 0)
    parts = watershed(slope, cores, mask=space)
    volumes_ml = np.bincount(parts.ravel(), minlength=count + 2) * grid.voxel_ml
    is_lesion = (volumes_ml > LEAST_ML) & (volumes_ml < MOST_ML)
    is_lesion &= _enclosed(parts, count + 1) > LEAST_ENCLOSED
    is_lesion[[0, -1]] = False
    return np.asarray(liver | is_lesion[parts])


def _enclosed(parts: NDArray[np.int32], liver: int) -> NDArray[np.float64]:
    """Share of the surface of each part, by its number, that is the liver's; 0 without any.

    What lies beyond the image is not counted.
    """
    every, inner = np.zeros(liver + 1), np.zeros(liver + 1)
    for axis in range(3):
        line = np.moveaxis(parts, axis, 0)
        for here, there in ((line[1:], line[:-1]), (line[:-1], line[1:])):
            is_surface = (here != there) & (here > 0)
            every += np.bincount(here[is_surface], minlength=liver + 1)
            inner += np.bincount(here[is_surface & (there == liver)], minlength=liver + 1)
    return inner / np.maximum(every, 1.0)

"""Bile that carries the contrast agent, far brighter than liver: gallbladder and duodenum.

Their edge, between bile and the dark around it, is as bright as the liver without being liver.
It would lead around them, and what it encloses be filled.
"""

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.liver.morphology import Voxels, dilated, eroded

RADIUS_MM, RIM_MM = 5.0, 5.0
"""Bile that is thicker than a duct, and how far its edge reaches."""
WITHIN = 0.9
"""What has this share of itself in the liver is a bright lesion, and stays."""


def thick_bile(bright: Voxels, grid: Grid) -> Voxels:
    """The thick parts of what is `bright`, with their edges."""
    return dilated(eroded(bright, grid, RADIUS_MM), grid, RADIUS_MM + RIM_MM)


def bile_beside(bright: Voxels, liver: Voxels, grid: Grid) -> Voxels:
    """Thick bile, of what is `bright`, that only partly lies in the filled `liver`."""
    bile = dilated(eroded(bright, grid, RADIUS_MM), grid, RADIUS_MM)
    labels, count = ndimage.label(bile)
    if not count:
        return bile
    within = ndimage.mean(liver, labels, np.arange(1, count + 1))
    is_beside = np.concatenate([[False], np.asarray(within) < WITHIN])
    return dilated(np.asarray(is_beside[labels]), grid, RIM_MM)

"""Bile ducts, which carry the contrast agent away: thin and brighter than the liver.

Outside the liver they lead to the hilum, inside it they come from there. Gallbladder and
bowel are as bright but thick, and left out, and so are the bright patches of a coarse liver,
which are no brighter than what lies a centimetre around them. A liver that took up little
agent shows none.
"""

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.liver.level import parenchyma_ratio
from lesionmatch.liver.morphology import Values, dilated, eroded
from lesionmatch.liver.work import work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import region_on

SPACING_MM = 2.0
AROUND_MM = 15.0
"""How far from the liver ducts are looked for."""
SURROUNDINGS_MM = 6.0
"""Width of the Gaussian mean that a duct stands out from."""
MOST_RADIUS_MM = 4.5
RIM_MM = 6.0
"""Around what is thick: its edge, and a gallbladder's neck."""
LEAST_ML = 0.08
_TOUCHING = np.ones((3, 3, 3), np.bool_)


def find_ducts(hbp: Image, liver: Mask, rules: LiverRules) -> Points:
    """(N, 3) middles of voxels in ducts in and near `liver`, which lies on the grid of `hbp`.

    None where no bile shows.
    """
    box = liver.box(AROUND_MM)
    image = work_image(hbp.crop(box), SPACING_MM)
    inside = region_on(image.grid, liver.crop(box))
    ratio = parenchyma_ratio(image, inside)
    near = dilated(inside.array, image.grid, AROUND_MM)
    cores = eroded(near & (ratio > rules.bile_brightness), image.grid, MOST_RADIUS_MM)
    thin = near & (_excess(ratio, image.grid) > rules.bile_brightness - 1.0)
    thin &= ~dilated(cores, image.grid, MOST_RADIUS_MM + RIM_MM)
    labels, _ = ndimage.label(thin, _TOUCHING)
    is_large = np.bincount(labels.ravel()) * image.grid.voxel_ml >= LEAST_ML
    is_large[0] = False
    return image.grid.world(np.argwhere(is_large[labels]))


def _excess(ratio: Values, grid: Grid) -> Values:
    """Brightness above the surroundings, of which those darker than liver count as liver."""
    over = np.maximum(ratio, 1.0)
    around = ndimage.gaussian_filter(over, SURROUNDINGS_MM / grid.spacing_mm, truncate=3.0)
    return np.asarray(over - around, np.float32)

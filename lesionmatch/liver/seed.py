"""Where in an image the liver surely is: a bright, even, large region on the right.

A ball is slid through the image; the darkest voxel in it says how bright its place is at
least. At falling levels of this brightness regions appear. A kidney or the heart may be
brighter than a liver at the dark end of the coil, a spleen may be larger than a shrunken
liver: the seed is the region that is best in volume, brightness and side together.
"""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask
from lesionmatch.liver.morphology import Values, Voxels, ball, dilated
from lesionmatch.liver.work import work_image

SPACING_MM = 5.0
BALL_MM = 12.0
"""Fits into a small liver between its vessels and lesions, and hardly into a kidney."""
LEVELS = 24
LEAST_ML, MOST_ML = 10.0, 40.0
"""Of places for the ball's centre; more than the most tells nothing more."""
BRIGHTNESS_POWER = 3.0
SIDE_MM = 25.0
WRONG_SIDE = 0.1
"""Weight of a region far to the patient's left, where that of one on the right is 1."""
BODY_SHARE = 0.1
"""Of the brightest voxels; air is darker."""


def find_seed(hbp: Image) -> Mask | None:
    """The surest part of the liver, on a coarse grid; None where no region is large enough."""
    image = work_image(hbp, SPACING_MM)
    fits = ndimage.grey_erosion(image.array, footprint=ball(BALL_MM, image.grid))
    top = float(np.percentile(fits, 99.9))
    middle = midline_mm(image)
    best, best_score = None, 0.0
    for region in _regions(fits, top, image.grid):
        score = _score(region, fits, top, image.grid, middle)
        if score > best_score:
            best, best_score = region, score
    if best is None:
        return None
    return Mask(image.grid, dilated(best, image.grid, BALL_MM - SPACING_MM))


def midline_mm(image: Image) -> float:
    """x of the middle of the body, between its outermost voxels on either side."""
    body = image.array > BODY_SHARE * float(np.percentile(image.array, 99.5))
    x = image.grid.world(np.argwhere(body))[:, 0]
    return float(np.percentile(x, [1.0, 99.0]).mean()) if x.size else image.grid.centre_mm[0]


def _regions(fits: Values, top: float, grid: Grid) -> Iterator[Voxels]:
    """The regions of every level that are large enough."""
    for level in np.linspace(0.95, 0.25, LEVELS) * top:
        labels, count = ndimage.label(fits > level)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        for label in range(1, count + 1):
            if sizes[label] * grid.voxel_ml >= LEAST_ML:
                yield labels == label


def _score(region: Voxels, fits: Values, top: float, grid: Grid, midline_mm: float) -> float:
    volume_ml = min(np.count_nonzero(region) * grid.voxel_ml, MOST_ML)
    brightness = float(fits[region].mean()) / top
    left_mm = float(grid.world(np.argwhere(region))[:, 0].mean()) - midline_mm
    side = WRONG_SIDE + (1.0 - WRONG_SIDE) / (1.0 + np.exp(np.clip(left_mm / SIDE_MM, -20, 20)))
    return float(volume_ml * brightness**BRIGHTNESS_POWER * side)

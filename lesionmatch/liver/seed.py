"""Where in an image the liver surely is: a bright, even, large region on the right.

A ball is slid through the image; the darkest voxel in it says how bright its place is at
least. At falling levels of this brightness regions appear. A kidney or the heart may be
brighter than a liver at the dark end of the coil, a spleen may be larger than a shrunken
liver, and where the MRI shows a part of the liver only, a kidney is larger too. So the seed is
the region that is best in volume, brightness, side, in having no twin across the midline, as
kidneys have one, and in lying near the drawn lesions, together. Lesions are a hint and no more:
they weigh between regions, so that wrong ones do not make another organ the liver.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.liver.mirror import MEDIAN_MM, has_twin, midline_mm, room_for_ball
from lesionmatch.liver.morphology import Values, Voxels, dilated
from lesionmatch.liver.work import COARSE_MM, work_image
from lesionmatch.resample import resample_mask

BALL_MM = 12.0
"""Fits into a small liver between its vessels and lesions, and hardly into a kidney."""
LEVELS = np.linspace(0.95, 0.25, 24)
"""Shares of the brightest places."""
LEAST_ML, MOST_ML = 10.0, 40.0
"""Of places for the ball's centre; more than the most tells nothing more."""
BRIGHTNESS_POWER = 3.0
LEAST_WEIGHT = 0.2
"""Of a region far to the left, of one that has a twin everywhere, of one far from every lesion."""


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where a ball may lie, and what is known of each place."""

    grid: Grid
    fits: Values
    """Brightness of the darkest voxel of the ball, relative to the brightest places."""
    has_twin: Voxels
    midline_mm: float
    lesions_mm: Points
    """(N, 3) points of the drawn lesions."""


def find_seed(hbp: Image, lesions: Mask | None = None) -> Mask | None:
    """The surest part of the liver, on a coarse grid; None where no region is large enough.

    Drawn `lesions`, on the grid of `hbp`, hint at it.
    """
    places = _places(work_image(hbp, COARSE_MM), lesions)
    best = max(_regions(places), key=lambda region: _score(region, places), default=None)
    if best is None:
        return None
    single = best & ~places.has_twin
    seed = single if np.count_nonzero(single) * places.grid.voxel_ml >= LEAST_ML else best
    return Mask(places.grid, dilated(seed, places.grid, BALL_MM - COARSE_MM))


def _places(image: Image, lesions: Mask | None) -> _Places:
    grid, midline = image.grid, midline_mm(image)
    fits = room_for_ball(image, BALL_MM)
    fits /= max(float(np.percentile(fits, 99.9)), 1e-30)
    drawn = None if lesions is None else np.argwhere(resample_mask(lesions, grid) > 0.0)
    points = np.empty((0, 3)) if drawn is None else grid.world(drawn)
    return _Places(grid, fits, has_twin(fits, grid, midline), midline, points)


def _regions(places: _Places) -> Iterator[Voxels]:
    """The regions of every level that are large enough."""
    for level in LEVELS:
        labels, count = ndimage.label(places.fits > level)
        sizes_ml = np.bincount(labels.ravel(), minlength=count + 1) * places.grid.voxel_ml
        for label in np.flatnonzero(sizes_ml[1:] >= LEAST_ML) + 1:
            yield labels == label


def _score(region: Voxels, places: _Places) -> float:
    volume_ml = min(np.count_nonzero(region) * places.grid.voxel_ml, MOST_ML)
    brightness = float(places.fits[region].mean()) ** BRIGHTNESS_POWER
    points = places.grid.world(np.argwhere(region))
    left = (float(points[:, 0].mean()) - places.midline_mm) / MEDIAN_MM
    is_right = 1.0 / (1.0 + np.exp(np.clip(left, -20.0, 20.0)))
    is_single = 1.0 - float(places.has_twin[region].mean())
    is_near = _share_near(places.lesions_mm, points)
    shares = np.array([is_right, is_single, is_near])
    return float(volume_ml * brightness * np.prod(LEAST_WEIGHT + (1.0 - LEAST_WEIGHT) * shares))


def _share_near(lesions_mm: Points, region_mm: Points) -> float:
    """Share of the lesions near the balls that lie in a region; 1 without lesions."""
    if not len(lesions_mm):
        return 1.0
    distance = np.asarray(cKDTree(region_mm).query(lesions_mm)[0], np.float64)
    return float((distance < 2.0 * BALL_MM).mean())

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
TWIN_MM, TWIN_BRIGHTNESS = 20.0, 0.75
"""A place has a twin where a ball about as bright fits this near to its mirror image."""
MEDIAN_MM = 25.0
"""What lies so near to the midline is its own twin."""
TWINNED = 0.2
"""Weight of a region that has a twin everywhere."""
NEAR_LESION_MM = 12.0
FAR_FROM_LESIONS = 0.2
"""Weight of a region without any of the drawn lesions near it."""
MOST_POINTS = 500


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
    places = _places(work_image(hbp, SPACING_MM), lesions)
    best, best_score = None, 0.0
    for region in _regions(places.fits, places.grid):
        score = _score(region, places)
        if score > best_score:
            best, best_score = region, score
    if best is None:
        return None
    single = best & ~places.has_twin
    seed = single if np.count_nonzero(single) * places.grid.voxel_ml >= LEAST_ML else best
    return Mask(places.grid, dilated(seed, places.grid, BALL_MM - SPACING_MM))


def _places(image: Image, lesions: Mask | None) -> _Places:
    fits = ndimage.grey_erosion(image.array, footprint=ball(BALL_MM, image.grid))
    fits = np.asarray(fits / max(float(np.percentile(fits, 99.9)), 1e-30), np.float32)
    middle = midline_mm(image)
    drawn = np.empty((0, 3)) if lesions is None else lesions.points_mm()
    drawn = drawn[:: max(1, len(drawn) // MOST_POINTS)]
    return _Places(image.grid, fits, _has_twin(fits, image.grid, middle), middle, drawn)


def _has_twin(fits: Values, grid: Grid, midline_mm: float) -> Voxels:
    """Where the mirror image across the midline is about as bright, or brighter."""
    near = ndimage.grey_dilation(fits, footprint=ball(TWIN_MM, grid))
    points = grid.world(np.indices(grid.shape).reshape(3, -1).T)
    mirrored = points * (-1.0, 1.0, 1.0) + (2.0 * midline_mm, 0.0, 0.0)
    there = ndimage.map_coordinates(near, grid.voxels(mirrored).T, order=1, cval=0.0)
    is_lateral = np.abs(points[:, 0] - midline_mm) > MEDIAN_MM
    alike = there > TWIN_BRIGHTNESS * fits.ravel()
    return np.asarray((is_lateral & alike).reshape(grid.shape))


def midline_mm(image: Image) -> float:
    """x of the middle of the body, between its outermost voxels on either side."""
    body = image.array > BODY_SHARE * float(np.percentile(image.array, 99.5))
    x = image.grid.world(np.argwhere(body))[:, 0]
    return float(np.percentile(x, [1.0, 99.0]).mean()) if x.size else image.grid.centre_mm[0]


def _regions(fits: Values, grid: Grid) -> Iterator[Voxels]:
    """The regions of every level that are large enough."""
    for level in np.linspace(0.95, 0.25, LEVELS):
        labels, count = ndimage.label(fits > level)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        for label in range(1, count + 1):
            if sizes[label] * grid.voxel_ml >= LEAST_ML:
                yield labels == label


def _score(region: Voxels, places: _Places) -> float:
    volume_ml = min(np.count_nonzero(region) * places.grid.voxel_ml, MOST_ML)
    brightness = float(places.fits[region].mean())
    points = places.grid.world(np.argwhere(region))
    left_mm = float(points[:, 0].mean()) - places.midline_mm
    side = WRONG_SIDE + (1.0 - WRONG_SIDE) / (1.0 + np.exp(np.clip(left_mm / SIDE_MM, -20, 20)))
    single = 1.0 - (1.0 - TWINNED) * float(places.has_twin[region].mean())
    hint = _share_near(places.lesions_mm, points)
    return float(volume_ml * brightness**BRIGHTNESS_POWER * side * single * hint)


def _share_near(lesions_mm: Points, region_mm: Points) -> float:
    """Weight of a region by the share of the lesions near the balls that lie in it."""
    if not len(lesions_mm):
        return 1.0
    distance = np.asarray(cKDTree(region_mm).query(lesions_mm)[0], np.float64)
    share = float((distance < BALL_MM + NEAR_LESION_MM).mean())
    return FAR_FROM_LESIONS + (1.0 - FAR_FROM_LESIONS) * share

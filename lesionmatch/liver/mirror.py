"""The body's midline, and what has a twin across it: kidneys have, liver and spleen have none."""

import numpy as np
from scipy import ndimage

from lesionmatch.balls import ball, highest_within, lowest_within
from lesionmatch.geometry import Grid
from lesionmatch.image import Image
from lesionmatch.liver.morphology import Values, Voxels

AIR_SHARE = 0.1
"""Of the brightest voxels of an MRI; air is darker."""
TWIN_MM, TWIN_SHARE = 25.0, 0.75
"""A place has a twin where something this nearly as bright lies this near to its mirror image."""
MEDIAN_MM = 25.0
"""What lies so near to the midline is its own twin."""


def midline_mm(image: Image, air_below: float | None = None) -> float:
    """x of the middle of the body, between its outermost voxels on either side.

    `air_below` is brighter than any air; of an MRI it is known.
    """
    if air_below is None:
        air_below = AIR_SHARE * float(np.percentile(image.array, 99.5))
    x = image.grid.world(np.argwhere(image.array > air_below))[:, 0]
    return float(np.percentile(x, [1.0, 99.0]).mean()) if x.size else float(image.grid.centre_mm[0])


def room_for_ball(image: Image, radius_mm: float) -> Values:
    """Brightness of the darkest voxel of a ball around each voxel.

    It is low at every border, so that organs that touch are apart.
    """
    return lowest_within(np.asarray(image.array, np.float32), ball(radius_mm, image.grid))


def has_twin(values: Values, grid: Grid, midline: float, others: Values | None = None) -> Voxels:
    """Where `values` are matched, or exceeded, at the mirror image across the midline.

    There `others` count where they are given, e.g. `values` without what cannot be a twin.
    """
    others = values if others is None else others
    near = highest_within(others, ball(TWIN_MM, grid))
    points = grid.world(np.indices(grid.shape).reshape(3, -1).T)
    mirrored = points * (-1.0, 1.0, 1.0) + (2.0 * midline, 0.0, 0.0)
    there = ndimage.map_coordinates(near, grid.voxels(mirrored).T, order=1, cval=0.0)
    is_lateral = np.abs(points[:, 0] - midline) > MEDIAN_MM
    return np.asarray((is_lateral & (there > TWIN_SHARE * values.ravel())).reshape(grid.shape))

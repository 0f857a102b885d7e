"""How far a focus reaches: down to a threshold between its maximum and the liver around it."""

import numpy as np
from scipy import ndimage

from lesionmatch.foci.field import Field
from lesionmatch.foci.filters import Where, ball
from lesionmatch.image import Mask
from lesionmatch.protocol import FociRules

TOP_WITHIN_MM = 4.0
"""The brightest voxel of a focus lies this near the peak of its statistic."""

Voxel = tuple[int, ...]


def extents(field: Field, peaks: list[Voxel], rules: FociRules) -> list[Mask]:
    """The region of each peak; a voxel several of them reach belongs to the nearest peak."""
    reach = [_reach(field, peak, rules) for peak in peaks]
    if len(reach) > 1:
        nearest = _nearest(field, peaks)
        reach = [region & (nearest == n) for n, region in enumerate(reach)]
    return [Mask(field.grid, region).trimmed() for region in reach]


def _reach(field: Field, peak: Voxel, rules: FociRules) -> Where:
    base = float(field.background[peak])
    seed = _only(field, peak)
    near = ndimage.binary_dilation(seed, ball(TOP_WITHIN_MM, field.grid))
    top = float(field.suv[near].max())
    bright = field.suv > base + rules.extent_fraction * (top - base)
    labels, _ = ndimage.label(bright | seed)
    return np.asarray(labels == labels[peak])


def _only(field: Field, peak: Voxel) -> Where:
    region = np.zeros(field.grid.shape, bool)
    region[peak] = True
    return region


def _nearest(field: Field, peaks: list[Voxel]) -> np.ndarray:
    """The number of the nearest peak at each voxel."""
    number = np.zeros(field.grid.shape, np.intp)
    apart = np.ones(field.grid.shape, bool)
    for n, peak in enumerate(peaks):
        number[peak] = n
        apart[peak] = False
    at = ndimage.distance_transform_edt(
        apart, sampling=field.grid.spacing_mm, return_distances=False, return_indices=True
    )
    return np.asarray(number[tuple(at)])

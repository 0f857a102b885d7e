"""The brightness liver has, or would have, at each place of an image.

A coil's sensitivity changes over decimetres, vessels and lesions over millimetres to
centimetres. The level is an exponential slope, which goes on beyond the liver, times a wide
Gaussian mean of what is left; both over liver that is neither dark nor bright, which is
decided by the level itself: three rounds suffice. It is so smooth that coarse voxels hold all
of it.
"""

import numpy as np
from scipy import ndimage

from lesionmatch.image import Image, Mask
from lesionmatch.liver.morphology import Values, Voxels
from lesionmatch.liver.work import COARSE_MM, work_image
from lesionmatch.resample import region_on, resample

LEVEL_SIGMA_MM = 20.0
PATCH_SIGMA_MM = 7.0
"""Wider than a vein, narrower than the patches of a coarse liver."""
FIRST_DARK_SHARE, DARK_SHARE = 0.7, 0.88
BRIGHT_SHARE = 1.25
"""Parenchyma is brighter than the first two, at first the lower one, and darker than this."""
ROUNDS = 3
MOST_LOG = 1.5
"""The slope is held beyond this, a factor of 4.5 from its middle, as nothing tells it there."""
LEAST_SHARE = 1e-3
"""Of the brightest level, below which no level falls, so that it can be divided by."""


def parenchyma_ratio(image: Image, liver: Mask) -> Values:
    """`image` over the brightness that healthy liver would have at each of its voxels."""
    level = parenchyma_level(image, liver)
    return np.asarray(image.array / level, np.float32)


def evened(image: Image, liver: Mask) -> Values:
    """`parenchyma_ratio` without the patches of a coarse liver, which are wider than its veins."""
    ratio = Image(image.grid, parenchyma_ratio(image, liver), image.quantity)
    # Of a ratio the level is 1 to begin with, so that a gallbladder never counts as liver.
    level = parenchyma_level(ratio, liver, PATCH_SIGMA_MM, DARK_SHARE)
    return np.asarray(ratio.array / level, np.float32)


def parenchyma_level(
    image: Image,
    liver: Mask,
    sigma_mm: float = LEVEL_SIGMA_MM,
    first_share: float = FIRST_DARK_SHARE,
) -> Values:
    """Brightness healthy liver would have at each voxel of `image`; positive.

    A mean of `sigma_mm` over what is brighter than a share of it, at first `first_share`.
    """
    coarse = work_image(image, COARSE_MM)
    values = _level(coarse, region_on(coarse.grid, liver), sigma_mm, first_share)
    level = Image(coarse.grid, values, image.quantity)
    fine = resample(level, image.grid, outside=float(np.median(level.array))).array
    floor = max(LEAST_SHARE * float(fine.max()), float(np.finfo(np.float32).tiny))
    return np.asarray(np.maximum(fine, np.float32(floor)), np.float32)


def _level(image: Image, liver: Mask, sigma_mm: float, first_share: float) -> Values:
    values, sigma = image.array, sigma_mm / image.grid.spacing_mm
    level: Values = np.full(values.shape, np.median(values), np.float32)
    if liver.is_empty:
        return level
    level[:] = np.median(values[liver.array])
    for share in np.linspace(first_share, DARK_SHARE, ROUNDS):
        usable = liver.array & (values > share * level) & (values < BRIGHT_SHARE * level)
        if not usable.any():
            break
        slope = _slope(values, usable)
        weight = ndimage.gaussian_filter(usable.astype(np.float32), sigma, truncate=3.0)
        rest = np.where(usable, values / slope, 0.0)
        total = ndimage.gaussian_filter(rest, sigma, truncate=3.0)
        # Far from usable liver the weight vanishes and the slope alone is left.
        level = (slope * (total + 1e-3) / (weight + 1e-3)).astype(np.float32)
    return level


def _slope(values: Values, usable: Voxels) -> Values:
    """The exponential of a linear function of place, fitted to `values` where `usable`."""
    places = np.argwhere(usable)
    middle = places.mean(0)
    terms = np.column_stack([places - middle, np.ones(len(places))])
    logs = np.log(np.maximum(values[usable], np.finfo(np.float32).tiny))
    *slopes, height = np.linalg.lstsq(terms, logs, rcond=None)[0]
    z, y, x = (
        slope * (np.arange(n) - m) for slope, n, m in zip(slopes, values.shape, middle, strict=True)
    )
    log = height + z[:, None, None] + y[:, None] + x
    return np.asarray(np.exp(np.clip(log, height - MOST_LOG, height + MOST_LOG)), np.float32)

"""The brightness of the parenchyma as it varies over the liver, and what is dark against it.

A coil's sensitivity changes over decimetres, vessels and lesions over millimetres to
centimetres. The level is a wide Gaussian mean over liver that is neither dark nor bright,
which is decided by the level itself: three rounds suffice. It is so smooth that voxels of
5 mm hold all of it.
"""

import numpy as np
from scipy import ndimage

from lesionmatch.image import Image, Mask
from lesionmatch.liver.morphology import Values
from lesionmatch.liver.work import work_image
from lesionmatch.resample import region_on, resample

SPACING_MM = 5.0
LEVEL_SIGMA_MM = 20.0
PATCH_SIGMA_MM = 7.0
"""Wider than a vein, narrower than the patches of a coarse liver."""
FIRST_DARK_SHARE, DARK_SHARE = 0.7, 0.88
BRIGHT_SHARE = 1.2
ROUNDS = 3
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
    coarse = work_image(image, SPACING_MM)
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
        weight = ndimage.gaussian_filter(usable.astype(np.float32), sigma, truncate=3.0)
        total = ndimage.gaussian_filter(np.where(usable, values, 0.0), sigma, truncate=3.0)
        overall = float(np.median(values[usable]))
        # Far from usable liver the weight vanishes and the overall level takes over.
        level = ((total + 1e-3 * overall) / (weight + 1e-3)).astype(np.float32)
    return level

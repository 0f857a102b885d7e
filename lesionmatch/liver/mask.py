"""The liver found on a hepatobiliary-phase image, without a trained network.

The liver is the largest thing in the upper abdomen that is bright and even. Where a ball
fits into brightness over the largest volume is liver; its own brightness gives the coil's
sensitivity, and with that divided out, whatever is as bright and hangs together with it by
more than a thin bridge is liver too. The surface is then set, voxel by voxel, half way
between the liver's brightness and that of what lies outside at this place. Vessels,
lesions and narrow clefts within it are closed and filled.
"""

import numpy as np
from scipy import ndimage

from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask
from lesionmatch.liver.coil import sensitivity
from lesionmatch.liver.morphology import (
    Values,
    Voxels,
    ball,
    closed,
    dilated,
    eroded,
    filled,
    largest_piece,
)
from lesionmatch.liver.work import work_image
from lesionmatch.protocol import Protocol
from lesionmatch.resample import resample_mask

SEED_SPACING_MM = 5.0
SEED_BALL_MM = 15.0
"""Fits into a liver between its vessels and lesions, and hardly into a kidney."""
SEED_ML = 40.0
"""Of places for the ball's centre."""
WORK_SPACING_MM = 2.5
NECK_MM = 5.0
"""Half the width of a bridge over which the liver is not followed."""
ROUNDS = 3
BRIGHT_LEAST, BRIGHT_MOST = 0.72, 0.9
"""Between these lies the share of the liver's brightness that still is liver while growing."""
TOO_BRIGHT = 1.25
"""Bile, gallbladder and the kidney's pelvis are brighter than this."""
NOISE_SDS = 4.0
VESSEL_GAP_MM = 4.0
BAND_MM = 5.0
OUTSIDE_MM = 4.0
LEAST_SHARE = 0.2
"""Of the least plausible volume: below it there is nothing to doubt, only nothing found."""


def find_liver(hbp: Image, protocol: Protocol, *, lesions: Mask | None = None) -> Mask:
    """The liver on `hbp`, filled, on its grid; drawn `lesions` on that grid belong to it.

    Raises `InvalidInput` where nothing in the image is bright, even and large enough.
    """
    image = work_image(hbp, WORK_SPACING_MM)
    core = resample_mask(_seed(hbp), image.grid) >= 0.5
    for _ in range(ROUNDS):
        ratio = image.array / sensitivity(image, core)
        core = _grown(ratio, core, image.grid)
    bright = Mask(image.grid, core)
    box = hbp.grid.box_around(bright.points_mm(), 4 * BAND_MM)
    fine = _refined(hbp.crop(box), bright)
    if lesions is not None:
        fine |= lesions.crop(box).array
    liver = Mask(hbp.grid.crop(box), _whole(fine, hbp.grid.crop(box))).on(hbp.grid)
    if liver.volume_ml < LEAST_SHARE * protocol.liver.volume_least_ml:
        raise _not_found(f"one of {liver.volume_ml:.0f} ml")
    return liver


def _seed(hbp: Image) -> Mask:
    """Where a ball fits into the brightest large volume."""
    image = work_image(hbp, SEED_SPACING_MM)
    fits = ndimage.grey_erosion(image.array, footprint=ball(SEED_BALL_MM, image.grid))
    top = float(np.percentile(fits, 99.9))
    for share in np.arange(0.95, 0.3, -0.05):
        seed = largest_piece(fits > share * top)
        if np.count_nonzero(seed) * image.grid.voxel_ml >= SEED_ML:
            return Mask(image.grid, dilated(seed, image.grid, SEED_BALL_MM - SEED_SPACING_MM))
    raise _not_found("none")


def _not_found(got: str) -> InvalidInput:
    return InvalidInput(
        f"liver: wanted a large bright, even region on the hepatobiliary phase, got {got}; "
        "give a mask with --liver"
    )


def _grown(ratio: Values, core: Voxels, grid: Grid) -> Voxels:
    """What is as bright as the core and hangs together with it by more than a thin bridge."""
    smooth = ndimage.gaussian_filter(ratio, 2.0 / grid.spacing_mm)
    values = smooth[core]
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    least = float(np.clip(1.0 - NOISE_SDS * spread, BRIGHT_LEAST, BRIGHT_MOST))
    bright = (smooth > least) & (smooth < TOO_BRIGHT)
    thick = eroded(bright, grid, NECK_MM)
    main = largest_piece(thick, core & thick)
    return dilated(main, grid, NECK_MM + 1.0) & bright


def _refined(hbp: Image, bright: Mask) -> Voxels:
    """`bright` on the grid of `hbp`, its surface half way between liver and outside."""
    grid = hbp.grid
    inside = resample_mask(bright, grid) >= 0.5
    ratio = hbp.array / sensitivity(hbp, inside)
    ratio = ndimage.gaussian_filter(ratio, 0.6)
    near = dilated(inside, grid, BAND_MM)
    deep = eroded(inside, grid, BAND_MM)
    shell = dilated(inside, grid, 2.0 * BAND_MM) & ~dilated(inside, grid, 3.0)
    sigma = OUTSIDE_MM / grid.spacing_mm
    weight = ndimage.gaussian_filter(shell.astype(np.float32), sigma) + 1e-3
    outside = ndimage.gaussian_filter(np.where(shell, ratio, 0.0), sigma)
    outside = (outside + 1e-3 * 0.3) / weight
    middle = np.clip((1.0 + outside) / 2.0, 0.5, 0.92)
    return np.asarray(deep | (near & (ratio > middle) & (ratio < TOO_BRIGHT)))


def _whole(bright: Voxels, grid: Grid) -> Voxels:
    """The liver with its vessels, lesions and what else lies within."""
    return filled(largest_piece(closed(bright, grid, VESSEL_GAP_MM)))

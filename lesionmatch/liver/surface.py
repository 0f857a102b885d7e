"""The liver's surface on the voxels of the image: half way between it and what lies outside."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.morphology import Values, Voxels, filled, large_pieces
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm, resample, resample_mask

BAND_MM = 5.0
"""The surface lies at most this far from that on the working grid."""
OUTSIDE_MM = (3.0, 10.0)
"""The shell whose brightness is that of the outside."""
OUTSIDE_SIGMA_MM = 4.0
USUAL_OUTSIDE = 0.3
LEAST_PIECE = 0.03
"""Of the largest piece: a left lobe may lie apart, what is smaller is a scrap."""


@dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """The liver on the working grid, around it."""

    grid: Grid
    whole: Voxels
    """With what lies within it."""
    bright: Voxels
    """Parenchyma and drawn lesions."""
    level: Values
    """Brightness of parenchyma at each place."""
    ratio: Values
    """The image over `level`."""
    bile: Voxels
    """A gallbladder or bowel beside the liver, which is not to be filled again."""


def on_image(hbp: Image, coarse: Coarse, lesions: Mask | None, rules: LiverRules) -> Mask:
    """The liver on the grid of `hbp`, with drawn `lesions` on that grid."""
    whole = Mask(coarse.grid, coarse.whole)
    box = hbp.grid.box_around(whole.points_mm(), 2.0 * BAND_MM)
    image = hbp.crop(box)
    deep = _depth(whole)
    # What is dark within, vessels and lesions, has its surface on the working grid.
    dark = np.where(coarse.bright, -1.0, np.minimum(deep, 1.0))
    depth, inner, level, middle = (
        resample(Image(coarse.grid, values, Quantity.ARBITRARY), image.grid, outside=-99.0).array
        for values in (deep, dark, coarse.level, _middle(coarse.ratio, deep, coarse.grid))
    )
    ratio = ndimage.gaussian_filter(image.array, 0.6) / np.maximum(level, 1e-6)
    is_liver = (depth > BAND_MM) | ((depth > 0.0) & (inner > 0.0))
    bile = resample_mask(Mask(coarse.grid, coarse.bile), image.grid) >= 0.5
    is_bright = (ratio > middle) & (ratio < rules.bile_brightness)
    is_liver |= (depth > -BAND_MM) & is_bright & ~bile
    if lesions is not None:
        is_liver |= lesions.crop(box).array
    found = filled(large_pieces(is_liver, LEAST_PIECE)) & (is_liver | ~bile)
    return Mask(image.grid, found).on(hbp.grid)


def _middle(ratio: Values, depth: Values, grid: Grid) -> Values:
    """The brightness half way between the liver and its surroundings, at each place."""
    near_mm, far_mm = OUTSIDE_MM
    shell = (depth < -near_mm) & (depth > -far_mm)
    sigma = OUTSIDE_SIGMA_MM / grid.spacing_mm
    weight = ndimage.gaussian_filter(shell.astype(np.float32), sigma) + 1e-3
    around = ndimage.gaussian_filter(np.where(shell, ratio, 0.0), sigma) + 1e-3 * USUAL_OUTSIDE
    return np.asarray(np.clip((1.0 + around / weight) / 2.0, 0.5, 0.92), np.float32)


def _depth(mask: Mask) -> Values:
    """Distance to the surface, positive within and negative outside."""
    outer, inner = distance_mm(mask), distance_mm(Mask(mask.grid, ~mask.array))
    half = float(mask.grid.spacing_mm.min()) / 2.0
    return np.asarray(np.where(mask.array, inner - half, half - outer), np.float32)

"""The liver found on a hepatobiliary-phase image, without a trained network.

The liver is the largest thing in the upper abdomen that is bright and even. From a `seed`
it grows over the calm bright `regions` that belong together; vessels, clefts and lesions
within it are closed and filled, and so are the `hollows` of lesions at its surface. All of
this is done on voxels of 3 mm. Then the surface is set on the image's own voxels: half way
between the liver's brightness and that of what lies outside at this place.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.hollows import with_hollows
from lesionmatch.liver.level import parenchyma_level
from lesionmatch.liver.morphology import Values, Voxels, closed, filled, largest_piece
from lesionmatch.liver.regions import parenchyma
from lesionmatch.liver.seed import find_seed
from lesionmatch.liver.work import work_image
from lesionmatch.protocol import LiverRules, Protocol
from lesionmatch.resample import distance_mm, resample, resample_mask

SPACING_MM = 3.0
MARGIN_MM = 20.0
VESSEL_GAP_MM = 4.0
BAND_MM = 5.0
"""The surface lies at most this far from that on the working grid."""
OUTSIDE_MM = (3.0, 10.0)
"""The shell whose brightness is that of the outside."""
OUTSIDE_SIGMA_MM = 4.0
USUAL_OUTSIDE = 0.3
LEAST_SHARE = 0.2
"""Of the least plausible volume: below it there is nothing to doubt, only nothing found."""


@dataclass(frozen=True, slots=True, eq=False)
class _Coarse:
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


def find_liver(hbp: Image, protocol: Protocol, *, lesions: Mask | None = None) -> Mask:
    """The liver on `hbp`, filled, on its grid; drawn `lesions` on that grid belong to it.

    Raises `InvalidInput` where nothing in the image is bright, even and large enough.
    """
    seed = find_seed(hbp, lesions)
    if seed is None:
        raise _not_found("none")
    coarse = _coarse(work_image(hbp, SPACING_MM), seed, lesions, protocol.liver)
    liver = _on_image(hbp, coarse, lesions, protocol.liver)
    if liver.volume_ml < LEAST_SHARE * protocol.liver.volume_least_ml:
        raise _not_found(f"one of {liver.volume_ml:.0f} ml")
    return liver


def _coarse(image: Image, seed: Mask, lesions: Mask | None, rules: LiverRules) -> _Coarse:
    grid = image.grid
    drawn = np.zeros(grid.shape, np.bool_)
    if lesions is not None:
        drawn = resample_mask(lesions, grid) >= 0.5
    found = parenchyma(image, resample_mask(seed, grid) >= 0.5, drawn, rules)
    box = Mask(grid, found.region).box(MARGIN_MM)
    part, bright = image.crop(box), found.region[box]
    level = parenchyma_level(part, Mask(part.grid, found.calm[box]))
    ratio = np.asarray(part.array / level, np.float32)
    whole = filled(closed(bright, part.grid, VESSEL_GAP_MM))
    whole = filled(with_hollows(whole, ratio, part.grid))
    return _Coarse(part.grid, whole, bright, level, ratio)


def _not_found(got: str) -> InvalidInput:
    return InvalidInput(
        f"liver: wanted a large bright, even region on the hepatobiliary phase, got {got}; "
        "give a mask with --liver"
    )


def _on_image(hbp: Image, coarse: _Coarse, lesions: Mask | None, rules: LiverRules) -> Mask:
    """The liver on the grid of `hbp`, its surface half way between it and the outside."""
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
    is_liver |= (depth > -BAND_MM) & (ratio > middle) & (ratio < rules.bile_brightness)
    if lesions is not None:
        is_liver |= lesions.crop(box).array
    return Mask(image.grid, filled(largest_piece(is_liver))).on(hbp.grid)


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

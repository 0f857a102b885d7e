"""The large vessels within the liver, from the hepatobiliary phase itself.

In this phase the parenchyma is bright and blood is dark. A vessel is dark, tubular and
connected: at some scale the second derivatives of the darkness are strong across it in two
directions and weak along it. For eigenvalues ``a >= b >= c`` of the negative Hessian of the
darkness, scaled by the square of the scale, the tube strength is ``b - |c|``: nearly ``b``
for a tube, and nothing for a ball (a = b = c) or a sheet (b = c = 0), so a lesion or the
liver's edge is no vessel (after Sato et al., Med Image Anal 1998;2:143, and Frangi et al.,
MICCAI 1998). From strong places the lumen is grown through what is dark, and pieces that
are short or round are left out.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask
from lesionmatch.liver.level import noise_of, parenchyma_level
from lesionmatch.liver.work import work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm, resample, resample_mask

SPACING_MM = 1.5
MARGIN_MM = 12.0
SCALES_MM = (1.6, 2.4, 3.6, 5.4)
"""Gaussian widths; a tube of radius r answers most strongly near r / 1.4."""
DARK_SDS = 3.0
"""Darkness that noise does not reach once smoothed at the smallest scale."""
GROWTH_MM = 4.0


def find_vessels(hbp: Image, liver: Mask, lesions: Mask | None, rules: LiverRules) -> Mask:
    """Lumen of the large vessels within `liver`, on the grid of `hbp`; empty where none is seen.

    `liver` and `lesions` lie on the grid of `hbp`; lesions are never vessels.
    """
    box = hbp.grid.box_around(liver.points_mm(), MARGIN_MM)
    image = work_image(hbp.crop(box), SPACING_MM)
    inside = resample_mask(liver.crop(box), image.grid) >= 0.5
    if not inside.any():
        return Mask(hbp.grid, np.zeros(hbp.grid.shape, np.bool_))
    drawn = None if lesions is None else resample_mask(lesions.crop(box), image.grid) > 0.1
    lumen = _lumen(image, inside, drawn, rules)
    return _on(hbp.grid, box, image.grid, lumen)


def _lumen(
    image: Image,
    inside: NDArray[np.bool_],
    lesions: NDArray[np.bool_] | None,
    rules: LiverRules,
) -> NDArray[np.bool_]:
    level = parenchyma_level(image.array, inside, image.grid)
    ratio = image.array / level
    darkness = np.where(inside, np.clip(1.0 - ratio, -0.3, 1.0), 0.0).astype(np.float32)
    if lesions is not None:
        darkness[lesions] = 0.0
    least = max(rules.vessel_darkness, DARK_SDS * 0.5 * noise_of(ratio, inside))
    strength = tube_strength(darkness, image.grid, least)
    seeds = strength > 0.5 * least
    smooth = ndimage.gaussian_filter(darkness, 1.0 / image.grid.spacing_mm)
    dark = (smooth > 0.75 * least) & inside
    steps = int(np.ceil(GROWTH_MM / image.grid.spacing_mm.min()))
    grown = ndimage.binary_dilation(seeds & dark, iterations=steps, mask=dark)
    return _long_pieces(grown, image.grid, rules.vessel_length_mm)


def tube_strength(darkness: NDArray[np.float32], grid: Grid, least: float) -> NDArray[np.float32]:
    """How tubular each voxel is, in units of darkness; 0 where it is not dark at that scale."""
    best = np.zeros(darkness.shape, np.float32)
    for scale_mm in SCALES_MM:
        sigma = scale_mm / grid.spacing_mm
        places = np.nonzero(ndimage.gaussian_filter(darkness, sigma) > 0.4 * least)
        hessian = np.empty((len(places[0]), 3, 3), np.float32)
        for i in range(3):
            for j in range(i, 3):
                order = [0, 0, 0]
                order[i] += 1
                order[j] += 1
                second = ndimage.gaussian_filter(darkness, sigma, order=order)[places]
                per_mm2 = grid.spacing_mm[i] * grid.spacing_mm[j]
                hessian[:, i, j] = hessian[:, j, i] = -second * (scale_mm**2 / per_mm2)
        low, middle, _ = np.linalg.eigvalsh(hessian).T
        best[places] = np.maximum(best[places], middle - np.abs(low))
    return best


def _long_pieces(lumen: NDArray[np.bool_], grid: Grid, least_mm: float) -> NDArray[np.bool_]:
    """The connected pieces that are long, and longer than they are thick."""
    labels, count = ndimage.label(lumen, np.ones((3, 3, 3)))
    keep = np.zeros(count + 1, np.bool_)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        piece = np.argwhere(labels[box] == label) * grid.spacing_mm
        length = float(np.linalg.norm(np.ptp(piece, axis=0)))
        volume = len(piece) * grid.voxel_ml * 1000.0
        keep[label] = length >= least_mm and length**3 > SLENDERNESS * volume
    return np.asarray(keep[labels])


SLENDERNESS = 12.0
"""Cube of the length over the volume; about 5 for a ball by its box's diagonal."""


def _on(grid: Grid, box: tuple[slice, slice, slice], part: Grid, lumen: NDArray[np.bool_]) -> Mask:
    array = np.zeros(grid.shape, np.bool_)
    array[box] = resample_mask(Mask(part, lumen), grid.crop(box)) >= 0.5
    return Mask(grid, array)

"""The spleen's uptake on a PET without a mask of it, for the Krenning score.

Somatostatin receptors make the spleen the hottest or second hottest large organ on the
patient's left, next to the left kidney. What is measured are the places around which a ball
fits into something hot: out of the blur of its surface, and apart from a kidney that touches
it. A kidney is known by its twin across the midline and by lying lower. Where nothing is
left, there is no answer rather than a kidney's.
"""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.liver.mirror import has_twin, midline_mm, room_for_ball
from lesionmatch.liver.morphology import Values, Voxels, dilated
from lesionmatch.liver.work import work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import region_on

SPACING_MM = 4.0
BALLS_MM = (8.0, 4.0)
"""The smaller one for a spleen too thin for the other."""
BESIDE_MM = 60.0
"""How far above and below the liver an organ beside it is looked at, so that it is whole."""
SPILL_MM, SMOOTHING_MM = 4.0, 3.0
"""Of the liver's uptake beyond its mask, and against noise."""
AIR_SHARE = 0.04
"""Of the liver's uptake; the body is above it, the air below."""


def spleen_suv_mean(
    suv: Image,
    liver_on_pet: Mask,
    liver_suv: float,
    rules: LiverRules,
    drawn: Mask | None = None,
) -> float | None:
    """Mean SUV deep in the spleen; of `drawn` where a reader drew it. None: not found.

    The masks lie on the grid of `suv`.
    """
    if drawn is not None and not drawn.is_empty:
        return float(suv.array[drawn.array].mean())
    box = _beside(suv.grid, liver_on_pet)
    coarse = work_image(suv.crop(box), SPACING_MM)
    liver = region_on(coarse.grid, liver_on_pet.crop(box))
    spleen = None if liver.is_empty else find_spleen(coarse, liver, liver_suv, rules)
    return None if spleen is None else float(coarse.array[spleen].mean())


def _beside(grid: Grid, liver: Mask) -> tuple[slice, slice, slice]:
    """The part of the PET at the liver's height, with all that the spleen and a kidney take."""
    z = liver.points_mm()[:, 2]
    corners = grid.corners_mm()
    corners[:, 2] = np.clip(corners[:, 2], z.min() - BESIDE_MM, z.max() + BESIDE_MM)
    return grid.box_around(corners, 0.0)


def find_spleen(
    suv: Image, liver_on_pet: Mask, liver_suv: float, rules: LiverRules
) -> Voxels | None:
    """Places deep in the spleen; None where nothing is certain to be one."""
    near_liver = dilated(liver_on_pet.array, suv.grid, SPILL_MM)
    elsewhere = np.where(near_liver, 0.0, suv.array)
    smooth = ndimage.gaussian_filter(elsewhere, SMOOTHING_MM / suv.grid.spacing_mm)
    midline = midline_mm(suv, AIR_SHARE * liver_suv)
    low, high = np.percentile(liver_on_pet.points_mm()[:, 2], [1.0, 99.0])
    for ball_mm in BALLS_MM:
        fits = room_for_ball(Image(suv.grid, smooth, suv.quantity), ball_mm)
        hot = fits > rules.spleen_ratio_least * liver_suv
        single = hot & ~has_twin(fits, suv.grid, midline)
        least_z = low + rules.spleen_height_least * (high - low)
        organs = [
            organ
            for organ, (x, _, z) in _organs(single, fits, suv, rules)
            if x > midline + rules.spleen_lateral_mm and least_z < z < high + rules.spleen_above_mm
        ]
        if organs:
            return max(organs, key=np.count_nonzero)
    return None


def _organs(
    hot: Voxels, fits: Values, suv: Image, rules: LiverRules
) -> Iterator[tuple[Voxels, Points]]:
    """The pieces of `hot`, without what is much less hot than their best, and their middles."""
    labels, count = ndimage.label(hot)
    for label in range(1, count + 1):
        piece = labels == label
        piece &= fits > rules.spleen_even_share * np.percentile(fits[piece], 95.0)
        if np.count_nonzero(piece) * suv.grid.voxel_ml >= rules.spleen_least_ml:
            yield piece, suv.grid.world(np.argwhere(piece)).mean(0)

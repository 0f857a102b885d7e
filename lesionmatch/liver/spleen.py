"""The spleen's uptake on a PET without a mask of it, for the Krenning score.

Somatostatin receptors make the spleen the hottest or second hottest large organ on the
patient's left, next to the left kidney. It is told from the kidney by its place: the
spleen's middle lies above the lowest sixth of the liver, well outside the midline,
and the kidney is about the mirror image of the right one. Where no organ fits, there is no
answer rather than a kidney's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.liver.morphology import Voxels, dilated, eroded
from lesionmatch.liver.work import work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import region_on

WORK_SPACING_MM = 4.0
LEVELS = (0.35, 0.45, 0.55, 0.65, 0.75)
"""Shares of the hottest organ's uptake at which organs are told apart."""
LEAST_ML, MOST_ML = 40.0, 900.0
CORE_MM = 8.0
"""The core keeps this far from the half-height surface, out of the blur."""
LEAST_CORE_ML = 5.0
LEAST_END = 0.15
"""Share of the core that either end has at least."""
JOINED_STEP = 0.08
"""Of the mean: ends that differ by less are one organ, or differ by what does not matter."""
CUT_MARGIN_MM = 5.0
MIRROR_MM = 30.0
"""Left and right kidney lie within this of each other's mirror image."""
LEAST_LATERAL_MM = 45.0
LEAST_HEIGHT = 1.0 / 6.0
"""Of the way from the liver's lower end to its upper."""
HEIGHT_MARGIN_MM = 60.0
MOST_GROWTH = 1.6
"""From one level to the next; more is a neighbour that joined."""
BODY_SUV_SHARE = 0.04
"""Of the liver's uptake; the body is above it, the air below."""


@dataclass(frozen=True, slots=True, eq=False)
class Organ:
    """A hot region beside the liver."""

    voxels: Voxels
    middle_mm: Points
    volume_ml: float


def spleen_suv_mean(
    suv: Image,
    liver_on_pet: Mask,
    liver_suv: float,
    rules: LiverRules,
    drawn: Mask | None = None,
) -> float | None:
    """Mean SUV of the spleen's core; of `drawn` where a reader drew it. None: not found.

    The masks lie on the grid of `suv`.
    """
    if drawn is not None and not drawn.is_empty:
        return float(suv.array[drawn.array].mean())
    box = _beside(suv.grid, liver_on_pet)
    coarse = work_image(suv.crop(box), WORK_SPACING_MM)
    liver = region_on(coarse.grid, liver_on_pet.crop(box))
    spleen = None if liver.is_empty else find_spleen(coarse, liver, liver_suv, rules)
    return None if spleen is None else _core_mean(coarse, spleen)


def _beside(grid: Grid, liver: Mask) -> tuple[slice, slice, slice]:
    """The part of the PET at the liver's height, a little more than the spleen can take."""
    z = liver.points_mm()[:, 2]
    corners = grid.corners_mm()
    corners[:, 2] = np.clip(corners[:, 2], z.min() - HEIGHT_MARGIN_MM, z.max() + HEIGHT_MARGIN_MM)
    return grid.box_around(corners, 0.0)


def find_spleen(
    suv: Image, liver_on_pet: Mask, liver_suv: float, rules: LiverRules
) -> Voxels | None:
    """The spleen at about half its uptake; None where nothing is certain to be one."""
    organs = _hot_organs(suv, liver_on_pet, rules.spleen_ratio_least * liver_suv)
    midline = _midline_mm(suv, liver_suv)
    low, high = np.percentile(liver_on_pet.points_mm()[:, 2], [1.0, 99.0])
    right = [o for o in organs if o.middle_mm[0] < midline - LEAST_LATERAL_MM / 2.0]
    fit = [
        o
        for o in organs
        if o.middle_mm[0] > midline + LEAST_LATERAL_MM
        and low + LEAST_HEIGHT * (high - low) < o.middle_mm[2] < high + 30.0
        and not any(_mirrors(o, other, midline) for other in right)
    ]
    return max(fit, key=lambda o: o.volume_ml).voxels if fit else None


def _mirrors(organ: Organ, other: Organ, midline_mm: float) -> bool:
    mirrored = other.middle_mm * (-1.0, 1.0, 1.0) + (2.0 * midline_mm, 0.0, 0.0)
    return bool(np.linalg.norm(organ.middle_mm - mirrored) < MIRROR_MM)


def _midline_mm(suv: Image, liver_suv: float) -> float:
    """x of the middle of the body, between its outermost voxels on either side."""
    body = Mask(suv.grid, suv.array > BODY_SUV_SHARE * liver_suv)
    if body.is_empty:
        return float(suv.grid.centre_mm[0])
    x = body.points_mm()[:, 0]
    return float(np.percentile(x, [0.5, 99.5]).mean())


def _hot_organs(suv: Image, liver: Mask, least: float) -> list[Organ]:
    """Regions of more than `least` uptake, outside it, each at the level that sets it apart best.

    From the highest level down: a region that joins several already found is not taken.
    """
    away = ~dilated(liver.array, suv.grid, 4.0)
    smooth = np.where(away, ndimage.gaussian_filter(suv.array, 3.0 / suv.grid.spacing_mm), 0.0)
    sizes = _large_maximum(smooth, suv.grid.voxel_ml)
    taken: list[Organ] = []
    for share in sorted(LEVELS, reverse=True):
        level = max(share * sizes, least)
        labels, _ = ndimage.label(smooth > level)
        volumes_ml = np.bincount(labels.ravel()) * suv.grid.voxel_ml
        is_organ = (volumes_ml >= LEAST_ML) & (volumes_ml <= MOST_ML)
        for label in np.flatnonzero(is_organ[1:]) + 1:
            taken = _with_piece(taken, labels == label, suv)
    return taken


def _large_maximum(values: NDArray[np.float32], voxel_ml: float) -> float:
    """The uptake that a tenth of a litre exceeds, so that a small hot lesion sets no level."""
    count = min(int(100.0 / voxel_ml), values.size)
    return float(np.partition(values.ravel(), -count)[-count:].max())


def _with_piece(taken: list[Organ], piece: Voxels, suv: Image) -> list[Organ]:
    """`taken` with one more organ, or one of its organs grown to `piece`."""
    volume = float(np.count_nonzero(piece) * suv.grid.voxel_ml)
    inside = [o for o in taken if bool((o.voxels & piece).any())]
    if len(inside) > 1 or any(volume > MOST_GROWTH * o.volume_ml for o in inside):
        return taken
    organ = Organ(piece, Mask(suv.grid, piece).points_mm().mean(0), volume)
    return [o for o in taken if o not in inside] + [organ]


def _core_mean(suv: Image, spleen: Voxels) -> float:
    """Mean of the part that blur does not reach; of all of it where nothing is that deep."""
    for depth_mm in (CORE_MM, CORE_MM / 2.0):
        core = eroded(spleen, suv.grid, depth_mm)
        if np.count_nonzero(core) * suv.grid.voxel_ml >= LEAST_CORE_ML:
            return _upper_mean(suv, core)
    return float(suv.array[spleen].mean())


def _upper_mean(suv: Image, core: Voxels) -> float:
    """Mean of `core`, or of its upper end where a kidney of other uptake has joined it.

    Along the core's longest axis it is cut in two so that uptake differs least within either.
    """
    points, values = Mask(suv.grid, core).points_mm(), suv.array[core].astype(np.float64)
    axis = np.linalg.eigh(np.cov(points.T))[1][:, -1]
    height = (points - points.mean(0)) @ (axis * (1.0 if axis[2] > 0.0 else -1.0))
    order = np.argsort(height)
    below = np.arange(1, len(values))
    sums = np.cumsum(values[order])[:-1]
    low, high = sums / below, (values.sum() - sums) / (len(values) - below)
    between = below * (len(values) - below) * (high - low) ** 2
    between[(below < LEAST_END * len(values)) | (below > (1.0 - LEAST_END) * len(values))] = 0.0
    cut = int(np.argmax(between))
    if abs(high[cut] - low[cut]) < JOINED_STEP * values.mean():
        return float(values.mean())
    above = height > height[order[cut]] + CUT_MARGIN_MM
    return float(values[above].mean() if above.any() else high[cut])

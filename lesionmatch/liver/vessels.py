"""The large vessels within the liver, from the hepatobiliary phase itself.

In this phase the parenchyma is bright and blood is dark. A vessel is dark, tubular and
connected: see `tubes` for what is tubular. How strong a tube must be is read off the bright
tubes, which only noise makes (and bile ducts, which are few): places that noise does not
reach are seeds, the tree is followed from them through weaker ones, the lumen is filled
with what is dark around them, and short pieces and lumps (see `lumps`) are left out.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.level import evened, parenchyma_ratio
from lesionmatch.liver.lumps import lumps
from lesionmatch.liver.morphology import Values, Voxels, dilated, eroded
from lesionmatch.liver.tubes import tubes
from lesionmatch.liver.work import work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import region_on, resample, resample_mask

SPACING_MM = 1.5
MARGIN_MM = 12.0
NOISE_QUANTILE = 0.9
SEED_NOISE, FOLLOW_NOISE = 4.0, 2.0
"""How many times stronger than noise's own strong tubes a seed is, and what is followed."""
BLOOD_QUANTILE = 0.9
"""Of the darkness of seeds: that of the largest vessels, which no parenchyma blurs."""
LUMEN_SHARE = 0.5
"""A lumen has at least this share of the darkness of blood, its axis this share of the
lumen's: uneven parenchyma is less dark, and the axis of a thin vessel is blurred."""
LUMEN_MM = 5.0
"""A lumen reaches at most this far from its axis."""
RIM_MM = 3.0
"""Around a lesion, where it still darkens voxels; gaps in a vessel, e.g. where it branches."""
BILE_RADIUS_MM = 6.0
"""Bile that is thicker lies in the gallbladder, not in a duct or a patch of a coarse liver."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundVessels:
    """What is dark within a liver, on the grid of its image; either may be empty."""

    lumen: Mask
    """Of the large vessels."""
    lumps: Mask
    """In vessels or beside them, too wide for these: lesions that nobody drew."""


def find_vessels(hbp: Image, liver: Mask, lesions: Mask | None, rules: LiverRules) -> FoundVessels:
    """The large vessels within `liver`, and what was in them and is none.

    `liver` and `lesions` lie on the grid of `hbp`; lesions are never vessels.
    """
    box = liver.box(MARGIN_MM)
    image = work_image(hbp.crop(box), SPACING_MM)
    inside = resample_mask(liver.crop(box), image.grid) >= 0.5
    drawn = np.zeros_like(inside)
    if lesions is not None:
        part = Mask(image.grid, resample_mask(lesions.crop(box), image.grid) > 0.25)
        drawn = dilated(part.array, image.grid, RIM_MM)
    lumen, lump = _found(image, inside, drawn, rules)
    masks = (Mask(image.grid, part) for part in (lumen & ~lump, lump))
    return FoundVessels(*(region_on(hbp.grid.crop(box), m).on(hbp.grid) for m in masks))


def large_vessels(vessels: Mask, rules: LiverRules) -> Mask:
    """The parts of a lumen that are wide enough, on a finer grid; empty where there are none."""
    if vessels.is_empty:
        return vessels
    part = vessels.trimmed(MARGIN_MM)
    grid = part.grid.with_spacing(SPACING_MM)
    lumen = resample_mask(part, grid) >= 0.5
    axis = eroded(lumen, grid, rules.vessel_calibre_mm / 2.0)
    return Mask(grid, lumen & dilated(axis, grid, rules.vessel_calibre_mm / 2.0))


def _found(
    image: Image, inside: Voxels, lesions: Voxels, rules: LiverRules
) -> tuple[Voxels, Voxels]:
    """Vessels with the lumps in them, and these, on the working grid."""
    grid = image.grid
    if not inside.any():
        return inside, inside
    even = evened(image, Mask(grid, inside))
    deep = _searched(image, even, inside, lesions, rules)
    lumen, least = _tree(even, deep, grid, rules)
    if not lumen.any():
        return lumen, lumen
    wide = lumps(_dark(_depth(even, grid) - least, inside, lesions, grid), Mask(grid, lumen), rules)
    return lumen, lumen & (resample_mask(wide, grid) >= 0.5)


def _dark(excess: Values, inside: Voxels, lesions: Voxels, grid: Grid) -> Mask:
    """All of which vessels may consist, on voxels fine enough to tell how wide it is.

    What lies outside the liver belongs to it: nothing is known of a vessel that leaves it.
    """
    fine = grid.with_spacing(SPACING_MM)
    excess = resample(Image(grid, excess, Quantity.ARBITRARY), fine, outside=1.0).array
    within, drawn = (region_on(fine, Mask(grid, part)).array for part in (inside, lesions))
    return Mask(fine, ~within | (excess > 0.0) & ~drawn)


def _searched(
    image: Image, even: Values, inside: Voxels, lesions: Voxels, rules: LiverRules
) -> Voxels:
    """Where vessels are looked for."""
    grid = image.grid
    # The surface's own voxels are dark in part and would make sheets.
    deep = eroded(inside, grid, 1.0 + 0.75 * float(grid.spacing_mm.max())) & ~lesions
    ratio = parenchyma_ratio(image, Mask(grid, inside))
    deep &= ~_thick(even, inside & ~lesions, grid, rules)
    deep &= ~_bile(ratio, grid, rules.bile_brightness)
    return np.asarray(deep & ~_fat(ratio, grid, rules.vessel_darkness_most))


def _tree(even: Values, deep: Voxels, grid: Grid, rules: LiverRules) -> tuple[Voxels, float]:
    """The lumen within `deep`, and how dark it is at least."""
    if not deep.any():
        return deep, 0.0
    ratio = np.where(deep, np.clip(even, 0.0, 1.3), 1.0).astype(np.float32)
    found = tubes(ratio, deep, grid)
    noise = float(np.quantile(found.ridges, NOISE_QUANTILE))
    strength = np.full(grid.shape, -np.inf, np.float32)
    strength[deep] = found.dips
    depth = _depth(ratio, grid)
    seeds = strength > max(SEED_NOISE * noise, rules.vessel_darkness / 4.0)
    if not seeds.any():
        return seeds, 0.0
    blood = float(np.quantile(depth[seeds], BLOOD_QUANTILE))
    least = max(rules.vessel_darkness, LUMEN_SHARE * blood)
    axis = (strength > FOLLOW_NOISE * noise) & (depth > LUMEN_SHARE * least)
    axis = _connected(axis, seeds & axis, grid)
    lumen = deep & dilated(axis, grid, LUMEN_MM) & (depth > least)
    lumen = ndimage.binary_propagation(axis, mask=lumen | axis)
    return _long_pieces(lumen, grid, rules.vessel_length_mm), least


def _thick(ratio: Values, inside: Voxels, grid: Grid, rules: LiverRules) -> Voxels:
    """Dark places too thick for a vessel of the liver, with their rims: lesions nobody drew."""
    dark = inside & (_depth(ratio, grid) > rules.lesion_darkness)
    cores = eroded(dark, grid, rules.vessel_radius_most_mm)
    return dilated(cores, grid, rules.vessel_radius_most_mm + RIM_MM)


def _bile(ratio: Values, grid: Grid, brightness: float) -> Voxels:
    """The gallbladder with the fossa around it, whose fat is dark."""
    cores = eroded(ratio > brightness, grid, BILE_RADIUS_MM)
    return dilated(cores, grid, BILE_RADIUS_MM + 2.0 * RIM_MM)


def _fat(ratio: Values, grid: Grid, darkness: float) -> Voxels:
    """Fissures and the gallbladder's bed, as far as the mask of the liver holds them."""
    return dilated(_depth(ratio, grid) > darkness, grid, RIM_MM)


def _depth(ratio: Values, grid: Grid) -> Values:
    """Darkness against the parenchyma, a little smoothed."""
    return np.asarray(1.0 - ndimage.gaussian_filter(ratio, 0.8 / grid.spacing_mm))


def _connected(axis: Voxels, seeds: Voxels, grid: Grid) -> Voxels:
    """The pieces of `axis` that hang together with a seed, small gaps bridged."""
    labels, count = ndimage.label(dilated(axis, grid, RIM_MM))
    keep = np.zeros(count + 1, np.bool_)
    keep[np.unique(labels[seeds])] = True
    return np.asarray(axis & keep[labels])


def _long_pieces(lumen: Voxels, grid: Grid, least_mm: float) -> Voxels:
    """The pieces, small gaps bridged, that are long."""
    labels, count = ndimage.label(dilated(lumen, grid, RIM_MM))
    labels[~lumen] = 0
    keep = np.zeros(count + 1, np.bool_)
    for label, box in enumerate(ndimage.find_objects(labels, count), start=1):
        if box is None:
            continue
        extent_mm = np.ptp(np.argwhere(labels[box] == label), axis=0) * grid.spacing_mm
        keep[label] = np.linalg.norm(extent_mm) >= least_mm
    return np.asarray(keep[labels])

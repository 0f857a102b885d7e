"""What the MRI calls liver and PET and CT do not: an organ as bright as the liver beside it.

A kidney, the colon or the duodenum may be as bright as the liver on the hepatobiliary phase
and touch it, so that no edge tells. But the liver is alike in three things: brightness, uptake
and density. So what is bright and yet differs from the liver's own uptake and density, taken
together, over a body that reaches deep into the mask, is another organ. A layer at the mask's
surface is none: there a registration may be off by millimetres.
A metastasis differs too, but is dark on the MRI; one that the MRI does not show the CT hardly
shows, so uptake alone is never enough; and drawn lesions are spared with what they spill.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.morphology import Voxels, dilated, eroded
from lesionmatch.liver.reference import LEAST_CORE_ML, main_peak
from lesionmatch.protocol import Protocol
from lesionmatch.protocol.neighbours import NeighbourRules
from lesionmatch.resample import distance_mm, smooth

SMOOTHING_MM = 6.0
"""FWHM that takes the noise of a CT to a quarter and bridges its voxels and those of a PET."""
MOST_HU = 200.0
"""Of the difference from soft tissue that counts, so that gas is not smeared over what lies by."""


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A liver found on the MRI, and what three scans show there, all on one grid."""

    liver: Mask
    lesions: Mask
    """Drawn ones."""
    brightness: Image
    """Of the MRI, over that of the parenchyma."""
    suv: Image
    ct: Image

    def __post_init__(self) -> None:
        parts = (self.lesions, self.brightness, self.suv, self.ct)
        if not all(part.grid.matches(self.liver.grid) for part in parts):
            raise InvalidInput("views of a liver: wanted one grid, got several; resample them")
        self.suv.require(Quantity.SUV_BW)
        self.ct.require(Quantity.HOUNSFIELD)


def other_organs(views: Views, protocol: Protocol) -> Mask:
    """The part of the liver that is another organ, with the rim that is left of it; often empty."""
    rules, grid = protocol.neighbours, views.liver.grid
    liver = views.liver.array
    depth = distance_mm(Mask(grid, ~liver))
    spared = dilated(views.lesions.array, grid, rules.other_spared_mm)
    bright = smooth(views.brightness, SMOOTHING_MM).array > protocol.liver.bright_least
    own = liver & bright & ~spared
    core = own & (depth > protocol.liver.edge_margin_mm)
    if np.count_nonzero(core) * grid.voxel_ml < LEAST_CORE_ML:
        return Mask(grid, np.zeros_like(liver))
    unlike = _unlike(views, core, rules)
    odd = own & unlike
    # What lies outside is unlike the liver as well, and the body may run on into it.
    body = _opened(odd | (unlike & ~liver), grid, rules.other_ball_mm) & odd
    organs = _deep(body, depth, grid, rules)
    return Mask(grid, organs | _left_of_it(organs, views, rules))


def _unlike(views: Views, core: Voxels, rules: NeighbourRules) -> Voxels:
    """Where density, and density and uptake together, are not those of most of the `core`."""
    uptake = smooth(views.suv, SMOOTHING_MM).array
    clipped = np.clip(views.ct.array, -MOST_HU, MOST_HU)
    density = smooth(Image(views.ct.grid, clipped, views.ct.quantity), SMOOTHING_MM).array
    usual = _peak(uptake[core])
    if usual <= 0.0:
        return np.zeros_like(core)
    ratio = np.log(np.maximum(uptake / usual, 1e-3)) / np.log(rules.other_uptake_ratio)
    off_hu = density - _peak(density[core])
    is_apart = np.hypot(ratio, off_hu / rules.other_density_hu) > 1.0
    return np.asarray(is_apart & (np.abs(off_hu) > rules.other_density_least_hu))


def _peak(values: NDArray[np.float32]) -> float:
    return main_peak(values.astype(np.float64)).mean


def _opened(voxels: Voxels, grid: Grid, radius_mm: float) -> Voxels:
    """The part of a region in which a ball of this radius fits."""
    return dilated(eroded(voxels, grid, radius_mm), grid, radius_mm)


def _deep(body: Voxels, depth: NDArray[np.float32], grid: Grid, rules: NeighbourRules) -> Voxels:
    """The pieces of `body` that are large enough and reach deep into the liver."""
    labels, count = ndimage.label(body)
    sizes_ml = np.bincount(labels.ravel(), minlength=count + 1) * grid.voxel_ml
    reach_mm = np.zeros(count + 1)
    np.maximum.at(reach_mm, labels[body], depth[body])
    is_organ = (sizes_ml >= rules.other_least_ml) & (reach_mm > rules.other_depth_mm)
    is_organ[0] = False
    return np.asarray(is_organ[labels])


def _left_of_it(organs: Voxels, views: Views, rules: NeighbourRules) -> Voxels:
    """What is left in the mask of organs cut out of it: wall, gas, what hung on them."""
    if not organs.any():
        return organs
    grid, rest = views.liver.grid, views.liver.array & ~organs
    near = dilated(organs, grid, 2.0 * rules.other_ball_mm)
    thin = rest & near & ~_opened(rest, grid, rules.other_ball_mm)
    pieces, count = ndimage.label(rest & ~thin)
    is_scrap = np.bincount(pieces.ravel(), minlength=count + 1) < np.count_nonzero(organs)
    is_scrap &= np.bincount(pieces[near], minlength=count + 1) > 0
    is_scrap[0] = False
    return np.asarray((thin | is_scrap[pieces]) & ~views.lesions.array)

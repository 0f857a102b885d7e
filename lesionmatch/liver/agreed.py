"""What the MRI calls liver and PET and CT do not: an organ as bright as the liver beside it.

A kidney, the colon or the duodenum may be as bright as the liver on the hepatobiliary phase
and touch it, so that no edge tells. But the liver is alike in three things: brightness, uptake
and density. So what is bright and yet differs from the liver's own uptake and density, taken
together, over a body that reaches deep into the mask, is another organ. A layer at the mask's
surface is none: there a registration may be off by millimetres.
A metastasis differs too, but is dark on the MRI; one that the MRI does not show the CT hardly
shows either and is small, so uptake alone is enough for a large body only; and drawn lesions
are spared with what they spill.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.morphology import Values, Voxels, dilated, eroded
from lesionmatch.liver.reference import LEAST_CORE_ML, main_peak
from lesionmatch.protocol import Protocol
from lesionmatch.protocol.neighbours import NeighbourRules
from lesionmatch.resample import distance_mm, smooth

LEAST_SUV = 1e-3
"""So that a logarithm can be taken."""


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
    bright = smooth(views.brightness, rules.other_smoothing_mm).array > protocol.liver.bright_least
    own = liver & bright & ~spared
    core = own & (depth > protocol.liver.edge_margin_mm)
    if np.count_nonzero(core) * grid.voxel_ml < LEAST_CORE_ML:
        return Mask(grid, np.zeros_like(liver))
    hotter, denser = _apart(views, core, rules)
    unlike = np.hypot(hotter, denser) > 1.0
    is_dense = np.abs(denser) > rules.other_density_least_hu / rules.other_density_hu
    # What lies outside is unlike the liver as well, and the body may run on into it.
    by_both, by_pet = (
        _opened(odd | (unlike & ~liver), grid, rules.other_ball_mm) & odd
        for odd in (own & unlike & is_dense, own & unlike & (hotter > 0.0))
    )
    organs = _pieces(by_both, depth, grid, rules.other_least_ml, rules)
    organs |= _apart_from(organs, _pieces(by_pet, depth, grid, rules.other_alone_ml, rules))
    return Mask(grid, organs | _left_of_it(organs, views, rules))


def _apart(views: Views, core: Voxels, rules: NeighbourRules) -> tuple[Values, Values]:
    """How far uptake and density are from those of most of the `core`, 1 where either alone is
    too far; positive where hotter and denser."""
    most_hu, fwhm_mm = rules.other_density_most_hu, rules.other_smoothing_mm
    uptake = smooth(views.suv, fwhm_mm).array
    clipped = np.clip(views.ct.array, -most_hu, most_hu)
    density = smooth(Image(views.ct.grid, clipped, views.ct.quantity), fwhm_mm).array
    times = np.maximum(uptake / max(_peak(uptake[core]), LEAST_SUV), LEAST_SUV)
    hotter = np.log(times) / np.log(rules.other_uptake_ratio)
    denser = (density - _peak(density[core])) / rules.other_density_hu
    return np.asarray(hotter, np.float32), np.asarray(denser, np.float32)


def _peak(values: NDArray[np.float32]) -> float:
    return main_peak(values.astype(np.float64)).mean


def _opened(voxels: Voxels, grid: Grid, radius_mm: float) -> Voxels:
    """The part of a region in which a ball of this radius fits."""
    return dilated(eroded(voxels, grid, radius_mm), grid, radius_mm)


def _pieces(
    body: Voxels, depth: Values, grid: Grid, least_ml: float, rules: NeighbourRules
) -> Voxels:
    """The pieces of `body` of at least this volume that reach deep into the liver."""
    labels, count = ndimage.label(body)
    numbers = np.arange(count + 1)
    is_piece = np.asarray(ndimage.maximum(depth, labels, numbers)) > rules.other_depth_mm
    is_piece &= np.bincount(labels.ravel(), minlength=count + 1) * grid.voxel_ml >= least_ml
    is_piece[0] = False
    return np.asarray(is_piece[labels])


def _apart_from(organs: Voxels, hot: Voxels) -> Voxels:
    """The pieces of `hot` that hold none of `organs`, whose border the CT tells better."""
    labels, _ = ndimage.label(hot)
    return np.asarray(hot & ~np.isin(labels, labels[organs]))


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

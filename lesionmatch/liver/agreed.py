"""What the MRI calls liver and PET and CT do not: an organ as bright as the liver beside it.

A kidney, the colon or the duodenum may be as bright as the liver on the hepatobiliary phase
and touch it, so that no edge tells. But the liver is alike in three things: brightness, uptake
and density. So what is bright and yet differs from the liver's own uptake and density, taken
together, over a body that reaches deep into the mask, is another organ. A layer at the mask's
surface is none: there a registration may be off by millimetres.
And what lies beside the mask and is like the liver in uptake and density is liver that was lost,
however dark the MRI shows it: a lobe that was treated, or one behind a wide fissure.
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
from lesionmatch.liver.morphology import Values, Voxels, dilated, eroded, large_pieces
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
    rules, grid, seen = protocol.neighbours, views.liver.grid, _compared(views, protocol)
    is_dense = np.abs(seen.denser) > rules.other_density_least_hu / rules.other_density_hu
    by_both, by_pet = (
        _bodies(odd, seen, views, rules)
        for odd in (seen.odd & is_dense, seen.odd & (seen.hotter > 0.0))
    )
    organs = _pieces(by_both, seen.depth, grid, rules.other_least_ml, rules)
    organs |= _apart_from(organs, _pieces(by_pet, seen.depth, grid, rules.other_alone_ml, rules))
    return Mask(grid, organs | _left_of_it(organs, views, rules))


def cold_part(views: Views, protocol: Protocol) -> Mask:
    """The part of the liver that is as bright but takes up far less, of whatever density.

    It may be another organ, and may be liver that was treated, so that it cannot be cut out.
    """
    rules, grid, seen = protocol.neighbours, views.liver.grid, _compared(views, protocol)
    # Not followed out of the mask, lest the layer under all of its surface hang on it.
    body = _opened(seen.odd & (seen.hotter < 0.0), grid, rules.other_ball_mm)
    return Mask(grid, _pieces(body, seen.depth, grid, rules.other_least_ml, rules))


def lost_liver(views: Views, protocol: Protocol) -> Mask:
    """The largest piece beside the liver that has its uptake and density; often empty.

    A ball fits into it beyond the mask, so that it is no layer where images do not fit. What the
    MRI does not cover, or shows as dark as fat, is none.
    """
    rules, grid, seen = protocol.neighbours, views.liver.grid, _compared(views, protocol)
    is_tissue = views.brightness.array > 1.0 - protocol.liver.vessel_darkness_most
    alike = is_tissue & (np.hypot(seen.hotter, seen.denser) < rules.lost_unlike_most)
    largest = large_pieces(_opened(alike & ~views.liver.array, grid, rules.lost_ball_mm))
    is_enough = np.count_nonzero(largest) * grid.voxel_ml >= rules.lost_least_ml
    return Mask(grid, largest & is_enough)


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """Each place beside most of the liver."""

    own: Voxels
    """What is bright in the liver, and no drawn lesion."""
    depth: Values
    """In the liver, mm from its surface."""
    hotter: Values
    denser: Values

    @property
    def unlike(self) -> Voxels:
        """What differs too far in both together."""
        return np.asarray(np.hypot(self.hotter, self.denser) > 1.0)

    @property
    def odd(self) -> Voxels:
        """What does so in the liver."""
        return self.own & self.unlike


def _compared(views: Views, protocol: Protocol) -> _Compared:
    rules, grid = protocol.neighbours, views.liver.grid
    spared = dilated(views.lesions.array, grid, rules.other_spared_mm)
    bright = smooth(views.brightness, rules.other_smoothing_mm).array > protocol.liver.bright_least
    own = np.asarray(views.liver.array & bright & ~spared)
    depth = distance_mm(Mask(grid, ~views.liver.array))
    core = own & (depth > protocol.liver.edge_margin_mm)
    return _Compared(own, depth, *_apart(views, core, rules))


def _bodies(odd: Voxels, seen: _Compared, views: Views, rules: NeighbourRules) -> Voxels:
    """What of `odd` is as thick as an organ.

    What lies outside is unlike the liver as well, and the body may run on into it.
    """
    beyond = seen.unlike & ~views.liver.array
    return _opened(odd | beyond, views.liver.grid, rules.other_ball_mm) & odd


def _apart(views: Views, core: Voxels, rules: NeighbourRules) -> tuple[Values, Values]:
    """How far uptake and density are from those of most of the `core`, 1 where either alone is
    too far; positive where hotter and denser. Nan where the core is too small to compare with."""
    if np.count_nonzero(core) * views.liver.grid.voxel_ml < LEAST_CORE_ML:
        unknown = np.full(core.shape, np.nan, np.float32)
        return unknown, unknown
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

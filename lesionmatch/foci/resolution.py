"""The resolution of a PET, and where it is known from.

Noise tells nothing of it: a filter after the reconstruction shapes grain and edges alike,
but the scanner and the positron blur the edges alone. So where the header is silent the
width is read off the liver's own edge towards cold tissue, across the table, where
breathing moves it least.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, special

from lesionmatch.errors import InvalidInput
from lesionmatch.foci.filters import Array, Where, depth_mm, gaussian
from lesionmatch.foci.liver_level import liver_level
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import FociRules, Protocol

FWHM_PER_SD = 2.354820045
FOUND_SD_MM = 2.5
"""The edge is found on an image smoothed by this."""

TYPICAL_SD_MM = 4.0
"""Width of such an edge: it only places the edge between two voxels."""

REACH_MM = 9.0
BIN_MM = 1.0
LEAST_VOXELS = 40
FIT_WITHIN = 0.06
"""A profile further from any error function than this is not a plain edge."""

ASIDE_MM = 6.0
LEVEL_COSINE = 0.4
MASK_WITHIN_MM = 6.0
HOT = 1.3
CLEAR_MM = 14.0


@dataclass(frozen=True, slots=True)
class Resolution:
    """Full width at half maximum of the blur across the table."""

    fwhm_mm: float
    source: str
    """A phrase for the report."""


def resolution_mm(
    suv: Image,
    header_fwhm_mm: float | None,
    protocol: Protocol,
    *,
    liver_on_pet: Mask | None = None,
) -> Resolution:
    """The header's reconstruction where it tells, else the liver's edge, else the default.

    Raises `InvalidInput` for a header's width that cannot be.
    """
    if header_fwhm_mm is not None:
        if not 0.0 < header_fwhm_mm < 30.0:
            raise InvalidInput(f"resolution: wanted 0 to 30 mm, got {header_fwhm_mm:g} mm")
        return Resolution(float(header_fwhm_mm), "header: reconstruction")
    rules = protocol.foci
    seen = None if liver_on_pet is None else edge_fwhm_mm(suv, liver_on_pet, rules)
    if seen is not None and rules.least_fwhm_mm <= seen <= rules.most_fwhm_mm:
        return Resolution(seen, "measured: the liver's edge towards cold tissue")
    return Resolution(rules.default_fwhm_mm, "assumed: neither header nor image tells")


def edge_fwhm_mm(suv: Image, liver_on_pet: Mask, rules: FociRules) -> float | None:
    """Width of the blur of the liver's edge; None where no plain edge is in view."""
    if liver_on_pet.is_empty:
        return None
    box = suv.grid.box_around(liver_on_pet.points_mm(), 20.0)
    part, depth = suv.crop(box), depth_mm(liver_on_pet.array[box], suv.grid.crop(box))
    light = gaussian(part.array, FOUND_SD_MM, part.grid)
    deep, beyond = depth > 2 * MASK_WITHIN_MM, depth < -MASK_WITHIN_MM
    if not deep.any() or not beyond.any():
        return None
    level = liver_level(light[deep], rules).suv
    cold = beyond & (light < level / 2)
    if not cold.any():
        return None
    low = float(np.median(light[cold]))
    across = _across(light, depth, (low, level), part.grid)
    return _width(across, (part.array - low) / (level - low))


def _across(light: Array, depth: Array, ends: tuple[float, float], grid: Grid) -> Array:
    """Signed distance in mm to the liver's visible edge, NaN where it is not to be used."""
    low, level = ends
    inside = light > (low + level) / 2
    edge = inside ^ ndimage.binary_erosion(inside, border_value=1)
    edge &= np.abs(depth) < MASK_WITHIN_MM
    if not edge.any():
        return np.full(light.shape, np.nan, np.float32)
    at = ndimage.distance_transform_edt(
        ~edge, sampling=grid.spacing_mm, return_distances=False, return_indices=True
    )
    nearest = tuple(np.asarray(at, np.intp))
    uphill = _uphill(light, grid)[nearest]
    steps_mm = np.moveaxis(np.indices(light.shape) - np.asarray(at), 0, -1) * grid.spacing_mm
    share = np.clip((light - low) / (level - low), 0.03, 0.97)
    shift = TYPICAL_SD_MM * special.ndtri(share)[nearest]
    signed = np.einsum("...i,...i", steps_mm, uphill) + shift
    aside = np.linalg.norm(steps_mm - uphill * (signed - shift)[..., None], axis=-1)
    usable = (aside < ASIDE_MM) & _is_level(uphill, grid) & _is_clear(light, depth, level, grid)
    return np.where(usable, signed, np.nan).astype(np.float32)


def _uphill(light: Array, grid: Grid) -> NDArray[np.float64]:
    """Unit vectors (slice, row, column) along which the image brightens."""
    slope = np.stack([np.gradient(light, mm, axis=n) for n, mm in enumerate(grid.spacing_mm)], -1)
    return np.asarray(slope / np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 1e-9))


def _is_level(uphill: NDArray[np.float64], grid: Grid) -> Where:
    """Whether the image brightens across the table rather than along it."""
    return np.asarray(np.abs(uphill @ grid.directions[2]) <= LEVEL_COSINE)


def _is_clear(light: Array, depth: Array, level: float, grid: Grid) -> Where:
    """Whether no hot organ is near."""
    hot = (light > HOT * level) & (depth < -2.0)
    if not hot.any():
        return np.ones(light.shape, bool)
    to_hot = ndimage.distance_transform_edt(~hot, sampling=grid.spacing_mm)
    return np.asarray(to_hot > CLEAR_MM)


def _width(across: Array, share: Array) -> float | None:
    """FWHM of the Gaussian whose integral runs through the medians of `share` over `across`."""
    middles = np.arange(-REACH_MM, REACH_MM + BIN_MM / 2, BIN_MM)
    bins = [share[np.abs(across - middle) <= BIN_MM / 2] for middle in middles]
    known = [len(values) >= LEAST_VOXELS for values in bins]
    if not all(known):
        return None
    profile = np.array([np.median(values) for values in bins])
    (low, high, centre, sd), _ = optimize.curve_fit(
        _edge, middles, profile, p0=(0.0, 1.0, 0.0, TYPICAL_SD_MM), maxfev=4000
    )
    error = np.abs(_edge(middles, low, high, centre, sd) - profile).max()
    return None if error > FIT_WITHIN else float(abs(sd) * FWHM_PER_SD)


def _edge(
    x: NDArray[np.float64], low: float, high: float, centre: float, sd: float
) -> NDArray[np.float64]:
    return np.asarray(low + (high - low) * special.ndtr((x - centre) / sd))

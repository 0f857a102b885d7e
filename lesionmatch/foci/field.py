"""How far every place of the liver stands above the liver around it, in standard deviations.

The statistic is a difference of Gaussians at two scales on an image whose cold places
(fat, lung, vessels, cysts) are filled with the liver's own background, so that they throw
no bright rim; hot organs outside are filled too, and what they spill into the liver is taken
off (see `organs`), else they would hide what lies beside them. Noise grows with the square
root of the activity, so the statistic is divided by the square root of the local level before
it is standardised. Hot regions of the liver itself are left out of the surround and out of
their neighbours' centres, so that one lesion neither hides nor feigns another and a large one
is not hollow. What stands out at a first look is left out of the noise at the second, so that
a liver of many faint lesions is not taken for a noisy one.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from lesionmatch.balls import ball, highest_within
from lesionmatch.errors import InvalidInput
from lesionmatch.foci.background import (
    LEAST_VOXELS,
    LIGHT_SD_MM,
    Background,
    background_of,
    most_sd,
)
from lesionmatch.foci.capsule import edge_taken_off
from lesionmatch.foci.edge import MASK_WITHIN_MM, edge_distance_mm, standard
from lesionmatch.foci.filters import (
    Array,
    Where,
    depth_mm,
    gaussian,
    robust_sd,
    robust_skew,
    sure_skew,
    unskewed,
)
from lesionmatch.foci.organs import Organs, evened, hot_organs, spill_in
from lesionmatch.foci.rarity import as_rare_by_sd, chance_places
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.protocol import FociRules

USUAL = FociRules()

MARGIN_MM = 32.0
"""What is kept around the liver: more than three standard deviations of the widest surround."""

LEAST_DEEP_ML = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The liver's neighbourhood on the PET grid, standardised by the liver's own noise."""

    grid: Grid
    """The part of the PET grid around the liver."""
    suv: Array
    liver: Where
    depth: Array
    """Signed distance to the liver mask's border in mm, positive inside."""
    outside: Where
    """So far outside the liver that what is there is not the liver's."""
    seen: Array
    """SUV lightly smoothed."""
    light: Array
    """The same less what organs outside spill in: peaks and extents are read on it."""
    light_sd: float
    """Noise of `light` over the square root of the activity."""
    background: Array
    """SUV of the lesion-free liver expected at each voxel."""
    core: Where
    """Hot regions of the liver itself but for their skirts: tumour, however wide."""
    z: Array
    """Standard deviations above the liver around, largest over the scales (see `scales`)."""
    voxel_sd: float
    """Noise of one voxel of liver, in SUV, at the liver's level."""
    level: float
    """SUV of the liver."""
    level_is_seen: bool
    """Whether this image tells it; else no liver is left, and a usual one's was taken."""

    @property
    def cov(self) -> float:
        """Coefficient of variation of one voxel of the liver's own noise."""
        return self.voxel_sd / self.level


def field_of(
    suv: Image, liver_on_pet: Mask, rules: FociRules = USUAL, *, beyond: Mask | None = None
) -> Field:
    """The statistic around the liver; `liver_on_pet` lies on the grid of `suv`.

    So does `beyond`, where the image that the liver comes from has no voxels: uptake there may be
    liver that was not seen, and is no neighbour's. Raises `WrongQuantity` unless `suv` is SUV,
    `InvalidInput` where the grids are not one, or the liver on the PET is too small to know its
    noise or has none.
    """
    suv.require(Quantity.SUV_BW)
    if not all(mask.grid.matches(suv.grid) for mask in (liver_on_pet, beyond or liver_on_pet)):
        raise InvalidInput("foci: wanted the liver on the PET's grid, got another; resample it")
    if liver_on_pet.is_empty:
        raise InvalidInput("foci: wanted a liver on the PET, got none; check the registration")
    box = suv.grid.box_around(liver_on_pet.points_mm(), MARGIN_MM)
    part, liver = suv.crop(box), liver_on_pet.array[box]
    depth = depth_mm(liver, part.grid)
    deep = depth > rules.deep_mm
    deep_ml = float(np.count_nonzero(deep) * part.grid.voxel_ml)
    if deep_ml < LEAST_DEEP_ML:
        raise InvalidInput(
            f"foci: wanted {LEAST_DEEP_ML:.0f} ml of liver deeper than {rules.deep_mm:.0f} mm "
            f"on the PET, got {deep_ml:.1f} ml; check liver and coverage"
        )
    unseen = np.zeros_like(liver) if beyond is None else beyond.array[box]
    return _standardised(part, liver, depth, deep, unseen, rules)


def scales(rules: FociRules) -> tuple[tuple[float, float], ...]:
    """Standard deviations of centre and surround in mm."""
    return (
        (rules.fine_centre_mm, rules.surround_mm),
        (rules.wide_centre_mm, rules.surround_mm),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Plain:
    """The image with liver in place of what would disturb the statistic."""

    calm: Array
    """Liver in place of cold and of every hot region, organs beside the liver among them."""
    own: Array
    """The same with the hot regions as they are."""
    warm: Array
    """As the image is, but for organs beside the liver and what they spill in."""
    hot: Where


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What the statistic is standardised by, and where it is learned."""

    organs: Organs
    edge_mm: Array
    near: Where
    """Liver and a little more, without what is hot: what lies beside organs is learned on."""
    plain: Where
    """The same away from organs: what the edges are learned on."""
    quiet: Where
    """Liver whose fluctuations are noise."""
    deep: Where
    liver_ml: float

    def without(self, odd: Where, grid: Grid, rules: FociRules) -> "_Ground":
        """Less what is `odd`, where enough is left without it."""
        wanted = rules.quiet_share * np.count_nonzero(self.deep)
        quiet = self.quiet & ~odd
        if np.count_nonzero(quiet) <= wanted:
            return self
        calm = quiet & (self.edge_mm > rules.calm_edge_mm) & self.plain
        least = max(rules.calm_share * np.count_nonzero(quiet), rules.calm_ml / grid.voxel_ml)
        is_enough = np.count_nonzero(calm) > least
        return replace(self, plain=self.plain & ~odd, quiet=calm if is_enough else quiet)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """The difference of Gaussians at one scale, over the root of the level."""

    raised: Array
    """With the hot regions as they are."""
    noise: Array
    """With liver in place of them."""


def _standardised(
    part: Image, liver: Where, depth: Array, deep: Where, unseen: Where, rules: FociRules
) -> Field:
    array, grid = part.array, part.grid
    known = background_of(array, depth, deep, grid, rules)
    organs = hot_organs(known, np.where(unseen, np.maximum(depth, 0.0), depth), grid, rules)
    ground = _ground_of(known, organs, liver, depth, deep, grid, rules)
    learned = ground.near & (ground.edge_mm > rules.spill_plain_mm)
    plain = _plain(array, known, organs, depth, learned, rules)
    z = _statistic(plain, known, ground, depth, liver, grid, rules)
    level = float(np.median(known.suv[deep]))
    voxel_sd = _voxel_sd(array, plain.calm, known, ground.quiet, deep, grid)
    return Field(
        grid=grid,
        suv=array,
        seen=known.light,
        light=known.light - spill_in(known.light, known, organs, learned, rules),
        light_sd=known.light_sd,
        liver=liver,
        depth=depth,
        outside=(depth < -rules.outside_liver_mm) & ~unseen,
        background=known.suv,
        core=known.core,
        z=np.maximum(z, np.where(known.core, known.above, -np.inf)),
        voxel_sd=voxel_sd * float(np.sqrt(level)),
        level=level,
        level_is_seen=known.level.is_seen,
    )


def _ground_of(
    known: Background,
    organs: Organs,
    liver: Where,
    depth: Array,
    deep: Where,
    grid: Grid,
    rules: FociRules,
) -> _Ground:
    near = (depth > -MASK_WITHIN_MM) & ~known.hot & ~organs.region
    return _Ground(
        organs=organs,
        edge_mm=edge_distance_mm(known, grid, rules),
        near=near,
        plain=near & (organs.away_mm > rules.spill_reach_mm),
        quiet=_quiet(depth, deep, known, rules),
        deep=deep,
        liver_ml=float(np.count_nonzero(liver) * grid.voxel_ml),
    )


def _voxel_sd(
    array: Array, calm: Array, known: Background, quiet: Where, deep: Where, grid: Grid
) -> float:
    """Noise of one voxel of `quiet` liver over the root of the activity."""
    most = most_sd(array, deep, grid)
    if np.count_nonzero(quiet) < LEAST_VOXELS:
        return most
    rough = (array - gaussian(calm, 4 * LIGHT_SD_MM, grid)) / np.sqrt(known.suv)
    return min(robust_sd(rough[quiet]), most)


def _statistic(
    plain: _Plain,
    known: Background,
    ground: _Ground,
    depth: Array,
    liver: Where,
    grid: Grid,
    rules: FociRules,
) -> Array:
    """Standard deviations above the liver around: without what may be lesions in the noise, and
    under the capsule with the edge taken off, too."""
    looks = _looks(plain, known, grid, rules)
    first = _highest(looks, ground, _skews(looks, ground, grid), grid, rules)
    high = (ground.near | known.hot) & (first > rules.left_out_z)
    calm = ground.without(_within(rules.left_out_mm, high, grid), grid, rules)
    # What the edge leaves where it is taken off is skewed as no noise is: the filled image tells.
    skews = _skews(looks, calm, grid)
    off = _looks(_edge_off(plain, known, depth, ground, grid, rules), known, grid, rules)
    at_edge = _highest(off, calm, skews, grid, rules)
    filled = _highest(looks, calm, skews, grid, rules)
    return agreed(filled, at_edge, liver, ground.edge_mm, grid, rules)


def _skews(looks: list[_Look], ground: _Ground, grid: Grid) -> list[float]:
    """Of the noise at each scale, less what chance makes of symmetric noise."""
    quiet = ground.quiet
    if np.count_nonzero(quiet) < LEAST_VOXELS:
        return [0.0] * len(looks)
    quiet_ml = float(np.count_nonzero(quiet) * grid.voxel_ml)
    return [
        sure_skew(robust_skew(look.noise[quiet]), chance_places(look.noise, quiet, quiet_ml, grid))
        for look in looks
    ]


def _within(reach_mm: float, region: Where, grid: Grid) -> Where:
    """What lies within `reach_mm` of `region`."""
    if not region.any():
        return region
    away = ndimage.distance_transform_edt(~region, sampling=grid.spacing_mm)
    return np.asarray(away <= reach_mm)


def _plain(
    array: Array, known: Background, organs: Organs, depth: Array, learned: Where, rules: FociRules
) -> _Plain:
    spill = spill_in(array, known, organs, learned, rules)
    beside = (organs.away_mm < rules.outside_liver_mm) & (depth < -rules.outside_liver_mm)
    own = np.where(known.cold | (beside & ~organs.region), known.suv, array - spill)
    warm = np.where(beside | organs.region, known.suv, array - spill)
    hot = known.hot | organs.region
    return _Plain(np.where(hot, known.suv, own), own, warm, hot)


def _edge_off(
    plain: _Plain, known: Background, depth: Array, ground: _Ground, grid: Grid, rules: FociRules
) -> _Plain:
    """The image whose cold outside is not filled, but has the liver's edge taken off."""
    away = ground.organs.away_mm > rules.spill_reach_mm
    own = edge_taken_off(plain.warm, known, depth, ground.edge_mm, away & ~plain.hot, grid, rules)
    return _Plain(np.where(plain.hot, known.suv, own), own, plain.warm, plain.hot)


def agreed(
    filled: Array, off: Array, liver: Where, edge_mm: Array, grid: Grid, rules: FociRules
) -> Array:
    """Of two statistics under the capsule the one with the edge off, where both stand out.

    The filled one near by may be lower by `capsule_lift_sd`, and loses nothing.
    """
    near = ball(rules.capsule_near_mm, grid)
    beside = highest_within(np.where(liver, filled, -np.inf), near)
    both = np.minimum(off + rules.capsule_both_sd, beside + rules.capsule_lift_sd)
    under = liver & (edge_mm < rules.capsule_reach_mm)
    return np.where(under, np.maximum(filled, both), filled)


def _looks(plain: _Plain, known: Background, grid: Grid, rules: FociRules) -> list[_Look]:
    found = []
    for centre_mm, surround_mm in scales(rules):
        surround = gaussian(plain.calm, surround_mm, grid)
        calm = gaussian(plain.calm, centre_mm, grid) - surround
        above = np.where(plain.hot, gaussian(plain.own, centre_mm, grid) - surround, calm)
        raised = np.asarray(above / np.sqrt(np.maximum(surround, known.suv)), np.float32)
        noise = np.asarray(calm / np.sqrt(known.suv), np.float32)
        found.append(_Look(raised, noise))
    return found


def _highest(
    looks: list[_Look], ground: _Ground, skews: list[float], grid: Grid, rules: FociRules
) -> Array:
    """Standard deviations above the liver around, largest over the scales."""
    z = np.full(ground.edge_mm.shape, -np.inf, np.float32)
    if np.count_nonzero(ground.quiet) < LEAST_VOXELS:
        return z
    for look, skew in zip(looks, skews, strict=True):
        at_edge = standard(
            look.raised, look.noise, ground.edge_mm, ground.plain, ground.quiet, rules
        )
        above = evened(at_edge, ground.organs, ground.near, rules)
        places = chance_places(look.noise, ground.quiet, ground.liver_ml, grid)
        rarer_sd = as_rare_by_sd(places, rules.usual_places, rules.least_z)
        z = np.maximum(z, unskewed(above, skew) + rarer_sd)
    return z


def _quiet(depth: Array, deep: Where, known: Background, rules: FociRules) -> Where:
    """Liver whose fluctuations are noise; where tumour leaves too little, up to the capsule."""
    odd = known.cold | known.hot
    wanted = rules.quiet_share * np.count_nonzero(deep)
    quiet = deep & ~odd
    return quiet if np.count_nonzero(quiet) > wanted else (depth > 0) & ~odd

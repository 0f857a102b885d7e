"""What speaks for or against a map, from voxels no fit has seen.

The joint table of intensities is learned on one part of the voxels and read on another,
the blocks the deformation never drew from. A voxel gains ``ln p(f, m) / (p(f) p(m))`` nats;
a stage is kept when its map gains more than the map before it, block by block, by more than
the blocks' own scatter allows by chance.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.appearance import Target, averaged
from lesionmatch.registration.information import JointTable, Window
from lesionmatch.registration.sampling import interpolation
from lesionmatch.registration.scene import BLOCK_MM, reserved
from lesionmatch.resample import PointMap, distance_mm, resample, resample_mask

Floats = NDArray[np.float32]

SPACING_MM = 3.0
SHELL_MM = 8.0
"""Evidence comes from the liver and this far about it: far enough to see its edge."""
PROBE_MM = 20.0
"""A right map is better than the same map shifted by this; a wrong one need not be."""
DEEP_MM = 8.0
"""From here inwards the capsule no longer blurs into a voxel: what is left is vessels,
lesions and fissures, which no two livers share."""
FAT_AVERAGED_MM = 5.0
INNER_SHIFT_MM = 14.0
"""More than a large vessel's width, so that no vessel still meets itself."""
INNER_WINDOW_HALF = 0.25
"""Half the range of intensities compared within the liver, in windows: 100 HU."""
LEAST_DEEP = 300
"""Places deep in the liver below which they say nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """Places on the MRI by which maps are judged."""

    points_mm: Points
    voxels: NDArray[np.intp]
    """(N, 3) of them on a grid of `SPACING_MM`."""
    bins: Floats
    is_liver: NDArray[np.bool_]
    is_deep: NDArray[np.bool_]
    """At least `DEEP_MM` within the liver, and clear of fat on the MRI."""
    is_reserved: NDArray[np.bool_]
    block: NDArray[np.intp]
    """Which block of `BLOCK_MM` each place lies in."""


def witness(mri: Image, liver: Mask, deform_grid: Grid, rules: RegistrationRules) -> Witness:
    """The liver and a shell about it, on voxels of `SPACING_MM` of the deformation's grid."""
    grid = deform_grid.with_spacing(SPACING_MM)
    inside = Mask(grid, resample_mask(liver, grid) >= 0.5)
    bright = resample(mri, grid, outside=np.nan).array
    near = (distance_mm(inside) <= SHELL_MM) & np.isfinite(bright)
    voxels = np.argwhere(near)
    points = grid.world(voxels)
    values = bright[near]
    nearest = np.rint(deform_grid.voxels(points)).astype(int)
    nearest = np.clip(nearest, 0, np.array(deform_grid.shape) - 1)
    held_back = reserved(deform_grid)[tuple(nearest.T)]
    place = np.floor((points - points.min(0)) / BLOCK_MM).astype(np.intp)
    block = np.ravel_multi_index(tuple(place.T), tuple(place.max(0) + 1))
    window = Window(0.0, float(np.quantile(values, 0.995)))
    deep = distance_mm(Mask(grid, ~inside.array)) >= DEEP_MM
    level = float(np.nanmedian(bright[inside.array]))
    fat = Mask(grid, inside.array & (bright < rules.fat_mri_share * level))
    deep &= distance_mm(fat) > rules.fat_reach_mm
    bins = window.bins(values)
    return Witness(points, voxels, bins, inside.array[near], deep[near], held_back, block)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The target at a witness's places under one map."""

    values: Floats
    """nan where not scanned."""


def seen(witness: Witness, target: Target, target_from_mri: PointMap) -> Seen:
    """What the target shows where `target_from_mri` takes the witness."""
    return Seen(values_at(target, target_from_mri.apply(witness.points_mm)))


def values_at(target: Target, points: Points) -> Floats:
    """The target at points of its frame; nan where not scanned."""
    grid = target.image.grid
    voxels = grid.voxels(points)
    values = interpolation(voxels, grid.shape) @ target.image.array.ravel()
    return np.where(grid.contains(points), values, np.float32(np.nan)).astype(np.float32)


def coverage(witness: Witness, seen: Seen) -> float:
    """Share of the liver's places that fall on the target."""
    return float(np.isfinite(seen.values[witness.is_liver]).mean())


def liver_median(witness: Witness, seen: Seen) -> float:
    """Median of the target in the liver, as the target has it; nan where it was not scanned."""
    values = seen.values[witness.is_liver]
    values = values[np.isfinite(values)]
    if values.size == 0:
        return float("nan")
    return float(np.median(values))


def _table(witness: Witness, seen: Seen, window: Window, learned: NDArray[np.bool_]) -> JointTable:
    use = learned & np.isfinite(seen.values)
    ones = np.ones(int(use.sum()), np.float32)
    return JointTable.of(witness.bins[use], window.bins(seen.values[use]), ones)


def mutual_information(witness: Witness, seen: Seen, window: Window) -> float:
    """Over all places, in nats."""
    return _table(witness, seen, window, np.ones(len(witness.bins), np.bool_)).mutual_information


def _gains(witness: Witness, seen: Seen, window: Window) -> Floats:
    """Of the reserved places, by a table learned on the others; nothing where not scanned."""
    table = _table(witness, seen, window, ~witness.is_reserved)
    values = seen.values[witness.is_reserved]
    bins = window.bins(np.nan_to_num(values, nan=window.low))
    gains = table.gains(witness.bins[witness.is_reserved], bins)
    return np.where(np.isfinite(values), gains, np.float32(0.0))


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much one map explains unseen voxels better than another."""

    nats: float
    """Per voxel; above 0 the later map is better."""
    errors: float
    """The same in its own standard errors, blocks being what is independent."""


def gain(witness: Witness, before: Seen, after: Seen, window: Window) -> Gain:
    """Of the map of `after` over that of `before`."""
    change = _gains(witness, after, window) - _gains(witness, before, window)
    block = witness.block[witness.is_reserved]
    sums = np.bincount(block, change)
    sums = sums[np.bincount(block) > 0]
    spread = float(np.sqrt((sums**2).sum())) + 1e-9
    return Gain(float(change.mean()), float(sums.sum() / spread))


def ways() -> NDArray[np.float64]:
    """(14, 3) directions: along the axes and to the corners of a cube."""
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3)
    return np.concatenate([axes, corners])


def probe_ratio(witness: Witness, target: Target, target_from_mri: PointMap) -> float:
    """Mutual information of the map over the best of 14 maps shifted by `PROBE_MM`."""
    places = target_from_mri.apply(witness.points_mm)
    everywhere = np.ones(len(places), np.bool_)

    def at(shift: NDArray[np.float64]) -> float:
        seen = Seen(values_at(target, places + shift))
        return _table(witness, seen, target.window, everywhere).mutual_information

    return at(np.zeros(3)) / max(max(at(PROBE_MM * way) for way in ways()), 1e-6)


def near_fat(target: Target, points: Points, middle: float, rules: RegistrationRules) -> Target:
    """1 within reach of fat of a CT about some points, and 0 elsewhere.

    `middle` is the liver's median there.
    """
    near = averaged(target, points, FAT_AVERAGED_MM, margin_mm=2.0 * INNER_SHIFT_MM).image
    is_fat = near.array < min(rules.fat_hu, middle - rules.fat_below_hu)
    reached = distance_mm(Mask(near.grid, is_fat)) <= rules.fat_reach_mm
    return replace(target, image=Image(near.grid, reached.astype(np.float32), near.quantity))


def inner_agreement(
    witness: Witness,
    target: Target,
    target_from_mri: PointMap,
    middle: float,
    rules: RegistrationRules,
) -> float | None:
    """How many times as well the liver's own pattern of vessels and lesions agrees as beside.

    Mutual information of the places deep in the liver over its mean for 14 maps shifted by
    `INNER_SHIFT_MM`, fat and what is near it left out: about 1 for two livers that are not the
    same one, however alike their outlines. None where too little lies on the target.
    """
    places = target_from_mri.apply(witness.points_mm[witness.is_deep])
    bins = witness.bins[witness.is_deep]
    half = INNER_WINDOW_HALF * (target.window.high - target.window.low)
    if target.image.grid.contains(places).sum() < LEAST_DEEP or math.isnan(middle):
        return None
    window = Window(middle - half, middle + half)
    fat = near_fat(target, places, middle, rules)

    def at(shift: NDArray[np.float64]) -> float:
        values = values_at(target, places + shift)
        on = np.isfinite(values) & (values_at(fat, places + shift) == 0.0)
        ones = np.ones(int(on.sum()), np.float32)
        return JointTable.of(bins[on], window.bins(values[on]), ones).mutual_information

    beside = float(np.mean([at(INNER_SHIFT_MM * way) for way in ways()]))
    return at(np.zeros(3)) / max(beside, 1e-6)

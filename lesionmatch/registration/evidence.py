"""What speaks for or against a map, from voxels no fit has seen.

The joint table of intensities is learned on one part of the voxels and read on another,
the blocks the deformation never drew from. A voxel gains ``ln p(f, m) / (p(f) p(m))`` nats;
a stage is kept when its map gains more than the map before it, block by block, by more than
the blocks' own scatter allows by chance.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.registration.appearance import Target, shrunk
from lesionmatch.registration.information import JointTable, Window
from lesionmatch.registration.sampling import interpolation
from lesionmatch.registration.scene import RESERVED_MM, reserved
from lesionmatch.resample import PointMap, distance_mm, resample, resample_mask

Floats = NDArray[np.float32]

SPACING_MM = 3.0
SHELL_MM = 8.0
"""Evidence comes from the liver and this far about it: far enough to see its edge."""
BEYOND_MM = 25.0
"""Less than this of the liver may be cut off."""

PROBE_MM = 20.0
"""A right map is better than the same map shifted by this; a wrong one need not be."""


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """Places on the MRI by which maps are judged."""

    points_mm: Points
    bins: Floats
    is_liver: NDArray[np.bool_]
    is_reserved: NDArray[np.bool_]
    block: NDArray[np.intp]
    """Which block of `RESERVED_MM` each place lies in."""


def witness(mri: Image, liver: Mask, deform_grid: Grid) -> Witness:
    """The liver and a shell about it, on voxels of `SPACING_MM` of the deformation's grid."""
    grid = deform_grid.with_spacing(SPACING_MM)
    inside = Mask(grid, resample_mask(liver, grid) >= 0.5)
    bright = resample(mri, grid, outside=np.nan).array
    near = (distance_mm(inside) <= SHELL_MM) & np.isfinite(bright)
    points = grid.world(np.argwhere(near))
    values = bright[near]
    nearest = np.rint(deform_grid.voxels(points)).astype(int)
    nearest = np.clip(nearest, 0, np.array(deform_grid.shape) - 1)
    held_back = reserved(deform_grid)[tuple(nearest.T)]
    place = np.floor((points - points.min(0)) / RESERVED_MM).astype(np.intp)
    block = np.ravel_multi_index(tuple(place.T), tuple(place.max(0) + 1))
    window = Window(0.0, float(np.quantile(values, 0.995)))
    return Witness(points, window.bins(values), inside.array[near], held_back, block)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The target at a witness's places under one map."""

    values: Floats
    """nan where not scanned."""


def seen(witness: Witness, target: Target, target_from_mri: PointMap) -> Seen:
    """What the target shows where `target_from_mri` takes the witness."""
    return Seen(_values(target, target_from_mri.apply(witness.points_mm)))


def _values(target: Target, points: Points) -> Floats:
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


def cut_share(liver: Mask, target: Target, target_from_mri: PointMap, middle: float) -> float:
    """How much liver the MRI cuts off: the part of its outermost slices beyond which, by
    `BEYOND_MM`, the target still looks like liver (within a quarter of the window of `middle`),
    as a share of the liver's largest area on a parallel slice; 0 when the scan shows all of it.
    """
    near = 0.25 * (target.window.high - target.window.low) / 2
    shares = [0.0]
    for axis, grid_mm in enumerate(liver.grid.spacing_mm):
        largest = liver.array.sum(tuple(n for n in range(3) if n != axis)).max()
        for end, way in ((0, -1.0), (liver.grid.shape[axis] - 1, 1.0)):
            voxels = np.argwhere(np.take(liver.array, [end], axis)).astype(np.float64)
            voxels[:, axis] = end + way * BEYOND_MM / grid_mm
            values = _coarsely(target, target_from_mri.apply(liver.grid.world(voxels)))
            shares.append(float((np.abs(values - middle) < near).sum() / largest))
    return max(shares)


def _coarsely(target: Target, points: Points) -> Floats:
    """The target averaged over about 5 mm at those of the points that lie on it."""
    points = points[target.image.grid.contains(points)]
    if len(points) == 0:
        return np.empty(0, np.float32)
    image = target.image.crop(target.image.grid.box_around(points, 10.0))
    return _values(replace(target, image=shrunk(image, 5.0)), points)


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


def probe_ratio(witness: Witness, target: Target, target_from_mri: PointMap) -> float:
    """Mutual information of the map over the best of 14 maps shifted by `PROBE_MM`."""
    places = target_from_mri.apply(witness.points_mm)
    everywhere = np.ones(len(places), np.bool_)

    def at(shift: NDArray[np.float64]) -> float:
        seen = Seen(_values(target, places + shift))
        return _table(witness, seen, target.window, everywhere).mutual_information

    axes = np.concatenate([np.eye(3), -np.eye(3)])
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3)
    shifted = [at(PROBE_MM * way) for way in np.concatenate([axes, corners])]
    return at(np.zeros(3)) / max(max(shifted), 1e-6)

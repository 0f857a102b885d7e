"""Where two images are compared to judge a map, and what the target shows there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.appearance import Target
from lesionmatch.registration.information import Window
from lesionmatch.registration.sampling import interpolation
from lesionmatch.registration.scene import BLOCK_MM, reserved
from lesionmatch.resample import PointMap, distance_mm, resample, resample_mask

Floats = NDArray[np.float32]

SPACING_MM = 3.0
SHELL_MM = 8.0
"""Evidence comes from the liver and this far about it: far enough to see its edge."""
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
    """So far within the liver that the capsule no longer blurs into a voxel, and clear of fat on
    the MRI: what is left is vessels, lesions and fissures, which no two livers share."""
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
    deep = distance_mm(Mask(grid, ~inside.array)) >= rules.pattern_depth_mm
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

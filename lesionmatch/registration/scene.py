"""Both images on one grid about the liver, along the MRI's axes.

The target is carried there by the linear map, so that what is left is a small displacement
on a small grid.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.registration.appearance import Target, shrunk
from lesionmatch.registration.information import Window
from lesionmatch.resample import PointMap, distance_mm, resample, resample_mask, smooth

Floats = NDArray[np.float32]

DEEP_VOXELS = 3
"""So far from the liver's surface that nothing beyond it blurs in."""
SD_PER_MAD = 1.4826
LEAST_STRUCTURE = 0.05
"""A liver of noise alone would measure 0, whose logarithm says nothing."""

RESERVED_MM = 12.0
"""Width of a block kept from the fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What does not change while the field is fitted."""

    grid: Grid
    mri: Image
    """nan where not scanned."""
    target: Image
    """The target carried onto the grid by the affine map; nan where not scanned."""
    window: Window
    inside: NDArray[np.bool_]
    distance_mm: Floats
    """To the liver; 0 inside."""

    @property
    def volume_mm3(self) -> float:
        """Of the whole grid."""
        return float(np.prod(self.grid.shape) * np.prod(self.grid.spacing_mm))


def scene(
    mri: Image,
    liver: Mask,
    target: Target,
    affine: Transform,
    *,
    margin_mm: float,
    spacing_mm: float,
) -> Scene:
    """Both images on one grid about the liver, along the MRI's axes.

    Read by cubic splines: linear interpolation would blur the thin vessels by half a voxel.
    """
    grid = grid_about(liver, margin_mm, spacing_mm)
    inside = Mask(grid, resample_mask(liver, grid) >= 0.5)
    carried = PointMap.affine(affine)
    around = carried.apply(grid.corners_mm())
    image = target.part(target.image.grid.box_around(around, 10.0))
    image = shrunk(image, spacing_mm / 1.2)
    on_grid = resample(image, grid, carried, outside=np.nan, interpolation="cubic")
    return Scene(
        grid,
        resample(smoothed_down(mri, grid), grid, outside=np.nan, interpolation="cubic"),
        on_grid,
        target.window,
        inside.array,
        distance_mm(inside),
    )


def structure_share(scene: Scene) -> float:
    """Of the target's variance deep in the liver, what is no noise of single voxels; 0 to 1.

    Noise is what a voxel differs from the mean of the 27 about it, by the median deviation.
    What is left are vessels, lesions and fissures, by which the inside of a liver is aligned.
    """
    deep = ndimage.binary_erosion(scene.inside, iterations=DEEP_VOXELS)
    deep &= np.isfinite(scene.target.array)
    if not deep.any():
        return LEAST_STRUCTURE
    values = np.nan_to_num(scene.target.array)
    fine = (values - ndimage.uniform_filter(values, 3))[deep]
    noise = SD_PER_MAD * float(np.median(np.abs(fine - np.median(fine))))
    sd = max(float(values[deep].std(dtype=np.float64)), 1e-9)
    return max(1.0 - (noise / sd) ** 2, LEAST_STRUCTURE)


def grid_about(mask: Mask, margin_mm: float, spacing_mm: float) -> Grid:
    """A grid of cubes along the mask's axes, `margin_mm` around it, beyond its own grid too.

    What moves out of a scan that cuts the liver still has to be looked for on the target.
    """
    axes = mask.grid.directions
    along = mask.points_mm() @ axes
    low, high = along.min(0) - margin_mm, along.max(0) + margin_mm
    shape = np.ceil((high - low) / spacing_mm).astype(int) + 1
    return Grid.of(
        mask.frame,
        tuple(shape.tolist()),
        origin_mm=axes @ low,
        spacing_mm=(spacing_mm,) * 3,
        directions=axes,
    )


def smoothed_down(image: Image, grid: Grid) -> Image:
    """`image` without detail finer than the voxels of `grid` can hold."""
    ratio = grid.spacing_mm[0] / image.grid.spacing_mm
    fwhm = np.where(ratio > 1.2, np.sqrt(np.maximum(ratio**2 - 1, 0)), 0) * image.grid.spacing_mm
    return smooth(image, fwhm)


def reserved(grid: Grid) -> NDArray[np.bool_]:
    """Blocks of a grid, one in seven and none beside another, that no force comes from.

    What the fit never saw is what it is judged by (see `evidence`).
    """
    blocks = np.maximum(np.rint(RESERVED_MM / grid.spacing_mm), 1).astype(int)
    z, y, x = np.ix_(*(np.arange(n) // b for n, b in zip(grid.shape, blocks, strict=True)))
    return np.asarray((z + 2 * y + 4 * x) % 7 == 0)

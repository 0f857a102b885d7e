"""Both images on one grid about the liver, along the MRI's axes.

The target is carried there by the linear map, so that what is left is a small displacement
on a small grid.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Grid, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.registration.appearance import Target, shrunk
from lesionmatch.registration.information import Window
from lesionmatch.registration.threads import both
from lesionmatch.resample import PointMap, distance_mm, resample, resample_mask, smooth

Floats = NDArray[np.float32]

BLOCK_MM = 12.0
"""Width of a block of voxels that is kept from a fit, or given to one, as a whole."""


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

    def of_mri() -> tuple[Image, Mask, Floats]:
        inside = Mask(grid, resample_mask(liver, grid) >= 0.5)
        return _on_grid(smoothed_down(mri, grid), grid, None), inside, distance_mm(inside)

    def of_target() -> Image:
        carried = PointMap.affine(affine)
        around = carried.apply(grid.corners_mm())
        image = target.part(target.image.grid.box_around(around, 10.0))
        return _on_grid(shrunk(image, spacing_mm / 1.2), grid, carried)

    (fixed, inside, away_mm), moving = both(of_mri, of_target)
    return Scene(grid, fixed, moving, target.window, inside.array, away_mm)


def _on_grid(image: Image, grid: Grid, source_from_grid: PointMap | None) -> Image:
    return resample(image, grid, source_from_grid, outside=np.nan, interpolation="cubic")


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
    z, y, x = _blocks(grid)
    return np.asarray((z + 2 * y + 4 * x) % 7 == 0)


def halves(grid: Grid) -> NDArray[np.bool_]:
    """Blocks of a grid by turns, like a chessboard's fields: which of two fits sees a voxel."""
    z, y, x = _blocks(grid)
    return np.asarray((z + y + x) % 2 == 1)


def _blocks(grid: Grid) -> tuple[NDArray[np.intp], ...]:
    """Open arrays of the number of the block each slice, row and column lies in."""
    voxels = np.maximum(np.rint(BLOCK_MM / grid.spacing_mm), 1).astype(int)
    return np.ix_(*(np.arange(n) // b for n, b in zip(grid.shape, voxels, strict=True)))

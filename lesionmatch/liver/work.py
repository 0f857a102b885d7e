"""Images and masks on the coarser grids the work is done on, along the same axes."""

import numpy as np

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.resample import FWHM_PER_SIGMA, resample, smooth

COARSE_MM = 5.0
"""Voxels that hold all of what a coil does, of whole organs and of their twins."""
BLUR_PER_VOXEL = 0.35 * FWHM_PER_SIGMA
"""Width of the blur before going to larger voxels: enough that noise does not alias."""


def work_grid(grid: Grid, spacing_mm: float) -> Grid:
    """A grid over the same extent with voxels of `spacing_mm`, but none finer than `grid`'s."""
    return grid.with_spacing(np.maximum(grid.spacing_mm, spacing_mm))


def work_image(image: Image, spacing_mm: float) -> Image:
    """The image on its working grid, blurred along the axes whose voxels become larger."""
    grid = work_grid(image.grid, spacing_mm)
    fwhm = np.where(grid.spacing_mm > 1.2 * image.grid.spacing_mm, grid.spacing_mm, 0.0)
    blurred = smooth(image, BLUR_PER_VOXEL * fwhm) if fwhm.any() else image
    return resample(blurred, grid, outside=float(image.array.min()))


def work_mask(mask: Mask, spacing_mm: float) -> Mask:
    """The mask on its working grid: voxels of which at least half belong to it."""
    indicator = Image(mask.grid, mask.array.astype(np.float32), Quantity.ARBITRARY)
    soft = work_image(indicator, spacing_mm)
    return Mask(soft.grid, soft.array >= 0.5)

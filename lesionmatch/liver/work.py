"""Images and masks on the coarser grids the work is done on, along the same axes."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask


def work_grid(grid: Grid, spacing_mm: float) -> Grid:
    """A grid over the same extent with voxels of `spacing_mm`, but none finer than `grid`'s."""
    return grid.with_spacing(np.maximum(grid.spacing_mm, spacing_mm))


def carried(
    array: NDArray[np.generic], source: Grid, target: Grid, *, order: int = 1
) -> NDArray[np.float32]:
    """`array` on `source`, read at the voxels of `target`, whose axes run the same way.

    Averages over the voxels of `target` where these are larger; edge voxels go on outside.
    """
    ratio = target.spacing_mm / source.spacing_mm
    first = source.voxels(target.origin_mm)
    values = np.asarray(array, np.float32)
    sigma = np.where(ratio > 1.2, 0.35 * ratio, 0.0)
    if sigma.any():
        values = ndimage.gaussian_filter(values, sigma, mode="nearest", truncate=2.5)
    out = ndimage.affine_transform(
        values, ratio, first, output_shape=target.shape, order=order, mode="nearest"
    )
    return np.asarray(out, np.float32)


def work_image(image: Image, spacing_mm: float) -> Image:
    """The image on its working grid."""
    grid = work_grid(image.grid, spacing_mm)
    return Image(grid, carried(image.array, image.grid, grid), image.quantity)


def work_mask(mask: Mask, spacing_mm: float) -> Mask:
    """The mask on its working grid: voxels of which at least half belong to it."""
    grid = work_grid(mask.grid, spacing_mm)
    return Mask(grid, carried(mask.array, mask.grid, grid) >= 0.5)

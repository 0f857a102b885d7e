"""The brightness of the parenchyma as it varies over the liver, and what is dark against it.

A coil's sensitivity changes over decimetres, vessels and lesions over millimetres to
centimetres. The level is a wide Gaussian mean over liver that is neither dark nor bright,
which is decided by the level itself: three rounds suffice.
"""

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.liver.morphology import Values, Voxels

LEVEL_SIGMA_MM = 20.0
DARK_SHARE = 0.88
BRIGHT_SHARE = 1.2
ROUNDS = 3


def parenchyma_level(values: Values, liver: Voxels, grid: Grid) -> Values:
    """Brightness healthy liver would have at each voxel of `grid`; positive."""
    sigma = LEVEL_SIGMA_MM / grid.spacing_mm
    level: Values = np.full(values.shape, np.median(values[liver]), np.float32)
    for share in np.linspace(0.7, DARK_SHARE, ROUNDS):
        usable = liver & (values > share * level) & (values < BRIGHT_SHARE * level)
        if not usable.any():
            break
        weight = ndimage.gaussian_filter(usable.astype(np.float32), sigma, truncate=3.0)
        total = ndimage.gaussian_filter(np.where(usable, values, 0.0), sigma, truncate=3.0)
        overall = float(np.median(values[usable]))
        # Far from usable liver the weight vanishes and the overall level takes over.
        level = ((total + 1e-3 * overall) / (weight + 1e-3)).astype(np.float32)
    return level

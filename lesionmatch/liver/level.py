"""The brightness of the parenchyma as it varies over the liver, and what is dark against it.

A coil's sensitivity changes over decimetres, vessels and lesions over millimetres to
centimetres. The level is a wide Gaussian mean over liver that is neither dark nor bright,
which is decided by the level itself: three rounds suffice.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid

LEVEL_SIGMA_MM = 20.0
DARK_SHARE = 0.88
BRIGHT_SHARE = 1.2
ROUNDS = 3


def parenchyma_level(
    values: NDArray[np.float32], liver: NDArray[np.bool_], grid: Grid
) -> NDArray[np.float32]:
    """Brightness healthy liver would have at each voxel of `grid`; positive."""
    sigma = LEVEL_SIGMA_MM / grid.spacing_mm
    level = np.full(values.shape, np.median(values[liver]), np.float32)
    for share in np.linspace(0.7, DARK_SHARE, ROUNDS):
        usable = liver & (values > share * level) & (values < BRIGHT_SHARE * level)
        if not usable.any():
            break
        weight = ndimage.gaussian_filter(usable.astype(np.float32), sigma, truncate=3.0)
        total = ndimage.gaussian_filter(np.where(usable, values, 0.0), sigma, truncate=3.0)
        overall = float(np.median(values[usable]))
        # Far from usable liver the weight vanishes and the overall level takes over.
        level = (total + 1e-3 * overall) / (weight + 1e-3)
    return np.asarray(level, np.float32)


def noise_of(ratio: NDArray[np.float32], liver: NDArray[np.bool_]) -> float:
    """SD of the parenchyma about its level, from the side that vessels do not touch."""
    above = ratio[liver]
    above = above[above > 1.0] - 1.0
    return float(np.median(above) / 0.6745) if above.size else 0.0

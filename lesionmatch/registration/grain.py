r"""An image without its grain, so that edges are those of tissue.

The grain of a low-dose CT has slopes as steep as those of vessels, whose edges pull at the
deformation, and smoothing wide enough to be rid of it takes the vessels with it. Total variation
takes grain and leaves edges where they are: of the images u it finds the one with the least

    |u - f|² / 2  +  w * (sum of |slopes of u|),        w = sd² / (h g)

(Rudin, Osher and Fatemi 1992, doi 10.1016/0167-2789(92)90242-F; Chambolle 2004,
doi 10.1023/B:JMIV.0000011325.36760.1e). It is the likeliest one, where the image f has noise of
standard deviation sd and slopes are rare, of a Laplace distribution of scale g a mm; h is the
width of a voxel. So a quiet image is hardly changed, and one twice as noisy four times as much.

The noise is measured in the liver, by what two places a few voxels apart differ, as neighbours
share it. What vessels add the median leaves out.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import median_abs_deviation
from skimage.restoration import denoise_tv_chambolle

from lesionmatch.image import Image

APART_MM = 5.0
"""So far apart the grain of a scanner is another."""
STEPS = 10
"""Of the iteration; 15 and 40 made the same maps to 0.01 mm on average, 8 worse ones by 0.02 in
noise (simulated)."""


def noise_sd(image: Image, inside: NDArray[np.bool_]) -> float:
    """Standard deviation of the grain within `inside` (on its grid), in the image's unit.

    0 where nothing of it was scanned.
    """
    found = [
        differences
        for axis, spacing in enumerate(image.grid.spacing_mm)
        if (differences := _apart(image, inside, axis, round(APART_MM / spacing))).size
    ]
    spreads = [median_abs_deviation(each, scale="normal") for each in found]
    return float(np.mean(spreads) / np.sqrt(2.0)) if spreads else 0.0


def _apart(image: Image, inside: NDArray[np.bool_], axis: int, voxels: int) -> NDArray[np.floating]:
    """(N,) what places of `inside` so many voxels apart along an axis differ, where scanned."""
    values, region = np.moveaxis(image.array, axis, 0), np.moveaxis(inside, axis, 0)
    step = max(voxels, 1)
    differences = (values[step:] - values[:-step])[region[step:] & region[:-step]]
    return np.asarray(differences[np.isfinite(differences)])


def without_grain(image: Image, inside: NDArray[np.bool_], slope_per_mm: float) -> Image:
    """`image` without the grain it has within `inside`; nan where not scanned, as before.

    `slope_per_mm` is g of the module, in the image's unit.
    """
    sd = noise_sd(image, inside)
    if sd == 0.0:
        return image
    scanned = np.isfinite(image.array)
    middle = np.median(image.array[inside & scanned])
    weight = sd**2 / (float(np.mean(image.grid.spacing_mm)) * slope_per_mm)
    whole = np.where(scanned, image.array, middle).astype(np.float32)
    quiet = denoise_tv_chambolle(whole, weight=weight, eps=0.0, max_num_iter=STEPS)
    return Image(image.grid, np.where(scanned, quiet, np.float32(np.nan)), image.quantity)

"""How rare a height is: chance peaks of noise, brought to one footing for every scale and liver.

The finer the grain of a smoothed image and the larger a liver, the more independent places it
has, and the more peaks of one height by chance. In Gaussian noise the expected number of peaks
above a height z is n (z² - 1) exp(-z²/2), with n = V sqrt(det Λ) / (2 π)² and Λ the covariance
of the gradient of noise of unit variance (Adler 1981; Worsley, Marrett, Neelin & Evans 1996).
Here Λ is measured on the liver's own noise, so that grain, filter and voxel all tell.
"""

import numpy as np

from lesionmatch.foci.filters import Array, Where
from lesionmatch.geometry import Grid


def chance_places(noise: Array, quiet: Where, liver_ml: float, grid: Grid) -> float:
    """n of the formula above, of noise as it is in `quiet`, in a liver of this volume."""
    return 1000.0 * liver_ml * roughness_per_mm3(noise, quiet, grid) / (2.0 * np.pi) ** 2


def roughness_per_mm3(noise: Array, quiet: Where, grid: Grid) -> float:
    """sqrt(det Λ) of the formula above, from the steps between neighbouring voxels."""
    variance = float(noise[quiet].var())
    per_mm = [
        float(np.sqrt(_step_variance(noise, quiet, axis) / variance)) / float(spacing_mm)
        for axis, spacing_mm in enumerate(grid.spacing_mm)
    ]
    return float(np.prod(per_mm))


def as_rare_by_sd(places: float, usual_places: float, height: float) -> float:
    """What is added to a height among so many places for one as rare among the usual number."""
    return float(np.log(usual_places / places)) / height


def _step_variance(noise: Array, quiet: Where, axis: int) -> float:
    """Variance of the step from one quiet voxel to the next along an axis."""
    count = noise.shape[axis]
    here, there = (
        tuple(part if n == axis else slice(None) for n in range(3))
        for part in (slice(0, count - 1), slice(1, count))
    )
    return float((noise[there] - noise[here])[quiet[here] & quiet[there]].var())

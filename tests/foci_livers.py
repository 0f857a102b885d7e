"""A PET made here for the tests of the foci: a ball of liver in soft tissue, grain, spheres."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.protocol import Protocol

PET = Frame("1.2.3")
GRID = Grid.of(PET, (50, 50, 50), origin_mm=(-98, -98, -98), spacing_mm=(4, 4, 4))
LEVEL, COV, FWHM_MM = 6.0, 0.12, 7.0
PROTOCOL = Protocol()
Sphere = tuple[tuple[float, float, float], float, float]


def away_mm(centre_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Distance of every voxel from a point."""
    voxels = np.argwhere(np.ones(GRID.shape, bool))
    away = np.linalg.norm(GRID.world(voxels) - centre_mm, axis=1)
    return np.asarray(away.reshape(GRID.shape))


def liver_pet(
    *spheres: Sphere,
    seed: int = 0,
    mask_shift_mm: float = 0.0,
    fwhm_mm: float = FWHM_MM,
    breathing_mm: float = 0.0,
    is_log_normal: bool = False,
) -> tuple[Image, Mask]:
    """A PET of a ball of liver, 75 mm in radius, with (centre, diameter, times liver) in it."""
    activity = np.where(away_mm((0, 0, 0)) < 75, LEVEL, 0.6)
    for centre, diameter, ratio in spheres:
        part = np.clip((diameter / 2 - away_mm(centre)) / 4 + 0.5, 0, 1)
        activity = activity + part * ((ratio - 1) * LEVEL)
    clean = ndimage.gaussian_filter(activity, fwhm_mm / 2.355 / 4)
    phases = breathing_mm / 2 * np.cos((np.arange(24) + 0.5) / 24 * np.pi) / 4
    if breathing_mm:
        moved = [ndimage.shift(clean, (p, 0, 0), order=1, mode="nearest") for p in phases]
        clean = np.mean(moved, axis=0)
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(GRID.shape), 0.5)
    sd = COV * np.sqrt(LEVEL / clean)
    noise = sd * grain / grain.std()
    suv = clean * (np.exp(noise - sd**2 / 2) if is_log_normal else 1.0 + noise)
    image = Image(GRID, np.maximum(suv, 0).astype(np.float32), Quantity.SUV_BW)
    return image, Mask(GRID, away_mm((mask_shift_mm, 0, 0)) < 75)

"""Simulated studies that several tests look at."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.phantom import (
    LesionRecipe,
    Place,
    Recipe,
    SimulatedStudy,
    simulate,
)
from lesionmatch.segments import Kind

LESIONS = (
    LesionRecipe(30.0, 3.0, Kind.METASTASIS, Place.DEEP),
    LesionRecipe(7.0, 3.0, Kind.METASTASIS, Place.SUBCAPSULAR),
    LesionRecipe(8.0, 3.0, Kind.METASTASIS, Place.NEAR_VESSEL),
    LesionRecipe(6.0, 3.0, Kind.METASTASIS, Place.PERIHILAR),
    LesionRecipe(3.0, 2.0, Kind.UNSPECIFIED, Place.DEEP),
    LesionRecipe(16.0, 0.1, Kind.CYST),
)
RECIPE = Recipe(
    seed=4,
    lesions=LESIONS,
    breathing_mm=15.0,
    deformation_mm=6.0,
    rotation_deg=4.0,
    frame_offset_mm=250.0,
    mri_tilt_deg=9.0,
    pet_ct_offset_mm=6.0,
    liver_suv=5.0,
    liver_hu=105.0,
    liver_cov=0.12,
)


@cache
def study() -> SimulatedStudy:
    return simulate(RECIPE)


@cache
def still(seed: int = 9) -> SimulatedStudy:
    """Without lesions, motion or breathing blur."""
    return simulate(
        Recipe(
            seed=seed, breathing_mm=0.0, deformation_mm=0.0, rotation_deg=0.0,
            frame_offset_mm=0.0, pet_breathing_mm=0.0, liver_suv=5.0, liver_cov=0.2,
        )
    )  # fmt: skip


def deep_liver(grid: Grid, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels at least 12 mm inside the liver."""
    return ndimage.distance_transform_edt(mask, sampling=grid.spacing_mm) > 12.0

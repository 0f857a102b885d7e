"""The liver on simulated studies, against their truth."""

from functools import cache

import numpy as np
import pytest

from lesionmatch.image import Mask
from lesionmatch.liver import Liver, describe_liver, find_liver
from lesionmatch.liver.capsule import surface_points_mm
from lesionmatch.phantom import LesionRecipe, Place, Plane, Recipe, SimulatedStudy, simulate
from lesionmatch.protocol import Protocol
from lesionmatch.segments import Kind

LESIONS = (
    LesionRecipe(35.0, 4.0),
    LesionRecipe(14.0, 3.0, Kind.METASTASIS, Place.SUBCAPSULAR),
    LesionRecipe(20.0, 0.3, Kind.CYST, Place.DEEP),
)
AXIAL = Recipe(seed=41, lesions=LESIONS, mri_tilt_deg=10.0)
CORONAL = Recipe(seed=42, lesions=LESIONS, mri_plane=Plane.CORONAL, hbp_bias=0.4)
CUT = Recipe(seed=43, lesions=LESIONS, mri_missing_mm=(0.0, 40.0), hbp_vessel_contrast=0.5)
RECIPES = {"tilted": AXIAL, "coronal": CORONAL, "cut": CUT}


@cache
def study(name: str) -> SimulatedStudy:
    return simulate(RECIPES[name])


def drawn(name: str) -> Mask:
    grid = study(name).hbp.grid
    array = np.zeros(grid.shape, np.bool_)
    for segment in study(name).segments:
        array |= segment.mask.on(grid).array
    return Mask(grid, array)


@cache
def liver(name: str) -> Liver:
    it = study(name)
    found = find_liver(it.hbp, Protocol(), lesions=drawn(name))
    return describe_liver(
        it.hbp,
        found,
        origin="found",
        lesions=[segment.mask for segment in it.segments],
        structures={},
        protocol=Protocol(),
    )


@pytest.mark.parametrize("name", RECIPES)
def test_the_liver_found_overlaps_the_true_one_by_095(name: str) -> None:
    found, true = liver(name).mask.array, study(name).liver.array | drawn(name).array
    assert 2.0 * (found & true).sum() / (found.sum() + true.sum()) > 0.95
    assert liver(name).is_plausible, liver(name).doubts


@pytest.mark.parametrize("name", RECIPES)
def test_the_hilum_is_found_within_20_mm_in_the_liver_found(name: str) -> None:
    off = np.linalg.norm(liver(name).hilum_mm - np.array(study(name).truth.hilum_mri_mm))
    assert off < 20.0


@pytest.mark.parametrize("name", ["tilted", "coronal"])
def test_capsule_distances_of_lesions_are_true_to_a_voxel(name: str) -> None:
    it = study(name)
    for segment, truth in zip(it.segments, it.truth.lesions, strict=True):
        surface = surface_points_mm(segment.mask.on(it.hbp.grid), 0.0)
        found = liver(name).capsule_distance_mm(surface).min()
        assert found == pytest.approx(truth.capsule_distance_mm, abs=4.0)


def test_no_vessel_lies_in_a_drawn_lesion() -> None:
    for name in RECIPES:
        assert not (liver(name).vessels.array & drawn(name).array).any()

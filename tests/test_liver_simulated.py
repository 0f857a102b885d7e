"""The liver on simulated studies, against their truth."""

from functools import cache

import numpy as np
import pytest

from lesionmatch.image import Mask
from lesionmatch.liver import Liver, describe_liver, find_liver
from lesionmatch.liver.capsule import surface_points_mm
from lesionmatch.phantom import LesionRecipe, Place, Plane, Recipe, SimulatedStudy, simulate
from lesionmatch.phantom.study import vessels_on_mri
from lesionmatch.protocol import Protocol
from lesionmatch.resample import distance_mm
from lesionmatch.segments import Kind, Structure

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
def test_the_hilum_is_found_within_15_mm_in_the_liver_found(name: str) -> None:
    off = np.linalg.norm(liver(name).hilum_mm - np.array(study(name).truth.hilum_mri_mm))
    assert off < 15.0


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


def test_the_veins_of_4_mm_and_more_are_found_and_little_else() -> None:
    for name in ("tilted", "coronal"):
        it, found = study(name), liver(name).vessels
        veins = vessels_on_mri(it).array & it.liver.array
        veins &= ~drawn(name).array
        near = distance_mm(found) <= 3.0
        assert (near & veins).sum() / veins.sum() > 0.8
        off_mm = it.body.vessel_mm(it.scene.mri_pose.anatomy_mm(found.points_mm()), 0.0)
        # The rest is a gallbladder nearly as bright as the liver.
        assert (off_mm < 3.0).mean() > 0.85


def test_lesions_nobody_drew_are_in_the_liver_and_no_vessels() -> None:
    it, protocol = study("tilted"), Protocol()
    found = find_liver(it.hbp, protocol)
    undrawn = describe_liver(
        it.hbp, found, origin="found", lesions=(), structures={}, protocol=protocol
    )
    lesions = drawn("tilted").array
    assert (undrawn.mask.array & lesions).sum() / lesions.sum() > 0.95
    assert (undrawn.vessels.array & lesions).sum() / undrawn.vessels.array.sum() < 0.05


def test_the_hilum_is_where_a_drawn_portal_vein_meets_the_liver() -> None:
    it = study("tilted")
    portal = np.array(it.truth.hilum_mri_mm) + np.array([0.0, 0.0, 4.0])
    grid = it.hbp.grid
    near = np.linalg.norm(grid.world(np.argwhere(np.ones(grid.shape))) - portal, axis=1) < 9.0
    described = describe_liver(
        it.hbp,
        liver("tilted").mask,
        origin="found",
        lesions=[],
        structures={Structure.PORTAL_VEIN: Mask(grid, near.reshape(grid.shape))},
        protocol=Protocol(),
    )
    assert np.linalg.norm(described.hilum_mm - portal) < 15.0
    assert described.hilum_source == "cleft that the drawn portal vein meets"
    assert described.vessel_source == "given"

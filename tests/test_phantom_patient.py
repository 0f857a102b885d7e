"""Bodies from label maps, here from maps made of ellipsoids."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lesionmatch.errors import NothingFound
from lesionmatch.phantom import Anatomy, LesionRecipe, Recipe, SimulatedStudy, labels, simulate
from lesionmatch.phantom.body import Tissue
from lesionmatch.phantom.recipe import PATIENT_LABELS_VARIABLE
from lesionmatch.phantom.study import anatomy


def ball(centre: tuple[float, float, float], radii_mm: tuple[float, float, float]) -> labels.Mask3:
    """An ellipsoid around (slice, row, column)."""
    indices = np.indices(labels.SHAPE).reshape(3, -1).T
    away = (indices - np.array(centre)) * labels.SPACING_MM / np.array(radii_mm)
    return np.asarray((away**2).sum(1).reshape(labels.SHAPE) < 1)


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with maps of a very simple patient."""
    folder = tmp_path_factory.mktemp("labels")
    density = np.full(labels.SHAPE, 5, np.uint16)
    density[ball((30, 40, 54), (900, 110, 165))] = 905
    density[ball((30, 42, 54), (900, 85, 135))] = 1010
    density[ball((6, 42, 54), (60, 75, 125))] = 300
    density[ball((30, 23, 54), (900, 22, 20))] = 1300
    label = np.zeros(labels.SHAPE, np.uint16)
    for value, mask in (
        (labels.LIVER, ball((28, 42, 38), (65, 70, 68))),
        (labels.SPLEEN, ball((28, 34, 80), (45, 35, 25))),
        (17000, ball((45, 31, 74), (50, 22, 22))),
        (18000, ball((47, 31, 34), (50, 22, 22))),
    ):
        label[mask] = value
        density[mask] = 1050
    density.astype("<u2").tofile(folder / labels.DENSITY_FILE)
    label.astype("<u2").tofile(folder / labels.LABEL_FILE)
    return folder


@cache
def study(maps: Path, seed: int) -> SimulatedStudy:
    lesions = (LesionRecipe(15.0, 3.0), LesionRecipe(8.0, 2.0))
    return simulate(Recipe(seed, lesions, anatomy=Anatomy.PATIENT, patient_labels=maps))


def test_the_liver_keeps_about_the_volume_of_the_map(maps: Path) -> None:
    map_ml = 4 / 3 * np.pi * 65 * 70 * 68 / 1000
    assert study(maps, 1).truth.liver_ml == pytest.approx(map_ml, rel=0.35)


def test_the_lesions_lie_in_the_liver_and_show_on_the_pet(maps: Path) -> None:
    sim = study(maps, 1)
    for row in sim.truth.lesions:
        voxel = np.rint(sim.hbp.grid.voxels(row.mri_mm)).astype(int)
        assert sim.liver.array[tuple(voxel)]
    hot = np.rint(sim.suv.grid.voxels(sim.truth.lesions[0].pet_mm)).astype(int)
    assert sim.suv.array[tuple(hot)] > 1.7 * sim.truth.liver_suv


def test_another_seed_warps_the_patient_otherwise(maps: Path) -> None:
    other = anatomy(Recipe(2, anatomy=Anatomy.PATIENT, patient_labels=maps))
    points = study(maps, 1).body.liver_points_mm(np.random.default_rng(0), 300)
    assert 0.3 < (other.inside_liver_mm(points) < 0).mean() < 0.98


def test_the_warp_and_its_inverse_meet(maps: Path) -> None:
    body = study(maps, 1).body
    assert body.inside_liver_mm(np.array([body.liver.centre_mm]))[0] < -10.0
    cava = body.trees(Tissue.CAVA)
    assert len(cava) == len(labels.CAVA) - 1


def test_without_the_maps_the_refusal_says_where_to_name_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(PATIENT_LABELS_VARIABLE, raising=False)
    with pytest.raises(NothingFound, match="set LESIONMATCH_PATIENT_LABELS"):
        simulate(Recipe(1, anatomy=Anatomy.PATIENT))
    with pytest.raises(NothingFound, match=r"wanted patient15_LuDOTATATE_attn\.i33"):
        simulate(Recipe(1, anatomy=Anatomy.PATIENT, patient_labels=tmp_path))


@pytest.mark.skipif(
    PATIENT_LABELS_VARIABLE not in os.environ, reason=f"{PATIENT_LABELS_VARIABLE} is not set"
)
def test_the_real_patient_has_a_liver_of_about_a_litre() -> None:
    sim = simulate(Recipe(1, (LesionRecipe(15.0, 3.0),), anatomy=Anatomy.PATIENT))
    assert 700 < sim.truth.liver_ml < 1600
    assert sim.truth.cell == "TP"

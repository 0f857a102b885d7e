"""Simulated lesions lie, shine and are drawn as their recipe says."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lesionmatch.errors import InvalidOption
from lesionmatch.phantom import (
    LesionRecipe,
    Place,
    Recipe,
    Spot,
    SpotRecipe,
    simulate,
)
from lesionmatch.phantom.render import fine_share
from lesionmatch.phantom.shapes import Ellipsoid, turned
from lesionmatch.phantom.truth import recovery
from tests.phantom_studies import LESIONS, RECIPE, study


@pytest.mark.parametrize(
    ("diameter_mm", "fwhm_mm", "breathing_mm", "expected"),
    [
        (6.0, 6.0, 0.0, 0.291),
        (10.0, 7.0, 0.0, 0.581),
        (20.0, 8.0, 0.0, 0.966),
        (10.0, 6.0, 10.0, 0.529),
        (6.0, 6.0, 20.0, 0.111),
    ],
)
def test_recovery_is_the_published_one_of_a_sphere(
    diameter_mm: float, fwhm_mm: float, breathing_mm: float, expected: float
) -> None:
    recipe = Recipe(seed=1, pet_fwhm_mm=fwhm_mm, pet_breathing_mm=breathing_mm)
    radius = diameter_mm / 2
    sphere = Ellipsoid((0.0, 0.0, 0.0), (radius, radius, radius))
    assert recovery(recipe, sphere) == pytest.approx(expected, abs=0.006)


def test_a_lesion_below_the_voxel_keeps_its_volume() -> None:
    sim = study()
    shape = turned((-60.0, -5.0, 10.0), (1.5, 1.5, 1.5), np.eye(3))
    found = fine_share(sim.suv.grid, sim.scene.ct_pose, shape)
    assert found is not None
    volume_ml = float(found[1].sum()) * sim.suv.grid.voxel_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 1.5**3 / 1000, rel=0.06)


def test_a_large_avid_lesion_shows_its_true_uptake_where_the_truth_says() -> None:
    sim, truth = study(), study().truth.lesions[0]
    voxel = np.rint(sim.suv.grid.voxels(truth.pet_mm)).astype(int)
    around = sim.suv.array[tuple(slice(v - 1, v + 2) for v in voxel)]
    assert around.mean() == pytest.approx(3.0 * 5.0, rel=0.12)


def test_lesions_lie_where_the_truth_says_on_the_ct_and_the_mri() -> None:
    sim, cyst = study(), study().truth.lesions[5]
    ct = np.rint(sim.ct.grid.voxels(cyst.ct_mm)).astype(int)
    assert sim.ct.array[tuple(slice(v - 1, v + 2) for v in ct)].mean() == pytest.approx(6.0, abs=8)
    mask = sim.segments[5].mask
    np.testing.assert_allclose(mask.points_mm().mean(0), cyst.mri_mm, atol=1.0)


def test_every_lesion_has_an_outline_however_small() -> None:
    sim = study()
    assert [s.meaning for s in sim.segments] == [lesion.kind for lesion in LESIONS]
    assert all(row.voxels >= 1 for row in sim.truth.lesions)
    assert sim.segments[0].mask.volume_ml == pytest.approx(14.1, rel=0.12)


def test_lesions_lie_at_the_places_asked_for() -> None:
    deep, capsular, vascular, central, *_ = study().truth.lesions
    assert deep.capsule_distance_mm > 10.0
    assert capsular.capsule_distance_mm <= 5.0
    assert vascular.vessel_distance_mm <= 5.0
    assert central.hilum_distance_mm <= 20.0


def test_the_cell_follows_from_what_either_examination_shows() -> None:
    hot = SpotRecipe(14.0, 4.0, Spot.PARENCHYMA)
    cells = [study().truth.cell, simulate(replace(RECIPE, lesions=(), spots=(hot,))).truth.cell]
    assert cells == ["TP", "FP"]


def test_uncertain_uptake_gives_no_cell() -> None:
    lesion = LesionRecipe(10.0, 1.9, place=Place.DEEP)
    truth = simulate(replace(RECIPE, lesions=(lesion,))).truth
    assert truth.lesions[0].pet_status == "uncertain"
    assert truth.cell is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"liver_cov": 0.9}, "liver_cov: wanted 0 to 0.6, got 0.9"),
        ({"breathing_mm": 60.0}, "breathing_mm: wanted -40 to 40, got 60.0"),
        ({"seed": -1}, "seed: wanted 0 to"),
        ({"deformation_wavelengths_mm": (30.0, 90.0)}, "wanted two of at least 60 in order"),
    ],
)
def test_impossible_recipes_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        replace(RECIPE, **changes)


def test_impossible_lesions_are_refused() -> None:
    with pytest.raises(InvalidOption, match=r"wanted a diameter of 1 to 200 mm, got 0\.5"):
        LesionRecipe(0.5, 3.0)
    with pytest.raises(
        InvalidOption, match=r"wanted a tumour-to-liver ratio of 0 to 50, got 60\.0"
    ):
        LesionRecipe(5.0, 60.0)


def test_a_lesion_without_a_place_is_refused() -> None:
    with pytest.raises(InvalidOption, match="lesion of 180 mm, deep: wanted a place"):
        simulate(replace(RECIPE, lesions=(LesionRecipe(180.0, 3.0, place=Place.DEEP),)))


def test_the_liver_cuts_a_large_lesion_off_at_its_surface() -> None:
    sim = simulate(Recipe(2, (LesionRecipe(90.0, 3.0), LesionRecipe(80.0, 3.0))))
    for segment in sim.segments:
        drawn = segment.mask.on(sim.hbp.grid).array
        assert (drawn & sim.liver.array).sum() > 0.995 * drawn.sum()


def test_a_reader_who_draws_too_wide_changes_the_volumes_and_no_image() -> None:
    sim = simulate(replace(RECIPE, outline_error_mm=2.0))
    true_ml = study().segments[0].mask.volume_ml
    assert sim.segments[0].mask.volume_ml == pytest.approx(true_ml * (17 / 15) ** 3, rel=0.06)
    np.testing.assert_array_equal(sim.hbp.array, study().hbp.array)


def test_blur_spreads_a_lesions_uptake_and_loses_none_of_it() -> None:
    lesion = LesionRecipe(10.0, 4.0, place=Place.DEEP)
    recipe = Recipe(seed=9, liver_suv=5.0, liver_cov=0.0)
    without, with_lesion = (simulate(replace(recipe, lesions=n)) for n in ((), (lesion,)))
    extra = with_lesion.suv.array - without.suv.array
    true_ml = np.pi / 6 * 10.0**3 / 1000
    total = float(extra.sum()) * without.suv.grid.voxel_ml
    assert total == pytest.approx((4.0 - 1.0) * 5.0 * true_ml, rel=0.06)
    row = with_lesion.truth.lesions[0]
    assert extra.max() == pytest.approx(3.0 * 5.0 * row.recovery, rel=0.15)
    peak_mm = without.suv.grid.world(np.unravel_index(extra.argmax(), extra.shape))
    assert np.linalg.norm(peak_mm - row.pet_mm) < 3.5

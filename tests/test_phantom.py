"""A simulated study is what its recipe says, and its truth is true of its images."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from lesionmatch.phantom import (
    Plane,
    Recipe,
    Resection,
    SimulatedStudy,
    simulate,
    vessels_on_mri,
    wrong,
)
from lesionmatch.phantom.body import Tissue
from lesionmatch.phantom.setup import scene
from lesionmatch.phantom.shapes import turned
from lesionmatch.phantom.study import anatomy
from lesionmatch.phantom.truth import recovery
from tests.phantom_studies import RECIPE, deep_liver, still, study


def test_the_same_recipe_gives_the_same_voxels() -> None:
    again = simulate(RECIPE)
    for name in ("suv", "ct", "hbp", "liver"):
        first, second = getattr(study(), name), getattr(again, name)
        np.testing.assert_array_equal(first.array, second.array)
        assert first.grid.matches(second.grid, tol_mm=0.0)
    assert study().truth.as_dict() == again.truth.as_dict()


def test_another_seed_is_another_body() -> None:
    one, other = study().body, anatomy(replace(RECIPE, seed=5))
    points = one.liver_points_mm(np.random.default_rng(0), 400)
    inside_both = (other.inside_liver_mm(points) < 0).mean()
    assert 0.5 < inside_both < 0.97
    assert one.half_width_mm != other.half_width_mm


def test_pet_and_ct_share_a_frame_and_the_mri_has_its_own_as_far_off_as_asked() -> None:
    truth = study().truth
    assert study().suv.frame == study().ct.frame != study().hbp.frame
    origins = [p.body_from_world.inverse.matrix[:3, 3] for p in (truth.ct_pose, truth.mri_pose)]
    assert np.linalg.norm(origins[0] - origins[1]) == pytest.approx(250.0)


def test_the_liver_has_the_mean_and_the_noise_of_the_recipe() -> None:
    sim = still()
    suv = sim.suv.array[deep_liver(sim.suv.grid, sim.liver_on_pet.array)]
    assert np.median(suv) == pytest.approx(5.0, rel=0.02)
    spread = np.subtract(*np.percentile(suv, [75, 25])) / 1.349 / np.median(suv)
    assert spread == pytest.approx(0.2, rel=0.1)


def test_noise_grows_with_the_square_root_of_the_activity() -> None:
    clean = simulate(replace(still().recipe, liver_cov=0.0)).suv.array
    noise = still().suv.array - clean
    for low, high in ((4.0, 6.0), (12.0, 30.0)):
        chosen = (clean > low) & (clean < high)
        expected = 0.2 * np.sqrt(clean[chosen].mean() * 5.0)
        assert noise[chosen].std() == pytest.approx(expected, rel=0.1)


def test_each_scanner_shows_the_liver_as_it_does() -> None:
    sim = study()
    points = sim.scene.liver_points_mm
    depth, vessel = -sim.body.inside_liver_mm(points), sim.body.vessel_mm(points, 0.0)
    centres = np.array([row.ct_mm for row in sim.truth.lesions])
    on_ct = sim.truth.ct_pose.world_mm(points)
    far = np.linalg.norm(on_ct[:, None] - centres[None], axis=-1).min(1) > 25.0
    clear = on_ct[(depth > 10) & (vessel > 8) & far]
    voxels = np.rint(sim.ct.grid.voxels(clear)).astype(int)
    assert sim.ct.array[tuple(voxels.T)].mean() == pytest.approx(105.0, abs=4.0)


def test_on_the_hepatobiliary_image_liver_is_bright_and_spleen_and_vessels_are_dark() -> None:
    sim = study()
    hbp = sim.tissues.hbp
    assert hbp[Tissue.LIVER] == 1.0
    assert hbp[Tissue.SPLEEN] < 0.65
    assert max(hbp[t] for t in (Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN, Tissue.CAVA)) < 0.6
    assert sim.hbp.array[sim.liver.array].mean() > 2 * sim.hbp.array[~sim.liver.array].mean()


def test_coverage_ends_where_the_recipe_says() -> None:
    body = study().body
    recipe = replace(RECIPE, pet_missing_mm=(0.0, 40.0), mri_missing_mm=(30.0, 0.0))
    view = scene(recipe, body)
    top = view.pet_pose.body_from_world.apply(view.pet_grid.corners_mm())[:, 2].max()
    assert body.top_mm - 44.0 < top <= body.top_mm - 40.0
    assert view.hbp_grid.shape[0] < study().hbp.grid.shape[0]


@cache
def coronal() -> SimulatedStudy:
    return simulate(replace(RECIPE, mri_plane=Plane.CORONAL, mri_tilt_deg=0.0))


def test_a_coronal_mri_runs_from_front_to_back_with_the_head_up() -> None:
    sim = coronal()
    np.testing.assert_array_equal(sim.hbp.grid.directions, [[0, 0, 1], [1, 0, 0], [0, -1, 0]])
    assert sim.liver.volume_ml == pytest.approx(study().liver.volume_ml, rel=0.03)


def test_wrong_pairs_keep_the_grid_and_change_the_anatomy() -> None:
    sim = still()
    for pair in (wrong.mirrored, wrong.upside_down, wrong.thighs, wrong.another_patient):
        image, liver = pair(sim)
        assert image.frame == liver.frame == sim.hbp.frame
        assert not np.array_equal(image.array, sim.hbp.array)
    image, liver = wrong.half_liver(sim)
    assert liver.volume_ml < 0.8 * sim.liver.volume_ml


def test_the_vessel_mask_holds_the_large_veins_and_little_else() -> None:
    sim = study()
    mask = vessels_on_mri(sim)
    anatomy_mm = sim.truth.mri_pose.anatomy_mm(mask.points_mm())
    assert sim.body.vessel_mm(anatomy_mm).max() < 2.0
    within = mask.array & sim.liver.array
    assert within.any()
    assert sim.hbp.array[within].mean() < 0.75 * sim.hbp.array[sim.liver.array].mean()


def test_stomach_and_bowel_may_differ_between_the_visits_and_nothing_else() -> None:
    one, other = study(), simulate(replace(RECIPE, gut_differs=True))
    np.testing.assert_array_equal(one.ct.array, other.ct.array)
    changed = one.hbp.array != other.hbp.array
    assert changed.mean() > 0.01
    depth = ndimage.distance_transform_edt(one.liver.array, sampling=one.hbp.grid.spacing_mm)
    assert not changed[depth > 8.0].any()


def test_another_visit_is_the_same_body_with_other_noise_and_breath() -> None:
    first, second = study(), simulate(replace(RECIPE, visit=1))
    assert first.body.hilum_mm == second.body.hilum_mm
    assert first.hbp.frame != second.hbp.frame
    assert not np.array_equal(first.suv.array, second.suv.array)
    assert first.truth.lesions[0].ct_mm != second.truth.lesions[0].ct_mm


def test_a_sharpening_reconstruction_overshoots_and_recovers_more() -> None:
    shape = turned((0.0, 0.0, 0.0), (15.0, 15.0, 15.0), np.eye(3))
    small = turned((0.0, 0.0, 0.0), (3.0, 3.0, 3.0), np.eye(3))
    plain = Recipe(seed=1, pet_fwhm_mm=6.0, pet_breathing_mm=0.0)
    sharp = replace(plain, pet_sharpening=1.5)
    assert recovery(sharp, shape) == pytest.approx(1.0, abs=0.02)
    # 0.291 of one resolution and 0.129 of another that is wider by the root of two.
    assert recovery(sharp, small) == pytest.approx(2.5 * 0.291 - 1.5 * 0.126, abs=0.015)


@pytest.mark.parametrize("resection", [Resection.LEFT_LATERAL, Resection.RIGHT_POSTERIOR])
def test_a_resected_liver_lacks_its_part(resection: Resection) -> None:
    whole, cut = (anatomy(replace(RECIPE, resection=kind)) for kind in (Resection.NONE, resection))
    points = whole.liver_points_mm(np.random.default_rng(1), 2000)
    lost = points[np.asarray(cut.inside_liver_mm(points)) > 5.0]
    x, y = (lost - whole.liver.centre_mm)[:, :2].mean(0)
    assert (x > 40.0) if resection is Resection.LEFT_LATERAL else (x < 0.0 < y)


def test_missing_ends_of_a_coronal_mri_are_cut_off_along_the_body() -> None:
    recipe = replace(coronal().recipe, mri_missing_mm=(40.0, 0.0))
    cut, whole = scene(recipe, coronal().body).hbp_grid, coronal().hbp.grid
    assert cut.shape[0] == whole.shape[0]
    assert cut.shape[1] < whole.shape[1]
    bottom = coronal().body.bottom_mm + 40.0
    lowest = coronal().truth.mri_pose.body_from_world.apply(cut.corners_mm())[:, 2].min()
    assert lowest == pytest.approx(bottom, abs=15.0)

"""A simulated study is what its recipe says, and its truth is true of its images."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.errors import InvalidOption
from lesionmatch.geometry import Grid
from lesionmatch.phantom import (
    LesionRecipe,
    Place,
    Plane,
    Recipe,
    Resection,
    SimulatedStudy,
    Spot,
    SpotRecipe,
    simulate,
    vessels_on_mri,
    wrong,
)
from lesionmatch.phantom.body import Tissue
from lesionmatch.phantom.motion import Shear
from lesionmatch.phantom.render import fine_share
from lesionmatch.phantom.setup import scene
from lesionmatch.phantom.shapes import Ellipsoid, coords_of, turned
from lesionmatch.phantom.study import anatomy
from lesionmatch.phantom.truth import recovery
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


def test_the_maps_between_mri_and_ct_are_inverse_to_each_other_and_hold_the_pairs() -> None:
    truth = study().truth
    mapped = truth.ct_from_mri(truth.liver_points_mri_mm)
    np.testing.assert_allclose(mapped, truth.liver_points_ct_mm, atol=1e-6)
    back = truth.mri_from_ct(mapped)
    np.testing.assert_allclose(back, truth.liver_points_mri_mm, atol=1e-6)


def test_the_dome_moves_by_the_breath_and_the_bottom_by_less() -> None:
    pose, body = study().truth.mri_pose, study().body
    assert pose.breath is not None
    x, y, _ = body.liver.centre_mm
    at = np.array([[min(x, -40.0), y, body.top_mm], [min(x, -40.0), y, body.bottom_mm - 60.0]])
    shift = pose.breath(coords_of(at))
    assert shift[0] == pytest.approx(-15.0, rel=0.01)
    assert -13.0 < shift[1] < -5.0


def test_the_largest_deformation_of_the_liver_is_as_asked() -> None:
    bent = study().truth.mri_pose.deformation
    assert bent is not None
    longest = np.linalg.norm(bent(coords_of(study().scene.liver_points_mm)), axis=0).max()
    assert longest == pytest.approx(6.0, rel=1e-3)


def test_organs_slide_along_the_wall_and_never_cross_it() -> None:
    pose, body = study().truth.mri_pose, study().body
    points = np.random.default_rng(3).uniform(-180, 180, (4000, 3))
    wall = points[np.asarray(body.cavity(coords_of(points))) >= 0]
    moved = np.stack(pose.visceral_coords((wall[:, 0], wall[:, 1], wall[:, 2])), -1)
    np.testing.assert_allclose(moved[:, :2], wall[:, :2], atol=1e-9)
    assert np.abs(moved[:, 2] - wall[:, 2]).max() > 5.0


@pytest.mark.parametrize(
    ("seed", "deformation_mm", "wavelengths_mm"),
    [(1, 10.0, (170.0, 300.0)), (2, 10.0, (170.0, 300.0)), (3, 6.0, (90.0, 180.0))],
)
def test_the_strongest_motion_does_not_fold_the_liver(
    seed: int, deformation_mm: float, wavelengths_mm: tuple[float, float]
) -> None:
    recipe = Recipe(
        seed,
        breathing_mm=25.0,
        breathing_ap_share=0.3,
        deformation_mm=deformation_mm,
        deformation_wavelengths_mm=wavelengths_mm,
        rotation_deg=10.0,
    )
    view = scene(recipe, anatomy(recipe))
    pose, step = view.mri_pose, 0.5
    points = pose.world_mm(view.liver_points_mm)
    columns = [
        (pose.anatomy_mm(points + step * u) - pose.anatomy_mm(points - step * u)) / (2 * step)
        for u in np.eye(3)
    ]
    assert np.linalg.det(np.stack(columns, -1)).min() > 0.35


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


def test_the_pet_lies_off_its_ct_in_the_liver_as_far_as_asked() -> None:
    truth = study().truth
    shift = truth.liver_points_pet_mm - truth.liver_points_ct_mm
    assert 3.5 < np.median(shift[:, 2]) <= 6.0
    np.testing.assert_allclose(shift[:, :2], 0.0, atol=1e-9)


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


def test_without_motion_mri_and_ct_show_the_liver_at_one_place() -> None:
    truth = still().truth
    np.testing.assert_allclose(truth.liver_points_mri_mm, truth.liver_points_ct_mm, atol=1e-6)


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


def test_the_liver_cuts_a_large_lesion_off_at_its_surface() -> None:
    sim = simulate(Recipe(2, (LesionRecipe(90.0, 3.0), LesionRecipe(80.0, 3.0))))
    for segment in sim.segments:
        drawn = segment.mask.on(sim.hbp.grid).array
        assert (drawn & sim.liver.array).sum() > 0.995 * drawn.sum()


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


def test_a_reader_who_draws_too_wide_changes_the_volumes_and_no_image() -> None:
    sim = simulate(replace(RECIPE, outline_error_mm=2.0))
    true_ml = study().segments[0].mask.volume_ml
    assert sim.segments[0].mask.volume_ml == pytest.approx(true_ml * (17 / 15) ** 3, rel=0.06)
    np.testing.assert_array_equal(sim.hbp.array, study().hbp.array)


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


def test_a_shear_keeps_volumes_and_has_its_largest_length() -> None:
    recipe = Recipe(
        5, breathing_mm=0.0, deformation_mm=6.0, deformation_keeps_volume=True,
        deformation_wavelengths_mm=(90.0, 180.0),
    )  # fmt: skip
    view = scene(recipe, anatomy(recipe))
    bend, points, step = view.mri_pose.deformation, view.liver_points_mm, 0.01
    assert isinstance(bend, Shear)
    lengths = np.linalg.norm(bend(coords_of(points)), axis=0)
    assert lengths.max() == pytest.approx(6.0, rel=1e-3)

    def moved(at: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(bend((at[:, 0], at[:, 1], at[:, 2])), -1)

    slopes = [(moved(points + step * u) - moved(points - step * u)) / (2 * step) for u in np.eye(3)]
    divergence = sum(slope[:, axis] for axis, slope in enumerate(slopes))
    np.testing.assert_allclose(divergence, 0.0, atol=1e-6)
    assert np.abs(slopes[0][:, 1]).max() > 0.05


def test_a_wall_stops_a_deformation_or_cuts_off_what_it_carries_there() -> None:
    recipe = Recipe(5, breathing_mm=0.0, deformation_mm=6.0)
    poses = [
        scene(one, anatomy(one)).mri_pose
        for one in (recipe, replace(recipe, deformation_in_wall=True))
    ]
    held, cut = poses
    world = held.body_from_world.inverse.apply(np.array([[-160.0, 0.0, 0.0]]))
    at = held.body_from_world.apply(world)
    assert held.cavity(coords_of(at)).item() > 0.0
    assert np.abs(held.anatomy_mm(world) - at)[0, :2].max() < 0.05
    assert np.abs(cut.anatomy_mm(world) - at)[0, :2].max() > 0.3

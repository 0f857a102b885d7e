"""How a simulated body moves between its examinations."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lesionmatch.phantom import (
    Recipe,
)
from lesionmatch.phantom.motion import Shear
from lesionmatch.phantom.setup import scene
from lesionmatch.phantom.shapes import coords_of
from lesionmatch.phantom.study import anatomy
from tests.phantom_studies import still, study


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


def test_the_pet_lies_off_its_ct_in_the_liver_as_far_as_asked() -> None:
    truth = study().truth
    shift = truth.liver_points_pet_mm - truth.liver_points_ct_mm
    assert 3.5 < np.median(shift[:, 2]) <= 6.0
    np.testing.assert_allclose(shift[:, :2], 0.0, atol=1e-9)


def test_without_motion_mri_and_ct_show_the_liver_at_one_place() -> None:
    truth = still().truth
    np.testing.assert_allclose(truth.liver_points_mri_mm, truth.liver_points_ct_mm, atol=1e-6)


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

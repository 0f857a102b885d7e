"""Capsule, tubes, vessels and hilum on shapes whose answers are known."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionmatch.errors import FrameMismatch, InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver import Liver, describe_liver
from lesionmatch.liver.capsule import find_capsule, surface_points_mm
from lesionmatch.liver.level import evened
from lesionmatch.liver.tubes import eigenvalues, tubes
from lesionmatch.liver.vessels import large_vessels
from lesionmatch.protocol import Protocol
from lesionmatch.segments import Structure
from tests.liver_scene import (
    BALL_80,
    GRID,
    RULES,
    TUBES,
    Voxels,
    X,
    Y,
    Z,
    ball,
    picture,
)


def test_depth_in_a_ball_is_radius_less_distance_from_its_middle() -> None:
    capsule = find_capsule(Mask(GRID, BALL_80), RULES)
    points = np.array([[30.0, 0, 0], [0, 50.0, 0], [0, 0, -70.0], [40.0, 40.0, 20.0]])
    np.testing.assert_allclose(capsule.distance_mm(points), [50.0, 30.0, 10.0, 20.0], atol=1.2)


def test_a_point_outside_the_envelope_touches_the_capsule() -> None:
    capsule = find_capsule(Mask(GRID, BALL_80), RULES)
    assert capsule.distance_mm(np.array([[95.0, 0.0, 0.0]])).tolist() == [0.0]


def test_the_bottom_of_a_narrow_cleft_is_not_capsule() -> None:
    cleft = BALL_80 & ~((np.abs(X) < 7.0) & (Z > 40.0))
    capsule = find_capsule(Mask(GRID, cleft), RULES)
    # Just under the bottom of the cleft the capsule is still its rim, near (7, 0, 80).
    assert capsule.distance_mm(np.array([[0.0, 0.0, 36.0]]))[0] > 33.0


def test_a_broad_impression_stays_capsule() -> None:
    pressed = BALL_80 & ~ball(90.0, (0.0, 0.0, 130.0))
    capsule = find_capsule(Mask(GRID, pressed), RULES)
    assert capsule.distance_mm(np.array([[0.0, 0.0, 30.0]]))[0] == pytest.approx(10.0, abs=2.5)


def test_a_cut_at_the_edge_of_coverage_is_not_capsule() -> None:
    part = (slice(0, 40), slice(0, 100), slice(0, 100))
    capsule = find_capsule(Mask(GRID, BALL_80).crop(part), RULES)
    # The last slice lies at z = 28.5, where the ball is 74.7 mm wide to either side.
    assert capsule.distance_mm(np.array([[0.0, 0.0, 28.0]]))[0] == pytest.approx(74.8, abs=1.5)


def test_a_mask_that_fills_its_grid_has_no_capsule() -> None:
    capsule = find_capsule(Mask(GRID, np.ones(GRID.shape, np.bool_)), RULES)
    assert capsule.distance_mm(np.zeros((2, 3))).tolist() == [np.inf, np.inf]


def test_an_empty_mask_has_no_surface() -> None:
    assert surface_points_mm(Mask(GRID, np.zeros(GRID.shape, np.bool_))).shape == (0, 3)


@settings(max_examples=25)
@given(st.lists(st.floats(-5, 5, width=32), min_size=6, max_size=6))
def test_closed_form_eigenvalues_are_those_of_numpy(parts: list[float]) -> None:
    xx, yy, zz, xy, xz, yz = parts
    matrix = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    found = eigenvalues([np.array([p], np.float32) for p in parts])
    wanted = np.linalg.eigvalsh(matrix)
    np.testing.assert_allclose(np.ravel(found), wanted, atol=5e-2)


def test_a_dark_tube_is_stronger_than_a_dark_ball_or_sheet() -> None:
    middle = tuple(n // 2 for n in GRID.shape)

    def strength(dark: Voxels) -> float:
        values = np.where(dark, 0.0, 1.0).astype(np.float32)
        found = tubes(values, np.ones(GRID.shape, np.bool_), GRID)
        return float(found.dips.reshape(GRID.shape)[middle])

    tube = strength(np.hypot(X - 1.0, Y - 1.0) < 5.0)
    assert tube > 0.3
    assert strength(ball(5.0, (1.0, 1.0, 1.5))) < 0.25 * tube
    assert strength(np.abs(X - 1.0) < 5.0) < 0.25 * tube


LESION = ball(12.0, (35.0, -35.0, 20.0))


def test_tubes_are_vessels_and_a_ball_nobody_drew_is_not() -> None:
    hbp = picture(BALL_80, TUBES | LESION)
    liver = describe_liver(
        hbp, Mask(GRID, BALL_80), origin="given", lesions=(), structures={}, protocol=Protocol()
    )
    found = liver.vessels.array
    assert (found & TUBES).sum() / TUBES.sum() > 0.8
    assert (found & ~TUBES).sum() / found.sum() < 0.2
    assert not (found & LESION).any()
    assert liver.vessel_source == "found on the HBP image"
    assert liver.vessel_distance_mm(np.array([[0.0, 10.0, 0.0], [0.0, 40.0, 30.0]])) == (
        pytest.approx([0.0, 26.0], abs=2.5)
    )


PATCHES = np.sin(2 * np.pi * X / 60.0) * np.sin(2 * np.pi * Y / 60.0) * np.cos(np.pi * Z / 60.0)


def test_a_coarse_liver_is_evened_and_its_veins_stay_as_dark() -> None:
    patchy = picture(BALL_80, TUBES, noise=0.0).array * (1.0 + 0.15 * PATCHES).astype(np.float32)
    deep = ball(70.0)
    ratio = evened(Image(GRID, patchy, Quantity.ARBITRARY), Mask(GRID, BALL_80))
    assert (0.15 * PATCHES)[deep].std() > 0.05
    assert ratio[deep & ~TUBES].std() < 0.03
    assert np.median(ratio[deep & TUBES]) == pytest.approx(0.4, abs=0.04)


def test_the_fat_of_a_fissure_within_the_mask_is_no_vessel() -> None:
    fissure = (np.abs(Y - 60.0) < 3.0) & (np.abs(X) < 40.0) & (np.abs(Z) < 12.0)
    values = picture(BALL_80, TUBES).array.copy()
    values[fissure] = 12.0
    liver = describe_liver(
        Image(GRID, values, Quantity.ARBITRARY), Mask(GRID, BALL_80), origin="", lesions=(),
        structures={}, protocol=Protocol(),
    )  # fmt: skip
    assert (liver.vessels.array & TUBES & (Y < 45.0)).sum() / (TUBES & (Y < 45.0)).sum() > 0.8
    assert not (liver.vessels.array & fissure).any()


def test_drawn_vessels_take_precedence_and_drawn_lesions_belong_to_the_liver() -> None:
    portal, exophytic = ball(6.0, (0.0, 0.0, 10.0)), ball(10.0, (84.0, 0.0, 0.0))
    liver = describe_liver(
        picture(BALL_80, TUBES),
        Mask(GRID, BALL_80),
        origin="given: SEG",
        lesions=[Mask(GRID, exophytic).trimmed()],
        structures={Structure.PORTAL_VEIN: Mask(GRID, portal).trimmed()},
        protocol=Protocol(),
    )
    assert (liver.vessels.array == portal).all()
    assert liver.vessel_source == "given"
    assert liver.origin == "given: SEG"
    assert (liver.mask.array & exophytic).sum() == exophytic.sum()


def test_a_lesion_beside_a_thin_vessel_is_not_near_a_large_one() -> None:
    thin, wide = (np.hypot(Y - y, Z - 1.5) < r for y, r in ((-20.0, 1.6), (20.0, 3.6)))
    large = large_vessels(Mask(GRID, (thin | wide) & (np.abs(X) < 40.0)), RULES)
    y_mm = large.points_mm()[:, 1]
    assert 16.0 < y_mm.min() < 20.0 < y_mm.max() < 24.0


def test_without_a_vessel_there_is_no_distance_to_one() -> None:
    liver = describe_liver(
        picture(BALL_80), Mask(GRID, BALL_80), origin="", lesions=(), structures={},
        protocol=Protocol(),
    )  # fmt: skip
    assert liver.vessels.is_empty
    assert liver.vessel_distance_mm(np.zeros((1, 3))).tolist() == [np.inf]


def test_the_hilum_distance_is_that_of_points_from_the_hilum() -> None:
    cleft = BALL_80 & ~((np.abs(X - 30.0) < 8.0) & (Z < 0.0))
    liver = describe_liver(
        picture(cleft), Mask(GRID, cleft), origin="", lesions=(), structures={},
        protocol=Protocol(),
    )  # fmt: skip
    assert abs(liver.hilum_mm[0] - 30.0) < 12.0
    assert "cleft" in liver.hilum_source
    there = liver.hilum_mm + np.array([[0.0, 3.0, 4.0]])
    assert liver.hilum_distance_mm(there)[0] == pytest.approx(5.0)


def hilum_of(fat: Voxels, duct: Voxels | None = None) -> Liver:
    """The filled ball with fat in it, which on the image is dark, and a bright duct."""
    values = np.where(BALL_80 & ~fat, 100.0, 10.0)
    if duct is not None:
        values[duct] = 180.0
    hbp = Image(GRID, values.astype(np.float32), Quantity.ARBITRARY)
    return describe_liver(
        hbp, Mask(GRID, BALL_80), origin="", lesions=(), structures={}, protocol=Protocol()
    )


def test_a_pocket_of_fat_that_the_filled_liver_encloses_may_be_the_hilum() -> None:
    liver = hilum_of(ball(10.0, (-30.0, 14.0, -12.0)))
    assert np.linalg.norm(liver.hilum_mm - (-30.0, 14.0, -12.0)) < 3.0
    assert "unsure" not in liver.hilum_source


def test_the_hilum_says_whether_bile_ducts_pass_by_it() -> None:
    pocket = ball(10.0, (-30.0, 14.0, -12.0))
    for off_mm, said in ((0.0, " and bile ducts"), (45.0, ", without bile ducts to confirm it")):
        duct = (np.hypot(X + 30.0 - off_mm, Y - 6.0) < 3.0) & (np.abs(Z + 12.0) < 30.0)
        liver = hilum_of(pocket, duct & ~pocket)
        assert np.linalg.norm(liver.hilum_mm - (-30.0, 14.0, -12.0)) < 4.0
        assert liver.hilum_source == "cleft of the liver near large vessels" + said


def test_of_two_pockets_that_fit_alike_the_hilum_is_said_to_be_unsure() -> None:
    liver = hilum_of(ball(10.0, (-30.0, 34.0, -11.0)) | ball(10.0, (-30.0, -6.0, -11.0)))
    assert re.search(r"; unsure, another place [34]\d mm away fits too$", liver.hilum_source)


def test_an_empty_liver_mask_is_refused() -> None:
    empty = Mask(GRID, np.zeros(GRID.shape, np.bool_))
    with pytest.raises(InvalidInput, match="wanted a voxel that belongs to it"):
        describe_liver(
            picture(BALL_80), empty, origin="", lesions=(), structures={}, protocol=Protocol()
        )


def test_a_liver_mask_of_another_frame_is_refused() -> None:
    other = Mask(Grid.of(Frame("ct"), GRID.shape), BALL_80)
    with pytest.raises(FrameMismatch, match="liver mask"):
        describe_liver(
            picture(BALL_80), other, origin="", lesions=(), structures={}, protocol=Protocol()
        )

"""Capsule, tubes, vessels and doubts on shapes whose answers are known."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lesionmatch.errors import FrameMismatch, InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver import Liver, describe_liver, find_liver
from lesionmatch.liver.capsule import find_capsule, surface_points_mm
from lesionmatch.liver.ducts import find_ducts
from lesionmatch.liver.level import evened
from lesionmatch.liver.plausible import doubts_about
from lesionmatch.liver.tubes import eigenvalues, tubes
from lesionmatch.liver.vessels import large_vessels
from lesionmatch.protocol import LiverRules, Protocol
from lesionmatch.segments import Structure

MRI = Frame("mri")
RULES = LiverRules()
GRID = Grid.of(MRI, (60, 100, 100), origin_mm=(-99, -99, -88.5), spacing_mm=(3.0, 2.0, 2.0))
X, Y, Z = np.moveaxis(GRID.world(np.indices(GRID.shape).reshape(3, -1).T), 1, 0).reshape(
    3, *GRID.shape
)
Voxels = NDArray[np.bool_]


def ball(radius_mm: float, centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Voxels:
    x, y, z = centre_mm
    return np.asarray((X - x) ** 2 + (Y - y) ** 2 + (Z - z) ** 2 <= radius_mm**2)


def picture(liver: Voxels, dark: Voxels | None = None, noise: float = 0.03) -> Image:
    """A liver of brightness 100 in a body of 30, with dark places of 40."""
    values = np.where(liver, 100.0, 30.0)
    if dark is not None:
        values[dark & liver] = 40.0
    values += np.random.default_rng(1).normal(0.0, 100.0 * noise, values.shape)
    return Image(GRID, np.abs(values).astype(np.float32), Quantity.ARBITRARY)


BALL_80 = ball(80.0)


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


TUBES = (np.hypot(Y - 10.0, Z) < 5.0) & (np.abs(X) < 60) | (np.hypot(X - 1.0, Z) < 4.0) & (
    np.abs(Y) < 55
)
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


NO_LESIONS = Mask(GRID, np.zeros(GRID.shape, np.bool_))
RIGHT = ball(58.0, (-35.0, 0.0, 0.0))


def doubts(liver: Voxels, hbp: Image | None = None, rules: LiverRules = RULES) -> tuple[str, ...]:
    return doubts_about(hbp or picture(liver), Mask(GRID, liver), NO_LESIONS, rules)


def test_a_bright_liver_on_the_right_raises_no_doubt() -> None:
    assert doubts(RIGHT) == ()


def test_volumes_out_of_range_are_doubted() -> None:
    assert "below 450 ml, though the MRI covers all" in doubts(ball(40.0, (-40.0, 0.0, 0.0)))[0]
    assert "above 500 ml" in doubts(RIGHT, rules=replace(RULES, volume_most_ml=500.0))[0]


def test_the_volume_of_a_drawn_liver_is_remarked_and_no_doubt() -> None:
    small = Mask(GRID, ball(40.0, (-40.0, 0.0, 0.0)))
    of_found, of_drawn = (
        describe_liver(
            picture(small.array),
            small,
            origin="",
            lesions=(),
            structures={},
            protocol=Protocol(),
            is_drawn=is_drawn,
        )
        for is_drawn in (False, True)
    )
    assert of_drawn.is_plausible
    assert of_drawn.remarks == of_found.doubts
    assert of_found.remarks == ()


def test_a_piece_of_the_liver_drawn_as_all_of_it_is_doubted_by_its_border() -> None:
    piece = Mask(GRID, ball(35.0, (-35.0, 0.0, 0.0)))
    doubts = doubts_about(picture(RIGHT), piece, NO_LESIONS, RULES, is_drawn=True)
    assert any("part of it may be missing" in doubt for doubt in doubts)


def test_a_small_liver_at_the_edge_is_said_to_be_cut() -> None:
    cut = ball(45.0, (-40.0, 0.0, 88.0))
    assert "below 300 ml, in the part the MRI covers" in doubts(cut)[0]


def test_a_cut_liver_may_be_half_as_small_as_a_whole_one() -> None:
    cut = ball(58.0, (-35.0, 0.0, 75.0))
    assert 300.0 < Mask(GRID, cut).volume_ml < 600.0
    assert doubts(cut) == ()


def test_a_liver_in_pieces_is_doubted() -> None:
    two = ball(45.0, (-50.0, 0.0, -40.0)) | ball(45.0, (-50.0, 0.0, 60.0))
    assert any("falls into pieces, the largest 5" in doubt for doubt in doubts(two))


def test_a_liver_as_dark_as_its_surroundings_is_doubted() -> None:
    flat = picture(np.zeros(GRID.shape, np.bool_))
    assert any("times as bright" in doubt for doubt in doubts(RIGHT, flat))


def test_a_liver_on_the_left_is_doubted() -> None:
    assert any("to the left of the body's" in doubt for doubt in doubts(RIGHT[:, :, ::-1]))


def test_what_a_right_hepatectomy_left_is_not_doubted_for_its_size_or_side() -> None:
    assert doubts(ball(50.0, (8.0, 0.0, 0.0))) == ()


def test_a_shell_such_as_fat_under_the_skin_is_doubted() -> None:
    shell = ball(80.0, (-15.0, 0.0, 0.0)) & ~ball(58.0, (0.0, 0.0, 0.0)) & (X < 0.0)
    assert any("fat under the skin is so thin" in doubt for doubt in doubts(shell))


def test_a_border_that_is_none_is_doubted_and_its_place_is_said() -> None:
    for side, place in ((X < -20.0, "right of"), (Z < -20.0, "below"), (Y > 20.0, "behind")):
        bright = RIGHT | ball(85.0, (-35.0, 0.0, 0.0)) & side
        said = "of what lies around the liver, in one place"
        (doubt,) = (one for one in doubts(RIGHT, picture(bright)) if said in one)
        assert place in doubt


def test_a_kidney_that_touches_the_liver_is_known_by_its_twin_and_is_no_doubt() -> None:
    right, left = ball(38.0, (-55.0, 45.0, -45.0)), ball(38.0, (55.0, 45.0, -45.0))
    (doubt,) = doubts(RIGHT, picture(RIGHT | right))
    assert "below and behind its middle" in doubt
    assert doubts(RIGHT, picture(RIGHT | right | left)) == ()
    above = ball(38.0, (-55.0, 45.0, 45.0)) | ball(38.0, (55.0, 45.0, 45.0))
    assert len(doubts(RIGHT, picture(RIGHT | above))) == 1


def test_a_lobe_left_out_is_doubted_and_a_touching_organ_is_not() -> None:
    found, whole = RIGHT & (X < -10.0), picture(RIGHT)
    assert any("part of it may be missing" in doubt for doubt in doubts(found, whole))
    spleen = picture(RIGHT | ball(20.0, (35.0, 10.0, 20.0)))
    assert doubts(RIGHT, spleen) == ()


def test_a_wide_open_border_is_liver_however_uneven_and_a_closed_one_is_not() -> None:
    whole = RIGHT | ball(40.0, (15.0, -5.0, 15.0))
    ramp = np.clip((X + 22.0) / 30.0, 0.0, 1.0)
    uneven = picture(whole, noise=0.01).array * (1.0 - 0.16 * ramp).astype(np.float32)
    cleft = (np.abs(X - 1.0) < 2.5) & whole
    closed = np.where(cleft, 35.0, np.where((X > 0.0) & whole, 84.0, picture(whole).array))
    left = whole & (X > 8.0)
    shares = []
    for values in (uneven, closed):
        image = Image(GRID, values.astype(np.float32), Quantity.ARBITRARY)
        found = find_liver(image, Protocol()).array
        shares.append((found & left).sum() / left.sum())
    assert shares[0] > 0.95
    assert shares[1] < 0.1


def test_a_brighter_organ_on_the_left_is_not_taken_for_the_liver() -> None:
    heart = ball(34.0, (64.0, 0.0, 30.0))
    values = picture(RIGHT & ~heart).array + np.where(heart, 60.0, 0.0).astype(np.float32)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert not (found & heart & ~RIGHT).any()
    assert (found & RIGHT).sum() / RIGHT.sum() > 0.9


def test_a_kidney_that_touches_the_liver_and_is_a_sixth_darker_is_left_out() -> None:
    kidney = ball(26.0, (-35.0, 30.0, -62.0)) & ~RIGHT
    values = picture(RIGHT).array + np.where(kidney, 53.0, 0.0).astype(np.float32)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert (found & kidney).sum() / kidney.sum() < 0.1
    assert (found & RIGHT).sum() / RIGHT.sum() > 0.97


def test_an_organ_that_a_vein_as_bright_as_the_liver_leads_to_is_left_out() -> None:
    heart = ball(30.0, (62.0, -10.0, 20.0))
    vein = (np.hypot(Y + 5.0, Z - 15.0) < 9.0) & (X > 10.0) & (X < 62.0)
    values = picture(RIGHT).array + np.where((heart | vein) & ~RIGHT, 65.5, 0.0).astype(np.float32)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert (found & heart).sum() / heart.sum() < 0.1
    assert (found & RIGHT).sum() / RIGHT.sum() > 0.97


def test_a_dark_lesion_open_to_the_surface_belongs_to_the_liver_and_a_trough_does_not() -> None:
    lesion = ball(18.0, (-72.0, -22.0, 12.0)) & RIGHT
    trough = np.hypot(X + 10.0, Y - 50.0) < 9.0
    values = picture(RIGHT & ~lesion & ~trough).array + np.where(lesion, 22.0, 0.0)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert (found & lesion).sum() / lesion.sum() > 0.8
    assert (found & trough & RIGHT).sum() / (trough & RIGHT).sum() < 0.3


def test_a_hollow_as_dark_as_the_wall_beside_it_is_a_lesion_and_gas_is_none() -> None:
    hollow = ball(18.0, (-78.0, -22.0, 12.0)) & RIGHT
    shares = []
    for brightness in (30.0, 2.0):
        values = picture(RIGHT & ~hollow).array + np.where(hollow, brightness - 30.0, 0.0)
        image = Image(GRID, np.abs(values).astype(np.float32), Quantity.ARBITRARY)
        found = find_liver(image, Protocol()).array
        shares.append((found & hollow).sum() / hollow.sum())
    assert shares[0] > 0.6
    assert shares[1] < 0.45


def test_a_large_round_hollow_that_was_left_out_is_doubted() -> None:
    hollow = ball(30.0, (-72.0, -20.0, 12.0)) & RIGHT
    left_out = Mask(GRID, RIGHT & ~hollow)
    nothing = Mask(GRID, np.zeros(GRID.shape, np.bool_))
    (doubt,) = doubts_about(picture(left_out.array), left_out, nothing, RULES)
    assert doubt.startswith("a round dark hollow of ")
    assert doubts_about(picture(left_out.array), Mask(GRID, RIGHT), Mask(GRID, hollow), RULES) == ()
    other = Mask(GRID, ball(8.0, (-20.0, 0.0, 0.0)))
    assert doubts_about(picture(left_out.array), left_out, other, RULES) == ()


def test_the_liver_is_found_at_any_scale_of_brightness() -> None:
    for scale in (0.001, 500.0):
        hbp = picture(RIGHT, TUBES)
        scaled = Image(GRID, hbp.array * np.float32(scale), Quantity.ARBITRARY)
        found = find_liver(scaled, Protocol()).array
        assert 2.0 * (found & RIGHT).sum() / (found.sum() + RIGHT.sum()) > 0.97


def test_ducts_are_thin_and_bright_and_a_gallbladder_is_none() -> None:
    duct = (np.hypot(X + 30.0, Y) < 2.5) & (np.abs(Z) < 40.0)
    bladder = ball(12.0, (-5.0, -20.0, -30.0))
    values = picture(RIGHT).array + np.where(duct | bladder, 60.0, 0.0).astype(np.float32)
    points = find_ducts(Image(GRID, values, Quantity.ARBITRARY), Mask(GRID, RIGHT), RULES)
    assert np.hypot(points[:, 0] + 30.0, points[:, 1]).max() < 5.0
    assert points[:, 2].min() < -35.0
    assert points[:, 2].max() > 35.0


def test_a_bright_patch_of_a_coarse_liver_is_no_duct() -> None:
    duct = (np.hypot(X + 30.0, Y) < 2.5) & (np.abs(Z) < 40.0)
    patch = np.exp(-((X + 70.0) ** 2 + Y**2 + Z**2) / (2 * 8.0**2))
    values = picture(RIGHT, noise=0.0).array * (1.0 + 0.3 * patch).astype(np.float32)
    values[duct] = 160.0
    points = find_ducts(Image(GRID, values, Quantity.ARBITRARY), Mask(GRID, RIGHT), RULES)
    assert np.hypot(points[:, 0] + 30.0, points[:, 1]).max() < 5.0


def test_a_kidney_as_bright_as_the_liver_is_known_by_its_twin() -> None:
    kidney, twin = (ball(24.0, (x, 34.0, -58.0)) & ~RIGHT for x in (-40.0, 40.0))
    cleft = np.abs(np.hypot(np.hypot(X + 35.0, Y), Z) - 58.0) < 1.6
    bright = picture(RIGHT | kidney & ~cleft | twin)
    body = np.where((np.abs(X) < 97.0) & (bright.array < 50.0), 30.0, bright.array)
    found = find_liver(Image(GRID, body.astype(np.float32), Quantity.ARBITRARY), Protocol()).array
    assert (found & kidney).sum() / kidney.sum() < 0.2
    assert (found & RIGHT).sum() / RIGHT.sum() > 0.97


def test_an_image_without_a_large_bright_region_is_refused() -> None:
    speck = Image(GRID, np.where(ball(14.0), 100.0, 0.0).astype(np.float32), Quantity.ARBITRARY)
    with pytest.raises(InvalidInput, match="got none; give a mask with --liver"):
        find_liver(speck, Protocol())


def test_a_region_far_too_small_for_a_liver_is_refused() -> None:
    rules = Protocol(liver=replace(RULES, volume_least_ml=2000.0))
    with pytest.raises(InvalidInput, match=r"got one of 3.. ml"):
        find_liver(picture(ball(42.0)), rules)

"""What is doubted about a liver, on shapes whose answers are known."""

from dataclasses import replace

import numpy as np

from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver import describe_liver, find_liver
from lesionmatch.liver.plausible import doubts_about
from lesionmatch.protocol import LiverRules, Protocol
from tests.liver_scene import GRID, RIGHT, RULES, Voxels, X, Y, Z, ball, picture

NO_LESIONS = Mask(GRID, np.zeros(GRID.shape, np.bool_))


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


def test_a_liver_hardly_brighter_than_muscle_is_doubted_though_most_around_it_is_fat() -> None:
    said = "as bright as the brightest quarter of what lies around it"
    for muscle, is_doubted in ((77.0, True), (60.0, False)):
        values = picture(RIGHT).array + np.where((Y > 15.0) & ~RIGHT, muscle - 30.0, 0.0)
        found = doubts(RIGHT, Image(GRID, values.astype(np.float32), Quantity.ARBITRARY))
        assert any(said in doubt for doubt in found) == is_doubted


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


def test_a_large_round_hollow_that_was_left_out_is_doubted() -> None:
    hollow = ball(30.0, (-72.0, -20.0, 12.0)) & RIGHT
    left_out = Mask(GRID, RIGHT & ~hollow)
    nothing = Mask(GRID, np.zeros(GRID.shape, np.bool_))
    (doubt,) = doubts_about(picture(left_out.array), left_out, nothing, RULES)
    assert doubt.startswith("a round dark hollow of ")
    assert doubts_about(picture(left_out.array), Mask(GRID, RIGHT), Mask(GRID, hollow), RULES) == ()
    other = Mask(GRID, ball(8.0, (-20.0, 0.0, 0.0)))
    assert doubts_about(picture(left_out.array), left_out, other, RULES) == ()

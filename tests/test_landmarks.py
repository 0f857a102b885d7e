"""Landmarks: what matched lesions say of the registration around them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from lesionmatch.landmarks import Landmark, agreement, correction, shared_shift
from lesionmatch.protocol import LandmarkRules

RULES = LandmarkRules(scatter_mm=1.0, reach_mm=60.0)


def mark(n: int, place_mm: ArrayLike, offset_mm: ArrayLike, error_mm: float = 8.0) -> Landmark:
    return Landmark(f"L{n}", np.asarray(place_mm, float), np.asarray(offset_mm, float), error_mm)


def line(*offsets_mm: ArrayLike, apart_mm: float = 20.0) -> list[Landmark]:
    """Landmarks along x."""
    return [mark(n, (n * apart_mm, 0, 0), offset) for n, offset in enumerate(offsets_mm)]


def at(x_mm: float) -> NDArray[np.float64]:
    return np.array([x_mm, 0.0, 0.0])


class TestCorrection:
    def test_one_landmark_at_the_place_corrects_by_its_share_of_the_variance(self) -> None:
        # The registration's SD is 8 / 2.7955 = 2.862 mm an axis, the landmark's scatter 1 mm.
        got = correction([mark(1, (0, 0, 0), (4, 0, -2))], at(0.0), 8.0, RULES)
        share = 2.862**2 / (2.862**2 + 1.0)
        assert got.offset_mm == pytest.approx(np.array([4, 0, -2]) * share, abs=0.01)
        assert got.error_mm == pytest.approx(8.0 * np.sqrt(1.0 - share), abs=0.01)

    def test_a_far_landmark_says_nothing(self) -> None:
        got = correction([mark(1, (900, 0, 0), (4, 0, 0))], at(0.0), 8.0, RULES)
        assert got.offset_mm == pytest.approx([0, 0, 0], abs=1e-6)
        assert got.error_mm == pytest.approx(8.0)

    def test_many_alike_landmarks_give_their_offset(self) -> None:
        got = correction(line(*[(5, -3, 1)] * 9, apart_mm=6.0), at(24.0), 8.0, RULES)
        assert got.offset_mm == pytest.approx([5, -3, 1], abs=0.15)
        assert got.error_mm < 2.0

    def test_it_follows_a_change_along_the_liver(self) -> None:
        marks = line(*[(x / 20.0, 0, 0) for x in range(0, 120, 20)])
        near, far = (correction(marks, at(x), 8.0, RULES).offset_mm[0] for x in (0.0, 100.0))
        assert near < 1.5 < 3.5 < far

    @given(st.lists(st.tuples(*[st.floats(-90, 90)] * 3), min_size=1, max_size=8, unique=True))
    def test_it_never_makes_the_bound_larger(self, places: list[tuple[float, ...]]) -> None:
        marks = [mark(n, place, (3, 0, 0)) for n, place in enumerate(places)]
        assert 0.0 <= correction(marks, at(0.0), 8.0, RULES).error_mm <= 8.0


class TestAgreement:
    def test_none_is_said(self) -> None:
        got = agreement([], RULES)
        assert (got.count, got.before_mm, got.after_mm, got.applies) == (0, None, None, False)
        assert got.text == "no matched lesion to correct the registration by"

    def test_two_are_too_few(self) -> None:
        got = agreement(line((5, 0, 0), (5, 0, 0)), RULES)
        assert (got.applies, got.before_mm, got.after_mm) == (False, 5.0, None)
        assert got.text == "2 matched lesions are too few to correct the registration by"
        one = agreement(line((5, 0, 0)), RULES)
        assert one.text == "1 matched lesion is too few to correct the registration by"

    def test_three_alike_apply_and_tell_before_and_after(self) -> None:
        got = agreement(line((5, 0, 0), (5, 0, 0), (5, 0, 0)), RULES)
        assert got.applies
        assert got.before_mm == pytest.approx(5.0)
        assert got.after_mm == pytest.approx(0.6, abs=0.3)
        assert got.text.startswith(
            "corrected by 3 matched lesions: 5.0 mm between lesion and focus"
        )

    def test_offsets_that_point_everywhere_disagree(self) -> None:
        got = agreement(line((5, 0, 0), (-5, 0, 0), (0, 5, 0), (0, -5, 0)), RULES)
        assert not got.applies
        assert got.text == "the offsets of 4 matched lesions disagree, so nothing was corrected"

    def test_small_offsets_without_a_common_way_are_said_to_be_small(self) -> None:
        got = agreement(line((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)), RULES)
        assert not got.applies
        assert got.text == "the registration holds: 4 matched lesions lie 1.0 mm off their foci"

    def test_a_protocol_may_ask_for_more_of_them(self) -> None:
        alike = line(*[(5, 0, 0)] * 4)
        assert agreement(alike, LandmarkRules(least_count=4)).applies
        assert not agreement(alike, LandmarkRules(least_count=5)).applies


PLACES = np.array([[0, 0, 0], [40, 10, 0], [10, 50, 20], [60, 60, -10], [-20, 30, 40.0]])
REACH = np.full(5, 6.0)


class TestSharedShift:
    def test_a_constellation_that_is_off_is_found(self) -> None:
        got = shared_shift(PLACES, PLACES + np.array([12.0, -9.0, 4.0]), REACH, RULES)
        assert got == pytest.approx([12, -9, 4])

    def test_it_is_found_with_a_focus_missing_and_one_too_many(self) -> None:
        foci = np.concatenate([PLACES[1:] + np.array([12.0, -9.0, 4.0]), [[90, 0, 0]]])
        assert shared_shift(PLACES, foci, REACH, RULES) == pytest.approx([12, -9, 4])

    def test_a_registration_that_holds_is_left_alone(self) -> None:
        assert shared_shift(PLACES, PLACES + np.array([3.0, -2.0, 1.0]), REACH, RULES) is None

    def test_two_of_five_are_no_constellation(self) -> None:
        foci = np.concatenate(
            [PLACES[:2] + np.array([12.0, -9.0, 4.0]), [[90, 0, 0], [0, 0, 90], [0, 90, 0]]]
        )
        assert shared_shift(PLACES, foci, REACH, RULES) is None

    def test_two_are_enough_where_they_are_most_and_a_protocol_may_ask_for_more(self) -> None:
        shift = np.array([12.0, -9.0, 4.0])
        lesions, foci = PLACES[:3], np.stack([*PLACES[:2] + shift, np.array([0.0, -25.0, 0.0])])
        assert shared_shift(lesions, foci, REACH[:3], RULES) == pytest.approx(shift)
        assert shared_shift(lesions, foci, REACH[:3], LandmarkRules(shift_least_count=3)) is None

    def test_two_that_fit_two_ways_are_left_alone(self) -> None:
        one, other = np.array([12.0, -9.0, 4.0]), np.array([-9.0, 8.0, 12.0])
        foci = np.stack([*PLACES[:2] + one, *PLACES[:2] + other])
        assert shared_shift(PLACES[:2], foci, REACH[:2], RULES) is None

    def test_a_row_of_lesions_that_fits_at_two_shifts_is_left_alone(self) -> None:
        row = np.array([[15.0 * n, 0, 0] for n in range(5)])
        assert shared_shift(row, row + np.array([15.0, 9.0, 0.0]), REACH, RULES) is None

    def test_two_more_lesions_on_foci_than_by_the_registration_are_enough(self) -> None:
        lesions = PLACES[:3]
        foci = np.concatenate([lesions + np.array([12.0, -9.0, 4.0]), lesions[:1]])
        got = shared_shift(lesions, foci, REACH[:3], RULES)
        assert got == pytest.approx([12, -9, 4])

    def test_a_shift_beyond_twice_the_agreement_is_another_one(self) -> None:
        # Of lesions seen twice, 10 mm apart, nobody can say which of the two is meant.
        shift, other = np.array([12.0, -9.0, 4.0]), np.array([22.0, -9.0, 4.0])
        foci = np.concatenate([PLACES + shift, PLACES[:4] + other])
        assert shared_shift(PLACES, foci, REACH, RULES) is None

    def test_a_shift_beyond_reason_is_not_searched(self) -> None:
        assert shared_shift(PLACES, PLACES + np.array([200.0, 0.0, 0.0]), REACH, RULES) is None

    @given(st.integers(0, 10_000))
    def test_places_without_anything_in_common_are_left_alone(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        lesions, foci = rng.uniform(-70, 70, (2, 6, 3))
        assert shared_shift(lesions, foci, np.full(6, 6.0), RULES) is None

"""The arithmetic of SUV, against hand-computed values."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionmatch import suv
from lesionmatch.errors import InvalidInput
from lesionmatch.suv import Body, BodySize, Injection, Reference

NOON = datetime(2025, 1, 1, 12)
MAN = Body(70.0, 1.75, "M")
WOMAN = Body(70.0, 1.75, "F")


def test_half_is_left_after_a_half_life() -> None:
    assert suv.decay(4062.6, 4062.6) == pytest.approx(0.5)


def test_two_half_lives_between_injection_and_reference_make_suv_fourfold() -> None:
    injection = Injection(140e6, 3600.0, NOON)
    at_injection = suv.factor_admin(injection, 70.0)
    assert at_injection == pytest.approx(70_000 / 140e6)
    later = suv.factor_start(injection, 70.0, NOON + timedelta(hours=2))
    assert later == pytest.approx(4 * at_injection)


def test_mean_activity_is_just_before_the_middle_of_a_frame() -> None:
    # 300 s of 68Ga: T/2 - lambda T^2 / 24 = 150 - 0.64 s.
    assert suv.mean_activity_s(4062.6, 300.0) == pytest.approx(149.36, abs=0.01)


def test_mean_activity_of_a_frame_without_length_is_at_its_start() -> None:
    assert suv.mean_activity_s(4062.6, 0.0) == 0.0


@given(st.floats(60.0, 1e6), st.floats(1.0, 3600.0))
def test_mean_activity_lies_in_the_first_half_of_a_frame(half_life: float, length: float) -> None:
    assert 0.0 < suv.mean_activity_s(half_life, length) <= length / 2.0 * (1 + 1e-6)


def test_an_uncorrected_frame_is_worth_its_mean_activity() -> None:
    injection = Injection(140e6, 3600.0, NOON)
    found = suv.factor_none(injection, 70.0, NOON + timedelta(hours=1), 0.0)
    assert found == pytest.approx(2 * 70_000 / 140e6)


@pytest.mark.parametrize(
    ("body", "size", "expected"),
    [
        (MAN, BodySize.WEIGHT, 70.0),
        (MAN, BodySize.LEAN_MORGAN, 57.8),
        (WOMAN, BodySize.LEAN_MORGAN, 51.22),
        (MAN, BodySize.LEAN_JAMES_128, 56.52),
        (MAN, BodySize.LEAN_JANMAHASATIAN, 55.857),
        (WOMAN, BodySize.LEAN_JANMAHASATIAN, 45.197),
        (MAN, BodySize.IDEAL_WEIGHT, 72.38),
        (WOMAN, BodySize.IDEAL_WEIGHT, 66.43),
        (MAN, BodySize.SURFACE, 18481.0),
        (Body(70.0, 1.75, "O"), BodySize.LEAN_MORGAN, 54.51),
    ],
)
def test_body_sizes_of_70_kg_and_175_cm(body: Body, size: BodySize, expected: float) -> None:
    assert suv.body_size(body, size) == pytest.approx(expected, rel=1e-4)


def test_suv_by_surface_turns_into_suvbw_by_grams_per_cm2() -> None:
    assert suv.to_body_weight(MAN, BodySize.SURFACE) == pytest.approx(70_000 / 18481, rel=1e-4)


def test_a_size_that_needs_height_is_refused_without() -> None:
    with pytest.raises(InvalidInput, match="wanted PatientSize, got nothing"):
        suv.body_size(Body(70.0), BodySize.LEAN_MORGAN)


def test_a_lean_mass_below_zero_is_refused() -> None:
    with pytest.raises(InvalidInput, match="wanted a positive size"):
        suv.body_size(Body(300.0, 1.4, "F"), BodySize.LEAN_MORGAN)


def test_the_spread_of_reference_times_is_that_of_the_extremes() -> None:
    times = [Reference("a", NOON), Reference("b", NOON + timedelta(seconds=90))]
    assert suv.spread_s(times) == 90.0
    assert suv.spread_s([]) == 0.0

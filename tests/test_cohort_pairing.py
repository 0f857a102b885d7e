"""Pairs of PET/CT and MRI: nearest first, within the window, none twice."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionmatch.cohort.options import CohortOptions, window
from lesionmatch.cohort.pairing import Pair, Scan, allowed_pairs, pairs
from lesionmatch.errors import InvalidOption

DAY = date(2020, 1, 1)


def scan(uid: str, day: int, patient: str = "A") -> Scan:
    return Scan(uid, patient, DAY + timedelta(days=day))


def uids(found: tuple[Pair, ...]) -> list[tuple[str, str]]:
    return [(pair.pet.uid, pair.mri.uid) for pair in found]


def scans(kind: str) -> st.SearchStrategy[list[Scan]]:
    ones = st.tuples(st.integers(0, 120), st.sampled_from("AB"))
    return st.lists(ones, max_size=7).map(
        lambda drawn: [scan(f"{kind}{k}", day, who) for k, (day, who) in enumerate(drawn)]
    )


def test_the_nearest_mri_after_the_pet_is_taken() -> None:
    found = pairs([scan("P", 0)], [scan("late", 60), scan("near", 7), scan("before", -3)], (0, 92))
    assert uids(found) == [("P", "near")]
    assert found[0].days == 7


@pytest.mark.parametrize(("day", "expected"), [(-1, 0), (0, 1), (92, 1), (93, 0)])
def test_both_ends_of_the_window_are_inside(day: int, expected: int) -> None:
    assert len(pairs([scan("P", 0)], [scan("M", day)], (0, 92))) == expected


def test_an_mri_goes_to_the_nearer_pet_and_the_other_takes_its_next() -> None:
    pets, mris = [scan("P1", 0), scan("P2", 20)], [scan("M1", 25), scan("M2", 80)]
    assert uids(pairs(pets, mris, (0, 92))) == [("P1", "M2"), ("P2", "M1")]


def test_a_near_pair_is_worth_more_than_two_far_ones() -> None:
    pets, mris = [scan("P1", 0), scan("P2", 10)], [scan("M1", 12), scan("M2", 101)]
    assert uids(pairs(pets, mris, (0, 92))) == [("P2", "M1")]


def test_one_mri_may_serve_several_pets_where_allowed() -> None:
    pets, mris = [scan("P1", 0), scan("P2", 20)], [scan("M1", 25)]
    assert uids(pairs(pets, mris, (0, 92))) == [("P2", "M1")]
    assert uids(pairs(pets, mris, (0, 92), shared_mri=True)) == [("P1", "M1"), ("P2", "M1")]


def test_of_two_as_near_the_mri_after_the_pet_is_taken() -> None:
    found = pairs([scan("P", 10)], [scan("before", 5), scan("after", 15)], (-92, 92))
    assert uids(found) == [("P", "after")]


def test_a_pair_that_is_not_kept_leaves_its_scans_to_others() -> None:
    found = pairs(
        [scan("P", 0)],
        [scan("near", 5), scan("far", 50)],
        (0, 92),
        keep=lambda pair: pair.days > 10,
    )
    assert uids(found) == [("P", "far")]


def test_patients_are_never_mixed() -> None:
    assert pairs([scan("P", 0, "A")], [scan("M", 0, "B")], (0, 92)) == ()


@given(scans("P"), scans("M"), st.booleans())
def test_pairs_are_allowed_ones_and_each_scan_is_used_once(
    pets: list[Scan], mris: list[Scan], shared: bool
) -> None:
    found = pairs(pets, mris, (-20, 60), shared_mri=shared)
    assert set(found) <= set(allowed_pairs(pets, mris, (-20, 60)))
    assert len({pair.pet.uid for pair in found}) == len(found)
    if not shared:
        assert len({pair.mri.uid for pair in found}) == len(found)


@given(scans("P"), scans("M"))
def test_no_two_unpaired_scans_would_both_rather_have_each_other(
    pets: list[Scan], mris: list[Scan]
) -> None:
    found = pairs(pets, mris, (0, 92))
    of_pet = {pair.pet.uid: abs(pair.days) for pair in found}
    of_mri = {pair.mri.uid: abs(pair.days) for pair in found}
    for pair in allowed_pairs(pets, mris, (0, 92)):
        days = abs(pair.days)
        assert days >= min(of_pet.get(pair.pet.uid, 999), of_mri.get(pair.mri.uid, 999))


@given(scans("P"), scans("M"))
def test_the_order_of_the_input_does_not_matter(pets: list[Scan], mris: list[Scan]) -> None:
    assert pairs(pets[::-1], mris[::-1], (0, 92)) == pairs(pets, mris, (0, 92))


def test_windows_are_read_with_either_minus() -> None:
    assert window("0:92") == (0, 92)
    assert window("-92:92") == window("−92:92") == (-92, 92)


@pytest.mark.parametrize("word", ["92", "0-92", "a:b", "0:92:1", ""])
def test_anything_else_is_no_window(word: str) -> None:
    with pytest.raises(ValueError, match="wanted FIRST:LAST in whole days"):
        window(word)


def test_an_empty_window_no_workers_and_no_age_are_refused() -> None:
    with pytest.raises(InvalidOption, match=r"--window: wanted first:last days, got 9:3"):
        CohortOptions(window_days=(9, 3))
    with pytest.raises(InvalidOption, match=r"--workers: wanted 1 or more, got 0"):
        CohortOptions(workers=0)
    for age in (float("nan"), -1.0, 200.0):
        with pytest.raises(InvalidOption, match=r"--min-age: wanted 0 to 130 years, got"):
            CohortOptions(least_age_years=age)


def test_window_and_age_come_from_the_protocol_unless_given() -> None:
    assert CohortOptions().window == (0, 92)
    assert CohortOptions().least_age == 18.0
    assert CohortOptions(window_days=(-5, 5), least_age_years=0.0).window == (-5, 5)
    assert CohortOptions(least_age_years=0.0).least_age == 0.0

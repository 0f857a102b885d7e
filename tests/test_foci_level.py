"""The liver's own level of uptake, however much of it is tumour."""

from dataclasses import replace

import numpy as np
import pytest

from lesionmatch.foci.liver_level import Level, liver_level
from tests.foci_livers import PROTOCOL


def test_the_level_is_the_livers_where_tumour_fills_most_of_it() -> None:
    rng = np.random.default_rng(0)
    calm = np.concatenate([np.full(3000, 6.0), rng.lognormal(3.0, 0.5, 7000)])
    level = liver_level(rng.normal(calm, 0.6), PROTOCOL.foci, calm=calm)
    assert level.suv == pytest.approx(6.0, rel=0.03)


def test_what_tumour_leaves_of_a_liver_is_lifted_by_its_blur() -> None:
    blurred = np.concatenate([np.linspace(5.0, 8.0, 4000), np.full(6000, 16.0)])
    level = liver_level(blurred, PROTOCOL.foci)
    assert level.is_seen
    assert level.suv == pytest.approx(5.1, abs=0.05)
    half = np.concatenate([np.linspace(5.0, 8.0, 8000), np.full(2000, 16.0)])
    assert liver_level(half, PROTOCOL.foci).suv == pytest.approx(6.4, abs=0.3)


def test_the_little_that_a_tumour_leaves_between_its_lesions_is_not_missed() -> None:
    lifted = np.linspace(5.0, 9.0, 400)
    tumours = np.random.default_rng(0).lognormal(np.log(12.0), 0.35, 9600)
    level = liver_level(np.concatenate([lifted, tumours[tumours > 7.0]]), PROTOCOL.foci)
    assert level.suv < 6.5


def test_necrosis_is_not_what_a_tumour_leaves_of_the_liver() -> None:
    blurred = np.concatenate([np.linspace(5.0, 8.0, 4000), np.full(6000, 16.0)])
    necrotic = np.concatenate([blurred, np.full(500, 1.2)])
    assert liver_level(necrotic, PROTOCOL.foci).suv == pytest.approx(5.1, abs=0.05)


def test_a_liver_without_any_uptake_has_a_level_of_nothing() -> None:
    assert liver_level(np.zeros(1000), PROTOCOL.foci).suv < 0.01


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_level_is_the_livers_where_little_of_it_is_left(share: float) -> None:
    rng = np.random.default_rng(0)
    calm = np.where(np.arange(10000) < 10000 * share, 6.0, 24.0)
    level = liver_level(rng.normal(calm, 0.1 * calm), PROTOCOL.foci, calm=calm)
    assert level.is_seen
    assert level.suv == pytest.approx(6.0, rel=0.03)


def test_cold_lesions_are_not_taken_for_the_liver() -> None:
    rng = np.random.default_rng(0)
    uptake = np.concatenate([rng.normal(7.0, 0.7, 8000), rng.normal(3.0, 0.4, 2000)])
    assert liver_level(uptake, PROTOCOL.foci).suv == pytest.approx(7.0, rel=0.03)


def test_uptake_that_spreads_both_ways_from_its_level_is_several_tumours() -> None:
    rng = np.random.default_rng(0)
    several = rng.lognormal(np.log(12.0), 0.35, 10000)
    assert liver_level(several, PROTOCOL.foci) == Level(5.0, is_seen=False)
    one_tissue = replace(PROTOCOL.foci, mixed_share=0.5)
    assert liver_level(several, one_tissue).suv == pytest.approx(12.0, abs=1.0)
    # Of less uptake than is usual, the least that is seen is nearer to the liver's.
    fainter = liver_level(several / 2.0, PROTOCOL.foci)
    assert not fainter.is_seen
    assert fainter.suv == pytest.approx(2.7, abs=0.1)


def test_a_liver_with_lesions_above_it_and_little_below_is_seen() -> None:
    rng = np.random.default_rng(0)
    liver, lesions, vessels = np.full(8000, 6.0), np.full(1400, 15.0), np.full(600, 4.0)
    calm = np.concatenate([liver, lesions, vessels])
    level = liver_level(rng.normal(calm, 0.9), PROTOCOL.foci, calm=calm)
    assert level.is_seen
    assert level.suv == pytest.approx(6.0, rel=0.03)


def test_without_any_liver_left_a_usual_one_is_taken_and_said() -> None:
    tumour = np.random.default_rng(0).normal(24.0, 2.0, 10000)
    assert liver_level(tumour, PROTOCOL.foci) == Level(5.0, is_seen=False)

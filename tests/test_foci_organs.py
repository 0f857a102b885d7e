"""What hot organs beside the liver spill into it is learned from the image and taken off."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lesionmatch.foci import field_of, find_foci
from lesionmatch.foci.background import Background, background_of
from lesionmatch.foci.filters import depth_mm
from lesionmatch.foci.liver_level import Level
from lesionmatch.foci.organs import Organs, evened, hot_organs, spill_in
from lesionmatch.protocol import FociRules
from tests.foci_livers import GRID, LEVEL, PROTOCOL, Sphere, away_mm, liver_pet

LESION, STOMACH = ((64, 0, 0), 10, 2.0), ((96, 0, 0), 34, 3.5)
RULES = PROTOCOL.foci
STEPS_MM = np.array([0.75, 2.25, 3.75, 8.25, 20.0])
AWAY_MM = np.repeat(STEPS_MM, 2000).astype(np.float32)
EVERYWHERE = np.ones(AWAY_MM.size, bool)


def organs_of(*spheres: Sphere, rules: FociRules = PROTOCOL.foci) -> Organs:
    """What is taken for hot organs on the PET of a ball of liver, 75 mm in radius."""
    image, liver = liver_pet(*spheres)
    depth = depth_mm(liver.array, GRID)
    known = background_of(image.array, depth, depth > 8, GRID, rules)
    return hot_organs(known, depth, GRID, rules)


def beside(height: float) -> tuple[Background, Organs]:
    """Liver at the distances above from an organ that is `height` hotter than it."""
    level = np.full(AWAY_MM.size, LEVEL, np.float32)
    nothing = ~EVERYWHERE
    seen = Level(LEVEL, is_seen=True)
    known = Background(level, nothing, nothing, level, level, 0.1, seen, core=nothing)
    return known, Organs(nothing, AWAY_MM, np.full_like(level, height))


def unit_noise() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(AWAY_MM.size).astype(np.float32)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_lesion_stands_as_high_beside_a_hot_organ_as_without_it(seed: int) -> None:
    at = away_mm(LESION[0]) < 6
    alone = field_of(*liver_pet(LESION, seed=seed)).z[at].max()
    assert alone > 5.5
    assert field_of(*liver_pet(LESION, STOMACH, seed=seed)).z[at].max() == pytest.approx(
        alone, abs=0.3
    )


@pytest.mark.parametrize("breathing_mm", [0.0, 16.0])
def test_what_an_organ_spills_over_the_capsule_is_no_finding(breathing_mm: float) -> None:
    below = ((0, 0, -96), 40, 6.0)
    found = find_foci(*liver_pet(below, STOMACH, seed=1, breathing_mm=breathing_mm), PROTOCOL)
    assert [focus for focus in found if focus.counts] == []


def test_a_stomach_is_a_hot_organ_within_its_border() -> None:
    stomach = organs_of(STOMACH)
    to_border_mm = away_mm(STOMACH[0]) - 17.0
    assert stomach.region[(to_border_mm < -3) & (away_mm((0, 0, 0)) > 75)].all()
    assert not stomach.region[to_border_mm > 3].any()
    assert np.abs(stomach.away_mm - to_border_mm)[(to_border_mm > 4)].max() < 4.0


@pytest.mark.parametrize(("ratio", "suv"), [(2.5, 9.6), (5.0, 24.6)])
def test_the_height_of_an_organ_is_its_uptake_above_the_liver(ratio: float, suv: float) -> None:
    core = away_mm(STOMACH[0]) < 6
    height = organs_of((STOMACH[0], 34, ratio)).excess[core]
    assert height == pytest.approx(suv - 6.0, rel=0.1)


def test_a_lesion_at_the_edge_is_no_organ() -> None:
    at_edge = organs_of(((75, 0, 0), 15, 5.0))
    assert not at_edge.region.any()
    assert np.isposinf(at_edge.away_mm).all()


def test_a_tumour_that_reaches_out_of_the_mask_is_no_organ() -> None:
    reaching_out = ((66, 0, 0), 44, 3.0)
    assert not organs_of(reaching_out).region.any()
    any_skirt = replace(PROTOCOL.foci, organ_skirt_ratio=10.0)
    assert organs_of(reaching_out, rules=any_skirt).region.any()


def test_tumour_along_the_capsule_is_not_the_organs_it_leads_to() -> None:
    angles = np.arange(0.0, 1.3, 0.2)
    chain = (((66 * np.cos(t), 66 * np.sin(t), 0), 20, 3.5) for t in angles)
    region = organs_of(STOMACH, *chain).region
    assert region[away_mm((82, 0, 0)) < 4].all()
    # 29 mm along the capsule the tumour's rim lies in the hot region that the stomach is in.
    assert not region[away_mm((73 * np.cos(0.4), 73 * np.sin(0.4), 0)) < 5].any()


def test_how_far_out_an_organ_must_reach_is_a_threshold() -> None:
    near = replace(PROTOCOL.foci, organ_core_mm=5.0, organ_skirt_ratio=10.0)
    assert organs_of(((75, 0, 0), 15, 5.0), rules=near).region.any()


@pytest.mark.parametrize(("inside_mm", "deepest_mm"), [(6.0, 6.0), (12.0, 12.0)])
def test_an_organ_is_followed_so_far_into_the_mask(inside_mm: float, deepest_mm: float) -> None:
    rules = replace(PROTOCOL.foci, organ_inside_mm=inside_mm)
    region = organs_of(((75, 0, 0), 50, 4.0), rules=rules).region
    depth = depth_mm(away_mm((0, 0, 0)) < 75, GRID)
    assert deepest_mm - 4.0 < depth[region].max() < deepest_mm


def test_no_organ_spills_nothing() -> None:
    known, organs = beside(0.0)
    nowhere = replace(organs, away_mm=np.full_like(AWAY_MM, np.inf))
    image = (LEVEL + unit_noise()).astype(np.float32)
    assert not spill_in(image, known, nowhere, EVERYWHERE, RULES).any()
    np.testing.assert_array_equal(evened(unit_noise(), nowhere, EVERYWHERE, RULES), unit_noise())


@pytest.mark.parametrize("height", [6.0, 18.0])
def test_spill_in_is_the_median_by_distance_as_a_share_of_the_organs_height(height: float) -> None:
    share = np.interp(AWAY_MM, STEPS_MM, [0.4, 0.2, 0.1, 0.02, 0.0])
    known, organs = beside(height)
    image = (LEVEL + share * height + unit_noise()).astype(np.float32)
    spilt = spill_in(image, known, organs, EVERYWHERE, RULES)
    assert spilt == pytest.approx(share * height, abs=0.1)


def test_spill_in_never_rises_with_distance_nor_falls_below_nothing() -> None:
    share = np.interp(AWAY_MM, STEPS_MM, [0.1, 0.3, -0.2, -0.2, 0.0])
    known, organs = beside(6.0)
    image = (LEVEL + share * 6.0).astype(np.float32)
    spilt = spill_in(image, known, organs, EVERYWHERE, RULES)
    assert spilt[AWAY_MM < 3] == pytest.approx(1.8, abs=1e-4)
    assert not spilt[AWAY_MM > 3].any()


@pytest.mark.parametrize(
    ("median", "sd", "raised", "z"),
    [
        (0.0, 1.0, 5.0, 5.0),
        (-2.0, 1.0, 3.0, 5.0),  # what is left of the organ's shadow is given back
        (+2.0, 1.0, 5.0, 3.0),  # what is left of its spill-in is taken off
        (0.0, 2.0, 6.0, 3.0),  # a border that is ill known counts less
        (0.0, 0.5, 5.0, 5.0),  # a calm one no more
    ],
)
def test_beside_an_organ_it_is_standardised_by_what_lies_there(
    median: float, sd: float, raised: float, z: float
) -> None:
    near = np.isclose(AWAY_MM, 2.25)
    values = np.where(near, median + sd * unit_noise(), unit_noise()).astype(np.float32)
    _, organs = beside(6.0)
    learned = np.arange(AWAY_MM.size) % 2 == 0
    values[near & ~learned] = raised
    assert evened(values, organs, learned, RULES)[near & ~learned] == pytest.approx(z, abs=0.15)


def test_distances_with_too_little_liver_are_not_learned() -> None:
    few = np.arange(AWAY_MM.size) % 2000 < 59
    known, organs = beside(6.0)
    assert not spill_in(np.full_like(AWAY_MM, 9.0), known, organs, few, RULES).any()
    np.testing.assert_array_equal(evened(unit_noise(), organs, few, RULES), unit_noise())

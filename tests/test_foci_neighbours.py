"""Uptake of neighbours told from foci of the liver."""

from dataclasses import replace

import numpy as np
import pytest

from lesionmatch.foci import Focus, field_of, find_foci
from lesionmatch.image import Mask
from lesionmatch.segments import Structure
from tests.foci_livers import GRID, PROTOCOL, away_mm, liver_pet


def test_tumour_that_runs_into_a_hotter_organ_is_found() -> None:
    tumour, spleen = ((10, 0, 0), 140, 4.0), ((96, 0, 0), 44, 9.0)
    found = [f for f in find_foci(*liver_pet(tumour, spleen), PROTOCOL) if f.counts]
    assert found
    held = np.any([f.extent.on(GRID).array for f in found], axis=0)
    assert held[away_mm((0, 0, 0)) < 50].mean() > 0.9


def test_a_hot_organ_inside_a_wrong_mask_is_told_from_a_focus() -> None:
    gut = ((93, 0, 0), 32, 3.5)
    found = find_foci(*liver_pet(gut, mask_shift_mm=5), PROTOCOL)
    assert [f for f in found if f.counts] == []


def test_uptake_that_no_dip_divides_from_brighter_uptake_outside_is_spill_in() -> None:
    organ, inside = ((81, 0, 0), 12, 6.0), ((67, 0, 0), 12, 4.0)
    bowel = Mask(GRID, away_mm((81, 0, 0)) < 7)
    (focus,) = find_foci(*liver_pet(organ, inside), PROTOCOL, structures={Structure.BOWEL: bowel})
    assert focus.physiologic_neighbour == "spill-in through the capsule from bowel"
    assert not focus.counts


def test_a_lesion_that_a_dip_divides_from_a_brighter_neighbour_counts() -> None:
    organ, lesion = ((83, 0, 0), 12, 7.0), ((67, 0, 0), 12, 5.0)
    (focus,) = find_foci(*liver_pet(organ, lesion), PROTOCOL)
    assert focus.counts


def test_a_lesion_that_a_small_dip_divides_from_an_organ_counts() -> None:
    pet = liver_pet(((90, 0, 0), 24, 5.0), ((68, 0, 0), 8, 4.5), seed=1)
    (focus,) = find_foci(*pet, PROTOCOL)
    assert focus.counts
    deeper = replace(PROTOCOL, foci=replace(PROTOCOL.foci, spill_dip_sd=4.0))
    (same,) = find_foci(*pet, deeper)
    assert not same.counts


@pytest.mark.parametrize(("inside_mm", "beyond_mm"), [(20, 36), (24, 44)])
def test_beyond_the_end_of_the_mri_uptake_is_no_neighbours(inside_mm: int, beyond_mm: int) -> None:
    image, liver = liver_pet(((0, 0, inside_mm), 10, 3.5), ((0, 0, beyond_mm), 14, 5.0))
    height_mm = GRID.world(np.argwhere(np.ones(GRID.shape, bool)))[:, 2].reshape(GRID.shape)
    cut, beyond = Mask(GRID, liver.array & (height_mm < 30)), Mask(GRID, height_mm > 30)
    (capsule,) = find_foci(image, cut, PROTOCOL)
    assert not capsule.counts
    (unseen,) = find_foci(image, cut, PROTOCOL, field=field_of(image, cut, beyond=beyond))
    assert unseen.counts


def test_what_only_rises_towards_an_organ_is_no_finding_even_14_mm_deep() -> None:
    pet = liver_pet(((0, 0, -86), 40, 6.0))
    (focus,) = find_foci(*pet, PROTOCOL)
    assert focus.depth_mm == pytest.approx(14.0, abs=0.1)
    assert not focus.counts
    near = replace(PROTOCOL, foci=replace(PROTOCOL.foci, neighbour_slope_mm=10.0))
    assert find_foci(*pet, near)[0].counts


def test_a_hot_organ_that_breathing_carries_over_the_capsule_is_no_finding() -> None:
    found = find_foci(*liver_pet(((0, 0, -98), 40, 5.0), breathing_mm=20.0), PROTOCOL)
    assert [f for f in found if f.counts] == []


def test_a_focus_at_the_edge_beside_a_drawn_organ_is_undecided_and_names_it() -> None:
    strict = replace(PROTOCOL, foci=replace(PROTOCOL.foci, undecided_mm=7.0))
    stomach = Mask(GRID, away_mm((95, 0, 0)) < 15)
    pet = liver_pet(((70, 0, 0), 8, 4.0), ((95, 0, 0), 30, 3.5))
    (focus,) = find_foci(*pet, strict, structures={Structure.STOMACH: stomach})
    assert focus.physiologic_neighbour == "at the capsule beside stomach"
    assert not focus.counts


def at_the_surface(*facing: float, ratio: float = 4.0) -> Focus:
    x, y, z = 74.0 * np.array(facing) / np.linalg.norm(facing)
    (focus,) = find_foci(*liver_pet(((x, y, z), 10, ratio)), PROTOCOL)
    return focus


def test_a_focus_at_the_surface_towards_the_right_adrenal_gland_is_taken_for_the_gland() -> None:
    gland = at_the_surface(0.7, 0.71, 0.0)
    assert gland.depth_mm < 3.0
    assert gland.physiologic_neighbour == "at the capsule where the right adrenal gland touches it"
    assert not gland.counts


@pytest.mark.parametrize("facing", [(-0.7, 0.71, 0.0), (0.7, -0.71, 0.0), (0.0, 0.71, 0.7)])
def test_elsewhere_at_the_surface_it_counts(facing: tuple[float, float, float]) -> None:
    assert at_the_surface(*facing).counts


def test_there_it_counts_where_it_is_too_hot_for_so_thin_a_gland() -> None:
    lesion = at_the_surface(0.7, 0.71, 0.0, ratio=6.0)
    assert lesion.depth_mm < 3.0
    assert lesion.counts


def test_a_lesion_under_the_capsule_with_no_hot_neighbour_counts() -> None:
    (focus,) = find_foci(*liver_pet(((0, 0, 66), 14, 4.0)), PROTOCOL)
    assert focus.counts

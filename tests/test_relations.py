"""Which focus is which lesion, and where a lesion's own uptake is looked for."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from lesionmatch.concordance import Relations, occupied, relate
from lesionmatch.concordance.boxes import boxes_around, meet
from lesionmatch.concordance.territory import Territory
from lesionmatch.image import Mask
from lesionmatch.lesions import Carried
from lesionmatch.protocol import RelationRules
from tests.concordance_scene import PET_GRID, Place, Spot, ball, carried, spot


def related(lesions: Sequence[Carried], foci: Sequence[Spot]) -> Relations:
    return relate(lesions, foci, fwhm_mm=7.0, rules=RelationRules())


class TestRelations:
    def test_a_lesion_and_a_focus_in_one_place_match(self) -> None:
        relations = related(carried(((40, 40, 40), 10)), [spot(1, (42, 40, 40))])
        (pair,) = relations.pairs
        assert (pair.relation, pair.is_candidate, pair.is_ambiguous) == ("matched", True, False)
        assert pair.distance_mm == pytest.approx(2.0, abs=0.1)
        assert pair.tolerance_mm == pytest.approx(np.hypot(4.0, 3.5))
        assert (pair.gap_mm, pair.surface_distance_mm) == (0.0, 0.0)
        assert 0.8 <= pair.overlap <= pair.shared <= 1.0
        assert relations.of_lesion("L1") == relations.of_focus("F1") == "matched"
        assert relations.foci_of("L1") == ("F1",)
        assert relations.lesions_of("F1") == ("L1",)

    def test_beyond_the_tolerance_both_stay_alone_but_are_listed(self) -> None:
        relations = related(carried(((30, 40, 40), 10)), [spot(1, (50, 40, 40))])
        (pair,) = relations.pairs
        assert (pair.relation, pair.is_candidate) == (None, False)
        assert pair.gap_mm == pytest.approx(15.0, abs=1.6)
        assert pair.surface_distance_mm == pytest.approx(9.0, abs=2.1)
        assert (pair.overlap, pair.shared) == (0.0, 0.0)
        assert relations.of_lesion("L1") == "mri_only"
        assert relations.of_focus("F1") == "pet_only"

    def test_a_larger_registration_error_widens_the_tolerance_up_to_its_limit(self) -> None:
        foci = [spot(1, (50, 40, 40))]
        assert related(carried(((35, 40, 40), 10), error_mm=12), foci).of_lesion("L1") == "matched"
        relations = related(carried(((20, 40, 40), 10), error_mm=80), foci)
        assert relations.pairs[0].tolerance_mm == 15.0
        assert relations.of_lesion("L1") == "mri_only"

    def test_far_pairs_are_not_listed(self) -> None:
        assert related(carried(((20, 20, 20), 8)), [spot(1, (80, 80, 80))]).pairs == ()

    def test_a_small_lesion_matches_a_wide_focus_that_hardly_overlaps_it(self) -> None:
        relations = related(carried(((40, 40, 40), 4)), [spot(1, (45, 40, 40), 9)])
        assert relations.pairs[0].shared < 0.5
        assert relations.of_lesion("L1") == "matched"

    def test_two_foci_in_one_large_lesion_are_split(self) -> None:
        lesions = carried(((45, 45, 45), 40))
        relations = related(lesions, [spot(1, (37, 45, 45)), spot(2, (55, 45, 45))])
        assert {p.relation for p in relations.pairs} == {"split"}
        assert relations.foci_of("L1") == ("F1", "F2")
        assert relations.of_focus("F2") == "split"

    def test_a_small_lesion_cannot_hold_two_foci(self) -> None:
        lesions = carried(((40, 40, 40), 6), error_mm=14.0)
        relations = related(lesions, [spot(1, (40, 40, 40)), spot(2, (55.5, 40, 40))])
        assert [p.is_candidate for p in relations.pairs] == [True, True]
        assert relations.foci_of("L1") == ("F1",)
        assert relations.of_focus("F2") == "pet_only"

    def test_two_lesions_under_one_focus_are_merged(self) -> None:
        lesions = carried(((36, 40, 40), 8), ((46, 40, 40), 8))
        relations = related(lesions, [spot(1, (41, 40, 40), 24)])
        assert relations.of_lesion("L1") == relations.of_lesion("L2") == "merged"
        assert set(relations.lesions_of("F1")) == {"L1", "L2"}

    def test_a_lesion_whose_middle_a_neighbour_s_focus_fills_shares_it(self) -> None:
        # As where two large lesions touch: one focus of two lobes, the fainter one narrower
        # than its lesion (18 mm of 26: a third of its volume).
        lesions = carried(((30, 45, 45), 30), ((58, 45, 45), 26))
        lobes = ball((30, 45, 45), 30, PET_GRID).on(PET_GRID).array
        lobes = lobes | ball((58, 45, 45), 18, PET_GRID).on(PET_GRID).array
        lobes[15:16, 15:16, 14:18] = True
        focus = Spot("F1", np.array((32.0, 45.0, 45.0)), Mask(PET_GRID, lobes))
        relations = related(lesions, [focus])
        (pair,) = (p for p in relations.pairs if p.lesion_id == "L2")
        assert pair.overlap < 0.35
        assert relations.of_lesion("L1") == relations.of_lesion("L2") == "merged"

    def test_a_cold_neighbour_of_a_hot_lesion_stays_alone(self) -> None:
        lesions = carried(((36, 40, 40), 10), ((50, 40, 40), 8))
        relations = related(lesions, [spot(1, (36, 40, 40), 14)])
        assert relations.of_lesion("L1") == "matched"
        assert relations.of_lesion("L2") == "mri_only"

    def test_a_good_pair_is_not_given_up_for_two_poor_ones(self) -> None:
        # L1 lies under F1; L2 and F2 could both be stretched onto them, making two pairs.
        lesions = carried(((40, 40, 40), 10), ((28, 40, 40), 8))
        relations = related(lesions, [spot(1, (40, 40, 40)), spot(2, (50, 40, 40), 8)])
        assert relations.foci_of("L1")[0] == "F1"
        assert relations.of_lesion("L2") == "mri_only"

    def test_two_lesions_as_near_to_one_focus_are_ambiguous(self) -> None:
        lesions = carried(((33, 39, 39), 6), ((45, 39, 39), 6))
        relations = related(lesions, [spot(1, (39.1, 39, 39), 9)])
        assert [p.is_ambiguous for p in relations.pairs if p.relation] == [True]

    @pytest.mark.parametrize(("error_mm", "is_ambiguous"), [(2.0, False), (14.0, True)])
    def test_a_match_that_the_registration_s_error_would_give_to_a_neighbour_is_ambiguous(
        self, error_mm: float, is_ambiguous: bool
    ) -> None:
        # The focus lies on one of two lesions 9 mm apart: half of that is 6 or 0.9 of the
        # standard deviations of an error with a bound of 2 or 14 mm along one axis.
        lesions = carried(((35, 40, 40), 6), ((44, 40, 40), 6), error_mm=error_mm)
        relations = related(lesions, [spot(1, (35, 40, 40), 9)])
        assert relations.of_lesion("L1") == "matched"
        assert [p.is_ambiguous for p in relations.pairs if p.relation] == [is_ambiguous]

    def test_neighbours_with_a_focus_each_move_together_and_stay_clear(self) -> None:
        lesions = carried(((35, 40, 40), 6), ((44, 40, 40), 6), error_mm=8.0)
        relations = related(lesions, [spot(1, (35, 40, 40), 6), spot(2, (44, 40, 40), 6)])
        assert [p.is_ambiguous for p in relations.pairs if p.relation] == [False, False]

    def test_a_match_that_another_draw_would_lose_to_nobody_is_not_ambiguous(self) -> None:
        lesions = carried(((35, 40, 40), 6), error_mm=8.0)
        relations = related(lesions, [spot(1, (46, 40, 40), 9)])
        assert [p.is_ambiguous for p in relations.pairs if p.relation] == [False]

    def test_a_focus_that_normal_uptake_explains_is_listed_and_never_related(self) -> None:
        relations = related(carried(((40, 40, 40), 10)), [spot(1, (40, 40, 40), 12, "stomach")])
        assert [p.relation for p in relations.pairs] == [None]

    def test_nothing_to_relate(self) -> None:
        assert related((), []).pairs == ()
        assert related(carried(((40, 40, 40), 10)), []).of_lesion("L1") == "mri_only"

    @settings(max_examples=40)
    @given(
        st.lists(st.tuples(*[st.floats(15, 80)] * 3), min_size=0, max_size=6),
        st.lists(st.tuples(*[st.floats(15, 80)] * 3), min_size=0, max_size=6),
    )
    def test_no_focus_is_shared_but_by_merging_and_no_lesion_but_by_splitting(
        self, lesions: list[Place], foci: list[Place]
    ) -> None:
        balls = [(place, 8.0) for place in lesions]
        relations = related(carried(*balls), [spot(n, p) for n, p in enumerate(foci, 1)])
        for pair in relations.pairs:
            if pair.relation == "matched":
                assert relations.foci_of(pair.lesion_id) == (pair.focus_id,)
                assert relations.lesions_of(pair.focus_id) == (pair.lesion_id,)
            if pair.relation == "split":
                assert len(relations.foci_of(pair.lesion_id)) > 1
            if pair.relation == "merged":
                assert len(relations.lesions_of(pair.focus_id)) > 1

    @settings(max_examples=25)
    @given(st.permutations(range(5)))
    def test_the_order_of_the_foci_does_not_matter(self, order: list[int]) -> None:
        places: list[Place] = [(20 + 13.0 * n, 40, 40) for n in range(5)]
        lesions = carried(*[((x + 3, 40, 40), 8.0) for x, _, _ in places])
        foci = [spot(n, place) for n, place in enumerate(places)]
        kept = [p.relation for p in related(lesions, foci).pairs]
        assert [p.relation for p in related(lesions, [foci[n] for n in order]).pairs] == kept


class TestOwnSearch:
    def test_it_is_the_search_where_nothing_is_near(self) -> None:
        (lesion,) = carried(((40, 40, 40), 12))
        assert lesion.search is not None
        assert (
            Territory.of([lesion], []).own_search(lesion, (), 7.0).volume_ml
            == lesion.search.volume_ml
        )

    def test_it_is_the_extent_where_a_focus_covers_all_of_it(self) -> None:
        (lesion,) = carried(((40, 40, 40), 8))
        assert lesion.extent is not None
        everywhere = spot(1, (40, 40, 40), 40)
        got = Territory.of([lesion], [everywhere]).own_search(lesion, (), 7.0)
        assert got.volume_ml == lesion.extent.volume_ml

    def test_a_lesion_beside_the_pet_has_none(self) -> None:
        (lesion,) = carried(((40, 40, 40), 8))
        with pytest.raises(ValueError, match="wanted a lesion on the PET"):
            Territory.of([], []).own_search(replace(lesion, extent=None), (), 7.0)

    def test_what_lies_nearer_to_another_lesion_or_beside_its_focus_is_not_its_own(self) -> None:
        lesions = carried(((34, 40, 40), 10), ((50, 40, 40), 8), error_mm=10.0)
        focus = spot(1, (34, 40, 40), 14)
        territory = Territory.of(lesions, [focus])
        search = territory.own_search(lesions[1], (), 7.0).points_mm()
        assert cdist(search, focus.extent.points_mm()).min() > 3.5
        assert search[:, 0].min() >= 42.0  # Half way between surfaces at 39 and 46.
        own = territory.own_search(lesions[1], ("F1",), 7.0).points_mm()
        assert cdist(own, focus.extent.points_mm()).min() <= 3.5


def test_what_the_blur_of_a_lesion_or_a_focus_may_reach_is_not_lesion_free() -> None:
    lesions = carried(((30, 40, 40), 6), error_mm=4.0)
    assert lesions[0].search is not None
    focus = spot(1, (80, 40, 40), 12)
    taken = occupied(lesions, [focus], PET_GRID, 10.0)
    assert taken is not None
    points = PET_GRID.world(np.argwhere(np.ones(PET_GRID.shape, bool)))
    near = [region.points_mm() for region in (lesions[0].search, focus.extent)]
    expected = cdist(points, np.concatenate(near)).min(axis=1) <= 10.0
    assert np.array_equal(taken.on(PET_GRID).array.ravel(), expected)


def test_without_lesions_and_foci_all_places_are_lesion_free() -> None:
    assert occupied((), (), PET_GRID, 10.0) is None


def test_boxes_meet_within_a_margin_and_half_a_voxel_of_each() -> None:
    # Balls of 10 mm on voxels of 3 mm about x = 30 and 60: their voxels end at 34.5 and 55.5.
    boxes = boxes_around([ball((x, 40, 40), 10, PET_GRID) for x in (30, 60)])
    assert meet(boxes[0], boxes).tolist() == [True, False]
    assert meet(boxes[0], boxes, 20.5).tolist() == [True, False]
    assert meet(boxes[0], boxes, 21.5).tolist() == [True, True]

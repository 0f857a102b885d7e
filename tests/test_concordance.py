"""The whole concordance on scenes small enough to reckon by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionmatch.concordance import Concordance, Evidence, LesionFinding, Surroundings, concord
from lesionmatch.detectability import Blur
from lesionmatch.geometry import Transform
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.lesions import Carried, carry
from lesionmatch.protocol import LesionRules, Protocol
from lesionmatch.segments import Kind
from tests.concordance_scene import (
    FAR,
    MRI,
    PET,
    PET_GRID,
    WIDE,
    Place,
    Reference,
    Spot,
    ball,
    carried,
    spot,
)


def study(
    lesions: Sequence[Carried],
    foci: Sequence[Spot],
    *,
    null_p: float | None = 0.5,
    hot: Sequence[Mask] = (),
    around: Surroundings = FAR,
    registration_passed: bool = True,
) -> Concordance:
    array = np.full(PET_GRID.shape, 5.0, np.float32)
    for region in hot:
        array[region.on(PET_GRID).array] = 15.0
    evidence = Evidence(
        suv=Image(PET_GRID, array, Quantity.SUV_BW),
        background=Reference(),
        carried=tuple(lesions),
        foci=tuple(foci),
        around_lesions=(around,) * len(lesions),
        around_foci=(around,) * len(foci),
        focus_error_mm=(4.0,) * len(foci),
        blur=Blur(7.0, 7.0),
        registration_passed=registration_passed,
        null_p=lambda _: null_p,
    )
    return concord(evidence, Protocol())


def only(concordance: Concordance) -> LesionFinding:
    (finding,) = concordance.lesions
    return finding


class TestConcord:
    def test_a_lesion_with_a_focus_is_positive_and_needs_no_reason(self) -> None:
        focus = spot(1, (40, 40, 40))
        got = study(carried(((40, 40, 40), 12)), [focus], hot=[focus.extent])
        lesion = only(got)
        assert (lesion.status, lesion.relation, lesion.focus_ids) == (
            "positive",
            "matched",
            ("F1",),
        )
        assert lesion.uptake is not None
        assert lesion.uptake.tumour_to_liver == 3.0
        assert (lesion.reason, got.foci[0].reason, got.foci[0].lesion_ids) == (None, None, ("L1",))

    def test_rare_and_raised_uptake_without_a_focus_is_retrospective(self) -> None:
        place = ball((40, 40, 40), 8, PET_GRID)
        lesion = carried(((40, 40, 40), 10))
        assert only(study(lesion, [], null_p=0.004, hot=[place])).status == "retrospective"
        assert only(study(lesion, [], null_p=0.2, hot=[place])).status == "negative"
        assert only(study(lesion, [], null_p=0.004)).status == "negative"

    def test_without_a_lesion_free_place_contrast_alone_tells(self) -> None:
        # 15 against 5 with a standard deviation of 0.5 is 20, and 5 is needed.
        lesion, place = carried(((40, 40, 40), 10)), ball((40, 40, 40), 8, PET_GRID)
        assert only(study(lesion, [], null_p=None, hot=[place])).status == "retrospective"
        assert only(study(lesion, [], null_p=None)).status == "negative"

    def test_a_lesion_mostly_beyond_the_pet_is_positive_if_its_focus_is_not(self) -> None:
        (lesion,) = carried(((40, 40, 40), 20))
        low = Transform(PET, MRI, np.eye(4) - np.eye(4)[:, [2]] @ [[0, 0, 0, 45.0]])
        (partly,) = carry([lesion.lesion], low, [4.0], PET_GRID, LesionRules())
        assert partly.covered < 0.5
        focus = spot(1, (40, 40, 2), 12)
        assert only(study([partly], [])).status == "not_covered"
        assert only(study([partly], [focus])).status == "positive"

    def test_a_lesion_beyond_the_pet_is_not_covered_and_has_no_uptake_or_reason(self) -> None:
        away = Transform(PET, MRI, np.eye(4) + np.eye(4)[:, [2]] @ [[0, 0, 0, 300.0]])
        (lesion,) = carried(((40, 40, 40), 12))
        got = only(study(carry([lesion.lesion], away, [4.0], PET_GRID, LesionRules()), []))
        assert (got.status, got.uptake, got.null_p, got.reason) == ("not_covered", None, None, None)
        assert "edge_of_coverage" in got.flags

    def test_a_peak_in_a_lesion_is_its_uptake_also_where_it_was_taken_for_normal(self) -> None:
        lesion = carried(((40, 40, 40), 12))
        within, beside = (
            spot(1, place, 12, neighbour="kidney") for place in ((40, 40, 40), (50, 40, 40))
        )
        uptake = [
            only(study(lesion, [focus], hot=[focus.extent])).uptake for focus in (within, beside)
        ]
        assert [one.suv_max for one in uptake if one is not None] == [15.0, 5.0]

    def test_a_lesion_that_the_end_of_the_mri_may_cut_is_at_the_edge(self) -> None:
        lesion = carried(((40, 40, 40), 12))
        assert "edge_of_coverage" not in only(study(lesion, [])).flags
        cut = only(study(lesion, [], around=replace(FAR, is_cut=True)))
        assert "edge_of_coverage" in cut.flags

    def test_the_uptake_of_a_neighbour_is_not_its_own(self) -> None:
        lesions = carried(((36, 40, 40), 10), ((50, 40, 40), 8), error_mm=8.0)
        focus = spot(1, (36, 40, 40), 14)
        hot, cold = study(lesions, [focus], hot=[focus.extent]).lesions
        assert hot.uptake is not None
        assert cold.uptake is not None
        assert (hot.uptake.suv_max, cold.uptake.suv_max) == (15.0, 5.0)

    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            (Kind.HAEMANGIOMA, "haemangioma"),
            (Kind.CYST, "cyst"),
            (Kind.OTHER_BENIGN, "unexplained"),
        ],
    )
    def test_a_benign_lesion_with_a_focus_gives_both_its_kind_as_reason(
        self, kind: Kind, reason: str
    ) -> None:
        got = study(carried(((40, 40, 40), 12), kind=kind), [spot(1, (40, 40, 40))])
        assert (only(got).status, only(got).reason, got.foci[0].reason) == (
            "positive",
            reason,
            reason,
        )

    def test_a_benign_lesion_without_a_focus_is_no_disagreement(self) -> None:
        got = only(study(carried(((40, 40, 40), 12), kind=Kind.CYST), []))
        assert (got.status, got.reason, got.evidence) == ("negative", None, "")

    def test_a_missed_lesion_and_a_stray_focus_are_each_others_misregistration(self) -> None:
        got = study(carried(((30, 40, 40), 16)), [spot(1, (55, 40, 40))])
        assert (only(got).reason, got.foci[0].reason) == ("misregistration", "misregistration")

    def test_a_stray_focus_of_another_size_is_not_the_missed_lesion(self) -> None:
        got = study(carried(((30, 40, 40), 30)), [spot(1, (60, 40, 40), 9)])
        assert (only(got).reason, got.foci[0].reason) == ("low_uptake", "unexplained")

    def test_matched_lesions_that_confirm_the_registration_rule_it_out(self) -> None:
        lesions = carried(((70, 70, 70), 16), *[(place, 10) for place in WIDE[:3]])
        foci = [spot(n, place) for n, place in enumerate(WIDE[:3])]
        got = study(lesions, [*foci, spot(9, (70, 44, 70))])
        assert (got.lesions[0].reason, got.foci[3].reason) == ("low_uptake", "unexplained")

    def test_matched_lesions_clear_a_registration_that_was_doubted(self) -> None:
        lesions = carried(((70, 70, 70), 16), *[(place, 10) for place in WIDE[:3]])
        foci = [spot(n, place) for n, place in enumerate(WIDE[:3])]
        few = study(lesions[:3], foci[:2], registration_passed=False)
        enough = study(lesions, foci, registration_passed=False)
        assert (few.lesions[0].reason, enough.lesions[0].reason) == (
            "misregistration",
            "low_uptake",
        )
        assert (few.confirms_registration, enough.confirms_registration) == (False, True)

    def test_lesions_matched_from_afar_clear_nothing(self) -> None:
        # Six mm off, each its own way: within the tolerance of a doubtful registration.
        ways = [(6, 0, 0), (0, 6, 0), (0, 0, 6)]
        lesions = carried(*[(place, 10) for place in WIDE[:3]], error_mm=15.0)
        spots = [spot(n, tuple(np.add(WIDE[n], way))) for n, way in enumerate(ways)]
        got = study(lesions, spots, registration_passed=False)
        assert [lesion.relation for lesion in got.lesions] == ["matched"] * 3
        assert not got.confirms_registration

    def test_lesions_drawn_on_the_pet_clear_nothing_and_no_registration_misplaced_them(
        self,
    ) -> None:
        balls = [((70.0, 70.0, 70.0), 16), *[(place, 10) for place in WIDE[:3]]]
        foci = [spot(n, place) for n, place in enumerate(WIDE[:3])]
        drawn = carried(*balls, is_redrawn=True)
        got = study(drawn, foci, registration_passed=False)
        assert not got.confirms_registration
        assert got.lesions[0].reason == "low_uptake"

    def test_large_lesions_and_foci_all_apart_are_those_of_two_livers(self) -> None:
        foci = [spot(n, place, 18) for n, place in enumerate(WIDE[:3])]
        small = [spot(n, place, 12) for n, place in enumerate(WIDE[:3])]
        lesions, far = carried(((70, 70, 20), 18)), ((70.0, 70.0, 20.0), 12.0)
        got = study(lesions, foci)
        assert got.registration_doubts == (
            "none of 1 lesion on the MRI lies on a focus of the PET, and 3 foci of 15 mm and more "
            "have no lesion: the scans may not show the same liver",
        )
        assert only(got).reason == "misregistration"
        agreed = study(carried(((70, 70, 20), 18), (WIDE[0], 8)), [*foci, spot(8, WIDE[3], 18)])
        # Some match by chance, but do not lie on each other.
        chance = spot(9, (70, 78, 20))
        matched = study(lesions, [*foci, chance])
        assert only(matched).relation == "matched"
        assert len(matched.registration_doubts) == 1
        cases = {
            "two foci": study(lesions, foci[:2]),
            "small foci": study(lesions, small),
            "a small lesion": study(carried(far), foci),
            "no lesion": study((), foci),
            "benign": study(carried(((70, 70, 20), 18), kind=Kind.CYST), foci),
            "drawn on the PET": study(carried(((70, 70, 20), 18), is_redrawn=True), foci),
            "one on its focus": agreed,
        }
        assert {name for name, one in cases.items() if one.registration_doubts} == set()

    def test_physiologic_uptake_beside_a_lesion_is_flagged_and_no_finding(self) -> None:
        got = study(carried(((40, 40, 40), 12)), [spot(1, (48, 40, 40), 12, "stomach or bowel")])
        assert only(got).status == "negative"
        assert "near_physiologic_uptake" in only(got).flags
        assert got.foci[0].reason == "extrahepatic_physiologic"
        assert not got.foci[0].counts

    def test_a_focus_alone_near_a_vessel_is_vascular_or_biliary(self) -> None:
        got = study((), [spot(1, (40, 40, 40))], around=Surroundings(30.0, 50.0, 2.0))
        assert got.foci[0].reason == "vascular_or_biliary"

    def test_nothing_on_either_is_an_empty_concordance(self) -> None:
        got = study((), [])
        assert (got.lesions, got.foci, got.relations.pairs) == ((), (), ())


PLACES = st.lists(st.tuples(*[st.floats(15, 80)] * 3), min_size=0, max_size=4)


class TestLaws:
    @settings(max_examples=40)
    @given(PLACES, PLACES, st.sampled_from([None, 0.01, 0.5]), st.sampled_from(list(Kind)))
    def test_every_disagreement_has_one_reason_with_evidence_and_no_agreement_has_one(
        self, lesions: list[Place], foci: list[Place], null_p: float | None, kind: Kind
    ) -> None:
        spots = [spot(n, place) for n, place in enumerate(foci, 1)]
        got = study(carried(*[(place, 9.0) for place in lesions], kind=kind), spots, null_p=null_p)
        for lesion in got.lesions:
            is_agreed = (lesion.status == "positive") == kind.counts
            assert (lesion.reason is None) == is_agreed == (lesion.evidence == "")
        for focus in got.foci:
            is_agreed = bool(focus.lesion_ids) and kind.counts
            assert (focus.reason is None) == is_agreed == (focus.evidence == "")

    @settings(max_examples=40)
    @given(st.tuples(*[st.floats(-1, 1)] * 3), st.floats(2.0, 8.0))
    def test_a_registration_off_by_no_more_than_it_says_changes_no_match_and_no_status(
        self, way: Place, error_mm: float
    ) -> None:
        # Lesions 28 mm and more apart, foci on three of four; the error is at most 8 mm.
        off = np.array(way) * error_mm / max(1.0, float(np.linalg.norm(way)))
        spots = [spot(n, place, 9.0) for n, place in enumerate(WIDE[:3], 1)]
        balls = [(place, 9.0) for place in WIDE]
        before = carried(*balls, error_mm=error_mm)
        after = [one.moved(off, error_mm, PET_GRID, LesionRules()) for one in before]
        hot = [one.extent for one in spots]
        kept, moved = study(before, spots, hot=hot), study(after, spots, hot=hot)
        assert [f.focus_ids for f in moved.lesions] == [f.focus_ids for f in kept.lesions]
        assert [f.status for f in moved.lesions] == ["positive"] * 3 + ["negative"]
        assert [f.relation for f in moved.foci] == ["matched"] * 3

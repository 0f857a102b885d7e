"""Relations, flags, reasons and the whole concordance on scenes small enough to reckon by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lesionmatch.concordance import (
    Concordance,
    Evidence,
    LesionFinding,
    Relations,
    Sharpened,
    Surroundings,
    concord,
    relate,
    sharpen,
)
from lesionmatch.concordance.flags import Facts, flags
from lesionmatch.concordance.reasons import Missed, Shown, why_missed, why_shown
from lesionmatch.concordance.territory import own_search
from lesionmatch.detectability import Blur, LikelyRatio
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.lesions import Carried, carry, lesions_from
from lesionmatch.protocol import FlagRules, Protocol, RelationRules, changed
from lesionmatch.segments import Kind, Segment

MRI, PET = Frame("mri"), Frame("pet")
MRI_GRID = Grid.of(MRI, (50, 100, 100), spacing_mm=(2.0, 1.0, 1.0))
PET_GRID = Grid.of(PET, (34, 34, 34), spacing_mm=(3.0, 3.0, 3.0))
SAME_PLACE = Transform(PET, MRI, np.eye(4))
FAR = Surroundings(capsule_mm=40.0, hilum_mm=60.0, vessel_mm=30.0)

Place = tuple[float, float, float]

WIDE: list[Place] = [(25, 30, 30), (45, 30, 40), (30, 60, 50), (60, 60, 60)]


@dataclass(frozen=True)
class Reference:
    suv_mean: float = 5.0
    suv_sd: float = 0.5
    spleen_suv_mean: float | None = 20.0


@dataclass(frozen=True)
class Spot:
    """A focus as the detector would report it."""

    focus_id: str
    centroid_mm: NDArray[np.float64]
    extent: Mask
    physiologic_neighbour: str | None = None
    suv_max: float = 15.0
    z: float = 6.0

    @property
    def peak_mm(self) -> NDArray[np.float64]:
        return self.centroid_mm


def ball(centre_mm: Place, diameter_mm: float, grid: Grid) -> Mask:
    part = grid.crop(grid.box_around([centre_mm], diameter_mm / 2.0))
    points = part.world(np.moveaxis(np.indices(part.shape), 0, -1).astype(np.float64))
    inside = ((points - centre_mm) ** 2).sum(-1) <= (diameter_mm / 2.0) ** 2
    return Mask(part, inside).trimmed()


def carried(
    *balls: tuple[Place, float], error_mm: float = 4.0, kind: Kind = Kind.METASTASIS
) -> tuple[Carried, ...]:
    segments = [Segment("x", kind, ball(place, d, MRI_GRID), "test") for place, d in balls]
    return tuple(carry(les, SAME_PLACE, error_mm, PET_GRID) for les in lesions_from(segments))


def spot(n: int, place: Place, diameter_mm: float = 12.0, neighbour: str | None = None) -> Spot:
    extent = ball(place, diameter_mm, PET_GRID)
    return Spot(f"F{n}", np.array(place), extent, neighbour)


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
        assert 0.8 <= pair.shared <= pair.overlap <= 1.0
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

    def test_a_focus_that_normal_uptake_explains_is_listed_and_never_related(self) -> None:
        relations = related(carried(((40, 40, 40), 10)), [spot(1, (40, 40, 40), 12, "stomach")])
        assert [p.relation for p in relations.pairs] == [None]

    def test_nothing_to_relate(self) -> None:
        assert related((), []).pairs == ()
        assert related(carried(((40, 40, 40), 10)), []).of_lesion("L1") == "mri_only"

    @settings(max_examples=40, deadline=None)
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

    @settings(max_examples=25, deadline=None)
    @given(st.permutations(range(5)))
    def test_the_order_of_the_foci_does_not_matter(self, order: list[int]) -> None:
        places: list[Place] = [(20 + 13.0 * n, 40, 40) for n in range(5)]
        lesions = carried(*[((x + 3, 40, 40), 8.0) for x, _, _ in places])
        foci = [spot(n, place) for n, place in enumerate(places)]
        kept = [p.relation for p in related(lesions, foci).pairs]
        assert [p.relation for p in related(lesions, [foci[n] for n in order]).pairs] == kept


FACTS = Facts(
    long_axis_mm=20.0,
    surroundings=FAR,
    tumour_to_liver=3.0,
    liver_cov=0.10,
    error_mm=4.0,
    is_near_physiologic=False,
    is_at_edge=False,
)


class TestFlags:
    def test_nothing_stands_about_a_large_deep_hot_lesion(self) -> None:
        assert flags(FACTS, FlagRules()) == ()

    @pytest.mark.parametrize(
        ("facts", "standing"),
        [
            (replace(FACTS, long_axis_mm=5.9), ("small", "subcentimetre")),
            (replace(FACTS, long_axis_mm=6.0), ("subcentimetre",)),
            (replace(FACTS, long_axis_mm=10.0), ()),
            (replace(FACTS, surroundings=Surroundings(5.0, None, None)), ("subcapsular",)),
            (replace(FACTS, surroundings=Surroundings(None, 20.0, None)), ("perihilar",)),
            (replace(FACTS, surroundings=Surroundings(None, None, 5.0)), ("near_vessel",)),
            (replace(FACTS, surroundings=Surroundings(5.1, 20.1, 5.1)), ()),
            (replace(FACTS, tumour_to_liver=0.99), ("low_uptake",)),
            (replace(FACTS, tumour_to_liver=None), ()),
            (replace(FACTS, liver_cov=0.151), ("noisy_liver",)),
            (replace(FACTS, error_mm=10.1), ("uncertain_registration",)),
            (replace(FACTS, error_mm=9.9), ()),
            (
                replace(FACTS, error_mm=5.1, long_axis_mm=8.0),
                ("subcentimetre", "uncertain_registration"),
            ),
            (replace(FACTS, error_mm=4.9, long_axis_mm=8.0), ("subcentimetre",)),
            (replace(FACTS, is_near_physiologic=True), ("near_physiologic_uptake",)),
            (replace(FACTS, is_at_edge=True), ("edge_of_coverage",)),
        ],
    )
    def test_each_stands_at_its_threshold(self, facts: Facts, standing: tuple[str, ...]) -> None:
        assert flags(facts, FlagRules()) == standing


MISSED = Missed(
    long_axis_mm=20.0,
    diameter_mm=20.0,
    tumour_to_liver=1.3,
    likely_ratio=LikelyRatio(1.2, 1.2),
    surroundings=FAR,
    flags=(),
    is_retrospective=False,
    error_mm=4.0,
    stray_focus=None,
    registration_passed=True,
    blur=Blur(7.0, 7.0),
    liver_cov=0.10,
)
TINY = replace(
    MISSED,
    long_axis_mm=5.1,
    diameter_mm=5.1,
    likely_ratio=LikelyRatio(3.0, 3.0),
    tumour_to_liver=1.1,
)


class TestWhyMissed:
    def reason(self, missed: Missed) -> str:
        return why_missed(missed, Protocol()).reason

    def test_a_tiny_lesion_of_usual_uptake_is_missed_for_its_size(self) -> None:
        because = why_missed(TINY, Protocol())
        assert because.reason == "small_size"
        assert because.evidence == ("5.1 mm, recovery 0.14, would need 4.7 x liver; seen 1.1 x")

    def test_size_comes_before_the_capsule_and_the_vessel(self) -> None:
        beside = replace(TINY, flags=("subcapsular", "near_vessel"))
        assert (
            self.reason(replace(beside, surroundings=Surroundings(1.0, 30.0, 1.0))) == "small_size"
        )

    def test_a_lesion_that_would_show_deep_is_missed_at_the_capsule(self) -> None:
        # 9 mm recovers 0.48: deep it needs 2.0, at the capsule with 1.5 more CNR and cold fat 2.6.
        lesion = replace(
            MISSED, long_axis_mm=9.0, diameter_mm=9.0, likely_ratio=LikelyRatio(2.3, 2.3)
        )
        edge = replace(lesion, flags=("subcapsular",), surroundings=Surroundings(0.0, 40.0, 30.0))
        assert self.reason(edge) == "subcapsular"
        vessel = replace(lesion, flags=("near_vessel",), surroundings=Surroundings(40.0, 40.0, 0.0))
        assert self.reason(vessel) == "near_vessel"

    def test_uptake_seen_in_retrospect_beside_a_vessel_was_taken_for_the_vessel(self) -> None:
        lesion = replace(
            MISSED,
            likely_ratio=LikelyRatio(2.5, 2.5),
            is_retrospective=True,
            flags=("near_vessel",),
            surroundings=Surroundings(40.0, 40.0, 3.0),
        )
        assert self.reason(lesion) == "near_vessel"

    def test_a_large_lesion_without_uptake_has_low_uptake(self) -> None:
        because = why_missed(MISSED, Protocol())
        assert because.reason == "low_uptake"
        assert "even a large lesion would need 1.5 x" in because.evidence

    def test_a_small_lesion_must_lack_uptake_beyond_doubt(self) -> None:
        small = replace(MISSED, long_axis_mm=10.0, diameter_mm=10.0)
        assert self.reason(replace(small, likely_ratio=LikelyRatio(1.2, 1.3))) == "low_uptake"
        assert self.reason(replace(small, likely_ratio=LikelyRatio(1.2, 1.9))) == "small_size"

    def test_low_uptake_is_not_said_of_a_place_that_is_not_sure(self) -> None:
        assert self.reason(replace(MISSED, stray_focus="F3")) == "misregistration"
        assert self.reason(replace(MISSED, registration_passed=False)) == "misregistration"
        assert self.reason(replace(MISSED, flags=("uncertain_registration",))) == "misregistration"

    def test_a_lesion_that_would_show_in_a_quiet_liver_is_missed_for_the_noise(self) -> None:
        noisy = replace(
            MISSED, likely_ratio=LikelyRatio(2.0, 2.0), liver_cov=0.25, flags=("noisy_liver",)
        )
        because = why_missed(noisy, Protocol())
        assert because.reason == "noisy_liver"
        assert because.evidence == "liver CoV 0.25: would need 2.3 x liver, 1.6 x at CoV 0.12"

    def test_where_no_cause_is_enough_the_first_flag_may_have_had_a_part(self) -> None:
        visible = replace(MISSED, likely_ratio=LikelyRatio(4.0, 4.0), flags=("subcapsular",))
        because = why_missed(
            replace(visible, surroundings=Surroundings(2.0, 40.0, 30.0)), Protocol()
        )
        assert because.reason == "subcapsular"
        assert because.evidence.startswith("may have had a part: 20.0 mm, 2.0 mm from the capsule")

    def test_where_nothing_stands_it_is_unexplained(self) -> None:
        assert self.reason(replace(MISSED, likely_ratio=LikelyRatio(4.0, 4.0))) == "unexplained"

    def test_a_protocol_moves_the_limit_of_small(self) -> None:
        wide = changed(Protocol(), {"reasons": {"small_size_mm": 4.0}})
        assert why_missed(TINY, wide).reason != "small_size"


SHOWN = Shown(
    tumour_to_liver=2.5,
    surroundings=FAR,
    flags=(),
    physiologic_neighbour=None,
    stray_lesion=None,
)


class TestWhyShown:
    @pytest.mark.parametrize(
        ("shown", "reason"),
        [
            (SHOWN, "unexplained"),
            (replace(SHOWN, flags=("near_vessel",)), "vascular_or_biliary"),
            (replace(SHOWN, flags=("perihilar",)), "vascular_or_biliary"),
            (replace(SHOWN, physiologic_neighbour="stomach"), "extrahepatic_physiologic"),
            (replace(SHOWN, stray_lesion="L2"), "misregistration"),
        ],
    )
    def test_each_cause_has_its_reason(self, shown: Shown, reason: str) -> None:
        assert why_shown(shown).reason == reason


def study(
    lesions: Sequence[Carried],
    foci: Sequence[Spot],
    *,
    null_p: float | None = 0.5,
    hot: Sequence[Mask] = (),
    around: Surroundings = FAR,
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
        registration_passed=True,
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
        partly = carry(lesion.lesion, low, 4.0, PET_GRID)
        assert partly.covered < 0.5
        focus = spot(1, (40, 40, 2), 12)
        assert only(study([partly], [])).status == "not_covered"
        assert only(study([partly], [focus])).status == "positive"

    def test_a_lesion_beyond_the_pet_is_not_covered_and_has_no_uptake_or_reason(self) -> None:
        away = Transform(PET, MRI, np.eye(4) + np.eye(4)[:, [2]] @ [[0, 0, 0, 300.0]])
        (lesion,) = carried(((40, 40, 40), 12))
        got = only(study([carry(lesion.lesion, away, 4.0, PET_GRID)], []))
        assert (got.status, got.uptake, got.null_p, got.reason) == ("not_covered", None, None, None)
        assert "edge_of_coverage" in got.flags

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


class TestOwnSearch:
    def test_it_is_the_search_where_nothing_is_near(self) -> None:
        (lesion,) = carried(((40, 40, 40), 12))
        assert lesion.search is not None
        assert own_search(lesion, [lesion], [], 7.0).volume_ml == lesion.search.volume_ml

    def test_it_is_the_extent_where_a_focus_covers_all_of_it(self) -> None:
        (lesion,) = carried(((40, 40, 40), 8))
        assert lesion.extent is not None
        got = own_search(lesion, [lesion], [spot(1, (40, 40, 40), 40)], 7.0)
        assert got.volume_ml == lesion.extent.volume_ml

    def test_a_lesion_beside_the_pet_has_none(self) -> None:
        (lesion,) = carried(((40, 40, 40), 8))
        with pytest.raises(ValueError, match="wanted a lesion on the PET"):
            own_search(replace(lesion, extent=None), [], [], 7.0)


SHIFT = np.array([5.0, -3.0, 2.0])


class TestSharpen:
    def sharpened(self, lesions: Sequence[Carried], foci: Sequence[Spot]) -> Sharpened:
        return sharpen(lesions, foci, SAME_PLACE, PET_GRID, fwhm_mm=7.0, protocol=Protocol())

    def test_lesions_move_by_what_the_others_show(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=8.0)
        foci = [spot(n, tuple(np.add(place, SHIFT))) for n, place in enumerate(WIDE)]
        got = self.sharpened(lesions, foci)
        assert got.agreement.applies
        for before, after in zip(lesions, got.carried, strict=True):
            left = SHIFT - (after.centroid_mm - before.centroid_mm)
            assert np.linalg.norm(left) < 2.5 < np.linalg.norm(SHIFT)
            assert after.error_mm < 0.7 * before.error_mm

    def test_a_lesion_has_no_part_in_its_own_correction(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=8.0)
        foci = [spot(n, place) for n, place in enumerate(WIDE[:3])]
        odd = spot(4, tuple(np.add(WIDE[3], (0, 7, 0))))
        got = self.sharpened(lesions, [*foci, odd])
        assert got.carried[3].centroid_mm[1] == pytest.approx(WIDE[3][1], abs=0.2)

    def test_a_lesion_without_a_focus_moves_too(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=8.0)
        foci = [spot(n, tuple(np.add(place, SHIFT))) for n, place in enumerate(WIDE[:3])]
        moved = self.sharpened(lesions, foci).carried[3].centroid_mm - lesions[3].centroid_mm
        assert moved @ SHIFT > 0.5 * SHIFT @ SHIFT

    def test_a_registration_off_by_more_than_it_knows_is_found_out(self) -> None:
        far = np.array([12.0, 9.0, -6.0])
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=4.0)
        got = self.sharpened(lesions, [spot(n, tuple(p + far)) for n, p in enumerate(WIDE)])
        assert got.shift_mm == pytest.approx(far, abs=0.2)
        for before, after in zip(lesions, got.carried, strict=True):
            assert after.centroid_mm - before.centroid_mm == pytest.approx(far, abs=0.5)

    def test_two_matches_move_nothing(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE[:2]], error_mm=8.0)
        got = self.sharpened(lesions, [spot(n, place) for n, place in enumerate(WIDE[:2])])
        assert got.carried == lesions
        assert not got.agreement.applies

    def test_a_long_lesion_is_no_landmark(self) -> None:
        lesions = carried((WIDE[0], 10), (WIDE[1], 10), ((60, 60, 60), 48), error_mm=8.0)
        places = [*WIDE[:2], (60.0, 60.0, 60.0)]
        got = self.sharpened(lesions, [spot(n, place) for n, place in enumerate(places)])
        assert got.agreement.count == 2

"""Flags, and the one reason for a disagreement."""

from dataclasses import replace

import pytest

from lesionmatch.concordance import Surroundings
from lesionmatch.concordance.flags import Facts, Flag, flags
from lesionmatch.concordance.hotter import Hotter
from lesionmatch.concordance.reasons import (
    Missed,
    Shown,
    why_benign_shown,
    why_missed,
    why_shown,
)
from lesionmatch.detectability import Blur
from lesionmatch.protocol import FlagRules, Protocol, changed
from lesionmatch.segments import Kind
from tests.concordance_scene import FAR

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
    likely_ratio=1.2,
    surroundings=FAR,
    flags=(),
    is_retrospective=False,
    hotter=None,
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
    likely_ratio=3.0,
    tumour_to_liver=1.1,
)


class TestWhyMissed:
    def reason(self, missed: Missed) -> str:
        return why_missed(missed, Protocol()).reason

    def test_a_tiny_lesion_of_usual_uptake_is_missed_for_its_size(self) -> None:
        because = why_missed(TINY, Protocol())
        assert because.reason == "small_size"
        assert because.evidence == ("5.1 mm, recovery 0.14, would need 4.7 x liver; seen 1.1 x")

    def test_small_is_up_to_the_limit(self) -> None:
        assert self.reason(replace(TINY, long_axis_mm=12.0)) == "small_size"
        assert self.reason(replace(TINY, long_axis_mm=12.1)) == "unexplained"

    def test_size_comes_before_the_capsule_and_the_vessel(self) -> None:
        beside = replace(TINY, flags=("subcapsular", "near_vessel"))
        assert (
            self.reason(replace(beside, surroundings=Surroundings(1.0, 30.0, 1.0))) == "small_size"
        )

    def test_a_lesion_that_would_show_deep_is_missed_at_the_capsule(self) -> None:
        # 9 mm recovers 0.48: deep it needs 2.0, at the capsule with 1.0 more CNR and cold fat 2.3.
        lesion = replace(MISSED, long_axis_mm=9.0, diameter_mm=9.0, likely_ratio=2.1)
        edge = replace(lesion, flags=("subcapsular",), surroundings=Surroundings(0.0, 40.0, 30.0))
        because = why_missed(edge, Protocol())
        assert (because.reason, because.evidence) == (
            "subcapsular",
            "9.0 mm, 0.0 mm from the capsule, where it would need 2.4 x liver, 2.0 x away from it; "
            "seen 1.3 x, true ratio likely 2.1",
        )
        vessel = replace(lesion, flags=("near_vessel",), surroundings=Surroundings(40.0, 40.0, 0.0))
        because = why_missed(vessel, Protocol())
        assert (because.reason, because.evidence) == (
            "near_vessel",
            "9.0 mm, 0.0 mm from a large vessel, where it would need 2.3 x liver, 2.0 x away from "
            "it; seen 1.3 x, true ratio likely 2.1",
        )

    @pytest.mark.parametrize("flag", ["subcapsular", "near_vessel"])
    @pytest.mark.parametrize(("likely", "is_enough"), [(1.9, False), (2.1, True), (2.6, False)])
    def test_an_edge_suffices_only_between_what_is_needed_deep_and_there(
        self, flag: Flag, likely: float, is_enough: bool
    ) -> None:
        lesion = replace(MISSED, long_axis_mm=9.0, diameter_mm=9.0, likely_ratio=likely)
        edge = replace(lesion, flags=(flag,), surroundings=Surroundings(0.0, 40.0, 0.0))
        because = why_missed(edge, Protocol())
        assert ((because.reason == flag) and because.evidence[0] == "9") == is_enough
        assert self.reason(replace(edge, flags=())) not in ("subcapsular", "near_vessel")

    @pytest.mark.parametrize("flag", ["subcapsular", "near_vessel"])
    def test_an_edge_hides_less_from_farther_away(self, flag: Flag) -> None:
        # At once beside the capsule or the vessel it would need 2.37 or 2.33, farther off 2.25.
        lesion = replace(MISSED, long_axis_mm=9.0, diameter_mm=9.0, likely_ratio=2.29)
        edge = replace(lesion, flags=(flag,), surroundings=Surroundings(0.0, 40.0, 0.0))
        assert not why_missed(edge, Protocol()).evidence.startswith("may")
        away = replace(edge, surroundings=Surroundings(4.9, 40.0, 4.9))
        assert why_missed(away, Protocol()).evidence.startswith("may")

    def test_uptake_seen_in_retrospect_beside_a_vessel_was_taken_for_the_vessel(self) -> None:
        lesion = replace(
            MISSED,
            tumour_to_liver=2.5,
            likely_ratio=2.6,
            is_retrospective=True,
            flags=("near_vessel",),
            surroundings=Surroundings(40.0, 40.0, 3.0),
        )
        because = why_missed(lesion, Protocol())
        assert (because.reason, because.evidence) == (
            "near_vessel",
            "20.0 mm, 3.0 mm from a large vessel, which may have up to 2.5 x liver; seen 2.5 x",
        )
        # No blood or bile is hotter, and what nobody saw was taken for nothing.
        for other in (
            replace(lesion, tumour_to_liver=2.6),
            replace(lesion, is_retrospective=False),
        ):
            assert why_missed(other, Protocol()).evidence.startswith("may have had a part")
        assert self.reason(replace(lesion, flags=())) == "unexplained"

    def test_a_large_lesion_without_uptake_has_low_uptake(self) -> None:
        because = why_missed(MISSED, Protocol())
        assert because.reason == "low_uptake"
        assert because.evidence == (
            "seen 1.3 x liver, true ratio likely 1.2; 20.0 mm would need 1.5 x, "
            "and a metastasis has 3.4 x on average"
        )

    def test_a_small_lesion_that_would_show_with_usual_uptake_has_too_little(self) -> None:
        # 10 mm recovers 0.58: it needs 1.86 times the liver, and 3.4 is usual.
        small = replace(MISSED, long_axis_mm=10.0, diameter_mm=10.0)
        assert self.reason(replace(small, likely_ratio=1.8)) == "low_uptake"
        part = why_missed(replace(small, likely_ratio=1.9), Protocol())
        assert (part.reason, part.evidence[:18]) == ("small_size", "may have had a par")

    def test_size_has_no_part_where_as_much_is_seen_as_it_needs(self) -> None:
        small = replace(MISSED, long_axis_mm=10.0, diameter_mm=10.0, likely_ratio=3.0)
        assert self.reason(replace(small, tumour_to_liver=1.8)) == "small_size"
        got = why_missed(replace(small, tumour_to_liver=1.9), Protocol())
        assert (got.reason, got.evidence) == (
            "unexplained",
            "10.0 mm, recovery 0.58, would need 1.9 x liver; seen 1.9 x, true ratio likely 3.0; "
            "no rule fits",
        )

    def test_a_lesion_with_the_uptake_it_needs_is_missed_for_what_is_hotter_beside_it(self) -> None:
        small = replace(MISSED, long_axis_mm=10.0, diameter_mm=10.0, tumour_to_liver=3.3)
        beside = replace(small, likely_ratio=5.0, hotter=Hotter("focus F2", 12.1, 4.2))
        because = why_missed(beside, Protocol())
        assert (because.reason, because.evidence) == (
            "unexplained",
            "10.0 mm, recovery 0.58, would need 1.9 x liver; seen 3.3 x, but focus F2 4.2 mm from "
            "it has 12.1 x",
        )

    def test_what_is_hotter_explains_no_miss_of_a_lesion_that_nothing_would_show(self) -> None:
        # What is seen is at most its own, and less than it needs.
        hotter = Hotter("focus F2", 12.1, 4.2)
        assert self.reason(replace(TINY, hotter=hotter)) == "small_size"
        assert self.reason(replace(MISSED, hotter=hotter)) == "low_uptake"

    def test_a_tiny_lesion_with_the_uptake_it_needs_is_not_missed_for_its_size(self) -> None:
        shown = replace(TINY, likely_ratio=5.0, tumour_to_liver=5.0)
        assert self.reason(shown) == "unexplained"
        outshone = why_missed(replace(shown, hotter=Hotter("focus F2", 9.0, 3.0)), Protocol())
        assert "focus F2 3.0 mm from it has 9.0 x" in outshone.evidence

    def test_size_comes_before_the_noise_that_hides_a_tiny_lesion_of_much_uptake(self) -> None:
        # It would need 5.4 in a liver of customary noise and 8.3 in this.
        noisy = replace(TINY, liver_cov=0.20, flags=("noisy_liver",), likely_ratio=6.0)
        assert self.reason(noisy) == "small_size"
        assert self.reason(replace(noisy, long_axis_mm=12.1)) == "noisy_liver"

    def test_a_flat_lesion_in_which_no_usual_uptake_would_show_has_not_too_little(self) -> None:
        # 13 mm long and 5 mm thick: not small by its axis, and a usual one would not show.
        flat = replace(MISSED, long_axis_mm=13.0, diameter_mm=5.0)
        assert self.reason(flat) == "unexplained"

    def test_low_uptake_is_not_said_of_a_place_that_is_not_sure(self) -> None:
        assert self.reason(replace(MISSED, stray_focus="F3")) == "misregistration"
        assert self.reason(replace(MISSED, registration_passed=False)) == "misregistration"
        assert self.reason(replace(MISSED, flags=("uncertain_registration",))) == "misregistration"

    @pytest.mark.parametrize(
        ("missed", "evidence"),
        [
            (replace(MISSED, flags=("uncertain_registration",)), ""),
            (replace(MISSED, registration_passed=False), "; the registration is doubtful"),
            (replace(MISSED, stray_focus="F3"), "; focus F3 nearby belongs to no lesion"),
        ],
    )
    def test_a_misregistration_says_what_speaks_for_it(self, missed: Missed, evidence: str) -> None:
        said = why_missed(missed, Protocol()).evidence
        assert said == f"registration error up to 4.0 mm{evidence}"

    def test_a_lesion_that_would_show_in_a_quiet_liver_is_missed_for_the_noise(self) -> None:
        noisy = replace(MISSED, likely_ratio=2.0, liver_cov=0.25, flags=("noisy_liver",))
        because = why_missed(noisy, Protocol())
        assert because.reason == "noisy_liver"
        assert because.evidence == (
            "liver CoV 0.25: would need 2.3 x liver, 1.6 x at CoV 0.12; true ratio likely 2.0"
        )

    def test_noise_in_which_it_would_show_has_no_part(self) -> None:
        noisy = replace(MISSED, likely_ratio=2.4, liver_cov=0.25, flags=("noisy_liver",))
        assert self.reason(noisy) == "unexplained"
        assert self.reason(replace(noisy, likely_ratio=2.0, flags=())) == "unexplained"

    def test_where_no_cause_is_enough_the_first_flag_may_have_had_a_part(self) -> None:
        visible = replace(MISSED, likely_ratio=4.0, flags=("subcapsular",))
        because = why_missed(
            replace(visible, surroundings=Surroundings(2.0, 40.0, 30.0)), Protocol()
        )
        assert because.reason == "subcapsular"
        assert because.evidence.startswith("may have had a part: 20.0 mm, 2.0 mm from the capsule")

    def test_where_nothing_stands_it_is_unexplained(self) -> None:
        assert self.reason(replace(MISSED, likely_ratio=4.0)) == "unexplained"

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
HOT = replace(SHOWN, tumour_to_liver=2.6)
AT_LUMP = replace(SHOWN, surroundings=replace(FAR, holds_lump=True))


class TestWhyShown:
    @pytest.mark.parametrize(
        ("shown", "reason"),
        [
            (SHOWN, "unexplained"),
            (replace(SHOWN, flags=("near_vessel",)), "vascular_or_biliary"),
            (replace(SHOWN, flags=("perihilar",)), "vascular_or_biliary"),
            (replace(HOT, flags=("near_vessel",)), "unexplained"),
            (replace(HOT, flags=("perihilar",)), "unexplained"),
            (replace(SHOWN, physiologic_neighbour="stomach"), "extrahepatic_physiologic"),
            (replace(SHOWN, stray_lesion="L2"), "misregistration"),
            (replace(AT_LUMP, flags=("near_vessel",)), "unexplained"),
            (replace(AT_LUMP, stray_lesion="L2"), "misregistration"),
        ],
    )
    def test_each_cause_has_its_reason(self, shown: Shown, reason: str) -> None:
        assert why_shown(shown, Protocol().reasons).reason == reason

    def test_one_too_hot_for_the_vessel_beside_it_says_so(self) -> None:
        surroundings = replace(FAR, vessel_mm=1.5)
        shown = replace(HOT, flags=("near_vessel",), surroundings=surroundings)
        assert why_shown(shown, Protocol().reasons).evidence == (
            "2.6 x liver, 1.5 mm from a vessel, more than the 2.5 x that a vessel or bile duct "
            "may have; no lesion on the MRI"
        )


@pytest.mark.parametrize(
    ("kind", "reason", "evidence"),
    [
        (Kind.HAEMANGIOMA, "haemangioma", "a haemangioma on the MRI, 2.1 x liver"),
        (Kind.CYST, "cyst", "a cyst on the MRI, 2.1 x liver"),
        (Kind.OTHER_BENIGN, "unexplained", "another benign lesion on the MRI, 2.1 x liver"),
    ],
)
def test_a_benign_lesion_with_uptake_is_named(kind: Kind, reason: str, evidence: str) -> None:
    because = why_benign_shown(kind, 2.1)
    assert (because.reason, because.evidence) == (reason, evidence)

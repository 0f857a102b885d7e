"""One reason for each disagreement, in the order of the paper's taxonomy.

Grawe et al. 2023 sort what the PET missed (Table 2: small size, subcapsular, near a vessel,
low uptake, misregistration, noisy liver) and what it showed alone (Table 3: haemangioma,
cyst, vascular or biliary, physiologic uptake beside the liver). A rule fits where its cause
alone is enough for a lesion to be missed. Where none is enough the first whose flag stands
is taken, and the evidence says that it may have had a part; where none stands the reason is
``unexplained``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lesionmatch.concordance.flags import Flag, Surroundings
from lesionmatch.detectability import (
    Blur,
    centre_recovery,
    edge_deficit,
    least_visible_ratio,
    least_visible_ratio_at_edge,
)
from lesionmatch.protocol import Protocol, ReasonRules
from lesionmatch.segments import Kind

Reason = Literal[
    "small_size",
    "subcapsular",
    "near_vessel",
    "low_uptake",
    "misregistration",
    "noisy_liver",
    "haemangioma",
    "cyst",
    "vascular_or_biliary",
    "extrahepatic_physiologic",
    "unexplained",
]


@dataclass(frozen=True, slots=True)
class Because:
    """A reason and what it stands on."""

    reason: Reason
    evidence: str
    """A sentence with the numbers, units included."""


@dataclass(frozen=True, slots=True)
class Missed:
    """What is known of a lesion that the PET did not show unprompted."""

    long_axis_mm: float
    diameter_mm: float
    """Of the sphere that is likely behind its outline."""
    tumour_to_liver: float
    """Seen, SUVmax over the liver's mean."""
    likely_ratio: float
    """True tumour-to-liver ratio that this and the ratios of metastases make likely."""
    surroundings: Surroundings
    flags: tuple[Flag, ...]
    is_retrospective: bool
    error_mm: float
    stray_focus: str | None
    """A focus no lesion explains that is near enough to be this one misplaced."""
    registration_passed: bool
    blur: Blur
    liver_cov: float


def why_missed(missed: Missed, protocol: Protocol) -> Because:
    """Why the PET did not show a lesion that counts."""
    case = _Case(missed, protocol)
    for rule in _RULES:
        if rule.is_enough(case):
            return Because(rule.reason, rule.evidence(case))
    for rule in _RULES:
        if rule.has_part(case):
            return Because(rule.reason, f"may have had a part: {rule.evidence(case)}")
    return Because("unexplained", f"{_size(case)}; no rule fits")


@dataclass(frozen=True, slots=True)
class _Case:
    """A missed lesion with what follows from its size and the noise."""

    missed: Missed
    protocol: Protocol

    @property
    def recovery(self) -> float:
        return centre_recovery(self.missed.diameter_mm, self.missed.blur)

    @property
    def quiet(self) -> float:
        """The liver's coefficient of variation, or that of a scan of customary quality."""
        return min(self.missed.liver_cov, self.protocol.detectability.customary_cov)

    @property
    def is_small(self) -> bool:
        return self.missed.long_axis_mm <= self.protocol.reasons.small_size_mm

    @property
    def is_deep_seen(self) -> bool:
        """Whether one of its likely uptake would be found in a quiet liver away from edges."""
        return self.is_seen(self.missed.likely_ratio, self.recovery, self.quiet)

    @property
    def is_misplaced(self) -> bool:
        missed = self.missed
        uncertain = "uncertain_registration" in missed.flags or not missed.registration_passed
        return missed.stray_focus is not None or uncertain

    def least_ratio(self, recovery: float, cov: float) -> float:
        """The true ratio from which a lesion away from edges is found."""
        return least_visible_ratio(recovery, cov, self.protocol.detectability.unprompted_cnr)

    def is_seen(self, ratio: float, recovery: float, cov: float) -> bool:
        """Whether a lesion of this true ratio away from edges would be found."""
        return ratio >= self.least_ratio(recovery, cov)

    def is_hidden_beside(self, surface_mm: float | None, neighbour_ratio: float) -> bool:
        """Whether it would be found but for a colder neighbour this far from its surface."""
        rules, missed = self.protocol.detectability, self.missed
        depth_mm = (surface_mm or 0.0) + missed.diameter_mm / 2.0
        deficit = edge_deficit(depth_mm, neighbour_ratio, missed.blur.fwhm_mm)
        cnr = rules.unprompted_cnr + rules.edge_cnr
        least = least_visible_ratio_at_edge(self.recovery, self.quiet, cnr, deficit=deficit)
        return self.is_deep_seen and missed.likely_ratio < least


@dataclass(frozen=True, slots=True)
class _Rule:
    """A cause of a miss."""

    reason: Reason
    is_enough: Callable[[_Case], bool]
    """Whether it suffices alone."""
    has_part: Callable[[_Case], bool]
    """Whether it may have had a part."""
    evidence: Callable[[_Case], str]


def _is_too_small(case: _Case) -> bool:
    """A metastasis of typical uptake would be missed for this size."""
    typical = case.protocol.detectability.typical_ratio
    return case.is_small and not case.is_seen(typical, case.recovery, case.quiet)


def _is_hidden_by_capsule(case: _Case) -> bool:
    near, rules = case.missed.surroundings, case.protocol.detectability
    is_near = "subcapsular" in case.missed.flags
    return is_near and case.is_hidden_beside(near.capsule_mm, rules.outside_ratio)


def _is_hidden_by_vessel(case: _Case) -> bool:
    """Hidden beside a vessel, or its uptake taken for the vessel's."""
    near, rules = case.missed.surroundings, case.protocol.detectability
    is_hidden = case.is_hidden_beside(near.vessel_mm, rules.blood_ratio)
    return "near_vessel" in case.missed.flags and (is_hidden or case.missed.is_retrospective)


def _is_faint(case: _Case) -> bool:
    """Too little uptake for this size: its likely ratio would not show, a typical one would.

    That a typical one would is what is left once size has been ruled out as the cause.
    """
    return not case.is_misplaced and not case.is_deep_seen


def _is_drowned(case: _Case) -> bool:
    """It would be found but for the noise of this liver."""
    missed = case.missed
    is_seen = case.is_seen(missed.likely_ratio, case.recovery, missed.liver_cov)
    return "noisy_liver" in missed.flags and case.is_deep_seen and not is_seen


def _size(case: _Case) -> str:
    missed = case.missed
    least = case.least_ratio(case.recovery, missed.liver_cov)
    return (
        f"{missed.long_axis_mm:.1f} mm, recovery {case.recovery:.2f}, would need "
        f"{least:.1f} x liver; seen {missed.tumour_to_liver:.1f} x"
    )


def _beside_capsule(case: _Case) -> str:
    return _beside(case.missed, case.missed.surroundings.capsule_mm, "the capsule")


def _beside_vessel(case: _Case) -> str:
    return _beside(case.missed, case.missed.surroundings.vessel_mm, "a large vessel")


def _beside(missed: Missed, distance_mm: float | None, what: str) -> str:
    return (
        f"{missed.long_axis_mm:.1f} mm, {distance_mm:.1f} mm from {what}; "
        f"seen {missed.tumour_to_liver:.1f} x liver"
    )


def _faint(case: _Case) -> str:
    missed, typical = case.missed, case.protocol.detectability.typical_ratio
    least = case.least_ratio(case.recovery, case.quiet)
    return (
        f"seen {missed.tumour_to_liver:.1f} x liver, true ratio likely {missed.likely_ratio:.1f}; "
        f"{missed.long_axis_mm:.1f} mm would need {least:.1f} x, and a metastasis has "
        f"{typical:.1f} x on average"
    )


def _misplaced(case: _Case) -> str:
    missed = case.missed
    parts = [f"registration error up to {missed.error_mm:.1f} mm"]
    if not missed.registration_passed:
        parts.append("the registration is doubtful")
    if missed.stray_focus is not None:
        parts.append(f"focus {missed.stray_focus} nearby belongs to no lesion")
    return "; ".join(parts)


def _noisy(case: _Case) -> str:
    cov, customary = case.missed.liver_cov, case.protocol.detectability.customary_cov
    least, usual = (case.least_ratio(case.recovery, noise) for noise in (cov, customary))
    return (
        f"liver CoV {cov:.2f}: would need {least:.1f} x liver, {usual:.1f} x at CoV {customary:.2f}"
    )


def _flagged(flag: Flag) -> Callable[[_Case], bool]:
    return lambda case: flag in case.missed.flags


_RULES = (
    _Rule("small_size", _is_too_small, lambda case: case.is_small, _size),
    _Rule("subcapsular", _is_hidden_by_capsule, _flagged("subcapsular"), _beside_capsule),
    _Rule("near_vessel", _is_hidden_by_vessel, _flagged("near_vessel"), _beside_vessel),
    _Rule("low_uptake", _is_faint, _flagged("low_uptake"), _faint),
    _Rule(
        "misregistration",
        lambda case: case.is_misplaced,
        lambda case: case.is_misplaced,
        _misplaced,
    ),
    _Rule("noisy_liver", _is_drowned, _flagged("noisy_liver"), _noisy),
)
"""In the order of the paper's taxonomy (Table 2)."""


def why_benign_shown(kind: Kind, tumour_to_liver: float) -> Because:
    """Why the PET showed a lesion that does not count on the MRI."""
    seen = f"on the MRI, {tumour_to_liver:.1f} x liver"
    match kind:
        case Kind.HAEMANGIOMA:
            return Because("haemangioma", f"a haemangioma {seen}")
        case Kind.CYST:
            return Because("cyst", f"a cyst {seen}")
        case _:
            return Because("unexplained", f"another benign lesion {seen}")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of a focus that no lesion explains."""

    tumour_to_liver: float
    surroundings: Surroundings
    flags: tuple[Flag, ...]
    physiologic_neighbour: str | None
    stray_lesion: str | None
    """A missed lesion near enough to be this one misplaced."""


def why_shown(shown: Shown, rules: ReasonRules) -> Because:
    """Why the PET showed something where the MRI has no lesion."""
    seen = f"{shown.tumour_to_liver:.1f} x liver"
    if shown.physiologic_neighbour is not None:
        return Because("extrahepatic_physiologic", f"{seen}; {shown.physiologic_neighbour}")
    if shown.stray_lesion is not None:
        return Because("misregistration", f"{seen}; lesion {shown.stray_lesion} was missed nearby")
    near = _near_vessel(shown)
    if near is None:
        return Because("unexplained", f"{seen}; no lesion on the MRI and no rule fits")
    if shown.tumour_to_liver > rules.vessel_most_ratio:
        most = f"more than the {rules.vessel_most_ratio:.1f} x that a vessel or bile duct may have"
        return Because("unexplained", f"{seen}, {near}, {most}; no lesion on the MRI")
    return Because("vascular_or_biliary", f"{seen}; {near}")


def _near_vessel(shown: Shown) -> str | None:
    """Which vessels or ducts a focus lies near."""
    if "near_vessel" in shown.flags:
        return f"{shown.surroundings.vessel_mm:.1f} mm from a vessel"
    if "perihilar" in shown.flags:
        return f"{shown.surroundings.hilum_mm:.1f} mm from the hilum"
    return None

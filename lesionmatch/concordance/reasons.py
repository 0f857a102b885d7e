"""One reason for each disagreement, in the order of the paper's taxonomy.

Grawe et al. 2023 sort what the PET missed (Table 2: small size, subcapsular, near a vessel,
low uptake, misregistration, noisy liver) and what it showed alone (Table 3: haemangioma,
cyst, vascular or biliary, physiologic uptake beside the liver). A cause is the reason
where it is enough alone for a lesion to be missed. Where none is, the size, the capsule or a
vessel may have had a part, and the evidence says so; else the reason is ``unexplained``.
No evidence speaks against its reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lesionmatch.concordance.flags import Flag, Surroundings
from lesionmatch.concordance.hotter import Hotter
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
    hotter: Hotter | None
    error_mm: float
    stray_focus: str | None
    """A focus no lesion explains that is near enough to be this one misplaced."""
    registration_passed: bool
    blur: Blur
    liver_cov: float


def why_missed(missed: Missed, protocol: Protocol) -> Because:
    """Why the PET did not show a lesion that counts."""
    case = _Case(missed, protocol)
    for reason, evidence_of in _ENOUGH:
        if evidence := evidence_of(case):
            return Because(reason, evidence)
    for reason, evidence_of in _PARTS:
        if evidence := evidence_of(case):
            return Because(reason, f"may have had a part: {evidence}")
    likely = f"true ratio likely {missed.likely_ratio:.1f}"
    return Because("unexplained", f"{_size(case)}, {likely}; no rule fits")


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
    def typical(self) -> float:
        """The ratio of a metastasis on average."""
        return self.protocol.detectability.typical_ratio

    @property
    def needed(self) -> float:
        """The true ratio from which a lesion of its size is found in this liver, off its edge."""
        return self._least(self.missed.liver_cov)

    @property
    def needed_in_quiet(self) -> float:
        """The same where this liver is noisier than is customary, in one that is not."""
        return self._least(self.quiet)

    @property
    def is_deep_seen(self) -> bool:
        """Whether one of its likely uptake would be found in a quiet liver away from edges."""
        return self.missed.likely_ratio >= self.needed_in_quiet

    @property
    def is_misplaced(self) -> bool:
        missed = self.missed
        uncertain = "uncertain_registration" in missed.flags or not missed.registration_passed
        return missed.stray_focus is not None or uncertain

    @property
    def needed_at_capsule(self) -> float:
        """The true ratio needed so near the cold outside, in a quiet liver."""
        near, rules = self.missed.surroundings, self.protocol.detectability
        return self._least_beside(near.capsule_mm, rules.outside_ratio)

    @property
    def needed_at_vessel(self) -> float:
        """The true ratio needed so near to blood, in a quiet liver."""
        near, rules = self.missed.surroundings, self.protocol.detectability
        return self._least_beside(near.vessel_mm, rules.blood_ratio)

    def _least(self, cov: float) -> float:
        return least_visible_ratio(self.recovery, cov, self.protocol.detectability.unprompted_cnr)

    def _least_beside(self, surface_mm: float | None, neighbour_ratio: float) -> float:
        """The true ratio needed with a colder neighbour this far from its surface."""
        rules, missed = self.protocol.detectability, self.missed
        depth_mm = (surface_mm or 0.0) + missed.diameter_mm / 2.0
        deficit = edge_deficit(depth_mm, neighbour_ratio, missed.blur.fwhm_mm)
        cnr = rules.unprompted_cnr + rules.edge_cnr
        return least_visible_ratio_at_edge(self.recovery, self.quiet, cnr, deficit=deficit)


def _too_small(case: _Case) -> str | None:
    """A metastasis of typical uptake would be missed for this size, and so was this one."""
    is_too_small = case.typical < case.needed_in_quiet and case.missed.likely_ratio < case.needed
    return _size(case) if case.is_small and is_too_small else None


def _at_capsule(case: _Case) -> str | None:
    """It would be found but for the cold outside."""
    needed, capsule = case.needed_at_capsule, _beside_capsule(case)
    if capsule is None or not case.is_deep_seen or case.missed.likely_ratio >= needed:
        return None
    return f"{capsule}, where it {_edge(case, needed)}"


def _at_vessel(case: _Case) -> str | None:
    """It would be found but for the cold blood."""
    needed, vessel = case.needed_at_vessel, _beside_vessel(case)
    if vessel is None or not case.is_deep_seen or case.missed.likely_ratio >= needed:
        return None
    return f"{vessel}, where it {_edge(case, needed)}"


def _taken_for_vessel(case: _Case) -> str | None:
    """Its uptake is seen in retrospect, and blood or bile beside it may have as much."""
    missed, most, vessel = (
        case.missed,
        case.protocol.reasons.vessel_most_ratio,
        _beside_vessel(case),
    )
    if vessel is None or not missed.is_retrospective or missed.tumour_to_liver > most:
        return None
    return f"{vessel}, which may have up to {most:.1f} x liver; {_seen(case)}"


def _faint(case: _Case) -> str | None:
    """Too little uptake for this size: its likely ratio would not show, a typical one would."""
    is_faint = not case.is_deep_seen and case.typical >= case.needed_in_quiet
    if case.is_misplaced or not is_faint:
        return None
    missed = case.missed
    return (
        f"seen {missed.tumour_to_liver:.1f} x liver, true ratio likely {missed.likely_ratio:.1f}; "
        f"{missed.long_axis_mm:.1f} mm would need {case.needed_in_quiet:.1f} x, and a metastasis "
        f"has {case.typical:.1f} x on average"
    )


def _misplaced(case: _Case) -> str | None:
    """It was not looked for where it is, or may not have been."""
    missed = case.missed
    if not case.is_misplaced:
        return None
    parts = [f"registration error up to {missed.error_mm:.1f} mm"]
    if not missed.registration_passed:
        parts.append("the registration is doubtful")
    if missed.stray_focus is not None:
        parts.append(f"focus {missed.stray_focus} nearby belongs to no lesion")
    return "; ".join(parts)


def _drowned(case: _Case) -> str | None:
    """It would be found but for the noise of this liver."""
    missed, customary = case.missed, case.protocol.detectability.customary_cov
    is_lost = case.is_deep_seen and missed.likely_ratio < case.needed
    if "noisy_liver" not in missed.flags or not is_lost:
        return None
    return (
        f"liver CoV {missed.liver_cov:.2f}: would need {case.needed:.1f} x liver, "
        f"{case.needed_in_quiet:.1f} x at CoV {customary:.2f}; true ratio likely "
        f"{missed.likely_ratio:.1f}"
    )


def _outshone(case: _Case) -> str | None:
    """It would be found but for what is hotter beside it, or is only the blur of that."""
    hotter = case.missed.hotter
    if hotter is None or case.missed.likely_ratio < case.needed:
        return None
    return (
        f"{_size(case)}, but {hotter.name} {hotter.apart_mm:.1f} mm from it has "
        f"{hotter.tumour_to_liver:.1f} x"
    )


def _maybe_small(case: _Case) -> str | None:
    is_less = case.missed.tumour_to_liver < case.needed
    return _size(case) if case.is_small and is_less else None


def _beside_capsule(case: _Case) -> str | None:
    missed = case.missed
    if "subcapsular" not in missed.flags:
        return None
    return f"{missed.long_axis_mm:.1f} mm, {missed.surroundings.capsule_mm:.1f} mm from the capsule"


def _beside_vessel(case: _Case) -> str | None:
    missed = case.missed
    if "near_vessel" not in missed.flags:
        return None
    return (
        f"{missed.long_axis_mm:.1f} mm, {missed.surroundings.vessel_mm:.1f} mm from a large vessel"
    )


def _size(case: _Case) -> str:
    return (
        f"{case.missed.long_axis_mm:.1f} mm, recovery {case.recovery:.2f}, would need "
        f"{case.needed:.1f} x liver; {_seen(case)}"
    )


def _seen(case: _Case) -> str:
    return f"seen {case.missed.tumour_to_liver:.1f} x"


def _edge(case: _Case, needed: float) -> str:
    return (
        f"would need {needed:.1f} x liver, {case.needed_in_quiet:.1f} x away from it; "
        f"{_seen(case)}, true ratio likely {case.missed.likely_ratio:.1f}"
    )


_Cause = tuple[Reason, Callable[[_Case], str | None]]
"""A reason, and the evidence for it; None where it does not stand."""

_ENOUGH: tuple[_Cause, ...] = (
    ("small_size", _too_small),
    ("subcapsular", _at_capsule),
    ("near_vessel", _at_vessel),
    ("near_vessel", _taken_for_vessel),
    ("low_uptake", _faint),
    ("misregistration", _misplaced),
    ("noisy_liver", _drowned),
    ("unexplained", _outshone),
)
"""Causes that suffice alone, in the order of the paper's Table 2. The last has no row there and
no word of its own, but what is hotter is named."""

_PARTS: tuple[_Cause, ...] = (
    ("small_size", _maybe_small),
    ("subcapsular", _beside_capsule),
    ("near_vessel", _beside_vessel),
)
"""What may have had a part where nothing suffices; the other causes suffice or have none."""


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
    if shown.surroundings.holds_lump:
        lump = "on the MRI something dark that nobody drew lies there, too wide for the vessel"
        return Because("unexplained", f"{seen}; {lump}")
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

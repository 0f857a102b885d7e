"""One reason for each disagreement, in the order of the paper's taxonomy.

Grawe et al. 2023 sort what the PET missed (Table 2: small size, subcapsular, near a vessel,
low uptake, misregistration, noisy liver) and what it showed alone (Table 3: haemangioma,
cyst, vascular or biliary, physiologic uptake beside the liver). A rule fits where its cause
alone is enough for a lesion to be missed. Where none is enough the first whose flag stands
is taken, and the evidence says that it may have had a part; where none stands the reason is
``unexplained``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lesionmatch.concordance.flags import Flag, Surroundings
from lesionmatch.detectability import (
    Blur,
    LikelyRatio,
    centre_recovery,
    edge_deficit,
    least_visible_ratio_at_edge,
)
from lesionmatch.protocol import DetectabilityRules, Protocol
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
    """Of the sphere of its volume."""
    tumour_to_liver: float
    """Seen, SUVmax over the liver's mean."""
    likely_ratio: LikelyRatio
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
    enough = next(_enough(missed, protocol), None)
    if enough is not None:
        return enough
    part = next(_contributing(missed, protocol), None)
    return part or Because("unexplained", f"{_seen(missed, protocol)}; no rule fits")


def _enough(missed: Missed, protocol: Protocol) -> Iterator[Because]:
    """The causes that suffice alone, in the taxonomy's order.

    Size suffices where a metastasis of typical uptake would be missed for it; place and
    noise also where one of the likely uptake would be seen but for them; uptake where no
    size would make it visible.
    """
    rules, near = protocol.detectability, missed.surroundings
    quiet = min(missed.liver_cov, rules.customary_cov)
    recovery = centre_recovery(missed.diameter_mm, missed.blur)
    typical = _Would(rules.typical_ratio, rules, missed.blur)
    likely = _Would(missed.likely_ratio.mean, rules, missed.blur)
    is_deep_seen = likely.be_seen(recovery, quiet)
    is_small = missed.long_axis_mm <= protocol.reasons.small_size_mm
    if is_small and not typical.be_seen(recovery, quiet):
        yield Because("small_size", _seen(missed, protocol))
    capsule = _Beside(near.capsule_mm, missed.diameter_mm, rules.outside_ratio)
    is_hidden = is_deep_seen and not likely.be_seen(recovery, quiet, capsule)
    if "subcapsular" in missed.flags and is_hidden:
        yield Because("subcapsular", _beside(missed, near.capsule_mm, "the capsule"))
    vessel = _Beside(near.vessel_mm, missed.diameter_mm, rules.blood_ratio)
    is_hidden = is_deep_seen and not likely.be_seen(recovery, quiet, vessel)
    if "near_vessel" in missed.flags and (is_hidden or missed.is_retrospective):
        yield Because("near_vessel", _beside(missed, near.vessel_mm, "a large vessel"))
    if _is_misplaced(missed):
        yield Because("misregistration", _misplaced(missed))
    elif not _most_likely(missed, is_small, rules).be_seen(1.0, quiet):
        yield Because("low_uptake", _faint(missed, protocol))
    is_drowned = is_deep_seen and not likely.be_seen(recovery, missed.liver_cov)
    if "noisy_liver" in missed.flags and is_drowned:
        yield Because("noisy_liver", _noisy(missed, protocol))


def _most_likely(missed: Missed, is_small: bool, rules: DetectabilityRules) -> "_Would":
    """A lesion of the likely uptake; of as much as there may be where it is small."""
    likely = missed.likely_ratio
    return _Would(likely.highest if is_small else likely.mean, rules, missed.blur)


def _contributing(missed: Missed, protocol: Protocol) -> Iterator[Because]:
    """The causes that may have had a part, in the taxonomy's order."""
    near = missed.surroundings
    part = "may have had a part: "
    if missed.long_axis_mm <= protocol.reasons.small_size_mm:
        yield Because("small_size", part + _seen(missed, protocol))
    if "subcapsular" in missed.flags:
        yield Because("subcapsular", part + _beside(missed, near.capsule_mm, "the capsule"))
    if "near_vessel" in missed.flags:
        yield Because("near_vessel", part + _beside(missed, near.vessel_mm, "a large vessel"))
    if "low_uptake" in missed.flags:
        yield Because("low_uptake", part + _faint(missed, protocol))
    if "uncertain_registration" in missed.flags:
        yield Because("misregistration", part + _misplaced(missed))
    if "noisy_liver" in missed.flags:
        yield Because("noisy_liver", part + _noisy(missed, protocol))


@dataclass(frozen=True, slots=True)
class _Beside:
    """A flat neighbour that takes up less than the liver."""

    surface_mm: float | None
    """From the lesion's surface; None where that is unknown."""
    diameter_mm: float
    ratio: float
    """Its uptake over the liver's."""

    def deficit(self, blur: Blur) -> float:
        """What it takes from the liver's uptake at the lesion's centre."""
        depth_mm = (self.surface_mm or 0.0) + self.diameter_mm / 2.0
        return edge_deficit(depth_mm, self.ratio, blur.fwhm_mm)


@dataclass(frozen=True, slots=True)
class _Would:
    """Whether a lesion of this true ratio to the liver would be found unprompted."""

    ratio: float
    rules: DetectabilityRules
    blur: Blur

    def be_seen(self, recovery: float, cov: float, beside: _Beside | None = None) -> bool:
        """At this recovery and noise, beside a colder neighbour where there is one."""
        cnr = self.rules.unprompted_cnr + (self.rules.edge_cnr if beside else 0.0)
        deficit = beside.deficit(self.blur) if beside else 0.0
        least = least_visible_ratio_at_edge(recovery, cov, cnr, deficit=deficit)
        return self.ratio >= least


def _is_misplaced(missed: Missed) -> bool:
    uncertain = "uncertain_registration" in missed.flags or not missed.registration_passed
    return missed.stray_focus is not None or uncertain


def _seen(missed: Missed, protocol: Protocol) -> str:
    recovery = centre_recovery(missed.diameter_mm, missed.blur)
    cnr = protocol.detectability.unprompted_cnr
    least = least_visible_ratio_at_edge(recovery, missed.liver_cov, cnr, deficit=0.0)
    return (
        f"{missed.long_axis_mm:.1f} mm, recovery {recovery:.2f}, would need "
        f"{least:.1f} x liver; seen {missed.tumour_to_liver:.1f} x"
    )


def _beside(missed: Missed, distance_mm: float | None, what: str) -> str:
    return (
        f"{missed.long_axis_mm:.1f} mm, {distance_mm:.1f} mm from {what}; "
        f"seen {missed.tumour_to_liver:.1f} x liver"
    )


def _faint(missed: Missed, protocol: Protocol) -> str:
    least = 1.0 + protocol.detectability.unprompted_cnr * missed.liver_cov
    return (
        f"seen {missed.tumour_to_liver:.1f} x liver, true ratio likely "
        f"{missed.likely_ratio.mean:.1f}; even a large lesion would need {least:.1f} x"
    )


def _misplaced(missed: Missed) -> str:
    parts = [f"registration error up to {missed.error_mm:.1f} mm"]
    if not missed.registration_passed:
        parts.append("the registration is doubtful")
    if missed.stray_focus is not None:
        parts.append(f"focus {missed.stray_focus} nearby belongs to no lesion")
    return "; ".join(parts)


def _noisy(missed: Missed, protocol: Protocol) -> str:
    recovery = centre_recovery(missed.diameter_mm, missed.blur)
    rules = protocol.detectability
    least = [
        least_visible_ratio_at_edge(recovery, cov, rules.unprompted_cnr, deficit=0.0)
        for cov in (missed.liver_cov, rules.customary_cov)
    ]
    return (
        f"liver CoV {missed.liver_cov:.2f}: would need {least[0]:.1f} x liver, "
        f"{least[1]:.1f} x at CoV {rules.customary_cov:.2f}"
    )


def why_benign_shown(kind: Kind, tumour_to_liver: float) -> Because:
    """Why the PET showed a lesion that does not count on the MRI."""
    evidence = f"a {kind.value.replace('_', ' ')} on the MRI, {tumour_to_liver:.1f} x liver"
    match kind:
        case Kind.HAEMANGIOMA:
            return Because("haemangioma", evidence)
        case Kind.CYST:
            return Because("cyst", evidence)
        case _:
            return Because("unexplained", evidence)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of a focus that no lesion explains."""

    tumour_to_liver: float
    surroundings: Surroundings
    flags: tuple[Flag, ...]
    physiologic_neighbour: str | None
    stray_lesion: str | None
    """A missed lesion near enough to be this one misplaced."""


def why_shown(shown: Shown) -> Because:
    """Why the PET showed something where the MRI has no lesion."""
    near = shown.surroundings
    seen = f"{shown.tumour_to_liver:.1f} x liver"
    if shown.physiologic_neighbour is not None:
        return Because("extrahepatic_physiologic", f"{seen}; {shown.physiologic_neighbour}")
    if shown.stray_lesion is not None:
        return Because("misregistration", f"{seen}; lesion {shown.stray_lesion} was missed nearby")
    if "near_vessel" in shown.flags:
        return Because("vascular_or_biliary", f"{seen}; {near.vessel_mm:.1f} mm from a vessel")
    if "perihilar" in shown.flags:
        return Because("vascular_or_biliary", f"{seen}; {near.hilum_mm:.1f} mm from the hilum")
    return Because("unexplained", f"{seen}; no lesion on the MRI and no rule fits")

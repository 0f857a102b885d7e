"""What the PET says of each lesion of the MRI."""

from dataclasses import dataclass

from lesionmatch.concordance.evidence import Evidence
from lesionmatch.concordance.flags import Facts, Flag, Surroundings, flags
from lesionmatch.concordance.hotter import hotter_beside
from lesionmatch.concordance.likely import likely_true_ratio
from lesionmatch.concordance.look import Look, PetStatus
from lesionmatch.concordance.pairs import Relation
from lesionmatch.concordance.reasons import Because, Missed, Reason, why_benign_shown, why_missed
from lesionmatch.concordance.relations import Relations
from lesionmatch.concordance.strays import Strays, apart_mm
from lesionmatch.detectability import Expectation, expectation
from lesionmatch.image import Mask
from lesionmatch.lesions import Carried, Lesion, Uptake
from lesionmatch.protocol import Protocol as Rules


@dataclass(frozen=True, slots=True, eq=False)
class LesionFinding:
    """What the PET says of a lesion of the MRI."""

    carried: Carried
    status: PetStatus
    relation: Relation
    focus_ids: tuple[str, ...]
    search: Mask | None
    """Where its uptake was measured: widened by its error, less what is another's."""
    uptake: Uptake | None
    """None where the PET does not cover it."""
    null_p: float | None
    expected: Expectation
    surroundings: Surroundings
    flags: tuple[Flag, ...]
    reason: Reason | None
    """None where PET and MRI agree, or the PET does not cover it."""
    evidence: str
    """What the reason stands on; empty without one."""

    @property
    def lesion(self) -> Lesion:
        """The lesion as drawn."""
        return self.carried.lesion


def lesion_finding(
    look: Look, evidence: Evidence, relations: Relations, stray: Strays, rules: Rules
) -> LesionFinding:
    """What was seen of a lesion, what might have been, and why the studies disagree on it."""
    lesion = look.carried.lesion
    expected = expectation(
        lesion.likely_diameter_mm,
        evidence.blur,
        cov=evidence.liver_cov,
        rules=rules.detectability,
    )
    standing = flags(_lesion_facts(look, evidence, rules), rules.flags)
    because = _lesion_reason(look, standing, expected, evidence, stray, rules)
    return LesionFinding(
        carried=look.carried,
        status=look.status,
        relation=relations.of_lesion(lesion.lesion_id),
        focus_ids=relations.foci_of(lesion.lesion_id),
        search=look.search,
        uptake=look.uptake,
        null_p=look.null_p,
        expected=expected,
        surroundings=look.surroundings,
        flags=standing,
        reason=because.reason if because else None,
        evidence=because.evidence if because else "",
    )


def _lesion_facts(look: Look, evidence: Evidence, rules: Rules) -> Facts:
    carried = look.carried
    reach_mm = carried.error_mm + evidence.blur.fwhm_mm
    normal = [f for f in evidence.foci if f.physiologic_neighbour is not None]
    near = any(apart_mm(f, carried) <= reach_mm for f in normal)
    at_edge = carried.covered < 1.0 or carried.edge_mm < rules.calls.edge_of_coverage_mm
    return Facts(
        long_axis_mm=carried.lesion.long_axis_mm,
        surroundings=look.surroundings,
        tumour_to_liver=look.uptake.tumour_to_liver if look.uptake else None,
        liver_cov=evidence.liver_cov,
        error_mm=carried.error_mm,
        is_near_physiologic=near,
        is_at_edge=at_edge,
    )


def _lesion_reason(
    look: Look,
    standing: tuple[Flag, ...],
    expected: Expectation,
    evidence: Evidence,
    stray: Strays,
    rules: Rules,
) -> Because | None:
    """Why the studies disagree on a lesion; None where they agree."""
    kind = look.carried.lesion.kind
    if look.uptake is None or look.search is None:
        return None
    if not kind.counts:
        is_shown = look.status == "positive"
        return why_benign_shown(kind, look.uptake.tumour_to_liver) if is_shown else None
    if not look.is_missed:
        return None
    likely = _likely_ratio(look, look.uptake, look.search, expected.recovery, evidence, rules)
    missed = _missed(look, look.uptake, look.search, likely, standing, evidence, stray)
    return why_missed(missed, rules)


def _missed(
    look: Look,
    uptake: Uptake,
    search: Mask,
    likely_ratio: float,
    standing: tuple[Flag, ...],
    evidence: Evidence,
    stray: Strays,
) -> Missed:
    """What is known of a lesion that the PET did not show unprompted."""
    lesion = look.carried.lesion
    near = [focus for missed, focus in stray if missed is look.carried]
    return Missed(
        long_axis_mm=lesion.long_axis_mm,
        diameter_mm=lesion.likely_diameter_mm,
        tumour_to_liver=uptake.tumour_to_liver,
        likely_ratio=likely_ratio,
        surroundings=look.surroundings,
        flags=standing,
        is_retrospective=look.status == "retrospective",
        hotter=hotter_beside(look.carried, search, uptake, evidence),
        error_mm=look.carried.error_mm,
        stray_focus=near[0].focus_id if near else None,
        registration_passed=evidence.registration_passed or lesion.is_redrawn,
        blur=evidence.blur,
        liver_cov=evidence.liver_cov,
    )


def _likely_ratio(
    look: Look, uptake: Uptake, search: Mask, recovery: float, evidence: Evidence, rules: Rules
) -> float:
    """The true ratio that is likely behind the one seen in the search."""
    return likely_true_ratio(
        uptake.tumour_to_liver,
        search.volume_ml,
        recovery=recovery,
        depth_mm=_depth_mm(look),
        blur=evidence.blur,
        cov=evidence.liver_cov,
        rules=rules.detectability,
    )


def _depth_mm(look: Look) -> float | None:
    """Of a lesion's middle under the capsule; None where there is none to be under."""
    capsule_mm, lesion = look.surroundings.capsule_mm, look.carried.lesion
    return None if capsule_mm is None else capsule_mm + lesion.likely_diameter_mm / 2.0

"""The whole concordance of one study: lesions and foci in, findings out."""

from dataclasses import dataclass, replace

from lesionmatch.concordance.evidence import Evidence
from lesionmatch.concordance.focus_findings import FocusFinding, focus_finding
from lesionmatch.concordance.lesion_findings import LesionFinding, lesion_finding
from lesionmatch.concordance.look import look_at
from lesionmatch.concordance.relations import Relations, relate
from lesionmatch.concordance.strays import strays_of
from lesionmatch.concordance.territory import Territory
from lesionmatch.concordance.verdict import confirms, refutations
from lesionmatch.protocol import Protocol as Rules


@dataclass(frozen=True, slots=True, eq=False)
class Concordance:
    """Every lesion and focus with what the other study says of it."""

    lesions: tuple[LesionFinding, ...]
    foci: tuple[FocusFinding, ...]
    relations: Relations
    confirms_registration: bool
    """Whether matched lesions show that the registration holds, whatever else doubts it."""
    registration_doubts: tuple[str, ...]
    """What lesions and foci say against the registration."""


def concord(evidence: Evidence, rules: Rules) -> Concordance:
    """Relate lesions and foci, decide each lesion's status, and say why they disagree.

    A lesion is *positive* where a focus found without it belongs to it, *retrospective*
    where uptake rare at lesion-free places is found only by looking there, *negative*
    otherwise, and *not_covered* where the PET does not reach it.
    """
    relations = relate(
        evidence.carried, evidence.foci, fwhm_mm=evidence.blur.fwhm_mm, rules=rules.relations
    )
    is_confirmed = confirms(relations, evidence.carried, rules)
    doubts = refutations(relations, evidence.carried, evidence.foci, rules)
    if is_confirmed or doubts:
        evidence = replace(evidence, registration_passed=is_confirmed)
    territory = Territory.of(evidence.carried, evidence.foci)
    looks = tuple(
        look_at(n, evidence, relations, territory, rules) for n in range(len(evidence.carried))
    )
    missed = [look.carried for look in looks if look.is_missed]
    stray = [] if is_confirmed else strays_of(missed, evidence, relations, rules)
    return Concordance(
        lesions=tuple(lesion_finding(look, evidence, relations, stray, rules) for look in looks),
        foci=tuple(
            focus_finding(n, evidence, relations, stray, rules) for n in range(len(evidence.foci))
        ),
        relations=relations,
        confirms_registration=is_confirmed,
        registration_doubts=doubts,
    )

"""The whole concordance of one study: lesions and foci in, findings out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lesionmatch.concordance.flags import Facts, Flag, Surroundings, flags
from lesionmatch.concordance.likely import likely_true_ratio
from lesionmatch.concordance.pairs import Focus, Relation
from lesionmatch.concordance.reasons import (
    Because,
    Missed,
    Reason,
    Shown,
    why_benign_shown,
    why_missed,
    why_shown,
)
from lesionmatch.concordance.relations import Relations, relate
from lesionmatch.concordance.sharpen import confirms
from lesionmatch.concordance.territory import Territory
from lesionmatch.detectability import Blur, Expectation, expectation
from lesionmatch.image import Image, Mask
from lesionmatch.lesions import (
    Background,
    Carried,
    Lesion,
    Uptake,
    equivalent_diameter_mm,
    measure,
)
from lesionmatch.lesions.planar import axes_mm
from lesionmatch.protocol import Protocol as Rules

PetStatus = Literal["positive", "retrospective", "negative", "not_covered"]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that the concordance of a study rests on."""

    suv: Image
    """SUVbw; its grid is the PET's coverage."""
    background: Background
    """Lesion-free liver and spleen."""
    carried: tuple[Carried, ...]
    foci: tuple[Focus, ...]
    around_lesions: tuple[Surroundings, ...]
    """Of each of `carried`."""
    around_foci: tuple[Surroundings, ...]
    """Of each of `foci`."""
    focus_error_mm: tuple[float, ...]
    """95 % bound of the registration error at each of `foci`."""
    blur: Blur
    registration_passed: bool
    null_p: Callable[[Mask], float | None]
    """Chance, were there no lesion, of so much uptake in a region; None where unknowable."""


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


@dataclass(frozen=True, slots=True, eq=False)
class FocusFinding:
    """What the MRI says of a focus of the PET."""

    focus: Focus
    relation: Relation
    lesion_ids: tuple[str, ...]
    uptake: Uptake
    error_mm: float
    long_axis_mm: float
    """On the PET."""
    short_axis_mm: float
    surroundings: Surroundings
    flags: tuple[Flag, ...]
    reason: Reason | None
    """None where a lesion that counts explains it."""
    evidence: str

    @property
    def counts(self) -> bool:
        """Whether it is a finding: no physiologic uptake explains it."""
        return self.focus.physiologic_neighbour is None


@dataclass(frozen=True, slots=True, eq=False)
class Concordance:
    """Every lesion and focus with what the other study says of it."""

    lesions: tuple[LesionFinding, ...]
    foci: tuple[FocusFinding, ...]
    relations: Relations
    confirms_registration: bool
    """Whether matched lesions show that the registration holds, whatever else doubts it."""


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
    if is_confirmed:
        evidence = replace(evidence, registration_passed=True)
    territory = Territory.of(evidence.carried, evidence.foci)
    looks = [_look(n, evidence, relations, territory, rules) for n in range(len(evidence.carried))]
    missed = [look.carried for look in looks if _is_missed(look)]
    stray = [] if is_confirmed else _strays(missed, evidence, relations, rules)
    lesions = tuple(_lesion_finding(look, evidence, relations, stray, rules) for look in looks)
    foci = tuple(
        _focus_finding(n, evidence, relations, stray, rules) for n in range(len(evidence.foci))
    )
    return Concordance(lesions, foci, relations, confirms_registration=is_confirmed)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """A lesion and what was seen at its place."""

    carried: Carried
    surroundings: Surroundings
    status: PetStatus
    search: Mask | None
    uptake: Uptake | None
    null_p: float | None


def _look(
    n: int, evidence: Evidence, relations: Relations, territory: Territory, rules: Rules
) -> _Look:
    """Measure lesion `n` where nothing else explains the uptake, and decide its status."""
    carried, surroundings = evidence.carried[n], evidence.around_lesions[n]
    own = relations.foci_of(carried.lesion.lesion_id)
    is_covered = carried.covered >= rules.calls.lesion_covered or bool(own)
    if carried.extent is None or not is_covered:
        return _Look(carried, surroundings, "not_covered", None, None, None)
    search = territory.own_search(carried, own, evidence.blur.fwhm_mm)
    uptake = measure(evidence.suv, search, evidence.background, rules=rules.uptake)
    null_p = evidence.null_p(search)
    status = _status(bool(own), uptake, null_p, rules)
    return _Look(carried, surroundings, status, search, uptake, null_p)


def _status(has_focus: bool, uptake: Uptake, null_p: float | None, rules: Rules) -> PetStatus:
    """Positive by a focus, retrospective by rare uptake well above the liver, else negative.

    Where no lesion-free place is left to compare with, only contrast tells: as much of it as
    stands out without being looked for.
    """
    if has_focus:
        return "positive"
    if null_p is None:
        is_uptake = uptake.contrast_to_noise >= rules.detectability.unprompted_cnr
    else:
        is_raised = uptake.contrast_to_noise >= rules.detectability.prompted_cnr
        is_uptake = is_raised and null_p <= rules.reasons.retrospective_p
    return "retrospective" if is_uptake else "negative"


def _is_missed(look: _Look) -> bool:
    return look.carried.lesion.kind.counts and look.status in ("retrospective", "negative")


Strays = Sequence[tuple[Carried, Focus]]
"""Missed lesions and findings of the PET alone that may be each other, the nearest first."""


def _strays(
    missed: Sequence[Carried], evidence: Evidence, relations: Relations, rules: Rules
) -> Strays:
    """Pairs that a misregistration would explain."""
    alone = [
        f
        for f in evidence.foci
        if f.physiologic_neighbour is None and relations.of_focus(f.focus_id) == "pet_only"
    ]
    pairs = [(c, f) for c in missed for f in alone if _may_be(c, f, evidence.blur, rules)]
    return sorted(pairs, key=lambda pair: _apart_mm(pair[1], pair[0]))


def _may_be(carried: Carried, focus: Focus, blur: Blur, rules: Rules) -> bool:
    """Whether a focus is near a lesion and as wide as the blur would make it."""
    wide_mm = max(carried.lesion.equivalent_diameter_mm, blur.fwhm_mm)
    ratio = equivalent_diameter_mm(focus.extent.volume_ml) / wide_mm
    is_alike = 1.0 / rules.reasons.alike_size <= ratio <= rules.reasons.alike_size
    return is_alike and _apart_mm(focus, carried) <= rules.reasons.misplaced_mm


def _lesion_finding(
    look: _Look, evidence: Evidence, relations: Relations, stray: Strays, rules: Rules
) -> LesionFinding:
    lesion = look.carried.lesion
    expected = expectation(
        lesion.likely_diameter_mm,
        evidence.blur,
        cov=_cov(evidence.background),
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


def _cov(background: Background) -> float:
    return background.suv_sd / background.suv_mean


def _lesion_facts(look: _Look, evidence: Evidence, rules: Rules) -> Facts:
    carried = look.carried
    reach_mm = carried.error_mm + evidence.blur.fwhm_mm
    normal = [f for f in evidence.foci if f.physiologic_neighbour is not None]
    near = any(_apart_mm(f, carried) <= reach_mm for f in normal)
    at_edge = carried.covered < 1.0 or carried.edge_mm < rules.calls.edge_of_coverage_mm
    return Facts(
        long_axis_mm=carried.lesion.long_axis_mm,
        surroundings=look.surroundings,
        tumour_to_liver=look.uptake.tumour_to_liver if look.uptake else None,
        liver_cov=_cov(evidence.background),
        error_mm=carried.error_mm,
        is_near_physiologic=near,
        is_at_edge=at_edge,
    )


def _apart_mm(focus: Focus, carried: Carried) -> float:
    """From the centre of a focus to the surface of a lesion, roughly: as if it were a sphere."""
    centre_mm = float(np.linalg.norm(focus.centroid_mm - carried.centroid_mm))
    return max(0.0, centre_mm - carried.lesion.equivalent_diameter_mm / 2.0)


def _lesion_reason(
    look: _Look,
    standing: tuple[Flag, ...],
    expected: Expectation,
    evidence: Evidence,
    stray: Strays,
    rules: Rules,
) -> Because | None:
    """Why the studies disagree on a lesion; None where they agree."""
    if look.uptake is None or look.search is None:
        return None
    kind = look.carried.lesion.kind
    if not kind.counts:
        is_shown = look.status == "positive"
        return why_benign_shown(kind, look.uptake.tumour_to_liver) if is_shown else None
    if not _is_missed(look):
        return None
    near = [focus for lesion, focus in stray if lesion is look.carried]
    missed = Missed(
        long_axis_mm=look.carried.lesion.long_axis_mm,
        diameter_mm=look.carried.lesion.likely_diameter_mm,
        tumour_to_liver=look.uptake.tumour_to_liver,
        likely_ratio=likely_true_ratio(
            look.uptake.tumour_to_liver,
            look.search.volume_ml,
            recovery=expected.recovery,
            depth_mm=_depth_mm(look),
            blur=evidence.blur,
            cov=_cov(evidence.background),
            rules=rules.detectability,
        ),
        surroundings=look.surroundings,
        flags=standing,
        is_retrospective=look.status == "retrospective",
        error_mm=look.carried.error_mm,
        stray_focus=near[0].focus_id if near else None,
        registration_passed=evidence.registration_passed or look.carried.lesion.is_redrawn,
        blur=evidence.blur,
        liver_cov=_cov(evidence.background),
    )
    return why_missed(missed, rules)


def _depth_mm(look: _Look) -> float | None:
    """Of a lesion's middle under the capsule; None where there is none to be under."""
    capsule_mm, lesion = look.surroundings.capsule_mm, look.carried.lesion
    return None if capsule_mm is None else capsule_mm + lesion.likely_diameter_mm / 2.0


def _focus_finding(
    n: int, evidence: Evidence, relations: Relations, stray: Strays, rules: Rules
) -> FocusFinding:
    focus, surroundings = evidence.foci[n], evidence.around_foci[n]
    uptake = measure(evidence.suv, focus.extent, evidence.background, rules=rules.uptake)
    long_mm, short_mm = axes_mm(focus.extent)
    facts = Facts(
        long_axis_mm=long_mm,
        surroundings=surroundings,
        tumour_to_liver=uptake.tumour_to_liver,
        liver_cov=_cov(evidence.background),
        error_mm=evidence.focus_error_mm[n],
        is_near_physiologic=focus.physiologic_neighbour is not None,
        is_at_edge=_is_at_edge(focus, evidence, rules),
    )
    standing = flags(facts, rules.flags)
    lesion_ids = relations.lesions_of(focus.focus_id)
    shown = Shown(
        tumour_to_liver=uptake.tumour_to_liver,
        surroundings=surroundings,
        flags=standing,
        physiologic_neighbour=focus.physiologic_neighbour,
        stray_lesion=next((c.lesion.lesion_id for c, f in stray if f is focus), None),
    )
    because = _focus_reason(shown, lesion_ids, evidence)
    return FocusFinding(
        focus=focus,
        relation=relations.of_focus(focus.focus_id),
        lesion_ids=lesion_ids,
        uptake=uptake,
        error_mm=evidence.focus_error_mm[n],
        long_axis_mm=long_mm,
        short_axis_mm=short_mm,
        surroundings=surroundings,
        flags=standing,
        reason=because.reason if because else None,
        evidence=because.evidence if because else "",
    )


def _focus_reason(shown: Shown, lesion_ids: Sequence[str], evidence: Evidence) -> Because | None:
    """Why the studies disagree on a focus; None where a lesion that counts explains it."""
    kinds = [c.lesion.kind for c in evidence.carried if c.lesion.lesion_id in lesion_ids]
    if any(kind.counts for kind in kinds):
        return None
    return why_benign_shown(kinds[0], shown.tumour_to_liver) if kinds else why_shown(shown)


def _is_at_edge(focus: Focus, evidence: Evidence, rules: Rules) -> bool:
    grid = evidence.suv.grid
    first, last = grid.voxels(focus.extent.grid.corners_mm())[:, 0][[0, -1]]
    inner = min(first + 0.5, grid.shape[0] - 0.5 - last) * grid.spacing_mm[0]
    return bool(inner < rules.calls.edge_of_coverage_mm)

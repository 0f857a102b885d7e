"""Lesions of one patient beside the foci of another: what clears a doubtful registration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from _outcome import PROTOCOL, Outcome

from lesionmatch.concordance import confirms, relate, sharpen, shift_of

LEAST = 3
"""Of lesions and of findings; fewer can clear nothing."""

STRANGERS = 4
"""How many of the next patients' foci stand beside the lesions of each."""


@dataclass(frozen=True)
class Put:
    """Lesions and foci put beside each other by a doubtful registration."""

    is_one_patient: bool
    matched: int
    is_cleared: bool


def put_together(outcomes: Sequence[Outcome]) -> list[Put]:
    """Every study by itself, and with the foci of studies after it."""
    rich = [one for one in outcomes if min(len(one.carried), len(_findings(one))) >= LEAST]
    found = [_put(one, one) for one in rich]
    for n, one in enumerate(rich):
        found += [_put(one, other) for other in rich[n + 1 : n + 1 + STRANGERS]]
    return found


def _findings(outcome: Outcome) -> list[str]:
    return [found.focus.focus_id for found in outcome.concordance.foci if found.counts]


def _put(mri: Outcome, pet: Outcome) -> Put:
    """The lesions of one study with the middle of its liver on that of another."""
    grid, foci = pet.study.suv.grid, [found.focus for found in pet.concordance.foci]
    fwhm_mm, error_mm = pet.study.recipe.pet_fwhm_mm, PROTOCOL.registration_bounds.doubtful_mm
    off_mm = _middle(pet) - _middle(mri)
    carried = [one.moved(off_mm, error_mm, grid, PROTOCOL.lesions) for one in mri.carried]
    shift_mm = shift_of(carried, foci, fwhm_mm=fwhm_mm, rules=PROTOCOL.landmarks)
    if shift_mm is not None:
        carried = [one.moved(shift_mm, error_mm, grid, PROTOCOL.lesions) for one in carried]
    sharp = sharpen(carried, foci, grid, fwhm_mm=fwhm_mm, protocol=PROTOCOL).carried
    relations = relate(sharp, foci, fwhm_mm=fwhm_mm, rules=PROTOCOL.relations)
    matched = sum(pair.relation == "matched" for pair in relations.pairs)
    return Put(mri is pet, matched, confirms(relations, sharp, PROTOCOL))


def _middle(outcome: Outcome) -> np.ndarray:
    return np.asarray(outcome.study.truth.liver_points_pet_mm.mean(axis=0))

"""What is seen on the PET at the place of a lesion."""

from dataclasses import dataclass
from typing import Literal

from lesionmatch.concordance.evidence import Evidence
from lesionmatch.concordance.flags import Surroundings
from lesionmatch.concordance.relations import Relations
from lesionmatch.concordance.territory import Territory
from lesionmatch.image import Mask
from lesionmatch.lesions import Carried, Uptake, measure
from lesionmatch.protocol import Protocol as Rules

PetStatus = Literal["positive", "retrospective", "negative", "not_covered"]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A lesion and what was seen at its place."""

    carried: Carried
    surroundings: Surroundings
    status: PetStatus
    search: Mask | None
    uptake: Uptake | None
    null_p: float | None

    @property
    def is_missed(self) -> bool:
        """Whether it counts and was not shown unprompted."""
        return self.carried.lesion.kind.counts and self.status in ("retrospective", "negative")


def look_at(
    n: int, evidence: Evidence, relations: Relations, territory: Territory, rules: Rules
) -> Look:
    """Measure lesion `n` where nothing else explains the uptake, and decide its status."""
    carried, surroundings = evidence.carried[n], evidence.around_lesions[n]
    own = relations.foci_of(carried.lesion.lesion_id)
    is_covered = carried.covered >= rules.calls.lesion_covered or bool(own)
    if carried.extent is None or not is_covered:
        return Look(carried, surroundings, "not_covered", None, None, None)
    search = territory.own_search(carried, own, evidence.blur.fwhm_mm)
    uptake = measure(evidence.suv, search, evidence.background, rules=rules.uptake)
    null_p = evidence.null_p(search)
    status = _status(bool(own), uptake, null_p, rules)
    return Look(carried, surroundings, status, search, uptake, null_p)


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

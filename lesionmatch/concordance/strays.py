"""Missed lesions and foci of the PET alone that a misregistration would explain."""

from collections.abc import Sequence

import numpy as np

from lesionmatch.concordance.evidence import Evidence
from lesionmatch.concordance.pairs import Focus
from lesionmatch.concordance.relations import Relations
from lesionmatch.detectability import Blur
from lesionmatch.lesions import Carried, equivalent_diameter_mm
from lesionmatch.protocol import Protocol as Rules

Strays = Sequence[tuple[Carried, Focus]]
"""Missed lesions and findings of the PET alone that may be each other, the nearest first."""


def strays_of(
    missed: Sequence[Carried], evidence: Evidence, relations: Relations, rules: Rules
) -> Strays:
    """Pairs that a misregistration would explain."""
    alone = [
        f
        for f in evidence.foci
        if f.physiologic_neighbour is None and relations.of_focus(f.focus_id) == "pet_only"
    ]
    pairs = [(c, f) for c in missed for f in alone if _may_be(c, f, evidence.blur, rules)]
    return sorted(pairs, key=lambda pair: apart_mm(pair[1], pair[0]))


def _may_be(carried: Carried, focus: Focus, blur: Blur, rules: Rules) -> bool:
    """Whether a focus is near a lesion and as wide as the blur would make it."""
    wide_mm = max(carried.lesion.equivalent_diameter_mm, blur.fwhm_mm)
    ratio = equivalent_diameter_mm(focus.extent.volume_ml) / wide_mm
    is_alike = 1.0 / rules.reasons.alike_size <= ratio <= rules.reasons.alike_size
    return is_alike and apart_mm(focus, carried) <= rules.reasons.misplaced_mm


def apart_mm(focus: Focus, carried: Carried) -> float:
    """From the centre of a focus to the surface of a lesion, roughly: as if it were a sphere."""
    centre_mm = float(np.linalg.norm(focus.centroid_mm - carried.centroid_mm))
    return max(0.0, centre_mm - carried.lesion.equivalent_diameter_mm / 2.0)

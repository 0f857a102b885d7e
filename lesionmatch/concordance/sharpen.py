"""Carried lesions put where the foci of other lesions show that they lie."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.concordance.relations import Focus, Pair, relate
from lesionmatch.geometry import Grid
from lesionmatch.landmarks import Agreement, Landmark, agreement, correction, shared_shift
from lesionmatch.lesions import Carried, carry
from lesionmatch.lesions.carried import Mapping
from lesionmatch.protocol import LandmarkRules, Protocol


@dataclass(frozen=True, slots=True, eq=False)
class Sharpened:
    """Lesions on the PET after landmarks, and what landmarks did."""

    carried: tuple[Carried, ...]
    """In the order given; as given where landmarks do not apply."""
    agreement: Agreement
    shift_mm: NDArray[np.float64] | None
    """(3,) by which all lesions were moved first because the registration was off; None
    where it was not."""


def sharpen(
    carried: Sequence[Carried],
    foci: Sequence[Focus],
    pet_from_mri: Mapping,
    grid: Grid,
    *,
    fwhm_mm: float,
    protocol: Protocol,
) -> Sharpened:
    """`carried` moved by what their matched neighbours show, each with its error made smaller.

    Landmarks are lesions that match one focus without ambiguity and are not too long to be
    centred on it. A lesion's own match has no part in its correction.
    """
    rules = protocol.landmarks
    shift_mm = _shift_mm(carried, foci, fwhm_mm, rules)
    offset_mm = np.zeros(3) if shift_mm is None else shift_mm
    if shift_mm is not None:
        carried = [
            carry(one.lesion, pet_from_mri, one.error_mm, grid, offset_mm=shift_mm)
            for one in carried
        ]
    pairs = relate(carried, foci, fwhm_mm=fwhm_mm, rules=protocol.relations).pairs
    landmarks = _landmarks(carried, foci, pairs, rules.longest_mm)
    judged = agreement(landmarks, rules)
    if not judged.applies:
        return Sharpened(tuple(carried), judged, shift_mm)
    moved = []
    for one in carried:
        others = [mark for mark in landmarks if mark.lesion_id != one.lesion.lesion_id]
        by = correction(others, one.centroid_mm, one.error_mm, rules)
        whole_mm = offset_mm + by.offset_mm
        moved.append(carry(one.lesion, pet_from_mri, by.error_mm, grid, offset_mm=whole_mm))
    return Sharpened(tuple(moved), judged, shift_mm)


def _shift_mm(
    carried: Sequence[Carried], foci: Sequence[Focus], fwhm_mm: float, rules: LandmarkRules
) -> NDArray[np.float64] | None:
    """The shift of all lesions that the registration missed, if the foci show one."""
    compact = [one for one in carried if one.lesion.long_axis_mm <= rules.longest_mm]
    findings = [focus for focus in foci if focus.physiologic_neighbour is None]
    if min(len(compact), len(findings)) < rules.least_count:
        return None
    return shared_shift(
        np.stack([one.centroid_mm for one in compact]),
        np.stack([focus.centroid_mm for focus in findings]),
        np.array([np.hypot(one.error_mm, fwhm_mm / 2.0) for one in compact]),
        rules,
    )


def _landmarks(
    carried: Sequence[Carried], foci: Sequence[Focus], pairs: Sequence[Pair], longest_mm: float
) -> list[Landmark]:
    focus_of = {
        p.lesion_id: p.focus_id for p in pairs if p.relation == "matched" and not p.is_ambiguous
    }
    place_of = {focus.focus_id: focus.centroid_mm for focus in foci}
    return [
        Landmark(
            lesion_id=one.lesion.lesion_id,
            place_mm=one.centroid_mm,
            offset_mm=place_of[focus_of[one.lesion.lesion_id]] - one.centroid_mm,
            error_mm=one.error_mm,
        )
        for one in carried
        if one.lesion.lesion_id in focus_of and one.lesion.long_axis_mm <= longest_mm
    ]

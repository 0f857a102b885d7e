"""Carried lesions put where the foci of other lesions show that they lie."""

from collections.abc import Sequence
from dataclasses import dataclass

from lesionmatch.concordance.relations import Focus, Pair, relate
from lesionmatch.geometry import Grid
from lesionmatch.landmarks import Agreement, Landmark, agreement, correction
from lesionmatch.lesions import Carried, carry
from lesionmatch.lesions.carried import Mapping
from lesionmatch.protocol import Protocol


@dataclass(frozen=True, slots=True, eq=False)
class Sharpened:
    """Lesions on the PET after landmarks, and what landmarks did."""

    carried: tuple[Carried, ...]
    """In the order given; as given where landmarks do not apply."""
    agreement: Agreement


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
    pairs = relate(carried, foci, fwhm_mm=fwhm_mm, rules=protocol.relations).pairs
    landmarks = _landmarks(carried, foci, pairs, protocol.landmarks.longest_mm)
    judged = agreement(landmarks, protocol.landmarks)
    if not judged.applies:
        return Sharpened(tuple(carried), judged)
    moved = [_moved(one, landmarks, pet_from_mri, grid, protocol) for one in carried]
    return Sharpened(tuple(moved), judged)


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


def _moved(
    carried: Carried,
    landmarks: Sequence[Landmark],
    pet_from_mri: Mapping,
    grid: Grid,
    protocol: Protocol,
) -> Carried:
    others = [mark for mark in landmarks if mark.lesion_id != carried.lesion.lesion_id]
    by = correction(others, carried.centroid_mm, carried.error_mm, protocol.landmarks)
    return carry(carried.lesion, pet_from_mri, by.error_mm, grid, offset_mm=by.offset_mm)

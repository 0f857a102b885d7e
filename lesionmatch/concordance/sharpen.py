"""Carried lesions put where the foci of other lesions show that they lie.

Two corrections, the second on top of the first. Lesions and foci that make the same
constellation some way apart show that the registration missed by that much (`shift_of`):
lesions and liver are moved as one, and the PET is read again where its liver is. Then
matched lesions correct those around them (`sharpen`), which moves nothing but lesions.
And no lesion's error is said to be smaller than how far its own focus is seen to lie off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.concordance.pairs import Focus, Pair
from lesionmatch.concordance.relations import relate
from lesionmatch.geometry import Grid
from lesionmatch.landmarks import Agreement, Landmark, agreement, correction, shared_shift
from lesionmatch.lesions import Carried, equivalent_diameter_mm
from lesionmatch.protocol import LandmarkRules, Protocol


@dataclass(frozen=True, slots=True, eq=False)
class Sharpened:
    """Lesions on the PET after landmarks, and what landmarks did."""

    carried: tuple[Carried, ...]
    """In the order given; as given where landmarks neither apply nor show an error too small."""
    agreement: Agreement


def sharpen(
    carried: Sequence[Carried],
    foci: Sequence[Focus],
    grid: Grid,
    *,
    fwhm_mm: float,
    protocol: Protocol,
) -> Sharpened:
    """`carried` moved by what their matched neighbours show, each with its error made smaller.

    Landmarks are lesions that match one focus without ambiguity and are not too long to be
    centred on it. A lesion's own match has no part in its correction, but its error is no less
    than the distance of a focus of its own size. `grid` is the PET's. What was drawn on the
    PET/CT stays where it was drawn, and is no landmark.
    """
    rules = protocol.landmarks
    pairs = relate(carried, foci, fwhm_mm=fwhm_mm, rules=protocol.relations).pairs
    matches = _sole_matches(carried, foci, pairs, rules)
    landmarks = [_landmark(one, focus) for one, focus in matches]
    judged = agreement(landmarks, rules)
    placed = list(carried)
    if judged.applies:
        placed = [_moved(one, landmarks, grid, protocol) for one in carried]
    seen_at = {
        one.lesion.lesion_id: focus.centroid_mm
        for one, focus in matches
        if _is_its_size(one, focus, rules)
    }
    return Sharpened(tuple(_admitted(one, seen_at, grid, protocol) for one in placed), judged)


def _admitted(
    carried: Carried,
    seen_at: Mapping[str, NDArray[np.float64]],
    grid: Grid,
    protocol: Protocol,
) -> Carried:
    """`carried` with an error no less than the distance at which its focus is seen."""
    centre_mm = seen_at.get(carried.lesion.lesion_id)
    if centre_mm is None:
        return carried
    away_mm = float(np.linalg.norm(centre_mm - carried.centroid_mm))
    if away_mm <= carried.error_mm:
        return carried
    return carried.moved(np.zeros(3), away_mm, grid, protocol.lesions)


def _moved(
    carried: Carried, landmarks: Sequence[Landmark], grid: Grid, protocol: Protocol
) -> Carried:
    """`carried` where the landmarks that are not its own put it."""
    if carried.lesion.is_redrawn:
        return carried
    others = [mark for mark in landmarks if mark.lesion_id != carried.lesion.lesion_id]
    by = correction(others, carried.centroid_mm, carried.error_mm, protocol.landmarks)
    return carried.moved(by.offset_mm, by.error_mm, grid, protocol.lesions)


def shift_of(
    carried: Sequence[Carried], foci: Sequence[Focus], *, fwhm_mm: float, rules: LandmarkRules
) -> NDArray[np.float64] | None:
    """(3,) the shift of all lesions that the registration missed; None where foci show none."""
    compact = [one for one in carried if _is_telling(one, rules)]
    findings = [focus for focus in foci if focus.physiologic_neighbour is None]
    if min(len(compact), len(findings)) < rules.shift_least_count:
        return None
    return shared_shift(
        np.stack([one.centroid_mm for one in compact]),
        np.stack([focus.centroid_mm for focus in findings]),
        np.array([np.hypot(one.error_mm, fwhm_mm / 2.0) for one in compact]),
        rules,
    )


def _is_telling(carried: Carried, rules: LandmarkRules) -> bool:
    """Whether its focus tells where the registration should have put it."""
    lesion = carried.lesion
    return lesion.long_axis_mm <= rules.longest_mm and not lesion.is_redrawn


def _sole_matches(
    carried: Sequence[Carried],
    foci: Sequence[Focus],
    pairs: Sequence[Pair],
    rules: LandmarkRules,
) -> list[tuple[Carried, Focus]]:
    """Telling lesions that match one focus without ambiguity, each with it."""
    focus_of = {
        p.lesion_id: p.focus_id for p in pairs if p.relation == "matched" and not p.is_ambiguous
    }
    known = {focus.focus_id: focus for focus in foci}
    return [
        (one, known[focus_of[one.lesion.lesion_id]])
        for one in carried
        if one.lesion.lesion_id in focus_of and _is_telling(one, rules)
    ]


def _landmark(carried: Carried, focus: Focus) -> Landmark:
    return Landmark(
        lesion_id=carried.lesion.lesion_id,
        place_mm=carried.centroid_mm,
        offset_mm=focus.centroid_mm - carried.centroid_mm,
        error_mm=carried.error_mm,
    )


def _is_its_size(carried: Carried, focus: Focus, rules: LandmarkRules) -> bool:
    """Whether a focus is the whole lesion's, so that its centre is the lesion's."""
    focus_mm = equivalent_diameter_mm(focus.extent.volume_ml)
    return abs(focus_mm - carried.lesion.equivalent_diameter_mm) <= rules.size_apart_mm

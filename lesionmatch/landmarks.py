"""Matched lesions as landmarks: the registration error that is actually there.

Where an avid lesion is matched, the offset of its focus from where the registration put it
is the registration's error at that place, seen with some scatter. What such offsets say of
other places follows from Gaussian-process regression (kriging; Rasmussen and Williams 2006,
ch. 2): before any landmark the error at a place is normal about zero, of the size the
registration itself expects, and alike at places near each other. The mean then corrects
the place of a lesion, and what variance is left bounds its error. A lesion never corrects
itself, and nothing is corrected unless landmarks predict each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from lesionmatch.geometry import Points
from lesionmatch.protocol import LandmarkRules
from lesionmatch.wording import number_of

BOUND_IN_SD = 2.7955
"""The 95 % bound of the length of a normal error in space, in its SD along one axis: the
square root of the quantile of chi-squared with three degrees of freedom."""


@dataclass(frozen=True, slots=True, eq=False)
class Landmark:
    """A lesion whose focus shows where it really lies."""

    lesion_id: str
    place_mm: NDArray[np.float64]
    """(3,) centroid of the lesion as the registration carried it onto the PET."""
    offset_mm: NDArray[np.float64]
    """(3,) from there to the centroid of its focus."""
    error_mm: float
    """95 % bound of the registration error here, before landmarks."""


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """How a lesion is moved."""

    offset_mm: NDArray[np.float64]
    """(3,) to be added to its place on the PET."""
    error_mm: float
    """95 % bound of what error is left; never more than before."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well landmarks predict each other, each by the others alone."""

    count: int
    before_mm: float | None
    """Root mean square length of their offsets; None without any."""
    after_mm: float | None
    """The same of what is left of them once the others have corrected them."""
    applies: bool
    text: str
    """What was done and why, for the report."""


def agreement(landmarks: Sequence[Landmark], rules: LandmarkRules) -> Agreement:
    """Whether landmarks are enough and alike enough to correct anything."""
    count = len(landmarks)
    if not count:
        return Agreement(0, None, None, False, "no matched lesion to correct the registration by")
    offsets = np.stack([mark.offset_mm for mark in landmarks])
    before_mm = _rms(offsets)
    if count < rules.least_count:
        are = "is" if count == 1 else "are"
        text = f"{number_of(count, 'matched lesion')} {are} too few to correct the registration by"
        return Agreement(count, before_mm, None, False, text)
    left = np.stack([mark.offset_mm - _left_out(landmarks, mark, rules) for mark in landmarks])
    after_mm = _rms(left)
    if after_mm > min(before_mm, rules.agreement_mm):
        return Agreement(count, before_mm, after_mm, False, _unused(count, before_mm, rules))
    text = (
        f"corrected by {count} matched lesions: {before_mm:.1f} mm between lesion and focus "
        f"before, {after_mm:.1f} mm after"
    )
    return Agreement(count, before_mm, after_mm, True, text)


def _unused(count: int, before_mm: float, rules: LandmarkRules) -> str:
    """Why enough landmarks correct nothing."""
    if before_mm <= rules.agreement_mm:
        return (
            f"the registration holds: {count} matched lesions lie {before_mm:.1f} mm off their foci"
        )
    return f"the offsets of {count} matched lesions disagree, so nothing was corrected"


def _rms(vectors: NDArray[np.float64]) -> float:
    return float(np.sqrt((vectors**2).sum(axis=1).mean()))


def _left_out(
    landmarks: Sequence[Landmark], mark: Landmark, rules: LandmarkRules
) -> NDArray[np.float64]:
    others = [other for other in landmarks if other is not mark]
    return correction(others, mark.place_mm, mark.error_mm, rules).offset_mm


def correction(
    landmarks: Sequence[Landmark],
    place_mm: NDArray[np.float64],
    error_mm: float,
    rules: LandmarkRules,
) -> Correction:
    """What at least one of `landmarks` says of a place where the error is up to `error_mm`.

    The caller leaves out the landmark of the lesion that is corrected.
    """
    places = np.stack([mark.place_mm for mark in landmarks])
    offsets = np.stack([mark.offset_mm for mark in landmarks])
    sd_mm = np.array([mark.error_mm for mark in landmarks]) / BOUND_IN_SD
    own_sd_mm = error_mm / BOUND_IN_SD
    shared = np.outer(sd_mm, sd_mm) * _alike(places, places, rules.reach_mm)
    noise = np.eye(len(landmarks)) * rules.scatter_mm**2
    towards = own_sd_mm * sd_mm * _alike(place_mm[None], places, rules.reach_mm)[0]
    factor = cho_factor(shared + noise)
    weights = cho_solve(factor, towards)
    left = max(0.0, own_sd_mm**2 - float(weights @ towards))
    return Correction(np.asarray(weights @ offsets), BOUND_IN_SD * float(np.sqrt(left)))


def _alike(one: Points, other: Points, reach_mm: float) -> NDArray[np.float64]:
    """Correlation of the registration error between places."""
    squared = ((one[:, None] - other[None]) ** 2).sum(-1)
    return np.asarray(np.exp(-squared / (2.0 * reach_mm**2)))


def shared_shift(
    lesions_mm: Points, foci_mm: Points, reach_mm: NDArray[np.float64], rules: LandmarkRules
) -> NDArray[np.float64] | None:
    """The shift that lays lesions on foci where the registration does not; None without one.

    `reach_mm`, (N,), is how far from its place each lesion may lie by the registration's own
    account. A shift is believed where it lays enough lesions on foci of their own, most of
    what could be laid, more by two than the registration does, and more by two than any
    other shift that lays two does. One that lays a single lesion says nothing: every lesion
    and focus make one.
    """
    apart = foci_mm[None] - lesions_mm[:, None]
    shifts = apart[np.linalg.norm(apart, axis=2) <= rules.shift_mm]
    if not len(shifts):
        return None
    laid = [_laid(apart - shift, np.full(len(lesions_mm), rules.agreement_mm)) for shift in shifts]
    counts = np.array([len(pairs) for pairs in laid])
    best = int(counts.argmax())
    others = np.linalg.norm(shifts - shifts[best], axis=1) > 2.0 * rules.agreement_mm
    rival = max([len(_laid(apart, reach_mm)), *counts[others & (counts > 1)]])
    most = min(len(lesions_mm), len(foci_mm))
    if counts[best] < max(rules.shift_least_count, rules.shared_part * most, rival + 2):
        return None
    return np.asarray(np.mean([apart[pair] for pair in laid[best]], axis=0))


def _laid(apart_mm: NDArray[np.float64], within_mm: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Lesions and foci that are each other's nearest and near enough."""
    distance = np.linalg.norm(apart_mm, axis=2)
    nearest = distance.argmin(axis=1)
    return [
        (lesion, int(focus))
        for lesion, focus in enumerate(nearest)
        if distance[lesion, focus] <= within_mm[lesion] and distance[:, focus].argmin() == lesion
    ]

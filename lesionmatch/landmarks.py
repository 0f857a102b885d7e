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
        text = f"{count} matched lesions are too few to correct the registration by"
        return Agreement(count, before_mm, None, False, text)
    left = np.stack([mark.offset_mm - _left_out(landmarks, mark, rules) for mark in landmarks])
    after_mm = _rms(left)
    if after_mm > min(before_mm, rules.agreement_mm):
        text = f"the offsets of {count} matched lesions disagree, so nothing was corrected"
        return Agreement(count, before_mm, after_mm, False, text)
    text = (
        f"corrected by {count} matched lesions: {before_mm:.1f} mm between lesion and focus "
        f"before, {after_mm:.1f} mm after"
    )
    return Agreement(count, before_mm, after_mm, True, text)


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

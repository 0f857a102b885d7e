"""Relations in a study of confluent lesions, beside those that the true places give."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from _cohort import BOUND_IN_SD, Study, confluent
from _outcome import PROTOCOL, found_by, truth_of
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from lesionmatch.concordance import Relations, relate, sharpen
from lesionmatch.lesions import Carried

TRUE_ERROR_MM = 1.0
"""What is left of an error where a lesion lies at its true place."""

DRAWS = 10
"""How often all lesions of a study are put off their true places."""


@dataclass(frozen=True)
class Related:
    """A pair that was related."""

    is_ambiguous: bool
    is_right: bool
    """Whether the true places relate the two as well."""
    is_replaced: bool
    """Whether they do not, but have another partner for one of them."""


@dataclass(frozen=True)
class Crowd:
    """A study of confluent lesions."""

    apart_mm: NDArray[np.float64]
    """From the middle of each lesion to that of the nearest."""
    related: dict[str, list[Related]]
    """By what placed the lesions."""


def crowd_of(seed: int) -> Crowd:
    """A study's relations for several draws of its registration error, and the true ones."""
    study = confluent(seed)
    found = found_by(study, study.registration)
    foci, grid = found.foci, study.suv.grid
    fwhm_mm = study.recipe.pet_fwhm_mm
    true_mm = np.array([truth_of(study, c.lesion.lesion_id).pet_mm for c in found.carried])
    true = _put(study, found.carried, true_mm, TRUE_ERROR_MM)
    truly = relate(true, foci, fwhm_mm=fwhm_mm, rules=PROTOCOL.relations)
    related: dict[str, list[Related]] = {"by the registration alone": [], "after landmarks": []}
    for draw in range(DRAWS):
        off_mm = _error_mm(study, true_mm, draw)
        alone = _put(study, found.carried, true_mm + off_mm, found.carried[0].error_mm)
        sharp = sharpen(alone, foci, grid, fwhm_mm=fwhm_mm, protocol=PROTOCOL).carried
        for name, carried in (("by the registration alone", alone), ("after landmarks", sharp)):
            got = relate(carried, foci, fwhm_mm=fwhm_mm, rules=PROTOCOL.relations)
            related[name] += _judged(got, truly)
    apart = cdist(true_mm, true_mm)
    np.fill_diagonal(apart, np.inf)
    return Crowd(apart.min(axis=1), related)


def _put(
    study: Study, carried: Sequence[Carried], to_mm: NDArray[np.float64], error_mm: float
) -> list[Carried]:
    grid, rules = study.suv.grid, PROTOCOL.lesions
    return [
        one.moved(place - one.centroid_mm, error_mm, grid, rules)
        for one, place in zip(carried, to_mm, strict=True)
    ]


def _error_mm(study: Study, places_mm: NDArray[np.float64], draw: int) -> NDArray[np.float64]:
    """A smooth error of the size of the study's own, drawn anew."""
    rng = np.random.default_rng([study.seed, 6, draw])
    own = study.registration
    sd_mm = own.bound_mm / BOUND_IN_SD
    squared = ((places_mm[:, None] - own.centres_mm) ** 2).sum(-1)
    bumps_mm = np.exp(-squared / (2.0 * 45.0**2)) @ rng.normal(0.0, 0.5 * sd_mm, (8, 3))
    return np.asarray(rng.normal(0.0, 0.7 * sd_mm, 3) + bumps_mm)


def _judged(got: Relations, truly: Relations) -> list[Related]:
    pairs = [pair for pair in got.pairs if pair.relation]
    true = {(pair.lesion_id, pair.focus_id) for pair in truly.pairs if pair.relation}
    ends = {end for pair in true for end in pair}
    found = []
    for pair in pairs:
        is_right = (pair.lesion_id, pair.focus_id) in true
        has_other = pair.lesion_id in ends or pair.focus_id in ends
        found.append(Related(pair.is_ambiguous, is_right, has_other and not is_right))
    return found

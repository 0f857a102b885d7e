"""Lesions taken together: how many of them the PET shows, and how many the physics expects.

A lesion is detected when the PET shows it unprompted (`pet_status` positive). One outside
the PET's coverage is no observation. Lesions of a patient are a cluster.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from lesionmatch.accuracy.clustered import Clusters
from lesionmatch.accuracy.values import Undefined
from lesionmatch.evaluation.rows import LesionRow
from lesionmatch.evaluation.summary import Estimate, Options, proportion_estimate
from lesionmatch.protocol import DetectabilityRules


@dataclass(frozen=True, slots=True)
class Group:
    """Lesions taken together, and what share of them the PET shows."""

    name: str
    lesions: int
    patients: int
    detected: int
    retrospective: int
    not_covered: int
    """Not among `lesions`."""
    detection: Estimate
    predicted: float | Undefined
    """Mean chance by the physics that their true contrast suffices."""
    median_mm: float | Undefined
    """Median long axis."""


def group(name: str, rows: Sequence[LesionRow], options: Options) -> Group:
    """What the PET shows of these lesions."""
    seen = [row for row in rows if is_covered(row)]
    sizes = [row.long_axis_mm for row in seen if row.long_axis_mm is not None]
    chances = [likely for row in seen if (likely := chance(row)) is not None]
    return Group(
        name=name,
        lesions=len(seen),
        patients=len({row.patient_id for row in seen}),
        detected=sum(is_detected(row) for row in seen),
        retrospective=sum(row.pet_status == "retrospective" for row in seen),
        not_covered=len(rows) - len(seen),
        detection=detection(seen, is_detected, options),
        predicted=float(np.mean(chances)) if chances else Undefined("no prediction given"),
        median_mm=float(np.median(sizes)) if sizes else Undefined("no sizes given"),
    )


def detection(
    rows: Sequence[LesionRow], is_found: Callable[[LesionRow], bool], options: Options
) -> Estimate:
    """The share of lesions that `is_found` says, lesions of a patient as a cluster."""
    totals = Counter(row.patient_id for row in rows)
    found = Counter(row.patient_id for row in rows if is_found(row))
    clusters = Clusters(
        np.array([found[patient] for patient in totals], dtype=np.int64),
        np.array([*totals.values()], dtype=np.int64),
    )
    return proportion_estimate(clusters, options, undefined="no lesions")


def chance(row: LesionRow) -> float | None:
    """Chance that a true ratio, as metastases have, reaches the least visible one here.

    True ratios are taken as log-normal with the mean and spread of `DetectabilityRules`.
    """
    if row.least_visible_ratio is None or row.least_visible_ratio <= 0.0:
        return None
    rules = DetectabilityRules()
    spread = math.log1p((rules.typical_ratio_sd / rules.typical_ratio) ** 2)
    middle = math.log(rules.typical_ratio) - spread / 2.0
    return float(norm.sf((math.log(row.least_visible_ratio) - middle) / math.sqrt(spread)))


def is_covered(row: LesionRow) -> bool:
    """Whether the PET was there to show it."""
    return row.pet_status != "not_covered"


def is_detected(row: LesionRow) -> bool:
    """Whether the PET shows it unprompted."""
    return row.pet_status == "positive"

"""Flags: what about a lesion or a focus makes a PET likely to miss it, or to invent it.

A flag is a threshold on a measured quantity; several may stand.
"""

from dataclasses import dataclass
from typing import Literal

from lesionmatch.protocol import FlagRules

Flag = Literal[
    "small",
    "subcentimetre",
    "subcapsular",
    "perihilar",
    "near_vessel",
    "low_uptake",
    "noisy_liver",
    "near_physiologic_uptake",
    "uncertain_registration",
    "edge_of_coverage",
]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How far a lesion or a focus lies from what surrounds it; None where that is unknown."""

    capsule_mm: float | None
    """Surface to capsule."""
    hilum_mm: float | None
    """Centroid to hilum."""
    vessel_mm: float | None
    """Surface to the nearest large vessel."""
    is_cut: bool = False
    """Whether it reaches an outermost slice, row or column of the MRI, which may cut it."""
    holds_lump: bool = False
    """Whether the MRI shows something dark in it, too wide for the vessel it lies at."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What flags are raised on."""

    long_axis_mm: float
    surroundings: Surroundings
    tumour_to_liver: float | None
    """None where it could not be measured."""
    liver_cov: float
    error_mm: float
    is_near_physiologic: bool
    is_at_edge: bool
    """Of the PET."""


def flags(facts: Facts, rules: FlagRules) -> tuple[Flag, ...]:
    """The flags that stand, in the order they are listed."""
    near = facts.surroundings
    allowed_mm = max(facts.long_axis_mm / 2.0, rules.uncertain_registration_mm)
    ratio = facts.tumour_to_liver
    standing: dict[Flag, bool] = {
        "small": facts.long_axis_mm < rules.small_mm,
        "subcentimetre": facts.long_axis_mm < rules.subcentimetre_mm,
        "subcapsular": _within(near.capsule_mm, rules.subcapsular_mm),
        "perihilar": _within(near.hilum_mm, rules.perihilar_mm),
        "near_vessel": _within(near.vessel_mm, rules.near_vessel_mm),
        "low_uptake": ratio is not None and ratio < rules.low_uptake,
        "noisy_liver": facts.liver_cov > rules.noisy_liver_cov,
        "near_physiologic_uptake": facts.is_near_physiologic,
        "uncertain_registration": facts.error_mm > allowed_mm,
        "edge_of_coverage": facts.is_at_edge or near.is_cut,
    }
    return tuple(flag for flag, stands in standing.items() if stands)


def _within(distance_mm: float | None, limit_mm: float) -> bool:
    return distance_mm is not None and distance_mm <= limit_mm

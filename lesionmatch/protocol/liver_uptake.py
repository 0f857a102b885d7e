"""Thresholds of the uptake of liver without lesions, and of the spleen."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
class ReferenceRules:
    """Which uptake is the reference."""

    reference_cold_sds: float = threshold(
        1.7,
        "SD",
        "uptake this far below the liver's main peak, smoothed over a centimetre, is left out",
        "own choice; closer than above it, as thin vessels darken the liver by little",
        least=0.5,
        most=5.0,
    )
    reference_hot_sds: float = threshold(
        2.0,
        "SD",
        "uptake this far above the liver's main peak, smoothed over a centimetre, is left out",
        "own choice; lesions nobody drew in 30 % of the liver move the mean by less than 3 %",
        least=0.5,
        most=5.0,
    )
    reference_spill_mm: float = threshold(
        6.0,
        "mm",
        "surroundings of lesions and of what is left out that are left out too",
        "own choice; about the width of the PET's blur",
        least=0.0,
        most=30.0,
    )
    spleen_ratio_least: float = threshold(
        1.3,
        "ratio",
        "an organ on the left is a spleen from this many times the liver's uptake",
        "own choice; on somatostatin receptor PET the spleen is hotter in nearly every patient",
        least=1.0,
        most=5.0,
    )
    spleen_lateral_mm: float = threshold(
        45.0,
        "mm",
        "a spleen's middle lies this far to the left of the midline",
        "own choice; beyond the spine and what lies before it",
        least=0.0,
        most=150.0,
    )
    spleen_height_least: float = threshold(
        1.0 / 6.0,
        "share",
        "and above this part of the way from the liver's lower end to its upper",
        "own choice; a kidney lies lower",
        least=-1.0,
        most=1.0,
    )
    spleen_above_mm: float = threshold(
        30.0,
        "mm",
        "and at most this far above the liver's upper end",
        "own choice, from anatomy",
        least=0.0,
        most=100.0,
    )
    spleen_even_share: float = threshold(
        0.75,
        "share",
        "what is less hot than this share of the organ's best is the border of another",
        "own choice; a kidney that touches the spleen is hotter or colder",
        least=0.0,
        most=1.0,
    )
    spleen_least_ml: float = threshold(
        2.5,
        "ml",
        "places for a ball's centre that make an organ",
        "own choice; a few dozen voxels",
        least=0.1,
        most=50.0,
    )

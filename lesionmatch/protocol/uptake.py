"""Thresholds of the uptake part."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class UptakeRules:
    """How uptake is scored against the liver."""

    none_ratio: float = threshold(
        0.1,
        "ratio",
        "uptake over the liver up to this is none (Krenning 0)",
        "own choice; blood and muscle already take up more",
        least=0.0,
        most=0.5,
    )
    faint_ratio: float = threshold(
        0.5,
        "ratio",
        "uptake over the liver up to this is much lower (Krenning 1)",
        "own choice; the scale names no number",
        least=0.1,
        most=0.95,
    )
    liver_band: float = threshold(
        0.1,
        "ratio",
        "uptake above the liver by no more than this share is equal to it (Krenning 2)",
        "own choice; what SUVpeak varies by in a noisy liver",
        least=0.0,
        most=1.0,
    )
    most_over_level: float = threshold(
        1.5,
        "ratio",
        "a reference this many times the liver's likeliest level is tumour; the level is taken",
        "own choice; the least uptake of a tumour that would fill most of a liver unseen",
        least=1.05,
        most=10.0,
    )

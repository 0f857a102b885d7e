"""Every threshold of the method, with its unit, its default and where it comes from.

A `Protocol` is made of sections, one for each part of the method; a section's fields are
made by `threshold`, so that what a number means is written once and the report, the
documentation and the checks of a protocol file all read it from here.
"""

from dataclasses import dataclass, field
from typing import Any


def threshold(
    default: float, unit: str, says: str, source: str, *, least: float, most: float
) -> Any:  # noqa: ANN401 - a dataclass field has the type of its annotation
    """A field of a section: `default` in `unit`, what it `says`, where it comes from, its range."""
    meta = {"unit": unit, "says": says, "source": source, "least": least, "most": most}
    return field(default=default, metadata=meta)


@dataclass(frozen=True, slots=True)
class FlagRules:
    """When a lesion or focus is flagged; distances in mm come first, flags stand on them."""

    small_mm: float = threshold(
        6.0,
        "mm",
        "a long axis below this is small",
        "Grawe et al. 2023: 30 of 51 missed were below 0.6 cm",
        least=1.0,
        most=30.0,
    )
    subcentimetre_mm: float = threshold(
        10.0,
        "mm",
        "a long axis below this is subcentimetre",
        "RECIST 1.1: measurable from 10 mm",
        least=1.0,
        most=30.0,
    )
    subcapsular_mm: float = threshold(
        5.0,
        "mm",
        "a surface this near the capsule is subcapsular",
        "own choice; the paper names no distance, others use 3 to 10 mm",
        least=0.0,
        most=20.0,
    )
    perihilar_mm: float = threshold(
        20.0,
        "mm",
        "a centroid this near the hilum is perihilar",
        "own choice; 10 to 20 mm about the portal bifurcation is customary",
        least=0.0,
        most=60.0,
    )
    near_vessel_mm: float = threshold(
        5.0,
        "mm",
        "a surface this near a large vessel is near it",
        "Huang et al., Eur J Radiol 2014;83:552",
        least=0.0,
        most=20.0,
    )
    low_uptake: float = threshold(
        1.0,
        "ratio",
        "a tumour-to-liver ratio below this is low uptake",
        "Krenning: at or below the liver is no positive finding",
        least=0.1,
        most=5.0,
    )
    noisy_liver_cov: float = threshold(
        0.15,
        "ratio",
        "a coefficient of variation of the liver above this is noisy",
        "EJNMMI Res 2020 (10.1186/s13550-020-0601-y): acceptable at SNR 6.2",
        least=0.01,
        most=1.0,
    )
    uncertain_registration_mm: float = threshold(
        5.0,
        "mm",
        "a registration error above half the long axis, and above this, is uncertain",
        "own choice; half the axis moves a lesion off its own centre",
        least=0.0,
        most=30.0,
    )


@dataclass(frozen=True, slots=True)
class LiverRules:
    """What makes a liver, its capsule, its vessels and its reference uptake."""

    volume_least_ml: float = threshold(
        600.0,
        "ml",
        "a liver below this volume, wholly inside the image, is implausible",
        "own choice; adult livers measure about 800 to 2500 ml, resected ones less",
        least=50.0,
        most=2000.0,
    )
    volume_most_ml: float = threshold(
        4500.0,
        "ml",
        "a liver above this volume is implausible",
        "own choice; livers full of metastases reach 4 l",
        least=1500.0,
        most=15000.0,
    )
    capsule_ball_mm: float = threshold(
        40.0,
        "mm",
        "radius of the ball that rolls over fissures, hilum and gallbladder fossa",
        "own choice; these are up to 40 mm wide, impressions of kidney and stomach wider",
        least=10.0,
        most=200.0,
    )
    capsule_reach_mm: float = threshold(
        4.0,
        "mm",
        "surface this near the rolling ball is capsule",
        "own choice; a little more than a voxel, less than the depth of a fissure",
        least=1.0,
        most=20.0,
    )
    edge_margin_mm: float = threshold(
        10.0,
        "mm",
        "the reference uptake keeps this far from the surface of the liver",
        "Hirata et al., PLoS One 2014: away from the edge; about 1.5 widths of the PET's blur",
        least=0.0,
        most=30.0,
    )


@dataclass(frozen=True, slots=True)
class Protocol:
    """All thresholds a comparison uses."""

    flags: FlagRules = field(default_factory=FlagRules)
    liver: LiverRules = field(default_factory=LiverRules)

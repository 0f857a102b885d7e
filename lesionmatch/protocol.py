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
class FociRules:
    """When uptake stands out of a liver's own noise, and how far it reaches."""

    least_z: float = threshold(
        5.0,
        "SD",
        "a peak this many standard deviations above the liver around it is a focus",
        "Gaussian-field count: about 0.05 false peaks in 1500 ml at a filtered FWHM of 7 to 8 mm",
        least=3.0,
        most=20.0,
    )
    outside_mm: float = threshold(
        0.0,
        "mm",
        "peaks this far outside the liver mask are still considered",
        "own choice",
        least=0.0,
        most=15.0,
    )
    extent_fraction: float = threshold(
        0.45,
        "fraction",
        "a focus reaches down to background + this x (maximum - background)",
        "background-adapted threshold, 0.41 to 0.5 customary where lesion to liver is below 2.2",
        least=0.2,
        most=0.8,
    )
    peak_distance_mm: float = threshold(
        6.0,
        "mm",
        "of two peaks nearer than this only the higher one is kept",
        "own choice; below the resolution of the scanners two peaks cannot be told apart",
        least=0.0,
        most=30.0,
    )
    null_places: float = threshold(
        200.0,
        "places",
        "lesion-free places the chance of a prompted uptake is counted on",
        "own choice; p is then known to 0.005 at best",
        least=20.0,
        most=10000.0,
    )
    null_depth_mm: float = threshold(
        3.0,
        "mm",
        "lesion-free places lie at the lesion's own depth under the capsule within this",
        "own measurement: without it p is far off at the edge",
        least=0.5,
        most=50.0,
    )
    default_fwhm_mm: float = threshold(
        7.0,
        "mm",
        "resolution where neither the header nor the image tells",
        "4.5 mm scanner, 5 mm filter and 2.5 mm of 68Ga positron range in quadrature",
        least=2.0,
        most=15.0,
    )


@dataclass(frozen=True, slots=True)
class Protocol:
    """All thresholds a comparison uses."""

    flags: FlagRules = field(default_factory=FlagRules)
    foci: FociRules = field(default_factory=FociRules)

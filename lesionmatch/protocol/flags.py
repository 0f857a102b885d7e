"""Thresholds of the flags part."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


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

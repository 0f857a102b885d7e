"""Thresholds of vessels, of dark lumps in them, and of the hilum."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
class VesselRules:
    """What is a vessel of the liver, and where its hilum lies."""

    vessel_darkness: float = threshold(
        0.07,
        "ratio",
        "a vessel is darker than the parenchyma around it by at least this share",
        "own choice; blood is 0.3 to 0.6 darker after good uptake of the contrast agent",
        least=0.02,
        most=0.8,
    )
    vessel_darkness_most: float = threshold(
        0.72,
        "ratio",
        "what is darker than the parenchyma by more than this share is fat or a cyst, no vessel",
        "own choice; blood is 0.3 to 0.6 darker, fat in the fissures 0.8 or more",
        least=0.4,
        most=1.0,
    )
    vessel_radius_most_mm: float = threshold(
        7.5,
        "mm",
        "what is dark and has a larger radius is a lesion, no vessel of the liver",
        "own choice; the portal vein's trunk has 7 mm",
        least=1.0,
        most=20.0,
    )
    lesion_darkness: float = threshold(
        0.15,
        "ratio",
        "so dark is a lesion nobody drew, against the patch of liver around it",
        "own choice; patches of a coarse liver are 0.1 darker",
        least=0.02,
        most=0.8,
    )
    lump_widening: float = threshold(
        1.6,
        "ratio",
        "what is dark and wider by this factor than all that leaves it is a lesion nobody drew, no "
        "vessel",
        "own choice; a vessel leaves a place as wide as it enters it. On six simulated livers 1.5 "
        "to 1.8 are alike, 1.4 takes up to 0.012 of the vessels",
        least=1.0,
        most=5.0,
    )
    lump_least_mm: float = threshold(
        5.0,
        "mm",
        "diameter from which it is so",
        "own choice; thinner vessels are seen in pieces only, each wider than what leaves it",
        least=0.0,
        most=30.0,
    )
    vessel_length_mm: float = threshold(
        30.0,
        "mm",
        "a connected dark tube is taken for a vessel from this length",
        "own choice; longer than most lesions are wide",
        least=5.0,
        most=150.0,
    )
    vessel_calibre_mm: float = threshold(
        4.0,
        "mm",
        "a vessel found on the image is large from this diameter; lesions beside smaller ones are "
        "not near a vessel",
        "own choice; a second-order branch of portal or hepatic vein. Every deep lesion lies "
        "within a centimetre of some thinner one",
        least=1.0,
        most=15.0,
    )
    hilum_from_midline_mm: float = threshold(
        -30.0,
        "mm",
        "the hilum usually lies this far to the left of the body's midline, negative to the right",
        "own choice, from anatomy; -13 to -57 on simulated studies of three anatomies",
        least=-80.0,
        most=80.0,
    )
    hilum_behind_mm: float = threshold(
        14.0,
        "mm",
        "the hilum usually lies this far behind the liver's middle",
        "own choice, from anatomy; -1 to 36 on simulated studies of three anatomies",
        least=-80.0,
        most=80.0,
    )
    hilum_above_mm: float = threshold(
        -11.0,
        "mm",
        "the hilum usually lies this far above the liver's middle, negative below",
        "own choice, from anatomy; -31 to 15 on simulated studies of three anatomies",
        least=-80.0,
        most=80.0,
    )
    hilum_sd_mm: float = threshold(
        18.0,
        "mm",
        "standard deviation of these places from body to body",
        "own choice; 10 to 13 on simulated studies of three anatomies, and room for others",
        least=5.0,
        most=200.0,
    )
    hilum_reach_mm: float = threshold(
        15.0,
        "mm",
        "large vessels and bile ducts this near count for a place of the hilum, and its walls",
        "own choice; about half the width of the hilum's pocket",
        least=5.0,
        most=50.0,
    )
    hilum_rival_share: float = threshold(
        0.6,
        "share",
        "another place with more than this share of the weight makes the hilum unsure",
        "own choice; on 62 simulated livers above it in one of 4 more than 15 mm off, 1 of 58 else",
        least=0.0,
        most=1.0,
    )

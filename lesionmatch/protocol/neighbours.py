"""How other organs that touch the liver on the MRI are told from it."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class NeighbourRules:
    """Where kidney, heart and bowel lie, and a left lobe that lies apart; what PET and CT say.

    All are of what is as bright as the liver beside it; how open a border is, is the part of it
    that lies in no edge, in sides of a cube as large as the organ.
    """

    open_most: float = threshold(
        0.8,
        "share",
        "the border of a kidney with the liver is less open than this",
        "own choice; pieces of the liver reach 3",
        least=0.0,
        most=5.0,
    )
    wall_open_most: float = threshold(
        0.13,
        "share",
        "the border of a bowel's wall with the liver is less open than this",
        "own choice; on simulated livers 0.02 to 0.12, pieces of the liver from 0.14",
        least=0.0,
        most=1.0,
    )
    kidney_most_ml: float = threshold(
        350.0,
        "ml",
        "a kidney is smaller",
        "own choice; kidneys measure 120 to 250 ml",
        least=50.0,
        most=2000.0,
    )
    kidney_below_mm: float = threshold(
        30.0,
        "mm",
        "a kidney's middle lies this far below the liver's",
        "own choice, from anatomy",
        least=-50.0,
        most=200.0,
    )
    kidney_ball_mm: float = threshold(
        10.0,
        "mm",
        "a ball of this radius fits into a kidney",
        "own choice; a kidney is at least 40 mm thick, with its hollow",
        least=3.0,
        most=20.0,
    )
    kidney_twin_share: float = threshold(
        0.5,
        "share",
        "of the places deep in a kidney so many have a twin across the midline",
        "own choice; the other kidney may lie higher or lower",
        least=0.0,
        most=1.0,
    )
    heart_lateral_mm: float = threshold(
        35.0,
        "mm",
        "the heart's middle lies at most so far to the right of the midline",
        "own choice, from anatomy",
        least=-50.0,
        most=100.0,
    )
    heart_above_mm: float = threshold(
        5.0,
        "mm",
        "the heart's middle lies this far above where it meets the liver",
        "own choice; a lobe of the liver goes on sideways",
        least=-50.0,
        most=100.0,
    )
    heart_rises_mm: float = threshold(
        20.0,
        "mm",
        "the heart's top lies this far above the liver's",
        "own choice, from anatomy",
        least=-50.0,
        most=200.0,
    )
    fissure_least_ml: float = threshold(
        2.0,
        "ml",
        "a left lobe that lies apart has this volume",
        "own choice; less is a scrap",
        least=0.0,
        most=500.0,
    )
    fissure_mm: float = threshold(
        16.0,
        "mm",
        "the fissure before it is at most this wide",
        "own choice; 4 to 12 mm on simulated livers",
        least=1.0,
        most=60.0,
    )
    fissure_width: float = threshold(
        0.5,
        "ratio",
        "it faces the liver with this part of the side of a cube as large as itself",
        "own choice; a lobe faces the liver broadside",
        least=0.0,
        most=5.0,
    )
    fissure_left: float = threshold(
        0.6,
        "share",
        "of the way across the fissure this part leads to the left and the front, less what leads "
        "to behind, where the large vessels are",
        "own choice, from anatomy; the fissure of a shrunken liver leads as much to the front",
        least=-2.0,
        most=2.0,
    )
    fissure_up: float = threshold(
        0.5,
        "share",
        "and at most this part up, as to the heart, or down",
        "own choice, from anatomy",
        least=0.0,
        most=1.0,
    )
    other_uptake_ratio: float = threshold(
        1.6,
        "ratio",
        "uptake that differs from the liver's by this factor, or density by the next, or both by "
        "less (their squares are added), is not the liver's",
        "own choice; on 25 studies of a simulator of its own 1.5 to 2 cut out the same organs",
        least=1.1,
        most=5.0,
    )
    other_density_hu: float = threshold(
        45.0,
        "HU",
        "so does density on the CT by this much",
        "own choice; an enhanced kidney differs by 60, bile and stool by 40 to 140; at 35 true "
        "liver was cut out as well",
        least=10.0,
        most=200.0,
    )
    other_density_least_hu: float = threshold(
        15.0,
        "HU",
        "and density differs by this much in any case, whatever the uptake",
        "own choice; a metastasis the MRI does not show differs by less than 12 in simulation",
        least=0.0,
        most=100.0,
    )
    other_density_most_hu: float = threshold(
        200.0,
        "HU",
        "densities count no further from water than this",
        "own choice; beyond soft tissue and its contrast agent, so that gas is not smeared over "
        "what lies by it",
        least=100.0,
        most=1000.0,
    )
    other_smoothing_mm: float = threshold(
        6.0,
        "mm",
        "brightness, uptake and density are compared smoothed by this FWHM",
        "own choice; takes the noise of a CT to a quarter and bridges its voxels and a PET's",
        least=0.0,
        most=20.0,
    )
    other_alone_ml: float = threshold(
        30.0,
        "ml",
        "unless it is hotter than the liver and has this volume",
        "own choice; a ball of 39 mm, which MRI and CT do not miss; a fatty liver has the density "
        "of a kidney",
        least=1.0,
        most=500.0,
    )
    other_ball_mm: float = threshold(
        5.0,
        "mm",
        "a ball of this radius fits into such an organ",
        "own choice; less is a layer where images do not quite fit each other",
        least=1.0,
        most=20.0,
    )
    other_depth_mm: float = threshold(
        7.0,
        "mm",
        "it reaches this deep into what the MRI calls liver",
        "own choice; more than a registration or a breath is off",
        least=1.0,
        most=30.0,
    )
    other_least_ml: float = threshold(
        5.0,
        "ml",
        "and has this volume there",
        "own choice; a duodenal bulb full of contrast agent",
        least=0.5,
        most=100.0,
    )
    other_spared_mm: float = threshold(
        8.0,
        "mm",
        "what lies so near to a drawn lesion is spared",
        "own choice; a little more than the width of the PET's blur",
        least=0.0,
        most=30.0,
    )
    other_doubt_share: float = threshold(
        0.1,
        "share",
        "a liver of which PET and CT show more to be none, cut out or just cold, is doubtful",
        "own choice; the registration rests on the same mask",
        least=0.0,
        most=1.0,
    )
    lost_unlike_most: float = threshold(
        0.7,
        "ratio",
        "what lies beside the liver and differs from it in uptake and density by less than this "
        "part of what another organ does is liver that the MRI's outline left out",
        "own choice; uptake by up to 1.4 times, density by up to 32 HU",
        least=0.0,
        most=2.0,
    )
    lost_ball_mm: float = threshold(
        8.0,
        "mm",
        "a ball of this radius fits into it",
        "own choice; twice as thick as a registration or a breath is off, and as the blur of a hot "
        "organ, which has the liver's uptake somewhere",
        least=1.0,
        most=30.0,
    )
    lost_least_ml: float = threshold(
        20.0,
        "ml",
        "and it has this volume",
        "own choice; a hundredth to a fiftieth of a liver",
        least=0.5,
        most=500.0,
    )

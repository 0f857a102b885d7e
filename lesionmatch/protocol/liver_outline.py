"""Thresholds of what is liver on the hepatobiliary phase."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
class OutlineRules:
    """What belongs to a liver that nobody drew."""

    found_least_share: float = threshold(
        0.25,
        "share",
        "below this share of the least plausible volume no liver was found, none to doubt",
        "own choice; 110 ml, a gallbladder and its surroundings",
        least=0.0,
        most=1.0,
    )
    pieces_main_least: float = threshold(
        0.9,
        "share",
        "a liver whose largest piece has less of it falls into pieces",
        "own choice; a left lobe may lie apart after a resection",
        least=0.0,
        most=1.0,
    )
    bright_least: float = threshold(
        0.78,
        "ratio",
        "what is darker than this share of the liver is no liver; where what lies around the "
        "liver is brighter, it has no border",
        "own choice; muscle, spleen and blood have 0.4 to 0.6 after good uptake, 0.8 after poor",
        least=0.3,
        most=0.95,
    )
    bright_spreads: float = threshold(
        3.0,
        "SD",
        "in a coarse liver what is darker than its parenchyma by less than so many of its own "
        "standard deviations may be liver, too",
        "own choice; they are 0.09 to 0.12 in livers as coarse as in cirrhosis, whose patches are "
        "0.4 to 0.5 darker at most, and 0.03 to 0.07 in others, of which it changes nothing",
        least=0.0,
        most=10.0,
    )
    bright_patch_mm: float = threshold(
        10.0,
        "mm",
        "so near to what is as bright as liver such dark patches belong to it",
        "own choice; further out they lead on along large vessels, which are as dark",
        least=0.0,
        most=50.0,
    )
    bile_brightness: float = threshold(
        1.25,
        "ratio",
        "what is brighter than the liver by this factor is no liver: a bile duct where it is "
        "thin, gallbladder or bowel where it is thick",
        "own choice; ducts have 1.2 to 2.2 on simulated studies, a coarse liver up to 1.2",
        least=1.05,
        most=3.0,
    )
    region_step_least: float = threshold(
        0.07,
        "log ratio",
        "a region that differs in brightness by no more than this across its border, or than the "
        "liver's own brightness does (one robust standard deviation), is liver",
        "own choice; liver on either side of a fissure differs by less, but for a coarse one",
        least=0.0,
        most=0.5,
    )
    region_step_most: float = threshold(
        0.2,
        "log ratio",
        "a region that differs by more than this across its border is no liver",
        "own choice; patches of a coarse liver differ by 0.15",
        least=0.0,
        most=0.7,
    )
    region_step_open: float = threshold(
        0.4,
        "log ratio",
        "between these, a region may differ by this times the part of its border that lies in "
        "no edge, over the side of a cube as large as the region",
        "own choice, on 1230 borders in simulated studies: the part is above 0.6 for most of the "
        "liver, 0.1 to 0.3 for a kidney as bright as the liver",
        least=0.0,
        most=5.0,
    )
    hollow_most_ml: float = threshold(
        250.0,
        "ml",
        "a dark hollow in the liver's surface that is larger is another organ, no lesion",
        "own choice; a ball of 78 mm, and less than most spleens and kidneys with their fat",
        least=1.0,
        most=2000.0,
    )
    hollow_enclosed_least: float = threshold(
        0.52,
        "share",
        "a dark hollow is a lesion where the liver has this share of its surface, over the cube "
        "root of how many times it is longer than wide",
        "own choice; half a ball has 0.67, a gallbladder half sunk in less than 0.5",
        least=0.0,
        most=1.0,
    )
    hollow_cut_enclosed_least: float = threshold(
        0.58,
        "share",
        "the same where a ball rolling over the liver cuts the hollow off from what lies beyond",
        "own choice, on 59 simulated livers whose lesions were not drawn: 5 % of them other tissue",
        least=0.0,
        most=1.0,
    )
    hollow_ball_mm: float = threshold(
        60.0,
        "mm",
        "radius of that ball",
        "own choice; wider than a lesion of 65 mm, so that it dips into its hollow by 10 mm",
        least=10.0,
        most=200.0,
    )
    hollow_even_per_mm: float = threshold(
        0.02,
        "1/mm",
        "where brightness, over the liver's, changes faster is an edge that parts hollows",
        "own choice; half the slope of the edge between liver and muscle after poor uptake",
        least=0.001,
        most=0.2,
    )
    hollow_core_mm: float = threshold(
        3.1,
        "mm",
        "a hollow goes this far from its edges somewhere",
        "own choice; a voxel of those the liver is found on, so that none is a hollow",
        least=0.0,
        most=20.0,
    )
    hollow_doubt_ml: float = threshold(
        35.0,
        "ml",
        "a round dark hollow of at least this volume, not quite enclosed, is doubtful: a lesion "
        "nobody drew may have been left out",
        "own choice; a ball of 41 mm",
        least=1.0,
        most=1000.0,
    )
    hollow_doubt_enclosed_least: float = threshold(
        0.4,
        "share",
        "it is so where the liver has this share of its surface, over how many times it is longer "
        "than wide",
        "own choice; 0.40 to 0.46 of three lesions left out of 67 simulated livers, above it in "
        "none of the other 64",
        least=0.0,
        most=1.0,
    )

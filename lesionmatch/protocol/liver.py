"""When a liver is plausible, and what its capsule, vessels and reference uptake are."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class LiverRules:
    """What makes a liver, its capsule, its vessels and its reference uptake."""

    volume_least_ml: float = threshold(
        450.0,
        "ml",
        "a liver below this volume, wholly inside the image, is implausible",
        "own choice; adult livers measure about 800 to 2500 ml, and surgeons leave a third, which "
        "grows; more than a kidney or most spleens",
        least=50.0,
        most=2000.0,
    )
    volume_cut_least_ml: float = threshold(
        300.0,
        "ml",
        "a liver below this volume, of which the MRI covers a part, is implausible",
        "own choice; half of what a whole liver has at least, about a kidney with its fat",
        least=0.0,
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
    drawn_dice_least: float = threshold(
        0.8,
        "",
        "a liver drawn on the PET/CT that overlaps less with the one found on the MRI is doubtful",
        "own choice; 10 mm of breathing between PET and CT leave about 0.9",
        least=0.0,
        most=1.0,
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
        "a region that differs in brightness by no more than this across its border is liver",
        "own choice; liver on either side of a fissure differs by less",
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
    brightness_least: float = threshold(
        1.4,
        "ratio",
        "a liver no brighter by this factor than where the brightest quarter of what lies around "
        "it begins is implausible",
        "own choice; 1.6 to 2.5 on 12 simulated livers, eight of them of poor uptake, 0.8 to 1.3 "
        "on four darkened to 0.35 as by iron; on a T2 image fat and spleen are brighter",
        least=0.0,
        most=5.0,
    )
    border_open_most: float = threshold(
        0.045,
        "share",
        "a larger part of the liver's surroundings, in one piece, without a border is doubtful: "
        "a lobe was lost there, or the liver leaked",
        "own choice; exceeded by 2 of 118 simulated livers outlined well, 10 of 20 outlined badly",
        least=0.0,
        most=1.0,
    )
    thickness_least: float = threshold(
        0.45,
        "ratio",
        "a liver whose largest inner ball is below this share of a ball of its volume is a shell",
        "own choice; 0.58 to 0.82 on simulated livers, 0.32 for fat under the skin on a T2 image",
        least=0.0,
        most=1.0,
    )
    side_left_most_mm: float = threshold(
        20.0,
        "mm",
        "a liver whose middle lies this far to the left of the body's is doubtful",
        "own choice; 44 in a mirrored image, 4 in what a right hepatectomy left",
        least=0.0,
        most=100.0,
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

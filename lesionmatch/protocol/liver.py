"""When a liver that was found is plausible, and what its capsule is."""

from dataclasses import dataclass

from lesionmatch.protocol.liver_outline import OutlineRules
from lesionmatch.protocol.liver_uptake import ReferenceRules
from lesionmatch.protocol.liver_vessels import VesselRules
from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class LiverRules(ReferenceRules, VesselRules, OutlineRules):
    """What makes a liver: here its plausibility and its capsule, by subject all else."""

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

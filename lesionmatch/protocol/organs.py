"""Thresholds of hot organs beside the liver, and of what they spill into it."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
class OrganRules:
    """What is an organ and no lesion, and how far it reaches."""

    outside_liver_mm: float = threshold(
        4.0,
        "mm",
        "uptake this far outside the mask is outside the liver",
        "own choice; masks carried from the MRI are wrong by 2 to 4 mm",
        least=0.0,
        most=15.0,
    )
    organ_core_mm: float = threshold(
        8.0,
        "mm",
        "hot uptake that reaches this far outside the mask is an organ, less far may be a lesion",
        "own choice; lesions at the edge of a wrong mask reach 7 mm out of it, gut 9 mm and more",
        least=0.0,
        most=30.0,
    )
    organ_inside_mm: float = threshold(
        6.0,
        "mm",
        "such an organ is followed this far into the mask",
        "own choice; masks carried from the MRI are wrong by 2 to 4 mm and may be shifted by 5",
        least=0.0,
        most=15.0,
    )
    organ_skirt_ratio: float = threshold(
        1.15,
        "ratio",
        "hot uptake outside is tumour reaching out where it is this much hotter inside near by",
        "own choice; a tumour that ends 8 mm out is 1.2 times as hot 4 mm further in",
        least=1.0,
        most=10.0,
    )
    organ_level_mm: float = threshold(
        6.0,
        "mm",
        "how hot an organ is, is read over a Gaussian of this width, its brightest voxels first",
        "own choice; about one resolution length, within an organ or a loop of gut",
        least=1.0,
        most=30.0,
    )
    organ_border_fraction: float = threshold(
        0.5,
        "fraction",
        "such an organ ends where uptake falls to this share of its height above the liver",
        "blur leaves half the height at a true border",
        least=0.1,
        most=0.9,
    )
    spill_reach_mm: float = threshold(
        13.5,
        "mm",
        "spill-in from organs is learned and taken off up to this far from them",
        "own choice; FWHM of 9 mm and 10 mm of breathing carry 1 % of an organ so far",
        least=3.0,
        most=40.0,
    )
    spill_plain_mm: float = threshold(
        4.0,
        "mm",
        "and learned only this far from cold edges, which would hide some of it",
        "own choice; half a resolution length",
        least=0.0,
        most=20.0,
    )
    neighbour_ratio: float = threshold(
        1.3,
        "ratio",
        "a neighbour this many times the liver is hot",
        "own choice",
        least=1.0,
        most=10.0,
    )
    own_depth_mm: float = threshold(
        3.0,
        "mm",
        "a hot region whose brightest voxel lies deeper than this belongs to the liver",
        "own choice; masks carried from the MRI are wrong by 2 to 4 mm",
        least=0.0,
        most=15.0,
    )
    own_share: float = threshold(
        0.2,
        "fraction",
        "so does one with more than this share of its liver deeper than spill-in reaches",
        "own choice; tumour that runs into a hotter neighbour",
        least=0.0,
        most=1.0,
    )
    spill_depth_mm: float = threshold(
        15.0,
        "mm",
        "spill-in, breathing and a wrong mask bring an organ no deeper than this",
        "own choice; breathing of 20 mm, or a mask wrong by 6 mm",
        least=0.0,
        most=40.0,
    )

"""Thresholds of what is read under the capsule, beside cold tissue."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
class CapsuleRules:
    """How the edge of a liver is taken off."""

    edge_cold_share: float = threshold(
        0.55,
        "fraction",
        "below this share of the liver's level lies more cold tissue than liver",
        "own choice; half way between fat or lung and liver",
        least=0.2,
        most=0.9,
    )
    edge_least_scatter: float = threshold(
        0.93,
        "fraction",
        "the edge is taken to scatter at least this part of what liver far from it does",
        "noise alone would be 0.6 to 0.95 of it, but anatomy has longer tails than noise",
        least=0.3,
        most=1.5,
    )
    capsule_smooth_mm: float = threshold(
        5.0,
        "mm",
        "under the capsule the liver's border is smoothed by a Gaussian of this standard deviation",
        "own measurement: a lesion moves the border less than at 4 mm, corners less than at 7",
        least=1.0,
        most=20.0,
    )
    capsule_level_mm: float = threshold(
        12.0,
        "mm",
        "and how cold it is outside is read over one of this",
        "own choice; lung and fat meet along the liver",
        least=3.0,
        most=50.0,
    )
    capsule_out_mm: float = threshold(
        11.0,
        "mm",
        "the edge is taken off from this far outside the border",
        "own choice; blur of a lesion under the capsule reaches no further",
        least=0.0,
        most=12.0,
    )
    capsule_in_mm: float = threshold(
        15.0,
        "mm",
        "to this far inside; beyond both all that is cold is filled",
        "own choice; further in an edge is not felt",
        least=0.0,
        most=16.0,
    )
    capsule_learned_mm: float = threshold(
        10.0,
        "mm",
        "and is learned up to this far outside the mask",
        "own choice; masks carried from the MRI are wrong by 2 to 4 mm and may be shifted by 5",
        least=0.0,
        most=30.0,
    )
    capsule_far_mm: float = threshold(
        6.0,
        "mm",
        "cold tissue is read further than this from the border",
        "own choice; less than a tenth of the liver blurs so far",
        least=0.0,
        most=30.0,
    )
    capsule_most_cold: float = threshold(
        0.4,
        "fraction",
        "and is taken to have at most this share of the uptake of liver",
        "own choice; simulated soft tissue has 0.05 to 0.3",
        least=0.05,
        most=0.9,
    )
    capsule_cold_mm: float = threshold(
        8.0,
        "mm",
        "what is cold deeper than this is a vessel or a cyst, not the outside",
        "own choice; masks carried from the MRI are wrong by 2 to 4 mm and may be shifted by 5",
        least=0.0,
        most=30.0,
    )
    capsule_reach_mm: float = threshold(
        9.0,
        "mm",
        "nearer than this to the cold the image with the edge taken off is asked, too",
        "own measurement: two thirds of the false foci it makes, and few lesions, lie further in",
        least=0.0,
        most=30.0,
    )
    capsule_near_mm: float = threshold(
        4.0,
        "mm",
        "and the filled image this near by, as filling moves a peak inwards",
        "own choice; half a resolution length",
        least=0.0,
        most=15.0,
    )
    capsule_lift_sd: float = threshold(
        1.1,
        "SD",
        "a peak in the former is believed where the latter is lower by no more than this",
        "own measurement: of 100 places that only the former shows most are below 1 in the latter",
        least=0.0,
        most=20.0,
    )
    capsule_both_sd: float = threshold(
        -0.1,
        "SD",
        "added to what is seen in the former, whose edges have longer tails than noise",
        "own measurement: 5 in 100 lesions more; at 0.15 some 0.02 false foci a liver, too",
        least=-5.0,
        most=2.0,
    )

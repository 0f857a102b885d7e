"""Thresholds of the foci part."""

from dataclasses import dataclass

from lesionmatch.protocol.background import BackgroundRules
from lesionmatch.protocol.capsule import CapsuleRules
from lesionmatch.protocol.organs import OrganRules
from lesionmatch.protocol.statistic import StatisticRules
from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class FociRules(BackgroundRules, OrganRules, CapsuleRules, StatisticRules):
    """When uptake stands out of a liver's own noise, and how far it reaches."""

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
    dip_fraction: float = threshold(
        0.74,
        "fraction",
        "between two foci uptake falls below this share of the fainter one's height",
        "Rayleigh's criterion for two equal points",
        least=0.3,
        most=0.95,
    )
    dip_sd: float = threshold(
        2.5,
        "SD",
        "and by at least this many standard deviations of the lightly smoothed image",
        "own measurement: 2 of 275 single sources, large or hollow, became two foci; at 2.0 large "
        "faint ones do",
        least=0.0,
        most=10.0,
    )
    floor_sd: float = threshold(
        3.0,
        "SD",
        "a dip to this height above the liver always divides: below it grain joins everything",
        "own choice; 0.1 % of lesion-free voxels lie above",
        least=1.0,
        most=6.0,
    )
    shoulder_mm: float = threshold(
        8.0,
        "mm",
        "tumour this far from a focus it runs into, without a peak of its own, belongs to it",
        "own choice; one resolution length, so that no lesion's own blur reaches there",
        least=2.0,
        most=30.0,
    )
    shoulder_ml: float = threshold(
        1.0,
        "ml",
        "where there is so much of it",
        "own choice; a sphere of 12 mm",
        least=0.1,
        most=50.0,
    )
    neighbour_depth_mm: float = threshold(
        10.0,
        "mm",
        "a focus whose peak or half of whose extent is deeper has no physiologic neighbour",
        "own choice; at a FWHM of 7 mm and 10 mm of breathing 1.5 % of a neighbour reaches so deep",
        least=0.0,
        most=30.0,
    )
    neighbour_slope_mm: float = threshold(
        15.0,
        "mm",
        "where the image has no peak but rises on towards a hot neighbour, one so deep may have it",
        "own choice; breathing of 20 mm, or a mask wrong by 6 mm, brings an organ so deep",
        least=0.0,
        most=40.0,
    )
    spill_dip_fraction: float = threshold(
        0.8,
        "fraction",
        "between a focus and a hotter neighbour uptake falls below this share of its height",
        "own choice; Rayleigh's criterion for two equal points is a dip to 0.74",
        least=0.3,
        most=1.0,
    )
    spill_dip_sd: float = threshold(
        1.5,
        "SD",
        "and by at least this many standard deviations; what falls by less is what that spills in",
        "own measurement: of 11 such peaks without a lesion none fell by more than 0.8",
        least=0.0,
        most=10.0,
    )
    undecided_mm: float = threshold(
        4.0,
        "mm",
        "beside a hot neighbour a focus above this depth may be liver or neighbour",
        "own measurement: false foci lie 3 to 4 mm inside a shifted mask",
        least=0.0,
        most=15.0,
    )
    adrenal_depth_mm: float = threshold(
        3.0,
        "mm",
        "a focus above this depth where the right adrenal gland touches the liver may be the gland",
        "own choice; the mask and the registration are wrong by about as much",
        least=0.0,
        most=15.0,
    )
    adrenal_most_ratio: float = threshold(
        2.5,
        "ratio",
        "and is it up to this many times liver",
        "own choice: a gland is 4 mm thick, and blur leaves it that; two had 1.3 and 1.9",
        least=1.0,
        most=100.0,
    )
    adrenal_reach_mm: float = threshold(
        15.0,
        "mm",
        "which way the surface faces is read over this around",
        "own choice; the length of the gland",
        least=5.0,
        most=40.0,
    )
    adrenal_behind: float = threshold(
        0.85,
        "fraction",
        "that is behind this share of the way through the liver from front to back",
        "anatomy: the bare area; two glands on simulated bodies lay at 0.95 and 0.97",
        least=0.0,
        most=1.0,
    )
    adrenal_lowest: float = threshold(
        0.3,
        "fraction",
        "above this share of its height",
        "anatomy: the gland lies on top of the kidney; two lay at 0.44 and 0.48",
        least=0.0,
        most=1.0,
    )
    adrenal_highest: float = threshold(
        0.7,
        "fraction",
        "and below this one",
        "anatomy: above it there is the diaphragm",
        least=0.0,
        most=1.0,
    )
    neighbour_reach_mm: float = threshold(
        12.0,
        "mm",
        "a hot neighbour is looked for this far around",
        "own choice; the mask's error and one width of resolution",
        least=0.0,
        most=40.0,
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
    least_fwhm_mm: float = threshold(
        4.0,
        "mm",
        "a narrower edge of the liver is not believed",
        "no clinical 68Ga image is sharper",
        least=1.0,
        most=10.0,
    )
    most_fwhm_mm: float = threshold(
        12.0,
        "mm",
        "a wider edge of the liver is not believed: something else blurs it",
        "EARL-1 at its lower limit is 10.4 mm",
        least=5.0,
        most=30.0,
    )

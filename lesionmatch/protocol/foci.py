"""Thresholds of the foci part."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class FociRules:
    """When uptake stands out of a liver's own noise, and how far it reaches."""

    least_z: float = threshold(
        4.95,
        "SD",
        "a peak this many standard deviations above the liver around it is a focus, once what its "
        "scale adds is added",
        "own measurement: some 0.03 false foci a lesion-free liver, at 0.1 less 0.05",
        least=3.0,
        most=20.0,
    )
    rarer_fine_sd: float = threshold(
        -0.2,
        "SD",
        "added to what is seen at the finest of three scales: the same height is less rare there",
        "most chance peaks, and fewest lesions stand out best there",
        least=-2.0,
        most=2.0,
    )
    rarer_middle_sd: float = threshold(
        0.0,
        "SD",
        "added to what is seen at the middle of three scales: the one that others are compared to",
        "own choice",
        least=-2.0,
        most=2.0,
    )
    rarer_wide_sd: float = threshold(
        0.05,
        "SD",
        "added to what is seen at the widest of three scales: the same height is more rare there",
        "a Gaussian field of this width alone allows 0.2 more; slow unevenness of the liver less",
        least=-2.0,
        most=2.0,
    )
    left_out_z: float = threshold(
        4.0,
        "SD",
        "what stands this high at a first look may be a lesion and does not tell the noise",
        "own choice; lesion-free livers hold about two such peaks, too few to lower the noise",
        least=2.0,
        most=10.0,
    )
    left_out_mm: float = threshold(
        12.0,
        "mm",
        "nor does what lies this near to it",
        "own choice; blur of a lesion and most of what its surround takes off end there",
        least=0.0,
        most=40.0,
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
    dip_fraction: float = threshold(
        0.8,
        "fraction",
        "between two foci uptake falls below this share of the fainter one's height",
        "own choice; Rayleigh's criterion for two equal points is a dip to 0.74",
        least=0.3,
        most=0.95,
    )
    dip_sd: float = threshold(
        4.0,
        "SD",
        "and by at least this many standard deviations of the lightly smoothed image",
        "own measurement: large uniform lesions stay one focus",
        least=0.0,
        most=10.0,
    )
    far_mm: float = threshold(
        12.0,
        "mm",
        "two peaks further apart than this are looked at twice more for a dip between them",
        "own choice; nearer, the smoothing that calms the grain would fill the dip",
        least=0.0,
        most=100.0,
    )
    calm_mm: float = threshold(
        3.0,
        "mm",
        "one look is at the image smoothed further by a Gaussian of this standard deviation",
        "own choice; the grain of 5 mm is halved, a valley between far peaks is not filled",
        least=0.5,
        most=10.0,
    )
    valley_radius_mm: float = threshold(
        4.0,
        "mm",
        "the other along the line between them, at the mean over a disc of this radius",
        "own choice; about one grain of noise to each side",
        least=1.0,
        most=15.0,
    )
    valley_fraction: float = threshold(
        0.7,
        "fraction",
        "on the line between two far peaks the mean across falls below this share of the height",
        "own choice; below Rayleigh's 0.74, as there is one line and many ways around",
        least=0.1,
        most=0.95,
    )
    valley_sd: float = threshold(
        6.0,
        "SD",
        "and by at least this many standard deviations of that mean",
        "own measurement: uniform lesions of up to 60 mm stay one focus",
        least=0.0,
        most=20.0,
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
    undecided_mm: float = threshold(
        4.0,
        "mm",
        "beside a hot neighbour a focus above this depth may be liver or neighbour",
        "own measurement: false foci lie 3 to 4 mm inside a shifted mask",
        least=0.0,
        most=15.0,
    )
    neighbour_reach_mm: float = threshold(
        12.0,
        "mm",
        "a hot neighbour is looked for this far around",
        "own choice; the mask's error and one width of resolution",
        least=0.0,
        most=40.0,
    )
    neighbour_ratio: float = threshold(
        1.3,
        "ratio",
        "a neighbour this many times the liver is hot",
        "own choice",
        least=1.0,
        most=10.0,
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
    usual_liver_suv: float = threshold(
        5.0,
        "SUV",
        "uptake of the lesion-free liver is looked for around this, and is this if none is left",
        "published means: 4.8 (DOTATATE and DOTANOC, range 2.3 to 12.4), 5.6 (DOTATOC)",
        least=1.0,
        most=20.0,
    )
    usual_liver_log_sd: float = threshold(
        0.4,
        "ln SUV",
        "and spreads about it by this",
        "the published range is two standard deviations to either side",
        least=0.05,
        most=2.0,
    )
    most_liver_suv: float = threshold(
        13.0,
        "SUV",
        "a liver above this is tumour throughout",
        "just above the published range",
        least=2.0,
        most=100.0,
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

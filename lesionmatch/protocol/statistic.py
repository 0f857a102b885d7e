"""Thresholds of what stands out of a liver's own noise: where noise, edges and organs are told."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class StatisticRules:
    """How far a place stands above the liver around it."""

    least_z: float = threshold(
        4.9,
        "SD",
        "a peak this many standard deviations above the liver around it is a focus, once what its "
        "scale adds is added",
        "own measurement: 0.03 false foci in 1.5 l of noise, skewed, of two grains, or neither",
        least=3.0,
        most=20.0,
    )
    fine_centre_mm: float = threshold(
        1.2,
        "mm",
        "standard deviation of the centre of the finer of two scales",
        "own measurement: suits foci of 5 to 8 mm; a third scale costs what it gains",
        least=0.5,
        most=20.0,
    )
    wide_centre_mm: float = threshold(
        3.5,
        "mm",
        "and of the wider",
        "own measurement: suits foci from 10 mm on",
        least=0.5,
        most=20.0,
    )
    surround_mm: float = threshold(
        10.0,
        "mm",
        "standard deviation of the surround that is taken off",
        "own choice; wider holds more of the unevenness of a liver, narrower of the lesion itself",
        least=2.0,
        most=40.0,
    )
    usual_places: float = threshold(
        450.0,
        "places",
        "heights are brought to what would be as rare by chance among so many places of a liver",
        "own measurement: 0.025 false foci in 1.5 l of noise, which has 900 and 280 places",
        least=1.0,
        most=100000.0,
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
    deep_mm: float = threshold(
        8.0,
        "mm",
        "the liver's level and noise are taken deeper than this",
        "own choice; no blur from outside reaches there",
        least=0.0,
        most=30.0,
    )
    inner_mm: float = threshold(
        4.0,
        "mm",
        "the local background is taken deeper than this",
        "own choice; masks carried from the MRI are wrong by 2 to 4 mm",
        least=0.0,
        most=30.0,
    )
    quiet_share: float = threshold(
        0.05,
        "fraction",
        "with less of the deep liver free of tumour the noise is taken up to the capsule",
        "own choice",
        least=0.0,
        most=1.0,
    )
    calm_edge_mm: float = threshold(
        12.0,
        "mm",
        "the noise is told further than this from what is cold",
        "own choice; anatomy adds little to it there",
        least=0.0,
        most=40.0,
    )
    calm_share: float = threshold(
        0.15,
        "fraction",
        "where there is more than this share of the quiet liver",
        "own choice",
        least=0.0,
        most=1.0,
    )
    calm_ml: float = threshold(
        200.0,
        "ml",
        "and more than this much; else all quiet liver tells it",
        "own choice; independent places of the widest scale hold 7 ml: noise known to 15 %",
        least=0.0,
        most=2000.0,
    )
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
    mixed_share: float = threshold(
        0.07,
        "fraction",
        "no liver is seen where more than this lies a quarter below its level, and as much above",
        "own measurement: both above 0.12 where tumour was taken for liver, else below 0.04",
        least=0.0,
        most=1.0,
    )
    lifted_share: float = threshold(
        0.5,
        "fraction",
        "where more than this lies a quarter above the level, tumour's blur has lifted the level",
        "own measurement: by 5 to 38 % in six livers of which half and three quarters are tumour",
        least=0.0,
        most=1.0,
    )
    least_share: float = threshold(
        0.01,
        "fraction",
        "then, and where no liver is seen, it has no more uptake than this part of the image",
        "own measurement: 0.85 to 1.11 of the liver where 50 to 75 % is tumour; at 0.05 up to 1.79",
        least=0.0,
        most=0.5,
    )
    cold_ratio: float = threshold(
        0.4,
        "ratio",
        "what has less than this share of the liver's uptake is blood, bile, cyst or necrosis",
        "own choice; blood has 0.2 to 0.3",
        least=0.0,
        most=0.75,
    )
    cold_core_sd: float = threshold(
        4.0,
        "SD",
        "a cold region has a core this far below the background",
        "own choice; vessels and cysts reach it, a dip of noise rarely does",
        least=0.0,
        most=20.0,
    )
    cold_sd: float = threshold(
        2.5,
        "SD",
        "and goes on from it to where it is this far below",
        "own choice",
        least=0.0,
        most=20.0,
    )
    odd_sd: float = threshold(
        2.5,
        "SD",
        "places this far from the background are left out of it",
        "own choice; one in a hundred of noise",
        least=1.0,
        most=10.0,
    )
    hot_core_sd: float = threshold(
        7.0,
        "SD",
        "a hot region has a core this far above the background",
        "own choice; what a wide faint lesion reaches, and noise never",
        least=3.0,
        most=30.0,
    )
    hot_skirt_sd: float = threshold(
        2.0,
        "SD",
        "and reaches down to this far above it",
        "own choice",
        least=0.0,
        most=10.0,
    )
    hot_skirt_mm: float = threshold(
        8.0,
        "mm",
        "but no further than this from its core",
        "own choice; further out it would follow the grain",
        least=0.0,
        most=30.0,
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
    least_noise: float = threshold(
        0.002,
        "fraction",
        "a lightly smoothed liver whose grain is less than this of its uptake was never acquired",
        "own choice; acquired ones have 0.03 and more",
        least=0.0,
        most=0.02,
    )

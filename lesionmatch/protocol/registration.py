"""When a registration is trusted."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold

_FITS = "of several tried, least error on simulated studies, other seeds than reported"
_SEEDS = "set on simulated studies, other seeds than reported (scripts/bench registration)"


@dataclass(frozen=True, slots=True)
class RegistrationRules:
    """When a stage is kept, and when the whole is doubtful."""

    surface_fit_outside_weight: float = threshold(
        0.5,
        "ratio",
        "the deformation's fit that trusts the surface: what a voxel outside the liver counts "
        "for, where one deep inside counts for 1 (CT)",
        _FITS,
        least=0.0,
        most=1.0,
    )
    surface_fit_surface_weight: float = threshold(
        1.0,
        "ratio",
        "the same of a voxel at the liver's surface, from inside",
        _FITS,
        least=0.0,
        most=1.0,
    )
    vessel_fit_outside_weight: float = threshold(
        0.05,
        "ratio",
        "the fit that trusts the vessels: what a voxel outside the liver counts for (CT)",
        _FITS,
        least=0.0,
        most=1.0,
    )
    vessel_fit_surface_weight: float = threshold(
        0.1,
        "ratio",
        "the same of a voxel at the liver's surface, from inside",
        _FITS,
        least=0.0,
        most=1.0,
    )
    pet_outside_weight: float = threshold(
        0.2,
        "ratio",
        "both fits to a PET: what a voxel outside the liver counts for",
        _FITS,
        least=0.0,
        most=1.0,
    )
    stage_gain_errors: float = threshold(
        0.0,
        "standard errors",
        "a stage is kept when the liver's unseen voxels gain more than this",
        "rather better than not: deformations that lowered the error of simulated studies by 0.3 "
        "to 3 mm gained 2.0 to 14",
        least=-10.0,
        most=10.0,
    )
    sure_gain_errors: float = threshold(
        2.0,
        "standard errors",
        "a deformation that gains less is doubted, where no pattern of vessels is known (PET)",
        "own choice; two standard errors, one chance in forty",
        least=-10.0,
        most=10.0,
    )
    least_jacobian: float = threshold(
        0.65,
        "ratio",
        "a deformation that shrinks liver below this is not trusted",
        _SEEDS,
        least=0.0,
        most=1.0,
    )
    most_jacobian: float = threshold(
        1.35,
        "ratio",
        "a deformation that stretches liver above this is not trusted",
        _SEEDS,
        least=1.0,
        most=5.0,
    )
    least_sure_jacobian: float = threshold(
        0.5,
        "ratio",
        "the same where the liver's own pattern agrees surely",
        "own choice; halving a volume is far from folding",
        least=0.0,
        most=1.0,
    )
    most_sure_jacobian: float = threshold(
        1.6,
        "ratio",
        "the same where the liver's own pattern agrees surely",
        "own choice; a single voxel may stretch so",
        least=1.0,
        most=5.0,
    )
    most_displacement_p95_mm: float = threshold(
        9.0,
        "mm",
        "a 95th percentile of the deformation in the liver above this is doubtful",
        _SEEDS,
        least=1.0,
        most=50.0,
    )
    most_sure_displacement_p95_mm: float = threshold(
        12.0,
        "mm",
        "the same where the liver's own pattern agrees surely",
        "own choice; livers simulated with 10 mm of deformation reach 10",
        least=1.0,
        most=50.0,
    )
    least_probe_ratio: float = threshold(
        2.2,
        "ratio",
        "mutual information over the best of shifted maps, below which it is doubtful where too "
        "little is seen for a pattern",
        _SEEDS,
        least=1.0,
        most=10.0,
    )
    probe_shift_mm: float = threshold(
        20.0,
        "mm",
        "how far off those maps are",
        "own choice; a right map is better than one so far off, a wrong one need not be",
        least=1.0,
        most=100.0,
    )
    liver_low_hu: float = threshold(
        20.0,
        "HU",
        "a liver darker than this on the CT is doubtful where too little is seen for a pattern",
        "own choice; a fatty liver of 0 to 20 HU has its pattern",
        least=-100.0,
        most=100.0,
    )
    liver_high_hu: float = threshold(
        190.0,
        "HU",
        "a liver brighter than this on the CT is doubtful there too",
        "own choice; portal venous liver is 90 to 130 HU",
        least=100.0,
        most=400.0,
    )
    least_coverage: float = threshold(
        0.80,
        "ratio",
        "a share of the liver on the target below this is doubtful",
        "own choice",
        least=0.0,
        most=1.0,
    )
    lung_hu: float = threshold(
        -400.0,
        "HU",
        "where a CT, averaged, is darker than this, its PET does not say where the liver lies",
        "half way from lung to liver: the PET is corrected there for the attenuation of lung",
        least=-1000.0,
        most=0.0,
    )
    lung_averaged_mm: float = threshold(
        6.0,
        "mm",
        "full width at half maximum of what of the CT is averaged for it",
        "own choice; about that of a PET",
        least=0.0,
        most=50.0,
    )
    least_pet_offset_mm: float = threshold(
        0.7,
        "mm",
        "a liver that lies this far off between PET and CT is corrected for",
        "simulated studies: the estimate is off by 0.4 mm on average",
        least=0.0,
        most=20.0,
    )
    most_cut_length_share: float = threshold(
        0.40,
        "ratio",
        "a share of the liver's length beyond the MRI's end above this is doubtful, else said",
        "simulated livers cut at 5 to 60 % of their length, other seeds than reported: a fifth "
        "measures 0.08 to 0.33 on three simulators, half of it along or across the body from 0.43",
        least=0.0,
        most=1.0,
    )
    least_doubted_cut_share: float = threshold(
        0.10,
        "ratio",
        "a share of the liver's volume beyond the MRI's end that is no doubt, whatever its length",
        "own choice; half livers measure 0.23 and more",
        least=0.0,
        most=1.0,
    )
    least_said_cut_share: float = threshold(
        0.02,
        "ratio",
        "a share of the liver beyond the MRI's end from which it is said",
        "own choice; a full scan measures 0, the estimate is off by about 0.02",
        least=0.0,
        most=1.0,
    )
    least_pattern_errors: float = threshold(
        6.5,
        "SD",
        "vessels and lesions within the liver agree under the map, in standard deviations of "
        "shifted maps; less is doubtful (CT)",
        "simulated studies and three other simulators: 40 of 41 wrong pairs reach 3.1, a mirrored "
        "one 5.2, of 34 others one 5.4; of 47 right ones one has 7.7, the others 9.7 and more (by "
        "shifts not of whole voxels; with these right ones are a fifth higher)",
        least=0.0,
        most=100.0,
    )
    least_half_errors: float = threshold(
        1.0,
        "SD",
        "the same in the half of the liver where it is least; less is doubtful (CT)",
        "own choice; of 81 wrong pairs one reaches 6.5 in the whole and has -0.4 in that half, of "
        "47 right ones the least has 2.9",
        least=-100.0,
        most=100.0,
    )
    sure_half_errors: float = threshold(
        3.0,
        "SD",
        "the same in every half of the liver, from which the deformation may go further",
        "simulated studies, other seeds than reported, and three other simulators: 41 wrong pairs "
        "reach 1.9, of 46 right ones all but one have 3.7 and more",
        least=0.0,
        most=100.0,
    )
    pattern_depth_mm: float = threshold(
        8.0,
        "mm",
        "what lies so deep in the liver counts for that agreement",
        "own choice; the capsule no longer blurs into a voxel of 3 mm there",
        least=0.0,
        most=50.0,
    )
    pattern_averaged_mm: float = threshold(
        6.0,
        "mm",
        "full width at half maximum of what of the CT is averaged for it",
        "4, 5 and 6 tell pairs apart alike; noise asks for more, thin vessels for less",
        least=0.0,
        most=50.0,
    )
    pattern_level_mm: float = threshold(
        21.0,
        "mm",
        "width of the cube whose mean is the level that is taken off",
        "own choice; wider than a large vessel, narrower than a segment",
        least=3.0,
        most=200.0,
    )
    pattern_held_sd: float = threshold(
        6.0,
        "SD",
        "what is left of the MRI is held within this of its median, or single lesions would decide",
        "own choice; vessels are within it",
        least=1.0,
        most=100.0,
    )
    pattern_held_target_sd: float = threshold(
        4.0,
        "SD",
        "and what is left of the CT, most of which is noise, within this",
        "own choice",
        least=1.0,
        most=100.0,
    )
    pattern_window_hu: float = threshold(
        100.0,
        "HU",
        "the CT is held so near to the liver's median",
        "own choice; vessels and lesions lie within, calcium and fat beyond",
        least=1.0,
        most=1000.0,
    )
    pattern_shift_mm: float = threshold(
        14.0,
        "mm",
        "how far the shifted maps lie off",
        "own choice; more than a large vessel's width, so that none still meets itself",
        least=1.0,
        most=100.0,
    )
    pattern_far_shift_mm: float = threshold(
        20.0,
        "mm",
        "and as many others",
        "own choice; so far off chance is another",
        least=1.0,
        most=100.0,
    )
    fat_reach_mm: float = threshold(
        5.0,
        "mm",
        "so near to fat in the porta or a fissure nothing counts for that agreement",
        "own choice; every liver has such pockets, and laid one on the other they agree better "
        "than any vessels",
        least=0.0,
        most=30.0,
    )
    fat_mri_share: float = threshold(
        0.3,
        "ratio",
        "fat has less than this share of the liver's signal on the MRI",
        "own choice; vessels have more",
        least=0.0,
        most=1.0,
    )
    fat_hu: float = threshold(
        10.0,
        "HU",
        "fat, averaged with what is about it, has less than this on a CT",
        "own choice; cysts hardly do",
        least=-200.0,
        most=100.0,
    )
    fat_below_hu: float = threshold(
        40.0,
        "HU",
        "and less than the liver by this",
        "own choice; a fatty liver has 20 to 40 HU itself",
        least=0.0,
        most=200.0,
    )
    cut_averaged_mm: float = threshold(
        8.0,
        "mm",
        "full width at half maximum of what is averaged to follow a liver beyond the MRI",
        "own choice; 60 HU of noise in voxels of 3 mm become 8",
        least=0.0,
        most=50.0,
    )
    cut_like_share: float = threshold(
        0.05,
        "ratio",
        "what counts as liver beyond the MRI lies this near to the liver's own, in windows (20 HU)",
        "own choice; fat and air lie further away, and liver seldom varies by more",
        least=0.0,
        most=1.0,
    )
    cut_uptake_share: float = threshold(
        0.5,
        "ratio",
        "and has at least this share of the liver's own uptake on the PET",
        "own choice; half way down the edge of what takes up nothing",
        least=0.0,
        most=1.0,
    )
    cut_least_face_mm2: float = threshold(
        500.0,
        "mm²",
        "a tip cut smaller than this says nothing of how far a liver goes on",
        "own choice; 25 mm across",
        least=0.0,
        most=100000.0,
    )
    cut_depth_quantile: float = threshold(
        0.75,
        "ratio",
        "how far a liver goes on is told from the depth by which this share of columns has ended",
        "own choice; a quarter may run on into what lies beyond the liver",
        least=0.01,
        most=1.0,
    )
    most_peak_ratio: float = threshold(
        0.8,
        "ratio",
        "a second place that fits this nearly as well as the first is doubtful there too",
        _SEEDS,
        least=0.0,
        most=1.0,
    )
    most_rotation_deg: float = threshold(
        15.0,
        "degrees",
        "a liver that would have to be turned by more is doubtful",
        "own choice: a patient lies on the back in both scanners, and 8 degrees are much; 44 right "
        "pairs of other simulators were turned by up to 12, one upside down, otherwise good, by 18",
        least=1.0,
        most=180.0,
    )
    least_volume_ratio: float = threshold(
        0.75,
        "ratio",
        "a liver that would have to shrink below this is doubtful",
        _SEEDS,
        least=0.1,
        most=1.0,
    )
    most_volume_ratio: float = threshold(
        1.3,
        "ratio",
        "a liver that would have to grow above this is doubtful",
        _SEEDS,
        least=1.0,
        most=5.0,
    )
    least_information_nats: float = threshold(
        0.22,
        "nats",
        "mutual information of MRI and CT about the liver, below which it is doubtful where too "
        "little of it is seen for a pattern",
        _SEEDS,
        least=0.0,
        most=2.0,
    )
    most_pet_offset_mm: float = threshold(
        15.0,
        "mm",
        "a liver that seems to lie further off than this between PET and CT is doubtful",
        "breathing moves a liver by 10 to 25 mm, its mean position by less (own choice)",
        least=2.0,
        most=50.0,
    )

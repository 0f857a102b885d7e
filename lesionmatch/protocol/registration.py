"""When a registration is trusted."""

from dataclasses import dataclass

from lesionmatch.protocol.registration_cut import CutRules
from lesionmatch.protocol.registration_pattern import PatternRules
from lesionmatch.protocol.threshold import threshold

_FITS = "of several tried, least error on simulated studies, other seeds than reported"
_SEEDS = "set on simulated studies, other seeds than reported (scripts/bench registration)"


@dataclass(frozen=True, slots=True)
class RegistrationRules(CutRules, PatternRules):
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
    stage_averaged_mm: float = threshold(
        4.0,
        "mm",
        "full width at half maximum of what of the target is averaged before a stage is judged",
        "own choice; grain is averaged, a vessel of 4 mm is still seen",
        least=0.0,
        most=20.0,
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
        2.0,
        "ratio",
        "the same where the liver's own pattern agrees surely",
        "own choice; doubling a volume, as halving one, is far from folding",
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

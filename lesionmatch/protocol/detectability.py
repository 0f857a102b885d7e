"""Thresholds of the detectability part."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class DetectabilityRules:
    """What a lesion of a given size and uptake is expected to show on the PET."""

    unprompted_cnr: float = threshold(
        5.0,
        "ratio",
        "a lesion of this contrast-to-noise is found without knowing where to look",
        "Rose criterion; a Gaussian field over 1.5 l gives 0.05 false peaks at this height",
        least=1.0,
        most=20.0,
    )
    unprompted_cnr_sd: float = threshold(
        1.0,
        "ratio",
        "noise and unevenness scatter the contrast-to-noise of a lesion by this",
        "the standard deviation of a voxel is 1 by definition",
        least=0.1,
        most=5.0,
    )
    grain_fwhm_mm: float = threshold(
        5.0,
        "mm",
        "width of the grain of a PET's noise, for the chance that a lesion is found",
        "own choice; the filter of a customary reconstruction is 4 to 6 mm wide",
        least=1.0,
        most=15.0,
    )
    prompted_cnr: float = threshold(
        3.0,
        "ratio",
        "a lesion of this contrast-to-noise is found once the MRI says where to look",
        "a Gaussian field within 10 mm of a lesion gives 0.13 false peaks at this height",
        least=0.5,
        most=20.0,
    )
    typical_ratio: float = threshold(
        3.4,
        "ratio",
        "the mean tumour-to-liver ratio of a liver metastasis",
        "Prasad and Baum 2010: 3.4 (SD 2.3) in 200 lesions",
        least=1.1,
        most=50.0,
    )
    typical_ratio_sd: float = threshold(
        2.3,
        "ratio",
        "the standard deviation of that ratio among metastases",
        "Prasad and Baum 2010: 3.4 (SD 2.3) in 200 lesions",
        least=0.1,
        most=50.0,
    )
    breathing_mm: float = threshold(
        8.0,
        "mm",
        "peak-to-peak breathing blur along the body where the study does not say",
        "own choice; the quiet liver moves 5 to 25 mm",
        least=0.0,
        most=40.0,
    )
    customary_cov: float = threshold(
        0.12,
        "ratio",
        "the coefficient of variation of a liver on a scan of customary quality",
        "own choice; 0.16 is just acceptable (EJNMMI Res 2020, 10.1186/s13550-020-0601-y)",
        least=0.01,
        most=1.0,
    )
    edge_cnr: float = threshold(
        1.0,
        "ratio",
        "contrast-to-noise that being found beside a colder neighbour costs on top of its deficit",
        "own simulations: about 1 with the centre 3 to 6 mm deep",
        least=0.0,
        most=10.0,
    )
    outside_ratio: float = threshold(
        0.1,
        "ratio",
        "uptake of what lies beyond the capsule (fat, lung, muscle) over that of the liver",
        "own choice; fat, lung and muscle take up little beside the liver",
        least=0.0,
        most=1.0,
    )
    blood_ratio: float = threshold(
        0.4,
        "ratio",
        "uptake of a large vessel over that of the liver",
        "Prasad and Baum 2010: blood pool 2.6, liver 6.9",
        least=0.0,
        most=1.0,
    )

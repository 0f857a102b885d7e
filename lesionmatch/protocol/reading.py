"""Thresholds of the reading part: what input is taken, and what numbers are believed."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class InputLimits:
    """How much is read before a folder is refused."""

    file_mb: float = threshold(
        2000.0,
        "MB",
        "a larger file, or member of an archive, is not read",
        "own choice; a whole-body CT in one enhanced file is below 1 GB",
        least=1.0,
        most=100000.0,
    )
    files: float = threshold(
        200000.0,
        "files",
        "a folder with more files is refused",
        "own choice; a study has below 10,000",
        least=10.0,
        most=1e7,
    )
    volume_mb: float = threshold(
        4000.0,
        "MB",
        "an image that would take more in memory is refused",
        "own choice; 512 x 512 x 2000 voxels of 4 bytes are 2.1 GB",
        least=1.0,
        most=100000.0,
    )
    inflated_mb: float = threshold(
        512.0,
        "MB",
        "a file that is deflated as a whole and inflates to more is not read",
        "own choice; that transfer syntax is used for segmentations and reports",
        least=1.0,
        most=100000.0,
    )
    header_mb: float = threshold(
        100.0,
        "MB",
        "a file with a longer header is not read",
        "own choice; 10,000 frames of an enhanced image have below 50 MB",
        least=1.0,
        most=10000.0,
    )
    headers_mb: float = threshold(
        2000.0,
        "MB",
        "a folder with more headers than this is refused",
        "own choice; 10,000 files with 100 kB of private attributes each have 1,000 MB",
        least=1.0,
        most=100000.0,
    )
    header_elements: float = threshold(
        1e6,
        "elements",
        "a file with a header of more elements is not read",
        "own choice; 10,000 frames of an enhanced image have some 600,000",
        least=1000.0,
        most=1e8,
    )
    zip_mb: float = threshold(
        40000.0,
        "MB",
        "a zip that would inflate to more is refused",
        "own choice; twenty files of the largest size",
        least=1.0,
        most=1e6,
    )
    inflation: float = threshold(
        200.0,
        "ratio",
        "a member of an archive that inflates by more, and above 16 MB, is not read",
        "own choice; images deflate by 2 to 10, empty masks by up to 1,000 but stay small",
        least=10.0,
        most=1e6,
    )


@dataclass(frozen=True, slots=True)
class SeriesRules:
    """When slices make a volume, and when a series is taken for the hepatobiliary phase."""

    gap_tolerance: float = threshold(
        0.01,
        "fraction",
        "gaps between slices may differ from their mean by this fraction",
        "own choice; headers round positions to 0.01 mm and better",
        least=0.0,
        most=0.2,
    )
    coarsest_position_mm: float = threshold(
        0.1,
        "mm",
        "slices that are uneven by no more than the last decimal of their positions, if that is "
        "this or finer, were rounded",
        "own choice; some exporters write positions with one decimal",
        least=0.0,
        most=1.0,
    )
    shear: float = threshold(
        1e-3,
        "ratio",
        "a stack may drift sideways by this much of its length",
        "highdicom's own tolerance; 0.3 mm over a liver",
        least=0.0,
        most=0.1,
    )
    least_pixel_mm: float = threshold(
        0.05,
        "mm",
        "a volume of smaller pixels is refused",
        "own choice; the finest body images have 0.3 mm",
        least=0.001,
        most=1.0,
    )
    most_pixel_mm: float = threshold(
        30.0,
        "mm",
        "a volume of larger pixels is refused",
        "own choice; the coarsest PET has 8 mm",
        least=5.0,
        most=1000.0,
    )
    least_usual_hu: float = threshold(
        -3100.0,
        "HU",
        "a CT whose median is below this is refused",
        "own choice; scanners pad what they did not see with -1024 to -3024",
        least=-1e5,
        most=-1100.0,
    )
    most_usual_hu: float = threshold(
        1000.0,
        "HU",
        "a CT whose median is above this is refused",
        "own choice; the median voxel of a patient is fat, muscle or air",
        least=100.0,
        most=1e5,
    )
    hbp_least_score: float = threshold(
        5.0,
        "points",
        "a series with fewer points is not taken for the hepatobiliary phase",
        "own choice: a 3D gradient echo with fat saturation and short times alone has 3",
        least=1.0,
        most=20.0,
    )
    hbp_margin: float = threshold(
        1.0,
        "points",
        "the winner has at least this many points more than the next",
        "own choice",
        least=0.0,
        most=10.0,
    )
    hbp_near: float = threshold(
        6.0,
        "points",
        "series this near the best by their headers are compared by their images",
        "own choice: what images say moves two series apart by up to 7",
        least=0.0,
        most=20.0,
    )
    hbp_brighter: float = threshold(
        0.01,
        "fraction",
        "a liver brighter by this than in every other candidate may speak for a series",
        "own choice; another breath-hold of the same phase moves it by less",
        least=0.0,
        most=0.5,
    )
    hbp_darker: float = threshold(
        0.10,
        "fraction",
        "a liver darker by this than in another candidate speaks against a series",
        "own choice; a portal venous phase is 0.2 darker",
        least=0.0,
        most=0.9,
    )
    hbp_vessel_contrast: float = threshold(
        0.15,
        "fraction",
        "a place in the liver this much darker or brighter than around it stands out: a vessel, "
        "a duct or a lesion",
        "own choice; blood is 0.3 to 0.6 darker after good uptake of the contrast agent",
        least=0.02,
        most=0.9,
    )
    hbp_vessels: float = threshold(
        0.012,
        "fraction",
        "share of the liver that must stand out for its vessels to be bright, or dark beyond "
        "what is dark in every other candidate",
        "simulated examinations: 0.02 to 0.06 in the portal venous and hepatobiliary phase",
        least=0.0,
        most=0.2,
    )


@dataclass(frozen=True, slots=True)
class DrawnRules:
    """What drawn regions mean where they leave something open."""

    between_mm: float = threshold(
        10.0,
        "mm",
        "regions one above the other and farther apart than this are not filled in between",
        "own choice; three slices of a liver MRI, or every second one of a thick CT",
        least=0.0,
        most=50.0,
    )
    same_lesion: float = threshold(
        0.7,
        "fraction",
        "a lesion of which this share is drawn by others too is the same lesion again",
        "own choice; two readers' outlines of one small lesion share about as much",
        least=0.1,
        most=1.0,
    )


@dataclass(frozen=True, slots=True)
class SuvRules:
    """Which header values are believed when SUV is computed."""

    least_weight_kg: float = threshold(
        20.0, "kg", "a lighter patient is not believed", "adults; own choice", least=0.5, most=60.0
    )
    most_weight_kg: float = threshold(
        300.0, "kg", "a heavier patient is not believed", "own choice", least=100.0, most=700.0
    )
    grams_from: float = threshold(
        1000.0,
        "",
        "a PatientWeight above this was written in grams",
        "the heaviest people known weighed below 650 kg",
        least=700.0,
        most=5000.0,
    )
    least_height_m: float = threshold(
        0.4, "m", "a smaller patient's height is not believed", "own choice", least=0.2, most=1.5
    )
    most_height_m: float = threshold(
        2.6, "m", "a taller patient's height is not believed", "own choice", least=2.0, most=3.0
    )
    centimetres_from: float = threshold(
        3.0,
        "",
        "a PatientSize above this was written in centimetres",
        "nobody is 3 m tall",
        least=2.5,
        most=10.0,
    )
    least_dose_mbq: float = threshold(
        10.0,
        "MBq",
        "a smaller dose is not believed",
        "own choice; 68Ga peptides are given at 100 to 200 MBq",
        least=0.1,
        most=100.0,
    )
    most_dose_mbq: float = threshold(
        5000.0, "MBq", "a larger dose is not believed", "own choice", least=200.0, most=50000.0
    )
    least_uptake_min: float = threshold(
        20.0,
        "min",
        "imaging sooner after injection is not believed",
        "EANM 2017 (68Ga-DOTA peptides): 45 to 90 min; half of it still passes",
        least=0.0,
        most=120.0,
    )
    most_uptake_min: float = threshold(
        240.0,
        "min",
        "imaging later is not believed for a half-life below 11.5 h",
        "EANM 2017: 45 to 90 min; three half-lives of 68Ga",
        least=60.0,
        most=1440.0,
    )
    most_uptake_long_min: float = threshold(
        4320.0,
        "min",
        "imaging later is not believed for a half-life of 11.5 h and more",
        "own choice; 64Cu is imaged up to 24 h, 89Zr for days",
        least=60.0,
        most=20160.0,
    )
    reference_disagreement_s: float = threshold(
        60.0,
        "s",
        "times of injection, or of decay correction, further apart than this are an assumption",
        "own choice; 1 % of SUV for 68Ga",
        least=1.0,
        most=600.0,
    )
    confirmed_s: float = threshold(
        2.0,
        "s",
        "a computed decay reference time this near the series' own means that one",
        "own choice; frames are timed to the second, and some scanners write the middle of a "
        "frame for the mean of its activity",
        least=0.0,
        most=60.0,
    )
    most_of_dose: float = threshold(
        1.5,
        "ratio",
        "an image that holds more than this of the injected activity is refused",
        "no image can hold more than 1; calibration is right to 10 %, the rest is for noise",
        least=1.0,
        most=100.0,
    )
    half_life_warn: float = threshold(
        0.01,
        "fraction",
        "a half-life this far from its nuclide's is an assumption",
        "evaluated half-lives of 68Ga differ by 0.3 %",
        least=0.0,
        most=0.1,
    )
    half_life_refuse: float = threshold(
        0.05,
        "fraction",
        "a half-life this far from its nuclide's is refused",
        "own choice; the nearest other nuclide is 60 % away",
        least=0.01,
        most=0.5,
    )

"""Thresholds of what stands out of a liver's own noise, and of how that is told."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
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
    least_noise: float = threshold(
        0.002,
        "fraction",
        "a lightly smoothed liver whose grain is less than this of its uptake was never acquired",
        "own choice; acquired ones have 0.03 and more",
        least=0.0,
        most=0.02,
    )

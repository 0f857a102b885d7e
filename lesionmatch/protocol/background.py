"""Thresholds of the liver's own level, and of what lies too far from it to tell."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
class BackgroundRules:
    """What uptake a liver has where nothing is wrong with it."""

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

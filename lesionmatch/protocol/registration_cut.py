"""Thresholds of a liver that the MRI does not show whole."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
class CutRules:
    """How far a liver goes on beyond the MRI's end, and how far is too far."""

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

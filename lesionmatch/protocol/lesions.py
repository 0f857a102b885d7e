"""Thresholds of the lesions part."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class LesionRules:
    """What of a drawing is one lesion, and which voxels of the PET are its own."""

    most_parts: float = threshold(
        3.0,
        "parts",
        "a lesion drawn as a segment of its own may fall into this many parts; more are several",
        "own choice; a segment for all small lesions together has many more",
        least=1.0,
        most=100.0,
    )
    redrawn_error_mm: float = threshold(
        3.0,
        "mm",
        "a lesion drawn on the PET/CT itself lies this close to where it was drawn",
        "own choice; half the diagonal of a customary voxel of the PET, and a reader's hand",
        least=0.0,
        most=20.0,
    )
    beside_liver_mm: float = threshold(
        10.0,
        "mm",
        "a lesion that counts and lies further from the liver than this is doubted",
        "own choice; a mask of the liver may lack its rim, and a lymph node lies beyond it",
        least=0.0,
        most=100.0,
    )
    least_liver_ml: float = threshold(
        5.0,
        "ml",
        "a piece of the liver's mask with less than this that no lesion is, is no piece of liver",
        "own choice; a ball of 21 mm, less than any part of a liver that was left",
        least=0.0,
        most=100.0,
    )
    filled_share: float = threshold(
        0.5,
        "ratio",
        "a voxel of the PET belongs to a lesion that fills this share of it, or of the fullest",
        "own choice; at a half, what a border adds and what it takes away balance",
        least=0.05,
        most=0.95,
    )

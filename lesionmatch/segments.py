"""What a reader drew: named regions, and what they depict.

A segment depicts either a lesion of some `Kind` or a `Structure` of the anatomy. Adapters
of any format (SEG, RTSTRUCT, NIfTI, NRRD) yield segments, so that what a label means is
decided in one place.
"""

from dataclasses import dataclass
from enum import Enum

from lesionmatch.image import Mask


class Kind(Enum):
    """What a lesion was taken for on the MRI."""

    METASTASIS = "metastasis"
    HAEMANGIOMA = "haemangioma"
    CYST = "cyst"
    OTHER_BENIGN = "other_benign"
    UNSPECIFIED = "unspecified"

    @property
    def counts(self) -> bool:
        """Whether such a lesion makes the liver involved; an unspecified one does."""
        return self in (Kind.METASTASIS, Kind.UNSPECIFIED)


class Structure(Enum):
    """Anatomy that segments may give as context."""

    LIVER = "liver"
    SPLEEN = "spleen"
    KIDNEY = "kidney"
    ADRENAL = "adrenal_gland"
    STOMACH = "stomach"
    BOWEL = "bowel"
    PANCREAS = "pancreas"
    GALLBLADDER = "gallbladder"
    BILE_DUCT = "bile_duct"
    PORTAL_VEIN = "portal_vein"
    HEPATIC_VEIN = "hepatic_vein"
    LIVER_VESSEL = "liver_vessel"
    INFERIOR_VENA_CAVA = "inferior_vena_cava"
    HEART = "heart"
    OTHER = "other"


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One named region as it was drawn, on the smallest grid that holds it."""

    label: str
    """The reader's own words, e.g. ``Met 3``."""
    meaning: Kind | Structure
    mask: Mask
    """In the frame of reference it was drawn in; never empty."""
    source: str
    """Where it comes from, e.g. ``SEG segment 3``; no names and no paths."""

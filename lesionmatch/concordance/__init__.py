"""Where PET and MRI agree and disagree on each lesion and focus, and why."""

from lesionmatch.concordance.concord import Concordance, concord
from lesionmatch.concordance.evidence import Evidence
from lesionmatch.concordance.flags import Flag, Surroundings
from lesionmatch.concordance.focus_findings import FocusFinding
from lesionmatch.concordance.lesion_findings import LesionFinding
from lesionmatch.concordance.look import PetStatus
from lesionmatch.concordance.pairs import Focus, Pair, Relation
from lesionmatch.concordance.reasons import Reason
from lesionmatch.concordance.relations import Relations, relate
from lesionmatch.concordance.sharpen import Sharpened, sharpen, shift_of
from lesionmatch.concordance.territory import occupied
from lesionmatch.concordance.verdict import confirms

__all__ = [
    "Concordance",
    "Evidence",
    "Flag",
    "Focus",
    "FocusFinding",
    "LesionFinding",
    "Pair",
    "PetStatus",
    "Reason",
    "Relation",
    "Relations",
    "Sharpened",
    "Surroundings",
    "concord",
    "confirms",
    "occupied",
    "relate",
    "sharpen",
    "shift_of",
]

"""What a reader drew: named regions, and what they depict.

A segment depicts either a lesion of some `Kind` or a `Structure` of the anatomy. Adapters
of any format (SEG, RTSTRUCT, NIfTI, NRRD) yield segments, so that what a label means is
decided in one place.
"""

import re
import unicodedata
from collections.abc import Iterable
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
    is_redrawn: bool = False
    """Whether it was drawn in another frame, and a registration brought it here."""


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: the designator of its scheme, and its value."""

    scheme: str
    value: str


_KINDS_BY_CODE = {
    "14799000": Kind.METASTASIS,
    "128462008": Kind.METASTASIS,
    "94381002": Kind.METASTASIS,
    "M-80006": Kind.METASTASIS,
    "255046005": Kind.METASTASIS,
    "400210000": Kind.HAEMANGIOMA,
    "2099007": Kind.HAEMANGIOMA,
    "M-91200": Kind.HAEMANGIOMA,
    "367643001": Kind.CYST,
    "441457006": Kind.CYST,
    "85057007": Kind.CYST,
    "M-33400": Kind.CYST,
    "44132006": Kind.OTHER_BENIGN,
    "1187375007": Kind.OTHER_BENIGN,
    "32048006": Kind.OTHER_BENIGN,
}
"""SNOMED CT and SNOMED-RT values, of DICOM PS3.16 CIDs 7151, 7159 and 645."""

_UNSPECIFIED_CODES = {
    "52988006", "4147007", "108369006", "372087000", "M-01100", "M-03000", "M-80000",
}  # fmt: skip
"""Lesion, mass, neoplasm: a lesion whose kind the label may tell."""

_STRUCTURES_BY_CODE = {
    "10200004": Structure.LIVER,
    "T-62000": Structure.LIVER,
    "78961009": Structure.SPLEEN,
    "T-C3000": Structure.SPLEEN,
    "64033007": Structure.KIDNEY,
    "T-71000": Structure.KIDNEY,
    "23451007": Structure.ADRENAL,
    "T-B3000": Structure.ADRENAL,
    "69695003": Structure.STOMACH,
    "T-57000": Structure.STOMACH,
    "38848004": Structure.BOWEL,
    "30315005": Structure.BOWEL,
    "14742008": Structure.BOWEL,
    "71854001": Structure.BOWEL,
    "48338005": Structure.BOWEL,
    "15776009": Structure.PANCREAS,
    "T-65000": Structure.PANCREAS,
    "28231008": Structure.GALLBLADDER,
    "T-63000": Structure.GALLBLADDER,
    "28273000": Structure.BILE_DUCT,
    "79741001": Structure.BILE_DUCT,
    "32764006": Structure.PORTAL_VEIN,
    "T-48810": Structure.PORTAL_VEIN,
    "8993003": Structure.HEPATIC_VEIN,
    "T-48720": Structure.HEPATIC_VEIN,
    "64131007": Structure.INFERIOR_VENA_CAVA,
    "T-48710": Structure.INFERIOR_VENA_CAVA,
    "80891009": Structure.HEART,
    "T-32000": Structure.HEART,
}

_REFERENCE = r"\bref(erence|erenz)?\b|\bvoi\b|background|hintergrund|\bnormal|gesund|healthy"
_NOT_LIVER = (
    r"kidney|\bniere|renal|pancrea|pankrea|lung|spleen|\bmilz|splenic|bone|knochen|lymph|"
    r"thyroid|ovar|adrenal|vertebra|\brib|peritone"
)
_WITHOUT = r"without|ohne|minus|\bno\b|exclud|\bexkl"
_LESION_WORDS: tuple[tuple[str, Kind], ...] = (
    (r"h(ä|ae|a|e)mangi", Kind.HAEMANGIOMA),
    (r"\bcysts?\b|\bcystic\b|zyst", Kind.CYST),
    (r"\bfnh\b|adenom|abs[ck]ess|abszess|benign|gutartig|focal nodular|biliary hamartom|hamartom"
     r"|granulom|angiomyolipom|lipom|regenerat", Kind.OTHER_BENIGN),
    (r"\bmets?\b|\bmet ?\d+|metast|secondar|filia|\bnet\b|\bnen\b|neuroendo|malign|b(ö|oe)sartig",
     Kind.METASTASIS),
    (r"lesion|l(ä|ae|a)sion|\bherd|herd\b|tumou?r|\bmass\b|\bfocus\b|\bfoci\b|nodule|rundherd"
     r"|raumforderung|\bhcc\b|carcinom|karzinom|neoplas|\bgtv|target|befund", Kind.UNSPECIFIED),
)  # fmt: skip
_STRUCTURE_WORDS: tuple[tuple[str, Structure], ...] = (
    (r"portal|pfortader|\bpv\b|vena portae|splenic vein", Structure.PORTAL_VEIN),
    (r"hepatic veins?|lebervene|liver veins?|vv? hepatica|venae? hepatica", Structure.HEPATIC_VEIN),
    (r"vena cava|\bivc\b|\bvci\b|hohlvene|\bcava\b", Structure.INFERIOR_VENA_CAVA),
    (r"bile|biliary|choledoch|gallengang|gallenweg|\bdhc\b", Structure.BILE_DUCT),
    (r"gall ?bladder|gallenblase", Structure.GALLBLADDER),
    (r"liver vessel|hepatic vessel|lebergef|\bvessels?\b|gef(ä|ae|a)(ss|ß)e?|hepatic arter"
     r"|leberarter", Structure.LIVER_VESSEL),
    (r"adrenal|nebenniere", Structure.ADRENAL),
    (r"kidney|\bnieren?\b|renal", Structure.KIDNEY),
    (r"spleen|\bmilz\b", Structure.SPLEEN),
    (r"stomach|\bmagen\b|gastric", Structure.STOMACH),
    (r"pancrea|pankrea|bauchspeicheldr", Structure.PANCREAS),
    (r"bowel|colon|duoden|intestin|\bdarm|d(ü|ue|u)nndarm|dickdarm|jejun|ileum|kolon|sigma"
     r"|rectum|rektum", Structure.BOWEL),
    (r"heart|\bherz|atri(um|al)|ventric|myocard|auricle", Structure.HEART),
    (r"\bliver\b|\bleber\b|hepar\b|leberparenchym|lebersegment|leberlappen|liver ?(segment|lobe)",
     Structure.LIVER),
    (r"lung|vertebra|\bribs?\b|rib (left|right)|aort|trachea|o?esophag|thyroid|bladder|blase"
     r"|prostat|sacrum|hip\b|femur|humerus|scapula|clavicul|glut|autochthon|iliopsoas|brain"
     r"|skull|stern|costal|spinal|disc|artery|vein|trunk|iliac|\bbody\b|\bskin\b|external"
     r"|couch|muscle|\bfat\b|bone|knochen|wirbel|rippe|haut|muskel|tisch|k(ö|oe|o)rper",
     Structure.OTHER),
)  # fmt: skip


def meaning_of(label: str, codes: Iterable[Code] = ()) -> Kind | Structure:
    """What a segment depicts, by its codes, else by its label, else an unspecified lesion.

    A code that says only "lesion", or the organ a lesion lies in, leaves the kind to the
    label. Labels are taken in English and German, and as TotalSegmentator names them.

    >>> meaning_of("Lebermetastase 2"), meaning_of("kidney_cyst_left"), meaning_of("3")
    (<Kind.METASTASIS: 'metastasis'>, <Structure.OTHER: 'other'>, <Kind.UNSPECIFIED: 'unspecified'>)
    """
    values = [code.value for code in codes]
    by_code = next((_KINDS_BY_CODE[value] for value in values if value in _KINDS_BY_CODE), None)
    if by_code is not None:
        return by_code
    said = _plain(label)
    lesion = _lesion_word(said)
    if any(value in _UNSPECIFIED_CODES for value in values):
        return lesion if isinstance(lesion, Kind) else Kind.UNSPECIFIED
    organ = next((_STRUCTURES_BY_CODE[v] for v in values if v in _STRUCTURES_BY_CODE), None)
    if organ is not None:
        return _of_organ(organ, said, lesion)
    return lesion or structure_word(said) or Kind.UNSPECIFIED


def _plain(label: str) -> str:
    # Some systems write an umlaut as two characters, the letter and the dots.
    composed = unicodedata.normalize("NFC", label).lower()
    return " ".join(re.sub(r"[_\-./,:;()\[\]#]+", " ", composed).split())


def _of_organ(organ: Structure, said: str, lesion: Kind | Structure | None) -> Kind | Structure:
    """A segment coded as an organ whose label may say that a lesion in it is meant."""
    if lesion is not None and organ in (Structure.LIVER, Structure.OTHER):
        return lesion
    is_reference = re.search(_REFERENCE, said) is not None
    return Structure.OTHER if organ is Structure.LIVER and is_reference else organ


def _lesion_word(said: str) -> Kind | Structure | None:
    """The kind of lesion a label names; `OTHER` for a lesion outside the liver."""
    kind = next((kind for regex, kind in _LESION_WORDS if re.search(regex, said)), None)
    if kind is None or re.search(_WITHOUT, said):
        return None
    return Structure.OTHER if re.search(_NOT_LIVER, said) else kind


def names_lesion(label: str) -> bool:
    """Whether a label has a word for a lesion, of whatever kind.

    >>> names_lesion("GTV 2"), names_lesion("7")
    (True, False)
    """
    return isinstance(_lesion_word(_plain(label)), Kind)


def structure_word(label: str) -> Structure | None:
    """The structure a label names, or None."""
    said = _plain(label)
    if re.search(_REFERENCE, said):
        return Structure.OTHER
    return next((what for regex, what in _STRUCTURE_WORDS if re.search(regex, said)), None)


TOTAL_SEGMENTATOR_CT = {
    1: Structure.SPLEEN, 2: Structure.KIDNEY, 3: Structure.KIDNEY, 4: Structure.GALLBLADDER,
    5: Structure.LIVER, 6: Structure.STOMACH, 7: Structure.PANCREAS, 8: Structure.ADRENAL,
    9: Structure.ADRENAL, 18: Structure.BOWEL, 19: Structure.BOWEL, 20: Structure.BOWEL,
    51: Structure.HEART, 63: Structure.INFERIOR_VENA_CAVA, 64: Structure.PORTAL_VEIN,
}  # fmt: skip
"""Numbers of TotalSegmentator 2's task ``total``; every other number is `OTHER`."""

TOTAL_SEGMENTATOR_MR = {
    1: Structure.SPLEEN, 2: Structure.KIDNEY, 3: Structure.KIDNEY, 4: Structure.GALLBLADDER,
    5: Structure.LIVER, 6: Structure.STOMACH, 7: Structure.PANCREAS, 8: Structure.ADRENAL,
    9: Structure.ADRENAL, 13: Structure.BOWEL, 14: Structure.BOWEL, 15: Structure.BOWEL,
    22: Structure.HEART, 24: Structure.INFERIOR_VENA_CAVA, 25: Structure.PORTAL_VEIN,
}  # fmt: skip
"""Numbers of TotalSegmentator 2's task ``total_mr``."""

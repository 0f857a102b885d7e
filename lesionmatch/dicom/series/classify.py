"""What a series is, from one of its headers; in words of our own, never the header's."""

import re
from dataclasses import dataclass

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import number, text, words

PET = "1.2.840.10008.5.1.4.1.1.128"
ENHANCED_PET = "1.2.840.10008.5.1.4.1.1.130"
LEGACY_PET = "1.2.840.10008.5.1.4.1.1.128.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
LEGACY_CT = "1.2.840.10008.5.1.4.1.1.2.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
LEGACY_MR = "1.2.840.10008.5.1.4.1.1.4.4"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
LABELMAP_SEG = "1.2.840.10008.5.1.4.1.1.66.7"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"

SEGMENTATIONS = {SEG: "SEG", LABELMAP_SEG: "SEG", RTSTRUCT: "RTSTRUCT"}
ENHANCED = {ENHANCED_PET, LEGACY_PET, ENHANCED_CT, LEGACY_CT, ENHANCED_MR, LEGACY_MR}
IMAGES = {PET: "PT", CT: "CT", MR: "MR", **{ENHANCED_PET: "PT", LEGACY_PET: "PT"}} | {
    ENHANCED_CT: "CT",
    LEGACY_CT: "CT",
    ENHANCED_MR: "MR",
    LEGACY_MR: "MR",
}
COLOURS = ("RGB", "YBR", "PALETTE")
NO_METHOD = re.compile(r"NO|UN|-")
"""How an AttenuationCorrectionMethod begins that stands for none."""
OTHER_NAMES = (
    ("1.2.840.10008.5.1.4.1.1.7", "secondary capture"),
    ("1.2.840.10008.5.1.4.1.1.88", "structured report"),
    ("1.2.840.10008.5.1.4.1.1.11", "presentation state"),
    ("1.2.840.10008.5.1.4.1.1.104", "document"),
    ("1.2.840.10008.5.1.4.1.1.66", "registration or raw data"),
    ("1.2.840.10008.5.1.4.1.1.481", "radiotherapy object"),
    ("1.2.840.10008.1.3.10", "media directory"),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a series was taken for."""

    role: str
    """``AC PET``, ``NAC PET``, ``CT``, ``MR``, ``SEG``, ``RTSTRUCT``, or what else it is."""
    evidence: tuple[str, ...]
    set_aside: str | None
    """Why it is of no use, or None."""


def describe(dataset: Dataset) -> Taken:
    """What the series of `dataset`, one of its headers, is taken for."""
    sop_class = text(dataset, "SOPClassUID")
    if sop_class in SEGMENTATIONS:
        return Taken(SEGMENTATIONS[sop_class], ("SOP class",), None)
    modality = IMAGES.get(sop_class)
    if modality is None:
        return _other(sop_class)
    aside = _not_a_source_image(dataset)
    if sop_class == ENHANCED_PET:
        why = "Enhanced PET, which is not read: export it as classic PET, one file a slice"
        return Taken("enhanced PET", (), why)
    if modality == "PT":
        return _pet(dataset, aside)
    if modality == "CT":
        return Taken("CT", (), aside)
    return Taken("MR", (), aside)


def _other(sop_class: str) -> Taken:
    for prefix, name in OTHER_NAMES:
        if sop_class == prefix or sop_class.startswith(prefix + "."):
            return Taken(name, ("SOP class",), f"a {name}, not an image of slices")
    return Taken("other", ("SOP class",), "not a CT, MR, PET, SEG or RTSTRUCT")


def _not_a_source_image(dataset: Dataset) -> str | None:
    """Why an image is not one a scanner acquired, if so."""
    kinds = {word.upper() for word in words(dataset, "ImageType")}
    if "LOCALIZER" in kinds:
        return "a localizer"
    if kinds & {"MIP", "PROJECTION IMAGE", "MAX_IP", "MIN_IP", "REPROJECTION"}:
        return "a projection, not slices"
    if "MOSAIC" in kinds:
        return "a mosaic: many slices in one image"
    if text(dataset, "PhotometricInterpretation").upper().startswith(COLOURS):
        return "in colours, not measured values"
    if text(dataset, "BurnedInAnnotation").upper() == "YES":
        return "text is burned into the image"
    return None


def _pet(dataset: Dataset, aside: str | None) -> Taken:
    kinds = tuple(word.upper() for word in words(dataset, "SeriesType"))
    is_corrected = _is_attenuation_corrected(dataset)
    role, evidence = "AC PET", ["corrected for attenuation"]
    if not is_corrected:
        role = "NAC PET"
        unknown = is_corrected is None
        evidence = ["no correction is stated" if unknown else "not corrected for attenuation"]
        aside = aside or evidence[0]
    if "REPROJECTION" in kinds:
        aside = aside or "a reprojection, not slices"
    if kinds[:1] in (("DYNAMIC",), ("GATED",)):
        role = f"{kinds[0].lower()} PET"
        aside = aside or f"{kinds[0].lower()}, not static"
    elif (number(dataset, "NumberOfTimeSlices") or 1) > 1:
        role, aside = "dynamic PET", aside or "dynamic, not static"
    return Taken(role, tuple(evidence), aside)


def _is_attenuation_corrected(dataset: Dataset) -> bool | None:
    """What a PET says of it; None where it says nothing."""
    corrections = {word.upper() for word in words(dataset, "CorrectedImage")} - {""}
    flag = text(dataset, "AttenuationCorrected").upper()
    if corrections or flag:
        return "ATTN" in corrections or flag == "YES"
    method = text(dataset, "AttenuationCorrectionMethod").upper()
    return NO_METHOD.match(method) is None if method else None


def is_made_of_another(dataset: Dataset) -> bool:
    """Whether an image says that it was made of others, as reformats and fusions are."""
    kinds = [word.upper() for word in words(dataset, "ImageType")[:2]]
    return "DERIVED" in kinds or "SECONDARY" in kinds


def plain_words(dataset: Dataset, *keywords: str) -> str:
    """Attributes' text in lower case, with blanks for what separates words."""
    joined = " ".join(text(dataset, keyword) for keyword in keywords).lower()
    return " ".join(re.sub(r"[_\-./\\^+,;:()*]+", " ", joined).split())

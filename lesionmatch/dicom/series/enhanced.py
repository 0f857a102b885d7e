"""Enhanced multi-frame MR and CT: each frame as a plane with a header like a classic image's.

What functional groups say of a frame is written under the keywords of single-frame images,
so that grouping, checking and the hepatobiliary score need to know one kind of header.
Enhanced PET is not read: its dose is in MBq in one class and Bq in the other, its units lie
in real-world mappings, and there are no objects to prove a reader against.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.values import items, number, numbers, text, words
from lesionmatch.dicom.series.plane import Plane, plane_of
from lesionmatch.errors import InvalidInput

T = TypeVar("T")
Groups = tuple[Dataset, ...]
"""The functional groups of a frame, its own before the shared ones."""

NUMBERS: Mapping[str, tuple[str, str]] = {
    "ImagePositionPatient": ("PlanePositionSequence", "ImagePositionPatient"),
    "ImageOrientationPatient": ("PlaneOrientationSequence", "ImageOrientationPatient"),
    "PixelSpacing": ("PixelMeasuresSequence", "PixelSpacing"),
    "RescaleSlope": ("PixelValueTransformationSequence", "RescaleSlope"),
    "RescaleIntercept": ("PixelValueTransformationSequence", "RescaleIntercept"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "FlipAngle": ("MRTimingAndRelatedParametersSequence", "FlipAngle"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "TriggerTime": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
}
"""Classic keyword: where a functional group has it."""

COPIED = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality",
    "Manufacturer", "FrameOfReferenceUID", "PatientID", "PatientBirthDate", "PatientSex",
    "SeriesDescription", "ProtocolName", "SeriesNumber", "SeriesDate", "SeriesTime", "StudyDate",
    "MRAcquisitionType", "BurnedInAnnotation", "LossyImageCompression",
)  # fmt: skip


def planes_of(instance: Instance, what: str) -> tuple[Plane, ...]:
    """The frames of an enhanced instance. Raises `InvalidInput` where one has no groups."""
    dataset = instance.dataset
    shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    count = int(number(dataset, "NumberOfFrames") or 1)
    if len(own) != count:
        raise InvalidInput(
            f"{what}: wanted functional groups of each of {count} frames, got {len(own)}; "
            "export it again"
        )
    common = _common(dataset)
    return tuple(
        plane_of(instance, _flat(common, (item, *shared)), index) for index, item in enumerate(own)
    )


def _common(dataset: Dataset) -> dict[str, object]:
    """What all frames share, by keyword."""
    found: dict[str, object] = {name: dataset[name].value for name in COPIED if name in dataset}
    found["Rows"], found["Columns"] = (int(number(dataset, n) or 0) for n in ("Rows", "Columns"))
    found["SequenceName"] = text(dataset, "PulseSequenceName")
    echo = text(dataset, "EchoPulseSequence").upper()
    found["ScanningSequence"] = {"GRADIENT": "GR", "SPIN": "SE", "BOTH": "SE"}.get(echo, "")
    agents = items(dataset, "ContrastBolusAgentSequence")
    named = [text(item, "CodeMeaning") for item in agents]
    found["ContrastBolusAgent"] = " ".join(name for name in named if name)
    return found


def _flat(common: Mapping[str, object], groups: Groups) -> Dataset:
    header = Dataset()
    for keyword, value in common.items():
        setattr(header, keyword, value)
    for keyword, (sequence, attribute) in NUMBERS.items():
        values = _first(groups, sequence, lambda item, name=attribute: numbers(item, name))  # type: ignore[misc]
        if values:
            setattr(header, keyword, [_decimal(value) for value in values])
    kinds = _first(groups, "MRImageFrameTypeSequence", lambda item: words(item, "FrameType"))
    kinds = kinds or _first(groups, "CTImageFrameTypeSequence", lambda i: words(i, "FrameType"))
    header.ImageType = list(kinds or ())
    part = _first(groups, "MRImageFrameTypeSequence", lambda i: text(i, "ComplexImageComponent"))
    header.ComplexImageComponent = part or ""
    fat = _first(groups, "MRModifierSequence", lambda i: text(i, "SpectrallySelectedSuppression"))
    header.ScanOptions = "FS" if (fat or "").upper() in ("FAT", "FAT_AND_WATER") else ""
    at = _first(groups, "FrameContentSequence", lambda i: text(i, "FrameAcquisitionDateTime"))
    header.AcquisitionDate, header.AcquisitionTime = (at or "")[:8], (at or "")[8:21]
    return header


def _decimal(value: float) -> str:
    """A decimal string of at most 16 characters, right to 1e-8 and better."""
    return f"{value:.9g}" if abs(value) < 1e6 else f"{value:.8e}"


def _first(groups: Iterable[Dataset], sequence: str, read: Callable[[Dataset], T]) -> T | None:
    """What is read from the first group that has it."""
    for group in groups:
        for item in items(group, sequence)[:1]:
            if found := read(item):
                return found
    return None

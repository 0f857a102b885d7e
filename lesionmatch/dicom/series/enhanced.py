"""Enhanced multi-frame images: each frame as a plane with a header like a classic image's.

What functional groups say of a frame is written under the keywords of single-frame images,
so that grouping, checking, SUV and the hepatobiliary score need to know one kind of header.
An image that was converted from classic ones carries what has no place of its own in the new
class along as it was, which is all that SUV depends on. A genuine enhanced PET is not read: its
dose is in another unit, its own units lie in real-world mappings, and there are no objects
to prove a reader against.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.values import items, number, numbers, tag_of, text, words
from lesionmatch.dicom.series.classify import ENHANCED
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

CARRIED = (
    "UnassignedSharedConvertedAttributesSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
)
"""Where a converted image keeps what its class has no place for."""

MOST_WHOLE = 2**31 - 1
"""The largest number that an integer string may hold."""
FIRST_GROUP = 0x0008
"""Of a dataset proper."""
LARGE_GROUPS = (0x5200, 0x7FE0)
"""Functional groups and pixels."""

FRAME_TYPES = (
    "MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence",
)  # fmt: skip

ECHOES = {"GRADIENT": "GR", "SPIN": "SE", "BOTH": "SE"}
"""Classic Scanning Sequence by Echo Pulse Sequence."""

COPIED = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality",
    "FrameOfReferenceUID", "PatientID", "PatientBirthDate", "PatientSex",
    "SeriesDescription", "ProtocolName", "SeriesNumber", "SeriesDate", "SeriesTime", "StudyDate",
    "MRAcquisitionType", "BurnedInAnnotation", "LossyImageCompression", "Manufacturer",
    "ManufacturerModelName", "PatientWeight", "PatientSize", "TimezoneOffsetFromUTC", "Units",
    "SUVType", "DecayCorrection", "DecayCorrectionDateTime", "CorrectedImage",
    "AttenuationCorrected", "SeriesType", "NumberOfTimeSlices", "ReconstructionMethod",
    "ConvolutionKernel", "RadiopharmaceuticalInformationSequence", "ContrastBolusAgent",
    "ContrastBolusStartTime",
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


def header_of(instance: Instance) -> Dataset:
    """What describes an instance: its header, or that of the first frame of an enhanced one."""
    dataset = instance.dataset
    if text(dataset, "SOPClassUID") not in ENHANCED:
        return dataset
    groups = (
        *items(dataset, "PerFrameFunctionalGroupsSequence")[:1],
        *items(dataset, "SharedFunctionalGroupsSequence")[:1],
    )
    try:
        return _flat(_common(dataset), groups)
    except InvalidInput:
        # What is malformed is refused where it is used.
        return dataset


def _common(dataset: Dataset) -> Dataset:
    """What all frames share, as a classic image has it."""
    header = Dataset()
    for name in COPIED:
        if text(dataset, name) or items(dataset, name):
            _copy(header, dataset, tag_of(name))
    header.Rows, header.Columns = (int(number(dataset, n) or 0) for n in ("Rows", "Columns"))
    _put(header, "SequenceName", text(dataset, "PulseSequenceName"))
    _put(header, "ScanningSequence", ECHOES.get(text(dataset, "EchoPulseSequence").upper()))
    agents = items(dataset, "ContrastBolusAgentSequence")
    named = [text(item, "CodeMeaning") for item in agents]
    _put(header, "ContrastBolusAgent", " ".join(name for name in named if name))
    return header


def _put(header: Dataset, keyword: str, value: object) -> None:
    """Write a value, if there is one, in place of what is there."""
    if value:
        tag = tag_of(keyword)
        header[tag] = DataElement(tag, dictionary_VR(tag), value)


def _copy(header: Dataset, source: Dataset, tag: BaseTag) -> None:
    """An element as it is stored: what is malformed is refused where it is used."""
    found = source.get_item(tag)
    if found is not None:
        header[tag] = found


def _flat(common: Dataset, groups: Groups) -> Dataset:
    header = _carried(groups)
    for tag in common.keys():  # noqa: SIM118 - a dataset's own iteration converts
        _copy(header, common, tag)
    for keyword, (sequence, attribute) in NUMBERS.items():
        values = _first(groups, sequence, lambda item, name=attribute: numbers(item, name))  # type: ignore[misc]
        _put(header, keyword, [_decimal(value) for value in values or ()])
    for name in FRAME_TYPES:
        kinds = _first(groups, name, lambda item: words(item, "FrameType"))
        _put(header, "ImageType", list(kinds or ()))
    part = _first(groups, "MRImageFrameTypeSequence", lambda i: text(i, "ComplexImageComponent"))
    _put(header, "ComplexImageComponent", part)
    fat = _first(groups, "MRModifierSequence", lambda i: text(i, "SpectrallySelectedSuppression"))
    if (fat or "").upper() in ("FAT", "FAT_AND_WATER"):
        _put(header, "ScanOptions", "FS")
    _set_times(header, groups)
    return header


def _carried(groups: Groups) -> Dataset:
    """What a converted image carries along of a frame as it was, shared or its own."""
    header = Dataset()
    for name in CARRIED:
        for item in (item for group in groups for item in items(group, name)[:1]):
            for tag in item.keys():  # noqa: SIM118 - a dataset's own iteration converts
                if tag.group >= FIRST_GROUP and tag.group not in LARGE_GROUPS:
                    _copy(header, item, tag)
    return header


def _set_times(header: Dataset, groups: Groups) -> None:
    """When a frame was acquired, and for how long."""
    at = _first(groups, "FrameContentSequence", lambda i: text(i, "FrameAcquisitionDateTime"))
    if at:
        _put(header, "AcquisitionDate", at[:8])
        _put(header, "AcquisitionTime", at[8:21])
    lasted = _first(groups, "FrameContentSequence", lambda i: number(i, "FrameAcquisitionDuration"))
    _put(header, "ActualFrameDuration", min(round(lasted or 0.0), MOST_WHOLE))


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

"""Enhanced MR for the tests: the slices of a classic series as the frames of one file."""

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.drawn_files import item

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
KEPT = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
    "StudyDate", "FrameOfReferenceUID", "Modality", "SeriesDescription", "SeriesNumber",
    "SeriesDate", "SeriesTime", "MRAcquisitionType", "Rows", "Columns", "SamplesPerPixel",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
)  # fmt: skip


def enhanced(slices: Sequence[Dataset], uid: str) -> Dataset:
    """One file whose frames are the slices, in their order, each with its place and phase."""
    first = slices[0]
    ds = item(SOPClassUID=ENHANCED_MR, SOPInstanceUID=f"{uid}.1", SeriesInstanceUID=uid)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword in KEPT:
        if keyword in first:
            setattr(ds, keyword, first[keyword].value)
    ds.EchoPulseSequence, ds.NumberOfFrames = "GRADIENT", len(slices)
    if "ContrastBolusAgent" in first:
        ds.ContrastBolusAgentSequence = [item(CodeMeaning=first.ContrastBolusAgent)]
    ds.SharedFunctionalGroupsSequence = [shared(first)]
    ds.PerFrameFunctionalGroupsSequence = [frame(one) for one in slices]
    ds.PixelData = b"".join(one.PixelData for one in slices)
    return ds


def shared(first: Dataset) -> Dataset:
    """What all frames have in common."""
    return item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=first.ImageOrientationPatient)],
        PixelMeasuresSequence=[item(PixelSpacing=first.PixelSpacing)],
        MRTimingAndRelatedParametersSequence=[item(RepetitionTime=float(first.RepetitionTime))],
        MREchoSequence=[item(EffectiveEchoTime=float(first.EchoTime))],
        MRModifierSequence=[item(SpectrallySelectedSuppression="FAT")],
    )


def frame(one: Dataset) -> Dataset:
    """What is a frame's own."""
    at = f"{one.AcquisitionDate}{one.AcquisitionTime}"
    content = item(FrameAcquisitionDateTime=at)
    if "TemporalPositionIdentifier" in one:
        content.TemporalPositionIndex = int(one.TemporalPositionIdentifier)
    slope, offset = one.get("RescaleSlope", 1), one.get("RescaleIntercept", 0)
    return item(
        FrameContentSequence=[content],
        PlanePositionSequence=[item(ImagePositionPatient=one.ImagePositionPatient)],
        PixelValueTransformationSequence=[item(RescaleSlope=slope, RescaleIntercept=offset)],
        MRImageFrameTypeSequence=[item(FrameType=list(one.ImageType))],
    )


def shuffled(slices: Sequence[Dataset]) -> list[Dataset]:
    """In an order that tells nothing of where they lie."""
    order = np.random.default_rng(1).permutation(len(slices))
    return [slices[i] for i in order]

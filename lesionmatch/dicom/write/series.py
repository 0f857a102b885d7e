"""Writes series of CT and MR images, and what every series has in common.

An `Image` gives the voxels and their place; a `Series` gives the header. Everything random
is left to the caller (UIDs, dates), so the same call writes the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset as Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    SecondaryCaptureImageStorage,
)

from lesionmatch.image import Image, Quantity

IMPLEMENTATION_UID = UID("2.25.302741874211598366104413951236054718223")


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom the study is of."""

    identifier: str
    name: str
    birth_date: str
    sex: str
    weight_kg: float
    height_m: float


@dataclass(frozen=True, slots=True)
class StudyHeader:
    """One visit to a scanner."""

    uid: str
    patient: Patient
    start: datetime
    description: str
    accession: str
    manufacturer: str
    model: str


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a study."""

    study: StudyHeader
    number: int
    description: str
    start: datetime
    image_type: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Further DICOM attributes by keyword, the same for every instance."""

    @property
    def uid(self) -> str:
        """Series UID, which follows from the study and the number."""
        return child_uid(self.study.uid, "series", self.number)


def child_uid(parent: str, *parts: object) -> str:
    """A UID that follows from another and from what it stands for."""
    text = "/".join([parent, *(str(part) for part in parts)])
    return f"2.25.{int.from_bytes(sha256(text.encode()).digest()[:15], 'big')}"


def decimal(value: float) -> str:
    """A decimal string of at most 16 characters."""
    for digits in range(8, -1, -1):
        text = f"{value:.{digits}f}"
        if len(text) <= 16:
            return "0" if float(text) == 0.0 else text
    return f"{value:.9e}"


def time_text(at: datetime) -> str:
    """A TM value with fractions of a second."""
    return at.strftime("%H%M%S.%f")


def date_text(at: datetime) -> str:
    """A DA value."""
    return at.strftime("%Y%m%d")


def code(value: str, scheme: str, meaning: str) -> DicomSequence:
    """A code sequence of one item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return DicomSequence([item])


def save(dataset: Dataset, path: Path) -> None:
    """Write a data set as a DICOM file in explicit little endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "LESIONMATCH"
    file = FileDataset(path, dataset, file_meta=meta, preamble=b"\0" * 128)
    file.save_as(path, enforce_file_format=True)


def common_modules(series: Series, sop_class: str, modality: str, instance: int) -> Dataset:
    """The patient, study, series and equipment modules."""
    ds, study, patient = Dataset(), series.study, series.study.patient
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = child_uid(series.uid, "instance", instance)
    ds.PatientName, ds.PatientID = patient.name, patient.identifier
    ds.PatientBirthDate, ds.PatientSex = patient.birth_date, patient.sex
    ds.PatientWeight, ds.PatientSize = decimal(patient.weight_kg), decimal(patient.height_m)
    ds.StudyInstanceUID, ds.StudyID = study.uid, "1"
    ds.StudyDate, ds.StudyTime = date_text(study.start), time_text(study.start)
    ds.StudyDescription, ds.AccessionNumber = study.description, study.accession
    ds.ReferringPhysicianName = ""
    ds.Manufacturer, ds.ManufacturerModelName = study.manufacturer, study.model
    ds.Modality = modality
    ds.SeriesInstanceUID, ds.SeriesNumber = series.uid, series.number
    ds.SeriesDescription = ds.ProtocolName = series.description
    ds.SeriesDate, ds.SeriesTime = date_text(series.start), time_text(series.start)
    ds.InstanceNumber = instance
    ds.BodyPartExamined = "LIVER"
    return ds


def put(ds: Dataset, attributes: Mapping[str, Any]) -> None:
    """Set attributes by keyword."""
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)


def place_slice(ds: Dataset, image: Image, index: int) -> None:
    """The frame of reference and image plane modules of one slice."""
    grid = image.grid
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = str(grid.frame), ""
    ds.PatientPosition = "HFS"
    ds.ImagePositionPatient = [decimal(v) for v in grid.world((index, 0, 0))]
    directions = grid.directions
    ds.ImageOrientationPatient = [decimal(v) for v in (*directions[:, 2], *directions[:, 1])]
    ds.PixelSpacing = [decimal(v) for v in grid.spacing_mm[1:]]
    ds.SliceThickness = decimal(grid.spacing_mm[0])
    # The coordinate along the slices' normal, which is their axis for an axial stack.
    ds.SliceLocation = decimal(float(grid.world((index, 0, 0)) @ directions[:, 0]))


def put_pixels(ds: Dataset, stored: NDArray[np.generic], *, is_signed: bool) -> None:
    """The image pixel module of one uncompressed plane of 8 or 16 bits."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = stored.shape
    bits = 8 * stored.dtype.itemsize
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit, ds.PixelRepresentation = bits - 1, int(is_signed)
    ds["PixelData"] = _pixel_element(stored, bits)


def _pixel_element(stored: NDArray[np.generic], bits: int) -> DataElement:
    data = stored.astype(f"<u{bits // 8}" if stored.dtype.kind == "u" else f"<i{bits // 8}")
    raw = data.tobytes()
    return DataElement("PixelData", "OW" if bits == 16 else "OB", raw + b"\0" * (len(raw) % 2))


def ct_series(image: Image, series: Series) -> list[Dataset]:
    """A CT in HU, one data set a slice from head to foot. Refuses other quantities."""
    array = image.require(Quantity.HOUNSFIELD).array
    return [_ct_slice(image, series, n, index, array[index]) for n, index in numbered(image)]


def numbered(image: Image) -> list[tuple[int, int]]:
    """(instance number, slice index): scanners number a body from its head."""
    count = image.grid.shape[0]
    return [(n + 1, count - 1 - n) for n in range(count)]


def _ct_slice(
    image: Image, series: Series, instance: int, index: int, plane: NDArray[np.float32]
) -> Dataset:
    ds = common_modules(series, CTImageStorage, "CT", instance)
    place_slice(ds, image, index)
    ds.ImageType = list(series.image_type)
    ds.AcquisitionNumber = 1
    ds.AcquisitionDate, ds.AcquisitionTime = date_text(series.start), time_text(series.start)
    ds.ContentDate, ds.ContentTime = date_text(series.start), time_text(series.start)
    ds.KVP, ds.XRayTubeCurrent, ds.Exposure = "120", 160, 150
    ds.ConvolutionKernel = "B30f"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    ds.WindowCenter, ds.WindowWidth = "60", "400"
    put(ds, series.attributes)
    put_pixels(ds, np.rint(plane + 1024.0).astype(np.uint16), is_signed=False)
    return ds


def mr_series(image: Image, series: Series, *, per_slice: Mapping[str, Any] | None = None,
              first_instance: int = 1) -> list[Dataset]:  # fmt: skip
    """An MR series in arbitrary units, one data set a slice from head to foot.

    Several images (echoes, b-values) make one series when they go on counting instances.
    """
    array = image.require(Quantity.ARBITRARY).array
    made = []
    for n, index in numbered(image):
        ds = _mr_slice(image, series, n + first_instance - 1, index, array[index])
        put(ds, per_slice or {})
        made.append(ds)
    return made


def _mr_slice(
    image: Image, series: Series, instance: int, index: int, plane: NDArray[np.float32]
) -> Dataset:
    ds = common_modules(series, MRImageStorage, "MR", instance)
    place_slice(ds, image, index)
    ds.ImageType = list(series.image_type)
    ds.AcquisitionNumber = 1
    ds.AcquisitionDate, ds.AcquisitionTime = date_text(series.start), time_text(series.start)
    ds.ContentDate, ds.ContentTime = date_text(series.start), time_text(series.start)
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "GR", "SP", ""
    ds.MRAcquisitionType, ds.SequenceName = "3D", ""
    ds.RepetitionTime, ds.EchoTime, ds.FlipAngle = "4.0", "1.9", "10"
    ds.EchoTrainLength, ds.MagneticFieldStrength = 1, "1.5"
    ds.SpacingBetweenSlices = decimal(image.grid.spacing_mm[0])
    ds.WindowCenter = decimal(max(round(float(np.percentile(plane, 90))), 1))
    ds.WindowWidth = decimal(max(round(2 * float(np.percentile(plane, 90))), 1))
    put(ds, series.attributes)
    put_pixels(ds, np.rint(np.clip(plane, 0, 65535)).astype(np.uint16), is_signed=False)
    return ds


def screenshot(pixels: NDArray[np.uint8], series: Series) -> Dataset:
    """A secondary capture, such as a protocol page, with text burned in."""
    ds = common_modules(series, SecondaryCaptureImageStorage, "OT", 1)
    ds.ImageType = list(series.image_type)
    ds.ConversionType, ds.BurnedInAnnotation = "WSD", "YES"
    ds.ContentDate, ds.ContentTime = date_text(series.start), time_text(series.start)
    ds.PatientOrientation = ""
    put(ds, series.attributes)
    put_pixels(ds, pixels, is_signed=False)
    return ds

"""Writes what a reader drew: DICOM SEG, as binary segments, and RTSTRUCT, as contours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.sr.coding import Code
from pydicom.uid import RTStructureSetStorage
from skimage.measure import find_contours

from lesionmatch.dicom.write.series import Series, child_uid, date_text, decimal, time_text
from lesionmatch.geometry import Grid
from lesionmatch.segments import Kind, Segment, Structure

ALTERED = Code("49755003", "SCT", "Morphologically Altered Structure")
ANATOMY = Code("123037004", "SCT", "Anatomical Structure")
LIVER = Code("10200004", "SCT", "Liver")
TYPES = {
    Kind.METASTASIS: Code("128462008", "SCT", "Metastasis"),
    Kind.HAEMANGIOMA: Code("400210000", "SCT", "Hemangioma"),
    Kind.CYST: Code("367643001", "SCT", "Cyst"),
    Kind.OTHER_BENIGN: Code("3898006", "SCT", "Neoplasm, Benign"),
    Kind.UNSPECIFIED: Code("52988006", "SCT", "Lesion"),
    Structure.LIVER: LIVER,
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """Who drew something on which series."""

    series: Series
    at: datetime
    source: Sequence[Dataset]
    """The slices it was drawn on, in any order."""
    grid: Grid
    """Of the image those slices make."""
    has_codes: bool = True
    """Whether a SEG's codes say what a lesion is; else only its label does."""


def seg(segments: Sequence[Segment], drawing: Drawing) -> Dataset:
    """A binary SEG. Without segments it has one empty one, as a reader who found nothing saves."""
    source = sorted(drawing.source, key=lambda ds: -int(ds.InstanceNumber))
    described = [_description(n, s, drawing) for n, s in enumerate(segments, 1)]
    empty = _described(1, "Lesions", TYPES[Kind.UNSPECIFIED], ALTERED, drawing.series.uid)
    made = hd.seg.Segmentation(
        source_images=source,
        pixel_array=_planes(segments, drawing.grid),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=described or [empty],
        series_instance_uid=drawing.series.uid,
        series_number=drawing.series.number,
        sop_instance_uid=child_uid(drawing.series.uid, "instance", 1),
        instance_number=1,
        manufacturer="lesionmatch",
        manufacturer_model_name="phantom",
        software_versions="1",
        device_serial_number="1",
        series_description=drawing.series.description,
        content_label="LESIONS",
        omit_empty_frames=bool(segments),
        dimension_organization_type=None,
    )
    _fixed(made, drawing)
    return made


def _planes(segments: Sequence[Segment], grid: Grid) -> NDArray[np.uint8]:
    """(slices, rows, columns, segments) of 0 and 1."""
    if not segments:
        return np.zeros((*grid.shape, 1), np.uint8)
    return np.stack([s.mask.on(grid).array for s in segments], -1).astype(np.uint8)


def _description(number: int, segment: Segment, drawing: Drawing) -> hd.seg.SegmentDescription:
    is_anatomy = isinstance(segment.meaning, Structure)
    meaning = segment.meaning if is_anatomy or drawing.has_codes else Kind.UNSPECIFIED
    category = ANATOMY if is_anatomy else ALTERED
    return _described(number, segment.label, TYPES[meaning], category, drawing.series.uid)


def _described(
    number: int, label: str, meaning: Code, category: Code, parent: str
) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=category,
        segmented_property_type=meaning,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=child_uid(parent, "tracking", number),
        tracking_id=f"lesion {number}",
        anatomic_regions=[LIVER],
    )


def _fixed(made: Dataset, drawing: Drawing) -> None:
    """Replace what the library takes from the clock or at random."""
    made.ContentDate, made.ContentTime = date_text(drawing.at), time_text(drawing.at)
    made.SeriesDate, made.SeriesTime = date_text(drawing.at), time_text(drawing.at)
    made.InstanceCreationDate, made.InstanceCreationTime = made.ContentDate, made.ContentTime
    organisation = child_uid(drawing.series.uid, "dimensions")
    for item in made.DimensionOrganizationSequence:
        item.DimensionOrganizationUID = organisation
    for item in made.DimensionIndexSequence:
        item.DimensionOrganizationUID = organisation
    made.BodyPartExamined = "LIVER"
    del made.ContributingEquipmentSequence


def rtstruct(segments: Sequence[Segment], drawing: Drawing) -> Dataset:
    """An RTSTRUCT whose contours run along the voxels' edges, half way between centres."""
    first = drawing.source[0]
    ds = Dataset()
    for keyword in _COPIED:
        setattr(ds, keyword, first[keyword].value)
    ds.SOPClassUID = RTStructureSetStorage
    ds.SOPInstanceUID = child_uid(drawing.series.uid, "instance", 1)
    ds.Modality, ds.Manufacturer = "RTSTRUCT", "lesionmatch"
    ds.SeriesInstanceUID, ds.SeriesNumber = drawing.series.uid, drawing.series.number
    ds.SeriesDescription, ds.OperatorsName = drawing.series.description, ""
    ds.SeriesDate, ds.SeriesTime = date_text(drawing.at), time_text(drawing.at)
    ds.StructureSetLabel, ds.InstanceNumber = "LESIONS", 1
    ds.StructureSetDate, ds.StructureSetTime = date_text(drawing.at), time_text(drawing.at)
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = first.FrameOfReferenceUID, ""
    ds.ReferencedFrameOfReferenceSequence = DicomSequence([_referenced(drawing)])
    numbered = list(enumerate(segments, 1))
    ds.StructureSetROISequence = DicomSequence([_roi(n, s, ds) for n, s in numbered])
    ds.ROIContourSequence = DicomSequence([_contours(n, s, drawing) for n, s in numbered])
    ds.RTROIObservationsSequence = DicomSequence([_observation(n) for n, _ in numbered])
    ds.ApprovalStatus = "UNAPPROVED"
    return ds


_COPIED = (
    "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyInstanceUID", "StudyID", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName", "StudyDescription",
)  # fmt: skip


def _reference(ds: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return item


def _referenced(drawing: Drawing) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = drawing.source[0].SeriesInstanceUID
    series.ContourImageSequence = DicomSequence([_reference(ds) for ds in drawing.source])
    study = Dataset()
    # Retired detached study management, which the structure set still names.
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = drawing.source[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = DicomSequence([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = drawing.source[0].FrameOfReferenceUID
    frame.RTReferencedStudySequence = DicomSequence([study])
    return frame


def _roi(number: int, segment: Segment, ds: Dataset) -> Dataset:
    item = Dataset()
    item.ROINumber, item.ROIName = number, segment.label
    item.ReferencedFrameOfReferenceUID = ds.FrameOfReferenceUID
    item.ROIGenerationAlgorithm = "MANUAL"
    return item


def _observation(number: int) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    item.RTROIInterpretedType, item.ROIInterpreter = "", ""
    return item


def _contours(number: int, segment: Segment, drawing: Drawing) -> Dataset:
    item = Dataset()
    item.ReferencedROINumber, item.ROIDisplayColor = number, [255, 128, 0]
    array = segment.mask.on(drawing.grid).array
    slices = {int(ds.InstanceNumber): ds for ds in drawing.source}
    made = []
    for index in np.flatnonzero(array.any((1, 2))).tolist():
        source = slices[drawing.grid.shape[0] - index]
        made += [_contour(line, index, drawing.grid, source) for line in _edges(array[index])]
    item.ContourSequence = DicomSequence(made)
    return item


def _edges(plane: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed lines, (N, 2) rows and columns of the plane padded by one voxel."""
    padded = np.pad(plane, 1).astype(np.float64)
    return list(find_contours(padded, 0.5))


def _contour(line: NDArray[np.float64], index: int, grid: Grid, source: Dataset) -> Dataset:
    voxels = np.column_stack([np.full(len(line) - 1, index), line[:-1] - 1.0])
    item = Dataset()
    item.ContourImageSequence = DicomSequence([_reference(source)])
    item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(voxels)
    item.ContourData = [decimal(v) for v in grid.world(voxels).ravel()]
    return item

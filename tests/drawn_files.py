"""Segmentations of every format for the tests, written bit by bit here and not by a library."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from lesionmatch import dicom, nifti
from lesionmatch.dicom import ReadOptions
from lesionmatch.dicom.files.instance import Instance, read_instance
from lesionmatch.dicom.files.sources import Source
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import LabelMap, Mask
from lesionmatch.protocol import InputLimits
from tests.reading_files import COLUMNS, DATA, ROWS, hbp_slice, saved, slices

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the public data are absent")

MRI = Frame("1.2.8")
GRID = Grid.of(MRI, (6, ROWS, COLUMNS), origin_mm=(-20, -30, 0), spacing_mm=(3, 2, 2))


def loaded(path: Path) -> Instance:
    found = read_instance(Source(path, None, path.stat().st_size), InputLimits())
    assert isinstance(found, Instance)
    return found


def item(**attributes: Any) -> Dataset:  # noqa: ANN401
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def code(value: str) -> list[Dataset]:
    return [item(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning="x")]


def header(sop_class: str, modality: str, frame: str, uid: str) -> Dataset:
    ds = item(SOPClassUID=sop_class, SOPInstanceUID=uid + ".1", SeriesInstanceUID=uid)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.Modality, ds.FrameOfReferenceUID, ds.StudyInstanceUID = modality, frame, "1.2.4"
    return ds


Drawing = list[tuple[int, int, NDArray[np.uint8]]]
"""(segment, slice, pixels) of each frame, in the order of the frames."""


def seg(frames: Drawing, *, crop: int = 0, kind: str = "BINARY", frame: str = MRI) -> Dataset:
    """A SEG on GRID, written bit by bit here and not by a library."""
    ds = header("1.2.840.10008.5.1.4.1.1.66.4", "SEG", frame, "1.2.4.50")
    ds.SegmentationType, ds.MaximumFractionalValue = kind, 200
    numbers = sorted({number for number, _, _ in frames}) or [1]
    ds.SegmentSequence = [
        item(
            SegmentNumber=n,
            SegmentLabel=f"met {n}",
            SegmentedPropertyTypeCodeSequence=code("4147007"),
        )
        for n in numbers
    ]
    measures = item(PixelSpacing=[2, 2], SliceThickness=3, SpacingBetweenSlices=3)
    orientation = item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    ds.SharedFunctionalGroupsSequence = [
        item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[orientation])
    ]
    ds.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=_place(place, crop))],
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)],
        )
        for number, place, _ in frames
    ]
    ds.NumberOfFrames, ds.SamplesPerPixel = len(frames), 1
    ds.Rows, ds.Columns = ROWS - crop, COLUMNS - crop
    ds.PhotometricInterpretation, ds.PixelRepresentation = "MONOCHROME2", 0
    planes = [plane[crop:, crop:] for _, _, plane in frames]
    _store(ds, np.array(planes), kind)
    return ds


def _place(place: int, crop: int) -> list[float]:
    return [-20 + 2 * crop, -30 + 2 * crop, 3 * place]


def _store(ds: Dataset, planes: NDArray[np.uint8], kind: str) -> None:
    ds.BitsAllocated = ds.BitsStored = 1 if kind == "BINARY" else 8
    ds.HighBit = ds.BitsStored - 1
    if kind == "BINARY":
        data = np.packbits(planes.astype(bool).ravel(), bitorder="little").tobytes()
    else:
        data = planes.astype(np.uint8).tobytes()
    ds.PixelData = data + bytes(len(data) % 2)


def seg_on(grid: Grid, masks: dict[str, Mask], uid: str) -> Dataset:
    """A binary SEG of regions in the world, on the voxels of any grid, back to front."""
    drawn = [
        (label, number, index, plane)
        for number, (label, mask) in enumerate(masks.items(), 1)
        for index, plane in reversed(list(enumerate(mask.on(grid).array)))
        if plane.any()
    ]
    ds = header("1.2.840.10008.5.1.4.1.1.66.4", "SEG", grid.frame, uid)
    ds.SegmentationType = "BINARY"
    ds.SegmentSequence = [
        item(SegmentNumber=number, SegmentLabel=label) for number, label in enumerate(masks, 1)
    ]
    slice_mm, row_mm, column_mm = grid.spacing_mm.tolist()
    axes = [*grid.directions[:, 2].tolist(), *grid.directions[:, 1].tolist()]
    ds.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[
                item(PixelSpacing=[row_mm, column_mm], SpacingBetweenSlices=slice_mm)
            ],
            PlaneOrientationSequence=[item(ImageOrientationPatient=axes)],
        )
    ]
    ds.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=_corner(grid, index))],
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)],
        )
        for _, number, index, _ in drawn
    ]
    ds.NumberOfFrames, ds.SamplesPerPixel = len(drawn), 1
    ds.Rows, ds.Columns = grid.shape[1:]
    ds.PhotometricInterpretation, ds.PixelRepresentation = "MONOCHROME2", 0
    _store(ds, np.array([plane for *_, plane in drawn]), "BINARY")
    return ds


def _corner(grid: Grid, index: int) -> list[str]:
    return [f"{value:.6f}" for value in grid.world([[index, 0, 0]])[0]]


def ball(grid: Grid, centre_mm: ArrayLike, radius_mm: float) -> Mask:
    """The voxels of a grid whose centres lie within a radius."""
    places = np.moveaxis(np.indices(grid.shape), 0, -1).reshape(-1, 3)
    inside = np.linalg.norm(grid.world(places) - np.array(centre_mm), axis=1) <= radius_mm
    return Mask(grid, inside.reshape(grid.shape))


def plane(*dots: tuple[int, int]) -> NDArray[Any]:
    array = np.zeros((ROWS, COLUMNS), np.uint8)
    for row, column in dots:
        array[row, column] = 1
    return array


def study(tmp_path: Path, drawn: list[Dataset], **options: Any) -> dicom.MriStudy:  # noqa: ANN401
    folder = saved(saved(tmp_path / "mri", slices(hbp_slice)), drawn)
    return dicom.read_mri_study([folder], ReadOptions(**options))


def voxels(mask: Mask) -> set[tuple[int, ...]]:
    """The voxels of a mask on GRID."""
    return {tuple(np.rint(v).astype(int)) for v in GRID.voxels(mask.points_mm())}


def in_order(mask: Mask) -> NDArray[Any]:
    points = mask.points_mm()
    order = np.lexsort(np.floor(points / 0.3 + 0.41).T)
    return np.asarray(points[order])


def rtstruct(contours: list[tuple[str, NDArray[np.float64]]], name: str = "met") -> Dataset:
    """An RTSTRUCT with one region, its references dangling."""
    ds = header("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", MRI, "1.2.4.60")
    roi = item(ROINumber=1, ROIName=name, ReferencedFrameOfReferenceUID=MRI)
    ds.StructureSetROISequence = [roi]
    drawn = [
        item(
            ContourGeometricType=kind,
            NumberOfContourPoints=len(points),
            ContourData=[f"{value:.4f}" for value in np.ravel(points)],
        )
        for kind, points in contours
    ]
    ds.ROIContourSequence = [item(ReferencedROINumber=1, ContourSequence=drawn)]
    return ds


def disc(radius_mm: float, z_mm: float, *, x: float = -9.7, y: float = -18.6) -> NDArray[Any]:
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    circle = np.c_[x + radius_mm * np.cos(turn), y + radius_mm * np.sin(turn)]
    return np.column_stack([circle, np.full(90, z_mm)])


CLOSED = "CLOSED_PLANAR"


def labels(path: Path, grid: Grid, *dots: tuple[int, int, int, int]) -> Path:
    array = np.zeros(grid.shape, np.uint16)
    for value, *place in dots:
        array[tuple(place)] = value
    nifti.write(LabelMap(grid, array), path)
    return path

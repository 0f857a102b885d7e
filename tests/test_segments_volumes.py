"""The same lesions in every format have the same volume; other programs agree."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom as hd
import nrrd
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from lesionmatch import dicom, nifti
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import LabelMap
from lesionmatch.segments import Segment
from tests.drawn_files import CLOSED, MRI, item, rtstruct
from tests.reading_files import hbp_slice, saved

SIZE, COUNT, PIXEL_MM, GAP_MM = 48, 16, 1.5, 3.0
GRID = Grid.of(MRI, (COUNT, SIZE, SIZE), spacing_mm=(GAP_MM, PIXEL_MM, PIXEL_MM))
LESIONS = (
    ((5.0, 12.0, 12.0), 10.0),
    ((9.0, 30.0, 30.3), 14.0),
    ((4.0, 34.0, 12.0), 4.0),
    ((12.0, 8.0, 38.0), 0.5),
)
"""(slice, row, column) and radius in mm; the last is a single voxel."""

needs_dcmqi = pytest.mark.skipif(
    shutil.which("segimage2itkimage") is None, reason="dcmqi is not installed"
)
needs_plastimatch = pytest.mark.skipif(
    shutil.which("plastimatch") is None, reason="plastimatch is not installed"
)


def truth() -> NDArray[np.uint16]:
    """Labels 1 to 4: every voxel whose centre lies in a ball."""
    array = np.zeros(GRID.shape, np.uint16)
    places = np.moveaxis(np.indices(GRID.shape), 0, -1)
    for label, (centre, radius_mm) in enumerate(LESIONS, 1):
        off_mm = (places - np.array(centre)) * np.array([GAP_MM, PIXEL_MM, PIXEL_MM])
        array[np.linalg.norm(off_mm, axis=-1) <= radius_mm] = label
    return array


VOXELS = [int((truth() == label).sum()) for label in (1, 2, 3, 4)]


def images() -> list[Dataset]:
    found = []
    for n in range(COUNT):
        ds = hbp_slice(n)
        ds.Rows = ds.Columns = SIZE
        ds.PixelSpacing, ds.ImagePositionPatient = [PIXEL_MM, PIXEL_MM], [0, 0, GAP_MM * n]
        ds.PixelData = np.full((SIZE, SIZE), n, "<u2").tobytes()
        ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = "20250102", "100000", "", ""
        ds.ReferringPhysicianName, ds.Manufacturer = "", "x"
        found.append(ds)
    return found


def described(number: int) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=f"met {number}",
        segmented_property_category=Code("49755003", "SCT", "Morphologically Altered Structure"),
        segmented_property_type=Code("4147007", "SCT", "Mass"),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def seg_by_highdicom(kind: str, **options: Any) -> Dataset:  # noqa: ANN401
    """A SEG of the truth as highdicom writes it."""
    labels = truth()
    pixels: NDArray[np.generic] = labels.astype(np.uint8)
    if kind == "FRACTIONAL":
        pixels = np.stack([labels == n for n in (1, 2, 3, 4)], -1).astype(np.float32) * 0.8
    return hd.seg.Segmentation(
        source_images=images(),
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[described(n) for n in (1, 2, 3, 4)],
        series_instance_uid="1.2.4.70",
        series_number=70,
        sop_instance_uid="1.2.4.70.1",
        instance_number=1,
        manufacturer="x",
        manufacturer_model_name="x",
        software_versions="1",
        device_serial_number="1",
        **options,
    )


def reversed_frames(ds: Dataset) -> Dataset:
    """The frames of a SEG in the opposite order, last slice and segment first."""
    rows, columns, count = int(ds.Rows), int(ds.Columns), int(ds.NumberOfFrames)
    bits = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little")
    frames = bits[: count * rows * columns].reshape(count, rows, columns)[::-1]
    data = np.packbits(frames.ravel(), bitorder="little").tobytes()
    ds.PixelData = data + bytes(len(data) % 2)
    ds.PerFrameFunctionalGroupsSequence = list(ds.PerFrameFunctionalGroupsSequence)[::-1]
    return ds


def circles(radius_mm: float, centre: tuple[float, ...]) -> list[tuple[str, NDArray[np.float64]]]:
    """The contours of a ball on the slices that cut it."""
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    found = []
    for n in range(COUNT):
        height_mm = (n - centre[0]) * GAP_MM
        if abs(height_mm) > radius_mm:
            continue
        r = max(np.sqrt(radius_mm**2 - height_mm**2), 0.2)
        x = centre[2] * PIXEL_MM + r * np.cos(turn)
        y = centre[1] * PIXEL_MM + r * np.sin(turn)
        found.append((CLOSED, np.column_stack([x, y, np.full(180, n * GAP_MM)])))
    return found


def rtstruct_of_balls() -> Dataset:
    made = rtstruct([])
    rois, drawn = [], []
    for number, (centre, radius_mm) in enumerate(LESIONS, 1):
        one = rtstruct(circles(radius_mm, centre), f"met {number}")
        one.StructureSetROISequence[0].ROINumber = number
        one.ROIContourSequence[0].ReferencedROINumber = number
        rois.append(one.StructureSetROISequence[0])
        drawn.append(one.ROIContourSequence[0])
    made.StructureSetROISequence, made.ROIContourSequence = rois, drawn
    return made


def read(folder: Path, extra: list[Dataset]) -> tuple[Segment, ...]:
    found = dicom.read_mri_study([saved(saved(folder, images()), extra)]).segments
    return tuple(sorted(found, key=lambda segment: segment.label))


def labels_nifti(folder: Path) -> None:
    nifti.write(LabelMap(GRID, truth()), folder / "lesions.nii.gz")


def labels_nrrd(folder: Path) -> None:
    header = {
        "space": "left-posterior-superior",
        "space directions": [[PIXEL_MM, 0, 0], [0, PIXEL_MM, 0], [0, 0, GAP_MM]],
        "space origin": [0, 0, 0],
    }
    nrrd.write(str(folder / "lesions.nrrd"), truth().transpose(2, 1, 0), header)


SEGS: dict[str, Callable[[], Dataset]] = {
    "binary": lambda: seg_by_highdicom("BINARY", transfer_syntax_uid=ExplicitVRLittleEndian),
    "binary with empty frames": lambda: seg_by_highdicom("BINARY", omit_empty_frames=False),
    "binary reversed": lambda: reversed_frames(
        seg_by_highdicom("BINARY", transfer_syntax_uid=ExplicitVRLittleEndian)
    ),
    "fractional": lambda: seg_by_highdicom("FRACTIONAL"),
    "fractional run lengths": lambda: seg_by_highdicom(
        "FRACTIONAL", transfer_syntax_uid=RLELossless
    ),
    "label map": lambda: seg_by_highdicom("LABELMAP"),
    "label map run lengths": lambda: seg_by_highdicom("LABELMAP", transfer_syntax_uid=RLELossless),
}


@pytest.mark.parametrize("kind", SEGS)
def test_a_seg_of_highdicom_s_has_exactly_its_voxels(tmp_path: Path, kind: str) -> None:
    found = read(tmp_path, [SEGS[kind]()])
    assert [segment.label for segment in found] == ["met 1", "met 2", "met 3", "met 4"]
    labels = truth()
    for label, segment in enumerate(found, 1):
        places = np.rint(GRID.voxels(segment.mask.points_mm())).astype(int)
        np.testing.assert_array_equal(places, np.argwhere(labels == label))


@pytest.mark.parametrize("write", [labels_nifti, labels_nrrd])
def test_label_files_have_exactly_their_voxels(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    folder = saved(tmp_path, images())
    write(folder)
    found = dicom.read_mri_study([folder]).segments
    assert [int(segment.mask.array.sum()) for segment in found] == VOXELS


def test_contours_have_the_volume_of_what_they_enclose(tmp_path: Path) -> None:
    found = read(tmp_path, [rtstruct_of_balls()])
    for segment, (centre, radius_mm) in zip(found[:3], LESIONS[:3], strict=True):
        # The slabs that the contours stand for, each as thick as the slices are apart.
        heights = (np.arange(COUNT) - centre[0]) * GAP_MM
        areas = np.pi * np.clip(radius_mm**2 - heights**2, 0.04, None)[abs(heights) <= radius_mm]
        assert segment.mask.volume_ml == pytest.approx(areas.sum() * GAP_MM / 1000, rel=0.02)
    assert int(found[3].mask.array.sum()) == 1


@needs_dcmqi
@pytest.mark.parametrize("kind", ["binary", "label map"])
def test_dcmqi_reads_the_same_volumes_from_a_seg(tmp_path: Path, kind: str) -> None:
    saved(tmp_path / "seg", [SEGS[kind]()])
    run("segimage2itkimage", "--inputDICOM", tmp_path / "seg/0000.dcm",
        "--outputDirectory", tmp_path, "-t", "nrrd")  # fmt: skip
    theirs: dict[int, int] = {}
    for path in tmp_path.glob("*.nrrd"):
        array, _ = nrrd.read(str(path))
        theirs |= {int(n): int((array == n).sum()) for n in np.unique(array) if n}
    found = read(tmp_path / "mri", [SEGS[kind]()])
    assert [theirs[n] for n in sorted(theirs)] == VOXELS
    assert [int(segment.mask.array.sum()) for segment in found] == VOXELS


@needs_plastimatch
def test_plastimatch_makes_the_same_volumes_of_an_rtstruct_within_2_percent(
    tmp_path: Path,
) -> None:
    # Its pixels are those whose centres lie inside, so that below about 500 voxels it is itself
    # several per cent off the area that a contour encloses.
    ours = read(tmp_path / "mri", [whole_rtstruct()])
    saved(tmp_path / "rt", [whole_rtstruct()])
    saved(tmp_path / "ct", images())
    out = tmp_path / "out"
    run("plastimatch", "convert", "--input", tmp_path / "rt/0000.dcm", "--referenced-ct",
        tmp_path / "ct", "--output-prefix", out, "--prefix-format", "nii.gz")  # fmt: skip
    theirs = [volume_of(out / f"met {n}.nii.gz") for n in (1, 2, 3, 4)]
    assert [voxels >= 500 for voxels in VOXELS] == [True, True, False, False]
    for segment, volume_ml in zip(ours[:2], theirs[:2], strict=True):
        assert segment.mask.volume_ml == pytest.approx(volume_ml, rel=0.02)
    assert ours[3].mask.volume_ml == pytest.approx(theirs[3])


def whole_rtstruct() -> Dataset:
    """With the references to its images that other programs insist on."""
    ds = rtstruct_of_balls()
    source = images()
    series = item(SeriesInstanceUID=source[0].SeriesInstanceUID)
    series.ContourImageSequence = [
        item(ReferencedSOPClassUID=s.SOPClassUID, ReferencedSOPInstanceUID=s.SOPInstanceUID)
        for s in source
    ]
    study = item(ReferencedSOPInstanceUID="1.2.4", ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1")
    study.RTReferencedSeriesSequence = [series]
    frame = item(FrameOfReferenceUID=MRI, RTReferencedStudySequence=[study])
    ds.ReferencedFrameOfReferenceSequence = [frame]
    ds.PatientID, ds.PatientName, ds.StructureSetLabel = "P1", "A^B", "x"
    return ds


def volume_of(path: Path) -> float:
    label = nifti.read_labels(path, Frame("any"))
    return float((label.array > 0).sum()) * label.grid.voxel_ml


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-500:] + done.stdout.decode()[-500:]

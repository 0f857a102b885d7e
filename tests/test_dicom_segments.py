"""What was drawn, in every format: where it lies, how large it is, what it is called."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from lesionmatch import dicom, nifti
from lesionmatch.dicom import ReadOptions
from lesionmatch.dicom.contours import pixels, region
from lesionmatch.dicom.instance import Instance, read_instance
from lesionmatch.dicom.rtstruct import frame_uids, read_rtstruct
from lesionmatch.dicom.seg import read_seg
from lesionmatch.dicom.sources import Source
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import LabelMap, Mask
from lesionmatch.protocol import InputLimits
from lesionmatch.segments import Code, Kind, Structure, meaning_of
from tests.reading_files import COLUMNS, DATA, ROWS, hbp_slice, pet_slice, saved, slices

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


Drawing = list[tuple[int, int, np.ndarray]]
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


def _store(ds: Dataset, planes: np.ndarray, kind: str) -> None:
    ds.BitsAllocated = ds.BitsStored = 1 if kind == "BINARY" else 8
    ds.HighBit = ds.BitsStored - 1
    if kind == "BINARY":
        data = np.packbits(planes.astype(bool).ravel(), bitorder="little").tobytes()
    else:
        data = planes.astype(np.uint8).tobytes()
    ds.PixelData = data + bytes(len(data) % 2)


def plane(*dots: tuple[int, int]) -> np.ndarray:
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


def test_frames_go_where_their_positions_say_in_any_order(tmp_path: Path) -> None:
    frames = [(1, 4, plane((5, 6))), (2, 1, plane((2, 3))), (1, 2, plane((5, 7)))]
    found = study(tmp_path, [seg(frames)]).segments
    assert voxels(found[0].mask) == {(4, 5, 6), (2, 5, 7)}
    assert voxels(found[1].mask) == {(1, 2, 3)}


def test_a_sparse_segment_keeps_its_volume(tmp_path: Path) -> None:
    frames = [(1, 0, plane((5, 6))), (1, 4, plane((5, 6)))]
    assert study(tmp_path, [seg(frames)]).segments[0].mask.volume_ml == pytest.approx(0.024)


def test_cropped_frames_are_placed_by_their_corner(tmp_path: Path) -> None:
    found = study(tmp_path, [seg([(1, 3, plane((5, 6)))], crop=2)]).segments
    assert voxels(found[0].mask) == {(3, 5, 6)}


def test_overlapping_segments_keep_their_voxels(tmp_path: Path) -> None:
    frames = [(1, 3, plane((5, 6), (5, 7))), (2, 3, plane((5, 7), (5, 8)))]
    found = study(tmp_path, [seg(frames)]).segments
    assert [voxels(s.mask) for s in found] == [{(3, 5, 6), (3, 5, 7)}, {(3, 5, 7), (3, 5, 8)}]


def test_a_fraction_counts_from_one_half(tmp_path: Path) -> None:
    drawn = plane((5, 6)) * 100 + plane((5, 7)) * 99
    found = study(tmp_path, [seg([(1, 3, drawn)], kind="FRACTIONAL")]).segments
    assert voxels(found[0].mask) == {(3, 5, 6)}


def test_a_label_map_gives_a_segment_a_number(tmp_path: Path) -> None:
    ds = seg([(1, 3, plane((5, 6)) + 2 * plane((5, 7)))], kind="LABELMAP")
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.7"
    ds.SegmentSequence = [
        item(SegmentNumber=n, SegmentLabel=name)
        for n, name in enumerate(("background", "met", "cyst"))
    ]
    for frame in ds.PerFrameFunctionalGroupsSequence:
        del frame.SegmentIdentificationSequence
    found = study(tmp_path, [ds]).segments
    assert [(s.meaning, voxels(s.mask)) for s in found] == [
        (Kind.METASTASIS, {(3, 5, 6)}),
        (Kind.CYST, {(3, 5, 7)}),
    ]


def test_a_seg_without_frames_is_a_study_without_lesions(tmp_path: Path) -> None:
    ds = seg([(1, 0, plane())])
    found = study(tmp_path, [ds])
    assert found.has_segmentation
    assert found.segments == ()
    assert any("segment 1 is empty" in note for note in found.assumptions)


def test_a_seg_of_structures_alone_does_not_speak_of_lesions(tmp_path: Path) -> None:
    ds = seg([(1, 2, plane((5, 6)))])
    ds.SegmentSequence[0].SegmentLabel = "Liver"
    ds.SegmentSequence[0].SegmentedPropertyTypeCodeSequence = code("10200004")
    with pytest.raises(NothingFound, match="got only structures"):
        study(tmp_path, [ds])


def test_a_seg_of_another_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"frame of reference 1\.2\.8, got 7\.7"):
        study(tmp_path, [seg([(1, 2, plane((5, 6)))], frame="7.7")])


def test_a_seg_on_the_pet_is_accepted_with_the_pet(tmp_path: Path) -> None:
    pet = dicom.read_pet_study([saved(tmp_path / "pet", slices(pet_slice))])
    drawn = [seg([(1, 2, plane((5, 6)))], frame="1.2.9")]
    folder = saved(saved(tmp_path / "mri", slices(hbp_slice)), drawn)
    found = dicom.read_mri_study([folder], pet=pet).segments
    assert found[0].mask.frame == pet.frame


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"NumberOfFrames": 3}, "wanted the place of each of 3 frames, got 1"),
        ({"SharedFunctionalGroupsSequence": []}, "wanted position, orientation and spacing"),
        ({"Rows": 4000}, "the file is truncated"),
    ],
)
def test_a_broken_seg_is_refused(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    ds = seg([(1, 2, plane((5, 6)))])
    for keyword, value in change.items():
        setattr(ds, keyword, value)
    with pytest.raises(InvalidInput, match=says):
        study(tmp_path, [ds])


def test_frames_off_one_grid_are_refused(tmp_path: Path) -> None:
    ds = seg([(1, 2, plane((5, 6))), (1, 3, plane((5, 6)))])
    moved = ds.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0]
    moved.ImagePositionPatient = [-19.3, -30, 9]
    with pytest.raises(InvalidInput, match="wanted frames of one grid, got frame 2 off it"):
        study(tmp_path, [ds])


@needs_data
@pytest.mark.parametrize(
    ("file", "truth", "label"),
    [
        ("dcmqi/liver.dcm", "dcmqi/liver_seg.nrrd", 1),
        ("pydicom/liver_expb.dcm", "dcmqi/liver_seg.nrrd", 1),
        ("pydicom/liver_j2k.dcm", "dcmqi/liver_seg.nrrd", 1),
        ("pydicom/liver_rle.dcm", "dcmqi/liver_seg.nrrd", 1),
        ("pydicom/liver_deflate.dcm", "dcmqi/liver_seg.nrrd", 1),
        ("dcmqi/23x38x3/seg/label.seg", "dcmqi/23x38x3/nrrd/label.nrrd", 1),
        ("dcmqi/24x38x3/seg/label.seg", "dcmqi/24x38x3/nrrd/label.nrrd", 1),
        ("dcmqi/sparse-labelmap-ppv5.dcm", "dcmqi/sparse_labelmap_ppv5_seg.nrrd", 1),
    ],
)
def test_public_segs_equal_what_another_reader_made_of_them(
    file: str, truth: str, label: int
) -> None:
    instance = loaded(DATA / "seg" / file)
    drawn = read_seg(instance, Frame("f"), [], InputLimits(), "SEG").segments[0].mask
    expected = nifti.read_labels(DATA / "seg" / truth, Frame("f")).mask(label)
    ours, theirs = (_in_order(mask) for mask in (drawn, expected))
    np.testing.assert_allclose(ours, theirs, atol=0.01)


def _in_order(mask: Mask) -> np.ndarray:
    points = mask.points_mm()
    return points[np.lexsort(np.floor(points / 0.3 + 0.41).T)]


def rtstruct(contours: list[tuple[str, np.ndarray]], name: str = "met") -> Dataset:
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


def disc(radius_mm: float, z_mm: float, *, x: float = -9.7, y: float = -18.6) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    circle = np.c_[x + radius_mm * np.cos(turn), y + radius_mm * np.sin(turn)]
    return np.c_[circle, np.full(90, z_mm)]


CLOSED = "CLOSED_PLANAR"


def test_a_contour_encloses_its_area(tmp_path: Path) -> None:
    drawn = [(CLOSED, disc(6.0, z)) for z in (3, 6, 9)]
    found = study(tmp_path, [rtstruct(drawn)]).segments[0]
    assert found.mask.volume_ml == pytest.approx(np.pi * 36 * 9 / 1000, abs=3 * 0.006)
    assert found.meaning is Kind.METASTASIS


def test_a_hole_is_a_contour_inside_another(tmp_path: Path) -> None:
    drawn = [(CLOSED, disc(6.0, 3)), (CLOSED, disc(3.0, 3))]
    found = study(tmp_path, [rtstruct(drawn)]).segments[0]
    assert found.mask.volume_ml == pytest.approx(np.pi * 27 * 3 / 1000, abs=0.012)


def test_a_keyhole_is_a_hole_too(tmp_path: Path) -> None:
    outer, inner = disc(6.0, 3), disc(3.0, 3)[::-1]
    keyhole = np.concatenate([outer, outer[:1], inner[-1:], inner, inner[-1:]])
    found = study(tmp_path, [rtstruct([(CLOSED, keyhole)])]).segments[0]
    assert found.mask.volume_ml == pytest.approx(np.pi * 27 * 3 / 1000, abs=0.012)


def test_a_point_is_the_voxel_that_holds_it_and_that_is_said(tmp_path: Path) -> None:
    found = study(tmp_path, [rtstruct([("POINT", np.array([[-8.2, -20.1, 6.0]]))])])
    assert voxels(found.segments[0].mask) == {(2, 5, 6)}
    assert any("contours of one or two points" in note for note in found.assumptions)


def test_a_contour_smaller_than_a_voxel_is_not_lost(tmp_path: Path) -> None:
    found = study(tmp_path, [rtstruct([(CLOSED, disc(0.4, 6, x=-8, y=-20))])])
    assert voxels(found.segments[0].mask) == {(2, 5, 6)}
    assert any("smaller than a voxel" in note for note in found.assumptions)


def test_contours_that_overlap_are_united_and_that_is_said(tmp_path: Path) -> None:
    drawn = [(CLOSED, disc(4.0, 3)), (CLOSED, disc(4.0, 3, x=-5.7))]
    found = study(tmp_path, [rtstruct(drawn)])
    assert found.segments[0].mask.volume_ml > np.pi * 16 * 3 / 1000 * 1.4
    assert any("1 pairs of contours overlap" in note for note in found.assumptions)


def test_a_contour_drawn_twice_counts_once(tmp_path: Path) -> None:
    found = study(tmp_path, [rtstruct([(CLOSED, disc(4.0, 3))] * 2)])
    assert found.segments[0].mask.volume_ml == pytest.approx(np.pi * 16 * 3 / 1000, abs=0.012)
    assert any("drawn twice" in note for note in found.assumptions)


def test_open_contours_and_empty_regions_are_said(tmp_path: Path) -> None:
    found = study(tmp_path, [rtstruct([("OPEN_PLANAR", disc(4.0, 3))])])
    assert found.segments == ()
    assert any("1 open contours were left out" in note for note in found.assumptions)
    assert any("holds no contour" in note for note in found.assumptions)


def test_contours_between_slices_have_planes_of_their_own(tmp_path: Path) -> None:
    drawn = [(CLOSED, disc(6.0, z)) for z in (4.5, 6.5, 8.5)]
    found = study(tmp_path, [rtstruct(drawn)]).segments[0]
    assert found.mask.volume_ml == pytest.approx(np.pi * 36 * 6 / 1000, rel=0.02)


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (np.array([[0, 0, 1e7]]), "wanted points within 5000 mm"),
        (disc(5.0, 4.5) + np.arange(90)[:, None] % 7, "wanted contours in parallel planes"),
    ],
)
def test_contours_that_cannot_be_are_refused(tmp_path: Path, points: np.ndarray, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        study(tmp_path, [rtstruct([(CLOSED, points)])])


@given(st.floats(2.0, 9.0), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_pixels_are_worth_the_area_within_half_a_pixel(radius: float, dx: float, dy: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    curve = np.c_[dy + radius * np.sin(turn), dx + radius * np.cos(turn)]
    count = pixels(region([curve])).sum()
    assert abs(count - np.pi * radius**2) <= 0.5 + 0.002 * np.pi * radius**2


@needs_data
@pytest.mark.parametrize("folder", ["CT", "PET", "MR_T1"])
def test_public_contours_have_the_volume_of_their_public_mask(folder: str) -> None:
    place = DATA / "sts/STS_001" / folder
    stacks = [r.stack for r in dicom.scan([place / "dicom/image"]).series if r.stack]
    instance = loaded(next((place / "dicom/mask").iterdir()))
    frames = [Frame(uid) for uid in frame_uids(instance.dataset)]
    drawn = read_rtstruct(instance, stacks, frames, "RTSTRUCT").segments[0].mask
    truth = nifti.read_labels(place / "nifti/mask/mask.nii.gz").mask(1)
    assert drawn.volume_ml == pytest.approx(truth.volume_ml, rel=0.005)
    np.testing.assert_allclose(drawn.points_mm().mean(0), truth.points_mm().mean(0), atol=0.2)


def labels(path: Path, grid: Grid, *dots: tuple[int, int, int, int]) -> Path:
    array = np.zeros(grid.shape, np.uint16)
    for value, *place in dots:
        array[tuple(place)] = value
    nifti.write(LabelMap(grid, array), path)
    return path


def test_a_label_file_beside_the_images_is_found_and_has_a_lesion_a_label(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mri", slices(hbp_slice))
    labels(folder / "lesions.nii.gz", GRID, (1, 2, 5, 6), (4, 3, 1, 1))
    found = dicom.read_mri_study([folder]).segments
    assert [(s.meaning, voxels(s.mask)) for s in found] == [
        (Kind.UNSPECIFIED, {(2, 5, 6)}),
        (Kind.UNSPECIFIED, {(3, 1, 1)}),
    ]


def test_a_given_liver_is_the_liver_whatever_it_is_called(tmp_path: Path) -> None:
    liver = labels(tmp_path / "mask.nii.gz", GRID, (1, 2, 5, 6))
    found = study(tmp_path, [seg([(1, 3, plane((5, 6)))])], liver=liver).segments
    assert [s.meaning for s in found] == [Kind.UNSPECIFIED, Structure.LIVER] or [
        s.meaning for s in found
    ] == [Kind.METASTASIS, Structure.LIVER]


def test_numbers_of_totalsegmentator_are_known(tmp_path: Path) -> None:
    folder = saved(saved(tmp_path / "mri", slices(hbp_slice)), [seg([(1, 3, plane((5, 6)))])])
    labels(folder / "total_mr.nii.gz", GRID, (5, 2, 5, 6), (1, 3, 1, 1), (16, 4, 1, 1))
    meanings = {s.meaning for s in dicom.read_mri_study([folder]).segments}
    assert {Structure.LIVER, Structure.SPLEEN, Structure.OTHER} <= meanings


def test_a_lesion_in_two_files_is_taken_once(tmp_path: Path) -> None:
    folder = saved(saved(tmp_path / "mri", slices(hbp_slice)), [seg([(1, 3, plane((5, 6)))])])
    labels(folder / "lesions.nii.gz", GRID, (1, 3, 5, 6))
    found = dicom.read_mri_study([folder])
    assert len(found.segments) == 1
    assert any("drawn in an earlier file too" in note for note in found.assumptions)


def test_a_given_label_file_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    far = Grid.of(Frame("x"), (6, 12, 10), origin_mm=(500, 0, 0))
    lesions = labels(tmp_path / "l.nii.gz", far, (1, 2, 5, 6))
    with pytest.raises(InvalidInput, match="got one of which 0% does"):
        study(tmp_path, [], lesions=lesions)


def test_an_image_is_not_taken_for_labels(tmp_path: Path) -> None:
    array = np.arange(720, dtype=np.uint16).reshape(GRID.shape)
    nifti.write(LabelMap(GRID, array), tmp_path / "l.nii.gz")
    with pytest.raises(InvalidInput, match="got 720 different values; is it an image"):
        study(tmp_path, [], lesions=tmp_path / "l.nii.gz")


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        ("Met 3", Kind.METASTASIS),
        ("Lebermetastase Seg. VII", Kind.METASTASIS),
        ("Hämangiom", Kind.HAEMANGIOMA),
        ("Haemangioma 2", Kind.HAEMANGIOMA),
        ("hemangioma", Kind.HAEMANGIOMA),
        ("Zyste", Kind.CYST),
        ("liver cyst", Kind.CYST),
        ("FNH", Kind.OTHER_BENIGN),
        ("Leberherd 1", Kind.UNSPECIFIED),
        ("Lesion_4", Kind.UNSPECIFIED),
        ("7", Kind.UNSPECIFIED),
        ("Leber", Structure.LIVER),
        ("liver", Structure.LIVER),
        ("liver without lesions", Structure.LIVER),
        ("Milz", Structure.SPLEEN),
        ("kidney_left", Structure.KIDNEY),
        ("kidney_cyst_left", Structure.OTHER),
        ("Nierenzyste", Structure.OTHER),
        ("portal_vein_and_splenic_vein", Structure.PORTAL_VEIN),
        ("Lebervenen", Structure.HEPATIC_VEIN),
        ("Pfortader", Structure.PORTAL_VEIN),
        ("inferior_vena_cava", Structure.INFERIOR_VENA_CAVA),
        ("Gallenblase", Structure.GALLBLADDER),
        ("small_bowel", Structure.BOWEL),
        ("urinary_bladder", Structure.OTHER),
        ("vertebrae_L1", Structure.OTHER),
        ("liver reference VOI", Structure.OTHER),
    ],
)
def test_labels_mean_what_readers_mean(label: str, meaning: Kind | Structure) -> None:
    assert meaning_of(label) is meaning


@pytest.mark.parametrize(
    ("value", "label", "meaning"),
    [
        ("128462008", "a", Kind.METASTASIS),
        ("400210000", "Met 1", Kind.HAEMANGIOMA),
        ("4147007", "cyst", Kind.CYST),
        ("52988006", "a", Kind.UNSPECIFIED),
        ("10200004", "Liver", Structure.LIVER),
        ("10200004", "met in segment 4", Kind.METASTASIS),
        ("10200004", "reference", Structure.OTHER),
        ("78961009", "a", Structure.SPLEEN),
    ],
)
def test_codes_go_before_labels(value: str, label: str, meaning: Kind | Structure) -> None:
    assert meaning_of(label, [Code("SCT", value)]) is meaning

"""DICOM SEG: frames go where they say, in any order, cut, overlapping, packed or not."""

from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest

from lesionmatch import dicom, nifti
from lesionmatch.dicom.drawn.seg import read_seg
from lesionmatch.dicom.drawn.seg_frames import SegFrame, slice_distance_mm
from lesionmatch.dicom.drawn.segmentations import Scene, drawn_files
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.geometry import Frame, Grid
from lesionmatch.protocol import Protocol
from lesionmatch.segments import Kind, Segment
from tests.drawn_files import (
    GRID,
    code,
    in_order,
    item,
    loaded,
    needs_data,
    plane,
    seg,
    study,
    voxels,
)
from tests.reading_files import DATA, hbp_slice, pet_slice, saved, slices


def test_frames_go_where_their_positions_say_in_any_order(tmp_path: Path) -> None:
    frames = [(1, 4, plane((5, 6))), (2, 1, plane((2, 3))), (1, 2, plane((5, 7)))]
    found = study(tmp_path, [seg(frames)]).segments
    assert voxels(found[0].mask) == {(4, 5, 6), (2, 5, 7)}
    assert voxels(found[1].mask) == {(1, 2, 3)}


def test_a_sparse_segment_keeps_its_volume(tmp_path: Path) -> None:
    frames = [(1, 0, plane((5, 6))), (1, 4, plane((5, 6)))]
    assert study(tmp_path, [seg(frames)]).segments[0].mask.volume_ml == pytest.approx(0.024)


@pytest.mark.parametrize("states", ["SpacingBetweenSlices", "SliceThickness"])
def test_a_segment_of_thick_slices_on_places_of_thin_ones_is_as_thick_as_it_says(
    tmp_path: Path, states: str
) -> None:
    ds = seg([(1, place, plane((5, 6))) for place in (0, 2, 4)])
    measures = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.SliceThickness = 6
    del measures.SpacingBetweenSlices
    setattr(measures, states, 6)
    found = study(tmp_path, [ds]).segments[0]
    # A thickness alone says nothing, as slices may overlap: then the images at hand decide, and
    # what lies between three slices that follow evenly is filled in.
    wanted = {"SpacingBetweenSlices": 3 * 24, "SliceThickness": 5 * 12}[states]
    assert found.mask.volume_ml == pytest.approx(wanted / 1000.0)


def test_cropped_frames_are_placed_by_their_corner(tmp_path: Path) -> None:
    found = study(tmp_path, [seg([(1, 3, plane((5, 6)))], crop=2)]).segments
    assert voxels(found[0].mask) == {(3, 5, 6)}


def test_overlapping_segments_keep_their_voxels(tmp_path: Path) -> None:
    frames = [(1, 3, plane((5, 6), (5, 7))), (2, 3, plane((5, 7), (5, 8)))]
    found = study(tmp_path, [seg(frames)]).segments
    assert [voxels(s.mask) for s in found] == [{(3, 5, 6), (3, 5, 7)}, {(3, 5, 7), (3, 5, 8)}]


def test_a_segment_of_all_lesions_beside_one_of_each_is_left_out(tmp_path: Path) -> None:
    first, second = plane((1, 1), (1, 2), (2, 1)), plane((7, 6), (7, 7))
    drawn = [(1, 2, first | second), (2, 2, first), (3, 2, second)]
    found = study(tmp_path, [seg(drawn)])
    assert [one.label for one in found.segments] == ["met 2", "met 3"]
    assert found.assumptions == (
        "SEG segment 1 is drawn by other segments of the same file too and was left out",
    )


def test_of_one_lesion_drawn_twice_in_a_file_the_first_is_kept(tmp_path: Path) -> None:
    drawn = [(1, 2, plane((1, 1), (1, 2))), (2, 2, plane((1, 1), (1, 2)))]
    assert [one.label for one in study(tmp_path, [seg(drawn)]).segments] == ["met 1"]


def test_a_small_lesion_in_a_large_one_is_one_of_its_own(tmp_path: Path) -> None:
    drawn = [(1, 2, plane((1, 1), (1, 2), (2, 1), (2, 2))), (2, 2, plane((1, 1)))]
    assert len(study(tmp_path, [seg(drawn)]).segments) == 2


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
    assert found.segments == ()
    assert any("segment 1 is empty" in note for note in found.assumptions)


def test_empty_segments_are_said_in_one_note(tmp_path: Path) -> None:
    frames = [(1, 3, plane((5, 6))), (2, 3, plane()), (3, 3, plane())]
    (note,) = study(tmp_path, [seg(frames)]).assumptions
    assert note.endswith("segments 2 and 3 are empty")


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


@pytest.mark.parametrize("lost", ["SegmentationType", "MaximumFractionalValue"])
def test_fractions_of_nobody_knows_what_are_refused(tmp_path: Path, lost: str) -> None:
    ds = seg([(1, 2, 150 * plane((5, 6)))], kind="FRACTIONAL")
    (whole,) = study(tmp_path / "whole", [ds]).segments
    assert voxels(whole.mask) == {(2, 5, 6)}
    delattr(ds, lost)
    with pytest.raises(InvalidInput, match="wanted SegmentationType and MaximumFractionalValue"):
        study(tmp_path, [ds])


def test_single_bits_need_no_type(tmp_path: Path) -> None:
    ds = seg([(1, 2, plane((5, 6)))])
    del ds.SegmentationType
    (found,) = study(tmp_path, [ds]).segments
    assert voxels(found.mask) == {(2, 5, 6)}


@pytest.mark.parametrize("lost", [("NumberOfFrames",), ("NumberOfFrames", "PerFrame")])
def test_a_seg_that_lost_its_count_of_frames_is_not_one_without_lesions(
    tmp_path: Path, lost: tuple[str, ...]
) -> None:
    ds = seg([(1, 2, plane((5, 6)))])
    for element in list(ds):
        if element.keyword.startswith(lost):
            del ds[element.tag]
    with pytest.raises(InvalidInput, match="wanted the place of each of 0 frames"):
        study(tmp_path, [ds])


def test_a_seg_of_no_frame_and_no_pixel_is_a_study_without_lesions(tmp_path: Path) -> None:
    ds = seg([(1, 2, plane((5, 6)))])
    ds.NumberOfFrames, ds.PerFrameFunctionalGroupsSequence, ds.PixelData = 0, [], b""
    found = study(tmp_path, [ds])
    assert found.segments == ()
    assert any("holds no frame: nothing was drawn" in note for note in found.assumptions)


@pytest.mark.parametrize(("number", "got"), [(None, r"\[0\]"), (7, r"\[7\]")])
def test_a_frame_of_no_segment_is_not_lost_in_silence(
    tmp_path: Path, number: int | None, got: str
) -> None:
    ds = seg([(1, 2, plane((3, 3))), (2, 3, plane((4, 4)))])
    frame = ds.PerFrameFunctionalGroupsSequence[1]
    if number is None:
        del frame.SegmentIdentificationSequence
    else:
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = number
    with pytest.raises(InvalidInput, match=rf"one of the segments \[1, 2\], got {got}"):
        study(tmp_path, [ds])


def test_a_frame_whose_place_is_malformed_is_refused(tmp_path: Path) -> None:
    ds = seg([(1, 2, plane((5, 6)))])
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 2, 0]
    with pytest.raises(InvalidInput, match="wanted unit vectors in frame 1"):
        study(tmp_path / "long", [ds])
    shared.PixelMeasuresSequence[0].PixelSpacing = [2, 0]
    with pytest.raises(InvalidInput, match="wanted a place for frame 1, got a malformed one"):
        study(tmp_path / "flat", [ds])


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
    drawn = read_seg(instance, Frame("f"), [], Protocol(), "SEG").segments[0].mask
    expected = nifti.read_labels(DATA / "seg" / truth, Frame("f")).mask(label)
    ours, theirs = (in_order(mask) for mask in (drawn, expected))
    np.testing.assert_allclose(ours, theirs, atol=0.01)


REAL = (
    *("highdicom/seg_image_ct_binary.dcm", "highdicom/seg_image_ct_binary_overlap.dcm"),
    *("highdicom/seg_image_ct_binary_fractional.dcm", "highdicom/seg_image_ct_true_fractional.dcm"),
    *("highdicom/seg_image_ct_binary_single_frame.dcm", "dcmqi/partial_overlaps.dcm"),
    *("dcmqi/sparse-labelmap-noppv.dcm", "dcmqi_sr/seg.dcm", "pydicom/liver_j2k.dcm"),
)


@needs_data
@pytest.mark.parametrize("file", REAL)
def test_public_segs_have_the_voxels_that_highdicom_finds_in_them(file: str) -> None:
    path = DATA / "seg" / file
    ours = study_of(path)
    theirs = hd.seg.segread(str(path))
    is_fraction = theirs.segmentation_type.value == "FRACTIONAL"
    for segment in ours:
        number = int(segment.source.removeprefix("SEG segment "))
        volume = theirs.get_volume(segment_numbers=[number], combine_segments=not is_fraction)
        array = volume.array
        count = int((array >= (0.5 if is_fraction else 1)).sum())
        assert int(segment.mask.array.sum()) == count > 0


def study_of(path: Path) -> tuple[Segment, ...]:
    """The segments of a file, in a frame of reference taken to be its own."""
    folder = dicom.scan([path])
    frame = Frame(folder.series[0].frame_uid or "f")
    scene = Scene(GRID, (folder,), (frame,), Protocol())
    return drawn_files(folder, scene)[0].segments


def frame_at(z_mm: float, *, distance_mm: float | None, thickness_mm: float | None) -> SegFrame:
    """An axial frame as a file describes it."""
    place = np.array([0.0, 0.0, z_mm])
    written = ("0", "0", f"{z_mm:g}")
    axes = np.eye(3)[:2]
    return SegFrame(0, 1, place, written, axes, (1.0, 1.0), distance_mm, thickness_mm)


@pytest.mark.parametrize(
    ("distance_mm", "first_slice_mm", "thickness_mm", "expected_mm"),
    [
        (8.0, -6.0, 4.0, 8.0),
        (None, -6.0, 4.0, 2.0),
        (None, -7.0, 4.0, 4.0),
        (None, None, 4.0, 4.0),
        (None, None, None, 8.0),
        (3.0, None, 4.0, 4.0),
    ],
    ids=["the file's", "the images'", "of images beside them", "thickness", "gap", "no fit"],
)
def test_frames_8_mm_apart_lie_on_slices_as_far_apart_as_is_said_and_fits(
    distance_mm: float | None,
    first_slice_mm: float | None,
    thickness_mm: float | None,
    expected_mm: float,
) -> None:
    frames = [frame_at(z, distance_mm=distance_mm, thickness_mm=thickness_mm) for z in (0.0, 8.0)]
    grids = [
        Grid.of(Frame("1.2.8"), (20, 9, 9), origin_mm=(0, 0, z), spacing_mm=(2.0, 1.0, 1.0))
        for z in ([] if first_slice_mm is None else [first_slice_mm])
    ]
    found = slice_distance_mm(frames, np.array([0.0, 0.0, 1.0]), grids, np.zeros(3))
    assert found == pytest.approx(expected_mm)

"""RTSTRUCT: areas, holes, points, and what lies between slices."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from skimage.measure import points_in_poly

from lesionmatch import dicom, nifti
from lesionmatch.dicom.drawn.contours import pixels, region, shares
from lesionmatch.dicom.drawn.rtstruct import frame_uids, read_rtstruct
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame
from lesionmatch.lesions import lesions_from
from lesionmatch.protocol import Protocol
from lesionmatch.segments import Kind, Structure
from tests.drawn_files import (
    CLOSED,
    disc,
    item,
    loaded,
    needs_data,
    rtstruct,
    study,
    voxels,
)
from tests.reading_files import DATA, pet_slice, saved, slices


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
    assert any("1 open contour was left out" in note for note in found.assumptions)
    assert any("holds no contour" in note for note in found.assumptions)


@pytest.mark.parametrize(
    ("name", "purpose", "meaning"),
    [
        ("Patient", "EXTERNAL", Structure.OTHER),
        ("P1", "PTV", Structure.OTHER),
        ("Tumour", "PTV", Kind.UNSPECIFIED),
        ("1", "ORGAN", Kind.UNSPECIFIED),
        ("1", "GTV", Kind.UNSPECIFIED),
        ("1", "", Kind.UNSPECIFIED),
    ],
)
def test_what_was_drawn_for_another_purpose_is_no_lesion_unless_named_one(
    tmp_path: Path, name: str, purpose: str, meaning: Kind | Structure
) -> None:
    ds = rtstruct([(CLOSED, disc(6.0, 3))], name)
    other = rtstruct([(CLOSED, disc(2.0, 6))], "met 2")
    other.SeriesInstanceUID = other.SOPInstanceUID = "1.2.4.61"
    ds.RTROIObservationsSequence = [item(ReferencedROINumber=1, RTROIInterpretedType=purpose)]
    found = study(tmp_path, [ds, other]).segments
    assert {one.label: one.meaning for one in found}[name] is meaning


def test_no_open_contour_is_left_out_in_silence(tmp_path: Path) -> None:
    drawn = [("OPEN_NONPLANAR", disc(4.0, 3)), (CLOSED, disc(4.0, 6))]
    found = study(tmp_path, [rtstruct(drawn)])
    assert any("1 open contour was left out" in note for note in found.assumptions)


def test_a_lesion_drawn_on_every_second_slice_is_one(tmp_path: Path) -> None:
    every = study(tmp_path / "1", [rtstruct([(CLOSED, disc(6.0, z)) for z in (0, 3, 6, 9, 12)])])
    found = study(tmp_path / "2", [rtstruct([(CLOSED, disc(6.0, z)) for z in (0, 6, 12)])])
    assert voxels(found.segments[0].mask) == voxels(every.segments[0].mask)
    assert found.assumptions == (
        "RTSTRUCT series 1.2.4.60 ROI 1: 2 slices between contours were filled in",
    )


def test_between_a_wide_and_a_narrow_contour_lies_one_of_half_the_way(tmp_path: Path) -> None:
    drawn = [(CLOSED, disc(8.0, 0)), (CLOSED, disc(4.0, 6))]
    mask = study(tmp_path, [rtstruct(drawn)]).segments[0].mask
    # Pixels of 2 x 2 mm: a disc of 6 mm has 28.3 of them.
    assert mask.array.sum((1, 2)).tolist() == [50, pytest.approx(28.3, abs=4), 13]


def test_lesions_in_turn_on_every_second_slice_are_two(tmp_path: Path) -> None:
    drawn = [(CLOSED, disc(3.0, z, x=-15 if z % 6 else -6)) for z in (0, 3, 6, 9, 12, 15)]
    found = study(tmp_path, [rtstruct(drawn)])
    assert len(lesions_from(found.segments, Protocol().lesions)) == 2


@pytest.mark.parametrize(
    ("places", "notes"),
    [((0, 3, 9, 12), 1), ((0, 3, 6), 0), ((0, 12), 0), ((0, 15), 0)],
)
def test_a_slice_without_a_contour_among_others_is_left_open_and_that_is_said(
    tmp_path: Path, places: tuple[int, ...], notes: int
) -> None:
    found = study(tmp_path, [rtstruct([(CLOSED, disc(6.0, z)) for z in places])])
    assert {slice_ for slice_, _, _ in voxels(found.segments[0].mask)} == {z // 3 for z in places}
    said = [n for n in found.assumptions if "gaps between contours one above the other" in n]
    assert len(said) == len(found.assumptions) == notes


def test_contours_between_slices_and_far_apart_are_no_thicker_than_a_slice(tmp_path: Path) -> None:
    found = study(tmp_path, [rtstruct([(CLOSED, disc(6.0, z)) for z in (1.5, 13.5)])])
    assert found.segments[0].mask.volume_ml == pytest.approx(np.pi * 36 * 6 / 1000, rel=0.02)


def test_contours_between_slices_have_planes_of_their_own(tmp_path: Path) -> None:
    drawn = [(CLOSED, disc(6.0, z)) for z in (4.5, 6.5, 8.5)]
    found = study(tmp_path, [rtstruct(drawn)]).segments[0]
    assert found.mask.volume_ml == pytest.approx(np.pi * 36 * 6 / 1000, rel=0.02)


@pytest.mark.parametrize(
    "places", [(1.504, 1.506, 4.504, 4.506, 7.5, 10.5), (1.5, 4.5, 7.5, 7.9, 10.5)]
)
def test_contours_a_little_off_the_others_planes_do_not_make_these_thin(
    tmp_path: Path, places: tuple[float, ...]
) -> None:
    found = study(tmp_path, [rtstruct([(CLOSED, disc(6.0, z)) for z in places])])
    assert found.segments[0].mask.volume_ml == pytest.approx(np.pi * 36 * 12 / 1000, rel=0.1)
    assert len(lesions_from(found.segments, Protocol().lesions)) == 1


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (np.array([[0, 0, 1e7]]), "wanted points within 5000 mm"),
        (disc(5.0, 4.5) + np.arange(90)[:, None] % 7, "wanted contours in parallel planes"),
    ],
)
def test_contours_that_cannot_be_are_refused(
    tmp_path: Path, points: NDArray[Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        study(tmp_path, [rtstruct([(CLOSED, points)])])


def test_a_contour_of_points_without_all_coordinates_is_refused(tmp_path: Path) -> None:
    ds = rtstruct([(CLOSED, disc(6.0, 4.5))])
    contour = ds.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = contour.ContourData[:-1]
    with pytest.raises(InvalidInput, match="wanted three numbers a point in a contour, got 269"):
        study(tmp_path, [ds])


def lose(*places: int | str) -> Callable[[Dataset], None]:
    """What takes an attribute out of a dataset, by the way to it."""

    def change(ds: Dataset) -> None:
        *way, last = places
        at: Any = ds
        for step in way:
            at = at[step] if isinstance(step, int) else getattr(at, step)
        delattr(at, str(last))

    return change


def number_its_contours_5(ds: Dataset) -> None:
    ds.ROIContourSequence[0].ReferencedROINumber = 5


def number_two_regions_alike(ds: Dataset) -> None:
    ds.StructureSetROISequence.append(ds.StructureSetROISequence[0])


def cut_a_contour(ds: Dataset) -> None:
    contour = ds.ROIContourSequence[0].ContourSequence[1]
    contour.ContourData = contour.ContourData[:30]


FIRST = ("ROIContourSequence", 0, "ContourSequence", 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lose("ROIContourSequence"), "wanted contours of its regions, got none"),
        (lose("StructureSetROISequence"), r"one of the regions \[\], got \[1\]"),
        (number_its_contours_5, r"one of the regions \[1\], got \[5\]"),
        (lose("ROIContourSequence", 0, "ReferencedROINumber"), r"got \[0\]"),
        (number_two_regions_alike, "got a number twice"),
        (cut_a_contour, "wanted a contour of 90 points, got 10"),
        (lose(*FIRST, "ContourData"), "wanted a contour of 90 points, got 0"),
        (lose(*FIRST, "ContourGeometricType"), "got one of no type"),
    ],
)
def test_what_was_drawn_is_not_lost_with_what_the_file_says_of_it(
    tmp_path: Path, change: Callable[[Dataset], None], says: str
) -> None:
    ds = rtstruct([(CLOSED, disc(6.0, z)) for z in (3, 6, 9)])
    change(ds)
    with pytest.raises(InvalidInput, match=says):
        study(tmp_path, [ds])


def test_a_contour_without_points_that_does_not_say_it_has_none_is_refused(tmp_path: Path) -> None:
    ds = rtstruct([(CLOSED, disc(6.0, z)) for z in (3, 6)])
    lose(*FIRST, "ContourData")(ds)
    lose(*FIRST, "NumberOfContourPoints")(ds)
    with pytest.raises(InvalidInput, match="wanted a contour of points, got 0"):
        study(tmp_path, [ds])
    ds.ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints = 0
    (left,) = study(tmp_path / "none", [ds]).segments
    assert left.mask.volume_ml == pytest.approx(np.pi * 36 * 3 / 1000, abs=0.012)


def test_the_contours_of_a_region_that_is_listed_twice_are_all_its_own(tmp_path: Path) -> None:
    ds = rtstruct([(CLOSED, disc(6.0, z)) for z in (3, 6, 9)])
    (drawn,) = ds.ROIContourSequence
    other = item(ReferencedROINumber=1, ContourSequence=drawn.ContourSequence[2:])
    drawn.ContourSequence = drawn.ContourSequence[:2]
    ds.ROIContourSequence = [drawn, other]
    (found,) = study(tmp_path, [ds]).segments
    assert found.mask.volume_ml == pytest.approx(np.pi * 36 * 9 / 1000, abs=3 * 0.006)


@given(st.floats(2.0, 9.0), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_pixels_are_worth_the_area_within_half_a_pixel(radius: float, dx: float, dy: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    curve = np.c_[dy + radius * np.sin(turn), dx + radius * np.cos(turn)]
    count = pixels(region([curve])).sum()
    assert abs(count - np.pi * radius**2) <= 0.5 + 0.002 * np.pi * radius**2


@pytest.mark.parametrize(
    "corners",
    [
        [(0.2, 0.3), (5.7, 1.1), (2.4, 6.8)],
        [(0.0, 0.0), (0.0, 7.3), (4.0, 7.3), (4.0, 3.1), (1.5, 3.1), (6.4, -0.4)],
        # A bow: its edges cross, and both halves are inside.
        [(1.0, 1.0), (5.0, 6.0), (1.0, 6.0), (5.0, 1.0)],
    ],
)
def test_a_pixel_s_share_of_a_polygon_is_that_of_its_points_inside(
    corners: list[tuple[float, float]],
) -> None:
    curve = np.array(corners)
    found = shares(curve)
    rows, columns = found.array.shape
    steps = (np.arange(40) + 0.5) / 40 - 0.5
    row, column = np.meshgrid(
        (found.corner[0] + np.arange(rows)[:, None] + steps).ravel(),
        (found.corner[1] + np.arange(columns)[:, None] + steps).ravel(),
        indexing="ij",
    )
    inside = points_in_poly(np.c_[row.ravel(), column.ravel()], curve)
    wanted = inside.reshape(rows, 40, columns, 40).mean((1, 3))
    np.testing.assert_allclose(found.array, wanted, atol=0.04)


@needs_data
@pytest.mark.parametrize("folder", ["CT", "PET", "MR_T1"])
def test_public_contours_have_the_volume_of_their_public_mask(folder: str) -> None:
    place = DATA / "sts/STS_001" / folder
    stacks = [r.stack for r in dicom.scan([place / "dicom/image"]).series if r.stack]
    instance = loaded(next((place / "dicom/mask").iterdir()))
    frames = [Frame(uid) for uid in frame_uids(instance.dataset)]
    drawn = read_rtstruct(instance, stacks, frames, "RTSTRUCT", between_mm=10.0).segments[0].mask
    truth = nifti.read_labels(place / "nifti/mask/mask.nii.gz").mask(1)
    assert drawn.volume_ml == pytest.approx(truth.volume_ml, rel=0.005)
    np.testing.assert_allclose(drawn.points_mm().mean(0), truth.points_mm().mean(0), atol=0.2)


@needs_data
@pytest.mark.parametrize("file", ["rt.dcm", "invalid_reference_rt.dcm"])
def test_public_structures_are_read_whatever_they_refer_to(file: str) -> None:
    place = DATA / "rtstruct/rt_utils"
    instance = loaded(place / "mock_data" / file)
    frames = [Frame(uid) for uid in frame_uids(instance.dataset)]
    found = read_rtstruct(instance, [], frames, "RTSTRUCT", between_mm=10.0)
    assert all(segment.mask.volume_ml > 0.2 for segment in found.segments)
    assert found.segments
    assert found.notes == ()


@needs_data
def test_references_that_dangle_change_no_volume() -> None:
    volumes = []
    for file in ("mock_data/invalid_reference_rt.dcm", "mock_data/non_existent_reference_rt.dcm"):
        instance = loaded(DATA / "rtstruct/rt_utils" / file)
        frames = [Frame(uid) for uid in frame_uids(instance.dataset)]
        found = read_rtstruct(instance, [], frames, "RTSTRUCT", between_mm=10.0).segments
        volumes.append([segment.mask.volume_ml for segment in found])
    assert volumes[0] == volumes[1]
    assert len(volumes[0]) == 4


@needs_data
def test_public_regions_without_contours_and_below_a_voxel_are_said() -> None:
    instance = loaded(DATA / "rtstruct/dicompyler/rtss.dcm")
    frames = [Frame(uid) for uid in frame_uids(instance.dataset)]
    found = read_rtstruct(instance, [], frames, "RTSTRUCT", between_mm=10.0)
    meanings = {segment.label: segment.meaning for segment in found.segments}
    assert meanings["Heart"] is Structure.HEART
    assert meanings["Lt Lung"] is Structure.OTHER
    assert "RTSTRUCT ROI 2 holds no contour" in found.notes


def test_a_broken_drawing_beside_the_pet_is_said_and_costs_no_study(tmp_path: Path) -> None:
    drawn = rtstruct([(CLOSED, disc(5.0, 4.5) + np.arange(90)[:, None] % 7)])
    drawn.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "1.2.9"
    folder = saved(saved(tmp_path, slices(pet_slice)), [drawn])
    notes = dicom.read_pet_study([folder]).assumptions
    assert any("was set aside (RTSTRUCT" in n and "in parallel planes" in n for n in notes)

"""Slices whose positions were rounded when they were written, and slices that are missing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from lesionmatch import dicom
from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.sources import Source
from lesionmatch.dicom.series.plane import plane_of
from lesionmatch.dicom.series.rounded import Line, rounded_line
from lesionmatch.errors import InconsistentSeries, InvalidInput
from tests.drawn_files import plane, seg
from tests.reading_files import MAKERS, pet_slice, saved

SPACING_MM = 3.27


def written(places_mm: Sequence[float], modality: str = "PT") -> list[Dataset]:
    """Axial slices at these places, as an exporter with one decimal writes them."""
    datasets = [MAKERS[modality](n) for n in range(len(places_mm))]
    for ds, place in zip(datasets, places_mm, strict=True):
        ds.ImagePositionPatient = ["-20.0", "-30.0", f"{place:.1f}"]
    return datasets


def even(count: int, *, start: float = -101.24, spacing: float = SPACING_MM) -> list[float]:
    return [start + spacing * n for n in range(count)]


def line_of(datasets: Sequence[Dataset], coarsest_mm: float = 0.1) -> Line | None:
    planes = [plane_of(Instance(Source(Path("none"), None, 999), ds, 0)) for ds in datasets]
    return rounded_line(planes, coarsest_mm)


@pytest.mark.parametrize("modality", MAKERS)
def test_positions_of_one_decimal_are_even_but_for_their_rounding(
    tmp_path: Path, modality: str
) -> None:
    (record,) = dicom.scan([saved(tmp_path, written(even(40), modality))]).series
    stack = record.usable_stack()
    assert record.set_aside is None
    assert stack.rounded_mm == pytest.approx(0.1)
    assert stack.grid.spacing_mm[0] == pytest.approx(SPACING_MM, abs=0.1 / 39)
    np.testing.assert_allclose(stack.grid.world([20, 0, 0]), [-20, -30, -35.84], atol=0.05)


def test_that_positions_are_rounded_is_said(tmp_path: Path) -> None:
    found = dicom.read_pet_study([saved(tmp_path, written(even(12)))])
    assert (
        "the slices of PT series 1.2.3.1 are uneven by less than the 0.1 mm their positions are "
        "rounded to; they were taken to lie 3.270 mm apart"
    ) in found.assumptions


def test_exact_positions_are_not_called_rounded(tmp_path: Path) -> None:
    found = dicom.read_pet_study([saved(tmp_path, [pet_slice(n) for n in range(12)])])
    assert not any("rounded" in note for note in found.assumptions)


@pytest.mark.parametrize("gone", [1, 6, 10])
def test_a_missing_slice_does_not_hide_in_the_rounding(tmp_path: Path, gone: int) -> None:
    places = even(12)
    del places[gone]
    (record,) = dicom.scan([saved(tmp_path, written(places))]).series
    assert record.stack is None
    assert "after slice" in str(record.set_aside)


@pytest.mark.parametrize("off_mm", [0.2, -0.3, 1.0])
def test_a_slice_off_by_more_than_the_rounding_is_refused(tmp_path: Path, off_mm: float) -> None:
    places = even(12, start=-101.0, spacing=3.3)
    places[5] += off_mm
    (record,) = dicom.scan([saved(tmp_path, written(places))]).series
    assert record.stack is None


@pytest.mark.parametrize("sideways", [False, True])
def test_a_tilted_gantry_is_no_rounding(tmp_path: Path, sideways: bool) -> None:
    datasets = written(even(40))
    for n, ds in enumerate(datasets):
        drift = 0.04 * n if sideways else 0.0
        ds.ImagePositionPatient = ["-20.0", f"{-30.0 + drift:.1f}", ds.ImagePositionPatient[2]]
    (record,) = dicom.scan([saved(tmp_path, datasets)]).series
    assert (record.stack is None) == sideways


def test_a_finer_decimal_in_any_position_leaves_no_room_for_rounding() -> None:
    datasets = written(even(12))
    assert line_of(datasets) is not None
    datasets[7].ImagePositionPatient = ["-20.0", "-30.0", f"{even(12)[7]:.4f}"]
    assert line_of(datasets) is None


@pytest.mark.parametrize("word", ["0e99999999999999999999", "1e-99999999999999999999", "1e-400"])
def test_a_number_that_is_no_decimal_leaves_no_room_for_rounding(word: str) -> None:
    datasets = written(even(12, start=0.0))
    assert line_of(datasets) is not None
    planes = [plane_of(Instance(Source(Path("none"), None, 999), ds, 0)) for ds in datasets]
    planes[0].header[0x00200032] = RawDataElement(
        BaseTag(0x00200032), "DS", 0, f"-20.0\\-30.0\\{word}".encode(), 0, False, True
    )
    assert rounded_line(planes, 0.1) is None


def test_whole_millimetres_are_not_taken_for_rounded() -> None:
    datasets = written([round(place) for place in even(12)])
    assert line_of(datasets) is None
    assert line_of(datasets, coarsest_mm=1.0) is None, "a missing slice could hide"
    wide = written([round(place) for place in even(12, spacing=5.4)])
    assert line_of(wide) is None
    assert line_of(wide, coarsest_mm=1.0) is not None


@pytest.mark.parametrize(("spacing_mm", "unit_mm"), [(1.5, 1.0), (0.24, 0.1)])
def test_positions_too_coarse_for_their_distance_are_refused_as_such(
    tmp_path: Path, spacing_mm: float, unit_mm: float
) -> None:
    places = [unit_mm * round(place / unit_mm) for place in even(12, spacing=spacing_mm)]
    (record,) = dicom.scan([saved(tmp_path, written(places))]).series
    said = f"; or, as its positions look rounded to {unit_mm:g} mm, export them with all decimals"
    with pytest.raises(InconsistentSeries, match=f"{said}$"):
        record.usable_stack()


def test_a_slice_that_cannot_hide_is_missed_without_a_word_of_rounding(tmp_path: Path) -> None:
    (record,) = dicom.scan([saved(tmp_path, written([2, 4, 6, 10, 12]))]).series
    with pytest.raises(InconsistentSeries, match=r"missing or misplaced, export it again$"):
        record.usable_stack()


@given(st.integers(3, 60), st.floats(0.5, 8.0), st.floats(-900, 900), st.data())
@settings(max_examples=40)
def test_what_was_rounded_is_even_and_what_lacks_a_slice_is_not(
    count: int, spacing: float, start: float, data: st.DataObject
) -> None:
    places = even(count, start=start, spacing=spacing)
    line = line_of(written(places))
    assert line is not None
    assert abs(line.step_mm[2] - spacing) <= 0.1 / (count - 1) + 1e-6
    assert abs(line.start_mm[2] - start) <= 0.1 + 1e-6
    places = even(count + 1, start=start, spacing=spacing)
    del places[data.draw(st.integers(1, count - 1))]
    assert line_of(written(places)) is None


def test_an_oblique_volume_is_even_but_for_its_rounding(tmp_path: Path) -> None:
    turn, _ = np.linalg.qr(np.array([[1, 0.2, 0.1], [-0.2, 1, 0.3], [-0.1, -0.3, 1.0]]))
    datasets = written(even(30))
    normal = np.cross(turn[:, 0], turn[:, 1])
    for n, ds in enumerate(datasets):
        ds.ImageOrientationPatient = [f"{x:.8f}" for x in (*turn[:, 0], *turn[:, 1])]
        ds.ImagePositionPatient = [f"{x:.1f}" for x in normal * SPACING_MM * n]
    (record,) = dicom.scan([saved(tmp_path, datasets)]).series
    grid = record.usable_stack().grid
    np.testing.assert_allclose(grid.world([29, 0, 0]), normal * SPACING_MM * 29, atol=0.1)


@pytest.mark.parametrize("tilt", [0.0, 0.3])
@pytest.mark.parametrize("spacing_mm", [3.27, 1.13])
def test_a_seg_with_rounded_positions_is_where_its_slices_are(
    tmp_path: Path, tilt: float, spacing_mm: float
) -> None:
    turn = [1, 0, 0, 0, np.cos(tilt), np.sin(tilt)]
    normal = np.array([0, -np.sin(tilt), np.cos(tilt)])
    places = [[f"{x:.1f}" for x in normal * spacing_mm * n] for n in range(20)]
    datasets = [MAKERS["MR"](n) for n in range(20)]
    drawn = seg([(1, n, plane((5, 6))) for n in range(4, 15)])
    shared = drawn.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [f"{x:.8f}" for x in turn]
    measures = shared.PixelMeasuresSequence[0]
    measures.SpacingBetweenSlices = measures.SliceThickness = f"{spacing_mm:.4f}"
    for ds, place in zip(datasets, places, strict=True):
        ds.ImageOrientationPatient = [f"{x:.8f}" for x in turn]
        ds.ImagePositionPatient = place
    for item, place in zip(drawn.PerFrameFunctionalGroupsSequence, places[4:], strict=False):
        item.PlanePositionSequence[0].ImagePositionPatient = place
    found = dicom.read_mri_study([saved(tmp_path, [*datasets, drawn])]).segments[0].mask
    assert found.volume_ml == pytest.approx(11 * 4 * spacing_mm / 1000.0, rel=0.01)
    middle = normal * spacing_mm * 9 + np.array(turn[:3]) * 12 + np.array(turn[3:]) * 10
    np.testing.assert_allclose(found.points_mm().mean(0), middle, atol=0.1)


def test_frames_farther_off_than_their_rounding_are_refused(tmp_path: Path) -> None:
    drawn = seg([(1, n, plane((5, 6))) for n in range(4)])
    place = drawn.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[0]
    place.ImagePositionPatient = ["-20.0", "-30.3", "6.0"]
    with pytest.raises(InvalidInput, match=r"frame 3 off it by 0\.15 voxels"):
        dicom.read_mri_study([saved(tmp_path, [*(MAKERS["MR"](n) for n in range(6)), drawn])])

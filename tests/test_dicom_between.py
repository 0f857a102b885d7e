"""Masks that were drawn on every second slice, as SEG and as label maps."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lesionmatch import dicom, nifti
from lesionmatch.geometry import Grid
from lesionmatch.image import LabelMap, Mask
from lesionmatch.lesions import lesions_from
from lesionmatch.protocol import DrawnRules, Protocol
from tests.drawn_files import GRID, MRI, seg, study
from tests.reading_files import hbp_slice, saved, slices

TALL = Grid.of(MRI, (12, 12, 10), origin_mm=(-20, -30, 0), spacing_mm=(3, 2, 2))
SQUARE = (slice(4, 8), slice(3, 7))


def painted(*places: int, at: tuple[slice, slice] = SQUARE) -> NDArray[np.uint16]:
    """A square on some slices of TALL."""
    array = np.zeros(TALL.shape, np.uint16)
    array[list(places), at[0], at[1]] = 1
    return array


def mapped(folder: Path, array: NDArray[np.uint16], **rules: float) -> dicom.MriStudy:
    """A study with a label map of that array."""
    mri = saved(folder / "mri", slices(hbp_slice, 12))
    nifti.write(LabelMap(TALL, array), mri / "lesions.nii.gz")
    options = dicom.ReadOptions(protocol=Protocol(drawn=DrawnRules(**rules)))
    return dicom.read_mri_study([mri], options)


def drawn_slices(mask: Mask) -> list[int]:
    z_mm = np.unique(mask.points_mm()[:, 2])
    return [round(float(z) / 3.0) for z in z_mm]


def test_a_label_map_on_every_second_slice_is_filled_in_and_that_is_said(tmp_path: Path) -> None:
    found = mapped(tmp_path, painted(2, 4, 6, 8))
    assert drawn_slices(found.segments[0].mask) == [2, 3, 4, 5, 6, 7, 8]
    assert found.segments[0].mask.volume_ml == pytest.approx(7 * 16 * 12 / 1000)
    assert "label 1: 3 slices between those drawn were filled in" in found.assumptions
    assert len(lesions_from(found.segments, Protocol().lesions)) == 1


def test_a_seg_on_every_second_slice_is_filled_in_and_that_is_said(tmp_path: Path) -> None:
    pixels = painted(0)[0].astype(np.uint8)
    found = study(tmp_path, [seg([(1, place, pixels) for place in (0, 2, 4)])])
    mask = found.segments[0].mask
    assert sorted({round(float(GRID.voxels(p)[0])) for p in mask.points_mm()}) == [0, 1, 2, 3, 4]
    assert "SEG segment 1: 2 slices between those drawn were filled in" in found.assumptions


def test_a_mask_on_every_slice_stays_as_it_is_without_a_word(tmp_path: Path) -> None:
    found = mapped(tmp_path, painted(2, 3, 4, 7))
    assert drawn_slices(found.segments[0].mask) == [2, 3, 4, 7]
    assert found.assumptions == ()


def test_slices_farther_apart_than_the_protocol_says_are_not_filled_in(tmp_path: Path) -> None:
    assert drawn_slices(mapped(tmp_path / "a", painted(2, 5, 8)).segments[0].mask) == [*range(2, 9)]
    near = mapped(tmp_path / "b", painted(2, 5, 8), between_mm=8.0)
    assert drawn_slices(near.segments[0].mask) == [2, 5, 8]


def test_single_slices_above_each_other_beside_a_whole_lesion_are_doubted(tmp_path: Path) -> None:
    whole = painted(1, 2, 3, at=(slice(0, 2), slice(0, 2)))
    found = mapped(tmp_path, painted(4, 6, 8) | whole)
    assert drawn_slices(found.segments[0].mask) == [1, 2, 3, 4, 6, 8]
    # 4 with 6, and 6 with 8; 4 and 8 lie 12 mm apart.
    said = "label 1: 2 gaps between single slices one above the other were left open"
    assert said in found.assumptions


def test_two_single_slices_may_be_two_lesions_and_are_doubted(tmp_path: Path) -> None:
    found = mapped(tmp_path, painted(2, 4))
    assert drawn_slices(found.segments[0].mask) == [2, 4]
    assert found.assumptions == (
        "label 1: 1 gap between single slices one above the other was left open",
    )


def test_lesions_of_one_slice_side_by_side_are_left_alone(tmp_path: Path) -> None:
    array = painted(2) | painted(4, at=(slice(0, 2), slice(0, 2)))
    found = mapped(tmp_path, array)
    assert drawn_slices(found.segments[0].mask) == [2, 4]
    assert found.assumptions == ()


def test_a_map_whose_slices_are_not_its_first_axis_is_filled_in_across_them(
    tmp_path: Path,
) -> None:
    mri = saved(tmp_path / "mri", slices(hbp_slice, 12))
    turned = Grid.of(
        MRI, (12, 10, 12), origin_mm=(-20, -30, 0), spacing_mm=(2, 2, 3),
        directions=np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
    )  # fmt: skip
    array = np.moveaxis(painted(2, 4, 6), 0, 2)
    nifti.write(LabelMap(turned, array), mri / "lesions.nii.gz")
    found = dicom.read_mri_study([mri])
    assert drawn_slices(found.segments[0].mask) == [2, 3, 4, 5, 6]

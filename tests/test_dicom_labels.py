"""NIfTI and NRRD labels beside the images, and the same lesion in two files."""

from pathlib import Path

import numpy as np
import pytest

from lesionmatch import dicom, nifti
from lesionmatch.dicom import ReadOptions
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import LabelMap
from lesionmatch.segments import Kind, Structure
from tests.drawn_files import (
    GRID,
    labels,
    plane,
    seg,
    study,
    voxels,
)
from tests.reading_files import ct_slices, hbp_slice, pet_slice, saved, slices


def test_a_label_file_beside_the_images_is_found_and_has_a_lesion_a_label(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mri", slices(hbp_slice))
    labels(folder / "lesions.nii.gz", GRID, (1, 2, 5, 6), (4, 3, 1, 1))
    found = dicom.read_mri_study([folder]).segments
    assert [(s.meaning, voxels(s.mask)) for s in found] == [
        (Kind.UNSPECIFIED, {(2, 5, 6)}),
        (Kind.UNSPECIFIED, {(3, 1, 1)}),
    ]


def test_what_macos_puts_beside_a_label_file_is_none(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mri", slices(hbp_slice))
    labels(folder / "lesions.nii.gz", GRID, (1, 2, 5, 6))
    (folder / "._lesions.nii.gz").write_bytes(b"\0\5\x16\7" + bytes(100))
    (folder / "._0001.dcm").write_bytes(b"\0\5\x16\7" + bytes(100))
    assert dicom.read_mri_study([folder]).assumptions == ()


def test_why_the_only_label_file_is_of_no_use_is_said(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mri", slices(hbp_slice))
    labels(folder / "lesions.nii.gz", Grid.of(Frame("x"), (6, 12, 10)), (1, 2, 5, 6))
    says = r"got none \(a label file was set aside \(label file: wanted one on the voxels"
    with pytest.raises(NothingFound, match=says):
        dicom.read_mri_study([folder])


def test_a_file_of_another_kind_given_for_the_lesions_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "truth.npz").write_bytes(b"PK" + bytes(50))
    says = r"--lesions: wanted a segmentation .*, got none \(not DICOM\); give another file"
    with pytest.raises(NothingFound, match=says):
        study(tmp_path, [], lesions=tmp_path / "truth.npz")


def test_a_given_liver_is_the_liver_whatever_it_is_called(tmp_path: Path) -> None:
    liver = labels(tmp_path / "mask.nii.gz", GRID, (1, 2, 5, 6))
    found = study(tmp_path, [seg([(1, 3, plane((5, 6)))])], liver=liver).segments
    assert [s.meaning for s in found] == [Kind.METASTASIS, Structure.LIVER]


def test_a_file_of_several_regions_none_of_them_called_liver_is_no_liver(tmp_path: Path) -> None:
    drawn = seg([(1, 3, plane((5, 6))), (2, 4, plane((5, 6)))])
    given = saved(tmp_path / "liver", [drawn])
    with pytest.raises(InvalidInput, match=r"--liver: wanted a segment called liver.* got 2 ot"):
        study(tmp_path, [seg([(1, 3, plane((5, 6)))])], liver=given)


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
    assert "label 1 is drawn in an earlier file too and was left out" in found.assumptions


def test_what_is_assumed_of_many_files_is_said_once(tmp_path: Path) -> None:
    drawn = [(1, 3, plane((5, 6))), (2, 3, plane((5, 8)))]
    folder = saved(saved(tmp_path / "mri", slices(hbp_slice)), [seg(drawn)])
    labels(folder / "lesions.nii.gz", GRID, (1, 3, 5, 6), (2, 3, 5, 8))
    for name in ("one", "two", "three"):
        labels(folder / f"{name}.nii.gz", GRID)
    assert dicom.read_mri_study([folder]).assumptions == (
        "a label file is empty: nothing was drawn (3 times)",
        "label 1 and label 2 are drawn in an earlier file too and were left out",
    )


def test_a_given_label_file_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    far = Grid.of(Frame("x"), (6, 12, 10), origin_mm=(500, 0, 0))
    lesions = labels(tmp_path / "l.nii.gz", far, (1, 2, 5, 6))
    with pytest.raises(InvalidInput, match="got one of which 0% does"):
        study(tmp_path, [], lesions=lesions)


def test_a_label_file_of_mirrored_voxels_is_refused(tmp_path: Path) -> None:
    mirrored = Grid(GRID.frame, GRID.shape, np.diag([-1.0, -1, 1, 1]) @ GRID.world_from_voxel)
    lesions = labels(tmp_path / "l.nii.gz", mirrored, (1, 2, 5, 6))
    with pytest.raises(InvalidInput, match="the voxels of a series mirrored in x and y"):
        study(tmp_path, [], lesions=lesions)


def test_an_image_is_not_taken_for_labels(tmp_path: Path) -> None:
    array = np.arange(720, dtype=np.uint16).reshape(GRID.shape)
    nifti.write(LabelMap(GRID, array), tmp_path / "l.nii.gz")
    with pytest.raises(InvalidInput, match="got 720 different values; is it an image"):
        study(tmp_path, [], lesions=tmp_path / "l.nii.gz")


def with_a_liver_on_the_ct(tmp_path: Path, origin_x_mm: float) -> tuple[dicom.MriStudy, Grid]:
    """An MRI whose liver is given on coarse voxels of a CT that begins at `origin_x_mm`."""
    ct = ct_slices(6)
    for ds in ct:
        ds.ImagePositionPatient[0] = origin_x_mm
    pet = dicom.read_pet_study([saved(tmp_path / "pet", [*slices(pet_slice), *ct])])
    assert pet.ct is not None
    own = pet.ct.grid
    coarse = Grid.of(own.frame, (3, 6, 5), origin_mm=own.origin_mm, spacing_mm=2 * own.spacing_mm)
    liver = labels(tmp_path / "liver.nii.gz", coarse, (1, 1, 2, 3))
    drawn = saved(saved(tmp_path / "mri", slices(hbp_slice)), [seg([(1, 3, plane((5, 6)))])])
    return dicom.read_mri_study([drawn], ReadOptions(liver=liver), pet=pet), coarse


def test_a_label_file_on_the_pet_ct_alone_is_taken_for_one_of_it(tmp_path: Path) -> None:
    found, coarse = with_a_liver_on_the_ct(tmp_path, origin_x_mm=300)
    (mask,) = [s.mask for s in found.segments if s.meaning is Structure.LIVER]
    assert mask.grid.frame == coarse.frame
    np.testing.assert_allclose(mask.points_mm(), coarse.world(np.array([[1, 2, 3]])), atol=1e-3)
    said = "it was taken to be in the frame of reference of the PET/CT"
    assert any(said in note for note in found.assumptions)


def test_a_label_file_on_the_pet_ct_and_a_part_of_the_mri_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="got one of which 25% does"):
        with_a_liver_on_the_ct(tmp_path, origin_x_mm=-33)

"""NIfTI and NRRD: geometry, labels, names, and files that are refused."""

import gzip
from pathlib import Path

import nibabel as nib
import nrrd
import numpy as np
import pytest

from lesionmatch import nifti
from lesionmatch.errors import InvalidInput, UnusableOutput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, LabelMap, Mask, Quantity
from lesionmatch.segments import Code

OBLIQUE = Grid.of(
    Frame("1.2.3"),
    (3, 4, 5),
    origin_mm=(10, -20, 30),
    spacing_mm=(3, 1, 2),
    directions=np.array([[0.0, 0.6, 0.8], [0.0, 0.8, -0.6], [1.0, 0.0, 0.0]]),
)
VALUES = np.arange(60, dtype=np.float32).reshape(3, 4, 5)


def test_an_image_comes_back_on_its_own_grid(tmp_path: Path) -> None:
    image = Image(OBLIQUE, VALUES, Quantity.SUV_BW)
    nifti.write(image, tmp_path / "a.nii.gz")
    back = nifti.read_image(tmp_path / "a.nii.gz", Quantity.SUV_BW, Frame("1.2.3"))
    assert back.grid.matches(OBLIQUE, 1e-4)
    np.testing.assert_array_equal(back.array, VALUES)


def test_another_reader_sees_the_same_value_at_the_same_ras_point(tmp_path: Path) -> None:
    nifti.write(Image(OBLIQUE, VALUES, Quantity.SUV_BW), tmp_path / "a.nii")
    theirs = nib.Nifti1Image.from_filename(tmp_path / "a.nii")
    x, y, z = OBLIQUE.world([1, 2, 3])
    i, j, k = np.rint(np.linalg.solve(theirs.affine, [-x, -y, z, 1]))[:3].astype(int)
    assert theirs.get_fdata()[i, j, k] == VALUES[1, 2, 3]
    np.testing.assert_allclose(theirs.get_qform(), theirs.get_sform(), atol=1e-4)


def test_the_same_image_makes_the_same_bytes(tmp_path: Path) -> None:
    image = Image(OBLIQUE, VALUES, Quantity.SUV_BW)
    nifti.write(image, tmp_path / "a.nii.gz")
    nifti.write(image, tmp_path / "b.nii.gz")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_an_image_in_steps_is_within_half_a_step(tmp_path: Path) -> None:
    nifti.write(Image(OBLIQUE, VALUES * 0.37, Quantity.SUV_BW), tmp_path / "a.nii.gz", step=0.01)
    back = nifti.read_image(tmp_path / "a.nii.gz", Quantity.SUV_BW)
    np.testing.assert_allclose(back.array, VALUES * 0.37, atol=0.00501)
    assert nib.Nifti1Image.from_filename(tmp_path / "a.nii.gz").get_data_dtype() == np.int16


def test_masks_and_labels_come_back_as_labels(tmp_path: Path) -> None:
    nifti.write(Mask(OBLIQUE, VALUES > 30), tmp_path / "m.nii.gz")
    nifti.write(LabelMap(OBLIQUE, VALUES.astype(np.uint16)), tmp_path / "l.nii.gz")
    assert nifti.read_labels(tmp_path / "m.nii.gz").array.sum() == 29
    assert nifti.read_labels(tmp_path / "l.nii.gz").array.max() == 59


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableOutput, match="wanted a file that can be written"):
        nifti.write(Mask(OBLIQUE, VALUES > 30), tmp_path / "none" / "m.nii.gz")


def ras_file(path: Path, affine: np.ndarray, array: np.ndarray) -> Path:
    nib.save(nib.Nifti1Image(array, affine), path)
    return path


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (-1, -1, 1), (1, 1, -1)])
def test_a_label_is_where_its_affine_says_in_any_direction(
    tmp_path: Path, flip: tuple[int, int, int]
) -> None:
    affine = np.diag([2.0 * flip[0], 3.0 * flip[1], 4.0 * flip[2], 1.0])
    affine[:3, 3] = (5, 6, 7)
    array = np.zeros((4, 5, 6), np.int16)
    array[1, 2, 3] = 9
    labels = nifti.read_labels(ras_file(tmp_path / "a.nii.gz", affine, array))
    expected = [-(5 + 2 * flip[0]), -(6 + 6 * flip[1]), 7 + 12 * flip[2]]
    np.testing.assert_allclose(labels.mask(9).points_mm(), [expected], atol=1e-5)


def test_axes_in_another_order_are_followed(tmp_path: Path) -> None:
    affine = np.array([[0, 0, 2.0, 0], [3.0, 0, 0, 0], [0, 4.0, 0, 0], [0, 0, 0, 1]])
    array = np.zeros((4, 5, 6), np.uint8)
    array[1, 2, 3] = 1
    labels = nifti.read_labels(ras_file(tmp_path / "a.nii", affine, array))
    np.testing.assert_allclose(labels.mask(1).points_mm(), [[-6, -3, 8]], atol=1e-5)


def test_whole_numbers_stored_as_floats_are_labels(tmp_path: Path) -> None:
    path = ras_file(tmp_path / "a.nii", np.eye(4), np.full((2, 2, 2), 3.0, np.float32))
    assert nifti.read_labels(path).array.max() == 3


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf])
def test_values_that_are_no_labels_are_refused(tmp_path: Path, value: float) -> None:
    path = ras_file(tmp_path / "a.nii", np.eye(4), np.full((2, 2, 2), value, np.float32))
    with pytest.raises(InvalidInput, match="wanted whole numbers"):
        nifti.read_labels(path)


def test_negative_labels_are_refused(tmp_path: Path) -> None:
    path = ras_file(tmp_path / "a.nii", np.eye(4), np.full((2, 2, 2), -1, np.int16))
    with pytest.raises(InvalidInput, match="wanted labels from 0"):
        nifti.read_labels(path)


def test_a_file_without_a_place_is_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), None)
    nib.save(image, tmp_path / "a.nii")
    with pytest.raises(InvalidInput, match="wanted a place in sform or qform"):
        nifti.read_labels(tmp_path / "a.nii")


def test_several_volumes_in_one_file_are_refused(tmp_path: Path) -> None:
    path = ras_file(tmp_path / "a.nii", np.eye(4), np.zeros((2, 2, 2, 3), np.uint8))
    with pytest.raises(InvalidInput, match="wanted three dimensions"):
        nifti.read_labels(path)


SROW_X = slice(280, 296)
"""Where NIfTI-1 has the first row of its affine."""


def test_a_flat_affine_is_refused(tmp_path: Path) -> None:
    path = ras_file(tmp_path / "a.nii", np.eye(4), np.zeros((2, 2, 2), np.uint8))
    content = bytearray(path.read_bytes())
    content[SROW_X] = bytes(16)
    path.write_bytes(content)
    with pytest.raises(
        InvalidInput, match="NIfTI file: wanted a grid, got grid: wanted finite and"
    ):
        nifti.read_labels(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    nifti.write(LabelMap(OBLIQUE, VALUES.astype(np.uint16)), tmp_path / "a.nii.gz")
    whole = (tmp_path / "a.nii.gz").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="got a broken one"):
        nifti.read_labels(tmp_path / "b.nii.gz")


def test_a_header_that_claims_too_much_is_refused_before_anything_is_allocated(
    tmp_path: Path,
) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((30000, 30000, 30000))
    header["vox_offset"], header["sform_code"] = 352, 1
    (tmp_path / "a.nii").write_bytes(header.binaryblock + bytes(4))
    with pytest.raises(InvalidInput, match="wanted at most 4000 MB"):
        nifti.read_labels(tmp_path / "a.nii")


def test_names_in_the_extension_are_read(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    xml = b'<CaretExtension><LabelTable><Label Key="1" Red="1"><![CDATA[liver]]></Label>'
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, xml))
    nib.save(image, tmp_path / "a.nii.gz")
    with (tmp_path / "a.nii.gz").open("rb") as file:
        volume = nifti.read_label_volume(file, "a.nii.gz")
    assert volume.names[0, 1].name == "liver"


def nrrd_file(path: Path, array: np.ndarray, **header: object) -> Path:
    header = {
        "space": "left-posterior-superior",
        "space directions": np.diag([2.0, 3.0, 4.0]),
        "space origin": np.array([5.0, 6.0, 7.0]),
        **header,
    }
    nrrd.write(str(path), array, header)
    return path


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        ("left-posterior-superior", [7, 12, 19]),
        ("right-anterior-superior", [-7, -12, 19]),
        ("left-anterior-superior", [7, -12, 19]),
    ],
)
def test_an_nrrd_label_is_where_its_space_says(
    tmp_path: Path, space: str, expected: list[float]
) -> None:
    array = np.zeros((4, 5, 6), np.uint8)
    array[1, 2, 3] = 1
    labels = nifti.read_labels(nrrd_file(tmp_path / "a.nrrd", array, space=space))
    np.testing.assert_allclose(labels.mask(1).points_mm(), [expected])


def test_an_nrrd_without_a_space_is_refused(tmp_path: Path) -> None:
    nrrd.write(str(tmp_path / "a.nrrd"), np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(InvalidInput, match="wanted a space named"):
        nifti.read_labels(tmp_path / "a.nrrd")


def test_layers_and_names_of_slicer_are_read(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 4, 5), np.uint8)
    array[0, 1, 1, 1] = 1
    array[1, 1, 1, 1] = 1
    directions = np.vstack([np.full(3, np.nan), np.diag([2.0, 3.0, 4.0])])
    tags = "TerminologyEntry:list~SCT^49755003^Altered~SCT^400210000^Hemangioma~^^~|"
    names = {
        "Segment0_LabelValue": "1",
        "Segment0_Layer": "0",
        "Segment0_Name": "Liver",
        "Segment1_LabelValue": "1",
        "Segment1_Layer": "1",
        "Segment1_Name": "spot",
        "Segment1_Tags": tags,
    }
    path = tmp_path / "a.seg.nrrd"
    nrrd_file(path, array, **{"space directions": directions}, **names)
    with path.open("rb") as file:
        volume = nifti.read_label_volume(file, path.name)
    assert [layer.mask(1).volume_ml for layer in volume.layers] == pytest.approx([0.024, 0.024])
    assert volume.names[0, 1].name == "Liver"
    assert Code("SCT", "400210000") in volume.names[1, 1].codes


def test_an_nrrd_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = nrrd_file(tmp_path / "a.nrrd", np.zeros((20, 20, 20), np.uint16), encoding="raw")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidInput, match="bytes of voxels"):
        nifti.read_labels(path)


def test_an_nrrd_that_links_to_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_text(
        "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 1 1 1\nencoding: raw\n"
        "data file: /etc/hostname\n\n"
    )
    with pytest.raises(InvalidInput, match="got a link to another file"):
        nifti.read_labels(tmp_path / "a.nrrd")


def test_what_inflates_to_more_than_it_says_is_refused_and_read_no_further(
    tmp_path: Path,
) -> None:
    head = (
        b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: gzip\n"
        b"space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(head + gzip.compress(bytes(50_000_000)))
    with pytest.raises(InvalidInput, match="wanted 8 bytes of voxels, got more"):
        nifti.read_labels(tmp_path / "a.nrrd")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        nifti.read_labels(tmp_path / "none.nii")


def test_an_nrrd_of_another_encoding_or_of_the_plane_is_refused(tmp_path: Path) -> None:
    path = nrrd_file(tmp_path / "a.nrrd", np.zeros((2, 2, 2), np.uint8), encoding="raw")
    path.write_bytes(path.read_bytes().replace(b"encoding: raw", b"encoding: hex"))
    with pytest.raises(InvalidInput, match="wanted encoding raw, gzip or bzip2, got hex"):
        nifti.read_labels(path)
    directions = {"space directions": np.eye(2, 3), "space origin": np.zeros(3)}
    flat = nrrd_file(tmp_path / "b.nrrd", np.zeros((2, 2), np.uint8), **directions)
    with pytest.raises(InvalidInput, match="wanted three axes in space, got 2"):
        nifti.read_labels(flat)

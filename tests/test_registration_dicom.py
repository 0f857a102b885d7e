"""DICOM registrations (REG) given for the registration of a study."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame
from lesionmatch.registration import given
from lesionmatch.resample import PointMap, write_transform

MRI, PET, ATLAS = Frame("1.2.8"), Frame("1.2.9"), Frame("1.2.7")
QUARTER_TURN = [[0, -1, 0, 10], [1, 0, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]]
"""Takes (x, y, z) to (10 - y, 20 + x, 30 + z)."""
SHIFT = [[1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
EYE = np.eye(4).tolist()
POINT = [[1.0, 2.0, 3.0]]


def nested(**values: Any) -> Dataset:  # noqa: ANN401
    found = Dataset()
    for keyword, value in values.items():
        setattr(found, keyword, value)
    return found


def matrices(*found: ArrayLike) -> list[Dataset]:
    """A Matrix Registration Sequence."""
    listed = [
        nested(
            FrameOfReferenceTransformationMatrix=[f"{x:g}" for x in np.ravel(one)],
            FrameOfReferenceTransformationMatrixType="RIGID",
        )
        for one in found
    ]
    return [nested(MatrixSequence=listed)]


def rigid(frame: str, *found: ArrayLike) -> Dataset:
    return nested(FrameOfReferenceUID=frame, MatrixRegistrationSequence=matrices(*found))


def saved(
    path: Path,
    kind: str,
    syntax: str = ExplicitVRLittleEndian,
    **values: Any,  # noqa: ANN401
) -> Path:
    """A file of the storage class ``66.kind`` with `values`."""
    ds = nested(
        SOPClassUID=f"1.2.840.10008.5.1.4.1.1.66.{kind}", SOPInstanceUID="1.2.3.66",
        SeriesInstanceUID="1.2.3.60", StudyInstanceUID="1.2.3", Modality="REG", **values,
    )  # fmt: skip
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID = UID(ds.SOPClassUID)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(ds.SOPInstanceUID)
    ds.save_as(path, enforce_file_format=True)
    return path


def reg(folder: Path, frame: str, *found: Dataset) -> Path:
    values: dict[str, Any] = {"FrameOfReferenceUID": frame, "RegistrationSequence": list(found)}
    return saved(folder / "reg.dcm", "1", **values)


def test_a_matrix_takes_points_of_its_frame_to_the_registered_one(tmp_path: Path) -> None:
    found = given(reg(tmp_path, PET, rigid(PET, EYE), rigid(MRI, QUARTER_TURN)), MRI, PET)
    np.testing.assert_allclose(found.pet_from_mri.apply(POINT), [[8, 21, 33]])
    np.testing.assert_allclose(found.mri_from_pet.apply([[8, 21, 33]]), POINT, atol=1e-12)


def test_the_mri_may_be_the_registered_one(tmp_path: Path) -> None:
    found = given(reg(tmp_path, MRI, rigid(PET, QUARTER_TURN)), MRI, PET)
    np.testing.assert_allclose(found.mri_from_pet.apply(POINT), [[8, 21, 33]])


def test_both_may_be_registered_to_a_third_frame(tmp_path: Path) -> None:
    path = reg(tmp_path, ATLAS, rigid(PET, SHIFT), rigid(MRI, QUARTER_TURN))
    found = given(path, MRI, PET)
    # The PET's (3, 21, 33) and the MRI's (1, 2, 3) both lie at the third frame's (8, 21, 33).
    np.testing.assert_allclose(found.mri_from_pet.apply([[3, 21, 33]]), POINT, atol=1e-12)
    np.testing.assert_allclose(found.pet_from_mri.apply(POINT), [[3, 21, 33]], atol=1e-12)


def test_matrices_whose_order_does_not_matter_are_multiplied(tmp_path: Path) -> None:
    found = given(reg(tmp_path, PET, rigid(MRI, SHIFT, SHIFT, EYE)), MRI, PET)
    np.testing.assert_allclose(found.pet_from_mri.apply(POINT), [[11, 2, 3]])


def test_the_same_registration_twice_is_one(tmp_path: Path) -> None:
    path = reg(tmp_path, PET, rigid(MRI, SHIFT), rigid(MRI, SHIFT))
    np.testing.assert_allclose(given(path, MRI, PET).pet_from_mri.apply(POINT), [[6, 2, 3]])


def deformable(
    folder: Path,
    frame: str,
    source: str,
    *,
    before: ArrayLike = EYE,
    after: ArrayLike = EYE,
    syntax: str = ExplicitVRLittleEndian,
    **changes: Any,  # noqa: ANN401
) -> Path:
    """A grid of 21 x 11 x 6 points 10, 20 and 40 mm apart from (-100, -100, -100), of which those
    in the middle are shifted by (1, 2, 3) mm, and those in front of them by half of it."""
    shifts = np.zeros((6, 11, 21, 3), "<f4" if syntax == ExplicitVRLittleEndian else ">f4")
    shifts[1:5, 2:9, 2:19] = (1, 2, 3)
    shifts[1:5, 1, 2:19] = (0.5, 1, 1.5)
    values: dict[str, Any] = {
        "ImagePositionPatient": [-100, -100, -100],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "GridDimensions": [21, 11, 6],
        "GridResolution": [10.0, 20.0, 40.0],
        "VectorGridData": shifts.tobytes(),
    }
    item = nested(
        SourceFrameOfReferenceUID=source,
        DeformableRegistrationGridSequence=[nested(**(values | changes))],
        PreDeformationMatrixRegistrationSequence=matrices(before),
        PostDeformationMatrixRegistrationSequence=matrices(after),
    )
    named: dict[str, Any] = {"FrameOfReferenceUID": frame, "DeformableRegistrationSequence": [item]}
    return saved(folder / "deformable.dcm", "3", syntax, **named)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_grid_shifts_points_of_the_registered_frame(tmp_path: Path, syntax: str) -> None:
    found = given(deformable(tmp_path, PET, MRI, syntax=syntax), MRI, PET)
    points = np.array([[0, 0, 0], [55, -80, 15], [0, -90, 0], [400, 0, 0]])
    shifted = np.array([[1, 2, 3], [55.5, -79, 16.5], [0.25, -89.5, 0.75], [400, 0, 0]])
    np.testing.assert_allclose(found.mri_from_pet.apply(points), shifted, atol=1e-6)
    np.testing.assert_allclose(found.pet_from_mri.apply([[1, 2, 3]]), [[0, 0, 0]], atol=0.01)


def test_a_grid_of_the_mri_s_frame_is_turned_round(tmp_path: Path) -> None:
    found = given(deformable(tmp_path, MRI, PET), MRI, PET)
    np.testing.assert_allclose(found.pet_from_mri.apply([[0, 0, 0]]), [[1, 2, 3]], atol=1e-6)
    np.testing.assert_allclose(found.mri_from_pet.apply([[1, 2, 3]]), [[0, 0, 0]], atol=0.01)


def test_a_shift_is_looked_up_before_and_added_behind_the_first_matrix(tmp_path: Path) -> None:
    path = deformable(tmp_path, PET, MRI, before=QUARTER_TURN, after=SHIFT)
    # (0, -80, 0), where the grid shifts by half, is turned to (90, 20, 30), moved, and shifted.
    found = given(path, MRI, PET).mri_from_pet.apply([[0, -80, 0]])
    np.testing.assert_allclose(found, [[90 + 0.5 + 5, 20 + 1, 30 + 1.5]], atol=1e-6)


def test_a_deformable_registration_may_have_no_grid(tmp_path: Path) -> None:
    path = deformable(tmp_path, PET, MRI, before=SHIFT)
    item = nested(
        SourceFrameOfReferenceUID=MRI, PreDeformationMatrixRegistrationSequence=matrices(SHIFT)
    )
    path = saved(path, "3", FrameOfReferenceUID=PET, DeformableRegistrationSequence=[item])
    np.testing.assert_allclose(given(path, MRI, PET).mri_from_pet.apply(POINT), [[6, 2, 3]])


@pytest.mark.parametrize(
    ("frame", "found", "says"),
    [
        (PET, [rigid(ATLAS, SHIFT)], r"got none of 1\.2\.8, but 1\.2\.9, 1\.2\.7; choose another"),
        (ATLAS, [rigid(MRI, SHIFT)], r"got none of 1\.2\.9, but 1\.2\.7, 1\.2\.8"),
        (PET, [rigid(MRI, SHIFT), rigid(MRI, EYE)], r"frame 1\.2\.8, got 2 that differ"),
        (PET, [rigid(PET, SHIFT), rigid(MRI, EYE)], r"frame 1\.2\.9, got 2 that differ"),
        (PET, [rigid(MRI, QUARTER_TURN, SHIFT)], "got 2 whose order matters; multiply"),
        (PET, [rigid(MRI, np.transpose(SHIFT))], r"wanted \(4, 4\) ending"),
        (PET, [rigid(MRI, np.diag([1, 1, 0, 1]))], "wanted finite and invertible"),
        (PET, [rigid(MRI, np.diag([1, 1, 1e-310, 1]))], "wanted finite and invertible"),
        (PET, [rigid(MRI, 1e6 * np.array(SHIFT))], "moves points by 5000 mm at most, got 5e"),
        (PET, [rigid(MRI, [1, 2, 3])], "wanted 16 numbers in a matrix, got 3"),
        (PET, [rigid(MRI)], "wanted a matrix for each frame, got none"),
        (PET, [], r"got none of 1\.2\.8, but 1\.2\.9"),
        ("", [rigid(MRI, SHIFT)], "wanted a Frame of Reference UID, got none"),
        (PET, [rigid("", SHIFT)], r"got none of 1\.2\.8, but 1\.2\.9"),
    ],
)
def test_a_registration_that_does_not_say_how_both_lie_is_refused(
    tmp_path: Path, frame: str, found: Sequence[Dataset], says: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"^registration reg\.dcm: .*{says}"):
        given(reg(tmp_path, frame, *found), MRI, PET)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"VectorGridData": bytes(12)}, "a shift at each of 1386 points, got another number"),
        ({"GridDimensions": [21, 11]}, "a grid with its place"),
        ({"GridDimensions": [21, 0, 6]}, "a grid with its place"),
        ({"ImageOrientationPatient": [1, 0, 0]}, "a grid with its place"),
        ({"ImageOrientationPatient": [1, 0, 0, 0.1, 1, 0]}, "a grid of perpendicular axes"),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]}, "a grid of perpendicular axes"),
        ({"VectorGridData": b"\xff" * 21 * 11 * 6 * 12}, "got points without"),
        ({"VectorGridData": b"\x01\x00\xa0\x7f" * 21 * 11 * 6 * 3}, "got points without"),
        ({"GridResolution": [0.0, 20.0, 40.0]}, "a grid with its place"),
        ({"GridResolution": [1e200, 20.0, 40.0]}, "perpendicular axes within 5000 mm"),
    ],
)
def test_a_grid_that_is_not_whole_is_refused(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        given(deformable(tmp_path, PET, MRI, **changes), MRI, PET)


def test_two_deformations_of_one_frame_are_refused(tmp_path: Path) -> None:
    item = nested(
        SourceFrameOfReferenceUID=MRI, PreDeformationMatrixRegistrationSequence=matrices(SHIFT)
    )
    other = nested(
        SourceFrameOfReferenceUID=MRI, PreDeformationMatrixRegistrationSequence=matrices(EYE)
    )
    path = saved(
        tmp_path / "r.dcm", "3",
        FrameOfReferenceUID=PET, DeformableRegistrationSequence=[item, other],
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="got 2 that differ"):
        given(path, MRI, PET)


def test_a_dicom_file_that_is_no_registration_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "seg.dcm", "4", FrameOfReferenceUID=PET)
    with pytest.raises(InvalidInput, match=r"got a DICOM file of class 1\.2\.840.*66\.4; choose"):
        given(path, MRI, PET)


def test_a_registration_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = reg(tmp_path, PET, rigid(MRI, SHIFT))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InvalidInput, match="wanted a DICOM registration that can be read"):
        given(path, MRI, PET)


def test_a_transform_that_is_cut_short_is_refused_without_a_word_of_the_library(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_transform(PointMap.identity(MRI, PET), tmp_path / "cut.h5")
    content = (tmp_path / "cut.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(content[:2000])
    with pytest.raises(InvalidInput, match=r"cut\.h5: wanted an ITK transform"):
        given(tmp_path / "cut.h5", MRI, PET)
    assert capfd.readouterr().err == ""


def test_what_is_no_dicom_is_read_as_a_transform(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "m.txt", QUARTER_TURN)
    found = given(tmp_path / "m.txt", MRI, PET)
    np.testing.assert_allclose(found.mri_from_pet.apply(POINT), [[8, 21, 33]])
    with pytest.raises(InvalidInput, match="wanted an ITK transform"):
        given(tmp_path / "none.h5", MRI, PET)

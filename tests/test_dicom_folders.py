"""What a folder lacks, and whose files lie in it."""

import errno
from pathlib import Path
from typing import Any

import pytest

from lesionmatch import dicom
from lesionmatch.dicom import ReadOptions
from lesionmatch.errors import InvalidInput, NothingFound
from tests.closed import closed_to_us
from tests.reading_files import ct_slices, hbp_slice, mri, pet_slice, saved, slices, suv


def test_a_missing_folder_has_its_own_sentence(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="got nothing there"):
        dicom.scan([tmp_path / "none"])


def test_an_empty_folder_has_its_own_sentence(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="got an empty folder"):
        dicom.scan([tmp_path])


@pytest.mark.parametrize("inside", ["", "series 1"])
def test_a_folder_that_is_closed_to_us_is_refused(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, ct_slices())
    (tmp_path / inside).mkdir(exist_ok=True)
    closed_to_us(tmp_path / inside, monkeypatch)
    with pytest.raises(InvalidInput, match="wanted a folder that can be read, got Permission"):
        dicom.scan([tmp_path])


def test_a_file_that_is_closed_to_us_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").write_bytes(b"")
    monkeypatch.setattr(Path, "open", _refuse)
    (refused,) = dicom.scan([tmp_path]).skipped
    assert refused == "cannot be read as DICOM (PermissionError)"


def _refuse(path: Path, mode: str) -> object:
    raise PermissionError(errno.EACCES, f"Permission denied, {mode}", str(path))


def test_a_folder_without_dicom_has_its_own_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(NothingFound, match=r"wanted DICOM files, got none \(1 not DICOM\)"):
        dicom.read_pet_study([tmp_path])


def test_a_folder_without_pet_has_its_own_sentence(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="wanted a PET series, got only CT; name the folder"):
        suv(tmp_path, ct_slices())


def test_a_folder_without_mr_has_its_own_sentence(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="wanted an MR series, got only CT; name the folder"):
        mri(tmp_path, ct_slices())


def test_a_given_file_of_lesions_that_is_an_image_has_its_own_sentence(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mri", slices(hbp_slice))
    images = saved(tmp_path / "ct", ct_slices())
    with pytest.raises(NothingFound, match=r"^--lesions: .* got none \(only CT\); give another"):
        dicom.read_mri_study([folder], dicom.ReadOptions(lesions=images))


def test_a_study_without_lesions_has_its_own_sentence(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(hbp_slice))
    with pytest.raises(NothingFound, match="wanted a segmentation of lesions"):
        dicom.read_mri_study([folder])


def test_an_empty_segmentation_is_a_study_without_lesions(tmp_path: Path) -> None:
    study = mri(tmp_path, slices(hbp_slice))
    assert study.segments == ()


@pytest.mark.parametrize("keyword", ["PatientID", "PatientBirthDate", "PatientSex"])
def test_another_patient_s_files_in_a_folder_are_refused(tmp_path: Path, keyword: str) -> None:
    value = {"PatientID": "P2", "PatientBirthDate": "19400101", "PatientSex": "F"}[keyword]
    other: dict[str, Any] = {keyword: value}
    datasets = slices(pet_slice) + ct_slices(**other)
    with pytest.raises(
        InvalidInput, match=f"wanted files of one patient, got several {keyword};"
    ) as refused:
        suv(tmp_path, datasets)
    assert value not in str(refused.value).split()


def test_several_patients_in_a_folder_are_refused_even_where_both_studies_may_differ(
    tmp_path: Path,
) -> None:
    datasets = slices(pet_slice) + ct_slices(PatientID="P2")
    with pytest.raises(InvalidInput, match="name the series to use"):
        dicom.read_pet_study([saved(tmp_path, datasets)], ReadOptions(different_ids=True))


def test_patients_that_a_first_nameless_series_hides_are_told_apart(tmp_path: Path) -> None:
    datasets = slices(pet_slice, PatientID="") + ct_slices() + ct_slices(series="9", PatientID="P2")
    with pytest.raises(InvalidInput, match="got several PatientID"):
        suv(tmp_path, datasets)


def test_a_series_that_is_named_settles_whose_files_are_used(tmp_path: Path) -> None:
    other: dict[str, Any] = {"PatientID": "P2", "series": "1.2.5.1"}
    datasets = slices(pet_slice) + ct_slices() + slices(pet_slice, **other)
    folder = saved(tmp_path, datasets + ct_slices(series="1.2.5.7", PatientID="P2"))
    study = dicom.read_pet_study([folder], ReadOptions(pet_series="1.2.5.1"))
    assert study.identity.patient_id == "P2"
    assert study.ct_series is not None
    assert study.ct_series.uid == "1.2.5.7"
    assert "2 series of another patient in the folder were passed over" in study.assumptions


def test_another_patient_s_slice_in_a_series_is_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    datasets[3].PatientID = "P2"
    with pytest.raises(InvalidInput, match="wanted files of one patient"):
        suv(tmp_path, datasets)


def test_pet_and_mri_of_different_patients_are_refused_unless_the_user_says_so(
    tmp_path: Path,
) -> None:
    pet = suv(tmp_path / "pet", slices(pet_slice))
    other = slices(hbp_slice, PatientID="P2", PatientSex="F")
    with pytest.raises(InvalidInput, match=r"another PatientID and PatientSex.*--different-ids"):
        mri(tmp_path, other, pet=pet)
    allowed = mri(tmp_path, other, pet=pet, different_ids=True)
    assert (
        "PET and MRI differ in PatientID, PatientSex; the user says they are of one patient"
        in allowed.assumptions
    )


def test_an_identity_that_was_removed_disagrees_with_none(tmp_path: Path) -> None:
    pet = suv(tmp_path / "pet", slices(pet_slice))
    removed = slices(hbp_slice, PatientID="", PatientBirthDate="", PatientSex="")
    assert mri(tmp_path, removed, pet=pet).identity.patient_id == ""


def test_one_json_holds_every_series_with_its_reason(tmp_path: Path) -> None:
    datasets = slices(pet_slice, 2)
    found = dicom.inspect([saved(tmp_path, datasets)]).to_json()
    assert found["series"][0]["set_aside"] == "wanted a volume, got 2 slices"
    assert found["files"] == 2

"""Studies whose frames of reference are the same, or were taken out."""

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from lesionmatch import dicom
from lesionmatch.geometry import Frame
from tests.reading_files import ct_slices, pet_slice, slices, suv
from tests.small_studies import FORMATS, small_study

NAMES = ("FrameOfReferenceUID", "ReferencedFrameOfReferenceUID")


def _rename(folder: Path, uid: str | None) -> None:
    """Give every file below a folder one frame of reference, or none."""

    def change(ds: Dataset) -> None:
        for element in list(ds):
            if element.VR == "SQ":
                for item in element.value:
                    change(item)
            elif element.keyword in NAMES:
                if uid is None:
                    del ds[element.tag]
                else:
                    element.value = uid

    for path in folder.rglob("*.dcm"):
        ds = pydicom.dcmread(path)
        change(ds)
        ds.save_as(path)


@pytest.mark.parametrize(("uid", "called"), [(None, "no"), ("1.2.7", "the same")])
@pytest.mark.parametrize("drawn", FORMATS)
def test_studies_of_one_frame_are_apart_and_what_was_drawn_is_the_mri_s(
    tmp_path: Path, drawn: str, uid: str | None, called: str
) -> None:
    folders = small_study(tmp_path, drawn)
    wanted = dicom.read_mri_study([folders[1]]).segments
    _rename(tmp_path, uid)
    pet = dicom.read_pet_study([folders[0]])
    mri = dicom.read_mri_study([folders[1]], pet=pet)
    assert mri.frame == Frame(f"MRI {uid or ''}".strip()) != pet.frame
    assert [one.mask.volume_ml for one in mri.segments] == [one.mask.volume_ml for one in wanted]
    assert {one.mask.frame for one in mri.segments} == {mri.frame}
    assert any(f"PET and MRI name {called} frame of reference" in a for a in mri.assumptions)


def test_a_pet_and_ct_without_a_frame_share_one_and_that_is_said(tmp_path: Path) -> None:
    folder, _ = small_study(tmp_path)
    _rename(tmp_path, None)
    pet = dicom.read_pet_study([folder])
    assert pet.ct is not None
    assert "PET and CT name no frame of reference; they were taken to share one" in pet.assumptions


@pytest.mark.parametrize(
    ("uid", "why"),
    [
        ("1.2.77", "another frame of reference than the PET"),
        ("", "a frame of reference that PET and CT do not both name"),
    ],
)
def test_a_ct_in_another_frame_than_the_pet_is_not_used_and_why_is_said(
    tmp_path: Path, uid: str, why: str
) -> None:
    study = suv(tmp_path, [*slices(pet_slice), *ct_slices(FrameOfReferenceUID=uid)])
    assert study.ct is None
    said = f"no CT could be used ({why}); the PET itself carries the registration"
    assert said in study.assumptions


def test_what_was_drawn_on_the_mri_is_not_said_to_be_set_aside_in_a_common_folder(
    tmp_path: Path,
) -> None:
    small_study(tmp_path, "SEG")
    pet = dicom.read_pet_study([tmp_path])
    assert not any("set aside" in note for note in pet.assumptions)
    assert len(dicom.read_mri_study([tmp_path], pet=pet).segments) == 3


def test_what_was_drawn_on_no_image_at_hand_is_said_to_be_set_aside(tmp_path: Path) -> None:
    _, mri = small_study(tmp_path, "SEG")
    for path in mri.glob("0*.dcm"):
        path.unlink()
    pet = dicom.read_pet_study([tmp_path])
    assert any("drawn in another frame of reference and was set" in n for n in pet.assumptions)

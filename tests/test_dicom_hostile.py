"""Input that is broken or means harm: every reading ends in the clean result or in a refusal."""

from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from lesionmatch import dicom
from lesionmatch.errors import InvalidInput
from tests import fuzzing
from tests.damage import Damage, told_apart
from tests.reading_files import header_of, one, pet_slice, saved, slices
from tests.small_studies import FORMATS, rewrite, small_study


def test_a_hundred_damaged_studies_end_as_the_clean_one_refused_or_named(tmp_path: Path) -> None:
    ends = Counter[str]()
    for number, drawn in enumerate(FORMATS):
        folders = small_study(tmp_path / drawn, drawn)
        for damage, ended in fuzzing.run(*folders, 20, number):
            assert not fuzzing.is_defect(ended), f"{drawn}, {damage.kind}, {damage.what}: {ended}"
            ends[ended.split(":")[0]] += 1
    assert ends["equal"] > 20
    assert ends["refused"] > 30
    assert ends["other"] < 10


def test_the_fuzzer_sees_a_traceback_and_a_difference_without_a_word(tmp_path: Path) -> None:
    pet, mri = small_study(tmp_path)
    clean = fuzzing.read(pet, mri)

    def broken() -> fuzzing.Reading:
        raise KeyError("x")

    assert fuzzing.is_defect(fuzzing.outcome(broken, clean, lambda: None))
    (pet / "0004.dcm").unlink()
    assert (
        fuzzing.outcome(lambda: fuzzing.read(pet, mri), clean, lambda: None) == "SILENT (no word)"
    )
    assert fuzzing.is_defect("SILENT (no word)")
    assert not fuzzing.is_defect("other: pixels")


@pytest.mark.parametrize(
    ("attribute", "value", "meant"),
    [
        ("PatientWeight", 71, None),
        ("RescaleSlope", 1.9, "a value of its own"),
        ("PixelData", bytes(240), "pixels"),
        ("PixelData", bytes(238), None),
        ("SeriesInstanceUID", "1.2.3.9", None),
    ],
)
def test_the_fuzzer_tells_another_study_from_a_broken_one_by_its_files(
    tmp_path: Path, attribute: str, value: object, meant: str | None
) -> None:
    path = saved(tmp_path, [pet_slice(0)]) / "0000.dcm"
    before = path.read_bytes()
    ds = pydicom.dcmread(path)
    setattr(ds, attribute, value)
    ds.save_as(path)
    assert told_apart(Damage("x", {path: path.read_bytes()}, ""), {path: before}) == meant


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_file_that_is_cut_short_yields_no_number(tmp_path: Path, fraction: float) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    path = folder / "0003.dcm"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])
    with pytest.raises(InvalidInput, match=r"truncated|a slice is missing"):
        dicom.read_pet_study([folder])


def test_an_element_longer_than_its_file_is_a_truncated_file(tmp_path: Path) -> None:
    path = one(tmp_path)
    data = path.read_bytes()
    at = data.index(b"\x10\x00\x20\x00LO")
    path.write_bytes(data[: at + 4] + b"UN\x00\x00\xf0\xff\xff\xff" + data[at + 8 :])
    assert header_of(path) == "a truncated file"


def test_what_does_not_say_that_it_is_dicom_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(bytes(5000))
    (tmp_path / "b.dcm").write_bytes(b"")
    assert header_of(tmp_path / "a.dcm") == "not DICOM"
    assert header_of(tmp_path / "b.dcm") == "not DICOM"


def test_sequences_nested_without_end_are_unreadable_and_no_more(tmp_path: Path) -> None:
    item = b"\x08\x00\x15\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path = one(tmp_path)
    data = path.read_bytes()
    at = data.index(b"\x10\x00\x10\x00PN")
    path.write_bytes(data[:at] + item * 3000 + data[at:])
    assert header_of(path) == "cannot be read as DICOM (RecursionError)"


def test_a_dicomdir_and_junk_beside_the_images_change_nothing(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    clean = dicom.read_pet_study([folder]).suv.array
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(20))
    (folder / "Thumbs.db").write_bytes(b"\xff" * 999)
    (folder / "loop").symlink_to(folder)
    (folder / "dangling").symlink_to(folder / "nowhere")
    np.testing.assert_array_equal(dicom.read_pet_study([folder]).suv.array, clean)


def test_a_stack_does_not_lose_its_last_slice_to_a_broken_file(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    path = folder / "0005.dcm"
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x28\x00\x10\x00US") + 9])
    with pytest.raises(InvalidInput, match="wanted pixels in every slice, got 1 of 6 truncated"):
        dicom.read_pet_study([folder])


LARGE = b"\x99\x99\x06\x07\x07\xf0\x02\xb2\x00\x0d"
"""Pixels that read as a tag behind that of pixel data."""


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("after", [b"met!", bytes(100), b"\x10\x00\x10\x00PN\x00\x00", LARGE])
def test_bytes_after_the_pixels_that_are_no_attribute_are_damage(
    tmp_path: Path, after: bytes, syntax: UID
) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    rewrite(folder, syntax)
    path = folder / "0002.dcm"
    path.write_bytes(path.read_bytes() + after)
    with pytest.raises(InvalidInput, match="wanted nothing or another attribute after the pixels"):
        dicom.read_pet_study([folder])


def test_private_attributes_and_padding_may_follow_the_pixels(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    clean = dicom.read_pet_study([folder]).suv.array
    for n, tag in enumerate((b"\xe1\x7f\x10\x00LO\x02\x00AB", b"\xfc\xff\xfc\xffOB\x00\x00")):
        path = folder / f"000{n}.dcm"
        path.write_bytes(path.read_bytes() + tag + bytes(4))
    np.testing.assert_array_equal(dicom.read_pet_study([folder]).suv.array, clean)


def test_more_pixels_than_rows_and_columns_are_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    for ds in datasets:
        ds.Rows = 11
    with pytest.raises(InvalidInput, match="wanted 220 bytes of pixels for 11 rows of 10, got 240"):
        dicom.read_pet_study([saved(tmp_path, datasets)])


def test_a_length_of_pixels_beyond_the_file_is_a_truncated_file(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    path = folder / "0005.dcm"
    data = path.read_bytes()
    at = data.index(b"\xe0\x7f\x10\x00OW") + 8
    path.write_bytes(data[:at] + (0x10000).to_bytes(4, "little") + data[at + 4 :])
    with pytest.raises(InvalidInput, match="wanted 65536 bytes of pixels, as the file says"):
        dicom.read_pet_study([folder])


@pytest.mark.parametrize("kind", [b"OF", b"OX", b"UN"])
def test_pixels_that_are_no_whole_numbers_are_refused(tmp_path: Path, kind: bytes) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    path = folder / "0001.dcm"
    head = b"\xe0\x7f\x10\x00"
    path.write_bytes(path.read_bytes().replace(head + b"OW", head + kind))
    with pytest.raises(InvalidInput, match="wanted whole numbers as pixels"):
        dicom.read_pet_study([folder])


def test_a_number_of_an_unknown_type_is_not_taken_for_an_absent_one(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    for path in folder.iterdir():
        head = b"\x28\x00\x53\x10"
        path.write_bytes(path.read_bytes().replace(head + b"DS", head + b"LS"))
    with pytest.raises(InvalidInput, match="wanted finite numbers in RescaleSlope"):
        dicom.read_pet_study([folder])

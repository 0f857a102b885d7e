"""Input that is broken or means harm: every reading ends in the clean result or in a refusal."""

import io
import shutil
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from lesionmatch import dicom
from lesionmatch.dicom import compressed
from lesionmatch.dicom.instance import Instance, read_instance
from lesionmatch.dicom.sources import Source
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.protocol import InputLimits, Protocol
from scripts.bench import fuzz
from tests.reading_files import pet_slice, saved, slices, small_study


def header_of(path: Path, limits: InputLimits | None = None) -> Instance | str:
    return read_instance(Source(path, None, path.stat().st_size), limits or InputLimits())


def one(tmp_path: Path, ds: Dataset | None = None) -> Path:
    return saved(tmp_path, [ds or pet_slice(0)]) / "0000.dcm"


def test_a_hundred_damaged_files_end_as_the_clean_study_or_in_a_refusal(tmp_path: Path) -> None:
    pet, mri = small_study(tmp_path)
    found = fuzz.run(pet, mri, 100, 7)
    assert set(found) <= {"clean", "other", "refused"}, found
    assert found["refused"] > 20


def test_the_fuzzer_sees_a_traceback() -> None:
    def broken() -> str:
        raise KeyError("x")

    assert "KeyError" in fuzz.outcome(broken, "clean")


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


def deflated(tmp_path: Path, rows: int) -> Path:
    ds = pet_slice(0, Rows=rows, Columns=1000)
    ds.PixelData = bytes(rows * 2000)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return one(tmp_path, ds)


def test_a_deflated_file_is_read_up_to_the_limit_and_not_beyond(tmp_path: Path) -> None:
    path = deflated(tmp_path, 1000)
    assert isinstance(header_of(path), Instance)
    assert header_of(path, InputLimits(file_mb=1.0)) == "inflates to more than 1 MB"


def test_a_deflated_file_that_is_cut_short_is_truncated(tmp_path: Path) -> None:
    path = deflated(tmp_path, 1000)
    path.write_bytes(path.read_bytes()[:-20])
    assert header_of(path) == "a truncated file"


def test_files_above_the_limit_are_not_opened(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    (folder / "huge.dcm").write_bytes(bytes(1_100_000))
    found = dicom.scan([folder], Protocol(input=InputLimits(file_mb=1.0)))
    assert found.skipped == {"larger than 1 MB": 1}


def test_more_files_than_the_limit_are_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice, 12))
    with pytest.raises(InvalidInput, match="wanted at most 10 files, got more"):
        dicom.scan([folder], Protocol(input=InputLimits(files=10)))


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"study/{file.name}")
    return path


def test_a_zip_is_read_in_place(tmp_path: Path) -> None:
    folder = saved(tmp_path / "pet", slices(pet_slice))
    packed = zipped(folder, tmp_path / "pet.zip")
    plain = dicom.read_pet_study([folder]).suv.array
    shutil.rmtree(folder)
    np.testing.assert_array_equal(dicom.read_pet_study([packed]).suv.array, plain)
    assert [path.name for path in tmp_path.iterdir()] == ["pet.zip"]


def test_members_that_point_out_of_a_zip_are_not_read(tmp_path: Path) -> None:
    data = one(tmp_path / "a").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("../../evil.dcm", "/etc/evil.dcm", "..\\evil.dcm", "C:/evil.dcm"):
            archive.writestr(name, data)
        inner = io.BytesIO()
        zipfile.ZipFile(inner, "w").close()
        archive.writestr("inner.zip", inner.getvalue())
        link = zipfile.ZipInfo("link.dcm")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    found = dicom.scan([tmp_path / "a.zip"])
    assert found.skipped == {
        "a link inside a zip": 1,
        "a member of a zip that points out of it": 4,
        "a zip inside a zip": 1,
    }


def test_a_bomb_in_a_zip_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.dcm", bytes(40_000_000))
    assert dicom.scan([tmp_path / "a.zip"]).skipped == {"inflates by more than 200": 1}


def test_a_broken_zip_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(NothingFound, match="1 a zip that cannot be read"):
        dicom.read_pet_study([tmp_path])


def test_a_dicomdir_and_junk_beside_the_images_change_nothing(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    clean = dicom.read_pet_study([folder]).suv.array
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(20))
    (folder / "Thumbs.db").write_bytes(b"\xff" * 999)
    (folder / "loop").symlink_to(folder)
    (folder / "dangling").symlink_to(folder / "nowhere")
    np.testing.assert_array_equal(dicom.read_pet_study([folder]).suv.array, clean)


def test_a_deflated_frame_is_not_inflated_beyond_its_pixels() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush()
    with pytest.raises(ValueError, match="more bytes than pixels"):
        compressed._inflated(bomb, 100)


def test_a_stack_does_not_lose_its_last_slice_to_a_broken_file(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    path = folder / "0005.dcm"
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x28\x00\x10\x00US") + 9])
    with pytest.raises(InvalidInput, match="wanted pixels in every slice, got 1 of 6 truncated"):
        dicom.read_pet_study([folder])

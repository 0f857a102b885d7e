"""Nothing that a file claims takes more memory or time than the protocol allows."""

import gzip
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from lesionmatch import dicom, nifti
from lesionmatch.dicom.files import instance
from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.pixels import compressed
from lesionmatch.errors import InvalidInput
from lesionmatch.protocol import InputLimits, Protocol
from tests.reading_files import header_of, one, pet_slice, saved, slices
from tests.small_studies import small_study


def deflated(tmp_path: Path, rows: int) -> Path:
    ds = pet_slice(0, Rows=rows, Columns=1000)
    ds.PixelData = bytes(rows * 2000)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return one(tmp_path, ds)


def test_a_deflated_file_is_read_up_to_the_limit_and_not_beyond(tmp_path: Path) -> None:
    path = deflated(tmp_path, 1000)
    assert isinstance(header_of(path), Instance)
    assert header_of(path, InputLimits(inflated_mb=1.0)) == "inflates to more than 1 MB"


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


def test_a_deflated_frame_is_not_inflated_beyond_its_pixels() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush()
    with pytest.raises(ValueError, match="more bytes than pixels"):
        compressed._inflated(bomb, 100)


def limited(**limits: float) -> Protocol:
    return Protocol(input=InputLimits(**limits))


def test_a_header_longer_than_the_limit_is_not_read(tmp_path: Path) -> None:
    ds = pet_slice(0)
    ds.add_new(0x00091010, "OB", bytes(9_000_000))
    path = one(tmp_path, ds)
    assert isinstance(header_of(path), Instance)
    assert header_of(path, InputLimits(header_mb=1.0)) == "a header of more than 1 MB"


def test_a_header_of_more_elements_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = one(tmp_path)
    data = path.read_bytes()
    at = data.index(b"\x10\x00\x10\x00PN")
    many = b"".join(struct.pack("<HH2sH", 0x0009, n, b"LO", 0) for n in range(0x1000, 0xFF00))
    path.write_bytes(data[:at] + many + data[at:] + bytes(instance.SMALL_FILE))
    few = InputLimits(header_elements=1000.0)
    assert isinstance(header_of(path), Instance)
    assert header_of(path, few) == "a header of more elements than are read"


def test_headers_that_are_too_much_together_are_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    for ds in datasets:
        ds.add_new(0x00091010, "OB", bytes(300_000))
    with pytest.raises(InvalidInput, match="wanted at most 1 MB of headers, got more"):
        dicom.scan([saved(tmp_path, datasets)], limited(headers_mb=1.0))


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"NumberOfFrames": 2_000_000_000}, "wanted the place of each of 2000000000 frames"),
        ({"Rows": 65535, "Columns": 65535}, "wanted at most 1 MB, got 9 frames of 65535 x 65535"),
    ],
)
def test_a_seg_that_claims_more_pixels_than_the_limit_is_not_read(
    tmp_path: Path, attributes: dict[str, Any], says: str
) -> None:
    pet, mri = small_study(tmp_path, "SEG")
    _changed(mri / "drawn.dcm", attributes)
    with pytest.raises(InvalidInput, match=says):
        _read(pet, mri, volume_mb=1.0)


def test_a_seg_with_frames_far_apart_does_not_fill_what_lies_between(tmp_path: Path) -> None:
    pet, mri = small_study(tmp_path, "SEG")
    ds = pydicom.dcmread(mri / "drawn.dcm")
    last = ds.PerFrameFunctionalGroupsSequence[-1]
    last.PlanePositionSequence[0].ImagePositionPatient = [-20, -30, 3 * 100_000_000]
    ds.save_as(mri / "drawn.dcm")
    with pytest.raises(InvalidInput, match=r"got some so far apart that \d+ MB lie between"):
        _read(pet, mri)


def _changed(path: Path, attributes: dict[str, Any]) -> None:
    ds = pydicom.dcmread(path)
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    ds.save_as(path)


def _read(pet: Path, mri: Path, **limits: float) -> dicom.MriStudy:
    options = dicom.ReadOptions(protocol=limited(**limits))
    return dicom.read_mri_study([mri], options, pet=dicom.read_pet_study([pet], options))


def test_a_nifti_header_that_claims_to_be_endless_is_not_read(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    data = bytearray(image.to_bytes())
    data[108:112] = struct.pack("<f", 2e9)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(data) + bytes(1_000_000)))
    with pytest.raises(InvalidInput, match="wanted a header of at most 100 MB, got 2000000000"):
        nifti.read_labels(tmp_path / "a.nii.gz")


def test_a_nifti_that_inflates_beyond_its_voxels_is_read_no_further(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(image.to_bytes() + bytes(50_000_000)))
    with pytest.raises(InvalidInput, match="wanted 360 bytes, as its header says, got more"):
        nifti.read_labels(tmp_path / "a.nii.gz")


def test_a_zip_that_inflates_to_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            archive.writestr(f"{n}.dcm", bytes(900_000))
    with pytest.raises(InvalidInput, match="wanted one of at most 2 MB inflated, got 3 MB"):
        dicom.scan([tmp_path / "a.zip"], limited(zip_mb=2.0))

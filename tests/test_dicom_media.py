"""Zip archives and media with a DICOMDIR, read in place; what is missing or sealed is named."""

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from lesionmatch import dicom
from lesionmatch.errors import InconsistentSeries, InvalidInput, NothingFound
from tests.reading_files import CT, instance, one, pet_slice, saved, slices


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
    data, box = one(tmp_path / "a").read_bytes(), tmp_path / "box"
    box.mkdir()
    with zipfile.ZipFile(box / "a.zip", "w") as archive:
        for name in ("../../evil.dcm", "/etc/evil.dcm", "..\\evil.dcm", "C:/evil.dcm"):
            archive.writestr(name, data)
        inner = io.BytesIO()
        zipfile.ZipFile(inner, "w").close()
        archive.writestr("inner.zip", inner.getvalue())
        link = zipfile.ZipInfo("link.dcm")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    found = dicom.scan([box])
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


def test_a_zip_with_encrypted_files_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "pet", slices(pet_slice))
    packed = zipped(folder, tmp_path / "pet.zip")
    data = bytearray(packed.read_bytes())
    # The first bit of the flags, in a member's own head and in the list at the end.
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(data)
    with pytest.raises(InvalidInput, match="zip: wanted files that can be read, got an encrypted"):
        dicom.read_pet_study([packed])


def test_a_zip_in_a_zip_is_refused_where_the_user_names_it(tmp_path: Path) -> None:
    inner = zipped(saved(tmp_path / "pet", slices(pet_slice)), tmp_path / "inner.zip")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(inner, "pet.zip")
    with pytest.raises(InvalidInput, match="got a zip inside a zip; unpack it first"):
        dicom.read_pet_study([tmp_path / "outer.zip"])


def complete(ds: Dataset) -> Dataset:
    """A slice with what a DICOMDIR wants of it."""
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20250102", "110000", "1", ""
    ds.SeriesNumber = 1 if ds.Modality == "PT" else 2
    return ds


def medium(folder: Path) -> Path:
    """A disc with a PET and a CT, written by pydicom."""
    disc = FileSet()
    for ds in slices(pet_slice) + [instance(CT, "1.2.3.7", n) for n in range(6)]:
        disc.add(complete(ds))
    disc.write(folder)
    disc._stage["t"].cleanup()
    return folder


def ids(folder: Path, modality: str) -> list[Path]:
    """The files of a disc with slices of one modality, by place."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != "DICOMDIR"]
    headers = {path: pydicom.dcmread(path) for path in found}
    mine = [path for path in found if headers[path].Modality == modality]
    return sorted(mine, key=lambda path: float(headers[path].ImagePositionPatient[2]))


def test_a_medium_is_read_as_its_files_are(tmp_path: Path) -> None:
    plain = dicom.read_pet_study([saved(tmp_path / "plain", slices(pet_slice))])
    study = dicom.read_pet_study([medium(tmp_path / "disc")])
    np.testing.assert_array_equal(study.suv.array, plain.suv.array)
    assert study.ct is not None
    assert study.inventory.skipped == {}
    assert [record.uid for record in study.series] == ["1.2.3.1", "1.2.3.7"]


def test_a_medium_s_files_are_found_where_they_were_moved_and_renamed(tmp_path: Path) -> None:
    disc = medium(tmp_path / "disc")
    for n, path in enumerate(ids(disc, "PT")):
        path.rename(disc / f"slice {n}")
    assert dicom.read_pet_study([disc]).suv.grid.shape == (6, 12, 10)


@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_file_that_a_medium_lists_and_lacks_is_named(tmp_path: Path, place: int) -> None:
    disc = medium(tmp_path / "disc")
    lost = ids(disc, "PT")[place]
    lost.unlink()
    name = lost.relative_to(disc).as_posix()
    says = r"a slice is missing" if place == 2 else f"lists, got 5 \\({name} missing\\)"
    with pytest.raises(InconsistentSeries, match=says):
        dicom.read_pet_study([disc])


def test_a_ct_that_a_medium_lists_and_lacks_at_its_end_is_refused_too(tmp_path: Path) -> None:
    disc = medium(tmp_path / "disc")
    ids(disc, "CT")[-1].unlink()
    with pytest.raises(InconsistentSeries, match=r"CT series.*lists, got 5"):
        dicom.read_pet_study([disc])


@pytest.mark.skipif(shutil.which("dcmmkdir") is None, reason="dcmmkdir of dcmtk is not installed")
def test_a_medium_by_dcmtk_is_understood_too(tmp_path: Path) -> None:
    folder = saved(tmp_path / "disc", [complete(ds) for ds in slices(pet_slice)])
    for path in sorted(folder.iterdir()):
        path.rename(folder / path.stem)
    names = sorted(path.name for path in folder.iterdir())
    subprocess.run(["dcmmkdir", "-Pgp", "-W", "-Nxc", *names], cwd=folder, check=True)
    assert dicom.read_pet_study([folder]).suv.grid.shape == (6, 12, 10)
    (folder / "0005").unlink()
    with pytest.raises(InconsistentSeries, match=r"lists, got 5 \(0005 missing\)"):
        dicom.read_pet_study([folder])


def test_a_directory_whose_links_run_in_circles_is_read_once(tmp_path: Path) -> None:
    disc = medium(tmp_path / "disc")
    path = disc / "DICOMDIR"
    data = path.read_bytes()
    ds = pydicom.dcmread(path)
    for item in ds.DirectoryRecordSequence:
        item.OffsetOfTheNextDirectoryRecord = item.seq_item_tell
    file = io.BytesIO()
    ds.save_as(file)
    assert len(file.getvalue()) == len(data)
    path.write_bytes(file.getvalue())
    assert dicom.read_pet_study([disc]).suv.grid.shape == (6, 12, 10)

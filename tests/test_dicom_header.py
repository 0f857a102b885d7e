"""Headers by the short way are those that pydicom's own `dcmread` gives."""

import io
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lesionmatch.dicom.files.header import CHUNK, _dataset_of, read_header
from tests.reading_files import DATA, hbp_slice, pet_slice, saved

DEMO = Path(__file__).parent.parent / "fixtures" / "demo"


def both(path: Path) -> tuple[Dataset, int, Dataset, int]:
    """A header by the short way and by pydicom's own, and where each stopped."""
    with path.open("rb") as ours, path.open("rb") as theirs:
        head = ours.read(1024)
        short, own = read_header(ours, head), dcmread(theirs, stop_before_pixels=True)
        return short, ours.tell(), own, theirs.tell()


def is_short(path: Path) -> bool:
    """Whether the short way is taken for a file."""
    return _dataset_of(path.read_bytes()[:1024])[0] > 0


def values(dataset: Dataset) -> dict[int, object]:
    """Tags and values as they are stored, and the character set as text."""
    found: dict[int, object] = {tag: element.value for tag, element in dataset.items()}
    return found | {0x00080005: dataset.get("SpecificCharacterSet")}


def same(path: Path) -> None:
    short, ours, own, theirs = both(path)
    assert values(short) == values(own)
    assert ours == theirs
    assert short.file_meta.TransferSyntaxUID == own.file_meta.TransferSyntaxUID
    assert short.original_encoding == own.original_encoding
    assert short.original_character_set == own.original_character_set


def test_every_file_of_the_fixture_has_the_same_header() -> None:
    files = [p for p in DEMO.rglob("*") if p.is_file() and p.read_bytes()[128:132] == b"DICM"]
    assert len(files) > 200
    assert all(map(is_short, files))
    for path in files:
        same(path)


@pytest.mark.skipif(not DATA.is_dir(), reason="the public data are absent")
def test_files_of_many_writers_have_the_same_header() -> None:
    places = (DATA / "seg", DATA / "rtstruct", DATA / "ibsi_suv_dro/DRO/DRO_2_0", DATA / "sts")
    files = [p for place in places for p in sorted(place.rglob("*.dcm"))[::4]]
    assert sum(map(is_short, files)) > 50
    for path in files:
        same(path)


@pytest.mark.parametrize(
    ("syntax", "short"),
    [
        (ImplicitVRLittleEndian, True),
        (ExplicitVRLittleEndian, True),
        (ExplicitVRBigEndian, False),
        (DeflatedExplicitVRLittleEndian, False),
    ],
)
def test_each_encoding_is_read_as_pydicom_reads_it(
    tmp_path: Path, syntax: UID, short: bool
) -> None:
    ds = pet_slice(0, SpecificCharacterSet="ISO_IR 192", PatientName="Müller^Ä")
    ds.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20250102")
    ds.file_meta.TransferSyntaxUID = syntax
    path = saved(tmp_path, [ds]) / "0000.dcm"
    assert is_short(path) is short
    same(path)
    with path.open("rb") as file:
        assert str(read_header(file, path.read_bytes()[:1024]).PatientName) == "Müller^Ä"


def test_a_group_length_that_is_wrong_or_absent_is_left_to_pydicom(tmp_path: Path) -> None:
    path = saved(tmp_path, [hbp_slice(0)]) / "0000.dcm"
    whole = path.read_bytes()
    own = values(dcmread(io.BytesIO(whole), stop_before_pixels=True))
    start = 144 + int.from_bytes(whole[140:144], "little")
    longer = whole[:140] + (start - 144 + 6).to_bytes(4, "little") + whole[144:]
    without = whole[:132] + whole[144:]
    for data in (longer, without):
        assert _dataset_of(data[:1024]) == (0, "")
        assert values(read_header(io.BytesIO(data), data[:1024])) == own


def test_a_header_longer_than_what_is_read_at_once_is_whole(tmp_path: Path) -> None:
    ds = hbp_slice(0)
    block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", bytes(CHUNK))
    path = saved(tmp_path, [ds]) / "0000.dcm"
    assert is_short(path)
    same(path)
    with path.open("rb") as file:
        assert read_header(file, path.read_bytes()[:1024]).Rows == ds.Rows


def test_a_header_that_ends_where_the_reading_does_is_whole(tmp_path: Path) -> None:
    path = saved(tmp_path, [hbp_slice(0)]) / "0000.dcm"
    pixels = both(path)[1]
    start = _dataset_of(path.read_bytes()[:1024])[0]
    for over in (-1, 0, 1, 8, 11, 12, 13):
        # So much filling that the pixel element begins `over` bytes before the end.
        ds = hbp_slice(0)
        filling = CHUNK - (pixels - start) - over - 8 - 20 - 12
        ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(
            0x10, "OB", bytes(max(filling + filling % 2, 2))
        )
        one = saved(tmp_path / str(over), [ds]) / "0000.dcm"
        same(one)

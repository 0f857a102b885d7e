"""Pixels in every lossless transfer syntax are read bit for bit; with loss they are refused."""

import io
import shutil
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from lesionmatch import dicom
from lesionmatch.dicom.pixels.codestream import Codestream, codestream_of
from lesionmatch.errors import InvalidInput
from tests import fuzzing
from tests.reading_files import pet_slice, saved, slices
from tests.small_studies import small_study

Recode = Callable[[Path], None]
"""Rewrites a file in another transfer syntax, in place."""


def by_pydicom(syntax: UID, **options: Any) -> Recode:  # noqa: ANN401
    def recode(path: Path) -> None:
        ds = pydicom.dcmread(path)
        ds.compress(syntax, generate_instance_uid=False, **options)
        ds.save_as(path)

    return recode


def by_dcmtk(*command: str) -> Recode:
    """A rewrite by one of dcmtk's programs. Skips the test where it is not installed."""

    def recode(path: Path) -> None:
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} of dcmtk is not installed")
        made = path.with_suffix(".new")
        subprocess.run([*command, str(path), str(made)], check=True)
        made.replace(path)

    return recode


def in_other_words(syntax: UID) -> Recode:
    def recode(path: Path) -> None:
        ds = pydicom.dcmread(path)
        ds.file_meta.TransferSyntaxUID = syntax
        ds.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)

    return recode


def relabelled(first: Recode, syntax: UID) -> Recode:
    """A rewrite, and then another name for it: what a syntax that may lose can hold."""

    def recode(path: Path) -> None:
        first(path)
        ds = pydicom.dcmread(path)
        ds.file_meta.TransferSyntaxUID = syntax
        ds.save_as(path)

    return recode


def by_deflated_frames(path: Path) -> None:
    """A rewrite in which each frame is deflated for itself, single bits too (PS3.5 section A.4)."""
    ds = pydicom.dcmread(path)
    count, pixels = int(ds.get("NumberOfFrames", 1)), ds.Rows * ds.Columns
    if ds.BitsAllocated == 1:
        bits = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little")
        frames = [
            np.packbits(one, bitorder="little").tobytes()
            for one in bits[: count * pixels].reshape(count, pixels)
        ]
    else:
        size = pixels * ds.BitsAllocated // 8
        frames = [ds.PixelData[n * size : (n + 1) * size] for n in range(count)]
    streams = [zlib.compressobj(wbits=-zlib.MAX_WBITS) for _ in frames]
    ds.PixelData = pydicom.encaps.encapsulate(
        [one.compress(data) + one.flush() for one, data in zip(streams, frames, strict=True)]
    )
    ds["PixelData"].is_undefined_length = True
    ds["PixelData"].VR = "OB"
    # pydicom does not know the syntax, so another name as long as this one holds its place.
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.save_as(path)
    named = path.read_bytes().replace(JPEGBaseline8Bit.encode(), b"1.2.840.10008.1.2.8.1\0", 1)
    path.write_bytes(named)


def without_preamble(first: Recode) -> Recode:
    """A bare dataset, as some systems still store it: no preamble and no file meta information."""

    def recode(path: Path) -> None:
        first(path)
        data = path.read_bytes()
        path.write_bytes(data[144 + int.from_bytes(data[140:144], "little") :])

    return recode


def unchanged(path: Path) -> None:
    """Leave a file as it is."""


LOSSLESS: dict[str, Recode] = {
    "RLE": by_pydicom(RLELossless),
    "RLE by dcmtk": by_dcmtk("dcmcrle"),
    "JPEG-LS": by_pydicom(JPEGLSLossless),
    "JPEG-LS by dcmtk": by_dcmtk("dcmcjpls", "+el"),
    "JPEG-LS called near-lossless": relabelled(by_pydicom(JPEGLSLossless), JPEGLSNearLossless),
    "JPEG 2000": by_pydicom(JPEG2000Lossless),
    "JPEG 2000 called .91": relabelled(by_pydicom(JPEG2000Lossless), JPEG2000),
    "JPEG lossless .70": by_dcmtk("dcmcjpeg", "+e1"),
    **{
        f"JPEG lossless .57, predictor {n}": by_dcmtk("dcmcjpeg", "+el", "+sv", str(n))
        for n in (2, 4, 6, 7)
    },
    "deflated frames": by_deflated_frames,
    "deflated": in_other_words(DeflatedExplicitVRLittleEndian),
    "implicit": in_other_words(ImplicitVRLittleEndian),
    "big endian": by_dcmtk("dcmconv", "+tb"),
    "explicit, no preamble": without_preamble(unchanged),
    "implicit, no preamble": without_preamble(in_other_words(ImplicitVRLittleEndian)),
}
WHOLE_PIXELS = {name: recode for name, recode in LOSSLESS.items() if "J" in name or "RLE" in name}
"""What takes no pixels of one bit."""


def recoded(folder: Path, recode: Recode) -> None:
    for path in sorted(folder.glob("*.dcm")):
        is_bit = pydicom.dcmread(path, stop_before_pixels=True).get("BitsAllocated") == 1
        if not (is_bit and recode in WHOLE_PIXELS.values()):
            recode(path)


@pytest.mark.parametrize("name", LOSSLESS)
def test_pet_ct_mr_and_seg_are_read_bit_for_bit(tmp_path: Path, name: str) -> None:
    folders = small_study(tmp_path, "SEG")
    clean = fuzzing.read(*folders)
    for folder in folders:
        for number, path in enumerate(sorted(folder.glob("*.dcm"))):
            _make_like_a_scanner_s(path, number)
    signed = fuzzing.read(*folders)
    assert not signed.equals(clean)
    for folder in folders:
        recoded(folder, LOSSLESS[name])
    assert fuzzing.read(*folders).equals(signed)


def _make_like_a_scanner_s(path: Path, number: int) -> None:
    """Images of 64 x 64 pixels, signed in CT, of twelve bits in MR."""
    ds = pydicom.dcmread(path)
    if ds.Modality == "SEG":
        return
    rng = np.random.default_rng(number)
    ds.Rows, ds.Columns = SIZE, SIZE
    if ds.Modality == "CT":
        ds.PixelRepresentation, ds.RescaleIntercept = 1, -24
    if ds.Modality == "MR":
        ds.BitsStored, ds.HighBit = 12, 11
    lowest, highest = (-1000, 1000) if ds.Modality == "CT" else (0, 4000)
    ds.PixelData = rng.integers(lowest, highest, (SIZE, SIZE)).astype("<i2").tobytes()
    ds.save_as(path)


SIZE = 64
"""Rows and columns that JPEG 2000 can halve five times."""


def a_lossy(tmp_path: Path, recode: Recode) -> Path:
    folder = saved(
        tmp_path, slices(pet_slice, Rows=SIZE, Columns=SIZE, PixelData=bytes(2 * SIZE**2))
    )
    for number, path in enumerate(sorted(folder.iterdir())):
        ds = pydicom.dcmread(path)
        rng = np.random.default_rng(number)
        ds.PixelData = rng.integers(0, 4000, (SIZE, SIZE)).astype("<u2").tobytes()
        ds.BitsStored, ds.HighBit = 12, 11
        ds.save_as(path)
        recode(path)
    return folder


LOSSY: dict[str, Recode] = {
    "JPEG 2000": by_pydicom(JPEG2000, j2k_cr=[10]),
    "JPEG-LS near-lossless": by_pydicom(JPEGLSNearLossless, jls_error=3),
    "JPEG extended": by_dcmtk("dcmcjpeg", "+ee"),
    "JPEG lossless with a point transform": by_dcmtk("dcmcjpeg", "+el", "+pt", "2"),
    "JPEG 2000, called lossless": relabelled(by_pydicom(JPEG2000, j2k_cr=[10]), JPEG2000Lossless),
}


@pytest.mark.parametrize("name", LOSSY)
def test_pixels_that_lost_something_are_refused(tmp_path: Path, name: str) -> None:
    folder = a_lossy(tmp_path, LOSSY[name])
    for path in folder.iterdir():
        ds = pydicom.dcmread(path)
        ds.pop("LossyImageCompression", None)
        ds.save_as(path)
    with pytest.raises(InvalidInput, match="got lossy compression"):
        dicom.read_pet_study([folder])


def test_pixels_that_were_once_lossy_are_refused_however_they_are_stored(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice, LossyImageCompression="01"))
    with pytest.raises(InvalidInput, match="got lossy compression"):
        dicom.read_pet_study([folder])


def a_frame(syntax: UID) -> bytes:
    ds = pet_slice(0, Rows=SIZE, Columns=SIZE, PixelData=bytes(2 * SIZE**2))
    ds.compress(syntax)
    return next(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1))


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_codestream_of_another_size_than_the_header_s_is_not_decoded(
    tmp_path: Path, syntax: UID
) -> None:
    datasets = slices(pet_slice, Rows=SIZE, Columns=SIZE, PixelData=bytes(2 * SIZE**2))
    for ds in datasets:
        ds.compress(syntax)
        ds.Rows, ds.Columns = 2000, 2000
    with pytest.raises(InvalidInput, match=r"2000 x 2000 pixels of 16 bits, got one of 64 x 64"):
        dicom.read_pet_study([saved(tmp_path, datasets)])


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_codestream_that_is_cut_short_has_no_head(syntax: UID) -> None:
    frame = a_frame(syntax)
    assert (codestream_of(frame).rows, codestream_of(frame).columns) == (SIZE, SIZE)
    for length in (0, 2, 10, 25):
        with pytest.raises(ValueError, match="codestream"):
            codestream_of(frame[:length])


def test_run_lengths_that_stand_for_too_much_are_not_expanded(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    for ds in datasets:
        ds.compress(RLELossless)
        bomb = bytes(ds.PixelData)[8:72] + b"\x81\x00" * 500_000
        ds.PixelData = pydicom.encaps.encapsulate([bomb])
    with pytest.raises(InvalidInput, match="wanted run lengths of at most 608 bytes a frame"):
        dicom.read_pet_study([saved(tmp_path, datasets)])


def test_a_syntax_that_is_not_known_is_refused_by_its_uid(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    for ds in datasets:
        ds.compress(RLELossless)
        ds.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.100")
    with pytest.raises(InvalidInput, match=r"transfer syntax 1\.2\.840\.10008\.1\.2\.4\.100 that"):
        dicom.read_pet_study([saved(tmp_path, datasets)])


def test_a_bare_dataset_that_is_no_image_is_not_taken_for_one(tmp_path: Path) -> None:
    file = io.BytesIO()
    ds = Dataset()
    ds.PatientID = "P1"
    ds.save_as(file, implicit_vr=True, little_endian=True)
    (tmp_path / "a").write_bytes(file.getvalue())
    assert dicom.scan([tmp_path]).skipped == {"not DICOM": 1}


def jpeg_head(kind: int, shift: int = 0) -> bytes:
    """A JPEG head of 5 x 7 pixels and 12 bits, with a comment and a fill byte before the frame."""
    frame = bytes([12, 0, 5, 0, 7, 1, 1, 0x11, 0])
    scan = bytes([1, 1, 0, 1, 0, shift])
    return b"".join(
        [
            b"\xff\xd8",
            b"\xff\xfe\x00\x05abc",
            b"\xff\xff" + bytes([kind]) + (len(frame) + 2).to_bytes(2, "big") + frame,
            b"\xff\xda" + (len(scan) + 2).to_bytes(2, "big") + scan,
        ]
    )


@pytest.mark.parametrize(
    ("kind", "shift", "is_lossless"),
    [(0xC3, 0, True), (0xC3, 1, False), (0xC1, 0, False), (0xF7, 0, False)],
)
def test_a_jpeg_s_head_says_its_size_and_whether_anything_was_lost(
    kind: int, shift: int, is_lossless: bool
) -> None:
    # In JPEG-LS the 1 that is JPEG's predictor says how far a pixel may be off.
    assert codestream_of(jpeg_head(kind, shift)) == Codestream(5, 7, 1, 12, is_lossless)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_head_whose_frame_is_too_short_is_none(missing: int) -> None:
    head = jpeg_head(0xC3)
    frame = bytes([12, 0, 5, 0, 7, 1])[: 6 - missing]
    short = b"\xff\xc3" + (len(frame) + 2).to_bytes(2, "big") + frame
    with pytest.raises(ValueError, match="a JPEG frame without its head"):
        codestream_of(head[:2] + short + head[head.index(b"\xff\xda") :])


def jpeg_2000_head(style: int, own_style: int | None = None, signed: int = 0) -> bytes:
    """A JPEG 2000 head of 5 x 7 pixels, 12 bits, whose image begins off the grid's corner."""
    corners = [3 + 7, 2 + 5, 3, 2, 64, 64, 0, 0]
    size = b"\x00\x00" + b"".join(n.to_bytes(4, "big") for n in corners)
    size += (1).to_bytes(2, "big") + bytes([signed | 11, 1, 1])
    parts = [(0x51, size), (0x52, bytes([0, 0, 0, 1, 0, 5, 4, 4, 0, style]))]
    if own_style is not None:
        parts.append((0x53, bytes([0, 0, 5, 4, 4, 0, own_style])))
    parts.append((0x90, bytes(8)))
    heads = (
        b"\xff" + bytes([kind]) + (len(held) + 2).to_bytes(2, "big") + held for kind, held in parts
    )
    return b"\xff\x4f" + b"".join(heads)


@pytest.mark.parametrize(
    ("style", "own_style", "signed", "is_lossless"),
    [(1, None, 0, True), (1, 1, 0x80, True), (1, 0, 0, False), (0, None, 0, False)],
)
def test_a_jpeg_2000_s_head_says_its_size_and_every_component_s_wavelet(
    style: int, own_style: int | None, signed: int, is_lossless: bool
) -> None:
    head = jpeg_2000_head(style, own_style, signed)
    assert codestream_of(head) == Codestream(5, 7, 1, 12, is_lossless)
    boxed = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + head
    assert codestream_of(boxed) == Codestream(5, 7, 1, 12, is_lossless)

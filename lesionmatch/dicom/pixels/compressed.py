"""Compressed pixels, decoded: run lengths, deflated frames, and the JPEG family without loss.

pydicom's plugins decode JPEG-LS and JPEG 2000. None for lossless JPEG is free of the GPL, so
ITK does that, from a temporary file that holds the pixels alone. What a codestream says of its
own size and of loss is read before any decoder sees it.
"""

import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, SecondaryCaptureImageStorage

from lesionmatch.dicom.files.instance import PARSER_FAULTS, Instance
from lesionmatch.dicom.pixels.codestream import codestream_of
from lesionmatch.dicom.pixels.samples import Shape, bytes_of, dtype_of, samples
from lesionmatch.errors import InvalidInput

RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
JPEG_LOSSLESS = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
ALWAYS_LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
JPEG_FAMILY = {f"1.2.840.10008.1.2.4.{n}" for n in (80, 81, 90, 91, 201, 202, 203)} | JPEG_LOSSLESS
DECODER_FAULTS = (*PARSER_FAULTS, RuntimeError)
PIXEL_DATA_HEAD = 12
"""Bytes of the element's tag, type and length before the first item."""
RUN_LENGTH_HEAD = 128
"""Of a frame, and bytes that pad its segments."""

NEEDED = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)


def lossy(what: str) -> InvalidInput:
    """The refusal of pixels that were compressed with loss."""
    return InvalidInput(
        f"{what}: wanted pixels as the scanner wrote them, got lossy compression; "
        "export the series from the archive's original"
    )


def decoded(instance: Instance, shape: Shape, what: str) -> NDArray[np.generic]:
    """The stored values of compressed pixels, (frames, rows, columns).

    Raises `InvalidInput` where they cannot be decoded, were compressed with loss or are not of
    the size that the header says.
    """
    dataset = _with_pixels(instance)
    try:
        array = _decoded(dataset, instance.syntax, shape, what)
    except InvalidInput:
        raise
    except DECODER_FAULTS as error:
        raise InvalidInput(
            f"{what}: wanted pixels that can be decoded, got transfer syntax {instance.syntax} "
            f"that cannot ({type(error).__name__}); export it uncompressed"
        ) from error
    if array.size != shape[0] * shape[1] * shape[2]:
        raise InvalidInput(f"{what}: wanted {shape} pixels, got {array.shape}; export it again")
    return array.reshape(shape)


def _decoded(dataset: Dataset, syntax: str, shape: Shape, what: str) -> NDArray[np.generic]:
    dtype = dtype_of(dataset, what)
    if syntax == DEFLATED_FRAMES or (dtype == np.bool_ and syntax == RLE):
        return _framewise(dataset, syntax, shape, what)
    if syntax not in JPEG_FAMILY and syntax != RLE:
        raise NotImplementedError(syntax)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=shape[0]))
    if len(frames) != shape[0]:
        raise InvalidInput(f"{what}: wanted {shape[0]} frames, got {len(frames)}; export it again")
    for frame in frames:
        if syntax == RLE:
            _require_short(frame, bytes_of((1, *shape[1:]), dtype), what)
        else:
            _require_own(frame, shape, 8 * dtype.itemsize, what)
    if syntax in JPEG_LOSSLESS:
        return _by_itk(dataset, frames, syntax)
    array, _ = get_decoder(UID(syntax)).as_array(dataset, raw=True)
    return array


def _require_short(frame: bytes, size: int, what: str) -> None:
    """Raise `InvalidInput` where run lengths are longer than what they stand for could be."""
    # At worst each byte is a run of its own, and takes two.
    most = 2 * size + RUN_LENGTH_HEAD
    if len(frame) > most:
        raise InvalidInput(
            f"{what}: wanted run lengths of at most {most} bytes a frame, got {len(frame)} bytes; "
            "export it uncompressed"
        )


def _require_own(frame: bytes, shape: Shape, bits: int, what: str) -> None:
    """Raise `InvalidInput` unless a codestream is of the header's size and without loss."""
    stream = codestream_of(frame)
    if (stream.rows, stream.columns, stream.components) != (*shape[1:], 1) or stream.bits > bits:
        raise InvalidInput(
            f"{what}: wanted frames of {shape[1]} x {shape[2]} pixels of {bits} bits, got one of "
            f"{stream.rows} x {stream.columns} of {stream.bits} in {stream.components} components; "
            "the header does not belong to the pixels, export it again"
        )
    if not stream.is_lossless:
        raise lossy(what)


def _by_itk(dataset: Dataset, frames: Sequence[bytes], syntax: str) -> NDArray[np.generic]:
    """Decode with ITK. Nothing but the pixels and their format goes into the temporary file."""
    import SimpleITK as sitk  # here, because few studies need it and it takes long to load

    bare = Dataset()
    for name in NEEDED:
        if name in dataset:
            bare[name] = dataset[name]
    bare.SOPClassUID, bare.SOPInstanceUID = SecondaryCaptureImageStorage, "2.25.1"
    bare.PixelData = encapsulate(list(frames))
    bare["PixelData"].is_undefined_length = True
    bare.file_meta = dataset.file_meta.__class__()
    bare.file_meta.TransferSyntaxUID = UID(syntax)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.dcm"
        bare.save_as(path, enforce_file_format=True)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        return np.asarray(sitk.GetArrayFromImage(reader.Execute()))


def _framewise(dataset: Dataset, syntax: str, shape: Shape, what: str) -> NDArray[np.generic]:
    """Frames that pydicom does not decode: deflated ones, and run lengths of single bits."""
    dtype = dtype_of(dataset, what)
    single = (1, shape[1], shape[2])
    size = bytes_of(single, dtype)
    found = []
    for frame in generate_frames(dataset.PixelData, number_of_frames=shape[0]):
        data = _inflated(frame, size) if syntax == DEFLATED_FRAMES else _run_lengths(frame, size)
        found.append(samples(data, dtype, single, what))
    if len(found) != shape[0]:
        raise InvalidInput(f"{what}: wanted {shape[0]} frames, got {len(found)}; export it again")
    return np.concatenate(found)


def _inflated(data: bytes, size: int) -> bytes:
    """A deflated frame of `size` bytes and a byte of padding. Raises `ValueError` beyond them."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    found = stream.decompress(data, size + 2)
    if len(found) > size + 1:
        raise ValueError("more bytes than pixels")
    return found


def _run_lengths(frame: bytes, size: int) -> bytes:
    """A frame of one segment of DICOM's run-length encoding (PS3.5 annex G)."""
    if int.from_bytes(frame[:4], "little") != 1:
        raise ValueError("more than one segment")
    data, found, at = frame[int.from_bytes(frame[4:8], "little") :], bytearray(), 0
    while at < len(data) and len(found) <= size:
        control = data[at]
        if control < 128:
            found += data[at + 1 : at + 2 + control]
            at += 2 + control
        elif control > 128:
            found += data[at + 1 : at + 2] * (257 - control)
            at += 2
        else:
            at += 1
    return bytes(found)


def _with_pixels(instance: Instance) -> Dataset:
    """The attributes that decoding needs, and the pixel data after the header."""
    with instance.open() as file:
        file.seek(instance.pixel_offset + PIXEL_DATA_HEAD)
        data = file.read()
    dataset = Dataset()
    for name in NEEDED:
        if name in instance.dataset:
            dataset[name] = instance.dataset[name]
    dataset.file_meta = instance.dataset.file_meta
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    dataset.PixelData = data
    dataset["PixelData"].is_undefined_length = True
    return dataset

"""Stored pixels of a stack as an array of numbers.

Uncompressed pixels are read from where the header ended, once and straight into the
volume; compressed ones are decoded by pydicom's plugins, none of which is under the GPL.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from lesionmatch.dicom.instance import PARSER_FAULTS, Instance
from lesionmatch.dicom.plane import Plane, pixel_shape
from lesionmatch.dicom.sources import MEGABYTE
from lesionmatch.dicom.stack import Stack
from lesionmatch.dicom.values import number, tag_of, text
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.protocol import InputLimits

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
NATIVE = {IMPLICIT_LITTLE, EXPLICIT_LITTLE, BIG_ENDIAN}
RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
PIXEL_DATA = tag_of("PixelData")
DECODER_FAULTS = (*PARSER_FAULTS, RuntimeError)

Scale = Callable[[Plane], tuple[float, float]]
"""Slope and intercept of a plane."""


def volume(stack: Stack, scale: Scale, limits: InputLimits, what: str) -> NDArray[np.float32]:
    """Stored values times slope plus intercept, (slices, rows, columns).

    Raises `InvalidInput` where pixels are missing, truncated, of a kind that is not read
    or more than `limits` allow.
    """
    size_mb = 4.0 * float(np.prod(stack.grid.shape, dtype=np.float64)) / MEGABYTE
    if size_mb > limits.volume_mb:
        raise InvalidInput(
            f"{what}: wanted at most {limits.volume_mb:.0f} MB, got {size_mb:.0f} MB; "
            "raise [input] volume_mb"
        )
    array = np.empty(stack.grid.shape, np.float32)
    frames: dict[int, NDArray[np.generic]] = {}
    for place, plane in enumerate(stack.planes):
        key = id(plane.instance)
        if key not in frames:
            frames.clear()
            frames[key] = stored(plane.instance, what)
        slope, intercept = scale(plane)
        np.multiply(frames[key][plane.index], np.float32(slope), out=array[place], casting="unsafe")
        if intercept:
            array[place] += np.float32(intercept)
    return array


def stored(instance: Instance, what: str) -> NDArray[np.generic]:
    """The stored values of an instance, (frames, rows, columns). Raises `InvalidInput`."""
    dataset = instance.dataset
    if not instance.has_pixels:
        raise InvalidInput(f"{what}: wanted pixels, got a file without; export it again")
    if int(number(dataset, "SamplesPerPixel") or 1) != 1:
        raise InvalidInput(f"{what}: wanted grey values, got colours; choose another series")
    rows, columns = pixel_shape(dataset)
    frames = int(number(dataset, "NumberOfFrames") or 1)
    shape = (frames, rows, columns)
    if instance.syntax in NATIVE and PIXEL_DATA not in dataset:
        return _native(instance, shape, what)
    return _decoded(instance, shape, what)


def _native(instance: Instance, shape: tuple[int, int, int], what: str) -> NDArray[np.generic]:
    dtype = _dtype(instance.dataset, instance.syntax, what)
    with instance.source.open() as file:
        file.seek(instance.pixel_offset)
        head = file.read(8 if instance.syntax == IMPLICIT_LITTLE else 12)
        length = int.from_bytes(head[-4:], "big" if instance.syntax == BIG_ENDIAN else "little")
        data = file.read(min(length, instance.source.size))
    if dtype == np.bool_:
        return _unpacked(data, shape, what)
    return _shaped(data, dtype, shape, what)


def _dtype(dataset: Dataset, syntax: str, what: str) -> np.dtype[np.generic]:
    bits = int(number(dataset, "BitsAllocated") or 0)
    if bits == 1:
        return np.dtype(np.bool_)
    if bits not in (8, 16, 32):
        raise InvalidInput(f"{what}: wanted 1, 8, 16 or 32 bits a pixel, got {bits}")
    signed = int(number(dataset, "PixelRepresentation") or 0) == 1
    order = ">" if syntax == BIG_ENDIAN else "<"
    return np.dtype(f"{order}{'i' if signed else 'u'}{bits // 8}")


def _shaped(
    data: bytes, dtype: np.dtype[np.generic], shape: tuple[int, int, int], what: str
) -> NDArray[np.generic]:
    count = shape[0] * shape[1] * shape[2]
    if count < 1 or len(data) < count * dtype.itemsize:
        raise InvalidInput(
            f"{what}: wanted {count * dtype.itemsize} bytes of pixels, got {len(data)}; "
            "the file is truncated, export it again"
        )
    return np.frombuffer(data, dtype, count).reshape(shape)


def _unpacked(data: bytes, shape: tuple[int, int, int], what: str) -> NDArray[np.generic]:
    """Pixels of one bit: a stream from the least significant bit on, across rows and frames."""
    count = shape[0] * shape[1] * shape[2]
    if count < 1 or len(data) * 8 < count:
        raise InvalidInput(
            f"{what}: wanted {(count + 7) // 8} bytes of pixels, got {len(data)}; "
            "the file is truncated, export it again"
        )
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little")
    return bits.reshape(shape)


def _decoded(instance: Instance, shape: tuple[int, int, int], what: str) -> NDArray[np.generic]:
    """Compressed pixels, from the header as it was read and the bytes after it."""
    dataset = _with_pixels(instance)
    bits = int(number(dataset, "BitsAllocated") or 0)
    if instance.syntax == DEFLATED_FRAMES or (bits == 1 and instance.syntax == RLE):
        return _framewise(dataset, instance.syntax, shape, what)
    try:
        decoder = get_decoder(UID(instance.syntax))
        array, _ = decoder.as_array(dataset, raw=True)
    except DECODER_FAULTS as error:
        raise InvalidInput(
            f"{what}: wanted pixels that can be decoded, got transfer syntax {instance.syntax} "
            f"that cannot ({type(error).__name__}); export it uncompressed"
        ) from error
    if array.size != shape[0] * shape[1] * shape[2]:
        raise InvalidInput(f"{what}: wanted {shape} pixels, got {array.shape}; export it again")
    return array.reshape(shape)


def _framewise(
    dataset: Dataset, syntax: str, shape: tuple[int, int, int], what: str
) -> NDArray[np.generic]:
    """Frames that pydicom does not decode: deflated ones, and run lengths of single bits."""
    dtype = _dtype(dataset, EXPLICIT_LITTLE, what)
    single = (1, shape[1], shape[2])
    size = shape[1] * shape[2] * dtype.itemsize
    found = []
    try:
        for frame in generate_frames(dataset.PixelData, number_of_frames=shape[0]):
            data = _inflated(frame, size) if syntax == DEFLATED_FRAMES else _run_lengths(frame)
            shaped = _unpacked(data, single, what) if dtype == np.bool_ else None
            found.append(_shaped(data, dtype, single, what) if shaped is None else shaped)
    except DECODER_FAULTS as error:
        raise InvalidInput(
            f"{what}: wanted pixels that can be decoded, got broken ones ({type(error).__name__}); "
            "export it uncompressed"
        ) from error
    if len(found) != shape[0]:
        raise InvalidInput(f"{what}: wanted {shape[0]} frames, got {len(found)}; export it again")
    return np.concatenate(found)


def _inflated(data: bytes, size: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size)


def _run_lengths(frame: bytes) -> bytes:
    """A frame of one segment of DICOM's run-length encoding (PS3.5 annex G)."""
    if int.from_bytes(frame[:4], "little") != 1:
        raise ValueError("more than one segment")
    data, found, at = frame[int.from_bytes(frame[4:8], "little") :], bytearray(), 0
    while at < len(data):
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
    if PIXEL_DATA in instance.dataset:
        return instance.dataset
    with instance.source.open() as file:
        file.seek(instance.pixel_offset + 12)
        data = file.read()
    dataset = Dataset()
    for name in _NEEDED:
        if name in instance.dataset:
            dataset[name] = instance.dataset[name]
    dataset.file_meta = instance.dataset.file_meta
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    dataset.PixelData = data
    dataset["PixelData"].is_undefined_length = True
    return dataset


_NEEDED = (
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


def rescale(plane: Plane) -> tuple[float, float]:
    """Slope and intercept as the plane or the header of its file has them; 1 and 0 by default."""
    slope = number(plane.header, "RescaleSlope")
    return (1.0 if slope is None else slope), number(plane.header, "RescaleIntercept") or 0.0


def require_lossless(planes: Sequence[Plane], what: str) -> None:
    """Raise `InvalidInput` where pixels were compressed with loss: that is no SUV."""
    for plane in planes:
        dataset = plane.instance.dataset
        if text(dataset, "LossyImageCompression") == "01" or plane.instance.syntax in LOSSY:
            raise InvalidInput(
                f"{what}: wanted pixels as the scanner wrote them, got lossy compression; "
                "export the series from the archive's original"
            )


LOSSY = {
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.203",
}
"""Transfer syntaxes that may lose; .81, .91 and .203 may also be lossless, but do not say so."""


def missing(what: str) -> NothingFound:
    """The refusal of a study in which `what` was looked for and not found."""
    return NothingFound(what)

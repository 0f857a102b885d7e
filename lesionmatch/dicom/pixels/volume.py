"""Stored pixels of a stack as an array of numbers.

Uncompressed pixels are read from where the header ended, once and straight into the volume;
what a header claims is held against the bytes there are before anything is allocated.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lesionmatch.dicom.files.instance import (
    BIG_ENDIAN,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    NATIVE,
    UNDEFINED,
    Instance,
)
from lesionmatch.dicom.files.sources import MEGABYTE
from lesionmatch.dicom.files.values import number, text
from lesionmatch.dicom.pixels.compressed import ALWAYS_LOSSY, decoded, lossy
from lesionmatch.dicom.pixels.samples import bytes_of, dtype_of, samples
from lesionmatch.dicom.series.plane import Plane, pixel_shape
from lesionmatch.dicom.series.stack import Stack
from lesionmatch.errors import InvalidInput
from lesionmatch.protocol import InputLimits

PIXEL_DATA = {
    IMPLICIT_LITTLE: b"\xe0\x7f\x10\x00",
    EXPLICIT_LITTLE: b"\xe0\x7f\x10\x00",
    BIG_ENDIAN: b"\x7f\xe0\x00\x10",
}
"""How the pixel data element begins."""
MOST_STORED = 2.0**32
"""No stored value is larger."""
PIXEL_GROUP = 0x7FE0
WORDS = (b"OB", b"OW")
"""Types of pixel data that are whole numbers."""


Scale = Callable[[Plane], tuple[float, float]]
"""Slope and intercept of a plane."""


def volume(stack: Stack, scale: Scale, limits: InputLimits, what: str) -> NDArray[np.float32]:
    """Stored values times slope plus intercept, (slices, rows, columns).

    Raises `InvalidInput` where pixels are missing, truncated, of a kind that is not read, were
    compressed with loss, or are more than `limits` allow.
    """
    size_mb = 4.0 * float(np.prod(stack.grid.shape, dtype=np.float64)) / MEGABYTE
    if size_mb > limits.volume_mb:
        raise InvalidInput(
            f"{what}: wanted at most {limits.volume_mb:.0f} MB, got {size_mb:.0f} MB; "
            "raise [input] volume_mb"
        )
    require_lossless(stack.planes, what)
    array = np.empty(stack.grid.shape, np.float32)
    frames: dict[int, NDArray[np.generic]] = {}
    for place, plane in enumerate(stack.planes):
        key = id(plane.instance)
        if key not in frames:
            frames.clear()
            frames[key] = stored(plane.instance, limits, what)
        slope, intercept = scale(plane)
        if abs(slope) * MOST_STORED + abs(intercept) > float(np.finfo(np.float32).max):
            raise InvalidInput(f"{what}: wanted finite values, got others; check RescaleSlope")
        np.multiply(frames[key][plane.index], np.float32(slope), out=array[place], casting="unsafe")
        if intercept:
            array[place] += np.float32(intercept)
    return array


def stored(instance: Instance, limits: InputLimits, what: str) -> NDArray[np.generic]:
    """The stored values of an instance, (frames, rows, columns). Raises `InvalidInput`."""
    dataset = instance.dataset
    if not instance.has_pixels:
        raise InvalidInput(f"{what}: wanted pixels, got a file without; export it again")
    if int(number(dataset, "SamplesPerPixel") or 1) != 1:
        raise InvalidInput(f"{what}: wanted grey values, got colours; choose another series")
    shape = (int(number(dataset, "NumberOfFrames") or 1), *pixel_shape(dataset))
    syntax = instance.syntax
    dtype = dtype_of(dataset, what, is_big=syntax == BIG_ENDIAN)
    size_mb = bytes_of(shape, dtype) / MEGABYTE
    if size_mb > limits.volume_mb:
        raise InvalidInput(
            f"{what}: wanted at most {limits.volume_mb:.0f} MB, got {shape[0]} frames of "
            f"{shape[1]} x {shape[2]} pixels, {size_mb:.0f} MB; raise [input] volume_mb"
        )
    if syntax in NATIVE:
        return samples(_native(instance, syntax, dtype, what), dtype, shape, what)
    return decoded(instance, shape, what)


def _native(instance: Instance, syntax: str, dtype: np.dtype[np.generic], what: str) -> bytes:
    """The bytes of uncompressed pixels, all that the file says there are and no more."""
    is_big = syntax == BIG_ENDIAN
    with instance.open() as file:
        file.seek(instance.pixel_offset)
        head = file.read(8 if syntax == IMPLICIT_LITTLE else 12)
        length = int.from_bytes(head[-4:], "big" if is_big else "little")
        if head[:4] != PIXEL_DATA[syntax] or (len(head) == 12 and head[4:6] not in WORDS):
            raise InvalidInput(f"{what}: wanted whole numbers as pixels, got others")
        data = file.read(min(length, instance.size))
        rest = file.read(8)
        left = instance.size - file.tell()
    if len(rest) > 1 and not _may_follow(rest, left, syntax):
        raise InvalidInput(
            f"{what}: wanted nothing or another attribute after the pixels, got {rest[:4].hex()}; "
            "the file is damaged, export it again"
        )
    if len(data) != length:
        raise InvalidInput(
            f"{what}: wanted {length} bytes of pixels, as the file says, got {len(data)}; "
            "the file is truncated, export it again"
        )
    if is_big and head[4:6] == b"OW" and dtype.itemsize == 1:
        # Bytes lie in words there, the second first.
        return np.frombuffer(data[: len(data) // 2 * 2], "<u2").byteswap().tobytes()
    return data


def _may_follow(head: bytes, left: int, syntax: str) -> bool:
    """Whether 8 bytes, with so many after them, begin an attribute that comes after pixel data:
    private, a signature, or padding."""
    order: Literal["big", "little"] = "big" if syntax == BIG_ENDIAN else "little"
    if len(head) < 8 or int.from_bytes(head[:2], order) <= PIXEL_GROUP:
        return False
    if syntax != IMPLICIT_LITTLE:
        return head[4:6].isalpha() and head[4:6].isupper()
    length = int.from_bytes(head[4:], order)
    return length == UNDEFINED or length <= left


def rescale(plane: Plane) -> tuple[float, float]:
    """Slope and intercept as the plane or the header of its file has them; 1 and 0 by default."""
    slope = number(plane.header, "RescaleSlope")
    return (1.0 if slope is None else slope), number(plane.header, "RescaleIntercept") or 0.0


def is_lossy(plane: Plane) -> bool:
    """Whether a header says that the pixels were compressed with loss."""
    instance = plane.instance
    said = text(instance.dataset, "LossyImageCompression")
    return said == "01" or instance.syntax in ALWAYS_LOSSY


def require_lossless(planes: Sequence[Plane], what: str) -> None:
    """Raise `InvalidInput` where pixels were compressed with loss: they are no measurement."""
    if any(map(is_lossy, planes)):
        raise lossy(what)

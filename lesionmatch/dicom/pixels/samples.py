"""Bytes of uncompressed pixels as numbers: their type, their count, no byte more or less."""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import number
from lesionmatch.errors import InvalidInput

Shape = tuple[int, int, int]
"""(frames, rows, columns)."""


def dtype_of(dataset: Dataset, what: str, *, is_big: bool = False) -> np.dtype[np.generic]:
    """The type of stored values; bool for single bits. Raises `InvalidInput`."""
    bits = int(number(dataset, "BitsAllocated") or 0)
    used = int(number(dataset, "BitsStored") or bits)
    sign = int(number(dataset, "PixelRepresentation") or 0)
    if bits not in (1, 8, 16, 32):
        raise InvalidInput(f"{what}: wanted 1, 8, 16 or 32 bits a pixel, got {bits}")
    if not 1 <= used <= bits or sign not in (0, 1):
        raise InvalidInput(
            f"{what}: wanted BitsStored up to {bits} and PixelRepresentation 0 or 1, got {used} "
            f"and {sign}; the header is damaged, export it again"
        )
    if bits == 1:
        return np.dtype(np.bool_)
    return np.dtype(f"{'>' if is_big else '<'}{'i' if sign else 'u'}{bits // 8}")


def bytes_of(shape: Shape, dtype: np.dtype[np.generic]) -> int:
    """How many bytes the pixels take; single bits run on across rows and frames."""
    count = shape[0] * shape[1] * shape[2]
    return (count + 7) // 8 if dtype == np.bool_ else count * dtype.itemsize


def _padding(wanted: int, dtype: np.dtype[np.generic], shape: Shape) -> int:
    """Bytes that may follow: a byte to an even length, or what some writers add, below a row."""
    if dtype == np.bool_:
        return wanted % 2
    return max(1, (min(shape[1], shape[2]) - 1) * dtype.itemsize)


def samples(
    data: bytes, dtype: np.dtype[np.generic], shape: Shape, what: str
) -> NDArray[np.generic]:
    """`data` as pixels.

    Raises `InvalidInput` where there are fewer bytes than pixels, or more than fill up a row:
    Rows and Columns are wrong then.
    """
    wanted = bytes_of(shape, dtype)
    if wanted < 1 or len(data) < wanted:
        raise InvalidInput(
            f"{what}: wanted {wanted} bytes of pixels, got {len(data)}; "
            "the file is truncated, export it again"
        )
    if len(data) - wanted > _padding(wanted, dtype, shape):
        raise InvalidInput(
            f"{what}: wanted {wanted} bytes of pixels for {shape[1]} rows of {shape[2]}, got "
            f"{len(data)}; the header does not belong to the pixels, export it again"
        )
    if dtype != np.bool_:
        return np.frombuffer(data, dtype, wanted // dtype.itemsize).reshape(shape)
    count = shape[0] * shape[1] * shape[2]
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little")
    return bits.reshape(shape)

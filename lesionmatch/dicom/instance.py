"""One DICOM file: its header, read once, and where its pixels lie."""

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from lesionmatch.dicom.header import PIXEL_TAGS, read_header
from lesionmatch.dicom.sources import MEGABYTE, Source
from lesionmatch.dicom.values import text
from lesionmatch.protocol import InputLimits

MAGIC = b"DICM"
UNDEFINED = 0xFFFFFFFF
DEFLATED = re.compile(rb"\x02\x00\x10\x00UI..1\.2\.840\.10008\.1\.2\.1\.99", re.DOTALL)
"""The transfer syntax element of a file that is deflated as a whole."""

PARSER_FAULTS = (
    InvalidDicomError, BytesLengthException, ValueError, TypeError, LookupError, OSError,
    AttributeError,
    EOFError, RecursionError, NotImplementedError, OverflowError, zlib.error, MemoryError,
    struct.error,
)  # fmt: skip
"""What pydicom raises on broken files, by the fuzz test; all of it means: unreadable."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A DICOM file whose header was read."""

    source: Source
    dataset: Dataset
    """The header; with the pixels only where the file is deflated as a whole."""
    pixel_offset: int
    """Where the pixel data element begins in the file; its size where there is none."""

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return text(self.dataset, "SOPInstanceUID")

    @property
    def syntax(self) -> str:
        """Transfer syntax UID; implicit little endian where the file names none."""
        return str(self.dataset.file_meta.get("TransferSyntaxUID", "1.2.840.10008.1.2"))

    @property
    def has_pixels(self) -> bool:
        """Whether a pixel data element was reached."""
        inside = any(tag in self.dataset for tag in PIXEL_TAGS)
        return inside or self.pixel_offset + 8 < self.source.size


def read_instance(source: Source, limits: InputLimits) -> Instance | str:
    """The header of a file, or why it is not read: it is no DICOM, or it is broken.

    `force` is never used: what does not say that it is DICOM is not taken for it.
    """
    try:
        with warnings.catch_warnings(action="ignore"), source.open() as file:
            head = file.read(1024)
            if head[128:132] != MAGIC:
                return "not DICOM"
            file.seek(0)
            if DEFLATED.search(head):
                return _deflated(source, file, limits)
            dataset = read_header(file, head)
            fault = _truncation(dataset, file.tell(), source.size)
            if fault and text(dataset, "SeriesInstanceUID"):
                # Cut short, but it says whose it is: its series is then refused, not shortened.
                return Instance(source, dataset, source.size)
            return fault or Instance(source, dataset, file.tell())
    except PARSER_FAULTS as error:
        return f"cannot be read as DICOM ({type(error).__name__})"


def _deflated(source: Source, file: BinaryIO, limits: InputLimits) -> Instance | str:
    """A file deflated as a whole, after making sure of what it inflates to."""
    most = int(limits.file_mb * MEGABYTE)
    data = file.read()
    start = _end_of_meta(data)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = stream.decompress(data[start:], most)
    if stream.unconsumed_tail:
        return f"inflates to more than {limits.file_mb:.0f} MB"
    if not stream.eof:
        return "a truncated file"
    del inflated
    return Instance(source, dcmread(io.BytesIO(data)), source.size)


def _end_of_meta(data: bytes) -> int:
    """Where the dataset begins after the file meta information, by its group length."""
    if data[132:138] != b"\x02\x00\x00\x00UL":
        raise ValueError("no group length")
    return 144 + int.from_bytes(data[140:144], "little")


def _truncation(dataset: Dataset, position: int, size: int) -> str | None:
    """A sentence if the header ends too early; pydicom itself says nothing then."""
    if position > size:
        return "a truncated file"
    last = next(reversed(dataset.keys()), None)  # type: ignore[call-overload]
    if last is None:
        return "a file without any attribute"
    element = dataset.get_item(last)
    if (
        isinstance(element, RawDataElement)
        and element.length != UNDEFINED
        and element.value is not None
        and len(element.value) != element.length
    ):
        return "a truncated file"
    return None

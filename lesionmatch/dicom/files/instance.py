"""One DICOM file: its header, read once, and where its pixels lie."""

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import BinaryIO, cast

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from lesionmatch.dicom.files.header import read_header
from lesionmatch.dicom.files.sources import MEGABYTE, Source
from lesionmatch.dicom.files.values import tag_of, text
from lesionmatch.errors import InvalidInput
from lesionmatch.protocol import InputLimits

MAGIC = b"DICM"
UNDEFINED = 0xFFFFFFFF
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED_SYNTAX = "1.2.840.10008.1.2.1.99"
NATIVE = {IMPLICIT_LITTLE, EXPLICIT_LITTLE, BIG_ENDIAN}
DEFLATED = re.compile(rb"\x02\x00\x10\x00UI..1\.2\.840\.10008\.1\.2\.1\.99", re.DOTALL)
"""The transfer syntax element of a file that is deflated as a whole."""
BARE = re.compile(
    rb"[\x02\x08]\x00[\x00-\x18]\x00(?:[A-Z]{2}..|..\x00\x00).{0,900}?1\.2\.840\.10008\.5\.1\.4\.1\.1\.",
    re.DOTALL,
)
"""How a file without preamble begins: group 2 or 8, and a storage class soon after."""
SERIES_TAG = tag_of("SeriesInstanceUID")
SMALL_FILE = 8 * MEGABYTE
"""Its header cannot take much memory, whatever is in it."""
CALLS_AN_ELEMENT = 3
"""Reads that the parser makes for an element: its head in one or two, and its value."""

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
    """The header."""
    pixel_offset: int
    """Where the pixel data element begins in the stream; its size where there is none."""
    inflated: int = 0
    """Bytes of the stream of a file that is deflated as a whole; else 0."""
    fault: str = ""
    """What is wrong with a file that still says whose it is; empty where nothing is."""

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return text(self.dataset, "SOPInstanceUID")

    @property
    def syntax(self) -> str:
        """Transfer syntax UID of the stream; where the file names none, the one it was read by."""
        named = self.dataset.file_meta.get("TransferSyntaxUID")
        if named is not None:
            return str(named)
        return IMPLICIT_LITTLE if self.dataset.original_encoding[0] else EXPLICIT_LITTLE

    @property
    def has_pixels(self) -> bool:
        """Whether a pixel data element was reached."""
        return self.pixel_offset + 8 < self.size

    @property
    def size(self) -> int:
        """Bytes of the stream."""
        return self.inflated or self.source.size

    def open(self) -> BinaryIO:
        """The stream from its start, inflated. Raises `InvalidInput` where it cannot be had."""
        file = self.source.open()
        if not self.inflated:
            return file
        with file:
            found = _inflated(file.read(), self.inflated)
        if not found:
            raise InvalidInput("file: wanted one that can be read, got another than before")
        return io.BytesIO(found)


def read_instance(source: Source, limits: InputLimits) -> Instance | str:
    """The header of a file, or why it is not read: it is no DICOM, or it is broken.

    What does not say that it is DICOM is not taken for it. A file without preamble says so by
    beginning with the attributes that every image begins with.
    """
    try:
        with warnings.catch_warnings(action="ignore"), source.open() as file:
            head = file.read(1024)
            is_bare = head[128:132] != MAGIC
            if is_bare and not BARE.match(head):
                return "not DICOM"
            file.seek(0)
            if not is_bare and DEFLATED.search(head):
                return _deflated(source, file, limits)
            return _from_stream(source, file, head, limits, is_bare=is_bare)
    except HeaderTooLong as error:
        return str(error)
    except PARSER_FAULTS as error:
        return f"cannot be read as DICOM ({type(error.__cause__ or error).__name__})"


def _from_stream(
    source: Source,
    file: BinaryIO,
    head: bytes,
    limits: InputLimits,
    *,
    inflated: int = 0,
    is_bare: bool = False,
) -> Instance | str:
    size = inflated or source.size
    stream = file if size < SMALL_FILE else cast("BinaryIO", Capped(file, limits))
    dataset = read_header(stream, head, force=is_bare)
    end = file.tell()
    fault = _truncation(dataset, end, size)
    if (
        fault
        and dataset
        and max(dataset.keys()) > SERIES_TAG
        and text(dataset, "SeriesInstanceUID")
    ):
        # Cut short, but it says whose it is: its series is then refused, not shortened.
        return Instance(source, dataset, size, inflated, fault)
    return fault or Instance(source, dataset, end, inflated)


class HeaderTooLong(Exception):
    """A header beyond the limits; the message says which."""


class Capped(io.RawIOBase):
    """A file of which no more than a header's bytes and elements can be read."""

    def __init__(self, file: BinaryIO, limits: InputLimits) -> None:
        self._file = file
        self._most_mb = limits.header_mb
        self._bytes = int(limits.header_mb * MEGABYTE)
        self._calls = int(limits.header_elements * CALLS_AN_ELEMENT)

    def read(self, size: int = -1) -> bytes:
        """As a file does. Raises `HeaderTooLong` beyond the limits."""
        self._calls -= 1
        self._bytes -= size if size >= 0 else self._bytes + 1
        if self._bytes < 0:
            raise HeaderTooLong(f"a header of more than {self._most_mb:.0f} MB")
        if self._calls < 0:
            raise HeaderTooLong("a header of more elements than are read")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As a file does."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As a file does."""
        return self._file.tell()


def _deflated(source: Source, file: BinaryIO, limits: InputLimits) -> Instance | str:
    """A file deflated as a whole, read from what it inflates to."""
    data = file.read()
    found = _inflated(data, int(limits.inflated_mb * MEGABYTE))
    if found is None:
        return f"inflates to more than {limits.inflated_mb:.0f} MB"
    if not found:
        return "a truncated file"
    return _from_stream(source, io.BytesIO(found), found[:1024], limits, inflated=len(found))


def _inflated(data: bytes, most: int) -> bytes | None:
    """A deflated file as the explicit little endian one it stands for; None where it inflates to
    more than `most` bytes, empty where it is cut short."""
    start = _end_of_meta(data)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    dataset = stream.decompress(data[start:], most + 1)
    if len(dataset) > most:
        return None
    if not stream.eof:
        return b""
    plain = EXPLICIT_LITTLE.encode().ljust(len(DEFLATED_SYNTAX), b"\0")
    return data[:start].replace(DEFLATED_SYNTAX.encode(), plain) + dataset


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

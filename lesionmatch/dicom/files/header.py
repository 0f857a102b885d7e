"""The header of one file by pydicom's own parser, each byte of it looked at once.

`dcmread` makes an object of the file meta information, looks for a command set and starts
anew at the dataset, which is a third of its time. A file whose meta information has the
shape that the standard prescribes needs none of that: where the dataset begins and how it is
encoded stand in the first bytes. Any other file is left to `dcmread` as a whole.
"""

import io
import re
from functools import cache
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID

from lesionmatch.dicom.files.values import VALUE_FAULTS, tag_of

CHUNK = 1 << 17
"""Bytes read at once: as many as an operating system reads ahead, and more than most headers.
The parser asks a file for its place at every element, which in memory costs nothing."""
META = b"\x02\x00\x00\x00UL\x04\x00"
"""How the file meta information begins: its group length."""
SYNTAX = re.compile(rb"\x02\x00\x10\x00UI..([0-9.]{17,64})\0?", re.DOTALL)
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = re.compile(r"1\.2\.840\.10008\.1\.2(\.1|\.4\.\d+|\.5)")
"""Explicit little endian, native or with compressed pixels."""
FIRST_GROUP = b"\x08\x00"
"""Every image's dataset begins with attributes of group 8."""
PIXEL_TAGS = frozenset(
    tag_of(name) for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
)


def read_header(file: BinaryIO, head: bytes, *, force: bool = False) -> Dataset:
    """All attributes before the pixels, and ``file_meta`` with the transfer syntax at least.

    `head` is the beginning of `file`, which is left where the pixels begin. With `force` a
    file without preamble is read. Raises what pydicom raises.
    """
    start, syntax = _dataset_of(head)
    if not start:
        file.seek(0)
        return dcmread(file, stop_before_pixels=True, force=force)
    dataset = _from_memory(file, start, syntax) or _from_file(file, start, syntax)
    dataset.file_meta = _meta(syntax)
    return dataset


def _from_memory(file: BinaryIO, start: int, syntax: str) -> Dataset | None:
    """The header, from one read of as much as headers take; None where it is longer."""
    file.seek(start)
    beginning = file.read(CHUNK)
    stream = io.BytesIO(beginning)
    met: list[int] = []

    def are_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001
        if tag in PIXEL_TAGS:
            met.append(tag)
        return bool(met)

    is_cut = len(beginning) == CHUNK
    try:
        dataset = read_dataset(stream, syntax == IMPLICIT, True, stop_when=are_pixels)
    except VALUE_FAULTS:
        if not is_cut:
            raise
        return None
    if is_cut and not met:
        return None
    file.seek(start + stream.tell())
    return dataset


def _from_file(file: BinaryIO, start: int, syntax: str) -> Dataset:
    file.seek(start)
    return read_dataset(file, syntax == IMPLICIT, True, stop_when=_are_pixels)


def _dataset_of(head: bytes) -> tuple[int, str]:
    """Where the dataset begins, and its transfer syntax; (0, "") where that is not plain."""
    if head[132:140] != META:
        return 0, ""
    start = 144 + int.from_bytes(head[140:144], "little")
    found = SYNTAX.search(head, 144, start)
    syntax = found[1].decode("ascii") if found else ""
    is_plain = head[start : start + 2] == FIRST_GROUP
    is_known = syntax == IMPLICIT or EXPLICIT.fullmatch(syntax) is not None
    return (start, syntax) if is_plain and is_known else (0, "")


def _are_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001 - pydicom's call
    return tag in PIXEL_TAGS


@cache
def _meta(syntax: str) -> FileMetaDataset:
    """What is ever asked of the file meta information."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    return meta

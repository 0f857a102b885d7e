"""Files that look like DICOM and could not be read, and what may be lost with them.

A stack that lost its last slice is still a stack. So where a file beside its slices cannot be
read, and nothing tells that it is not one of them, the series is refused, not shortened.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from lesionmatch.dicom.files.sources import Source
from lesionmatch.errors import InvalidInput

HEAD_BYTES = 65536
SUFFIXES = (".dcm", ".ima", ".dicom")
MODALITY = re.compile(rb"\x08\x00\x60\x00(?:CS..|..\x00\x00)(PT|CT|MR|SEG|RTSTRUCT)\b", re.DOTALL)
META = b"\x02\x00\x00\x00UL"
NO_DICOM = "not DICOM"
LIKE_DICOM = "not DICOM, but named or begun like it"


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was passed over although it may belong to a study."""

    source: Source
    why: str
    modality: str
    """What its bytes tell; empty where they do not."""


def unread(source: Source, why: str) -> Unread:
    """A file that could not be read, with the modality that its first bytes tell."""
    modality = MODALITY.search(_head(source))
    return Unread(source, why, modality[1].decode() if modality else "")


def _head(source: Source) -> bytes:
    try:
        with source.open() as file:
            return file.read(HEAD_BYTES)
    except (InvalidInput, OSError):
        return b""


def shapes(sources: Iterable[Source]) -> frozenset[tuple[str, str]]:
    """Folders, and how the files in them are named but for their numbers."""
    return frozenset((source.folder, _shape(source.name)) for source in sources)


def _shape(name: str) -> str:
    return re.sub(r"\d+", "0", name)


def looks_like_dicom(source: Source, beside: frozenset[tuple[str, str]]) -> bool:
    """Whether a file that is no DICOM has the name or the beginning of one.

    `beside` are the `shapes` of the names of those that are.
    """
    if source.name.startswith("."):
        return False
    is_named = PurePosixPath(source.name.lower()).suffix in SUFFIXES
    if is_named or (source.folder, _shape(source.name)) in beside:
        return True
    return _head(source)[132:138] == META

"""Files as they come: folders, single files and zip archives, read in place.

Nothing is ever extracted under a stored name, and no zip inside a zip is opened.
"""

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn

from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.protocol import InputLimits
from lesionmatch.typed import unreachable

MEGABYTE = 1_000_000
SMALL_MEMBER = 16 * MEGABYTE
LABEL_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".seg.nrrd")
COMPANION = "._"
"""How macOS begins the name of what it keeps beside a file on other systems' disks."""
LINK = 0o120000
ENCRYPTED, NESTED = "an encrypted member of a zip", "a zip inside a zip"
SEALED = (ENCRYPTED, NESTED)
"""What a zip that the user names may hold of the study, and that is not opened."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or one member of an archive."""

    path: Path
    member: str | None
    size: int
    """Bytes, as the folder or the archive states them."""

    def open(self) -> BinaryIO:
        """The bytes from the start. Raises `InvalidInput` where they cannot be had."""
        try:
            if self.member is None:
                return self.path.open("rb")
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as part:
                return io.BytesIO(part.read(self.size + 1))
        except (
            OSError,
            zipfile.BadZipFile,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            what = type(error).__name__
            raise InvalidInput(f"file: wanted one that can be read, got {what}") from error

    @property
    def name(self) -> str:
        """The last part of its name, for telling formats apart."""
        return PurePosixPath(self.member).name if self.member else self.path.name

    @property
    def folder(self) -> str:
        """Where it lies, for telling what lies beside it."""
        inside = str(PurePosixPath(self.member).parent) if self.member else ""
        return f"{self.path}:{inside}" if self.member else str(self.path.parent)

    @property
    def is_label_volume(self) -> bool:
        """Whether it is NIfTI or NRRD by its name."""
        is_companion = self.name.startswith(COMPANION)
        return self.name.lower().endswith(LABEL_SUFFIXES) and not is_companion


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not read, and why."""

    source: Source
    why: str


def sources(paths: Sequence[Path], limits: InputLimits) -> Iterator[Source | Refused]:
    """Every file under `paths`, in the order of their names.

    Raises `NothingFound` for a path that does not exist or a folder without any file, and
    `InvalidInput` where there are more files than `limits` allow, a folder is closed to us, or
    `paths` name a zip with encrypted files or another zip in it.
    """
    seen = 0
    for path in paths:
        if why := unreachable(path):
            raise NothingFound(
                f"{path}: wanted a folder, a zip or a file, got nothing there ({why}); "
                "check the path"
            )
        before = seen
        for file in files_below(path, _refuse_closed):
            for source in _unpacked(file, limits):
                if file == path and isinstance(source, Refused) and source.why in SEALED:
                    raise InvalidInput(
                        f"zip: wanted files that can be read, got {source.why}; unpack it first"
                    )
                seen += 1
                if seen > limits.files:
                    raise InvalidInput(
                        f"{path}: wanted at most {limits.files:.0f} files, got more; "
                        "name the folder of one study, or raise [input] files"
                    )
                yield source
        if seen == before:
            raise NothingFound(f"{path}: wanted DICOM files, got an empty folder")


def _refuse_closed(error: OSError) -> NoReturn:
    # What lies in it may be the study, or a part of it.
    raise InvalidInput(
        f"{error.filename}: wanted a folder that can be read, got {error.strerror}; "
        "check the rights to it"
    ) from error


def files_below(path: Path, closed: Callable[[OSError], object] | None = None) -> Iterator[Path]:
    """The files at or under `path`; links are followed, a loop of them is not.

    `closed` is told of folders that cannot be read, which are passed over without it.
    """
    if not path.is_dir():
        yield path
        return
    visited: set[str] = set()
    for folder, folders, names in os.walk(path, onerror=closed, followlinks=True):
        real = os.path.realpath(folder)
        folders.sort()
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        for name in sorted(names):
            yield Path(folder, name)


def _unpacked(file: Path, limits: InputLimits) -> Iterator[Source | Refused]:
    """`file` itself, or the members of it if it is a zip archive."""
    try:
        status = file.stat()
    except OSError:
        yield Refused(Source(file, None, 0), "a link to nothing")
        return
    whole = Source(file, None, status.st_size)
    if not stat.S_ISREG(status.st_mode):
        yield Refused(whole, "not a regular file")
    elif file.suffix.lower() == ".zip":
        yield from _members(file, limits)
    elif whole.size > limits.file_mb * MEGABYTE:
        yield Refused(whole, f"larger than {limits.file_mb:.0f} MB")
    else:
        yield whole


def _members(file: Path, limits: InputLimits) -> Iterator[Source | Refused]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        yield Refused(Source(file, None, 0), "a zip that cannot be read")
        return
    total = sum(info.file_size for info in members)
    if total > limits.zip_mb * MEGABYTE:
        raise InvalidInput(
            f"zip: wanted one of at most {limits.zip_mb:.0f} MB inflated, "
            f"got {total / MEGABYTE:.0f} MB; unpack what is needed"
        )
    for info in sorted(members, key=lambda info: info.filename):
        source = Source(file, info.filename, info.file_size)
        why = _member_fault(info, limits)
        yield source if why is None else Refused(source, why)


def _member_fault(info: zipfile.ZipInfo, limits: InputLimits) -> str | None:
    """Why a member of an archive is not read, if so."""
    parts = PurePosixPath(info.filename.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in info.filename:
        return "a member of a zip that points out of it"
    if (info.external_attr >> 16) & 0o170000 == LINK:
        return "a link inside a zip"
    if info.flag_bits & 1:
        return ENCRYPTED
    if parts.suffix.lower() == ".zip":
        return NESTED
    if info.file_size > limits.file_mb * MEGABYTE:
        return f"larger than {limits.file_mb:.0f} MB"
    ratio = info.file_size / max(info.compress_size, 1)
    if info.file_size > SMALL_MEMBER and ratio > limits.inflation:
        return f"inflates by more than {limits.inflation:.0f}"
    return None

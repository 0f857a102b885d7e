"""What is written stands whole, or what stood there before stays.

A draft lies beside its place under a hidden name and is renamed when it is whole, so a
crash or a full disk leaves no half of a file. What the system says when a place cannot
be written becomes an `UnusableOutput`.
"""

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lesionmatch.errors import UnusableOutput

ABOUT_THE_PLACE = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EFBIG,
    errno.EIO,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}
"""What a user can mend with another place or more room; any other error is our bug."""

OF_ROOM = {errno.EDQUOT, errno.EFBIG, errno.ENOSPC}
"""What more room mends."""


def require_apart(out: Path, inputs: Iterable[Path]) -> None:
    """Raise `UnusableOutput` where `out` is an input or lies in one: it would be read as input."""
    place = out.resolve()
    for path in inputs:
        if place.is_relative_to(path.resolve()):
            raise UnusableOutput(
                f"-o {out}: wanted a place outside the inputs, got one inside {path}; "
                "choose another"
            )


def make_folders(out: Path, *inside: str) -> None:
    """Make `out` and the folders named in it. Raises `UnusableOutput`."""
    with explained(out, "a folder that can be made"):
        for folder in (out, *(out / name for name in inside)):
            folder.mkdir(parents=True, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8. Raises `UnusableOutput`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes as they are. Raises `UnusableOutput`."""
    with _draft(path) as draft:
        draft.write_bytes(content)


def write_json(path: Path, record: Mapping[str, object]) -> None:
    """Write a record a person can read, a key a line. Raises `UnusableOutput`."""
    write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")


def write_csv(path: Path, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table: UTF-8, a heading, commas, a line feed a row. Raises `UnusableOutput`."""
    with _draft(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heading)
        writer.writerows(rows)


def flush(path: Path) -> None:
    """Have a file or a folder's entries on the disk, so that a rename after it means what it says.

    Some disks say only now that they are full. Raises `UnusableOutput`.
    """
    with explained(path, "a disk that takes what was written"):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def replaced(out: Path, ours: Sequence[str] = ()) -> Iterator[Path]:
    """A folder to write to, whose entries take the place of those of the same name in `out`.

    `ours` names folders that go from `out` even where nothing new takes their place. Where
    the block raises, `out` stays as it was. Raises `UnusableOutput`.
    """
    draft = out / ".part"
    with explained(out, "a folder with room that can be written"):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            yield draft
            for name in ours:
                shutil.rmtree(out / name, ignore_errors=True)
            for entry in sorted(draft.iterdir()):
                _take_place(entry, out / entry.name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _take_place(entry: Path, place: Path) -> None:
    # A folder cannot be renamed onto one that is not empty.
    if place.is_dir():
        shutil.rmtree(place)
    entry.replace(place)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    # One name for good: what a killed run left is overwritten by the next one.
    draft = path.with_name(f".{path.name}.part")
    with explained(path, "a file that can be written"):
        try:
            yield draft
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def explained(place: Path, wanted: str) -> Iterator[None]:
    """Turn what the system says of `place` in the block into an `UnusableOutput`."""
    try:
        yield
    except UnusableOutput:
        raise
    except OSError as error:
        if error.errno not in ABOUT_THE_PLACE:
            raise
        room = "free some room or " if error.errno in OF_ROOM else ""
        raise UnusableOutput(
            f"{place.name}: wanted {wanted}, got {error.strerror or error}; "
            f"{room}choose another place with -o"
        ) from error

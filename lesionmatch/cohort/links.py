"""A folder for each study of the cohort, of links to its files.

A tree may mix studies in one folder, hold a file twice or name folders after patients. So
`studies.csv` points to folders of our own making, which hold one study's files once each
and have names that say nothing.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lesionmatch.errors import UnusableOutput


def link_studies(
    database: sqlite3.Connection, root: Path, out: Path, folders: Sequence[tuple[str, Path]]
) -> None:
    """Make the folders below `out`: study UID and where. Raises `UnusableOutput` without links."""
    _clear(out, [folder for _, folder in folders])
    owners = _owners(database)
    for study, folder in folders:
        _link(_targets(database, study, owners), root.resolve(), out / folder)


def _owners(database: sqlite3.Connection) -> dict[bytes, str]:
    """Folders that hold one study alone, subfolders included, and which; else an empty text."""
    rows = database.execute("SELECT f.path, h.study FROM files f JOIN heads h ON f.head = h.id")
    owners: dict[bytes, str] = {}
    for path, study in rows:
        folder = os.path.dirname(path)  # noqa: PTH120 - paths here are bytes, as stored
        while folder and owners.setdefault(folder, study) != "":
            if owners[folder] != study:
                owners[folder] = ""
            folder = os.path.dirname(folder)  # noqa: PTH120
    return owners


def _targets(database: sqlite3.Connection, study: str, owners: Mapping[bytes, str]) -> list[Path]:
    """What to link: whole folders where they hold this study alone, else its files once each."""
    rows = database.execute(
        "SELECT f.path, f.instance FROM files f JOIN heads h ON f.head = h.id "
        "WHERE h.study = ? ORDER BY f.path",
        (study,),
    ).fetchall()
    first: dict[str, bytes] = {}
    for path, instance in rows:
        first.setdefault(instance or os.fsdecode(path), path)
    has_copies = len(first) < len(rows)
    found = [path if has_copies else _topmost(path, study, owners) for path in first.values()]
    return [Path(os.fsdecode(path)) for path in dict.fromkeys(found)]


def _topmost(path: bytes, study: str, owners: Mapping[bytes, str]) -> bytes:
    """The highest folder above `path` that holds this study alone, or `path` itself."""
    folder = os.path.dirname(path)  # noqa: PTH120
    while folder and owners[folder] == study:
        path, folder = folder, os.path.dirname(folder)  # noqa: PTH120
    return path


def _link(targets: Iterable[Path], root: Path, folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for number, target in enumerate(targets, start=1):
        name = f"{number:05d}"
        try:
            (folder / name).symlink_to(root / target)
        except OSError as error:
            raise UnusableOutput(
                f"{folder.name}: wanted a file system with symbolic links, got {error.strerror}; "
                "choose another -o"
            ) from error


def _clear(out: Path, wanted: Iterable[Path]) -> None:
    """Remove folders of studies that are no longer in the cohort, and nothing else."""
    tops = {folder.parts[1] for folder in wanted}
    held = out / "links"
    for old in held.iterdir() if held.is_dir() else ():
        if old.name not in tops:
            shutil.rmtree(old)

"""A folder for each study of the cohort, of links to its files.

A tree may mix studies in one folder, hold a file twice or name folders after patients. So
`studies.csv` points to folders of our own making, which hold one study's files once each
and have names that say nothing.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from lesionmatch.errors import UnusableOutput


def link_studies(
    database: sqlite3.Connection, root: Path, out: Path, folders: Sequence[tuple[str, Path]]
) -> None:
    """Make the folders below `out`: study UID and where. Raises `UnusableOutput` without links."""
    _clear(out, [folder for _, folder in folders])
    for study, folder in folders:
        _link(_files(database, study), root.resolve(), out / folder)


def _files(database: sqlite3.Connection, study: str) -> list[Path]:
    """The files of a study, each SOP instance once (the first by path)."""
    rows = database.execute(
        "SELECT f.path, f.instance FROM files f JOIN heads h ON f.head = h.id "
        "WHERE h.study = ? ORDER BY f.path",
        (study,),
    )
    first: dict[str, Path] = {}
    for path, instance in rows:
        name = Path(os.fsdecode(path))
        first.setdefault(instance or str(name), name)
    return list(first.values())


def _link(files: Iterable[Path], root: Path, folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for number, file in enumerate(files, start=1):
        try:
            (folder / f"{number:05d}.dcm").symlink_to(root / file)
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

"""The index of a tree: every file once, whose it is and what series it belongs to.

SQLite in the output folder. A run that was stopped goes on where it was: a file whose size
and time of change are known is not opened again, one that is gone is forgotten. Facts that
thousands of files share stand once, in `heads`; a series with several heads contradicts
itself, which is how conflicts are found. Identities are there as keyed marks only, but
paths are as they are, so the index is readable by its owner alone.
"""

import os
import sqlite3
import stat
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from lesionmatch.cohort.pseudonyms import Pseudonyms
from lesionmatch.dicom.series.headers import Tag, read_tag
from lesionmatch.errors import NothingFound, UnusableOutput

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS heads (
    id INTEGER PRIMARY KEY, study TEXT, series TEXT, modality TEXT, patient TEXT,
    name TEXT, birth TEXT, sex TEXT, day TEXT, age INTEGER,
    UNIQUE (study, series, modality, patient, name, birth, sex, day, age));
CREATE TABLE IF NOT EXISTS files (
    path BLOB PRIMARY KEY, size INTEGER, changed INTEGER, head INTEGER, instance TEXT,
    skipped TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_of_head ON files (head);
CREATE TABLE IF NOT EXISTS facts (study TEXT PRIMARY KEY, signature TEXT, series TEXT);
"""
VERSION = "1"
CHUNK = 500
"""Files read between two writes to the index: what is lost if a run is stopped."""
FEW = 2000
"""Files below which starting other processes takes longer than it saves."""

Found = tuple[bytes, int, int]
"""Path below the root, size in bytes, time of change in nanoseconds."""
Head = tuple[str, str, str, str, str, str, str, str, int]
Read = tuple[Found, Tag | str]


@dataclass(frozen=True, slots=True)
class Indexed:
    """How much an indexing did."""

    files: int
    opened: int
    forgotten: int


def connect(folder: Path, pseudonyms: Pseudonyms) -> sqlite3.Connection:
    """The index of `folder`, made on first use.

    Raises `UnusableOutput` where it cannot be opened or was made with other pseudonyms.
    """
    path = folder / "index.sqlite"
    try:
        path.touch(mode=0o600)
        database = sqlite3.connect(path)
        database.executescript(SCHEMA)
        database.execute("PRAGMA synchronous = NORMAL")
        _agree(database, "version", VERSION)
        _agree(database, "patients", "as written" if pseudonyms.phi else pseudonyms.mark("key"))
    except (OSError, sqlite3.Error) as error:
        raise UnusableOutput(
            f"{path.name}: wanted an index to go on with, got {error}; "
            "remove it, or choose another -o"
        ) from error
    return database


def _agree(database: sqlite3.Connection, name: str, wanted: str) -> None:
    with database:
        database.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, wanted))
    (got,) = database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if got != wanted:
        raise sqlite3.DatabaseError(f"one made with another {name}")


def update(
    database: sqlite3.Connection, root: Path, pseudonyms: Pseudonyms, *, workers: int
) -> Indexed:
    """Bring the index up to date with the files under `root`.

    Raises `NothingFound` where there are none.
    """
    known = {row[0]: row[1:] for row in database.execute("SELECT path, size, changed FROM files")}
    found = list(files_under(root))
    if not found:
        raise NothingFound(
            f"{root.name}: wanted a folder with DICOM files, got none; check the path"
        )
    gone = known.keys() - {path for path, _, _ in found}
    with database:
        database.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in gone])
    todo = [one for one in found if known.get(one[0]) != one[1:]]
    heads = _heads(database)
    with closing(_read_all(root, todo, workers)) as chunks:
        for chunk in chunks:
            _store(database, chunk, heads, pseudonyms)
    return Indexed(len(found), len(todo), len(gone))


def files_under(root: Path) -> Iterator[Found]:
    """Every regular file, in the order of names, and every folder that cannot be read.

    Links are followed, but no folder twice.
    """
    visited: set[tuple[int, int]] = set()
    top = os.fsencode(root)
    stack = [top]
    while stack:
        folder = stack.pop()
        try:
            status = Path(os.fsdecode(folder)).stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if folder == top:
                raise NothingFound(
                    f"{root.name}: wanted a folder that can be read, got {error.strerror}; "
                    "check the path"
                ) from error
            # Counted as a file, which cannot be read: what lies in it is not in the cohort.
            yield folder[len(top) + 1 :], 0, 0
            continue
        if (key := (status.st_dev, status.st_ino)) not in visited:
            visited.add(key)
            kinds = [(entry, _kind(entry)) for entry in entries]
            stack += [entry.path for entry, kind in reversed(kinds) if kind == stat.S_IFDIR]
            yield from (_found(entry, top) for entry, kind in kinds if kind == stat.S_IFREG)


def _found(entry: os.DirEntry[bytes], top: bytes) -> Found:
    status = entry.stat()
    return entry.path[len(top) + 1 :], status.st_size, status.st_mtime_ns


def _kind(entry: os.DirEntry[bytes]) -> int:
    """The kind of a file as `stat` has it; 0 for a link that leads to nothing or round itself."""
    try:
        return stat.S_IFMT(entry.stat().st_mode)
    except OSError:
        return 0


def _read_all(root: Path, todo: Sequence[Found], workers: int) -> Generator[list[Read], None, None]:
    chunks = [todo[k : k + CHUNK] for k in range(0, len(todo), CHUNK)]
    roots = [root] * len(chunks)
    if workers == 1 or len(todo) < FEW:
        yield from map(_read_chunk, roots, chunks)
        return
    # Spawned, not forked: a caller may run threads, and a fork of those can hang.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield from pool.map(_read_chunk, roots, chunks)
    finally:
        # Whoever stops a run does not want to wait for all that is still queued.
        pool.shutdown(cancel_futures=True)


def _read_chunk(root: Path, chunk: Sequence[Found]) -> list[Read]:
    return [(found, read_tag(root / os.fsdecode(found[0]))) for found in chunk]


def _heads(database: sqlite3.Connection) -> dict[Head, int]:
    rows = database.execute(
        "SELECT study, series, modality, patient, name, birth, sex, day, age, id FROM heads"
    )
    return {row[:-1]: row[-1] for row in rows}


def _store(
    database: sqlite3.Connection,
    chunk: Sequence[Read],
    heads: dict[Head, int],
    pseudonyms: Pseudonyms,
) -> None:
    """Write one chunk, the whole of it or nothing."""
    rows: list[tuple[bytes, int, int, int | None, str | None, str | None]] = []
    with database:
        for (path, size, changed), tag in chunk:
            if isinstance(tag, str):
                rows.append((path, size, changed, None, None, tag))
                continue
            head = head_of(tag, pseudonyms)
            if head not in heads:
                cursor = database.execute(
                    "INSERT INTO heads (study, series, modality, patient, name, birth, sex, day, "
                    "age) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    head,
                )
                heads[head] = int(cursor.lastrowid or 0)
            rows.append((path, size, changed, heads[head], tag.instance, None))
        database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)


def head_of(tag: Tag, pseudonyms: Pseudonyms) -> Head:
    """What is kept of a file's identities: marks, the day, and the age instead of the birth.

    What is not known is empty, and the age then negative: SQLite takes no two NULLs as equal.
    """
    return (
        tag.study,
        tag.series,
        tag.modality,
        pseudonyms.patient(tag.patient_id) if tag.patient_id else "",
        pseudonyms.mark(tag.name),
        pseudonyms.mark(tag.birth_date),
        tag.sex,
        tag.study_date.isoformat() if tag.study_date else "",
        -1 if tag.age_years is None else tag.age_years,
    )


def skipped(database: sqlite3.Connection) -> dict[str, int]:
    """Files that were passed over, by the reason."""
    rows = database.execute(
        "SELECT skipped, COUNT(*) FROM files WHERE skipped IS NOT NULL GROUP BY 1 ORDER BY 2 DESC"
    )
    return dict(rows.fetchall())

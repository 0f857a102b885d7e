"""What is finished, what failed, and what must be done again.

A study's results are made in a folder of their own and renamed into place as the last
act, with a manifest inside. So whatever stops a batch, at whatever moment, a case folder
either stands whole or does not stand. A failure is recorded in a file of its own.

The manifest's key is a hash of everything the result depends on: the version, the options,
the row, and the names, sizes and modification times of the input files. Contents are not
hashed: reading 2,383 studies again to learn that nothing changed would take the night.
"""

import contextlib
import fcntl
import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import lesionmatch
from lesionmatch.batch.table import StudyRow
from lesionmatch.compare import METHODS, Options
from lesionmatch.dicom import files_below
from lesionmatch.errors import UnusableOutput
from lesionmatch.output import explained, flush, make_folders, write_bytes, write_json

MANIFEST = "manifest.json"
SCHEMA = 1

PAGES = ("report.html", "thumbnail.webp", "overlays")
"""Made again from the rest by `lesionmatch report`, so a result is whole without them."""

FOLDERS = ("studies", "failures", "logs")

ROOM_BYTES = 1_000_000
"""A disk that does not take so much more is full: no study's results are smaller."""

LOCK_ATTEMPTS, LOCK_PAUSE_S = 10, 0.2


@dataclass(frozen=True, slots=True)
class Ledger:
    """The output folder of a batch."""

    out: Path

    @property
    def studies(self) -> Path:
        """The folder of the case folders."""
        return self.out / "studies"

    def case(self, study_id: str) -> Path:
        """Where a study's results stand once it is finished."""
        return self.studies / study_id

    def log(self, study_id: str) -> Path:
        """Where a study's process writes what it has to say."""
        return self.out / "logs" / f"{study_id}.log"

    def _failure(self, study_id: str) -> Path:
        return self.out / "failures" / f"{study_id}.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder alone. Raises `UnusableOutput` if another batch holds it."""
        make_folders(self.out, *FOLDERS)
        with explained(self.out, "a folder that can be written"):
            file = (self.out / ".lock").open("w")
        with file:
            if not _took_lock(file):
                raise UnusableOutput(
                    f"{self.out.name}: wanted an output folder that no batch is using, got one "
                    "that another batch holds; wait for it, or choose another with -o"
                )
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what an earlier run, now certainly dead, left half-made."""
        for leftover in self.studies.glob(".*"):
            # A killed batch's process may still be writing its last file into one.
            shutil.rmtree(leftover, ignore_errors=True)
        for draft in (*self.out.glob(".*.part"), *self.out.glob("failures/.*")):
            draft.unlink()

    @contextlib.contextmanager
    def partial(self, study_id: str) -> Iterator[Path]:
        """A new, empty place to make a study's results in; what is not finished goes with it.

        Raises `UnusableOutput` where it cannot be made.
        """
        if not self.studies.is_dir():
            raise UnusableOutput(
                f"{self.out.name}: wanted a folder that every machine sees, got one that the "
                "machine of a worker does not; choose another with -o"
            )
        path = self.studies / f".{study_id}.{uuid.uuid4().hex}"
        make_folders(path)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def finish(self, study_id: str, partial: Path, key: str, exit_status: int) -> None:
        """Seal the results in `partial` and put them in their place, atomically.

        Raises `UnusableOutput` where the disk does not take them.
        """
        files = {
            str(path.relative_to(partial)): path.stat().st_size
            for path in files_below(partial)
            if path.relative_to(partial).parts[0] not in PAGES
        }
        record = {
            "schema": SCHEMA,
            "study_id": study_id,
            "key": key,
            "exit_status": exit_status,
            "files": dict(sorted(files.items())),
        }
        write_json(partial / MANIFEST, record)
        for path in (*partial.rglob("*"), partial):
            flush(path)
        case = self.case(study_id)
        if case.exists():
            case.rename(self.studies / f".{study_id}.{uuid.uuid4().hex}.old")
        partial.rename(case)
        flush(self.studies)
        self._failure(study_id).unlink(missing_ok=True)
        for old in self.studies.glob(f".{study_id}.*.old"):
            shutil.rmtree(old, ignore_errors=True)

    def fail(self, study_id: str, key: str, error: str) -> None:
        """Record that a study failed, and why in one line. Raises `UnusableOutput`."""
        record = {"schema": SCHEMA, "study_id": study_id, "key": key, "error": error}
        write_json(self._failure(study_id), record)
        flush(self._failure(study_id))

    def size_mb(self, study_id: str) -> float:
        """What a finished study takes on the disk."""
        return sum(path.stat().st_size for path in files_below(self.case(study_id))) / 1e6

    def exit_status(self, study_id: str, key: str | None = None) -> int | None:
        """0 or 1 where a whole result stands (for this `key`, if given), else None."""
        manifest = _read_json(self.case(study_id) / MANIFEST)
        if manifest is None or (key is not None and manifest.get("key") != key):
            return None
        files = manifest["files"]
        case = self.case(study_id)
        is_whole = isinstance(files, dict) and all(
            (case / name).is_file() and (case / name).stat().st_size == size
            for name, size in files.items()
        )
        return int(str(manifest["exit_status"])) if is_whole else None

    def error(self, study_id: str, key: str | None = None) -> str | None:
        """Why a study failed (for this `key`, if given), or None."""
        failure = _read_json(self._failure(study_id))
        if failure is None or (key is not None and failure.get("key") != key):
            return None
        return str(failure["error"])


def require_room(folder: Path) -> None:
    """Raise `UnusableOutput` where the disk of `folder` takes nothing more."""
    probe = folder / "room"
    write_bytes(probe, bytes(ROOM_BYTES))
    flush(probe)
    probe.unlink()


def job_key(row: StudyRow, common: Options) -> str:
    """A hash of all that the result of a study depends on."""
    options = row.options(common)
    inputs = [row.pet, row.mri, options.lesions, options.liver]
    if options.registration not in METHODS:
        inputs.append(Path(options.registration))
    facts = {
        "schema": SCHEMA,
        "version": lesionmatch.__version__,
        "options": options.to_json(),
        # The record of options says no more of them than that they were given.
        "times": [str(options.injected_at), str(options.reference_at)],
        "row": [row.study_id, row.patient_id],
        "inputs": [None if path is None else _fingerprint(path) for path in inputs],
    }
    text = json.dumps(facts, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _fingerprint(path: Path) -> list[tuple[str, int, int]]:
    """(name, size, modification time in ns) of every file at or below `path`, in order."""
    return sorted((str(file.relative_to(path)), *_stamp(file)) for file in files_below(path))


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:  # a link to nothing, which reading sets aside
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _read_json(path: Path) -> Mapping[str, object] | None:
    """The object in a file, or None where there is no whole one of this schema."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


def _took_lock(file: IO[str]) -> bool:
    """Lock the file, if not at once then soon; whether it could be had.

    A process that a killed batch was just starting holds it a moment longer than the batch.
    """
    for attempt in range(LOCK_ATTEMPTS):
        if attempt:
            time.sleep(LOCK_PAUSE_S)
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False

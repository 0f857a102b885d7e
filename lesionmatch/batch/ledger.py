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
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import lesionmatch
from lesionmatch.batch.table import StudyRow
from lesionmatch.compare import Options
from lesionmatch.errors import UnusableOutput

MANIFEST = "manifest.json"
SCHEMA = 1

PAGES = ("report.html", "thumbnail.webp", "overlays")
"""Made again from the rest by `lesionmatch report`, so a result is whole without them."""


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
        self.studies.mkdir(parents=True, exist_ok=True)
        with (self.out / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UnusableOutput(
                    f"{self.out.name}: wanted an output folder that no batch is using, got one "
                    "that another batch holds; wait for it, or choose another with -o"
                ) from error
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what an earlier run, now certainly dead, left half-made."""
        for leftover in self.studies.glob(".*"):
            # A killed batch's process may still be writing its last file into one.
            shutil.rmtree(leftover, ignore_errors=True)

    def partial(self, study_id: str) -> Path:
        """A new, empty place to make a study's results in."""
        path = self.studies / f".{study_id}.{uuid.uuid4().hex}"
        path.mkdir(parents=True)
        return path

    def finish(self, study_id: str, partial: Path, key: str, exit_status: int) -> None:
        """Seal the results in `partial` and put them in their place, atomically."""
        files = {
            str(path.relative_to(partial)): path.stat().st_size
            for path in _files(partial)
            if path.relative_to(partial).parts[0] not in PAGES
        }
        record = {
            "schema": SCHEMA,
            "study_id": study_id,
            "key": key,
            "exit_status": exit_status,
            "files": dict(sorted(files.items())),
        }
        _write_json(partial / MANIFEST, record)
        for path in [*_files(partial), partial]:
            _flush(path)
        case = self.case(study_id)
        if case.exists():
            case.rename(self.studies / f".{study_id}.{uuid.uuid4().hex}.old")
        partial.rename(case)
        _flush(self.studies)
        self._failure(study_id).unlink(missing_ok=True)
        for old in self.studies.glob(f".{study_id}.*.old"):
            shutil.rmtree(old)

    def fail(self, study_id: str, key: str, error: str) -> None:
        """Record that a study failed, and why in one line."""
        path = self._failure(study_id)
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(".part")
        _write_json(draft, {"schema": SCHEMA, "study_id": study_id, "key": key, "error": error})
        _flush(draft)
        draft.replace(path)

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


def job_key(row: StudyRow, options: Options) -> str:
    """A hash of all that the result of a study depends on."""
    inputs = [row.pet, row.mri, row.lesions, row.liver]
    facts = {
        "schema": SCHEMA,
        "version": lesionmatch.__version__,
        "options": options.to_json(),
        "row": [row.study_id, row.patient_id, row.weight_kg, row.pet_series, row.mri_series],
        "inputs": [None if path is None else _fingerprint(path) for path in inputs],
    }
    text = json.dumps(facts, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _fingerprint(path: Path) -> list[tuple[str, int, int]]:
    """(name, size, modification time in ns) of every file below `path`, in order."""
    found = [path] if path.is_file() else _files(path)
    stats = [(str(p.relative_to(path)), p.stat()) for p in found]
    return sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def _files(folder: Path) -> list[Path]:
    return [Path(root) / name for root, _, names in os.walk(folder) for name in names]


def _read_json(path: Path) -> Mapping[str, object] | None:
    """The object in a file, or None where there is no whole one of this schema."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


def _write_json(path: Path, record: Mapping[str, object]) -> None:
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _flush(path: Path) -> None:
    """Have the file or folder on the disk, so that a rename after it means what it says."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

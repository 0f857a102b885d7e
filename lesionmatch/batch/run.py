"""A whole batch: check first, then compare what is missing, then gather the tables."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from lesionmatch.batch.ledger import Ledger, job_key
from lesionmatch.batch.table import StudyRow
from lesionmatch.batch.tables import write_tables
from lesionmatch.batch.worker import Job, Limits, Outcome, compare_here, run_job
from lesionmatch.compare import Options
from lesionmatch.errors import InvalidOption, UnusableOutput
from lesionmatch.progress import Tally
from lesionmatch.report import index

STUDY_MB = 40.0
"""Disk a study takes while none is finished to ask: a PET of 200x200x110 on its own grid six
times and the pictures' volumes, compressed, measured 20 to 40 MB."""


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How a batch runs; nothing of this changes a result."""

    workers: int = 1
    is_retry: bool = False
    """Whether studies that failed before are tried again."""
    scheduler: str | None = None
    """Address of a dask.distributed scheduler, or None for processes of this machine."""
    limits: Limits = field(default_factory=Limits)
    is_quiet: bool = False


def run_batch(
    rows: Sequence[StudyRow],
    options: Options,
    out: Path,
    batch: BatchOptions,
    work: Callable[[Job, str], int] = compare_here,
) -> tuple[Outcome, ...]:
    """Do `work` for every study that is not yet finished; returns how all of `rows` stand.

    Raises `UnusableOutput` where another batch holds `out` or the disk is too small.
    """
    ledger = Ledger(out)
    _require_outside_inputs(out, rows)
    with ledger.locked():
        keys = {row.study_id: job_key(row, options) for row in rows}
        todo = [
            Job(row, keys[row.study_id], options, ledger, batch.limits, work)
            for row in rows
            if _is_wanted(ledger, row.study_id, keys[row.study_id], batch)
        ]
        _require_disk(ledger, len(todo), len(rows))
        tally = Tally(len(todo), is_quiet=batch.is_quiet)
        tally.note(_changed(ledger, todo))
        try:
            with tally.shown(), _executor(batch) as executor:
                futures = {executor.submit(run_job, job): job for job in todo}
                for future in as_completed(futures):
                    outcome = future.result()
                    tally.add(outcome.study_id, outcome.error)
        finally:
            # What is finished is gathered even when a person stops the batch midway.
            write_tables(ledger, rows, keys)
            index(out)
        return tuple(_standing(ledger, study_id, key) for study_id, key in keys.items())


def _changed(ledger: Ledger, todo: Sequence[Job]) -> str:
    """What an earlier run finished with other settings or inputs, in a sentence or nothing."""
    count = sum(ledger.exit_status(job.row.study_id) is not None for job in todo)
    if not count:
        return ""
    return f"{count} finished studies are compared again: inputs, options or version changed"


def _is_wanted(ledger: Ledger, study_id: str, key: str, batch: BatchOptions) -> bool:
    """Whether a study is missing, changed or, on a retry, failed."""
    if ledger.exit_status(study_id, key) is not None:
        return False
    return batch.is_retry or ledger.error(study_id, key) is None


def _standing(ledger: Ledger, study_id: str, key: str) -> Outcome:
    is_doubtful = ledger.exit_status(study_id, key) == 1
    return Outcome(study_id, ledger.error(study_id, key), is_doubtful)


@contextlib.contextmanager
def _executor(batch: BatchOptions) -> Iterator[Executor]:
    """Where the jobs run: threads that each wait for one process, or a cluster's workers."""
    if batch.scheduler is None:
        with ThreadPoolExecutor(batch.workers) as pool:
            try:
                yield pool
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidOption(
            "--scheduler: wanted dask.distributed, got an installation without it; "
            "pip install lesionmatch[cluster]"
        ) from error
    with Client(batch.scheduler, timeout="30s") as client:
        # A worker that dies takes its study with it; others try it again.
        yield client.get_executor(pure=False, retries=2)


def _require_outside_inputs(out: Path, rows: Sequence[StudyRow]) -> None:
    place = out.resolve()
    for row in rows:
        for folder in (row.pet, row.mri):
            if place == folder or folder in place.parents:
                raise UnusableOutput(
                    f"-o: wanted a folder outside the inputs, got one inside those of study "
                    f"{row.study_id}; choose another"
                )


def _require_disk(ledger: Ledger, missing: int, total: int) -> None:
    """Raise `UnusableOutput` unless the missing studies are expected to fit on the disk."""
    manifests = list(ledger.studies.glob("*/manifest.json"))
    sizes = [sum(json.loads(p.read_text())["files"].values()) / 1e6 for p in manifests[:50]]
    each_mb = max(sizes) if sizes else STUDY_MB
    wanted_gb, free_gb = missing * each_mb / 1e3, shutil.disk_usage(ledger.out).free / 1e9
    if wanted_gb > free_gb:
        raise UnusableOutput(
            f"-o: wanted about {wanted_gb:.1f} GB for {missing} of {total} studies, got "
            f"{free_gb:.1f} GB free; free some, or choose another disk"
        )


def default_workers() -> int:
    """As many studies at a time as this process has processors."""
    return len(os.sched_getaffinity(0))

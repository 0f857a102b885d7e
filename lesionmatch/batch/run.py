"""A whole batch: check first, then compare what is missing, then gather the tables."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from lesionmatch.batch.ledger import Ledger, job_key
from lesionmatch.batch.table import StudyRow
from lesionmatch.batch.tables import write_tables
from lesionmatch.batch.worker import TICK_S, Job, Limits, Outcome, Stopped, compare_here, run_job
from lesionmatch.compare import Options
from lesionmatch.errors import InvalidOption, UnusableOutput
from lesionmatch.output import require_apart
from lesionmatch.progress import Tally
from lesionmatch.report import index

STUDY_MB = 40.0
"""Disk a study takes while none is finished to ask: a PET of 200x200x110 on its own grid six
times and the pictures' volumes, compressed, measured 20 to 40 MB."""


SAMPLE = 50
"""Finished studies that are asked what one takes on the disk."""


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

    Raises `UnusableOutput` where another batch holds `out`, or the disk is too small or
    becomes full, and `InvalidOption` where the scheduler is lost; what is finished then
    stays, and the same call goes on from there.
    """
    ledger = Ledger(out.resolve())
    options = _with_whole_paths(options)
    require_apart(out, (folder for row in rows for folder in (row.pet, row.mri)))
    with ledger.locked():
        keys = {row.study_id: job_key(row, options) for row in rows}
        todo = [
            Job(row, keys[row.study_id], options, ledger, batch.limits, work)
            for row in rows
            if _is_wanted(ledger, row.study_id, keys[row.study_id], batch)
        ]
        room = _require_disk(ledger, len(todo), len(rows))
        try:
            _work_off(todo, ledger, batch, [*_before(ledger, todo, keys), *room])
        except BaseException:
            # What is finished is gathered even when a person or a full disk stops the batch.
            with contextlib.suppress(UnusableOutput):
                _gather(ledger, rows, keys)
            raise
        _gather(ledger, rows, keys)
        return tuple(_standing(ledger, study_id, key) for study_id, key in keys.items())


def _with_whole_paths(options: Options) -> Options:
    """The options for processes that may run in another folder.

    Raises `InvalidOption` where a path leads nowhere: no study could be compared.
    """
    options.require_paths()
    whole = {name: path.resolve() for name, path in options.paths.items()}
    registration = str(whole.pop("registration", options.registration))
    return replace(
        options,
        lesions=whole.get("lesions"),
        liver=whole.get("liver"),
        registration=registration,
    )


def _before(ledger: Ledger, todo: Sequence[Job], keys: Mapping[str, str]) -> Iterator[str]:
    """What is left of earlier runs, a sentence each."""
    failed = sum(ledger.error(study_id, key) is not None for study_id, key in keys.items())
    failed -= sum(ledger.error(job.row.study_id, job.key) is not None for job in todo)
    changed = sum(ledger.exit_status(job.row.study_id) is not None for job in todo)
    finished = len(keys) - len(todo) - failed
    if finished:
        yield f"{finished} of {len(keys)} studies are finished already"
    if failed:
        yield f"{failed} failed before and are not tried again; --retry tries them"
    if changed:
        yield f"{changed} finished studies are compared again: inputs, options or version changed"


def _work_off(
    todo: Sequence[Job], ledger: Ledger, batch: BatchOptions, notes: Iterable[str]
) -> None:
    """Run the jobs. Raises `UnusableOutput` where the disk becomes full."""
    tally = Tally(len(todo), is_quiet=batch.is_quiet)
    for note in notes:
        tally.note(note)
    with _noted_ctrl_c() as is_asked, tally.shown(), _submitter(batch) as submit:
        futures = {submit(job): job for job in todo}
        for future in _completed(futures, is_asked):
            try:
                outcome = _outcome(future, futures[future])
            except Stopped:  # by another, which found the disk full
                continue
            except UnusableOutput as error:
                raise _unwritten(error, ledger, len(todo) - tally.done, len(todo)) from error
            tally.add(outcome.study_id, outcome.error)


@contextlib.contextmanager
def _noted_ctrl_c() -> "Iterator[Callable[[], bool]]":
    """Tells whether a person asked for the end.

    Python's own way, an error between any two steps of the main thread, now and then meets one
    that holds a lock, and then a batch hangs or ends in another error.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False  # somebody else hears it, or nobody is to
        return
    asked: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _completed(
    futures: "Iterable[Future[Outcome]]", is_asked: Callable[[], bool]
) -> "Iterator[Future[Outcome]]":
    """The futures as they are done. Raises `KeyboardInterrupt` once the end is asked for."""
    pending = set(futures)
    while pending and not is_asked():
        done, pending = wait(pending, TICK_S, FIRST_COMPLETED)
        yield from takewhile(lambda _: not is_asked(), done)
    if is_asked():
        raise KeyboardInterrupt


def _outcome(future: "Future[Outcome]", job: Job) -> Outcome:
    """How a job ended; one whose machine was lost again and again has failed.

    Raises `UnusableOutput`, `Stopped`, and `InvalidOption` where the scheduler is lost.
    """
    try:
        return future.result()
    except (UnusableOutput, Stopped):
        raise
    except CancelledError as error:  # by nobody here
        raise InvalidOption(
            "--scheduler: wanted one that runs until all is done, got one that is gone; start it "
            "and run the same command again"
        ) from error
    except Exception as error:
        said = f"could not be run ({type(error).__name__}); try it again with --retry"
        job.ledger.fail(job.row.study_id, job.key, said)
        return Outcome(job.row.study_id, said)


def _unwritten(error: UnusableOutput, ledger: Ledger, missing: int, total: int) -> UnusableOutput:
    """What a person is told when the disk becomes full."""
    wanted_gb = missing * _study_mb(ledger) / 1e3
    return UnusableOutput(
        f"{ledger.out.name}: wanted room for the results, got {error}; {total - missing} of "
        f"{total} studies are finished and stay so; free about {wanted_gb:.1f} GB and run the "
        "same command again"
    )


def _gather(ledger: Ledger, rows: Sequence[StudyRow], keys: Mapping[str, str]) -> None:
    write_tables(ledger, rows, keys)
    index(ledger.out)


def _is_wanted(ledger: Ledger, study_id: str, key: str, batch: BatchOptions) -> bool:
    """Whether a study is missing, changed or, on a retry, failed."""
    if ledger.exit_status(study_id, key) is not None:
        return False
    return batch.is_retry or ledger.error(study_id, key) is None


def _standing(ledger: Ledger, study_id: str, key: str) -> Outcome:
    is_doubtful = ledger.exit_status(study_id, key) == 1
    return Outcome(study_id, ledger.error(study_id, key), is_doubtful)


@contextlib.contextmanager
def _submitter(batch: BatchOptions) -> "Iterator[Callable[[Job], Future[Outcome]]]":
    """What takes jobs: threads that each wait for one process, or a cluster's workers."""
    if batch.scheduler is not None:
        with _client(batch.scheduler) as client:
            # A worker that dies takes its study with it; others try it again.
            executor = client.get_executor(pure=False)
            yield lambda job: executor.submit(run_job, job)
        return
    halt = threading.Event()
    with ThreadPoolExecutor(batch.workers) as pool:
        try:
            yield lambda job: pool.submit(_run_here, job, halt)
        except BaseException:
            halt.set()
            pool.shutdown(cancel_futures=True)
            raise


def _run_here(job: Job, halt: threading.Event) -> Outcome:
    """Run a job, and no other after it where the disk is full."""
    try:
        return run_job(job, halt)
    except UnusableOutput:
        halt.set()
        raise


def _client(address: str) -> Any:  # noqa: ANN401 - distributed is not typed
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidOption(
            "--scheduler: wanted dask.distributed, got an installation without it; "
            "pip install lesionmatch[cluster]"
        ) from error
    try:
        return Client(address, timeout="30s")
    except (OSError, ValueError) as error:
        raise InvalidOption(
            f"--scheduler: wanted the address of one that runs, got {address}; start it first"
        ) from error


def _require_disk(ledger: Ledger, missing: int, total: int) -> list[str]:
    """What the missing studies are expected to take, in a sentence; nothing where none is missing.

    Raises `UnusableOutput` unless they are expected to fit on the disk.
    """
    wanted_gb = missing * _study_mb(ledger) / 1e3
    free_gb = shutil.disk_usage(ledger.out).free / 1e9
    if wanted_gb > free_gb:
        raise UnusableOutput(
            f"-o: wanted about {wanted_gb:.1f} GB for {missing} of {total} studies, got "
            f"{free_gb:.1f} GB free; free some, or choose another disk"
        )
    if not missing:
        return []
    return [f"{missing} to compare, about {wanted_gb:.1f} GB; {free_gb:.1f} GB are free"]


def _study_mb(ledger: Ledger) -> float:
    """What a study is expected to take on the disk: the most of those that are finished."""
    finished = sorted(path.parent.name for path in ledger.studies.glob("[!.]*/manifest.json"))
    return max(map(ledger.size_mb, finished[:SAMPLE]), default=STUDY_MB)


def default_workers() -> int:
    """As many studies at a time as this process has processors."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

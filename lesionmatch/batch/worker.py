"""One study in a process of its own, with a memory cap and a time limit.

A refusal, a crash, a hang and a study too large for the machine all end as one line, and
never touch another study. The process dies with whoever started it, so a killed batch
leaves nothing running.
"""

import multiprocessing
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

from lesionmatch.batch.ledger import Ledger
from lesionmatch.batch.table import StudyRow
from lesionmatch.compare import Options
from lesionmatch.errors import LesionMatchError
from lesionmatch.progress import Progress

PRELOAD = ["lesionmatch.study", "lesionmatch.batch.worker"]
"""Loaded once in the server from which the studies' processes are forked: importing takes
longer than anything else a batch does around a study."""

OUT_OF_MEMORY = 77
"""Exit status of a process that ran into its memory cap."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one study may take of the machine."""

    memory_gb: float = 6.0
    """Address space beyond what the process starts with; a study of clinical size takes 1 to 2."""
    minutes: float = 30.0
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Job:
    """One study to compare."""

    row: StudyRow
    key: str
    """The hash under which the result is filed."""
    options: Options
    """As for every study; the row's own overrides are not yet in it."""
    ledger: Ledger
    limits: Limits
    work: "Callable[[Job, str], int]"
    """Compares the study into the folder named second; returns 0, or 1 where doubtful."""

    @property
    def row_options(self) -> Options:
        """The options with what the row says in their place."""
        row, common = self.row, self.options
        return replace(
            common,
            lesions=row.lesions or common.lesions,
            liver=row.liver or common.liver,
            weight_kg=common.weight_kg if row.weight_kg is None else row.weight_kg,
            pet_series=row.pet_series or common.pet_series,
            mri_series=row.mri_series or common.mri_series,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one study ended."""

    study_id: str
    error: str | None
    """One line, or None where the study was compared."""
    is_doubtful: bool = False


def run_job(job: Job) -> Outcome:
    """Compare one study and file its result or its failure; never raises for the study's sake."""
    study_id = job.row.study_id
    partial = job.ledger.partial(study_id)
    job.ledger.log(study_id).parent.mkdir(exist_ok=True)
    answer = _run_apart(job, str(partial))
    if isinstance(answer, str):
        job.ledger.fail(study_id, job.key, answer)
        return Outcome(study_id, answer)
    job.ledger.finish(study_id, partial, job.key, answer)
    return Outcome(study_id, None, is_doubtful=answer == 1)


def _run_apart(job: Job, partial: str) -> int | str:
    """The exit status of the job's work, or a line that says why there is none."""
    limits = job.limits
    context = _context(limits)
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(job, partial, theirs))
    with _may_have_children():
        process.start()
    theirs.close()
    try:
        if not ours.poll(limits.minutes * 60.0):
            process.kill()
            return (
                f"took longer than {limits.minutes:g} minutes and was stopped; raise --time-limit"
            )
        answer: int | str = ours.recv()
    except EOFError:
        process.join()
        return _death(process.exitcode or 0, limits)
    finally:
        ours.close()
        process.join()
    return answer


def _death(exitcode: int, limits: Limits) -> str:
    """Why a process ended without a word."""
    if exitcode in (OUT_OF_MEMORY, -signal.SIGKILL):
        return f"needed more than {limits.memory_gb:g} GB of memory; raise --memory-gb"
    name = signal.Signals(-exitcode).name if exitcode < 0 else f"exit status {exitcode}"
    return f"the process crashed ({name}); its log has what it said last"


def _context(limits: Limits) -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    # Read by ITK and the BLAS when the server loads them, hence before it starts.
    for name in ("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, str(limits.threads))
    context.set_forkserver_preload(PRELOAD)
    return context


class _may_have_children:
    """Let a daemonic process start one: a cluster's worker is daemonic, so that it dies with
    its nanny, and ours dies with the worker by the pipe they share."""

    def __enter__(self) -> None:
        self._config: dict[str, object] = multiprocessing.current_process()._config  # type: ignore[attr-defined]
        self._daemon = self._config.get("daemon")
        self._config["daemon"] = False

    def __exit__(self, *_: object) -> None:
        self._config["daemon"] = self._daemon


def _child(job: Job, partial: str, connection: Connection) -> None:
    """The study's own process: limits first, then the work, then one answer."""
    threading.Thread(target=_die_with_parent, args=(connection,), daemon=True).start()
    with job.ledger.log(job.row.study_id).open("w", encoding="utf-8", buffering=1) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        _cap_memory(job.limits.memory_gb)
        try:
            connection.send(job.work(job, partial))
        except LesionMatchError as error:
            print(error, file=sys.stderr)
            connection.send(str(error))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except Exception as error:
            traceback.print_exc()
            connection.send(f"stopped by an unexpected {type(error).__name__}; its log has more")


def _die_with_parent(connection: Connection) -> None:
    """Wait for the other end of the pipe to close, which only the starter's death can do."""
    try:
        connection.poll(None)
        connection.recv()
    except (EOFError, OSError):
        os._exit(1)


def _cap_memory(memory_gb: float) -> None:
    pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115,PTH123
    cap = pages * resource.getpagesize() + int(memory_gb * 1e9)
    resource.setrlimit(resource.RLIMIT_AS, (cap, cap))


def compare_here(job: Job, partial: str) -> int:
    """Compare the study of `job` into the folder `partial`; returns its exit status."""
    from pathlib import Path

    from lesionmatch.study import run_study

    row = job.row
    progress = Progress(sys.stderr)
    return run_study([row.pet], [row.mri], Path(partial), job.row_options, progress)

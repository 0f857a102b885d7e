"""One study in a process of its own, with a memory cap and a time limit.

A refusal, a crash, a hang and a study too large for the machine all end as one line, and
never touch another study. The process dies with whoever started it, so a killed batch
leaves nothing running.
"""

import errno
import io
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TextIO

from lesionmatch.batch.ledger import Ledger, require_room
from lesionmatch.batch.table import StudyRow
from lesionmatch.compare import Options
from lesionmatch.errors import LesionMatchError, UnusableOutput
from lesionmatch.progress import Progress

PRELOAD = ["lesionmatch.study", "lesionmatch.batch.worker"]
"""Loaded once in the server from which the studies' processes are forked: importing takes
longer than anything else a batch does around a study."""

TICK_S = 0.1
"""How often a waiting batch looks whether it is to stop or a study is out of time."""

STATM = Path("/proc/self/statm")
"""Where Linux tells how much memory a process has."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says of a disk, or of a user's share of it, that is full."""

NO_MEMORY = ("Failed to allocate memory", "bad_alloc", "can't start new thread")
"""How libraries say that they ran into the memory cap."""

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one study ended."""

    study_id: str
    error: str | None
    """One line, or None where the study was compared."""
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """The place for the results did not take them, and what the system said."""

    why: str


_Answer = int | str | _Unwritten
"""How a study's process ended: an exit status, an error in a line, or a full disk."""


class Stopped(Exception):
    """The batch ends before the study does, which is then as if it had never begun."""


def run_job(job: Job, halt: threading.Event | None = None) -> Outcome:
    """Compare one study and file its result or its failure.

    Raises `UnusableOutput` where the results cannot be written and `Stopped` once `halt` is
    set; either leaves the study as it was. Never raises for the study's sake.
    """
    halt = halt or threading.Event()
    if halt.is_set():
        raise Stopped
    study_id = job.row.study_id
    with job.ledger.partial(study_id) as partial:
        answer = _run_apart(job, str(partial), halt)
        match answer:
            case int():
                job.ledger.finish(study_id, partial, job.key, answer)
                return Outcome(study_id, None, is_doubtful=answer == 1)
            case str():
                # What a full disk does to a study is not the study's failure.
                require_room(partial)
                job.ledger.fail(study_id, job.key, answer)
                return Outcome(study_id, answer)
            case _Unwritten(why):
                raise UnusableOutput(f"{why} (study {study_id})")


def _run_apart(job: Job, partial: str, halt: threading.Event) -> _Answer:
    """What the job's own process answers, or why it does not."""
    context = _context(job.limits)
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(job, partial, theirs))
    with _may_have_children():
        process.start()
    theirs.close()
    try:
        return _answer(ours, job.limits, halt)
    except EOFError:
        process.join()
        if halt.wait(TICK_S):  # a person's Ctrl-C may reach the process before it reaches us
            raise Stopped from None
        return _death(process.exitcode or 0, job.limits)
    finally:
        process.kill()
        process.join()
        ours.close()


def _answer(ours: Connection, limits: Limits, halt: threading.Event) -> _Answer:
    """Wait for an answer, but not for longer than allowed. Raises `EOFError` where none comes."""
    end = time.monotonic() + 60.0 * limits.minutes
    while not ours.poll(TICK_S):
        if halt.is_set():
            raise Stopped
        if time.monotonic() > end:
            return (
                f"took longer than {limits.minutes:g} minutes and was stopped; raise --time-limit"
            )
    answer: _Answer = ours.recv()
    return answer


def _death(exitcode: int, limits: Limits) -> str:
    """Why a process ended without a word."""
    if exitcode == OUT_OF_MEMORY:
        return f"needed more than {limits.memory_gb:g} GB of memory; raise --memory-gb"
    if exitcode == -signal.SIGKILL:
        return "was killed, as a machine does that runs out of memory; lower -j"
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch decides what a Ctrl-C ends
    threading.Thread(target=_die_with_parent, args=(connection,), daemon=True).start()
    try:
        with job.ledger.log(job.row.study_id).open("w", encoding="utf-8", buffering=1) as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            sys.stdout = sys.stderr = _Nameless(log, job)
            _cap_memory(job.limits.memory_gb)
            connection.send(_worked(job, partial))
    except OSError as error:
        if error.errno not in FULL:
            raise
        connection.send(_Unwritten(str(error.strerror)))


class _Nameless(io.TextIOBase):
    """A log in which inputs go by the names of their columns."""

    def __init__(self, log: TextIO, job: Job) -> None:
        self._log, self._job = log, job

    def write(self, text: str) -> int:
        self._log.write(_nameless(text, self._job))
        return len(text)

    def flush(self) -> None:
        self._log.flush()


def _nameless(text: str, job: Job) -> str:
    """`text` with columns in the place of the row's paths, as folders are named after patients."""
    if job.options.phi:
        return text
    for name, path in sorted(job.row.paths.items(), key=lambda pair: -len(pair[1])):
        text = text.replace(path, name)
    return text


def _worked(job: Job, partial: str) -> _Answer:
    """What comes of the job's work. Raises what only a full disk can."""
    try:
        return job.work(job, partial)
    except Exception as error:
        if _lacked_memory(error):
            os._exit(OUT_OF_MEMORY)
        return _explained(error, job)


def _lacked_memory(error: BaseException | None) -> bool:
    """Whether an error goes back to the memory cap, in Python's words or in ITK's."""
    if error is None:
        return False
    is_so = isinstance(error, MemoryError) or any(text in str(error) for text in NO_MEMORY)
    return is_so or _lacked_memory(error.__cause__ or error.__context__)


def _explained(error: Exception, job: Job) -> _Answer:
    """What is said of an error that ended a study; a defect's traceback goes to the log."""
    match error:
        case UnusableOutput(__cause__=OSError(strerror=str(said))):
            return _Unwritten(said)
        case UnusableOutput():
            return _Unwritten(str(error))
        case LesionMatchError():
            print(error, file=sys.stderr)
            return _nameless(str(error), job)
        case OSError(errno=code) if code in FULL:
            raise error
    traceback.print_exception(error)
    return f"stopped by an unexpected {type(error).__name__}; its log has more"


def _die_with_parent(connection: Connection) -> None:
    """Wait for the other end of the pipe to close, which only the starter's death can do."""
    try:
        connection.poll(None)
        connection.recv()
    except (EOFError, OSError):
        os._exit(1)


def _cap_memory(memory_gb: float) -> None:
    """Cap the address space beyond what it is now; not where a system does not tell, as macOS."""
    if not STATM.exists():
        return
    pages = int(STATM.read_text(encoding="ascii").split()[0])
    cap = pages * resource.getpagesize() + int(memory_gb * 1e9)
    resource.setrlimit(resource.RLIMIT_AS, (cap, cap))


def compare_here(job: Job, partial: str) -> int:
    """Compare the study of `job` into the folder `partial`; returns its exit status."""
    from lesionmatch.study import run_study

    row = job.row
    progress = Progress(sys.stderr)
    options = row.options(job.options)
    return run_study([row.pet], [row.mri], Path(partial), options, progress)

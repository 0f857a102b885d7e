"""Which stage is running, shown to a person and timed for the record.

A terminal gets one live line, a pipe one plain line a stage, ``--quiet`` nothing. The
stages' times are kept either way, because every result states them.
"""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Progress:
    """The stages of one study as they pass; the only mutable value of a comparison."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    is_quiet: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    """Stage name to wall time, in the order in which the stages ended."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce `name` while the block runs, and keep its time."""
        start = time.perf_counter()
        with self._shown(name):
            yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def note(self, text: str) -> None:
        """One line for the person who waits."""
        if not self.is_quiet:
            print(text, file=self.stream, flush=True)

    def _shown(self, name: str) -> contextlib.AbstractContextManager[object]:
        if self.is_quiet:
            return contextlib.nullcontext()
        if not self.stream.isatty():
            self.note(f"{name} ...")
            return contextlib.nullcontext()
        # Loaded here: a piped or quiet run never needs it.
        from rich.console import Console

        return Console(file=self.stream).status(name)


@dataclass
class Tally:
    """How far a batch has come: rate, time left and failures, live or as plain lines."""

    total: int
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    is_quiet: bool = False
    done: int = 0
    failed: int = 0
    _start: float = field(default_factory=time.perf_counter)

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the live line on the screen while the block runs, where there is a screen."""
        if self.is_quiet or not self.stream.isatty():
            yield
            return
        from rich.console import Console

        with Console(file=self.stream).status(self.line()) as status:
            self._update = status.update
            yield
            del self._update

    def note(self, text: str) -> None:
        """One line for the person who waits; nothing where there is nothing to say."""
        if text and not self.is_quiet:
            print(text, file=self.stream, flush=True)

    def add(self, name: str, error: str | None) -> None:
        """One more study has ended, with a one-line error if it failed."""
        self.done += 1
        self.failed += error is not None
        if self.is_quiet:
            return
        if error is not None or not self.stream.isatty():
            print(f"{name}: {error or 'done'} [{self.line()}]", file=self.stream, flush=True)
        if hasattr(self, "_update"):
            self._update(self.line())

    def line(self) -> str:
        """``12 of 40, 1 failed, 160 an hour, 11 min left``."""
        hours = (time.perf_counter() - self._start) / 3600.0
        rate = self.done / hours if hours > 0.0 else 0.0
        counts = f"{self.done} of {self.total}, {self.failed} failed"
        if not self.done:
            return counts
        left_min = 60.0 * (self.total - self.done) / rate
        return f"{counts}, {rate:.0f} an hour, {left_min:.0f} min left"

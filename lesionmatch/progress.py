"""Which stage is running, shown to a person and timed for the record.

A terminal gets one live line, a pipe one plain line a stage, ``--quiet`` nothing. The
stages' times are kept either way, because every result states them.
"""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # loaded where a terminal shows it
    from rich.console import Console


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
    _console: "Console | None" = None
    """Prints above the live line while that is on the screen."""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the live line on the screen while the block runs, where there is a screen."""
        if self.is_quiet or not self.stream.isatty():
            yield
            return
        from rich.console import Console

        self._console = Console(file=self.stream, highlight=False, markup=False)
        # The tally itself, not a text of it, so that every frame tells the time left anew.
        with self._console.status(self):
            yield
        self._console = None

    def __rich__(self) -> str:
        """The live line."""
        return self.line()

    def note(self, text: str) -> None:
        """One line for the person who waits."""
        if self._console is not None:
            self._console.print(text, soft_wrap=True)
        elif not self.is_quiet:
            print(text, file=self.stream, flush=True)

    def add(self, name: str, error: str | None) -> None:
        """One more study has ended, with a one-line error if it failed."""
        self.done += 1
        self.failed += error is not None
        if self._console is None:
            self.note(f"{name}: {error or 'done'} [{self.line()}]")
        elif error is not None:
            self.note(f"{name}: {error}")

    def line(self) -> str:
        """``12 of 40, 1 failed, 160 an hour, 11 min left``."""
        counts = f"{self.done} of {self.total}, {self.failed} failed"
        elapsed_s = time.perf_counter() - self._start
        if not self.done or elapsed_s <= 0.0:
            return counts
        rate = self.done / elapsed_s
        left = in_words((self.total - self.done) / rate)
        return f"{counts}, {3600.0 * rate:.0f} an hour, {left} left"


def in_words(seconds: float) -> str:
    """A time to wait, as finely as it matters.

    >>> in_words(80), in_words(700), in_words(75_000)
    ('80 s', '12 min', '20 h 50 min')
    """
    minutes = round(seconds / 60.0)
    if seconds < 100.0:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"

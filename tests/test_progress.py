"""The stages as a person sees them."""

import io
import re
import time

import pytest

from lesionmatch.progress import Progress, Tally


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_one_plain_line_a_stage() -> None:
    stream = io.StringIO()
    with Progress(stream).stage("registering"):
        pass
    assert stream.getvalue() == "registering ...\n"


def test_quiet_says_nothing_and_still_keeps_the_times() -> None:
    stream = io.StringIO()
    progress = Progress(stream, is_quiet=True)
    with progress.stage("registering"):
        progress.note("no word of this")
    assert stream.getvalue() == ""
    assert list(progress.seconds) == ["registering"]


def test_a_terminal_shows_the_stage_by_name() -> None:
    stream = Terminal()
    with Progress(stream).stage("registering"):
        pass
    assert "registering" in stream.getvalue()


def test_a_stage_entered_twice_adds_up() -> None:
    progress = Progress(io.StringIO(), is_quiet=True)
    progress.seconds["reading"] = 5.0
    with progress.stage("reading"):
        pass
    assert progress.seconds["reading"] >= 5.0


def test_an_error_passes_through() -> None:
    with pytest.raises(KeyError), Progress(io.StringIO()).stage("registering"):
        raise KeyError


def test_a_pipe_gets_a_plain_line_a_study() -> None:
    stream = io.StringIO()
    tally = Tally(3, stream)
    with tally.shown():
        tally.add("S1", None)
        tally.add("S2", "PET: wanted this, got that")
    assert re.fullmatch(
        r"S1: done \[1 of 3, 0 failed, \d+ an hour, 0 s left\]\n"
        r"S2: PET: wanted this, got that \[2 of 3, 1 failed, \d+ an hour, 0 s left\]\n",
        stream.getvalue(),
    )


def test_a_terminal_gets_failures_above_one_live_line() -> None:
    stream = Terminal()
    tally = Tally(3, stream)
    with tally.shown():
        tally.add("S1", None)
        tally.add("S2", "PET: wanted [this], got that")
    shown = stream.getvalue()
    assert "S1: done" not in shown
    # Behind the terminal's own signs, not behind the live line, and a line of its own.
    assert re.search(r"\x1b\[[?\d]*[A-Za-z]S2: PET: wanted \[this\], got that\n", shown)
    assert "2 of 3, 1 failed" in shown


def test_the_time_left_follows_the_rate() -> None:
    tally = Tally(2383, io.StringIO(), done=60, _start=time.perf_counter() - 3600.0)
    assert tally.line() == "60 of 2383, 0 failed, 60 an hour, 38 h 43 min left"


def test_a_quiet_batch_says_nothing() -> None:
    stream = io.StringIO()
    tally = Tally(1, stream, is_quiet=True)
    with tally.shown():
        tally.note("no word of this")
        tally.add("S1", "PET: wanted this, got that")
    assert stream.getvalue() == ""

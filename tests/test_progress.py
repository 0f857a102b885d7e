"""The stages as a person sees them."""

import io

import pytest

from lesionmatch.progress import Progress


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

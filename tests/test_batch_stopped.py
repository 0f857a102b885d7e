"""What stops a whole batch, a full disk or a person, is no study's failure."""

import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lesionmatch.batch import worker
from lesionmatch.batch.table import StudyRow
from lesionmatch.batch.worker import Outcome
from lesionmatch.errors import InvalidOption, UnusableOutput
from lesionmatch.progress import Tally
from tests.test_batch import QUIET, records, run, studies, whole_bytes

ONE = replace(QUIET, workers=1)


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["full.1", "mute.1"])
def test_a_disk_that_fills_midway_stops_the_batch_and_fails_no_study(
    tmp_path: Path, name: str
) -> None:
    rows, out = studies(tmp_path, ["well.1", name, "well.2"]), tmp_path / "out"
    run(rows, tmp_path / "undisturbed")
    (tmp_path / "disk is full").touch()
    with pytest.raises(
        UnusableOutput,
        match=rf"^out: wanted room for the results, got No space left on device \(study {name}\); "
        r"1 of 3 studies are finished and stay so; free about 0.0 GB and run the same command",
    ):
        run(rows, out, ONE)
    assert entries(out / "studies") == ["well.1"]
    assert entries(out / "failures") == []
    assert [row["study_id"] for row in records(out / "calls.csv")] == ["well.1"]
    (tmp_path / "disk is full").unlink()
    run(rows, out, ONE)
    assert whole_bytes(out) == whole_bytes(tmp_path / "undisturbed")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by an administrator only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_real_disk_that_fills_is_gone_on_with_when_it_has_room(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lesionmatch.batch.run.STUDY_MB", 0.0)
    rows, out = studies(tmp_path, ["large.1", "large.2", "large.3"]), small_disk / "out"
    run(rows, tmp_path / "undisturbed")
    with pytest.raises(UnusableOutput, match=r"No space left on device \(study large\.3\)"):
        run(rows, out, ONE)
    assert entries(out / "studies") == ["large.1", "large.2"]
    with pytest.raises(UnusableOutput, match="for 1 of 3 studies"):
        run(rows, out, ONE)
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    run(rows, out, ONE)
    assert whole_bytes(out) == whole_bytes(tmp_path / "undisturbed")


def test_a_scheduler_that_is_gone_fails_no_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(ThreadPoolExecutor):
        """What a client of dask.distributed does once its scheduler is gone."""

        def submit(self, *_: object) -> Future[Outcome]:  # type: ignore[override]
            future = Future[Outcome]()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    monkeypatch.setattr("lesionmatch.batch.run.ThreadPoolExecutor", Gone)
    with pytest.raises(InvalidOption, match="got one that is gone; start it and run the same"):
        run(studies(tmp_path, ["well.1"]), tmp_path / "out")
    assert entries(tmp_path / "out" / "failures") == []


def _batch_in_a_terminal(rows: list[StudyRow], out: Path) -> None:
    os.setsid()  # a Ctrl-C reaches all that a terminal's command started
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run unattended
    worker._context = lambda _: multiprocessing.get_context("fork")  # type: ignore[assignment,return-value]
    run(rows, out, replace(QUIET, workers=1))


def test_a_ctrl_c_ends_it_at_once_and_fails_no_study(tmp_path: Path) -> None:
    rows, out = studies(tmp_path, ["well.1", "hang.1", "well.2"]), tmp_path / "out"
    batch = multiprocessing.get_context("fork").Process(
        target=_batch_in_a_terminal, args=(rows, out)
    )
    batch.start()
    while not (out / "logs" / "hang.1.log").exists():
        time.sleep(0.01)
    os.killpg(batch.pid or 0, signal.SIGINT)
    batch.join(20.0)
    assert batch.exitcode == 1  # Python's own, of a KeyboardInterrupt nobody caught
    assert entries(out / "studies") == ["well.1"]
    assert entries(out / "failures") == []
    assert [row["study_id"] for row in records(out / "calls.csv")] == ["well.1"]


def test_a_ctrl_c_waits_for_the_step_it_falls_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[str] = []

    def add(_tally: Tally, study_id: str, _error: str | None) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        added.append(study_id)

    monkeypatch.setattr(Tally, "add", add)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(studies(tmp_path, ["well.1", "well.2", "well.3"]), tmp_path / "out", ONE)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert added == ["well.1"]

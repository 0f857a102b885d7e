"""The same work on a cluster: real worker processes, one of them killed midway."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.test_batch import QUIET, run, studies, whole_bytes

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
from distributed import LocalCluster  # only where it is installed

pytestmark = pytest.mark.filterwarnings("default")  # of dask's own making


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def kill_one(begun: Path, killed: list[int]) -> None:
    """Kill the worker whose study hangs, as soon as that has begun."""
    while not begun.exists():
        time.sleep(0.01)
    killed += map(int, begun.read_text().split())
    os.kill(killed[0], signal.SIGKILL)


def is_running(process: int) -> bool:
    """Whether a process is more than a dead one's entry in the table of processes."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_worker_killed_midway_loses_no_study(tmp_path: Path, cluster: LocalCluster) -> None:
    rows = studies(tmp_path, ["slow.1", "slow.2", "once.1", *(f"slow.{n}" for n in range(3, 12))])
    workers, killed = {worker.pid for worker in cluster.workers.values()}, list[int]()
    killer = threading.Thread(target=kill_one, args=(tmp_path / "begun", killed))
    killer.start()
    outcomes = run(rows, tmp_path / "out", replace(QUIET, scheduler=cluster.scheduler_address))
    killer.join()
    assert killed[0] in workers
    assert not is_running(killed[1]), "the study outlived its worker"
    assert [outcome.error for outcome in outcomes] == [None] * 12
    run(rows, tmp_path / "alone")  # what began on the worker that died is done by another
    assert whole_bytes(tmp_path / "out") == whole_bytes(tmp_path / "alone")


def test_a_study_that_takes_its_machine_down_each_time_is_a_row(
    tmp_path: Path, cluster: LocalCluster
) -> None:
    batch = replace(QUIET, scheduler=cluster.scheduler_address)
    outcomes = run(studies(tmp_path, ["fatal.1", "well.1"]), tmp_path / "out", batch)
    assert [outcome.error for outcome in outcomes] == [
        "could not be run (KilledWorker); try it again with --retry",
        None,
    ]


def test_a_bad_study_is_a_row_on_a_cluster_too(tmp_path: Path, cluster: LocalCluster) -> None:
    batch = replace(QUIET, scheduler=cluster.scheduler_address)
    outcomes = run(studies(tmp_path, ["crash.1", "refuse.1", "well.1"]), tmp_path / "out", batch)
    assert [outcome.error is None for outcome in outcomes] == [False, False, True]

"""The same work on a cluster: real worker processes, one of them killed midway."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.test_batch import QUIET, run, studies

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
from distributed import LocalCluster  # only where it is installed

pytestmark = pytest.mark.filterwarnings("default")  # of dask's own making


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def kill_one(cluster: LocalCluster, out: Path) -> None:
    """Kill a worker as soon as a few studies are finished."""
    while len(list((out / "studies").glob("[!.]*"))) < 3:
        time.sleep(0.01)
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)


def test_a_worker_killed_midway_loses_no_study(tmp_path: Path, cluster: LocalCluster) -> None:
    rows, out = studies(tmp_path, [f"slow.{n}" for n in range(30)]), tmp_path / "out"
    killer = threading.Thread(target=kill_one, args=(cluster, out))
    killer.start()
    batch = replace(QUIET, scheduler=cluster.scheduler_address)
    outcomes = run(rows, out, batch)
    killer.join()
    assert [outcome.error for outcome in outcomes] == [None] * 30


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

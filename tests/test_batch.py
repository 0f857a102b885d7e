"""A batch never loses work, whatever its studies do to it."""

import contextlib
import csv
import multiprocessing
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from lesionmatch.batch import worker
from lesionmatch.batch.ledger import Ledger, job_key
from lesionmatch.batch.run import BatchOptions, default_workers, run_batch
from lesionmatch.batch.table import StudyRow
from lesionmatch.batch.worker import Limits, Outcome
from lesionmatch.cli import main
from lesionmatch.compare import Options
from lesionmatch.errors import InvalidOption, UnusableOutput
from tests import batch_work

QUIET = BatchOptions(workers=2, limits=Limits(minutes=0.5), is_quiet=True)


def studies(folder: Path, names: Sequence[str]) -> list[StudyRow]:
    for name in names:
        for part in ("pet", "mri"):
            (folder / "in" / name / part).mkdir(parents=True, exist_ok=True)
            (folder / "in" / name / part / "1.dcm").write_text(name)
    return [
        StudyRow(
            study_id=name,
            patient_id=f"P-{name}",
            pet=folder / "in" / name / "pet",
            mri=folder / "in" / name / "mri",
            given={},
            carried={"site": "Nord"},
        )
        for name in names
    ]


def run(rows: list[StudyRow], out: Path, batch: BatchOptions = QUIET) -> tuple[Outcome, ...]:
    return run_batch(rows, Options(), out, batch, batch_work.by_name)


def records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def made_at(out: Path, study_id: str) -> int:
    return (out / "studies" / study_id / "manifest.json").stat().st_mtime_ns


def test_the_tables_hold_all_studies_in_the_table_s_order(tmp_path: Path) -> None:
    run(studies(tmp_path, ["well.2", "doubtful.1", "refuse.1", "well.1"]), tmp_path / "out")
    calls = records(tmp_path / "out" / "calls.csv")
    assert [row["study_id"] for row in calls] == ["well.2", "doubtful.1", "refuse.1", "well.1"]
    assert [row["cell"] for row in calls] == ["FN", "FN", "", "FN"]
    assert (calls[1]["is_doubtful"], calls[1]["doubtful_for"]) == ("true", "registration")
    assert (calls[0]["is_doubtful"], calls[0]["doubtful_for"]) == ("false", "")
    assert calls[0]["site"] == "Nord"
    lesions = records(tmp_path / "out" / "lesions.csv")
    assert [row["label"] for row in lesions] == ["well.2", "doubtful.1", "well.1"]
    assert lesions[0]["patient_id"] == "P-well.2"


def test_a_registration_that_lesions_clear_is_not_what_a_study_is_doubtful_for(
    tmp_path: Path,
) -> None:
    run(studies(tmp_path, ["doubtful.cleared"]), tmp_path / "out")
    (row,) = records(tmp_path / "out" / "calls.csv")
    assert (row["is_doubtful"], row["doubtful_for"]) == ("true", "")


def test_a_batch_that_has_nothing_left_to_do_says_again_what_came_of_each(tmp_path: Path) -> None:
    rows = studies(tmp_path, ["well.1", "doubtful.1", "refuse.1"])
    first = run(rows, tmp_path / "out")
    assert [one.is_doubtful for one in first] == [False, True, False]
    assert run(rows, tmp_path / "out") == first


def test_the_verb_says_how_every_study_stands_where_it_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["well.1", "refuse.1"]
    run(studies(tmp_path, names), tmp_path / "out")
    lines = [f"{name},P-{name},in/{name}/pet,in/{name}/mri,Nord" for name in names]
    table = tmp_path / "STUDIES.csv"
    table.write_text("\n".join(["study_id,patient_id,pet,mri,site", *lines]))
    assert main(["batch", str(table), "-o", str(tmp_path / "out"), "-v"]) == 3
    assert capsys.readouterr().out.splitlines()[:2] == [
        "well.1: MRI involved, PET not_involved: one lesion of 5 mm",
        "refuse.1: PET: wanted this, got that; mend it",
    ]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("refuse.1", "PET: wanted this, got that; mend it"),
        ("crash.1", "the process crashed (SIGSEGV); its log has what it said last"),
        ("defect.1", "stopped by an unexpected KeyError; its log has more"),
        ("killed.1", "was killed, as a machine does that runs out of memory; lower -j"),
        ("swell.1", "needed more than 6 GB of memory; raise --memory-gb"),
        ("swell_in_itk.1", "needed more than 6 GB of memory; raise --memory-gb"),
    ],
)
def test_a_bad_study_is_a_row_and_stops_nothing(tmp_path: Path, name: str, says: str) -> None:
    outcomes = run(studies(tmp_path, [name, "well.1"]), tmp_path / "out")
    assert [outcome.error for outcome in outcomes] == [says, None]
    assert records(tmp_path / "out" / "failures.csv")[0]["error"] == says


def test_a_system_that_does_not_tell_of_memory_or_affinity_runs_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(worker, "STATM", tmp_path / "statm")
    monkeypatch.setattr(resource, "setrlimit", None)
    assert default_workers() == os.cpu_count()
    worker._cap_memory(1.0)


def test_a_study_that_hangs_is_stopped(tmp_path: Path) -> None:
    batch = replace(QUIET, limits=Limits(minutes=0.02))
    (outcome,) = run(studies(tmp_path, ["hang.1"]), tmp_path / "out", batch)
    assert outcome.error == "took longer than 0.02 minutes and was stopped; raise --time-limit"


def test_inputs_go_by_their_column_unless_the_patient_may_be_named(tmp_path: Path) -> None:
    rows, out = studies(tmp_path, ["tell.1"]), tmp_path / "out"
    (outcome,) = run(rows, out)
    assert outcome.error == "pet/a.zip: wanted an archive; mend it"
    assert (out / "logs" / "tell.1.log").read_text() == f"reading pet\n{outcome.error}\n"
    (named,) = run_batch(rows, Options(phi=True), out, QUIET, batch_work.by_name)
    assert named.error == f"{rows[0].pet}/a.zip: wanted an archive; mend it"


def test_a_defect_leaves_its_traceback_in_the_log(tmp_path: Path) -> None:
    run(studies(tmp_path, ["defect.1"]), tmp_path / "out")
    assert "no such thing" in (tmp_path / "out" / "logs" / "defect.1.log").read_text()


def test_what_is_finished_is_not_done_again_and_what_changed_is(tmp_path: Path) -> None:
    rows, out = studies(tmp_path, ["well.1", "well.2"]), tmp_path / "out"
    run(rows, out)
    before = [made_at(out, row.study_id) for row in rows]
    (rows[1].pet / "2.dcm").write_text("one slice more")
    run(rows, out)
    after = [made_at(out, row.study_id) for row in rows]
    assert after[0] == before[0]
    assert after[1] > before[1]


def test_other_options_are_another_result(tmp_path: Path) -> None:
    (row,) = studies(tmp_path, ["well.1"])
    assert job_key(row, Options()) == job_key(row, Options())
    assert job_key(row, Options()) != job_key(row, Options(registration="rigid"))
    half_past, ten = (Options(injected_at=datetime(2025, 1, 31, *t)) for t in ((9, 30), (10, 0)))
    assert job_key(row, half_past) != job_key(row, ten)


def test_studies_finished_with_other_settings_are_announced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, out = studies(tmp_path, ["well.1", "well.2"]), tmp_path / "out"
    run(rows, out)
    loud = replace(QUIET, is_quiet=False)
    run_batch(rows, Options(registration="rigid"), out, loud, batch_work.by_name)
    assert "2 finished studies are compared again" in capsys.readouterr().err


def test_what_stands_from_earlier_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, out = studies(tmp_path, ["well.1", "well.2", "refuse.1"]), tmp_path / "out"
    run(rows, out)
    run(rows, out, replace(QUIET, is_quiet=False))
    assert capsys.readouterr().err.splitlines() == [
        "2 of 3 studies are finished already",
        "1 failed before and are not tried again; --retry tries them",
    ]


def test_what_the_rest_will_take_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    free = type("Usage", (), {"free": 123.4e9})()
    monkeypatch.setattr("lesionmatch.batch.run.shutil.disk_usage", lambda _: free)
    rows = studies(tmp_path, [f"well.{n}" for n in range(5)])
    run(rows, tmp_path / "out", replace(QUIET, is_quiet=False))
    first = capsys.readouterr().err.splitlines()[0]
    assert first == "5 to compare, about 0.2 GB; 123.4 GB are free"


def test_a_change_behind_a_linked_folder_is_seen(tmp_path: Path) -> None:
    (row,) = studies(tmp_path, ["well.1"])
    (tmp_path / "elsewhere").mkdir()
    (row.pet / "linked").symlink_to(tmp_path / "elsewhere")
    (row.pet / "broken").symlink_to(tmp_path / "nowhere")
    before = job_key(row, Options())
    (tmp_path / "elsewhere" / "2.dcm").write_text("one slice more")
    assert job_key(row, Options()) != before


def given_for_all(name: str, path: Path) -> Options:
    return {
        "lesions": Options(lesions=path),
        "liver": Options(liver=path),
        "registration": Options(registration=str(path)),
    }[name]


@pytest.mark.parametrize("name", ["lesions", "liver", "registration"])
def test_a_change_of_a_file_for_all_studies_is_seen(tmp_path: Path, name: str) -> None:
    (row,) = studies(tmp_path, ["well.1"])
    file = tmp_path / "given"
    file.write_text("1 0 0 0")
    options = given_for_all(name, file)
    before = job_key(row, options)
    file.write_text("1 0 0 0 1")
    assert job_key(row, options) != before


@pytest.mark.parametrize("name", ["lesions", "liver", "registration"])
def test_a_file_for_all_studies_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    options = given_for_all(name, tmp_path / "rigd")
    says = rf"--{name}: wanted a path that exists.*, got .*rigd \(No such"
    with pytest.raises(InvalidOption, match=says):
        run_batch(studies(tmp_path, ["well.1"]), options, tmp_path / "out", QUIET)


def test_a_failed_study_leaves_nothing_but_its_reason(tmp_path: Path) -> None:
    run(studies(tmp_path, ["crash.1"]), tmp_path / "out")
    assert list((tmp_path / "out" / "studies").iterdir()) == []


def test_a_worker_that_does_not_see_the_folder_makes_none(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "out")
    with pytest.raises(UnusableOutput, match="wanted a folder that every machine sees"):
        ledger.partial("S1").__enter__()
    assert not (tmp_path / "out").exists()


def test_a_result_that_lost_a_file_is_done_again(tmp_path: Path) -> None:
    rows, out = studies(tmp_path, ["well.1"]), tmp_path / "out"
    run(rows, out)
    (out / "studies" / "well.1" / "lesions.csv").unlink()
    run(rows, out)
    assert (out / "studies" / "well.1" / "lesions.csv").exists()


def test_a_failure_is_tried_again_only_when_asked(tmp_path: Path) -> None:
    rows, out = studies(tmp_path, ["refuse.1"]), tmp_path / "out"
    failure = out / "failures" / "refuse.1.json"
    run(rows, out)
    first = failure.stat().st_mtime_ns
    run(rows, out)
    assert failure.stat().st_mtime_ns == first
    run(rows, out, replace(QUIET, is_retry=True))
    assert failure.stat().st_mtime_ns > first


def test_a_second_batch_on_one_folder_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Ledger(out).locked(), pytest.raises(UnusableOutput, match="another batch holds"):
        run(studies(tmp_path, ["well.1"]), out)


def test_a_folder_that_is_let_go_within_a_moment_is_waited_for(tmp_path: Path) -> None:
    rows, out = studies(tmp_path, ["well.1"]), tmp_path / "out"
    held = contextlib.ExitStack()
    held.enter_context(Ledger(out).locked())
    threading.Timer(0.5, held.close).start()
    run(rows, out)
    assert (Ledger(out).case("well.1") / "manifest.json").exists()


def test_an_output_inside_an_input_is_refused(tmp_path: Path) -> None:
    rows = studies(tmp_path, ["well.1"])
    with pytest.raises(UnusableOutput, match="wanted a place outside the inputs"):
        run(rows, rows[0].pet / "out")


def test_a_disk_too_small_is_refused_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "lesionmatch.batch.run.shutil.disk_usage",
        lambda _: type("Usage", (), {"free": 30e6})(),
    )
    with pytest.raises(UnusableOutput, match=r"wanted about 0\.1 GB for 2 of 2 studies, got 0\.0"):
        run(studies(tmp_path, ["well.1", "well.2"]), tmp_path / "out")


def _batch_to_be_killed(rows: list[StudyRow], out: Path) -> None:
    # A forked process cannot use its parent's fork server, and 50 new ones would take minutes.
    worker._context = lambda _: multiprocessing.get_context("fork")  # type: ignore[assignment,return-value]
    run_batch(rows, Options(), out, QUIET, batch_work.slow)


def whole_bytes(out: Path) -> dict[str, bytes]:
    found = [p for p in out.rglob("*") if p.is_file() and "logs" not in p.parts]
    return {str(p.relative_to(out)): p.read_bytes() for p in found}


def test_killed_at_any_moment_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    rows = studies(tmp_path, [f"slow.{n}" for n in range(30)])
    run(rows, tmp_path / "undisturbed")
    draw, out, finished = random.Random(7), tmp_path / "killed", {0}
    within_s = 0.3
    for _ in range(50):
        process = multiprocessing.get_context("fork").Process(
            target=_batch_to_be_killed, args=(rows, out)
        )
        process.start()
        time.sleep(draw.uniform(0.0, within_s))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        cases = list((out / "studies").glob("[!.]*"))
        assert all((case / "manifest.json").exists() for case in cases)
        # A busy machine needs longer to finish a study between two kills.
        is_slow = len(cases) <= max(finished) and len(cases) < len(rows)
        within_s = 1.3 * within_s if is_slow else 0.3
        finished.add(len(cases))
    assert len(finished) > 5, "the kills came too early or too late to prove anything"
    run(rows, out)
    assert whole_bytes(out) == whole_bytes(tmp_path / "undisturbed")

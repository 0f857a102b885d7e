"""Detection lesion by lesion, and the false foci beside it."""

import json
from pathlib import Path

import numpy as np
import pytest

from lesionmatch.accuracy.values import Interval, Undefined
from lesionmatch.evaluation.assemble import assemble
from lesionmatch.evaluation.lesionwise import Lesionwise
from lesionmatch.evaluation.reading import read_calls
from lesionmatch.report.accuracy import write_accuracy
from tests.accuracy_tables import (
    MAYBE,
    NO,
    QUICK,
    YES,
    batch,
    lesion,
    many_lesions,
    rows_of,
)


def test_lesions_are_counted_by_size_with_every_edge_in_one_bin(tmp_path: Path) -> None:
    sizes = ["5.99", "6", "9.99", "10", "12", "12.01", "15", "15.01", ""]
    rows = [lesion(0, k, long_axis_mm=size) for k, size in enumerate(sizes)]
    report = assemble(read_calls(batch(tmp_path / "b", [(YES, YES)], rows)), options=QUICK)
    assert report.lesions is not None
    assert [one.lesions for one in report.lesions.by_size] == [1, 2, 2, 2, 1]
    assert [one.lesions for one in report.lesions.by_paper_size] == [1, 1, 3, 3]
    assert report.lesions.overall.lesions == 9


def test_detection_leaves_out_the_uncovered_and_the_benign(tmp_path: Path) -> None:
    rows = [
        lesion(0, 1),
        lesion(0, 2, pet_status="retrospective", reason="subcapsular"),
        lesion(0, 3, pet_status="negative", kind="unspecified"),
        lesion(1, 4, pet_status="not_covered"),
        lesion(2, 5, kind="cyst", pet_status="positive"),
    ]
    report = assemble(read_calls(batch(tmp_path / "b", [(YES, YES)] * 3, rows)), options=QUICK)
    assert report.lesions is not None
    overall = report.lesions.overall
    assert (overall.detected, overall.retrospective, overall.lesions) == (1, 1, 3)
    assert overall.not_covered == 1
    assert {k: n for k, n in report.lesions.missed.items() if n} == {
        "subcapsular": 1,
        "unexplained": 1,
    }
    assert [(one.name, one.detected) for one in report.lesions.by_kind] == [
        ("cyst", 1),
        ("metastasis", 1),
        ("unspecified", 0),
    ]


def test_one_focus_for_two_lesions_finds_one_of_them_strictly(tmp_path: Path) -> None:
    rows = [
        lesion(0, 1, focus_ids="F1"),
        lesion(0, 2, focus_ids="F1"),
        lesion(1, 1, focus_ids="F1"),
    ]
    report = assemble(read_calls(batch(tmp_path / "b", [(YES, YES)] * 2, rows)), options=QUICK)
    assert report.lesions is not None
    assert report.lesions.overall.detected == 3
    assert report.lesions.one_to_one.value == pytest.approx(2 / 3)


def test_foci_are_shared_out_so_that_most_lesions_are_found_strictly(tmp_path: Path) -> None:
    # the larger lesion is split and would take the only focus of the smaller one
    rows = [
        lesion(0, 1, focus_ids="F1;F2", relation="split", long_axis_mm="40"),
        lesion(0, 2, focus_ids="F1", relation="merged"),
        lesion(0, 3, focus_ids=""),
        lesion(0, 4, focus_ids="", pet_status="negative", relation="mri_only"),
    ]
    report = assemble(read_calls(batch(tmp_path / "b", [(YES, YES)], rows)), options=QUICK)
    assert report.lesions is not None
    assert report.lesions.one_to_one.value == pytest.approx(3 / 4)


def test_false_foci_are_counted_for_each_liver(tmp_path: Path) -> None:
    calls = [(YES, NO), (NO, NO), (YES, YES), ("", "")]
    rows = [
        lesion(0, 8, source="pet", reason="cyst"),
        lesion(0, 9, source="pet", contrast_to_noise="5.5"),
        lesion(2, 1, contrast_to_noise="6.0"),
    ]
    report = assemble(read_calls(batch(tmp_path / "b", calls, rows)), options=QUICK)
    assert report.lesions is not None
    found = report.lesions.false_foci
    assert (found.foci, found.livers, found.reasons) == (2, 3, {"cyst": 1, "unexplained": 1})
    assert found.per_liver == pytest.approx(2 / 3)
    first, *_, last = found.operating
    assert (first.detection, first.false_foci_per_liver) == pytest.approx((1.0, 2 / 3))
    assert (last.detection, last.false_foci_per_liver) == pytest.approx((0.0, 1 / 3))


DOUBTFUL_LESIONS = [
    lesion(0, 1),
    lesion(0, 2, pet_status="negative", reason="small_size"),
    lesion(1, 3),
    lesion(1, 4, pet_status="negative", reason="misregistration"),
    lesion(1, 5, pet_status="retrospective", reason="misregistration"),
    lesion(1, 6, pet_status="not_covered"),
    lesion(1, 7, kind="cyst"),
    lesion(1, 8, source="pet", reason="misregistration"),
    lesion(2, 9, pet_status="negative"),
]


def _with_doubtful(folder: Path) -> Lesionwise:
    """Two lesions where the registration holds, four where it does not, one where it is cleared."""
    calls: list[tuple[str, str]] = [(YES, YES), (MAYBE, YES), (YES, YES)]
    doubts = ["false", "true", "true"]
    table = read_calls(batch(folder, calls, DOUBTFUL_LESIONS, is_doubtful=doubts))
    found = assemble(table, options=QUICK).lesions
    assert found is not None
    return found


def test_lesions_of_a_doubtful_registration_are_left_out_and_counted(tmp_path: Path) -> None:
    found = _with_doubtful(tmp_path / "b")
    assert (found.overall.detected, found.overall.lesions, found.overall.not_covered) == (1, 3, 0)
    assert (found.missed["small_size"], found.missed["misregistration"]) == (1, 0)
    assert (found.false_foci.foci, found.false_foci.livers) == (0, 2)
    assert found.by_kind[0].name == "metastasis"
    assert (found.doubted.studies, found.doubted.foci) == (1, 1)
    alone = found.doubted.as_found
    assert (alone.detected, alone.retrospective, alone.lesions, alone.not_covered) == (1, 1, 3, 1)


def test_lesions_of_a_doubtful_registration_are_taken_each_way(tmp_path: Path) -> None:
    doubted = _with_doubtful(tmp_path / "b").doubted
    ways = (doubted.with_missed, doubted.with_found, doubted.with_detected)
    assert [(way.detected, way.lesions) for way in ways] == [(1, 6), (2, 6), (4, 6)]


def test_the_table_of_lesions_says_what_doubt_leaves_out(tmp_path: Path) -> None:
    calls: list[tuple[str, str]] = [(YES, YES), (MAYBE, YES)]
    doubts = ["false", "true"]
    folder = batch(tmp_path / "b", calls, DOUBTFUL_LESIONS[:-1], is_doubtful=doubts)
    write_accuracy(folder, tmp_path / "out", options=QUICK)
    every = rows_of(tmp_path / "out/tables/lesions.csv")
    rows = [row for row in every if row["view"] == "doubtful"]
    assert [(row["group"], row["detected"], row["lesions"]) for row in rows] == [
        ("these alone, as found", "1", "3"),
        ("with these as found", "2", "5"),
        ("with these as detected", "4", "5"),
        ("with these as missed", "1", "5"),
    ]
    written = json.loads((tmp_path / "out/accuracy.json").read_text())["lesions"]["doubtful"]
    assert (written["studies"], written["foci"], len(written["groups"])) == (1, 1, 4)
    page = (tmp_path / "out/accuracy.html").read_text()
    assert "registration is doubtful (3 lesions in 1 study)" in page
    assert "1 focus in 1 study whose registration is doubtful" in page


def test_a_study_doubtful_for_its_liver_alone_leaves_its_lesions_in(tmp_path: Path) -> None:
    rows = [lesion(n, n, pet_status="negative") for n in range(3)]
    calls: list[tuple[str, str]] = [(MAYBE, YES)] * 3
    others = {"is_doubtful": ["true"] * 3, "doubtful_for": ["liver", "registration;liver", ""]}
    table = read_calls(batch(tmp_path / "b", calls, rows, **others))
    found = assemble(table, options=QUICK).lesions
    assert found is not None
    assert (found.overall.lesions, found.doubted.studies, found.doubted.as_found.lesions) == (
        2, 1, 1,
    )  # fmt: skip


def test_a_call_uncertain_for_coverage_leaves_its_lesions_in(tmp_path: Path) -> None:
    rows = [lesion(0, 1), lesion(1, 2, pet_status="negative")]
    calls: list[tuple[str, str]] = [(YES, YES), (MAYBE, YES)]
    table = read_calls(batch(tmp_path / "b", calls, rows, is_doubtful=["true", "false"]))
    found = assemble(table, options=QUICK).lesions
    assert found is not None
    assert (found.overall.detected, found.overall.lesions, found.doubted.studies) == (1, 2, 0)


def test_the_prediction_is_the_chance_that_contrast_suffices(tmp_path: Path) -> None:
    # at the median of the log-normal of mean 3.4 and SD 2.3 the chance is one half
    median = 3.4 / np.sqrt(1 + (2.3 / 3.4) ** 2)
    rows = [lesion(0, 1, least_visible_ratio=f"{median:.9f}")]
    report = assemble(read_calls(batch(tmp_path / "b", [(YES, YES)], rows)), options=QUICK)
    assert report.lesions is not None
    assert report.lesions.overall.predicted == pytest.approx(0.5, abs=1e-6)


def test_livers_without_foci_have_no_interval_by_patient(tmp_path: Path) -> None:
    rows = [lesion(study) for study in range(6)]
    table = read_calls(batch(tmp_path / "b", [(YES, YES)] * 6, rows))
    lesions = assemble(table, options=QUICK).lesions
    assert lesions is not None
    assert isinstance(lesions.false_foci.exact, Interval)
    assert lesions.false_foci.clustered == Undefined("no variation between clusters")


def test_a_batch_is_written_with_its_figures(tmp_path: Path) -> None:
    folder = batch(tmp_path / "batch", [(YES, YES), (NO, YES)] * 30, many_lesions())
    report = write_accuracy(folder, tmp_path / "out", options=QUICK)
    figures = sorted(path.name for path in (tmp_path / "out" / "figures").iterdir())
    assert figures == ["detection.svg", "flow.svg", "forest.svg", "free_response.svg"]
    assert report.lesions is not None
    assert not isinstance(report.lesions.curve, Undefined)
    half = report.lesions.curve.size_for(0.5)
    assert isinstance(half, float)
    assert 5.0 < half < 11.0


def test_a_batch_that_failed_throughout_has_a_lesions_table_without_columns(
    tmp_path: Path,
) -> None:
    folder = batch(tmp_path / "batch", [("", "")], [])
    (folder / "lesions.csv").write_text("study_id,patient_id\n")
    assert read_calls(folder).lesions == ()


def test_a_batch_without_lesions_is_written(tmp_path: Path) -> None:
    folder = batch(tmp_path / "batch", [(NO, NO)] * 3, [])
    report = write_accuracy(folder, tmp_path / "out", options=QUICK)
    assert report.lesions is not None
    assert report.lesions.overall.detection.value == Undefined("no lesions")
    assert not (tmp_path / "out" / "figures" / "detection.svg").exists()

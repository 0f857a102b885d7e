"""From tables of calls to accuracy.json, tables, figures and pages."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionmatch.accuracy.values import Undefined
from lesionmatch.errors import InvalidInput, InvalidOption, UnusableOutput
from lesionmatch.evaluation import taxonomy
from lesionmatch.evaluation.assemble import assemble
from lesionmatch.evaluation.flow import calls_flow
from lesionmatch.evaluation.reading import read_calls
from lesionmatch.evaluation.record import record
from lesionmatch.evaluation.rows import Call, CallsTable, StudyCalls
from lesionmatch.evaluation.sheet import Cell, Form
from lesionmatch.evaluation.stard import FOR_PEOPLE, accuracy_items
from lesionmatch.evaluation.study_sheets import reasons_sheets
from lesionmatch.evaluation.summary import Options, summarise
from lesionmatch.report.accuracy import write_accuracy
from lesionmatch.report.accuracy_figures import forest
from lesionmatch.report.accuracy_page import headline
from lesionmatch.report.flow import flow_diagram
from lesionmatch.report.sheets import in_words
from tests.accuracy_tables import (
    MAYBE,
    NO,
    PAPER,
    QUICK,
    YES,
    batch,
    calls_csv,
    many_lesions,
    rows_of,
    studies,
)


def test_the_papers_table_gives_the_papers_figures_to_the_printed_digit(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", PAPER)
    write_accuracy(calls, tmp_path / "out", options=QUICK)
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert found["table"] == {"tp": 1634, "fp": 16, "fn": 51, "tn": 682, "uncertain": 0}
    for name, estimate, lower, upper, n in [
        ("sensitivity", 97.0, 96.0, 97.7, 1685),
        ("specificity", 97.7, 96.3, 98.7, 698),
        ("ppv", 99.0, 98.4, 99.4, 1650),
        ("npv", 93.0, 91.0, 94.8, 733),
    ]:
        one = found[name]
        assert round(100 * one["estimate"], 1) == estimate
        assert [round(100 * bound, 1) for bound in one["exact"]] == [lower, upper]
        assert one["n"] == n
    assert round(found["kappa"]["estimate"], 2) == 0.93
    assert [round(bound, 2) for bound in found["kappa"]["exact"]] == [0.92, 0.95]
    assert found["kappa"]["exact_method"] == "asymptotic (Fleiss-Cohen-Everitt)"
    assert round(found["mcnemar"]["statistic"], 4) == 18.2836
    assert found["mcnemar"]["p"] == pytest.approx(1.9034e-05, rel=1e-4)
    assert found["mcnemar"]["exact_p"] == pytest.approx(2.1689e-05, rel=1e-4)
    assert found["mcnemar"]["midp"] == pytest.approx(1.4074e-05, rel=1e-4)
    assert round(found["rates"]["p"], 3) == 0.324


def test_predictive_values_stand_beside_the_prevalence_they_hold_at(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", PAPER)
    report = write_accuracy(calls, tmp_path / "out", options=Options(draws=0))
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert round(100 * found["prevalence"]["estimate"], 1) == 70.7
    assert round(100 * found["positive_calls"]["estimate"], 1) == 69.2
    assert headline(report)[4].startswith("Involved on the MRI (prevalence) 70.7 % (95 % CI ")
    table = rows_of(tmp_path / "out" / "tables" / "measures.csv")
    assert [row["n"] for row in table[-2:]] == ["2383", "2383"]


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([(YES, YES), (MAYBE, YES)], "Left out of 2 studies: 1 uncertain."),
        ([(MAYBE, MAYBE)] * 2 + [(None, None)], "Left out of 3 studies: 2 uncertain and 1 without"),
        ([(YES, YES)], "Missed 0, called too much 0"),
    ],
)
def test_a_headline_ends_with_what_it_leaves_out(
    calls: list[tuple[Call | None, Call | None]], said: str
) -> None:
    assert headline(assemble(studies(calls), options=QUICK))[-1].startswith(said)


def test_a_headline_says_its_level_and_why_an_interval_is_missing() -> None:
    agreed = assemble(studies([(YES, YES)] * 9 + [(NO, NO)] * 9), options=Options(0.9, 0))
    assert headline(agreed)[0].startswith("Sensitivity 100.0 % (90 % CI 71.7–100.0 exact, ")
    assert headline(agreed)[5] == (
        "Kappa 1.00 (no interval: no disagreement, or one answer throughout: the asymptotic "
        "error is none; n = 18)."
    )
    chance = assemble(studies([(YES, YES), (YES, NO), (NO, YES), (NO, NO)]), options=QUICK)
    assert headline(chance)[5].startswith("Kappa 0.00 (95 % CI -0.98 to 0.98 asymptotic, ")


def test_a_measure_without_an_error_has_no_bootstrap(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", [(YES, YES)] * 8 + [(NO, NO)] * 4 + [(YES, NO)] * 4)
    write_accuracy(calls, tmp_path / "out", options=QUICK)
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert "bootstrap" not in found["sensitivity"]
    assert "bootstrap" in found["specificity"]


def test_the_paper_s_causes_add_up_to_its_discordant_studies() -> None:
    assert sum(cause.printed or 0 for cause in taxonomy.MISSED) == 51
    assert sum(cause.printed or 0 for cause in taxonomy.CALLED) == 16


def test_reasons_are_known_however_they_are_spelled() -> None:
    counts = taxonomy.counted(
        taxonomy.MISSED, ["small_size", "Small size", "small-size", "Seen later"]
    )
    assert counts["small_size"] == 3
    assert counts["Seen later"] == 1


def test_json_has_every_promised_key(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", [(YES, YES), (NO, NO), (YES, NO), (NO, YES)])
    write_accuracy(calls, tmp_path / "out", options=QUICK)
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert found["schema"] == 1
    for name in ("sensitivity", "specificity", "ppv", "npv", "accuracy", "kappa"):
        assert {"estimate", "exact", "clustered", "n"} <= set(found[name])
    assert {"statistic", "p", "exact_p", "midp", "clustered_p"} <= set(found["mcnemar"])
    assert {"rates", "reasons", "uncertain_calls", "by", "flow"} <= set(found)


def test_what_is_undefined_is_null_with_a_reason(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", [(NO, NO), (YES, NO)])
    write_accuracy(calls, tmp_path / "out", options=QUICK)
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert found["sensitivity"]["estimate"] is None
    assert found["sensitivity"]["exact"] is None
    assert found["sensitivity"]["undefined"] == "no positives by the reference"
    assert found["rates"]["undefined"] == "no positives or no negatives by the reference"
    assert "n/a (no positives by the reference)" in (tmp_path / "out" / "accuracy.html").read_text()


def test_a_table_of_nothing_but_failures_is_written(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", [("", ""), ("", "")], why=["broken", "no PET"])
    report = write_accuracy(calls, tmp_path / "out", options=QUICK)
    assert report.summary.missing == 2
    page = (tmp_path / "out" / "accuracy.html").read_text()
    assert "S0: broken" in page
    assert "S1: no PET" in page


def test_clustered_intervals_are_wider_where_a_patients_studies_are_alike() -> None:
    # 100 patients of 4 studies; the studies of a patient are all right or all wrong
    cells = [(YES, YES)] * 80 + [(NO, YES)] * 20
    alike = CallsTable(
        "table",
        tuple(
            StudyCalls(f"S{p}-{k}", f"P{p}", *cell)
            for p, cell in enumerate(cells)
            for k in range(4)
        ),
        None,
        (),
    )
    one = assemble(alike, options=QUICK).summary.estimates["sensitivity"]
    assert one.value == pytest.approx(0.8)
    assert one.design_effect == pytest.approx(4 * 100 / 99)
    assert not isinstance(one.exact, Undefined)
    assert not isinstance(one.clustered, Undefined)
    assert one.clustered.upper - one.clustered.lower > 1.8 * (one.exact.upper - one.exact.lower)


def test_kappa_is_worth_half_where_each_patient_has_the_same_study_twice() -> None:
    cells = [(YES, YES)] * 20 + [(YES, NO)] * 4 + [(NO, YES)] * 6 + [(NO, NO)] * 10
    found = assemble(studies([*cells, *cells], patients=40), options=QUICK).summary
    assert found.estimates["kappa"].design_effect == pytest.approx(2 * 40 / 39)


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.sampled_from([YES, NO, MAYBE, None])] * 2), min_size=1, max_size=30))
def test_every_study_is_counted_once_and_bounds_hold_the_extremes(
    calls: list[tuple[Call | None, Call | None]],
) -> None:
    report = assemble(studies(calls, patients=7), options=Options(draws=0))
    summary, found = report.summary, report.uncertain
    assert summary.table.total + summary.uncertain + summary.missing == len(calls)
    assert found.as_involved.table.total == len(calls) - summary.missing
    for name, bounds in found.bounds.items():
        for view in (found.as_involved, found.as_not_involved):
            value = view.estimates[name].value
            if isinstance(value, float):
                assert not isinstance(bounds, Undefined)
                assert bounds[0] - 1e-9 <= value <= bounds[1] + 1e-9
    json.dumps(record(report), allow_nan=False)


def test_uncertain_calls_are_shown_both_ways() -> None:
    calls = [*[(YES, YES)] * 8, *[(NO, NO)] * 8, (MAYBE, YES), (MAYBE, NO)]
    report = assemble(studies(calls), options=QUICK)
    found = report.uncertain
    assert (found.pet, found.mri, report.summary.uncertain) == (2, 0, 2)
    assert found.as_involved.table.tp == 9
    assert found.as_involved.table.fp == 1
    assert found.as_not_involved.table.fn == 1
    assert found.bounds["sensitivity"] == pytest.approx((8 / 9, 1.0))


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = batch(tmp_path / "batch", [(YES, YES), (NO, YES)] * 30, many_lesions())
    for name in ("a", "b"):
        write_accuracy(folder, tmp_path / name, options=QUICK)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) > 15
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_strata_are_tested_for_a_difference(tmp_path: Path) -> None:
    cells = [(YES, YES)] * 40 + [(NO, YES)] * 20 + [(NO, NO)] * 20
    tracer = (["TOC"] * 38 + ["TATE"] * 2) + (["TATE"] * 19 + ["TOC"]) + ["TOC", "TATE"] * 10
    calls = calls_csv(tmp_path / "calls.csv", cells, tracer=tracer)
    report = write_accuracy(calls, tmp_path / "out", by=["tracer"], options=QUICK)
    (found,) = report.strata
    assert [stratum.value for stratum in found.strata] == ["TATE", "TOC"]
    test = found.differs["sensitivity"]
    assert not isinstance(test, Undefined)
    assert test.p < 1e-6
    (row, _) = rows_of(tmp_path / "out" / "tables" / "by_tracer.csv")
    assert (row["tp"], row["fn"]) == ("2", "19")


def test_a_stratum_without_calls_does_not_undo_the_test(tmp_path: Path) -> None:
    wrong = {3, 8, 12, 17, 23, 30, 41, 55}
    cells = [(NO if k in wrong else YES, YES) for k in range(60)]
    sites = ["A" if k % 4 < 2 else "B" for k in range(60)]
    found = []
    for name, more in (("full.csv", []), ("failed.csv", [("", "")] * 2)):
        calls = calls_csv(tmp_path / name, cells + more, site=sites + [""] * len(more))
        (strata,) = assemble(read_calls(calls), by=["site"], options=QUICK).strata
        found.append((len(strata.strata), strata.differs["sensitivity"]))
    assert [count for count, _ in found] == [2, 3]
    assert found[0][1] == found[1][1]
    assert not isinstance(found[0][1], Undefined)


def test_years_are_strata_of_dates(tmp_path: Path) -> None:
    dates = ["2019-05-01", "2020-01-31", ""]
    calls = calls_csv(tmp_path / "calls.csv", [(YES, YES)] * 3, study_date=dates)
    (found,) = assemble(read_calls(calls), by=["study_date"], options=QUICK).strata
    assert [stratum.value for stratum in found.strata] == ["not given", "2019", "2020"]


def test_columns_that_are_not_there_or_no_strata_are_refused(tmp_path: Path) -> None:
    ids = [f"x{k}" for k in range(40)]
    calls = read_calls(calls_csv(tmp_path / "calls.csv", [(YES, YES)] * 40, serial=ids))
    with pytest.raises(InvalidInput, match="columns to stratify by: serial"):
        assemble(calls, by=["tracer"], options=QUICK)
    with pytest.raises(InvalidInput, match="at most 30 values, got 40"):
        assemble(calls, by=["serial"], options=QUICK)


def test_every_item_of_stard_is_answered_or_left_to_people() -> None:
    answered = {int(one.number) for one in accuracy_items(assemble(studies(PAPER), options=QUICK))}
    cohort = {6, 7, 8, 19, 20, 22}
    people: set[int] = set()
    for part in FOR_PEOPLE.split(", "):
        first, _, last = part.partition("-")
        people |= set(range(int(first), int(last or first) + 1))
    assert answered | cohort | people == set(range(1, 31))
    assert not people & (answered | cohort)


def test_interval_days_are_summarised_for_stard(tmp_path: Path) -> None:
    days = ["10", "20", "30", ""]
    calls = calls_csv(tmp_path / "calls.csv", [(YES, YES)] * 4, interval_days=days)
    report = write_accuracy(calls, tmp_path / "out", options=QUICK)
    assert record(report)["interval_days"] == {
        "studies": 3, "median": 20.0, "quartiles": [15.0, 25.0], "range": [10.0, 30.0],
    }  # fmt: skip
    assert "median 20 days" in (tmp_path / "out" / "accuracy.html").read_text()


def test_reasons_fill_the_rows_of_the_papers_tables() -> None:
    causes = [*["small_size"] * 36, *["subcapsular"] * 6, *["near_vessel"] * 3]
    causes += ["low_uptake_benign"] * 2 + ["low_uptake_haemangioma"] + ["misregistration"] * 2
    rows = [
        StudyCalls(f"S{k}", f"P{k}", NO, YES, why) for k, why in enumerate([*causes, "noisy_liver"])
    ]
    report = assemble(CallsTable("table", tuple(rows), None, ()), options=QUICK)
    sheet, _ = reasons_sheets(report)
    printed = {row[0]: row[-1] for row in sheet.rows if row[-1] is not None}
    counted = {row[0]: row[3] for row in sheet.rows}
    assert printed["total"] == 51
    assert all(counted[code] == count for code, count in printed.items())
    first = sheet.rows[0]
    assert [round(100 * float(cell or 0), 1) for cell in first[4:7]] == [70.6, 56.2, 82.5]


def test_no_reason_is_lost() -> None:
    found = taxonomy.counted(taxonomy.CALLED, ["cyst", "artefact_vascular", "", "my_own", "my_own"])
    assert found["cyst"] == found["vascular_or_biliary"] == found["unexplained"] == 1
    assert found["my_own"] == 2
    assert sum(found.values()) == 5


def test_nothing_in_a_table_can_run_in_a_page_or_a_spreadsheet(tmp_path: Path) -> None:
    calls = calls_csv(
        tmp_path / "calls.csv", [(NO, YES), (YES, NO)],
        reason=["=cmd()", "<script>alert(1)</script>"], why=["<b>x</b>", "@x"],
    )  # fmt: skip
    write_accuracy(calls, tmp_path / "out", options=QUICK)
    for name in ("accuracy.html", "worklist.html"):
        page = (tmp_path / "out" / name).read_text()
        assert "<script>alert" not in page
        assert "<b>x</b>" not in page
        assert "Content-Security-Policy" in page
    for path in (tmp_path / "out").rglob("*.csv"):
        assert not re.search(r"(^|,)[=@]", path.read_text(), re.MULTILINE), path.name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 1.0}, "--level: wanted 0.5 to below 1, got 1"),
        ({"level": 0.49}, "--level: wanted 0.5 to below 1, got 0.49"),
        ({"draws": -1}, "--draws: wanted 0 to 100,000, got -1"),
        ({"draws": 100_001}, "--draws: wanted 0 to 100,000, got 100001"),
        ({"seed": -1}, "--seed: wanted 0 or more, got -1"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        Options(**options)


def test_an_output_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", [(YES, YES)])
    with pytest.raises(UnusableOutput, match="wanted a folder that can be made"):
        write_accuracy(calls, calls / "out", options=QUICK)


def test_the_forest_shows_both_intervals_of_each_measure() -> None:
    summary = summarise(studies(PAPER, patients=900).studies, QUICK)
    axes = forest(summary.estimates, "").axes[0]
    drawn = [(np.asarray(line.get_xdata()), line.get_linestyle()) for line in axes.lines]
    spans = [(ends, style) for ends, style in drawn if len(ends) == 2 and ends[0] != ends[1]]
    assert len(spans) == 12
    assert [round(100 * float(end), 1) for end in spans[0][0]] == [96.0, 97.7]
    assert axes.get_yticklabels()[0].get_text() == "Sensitivity"
    assert spans[0][1] != spans[1][1]


def test_the_forest_starts_at_nothing_unless_kappa_is_below_it() -> None:
    alone = summarise(studies([(YES, YES)]).studies, QUICK)
    assert forest(alone.estimates, "").axes[0].get_xlim()[0] == 0.0
    apart = summarise(studies([(YES, NO), (NO, YES), (YES, YES)]).studies, QUICK)
    assert forest(apart.estimates, "").axes[0].get_xlim()[0] == -1.0


def test_the_flow_diagram_counts_one_as_one() -> None:
    flow = calls_flow(assemble(studies([(YES, YES)]), options=QUICK))
    said = [text.get_text() for text in flow_diagram(flow).axes[0].texts]
    assert said[1] == "1 study of 1 patient"


def test_the_flow_diagram_names_every_count() -> None:
    flow = calls_flow(assemble(studies([*PAPER, (None, None), (MAYBE, YES)]), options=QUICK))
    said = "\n".join(text.get_text() for text in flow_diagram(flow).axes[0].texts)
    for part in (
        "2,385 studies of 2,385 patients",
        "Left out: 2",
        "PET involved: 1,650",
        "51  MRI",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        (0.96973, "share", "97.0 %"),
        (1234, "count", "1,234"),
        (1.9e-5, "p", "< 0.0001"),
        (0.0034, "p", "0.0034"),
        (0.3236, "p", "0.324"),
        (42.3046, "number", "42.3"),
        (0.9331, "number", "0.933"),
        (4.0, "mm", "4.0"),
        (None, "number", ""),
        ("near_vessel", "text", "near vessel"),
    ],
)
def test_cells_are_shown_as_journals_print_them(cell: Cell, form: Form, expected: str) -> None:
    assert in_words(cell, form) == expected

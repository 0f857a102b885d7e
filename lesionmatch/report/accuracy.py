"""The accuracy verb: a table of calls in, accuracy.json, tables, figures and pages out."""

import os
from collections.abc import Sequence
from pathlib import Path

from lesionmatch.evaluation.assemble import AccuracyReport, assemble
from lesionmatch.evaluation.flow import calls_flow, flow_values
from lesionmatch.evaluation.lesion_sheets import foci_sheet, lesion_sheet, missed_sheet
from lesionmatch.evaluation.reader_sheets import against_sheet, pairs_sheet
from lesionmatch.evaluation.reading import read_calls, read_decisions, read_readers
from lesionmatch.evaluation.record import record
from lesionmatch.evaluation.rows import CallsTable
from lesionmatch.evaluation.sheet import Sheet
from lesionmatch.evaluation.study_sheets import (
    decisions_sheet,
    further_sheet,
    measures_sheet,
    reasons_sheets,
    strata_sheet,
    table_sheet,
    tests_sheet,
    uncertain_sheet,
)
from lesionmatch.evaluation.summary import Options
from lesionmatch.output import make_folders, write_json, write_text
from lesionmatch.report.accuracy_page import Drawn, accuracy_page
from lesionmatch.report.figures import write_svg
from lesionmatch.report.sheets import write_sheet
from lesionmatch.report.worklist import worklist_page, worklist_sheet


def write_accuracy(
    calls: Path,
    out: Path,
    *,
    by: Sequence[str] = (),
    readers: Path | None = None,
    decisions: Path | None = None,
    options: Options | None = None,
) -> AccuracyReport:
    """Evaluate `calls` (a batch's folder or a CSV) into the folder `out`; also return it.

    Writes accuracy.json, tables/*.csv, figures/*.svg, accuracy.html, worklist.csv and
    worklist.html. Raises `InvalidInput`, `NothingFound`, `UnusableOutput`.
    """
    options = options or Options()
    table = read_calls(calls)
    report = assemble(
        table,
        by=by,
        calls=read_readers(readers) if readers else (),
        decisions=read_decisions(decisions) if decisions else (),
        options=options,
    )
    make_folders(out, "tables", "figures")
    write_json(out / "accuracy.json", {**record(report), "flow": flow_values(calls_flow(report))})
    sheets = report_sheets(report)
    for sheet in sheets:
        write_sheet(out / "tables" / f"{sheet.name}.csv", sheet)
    drawn = Drawn.of(report)
    for name, figure in drawn.figures.items():
        write_svg(out / "figures" / f"{name}.svg", figure)
    write_text(out / "accuracy.html", accuracy_page(report, sheets, drawn))
    _write_worklist(out, report, table)
    return report


def report_sheets(report: AccuracyReport) -> tuple[Sheet, ...]:
    """Every table of the report, in the order of the page."""
    sheets = [
        table_sheet(report.summary.table),
        measures_sheet("measures", "Measures", report.summary),
        tests_sheet(report),
        *reasons_sheets(report),
        uncertain_sheet(report),
        *(strata_sheet(found) for found in report.strata),
    ]
    if report.lesions is not None:
        sheets += [
            lesion_sheet(report.lesions),
            missed_sheet(report.lesions),
            foci_sheet(report.lesions),
        ]
    if report.readers is not None:
        sheets += [pairs_sheet(report.readers), against_sheet(report.readers)]
    if report.consensus is not None:
        title = "Measures after what persons settled"
        sheets += [
            measures_sheet("consensus", title, report.consensus),
            decisions_sheet(report),
        ]
    return (*sheets, further_sheet(report.summary))


def _write_worklist(out: Path, report: AccuracyReport, table: CallsTable) -> None:
    write_sheet(out / "worklist.csv", worklist_sheet(report.items))
    folder = None if table.folder is None else Path(os.path.relpath(table.folder, out))
    write_text(out / "worklist.html", worklist_page(report, folder))

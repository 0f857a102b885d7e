"""The page of an accuracy report: what a person prints and reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

import lesionmatch
from lesionmatch.accuracy.values import Interval, Test, Undefined
from lesionmatch.evaluation.assemble import AccuracyReport
from lesionmatch.evaluation.flow import calls_flow
from lesionmatch.evaluation.sheet import Sheet
from lesionmatch.evaluation.stard import FOR_PEOPLE, accuracy_items
from lesionmatch.evaluation.study_sheets import NAMES
from lesionmatch.evaluation.summary import Estimate, Summary
from lesionmatch.report.accuracy_figures import detection_by_size, forest, free_response
from lesionmatch.report.figures import svg_address
from lesionmatch.report.flow import flow_diagram
from lesionmatch.report.page import rendered
from lesionmatch.report.sheets import in_words, shown, span
from lesionmatch.wording import enumerated, number_of

CAPTIONS = {
    "forest": "Each measure with two intervals. Filled circle, solid line: exact, as if each "
    "study were a patient of its own. Open square, dashed line: studies of a patient together.",
    "flow": "From the rows of the calls table to its four cells.",
    "detection": "Points: measured in each size bin, at its median size, with the interval by "
    "patient. Solid line and band: logistic fit. Dashed: what the blur and noise of the PET let "
    "one expect of metastases of usual uptake, none of it fitted to these calls.",
    "free_response": "What would be detected, and how many foci without a lesion on the MRI "
    "would be called, if only uptake above a rising contrast-to-noise counted.",
}


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The figures of a report, by the name of their file."""

    figures: dict[str, Figure]

    @classmethod
    def of(cls, report: AccuracyReport) -> "Drawn":
        """Draw all that the report has the numbers for."""
        figures = {
            "forest": forest(report.summary.estimates, "PET against the MRI"),
            "flow": flow_diagram(calls_flow(report)),
        }
        if report.lesions is not None and report.lesions.overall.lesions:
            figures["detection"] = detection_by_size(report.lesions)
            if report.lesions.false_foci.operating:
                figures["free_response"] = free_response(report.lesions.false_foci)
        return cls(figures)


def accuracy_page(report: AccuracyReport, sheets: Sequence[Sheet], drawn: Drawn) -> str:
    """The page as HTML that needs nothing beside it."""
    return rendered(
        "accuracy.html.j2",
        styles=("style.css", "accuracy.css"),
        title="Accuracy of PET against MRI",
        version=lesionmatch.__version__,
        headline=headline(report),
        facts=_facts(report),
        figures=[
            {"name": name, "address": svg_address(figure), "caption": CAPTIONS[name]}
            for name, figure in drawn.figures.items()
        ],
        sheets=[shown(sheet) for sheet in sheets],
        items=accuracy_items(report),
        for_people=FOR_PEOPLE,
        missing=[study for study in report.studies if study.is_missing],
        worklist=number_of(len(report.items), "study") if report.items else "",
    )


def headline(report: AccuracyReport) -> list[str]:
    """The answer in sentences."""
    summary = report.summary
    measures, level = summary.estimates | summary.shares, summary.level
    shares = ("sensitivity", "specificity", "ppv", "npv", "prevalence")
    lines = [_share(NAMES[name], measures[name], level) for name in shares]
    lines += [_kappa(measures["kappa"], level), _counts_and_rates(report)]
    return [*lines, *_left_out(summary)]


def _left_out(summary: Summary) -> list[str]:
    """What is in none of these figures, as one sentence or none."""
    parts = ((summary.uncertain, "uncertain"), (summary.missing, "without a call"))
    if not any(count for count, _ in parts):
        return []
    studies = number_of(summary.table.total + summary.uncertain + summary.missing, "study")
    named = enumerated([f"{count} {why}" for count, why in parts if count])
    return [f"Left out of {studies}: {named}."]


def _share(name: str, one: Estimate, level: float) -> str:
    if not isinstance(one.value, float):
        return f"{name}: {one.value}."
    bounds = _intervals(one, level, "exact", lambda value: f"{100 * value:.1f}")
    return f"{name} {100 * one.value:.1f} % ({bounds}; n = {one.n:,})."


def _kappa(one: Estimate, level: float) -> str:
    if not isinstance(one.value, float):
        return f"Kappa: {one.value}."
    bounds = _intervals(one, level, "asymptotic", lambda value: f"{value:.2f}")
    return f"Kappa {one.value:.2f} ({bounds}; n = {one.n:,})."


def _intervals(one: Estimate, level: float, method: str, written: Callable[[float], str]) -> str:
    """The intervals there are, by `method` and by patient; if none, why."""
    given = [
        f"{span(written(bounds.lower), written(bounds.upper))} {by}"
        for bounds, by in ((one.exact, method), (one.clustered, "by patient"))
        if isinstance(bounds, Interval)
    ]
    if not given:
        return f"no interval: {one.exact.reason if isinstance(one.exact, Undefined) else ''}"
    return f"{100 * level:g} % CI {', '.join(given)}"


def _counts_and_rates(report: AccuracyReport) -> str:
    counts, rates = report.counts["obuchowski"], report.rates["clustered"]
    table = report.summary.table
    return (
        f"Missed {table.fn}, called too much {table.fp}: counts {_p(counts)}, rates {_p(rates)} "
        "(both by patient)."
    )


def _p(test: Test | Undefined) -> str:
    if isinstance(test, Undefined):
        return str(test)
    text = in_words(test.p, "p")
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _facts(report: AccuracyReport) -> list[tuple[str, str]]:
    options = report.options
    origin = {"batch": "a batch's output", "table": "a table of calls"}[report.origin]
    return [
        ("Calls from", origin),
        ("Studies", f"{len(report.studies):,}"),
        ("Patients", f"{report.patients:,}"),
        ("In the table", f"{report.summary.table.total:,}"),
        ("Uncertain", f"{report.summary.uncertain:,}"),
        ("No call", f"{report.summary.missing:,}"),
        ("Doubtful registration or liver", f"{report.doubtful:,}"),
        ("To look at", f"{number_of(len(report.items), 'study')}, worklist.html"),
        ("Intervals", f"{100 * options.level:g} %"),
        ("Bootstrap", f"{options.draws:,} draws of patients, seed {options.seed}"),
    ]

"""The flow of studies from all there were to those in the table, as counts.

The same value is drawn as a figure and written as JSON, for a cohort and for a table of calls.
"""

from dataclasses import dataclass
from typing import Any

from lesionmatch.evaluation.assemble import AccuracyReport
from lesionmatch.wording import plural


@dataclass(frozen=True, slots=True)
class Excluded:
    """What left the flow at a step, and why."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the flow; `excluded` leave after it."""

    title: str
    count: int
    noun: str
    """What is counted, one of it."""
    patients: int | None = None
    excluded: tuple[Excluded, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One of the ends the flow parts into."""

    title: str
    count: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps from the first to the last, then the ends."""

    steps: tuple[Step, ...]
    leaves: tuple[Leaf, ...] = ()


def calls_flow(report: AccuracyReport) -> Flow:
    """From the rows of the table to its four cells (STARD item 19)."""
    summary = report.summary
    table = summary.table
    left = (
        Excluded("no call on PET or MRI", summary.missing),
        Excluded("uncertain on PET or MRI", summary.uncertain),
    )
    return Flow(
        (
            Step("Studies", len(report.studies), "study", report.patients, left),
            Step("PET and MRI both called", table.total, "study", summary.patients),
        ),
        (
            Leaf(
                "PET involved",
                table.tp + table.fp,
                (("MRI involved (TP)", table.tp), ("MRI not involved (FP)", table.fp)),
            ),
            Leaf(
                "PET not involved",
                table.fn + table.tn,
                (("MRI involved (FN)", table.fn), ("MRI not involved (TN)", table.tn)),
            ),
        ),
    )


def flow_values(flow: Flow) -> dict[str, Any]:
    """The flow for JSON."""
    return {
        "steps": [
            {
                "title": step.title,
                "count": step.count,
                "unit": plural(step.noun),
                "patients": step.patients,
                "excluded": {one.reason: one.count for one in step.excluded},
            }
            for step in flow.steps
        ],
        "ends": [
            {"title": leaf.title, "count": leaf.count, **dict(leaf.parts)} for leaf in flow.leaves
        ],
    }

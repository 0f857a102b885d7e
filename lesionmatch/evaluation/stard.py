"""The items of STARD 2015 a program can fill from the tables, and those it leaves to people.

Bossuyt et al., BMJ 2015;351:h5527. An item is filled with what is known and says where;
nothing is claimed for the items that need a person.
"""

from dataclasses import dataclass

from lesionmatch.evaluation.assemble import AccuracyReport

FOR_PEOPLE = "1-5, 9, 11, 13, 18, 21, 25-30"
"""Items no table holds: design, rationale, blinding, severity, registration, funding and the like.

All others are answered by the calls or by the cohort.
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the checklist, as far as it can be had."""

    number: str
    asks: str
    answer: str


def accuracy_items(report: AccuracyReport) -> tuple[Item, ...]:
    """The items that the calls answer."""
    options, summary = report.options, report.summary
    per_study = len(report.studies) / report.patients
    strata = ", ".join(one.column for one in report.strata) or "none asked for (--by)"
    on_page = "on the page of each study" if report.origin == "batch" else "not in a table of calls"
    return (
        Item("10", "index test and reference standard", f"scans, SUV, segmentations: {on_page}"),
        Item("12", "definition of positivity", f"thresholds and their sources: {on_page}"),
        Item(
            "14",
            "methods for estimating accuracy",
            f"Clopper-Pearson and, with patients as clusters, Korn-Graubard intervals at "
            f"{100 * options.level:g} %; cluster bootstrap of {options.draws} draws, seed "
            f"{options.seed}; McNemar plain, exact, mid-p and clustered (Obuchowski)",
        ),
        Item(
            "15",
            "indeterminate results",
            f"{summary.uncertain} studies uncertain; left out of the table and shown under both "
            "extremes",
        ),
        Item("16", "missing data", f"{summary.missing} studies gave no call; listed above"),
        Item("17", "variability, subgroups", f"by {strata}"),
        Item(
            "19",
            "flow of participants",
            f"{len(report.studies)} studies of {report.patients} patients "
            f"({per_study:.2f} a patient); figure",
        ),
        Item("22", "interval between the tests", _interval(report)),
        Item("23", "cross tabulation", "Table 1"),
        Item("24", "estimates and precision", "measures with exact and clustered intervals"),
    )


def _interval(report: AccuracyReport) -> str:
    spread = report.interval_days
    if spread is None:
        return "not known: the calls table has no column interval_days"
    lower, upper = spread.quartiles
    return (
        f"median {spread.median:g} days, quartiles {lower:g} to {upper:g}, "
        f"range {spread.least:g} to {spread.most:g} ({spread.count} studies)"
    )

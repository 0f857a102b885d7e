"""Tables of studies: the paper's three, the measures, the tests, strata, decisions."""

from collections.abc import Sequence

from lesionmatch.accuracy.bootstrap import Bootstrap
from lesionmatch.accuracy.values import Table, Test, Undefined
from lesionmatch.evaluation.assemble import AccuracyReport, Stratification
from lesionmatch.evaluation.sheet import (
    Cell,
    Heading,
    Sheet,
    bounds,
    brief,
    cells,
    counted,
    estimated,
    pair,
    plain,
    test_cells,
)
from lesionmatch.evaluation.summary import (
    RATIOS,
    SINGLE_NUMBERS,
    Estimate,
    Options,
    Summary,
    share_of,
)
from lesionmatch.evaluation.taxonomy import CALLED, MISSED, Cause

NAMES = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
    "accuracy": "Accuracy",
    "kappa": "Cohen's kappa",
    "prevalence": "Involved on the MRI (prevalence)",
    "positive_calls": "Involved on the PET",
    "youden": "Youden's J",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "matthews": "Matthews' correlation",
    "pabak": "Prevalence- and bias-adjusted kappa",
    "kappa_maximum": "Highest kappa these margins allow",
    "gwet_ac1": "Gwet's AC1",
    "scott_pi": "Scott's pi",
    "krippendorff_alpha": "Krippendorff's alpha",
    "prevalence_index": "Prevalence index",
    "bias_index": "Bias index",
    "positive_likelihood_ratio": "Positive likelihood ratio",
    "negative_likelihood_ratio": "Negative likelihood ratio",
    "diagnostic_odds_ratio": "Diagnostic odds ratio",
    "marginal_difference": "MRI involved more often, share of studies",
}


def table_sheet(table: Table) -> Sheet:
    """Table 1: PET in the rows, MRI in the columns."""
    positive, negative = table.tp + table.fp, table.fn + table.tn
    return Sheet(
        "table1",
        "Table 1: studies by what PET and MRI say",
        "Rows: PET. Columns: MRI, the reference. Uncertain and missing calls are not in it.",
        (
            Heading("pet", "PET", "text"),
            Heading("mri_involved", "MRI involved", "count"),
            Heading("mri_not_involved", "MRI not involved", "count"),
            Heading("total", "Total", "count"),
        ),
        (
            ("PET involved", table.tp, table.fp, positive),
            ("PET not involved", table.fn, table.tn, negative),
            ("Total", table.tp + table.fn, table.fp + table.tn, table.total),
        ),
    )


def measures_sheet(name: str, title: str, summary: Summary) -> Sheet:
    """Each measure with all its intervals."""
    return Sheet(
        name,
        title,
        f"{100 * summary.level:g} % intervals. Exact: Clopper-Pearson (kappa has none: "
        "asymptotic), each study taken as a patient of its own. By patient: the studies of one "
        "patient as a cluster (Korn-Graubard; kappa linearised). The design effect says how much "
        "more variance that makes. Predictive values hold at this prevalence.",
        (
            Heading("measure", "Measure", "text"),
            Heading("n", "n", "count"),
            Heading("estimate", "Estimate", "number"),
            *bounds("exact", "Exact", "number"),
            *bounds("clustered", "By patient", "number"),
            *bounds("wilson", "Wilson", "number"),
            *bounds("bootstrap", "Bootstrap", "number"),
            Heading("design_effect", "Design effect", "number"),
        ),
        tuple(
            (NAMES[key], *_estimate(one))
            for key, one in (summary.estimates | summary.shares).items()
        ),
    )


def _estimate(one: Estimate) -> tuple[Cell, ...]:
    resampled = one.bootstrap.interval if isinstance(one.bootstrap, Bootstrap) else None
    return (
        one.n,
        plain(one.value),
        *pair(one.exact),
        *pair(one.clustered),
        *pair(one.wilson),
        *pair(resampled),
        plain(one.design_effect),
    )


def further_sheet(summary: Summary) -> Sheet:
    """What else a table says."""
    rows: list[tuple[Cell, ...]] = [
        (NAMES[name], plain(value(summary.table)), *pair(interval(summary.table, summary.level)))
        for name, (value, interval) in RATIOS.items()
    ]
    rows += [
        (NAMES[name], plain(make(summary.table)), None, None)
        for name, make in SINGLE_NUMBERS.items()
    ]
    return Sheet(
        "further",
        "Further measures",
        "Intervals take each study as a patient of its own: log-normal for the ratios, "
        "Tango's score for the difference.",
        (
            Heading("measure", "Measure", "text"),
            Heading("value", "Value", "number"),
            *bounds("interval", "Interval", "number"),
        ),
        tuple(rows),
    )


def tests_sheet(report: AccuracyReport) -> Sheet:
    """Counts and rates of errors, two questions."""
    groups = (
        ("Counts: as many missed as called too much?", report.counts),
        ("Rates: missed as readily as called too much?", report.rates),
    )
    return Sheet(
        "tests",
        "Are misses commoner than false calls?",
        "Two questions. Counts compares FN with FP (McNemar). Rates compares FN among the "
        "involved with FP among the not involved; unequal numbers of both can make counts "
        "differ where rates do not.",
        (
            Heading("question", "Question", "text"),
            Heading("test", "Test", "text"),
            Heading("statistic", "Statistic", "number"),
            Heading("p", "p", "p"),
        ),
        tuple(
            (question, *test_cells(name, test))
            for question, tests in groups
            for name, test in tests.items()
        ),
    )


def reasons_sheets(report: AccuracyReport) -> tuple[Sheet, Sheet]:
    """Table 2 and Table 3, laid out as the paper's."""
    return (
        _reasons_sheet(
            "table2",
            "Table 2: involved on the MRI and not on the PET",
            MISSED,
            report.reasons["FN"],
            report,
        ),
        _reasons_sheet(
            "table3",
            "Table 3: involved on the PET and not on the MRI",
            CALLED,
            report.reasons["FP"],
            report,
        ),
    )


REASONS = (
    Heading("reason", "Reason", "text"),
    Heading("mri", "MRI", "text"),
    Heading("pet", "PET", "text"),
    Heading("studies", "Studies", "count"),
    Heading("share", "Share", "share"),
    *bounds("share", "Exact", "share"),
    Heading("paper", "Grawe 2023", "count"),
)


def _reasons_sheet(
    name: str, title: str, causes: Sequence[Cause], counts: dict[str, int], report: AccuracyReport
) -> Sheet:
    known = {cause.code: cause for cause in causes}
    total = sum(counts.values())
    rows: list[tuple[Cell, ...]] = []
    for code, count in counts.items():
        share = _share(count, total, report.options)
        cause = known.get(code)
        mri, pet, printed = (cause.mri, cause.pet, cause.printed) if cause else ("", "", None)
        rows.append((code, mri, pet, count, *share, printed))
    return Sheet(
        name,
        title,
        "Rows as the paper lays them out, then those it has none for. Shares with exact "
        "intervals. The last column is the paper's own count.",
        REASONS,
        (*rows, ("total", "", "", total, None, None, None, sum(c.printed or 0 for c in causes))),
    )


def _share(count: int, total: int, options: Options) -> tuple[Cell, Cell, Cell]:
    one = share_of(count, total, options)
    return (None if total == 0 else count / total, *pair(one.exact))


def uncertain_sheet(report: AccuracyReport) -> Sheet:
    """Every measure with uncertain calls taken either way."""
    found = report.uncertain
    views = (report.summary, found.as_involved, found.as_not_involved)
    rows: list[tuple[Cell, ...]] = []
    for name in report.summary.estimates:
        low_high = found.bounds[name]
        edges = (None, None) if isinstance(low_high, Undefined) else low_high
        rows.append((NAMES[name], *(plain(view.estimates[name].value) for view in views), *edges))
    return Sheet(
        "uncertain",
        "Uncertain calls under both extremes",
        f"Uncertain: {found.pet} on the PET, {found.mri} on the MRI. Left out above; here taken "
        "as involved, as not involved, and with the lowest and highest value that any way of "
        "settling them (each kind alike) gives.",
        (
            Heading("measure", "Measure", "text"),
            Heading("left_out", "Left out", "number"),
            Heading("as_involved", "As involved", "number"),
            Heading("as_not_involved", "As not involved", "number"),
            *bounds("bound", "Whatever they are", "number"),
        ),
        tuple(rows),
    )


STRATA = (
    Heading("studies", "Studies", "count"),
    Heading("patients", "Patients", "count"),
    *counted(),
    Heading("uncertain", "Uncertain", "count"),
    *estimated("sensitivity", "Sensitivity"),
    *estimated("specificity", "Specificity"),
    *estimated("kappa", "Kappa", "number"),
)


def strata_sheet(found: Stratification) -> Sheet:
    """Sensitivity and specificity by the values of a column."""
    rows = tuple(
        (
            stratum.value,
            stratum.studies,
            stratum.summary.patients,
            *cells(stratum.summary.table),
            stratum.summary.uncertain,
            *brief(stratum.summary.estimates["sensitivity"]),
            *brief(stratum.summary.estimates["specificity"]),
            *brief(stratum.summary.estimates["kappa"]),
        )
        for stratum in found.strata
    )
    return Sheet(
        f"by_{found.column}",
        f"By {found.column.replace('_', ' ')}",
        "; ".join(_differs(name, test) for name, test in found.differs.items())
        + ". Intervals by patient.",
        (Heading("value", found.column.replace("_", " "), "text"), *STRATA),
        rows,
    )


def _differs(name: str, test: Test | Undefined) -> str:
    if isinstance(test, Undefined):
        return f"{name} between strata: {test}"
    return f"{name} between strata: p = {test.p:.3g} ({test.name})"


def _unknown(studies: Sequence[str]) -> str:
    return f" Not in the table, and so not counted: {', '.join(studies)}." if studies else ""


DECIDED = ("study_id", "pet", "mri", "reason", "decided_by", "decided_at", "note", "stands")


def decisions_sheet(report: AccuracyReport) -> Sheet:
    """Who decided what and when; the last one on a study stands."""
    last = {decision.study_id: decision for decision in report.decisions}
    return Sheet(
        "decisions",
        "What persons settled",
        "The last decision on a study stands; the table above keeps the calls as they were made."
        + _unknown(report.undecidable),
        tuple(Heading(name, name.replace("_", " "), "text") for name in DECIDED),
        tuple(
            (
                one.study_id,
                one.pet,
                one.mri,
                one.reason,
                one.decided_by,
                one.decided_at.isoformat(),
                one.note,
                "yes" if last[one.study_id] is one else "no",
            )
            for one in report.decisions
        ),
    )

"""Everything a table of calls says of accuracy, as one value: `AccuracyReport`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lesionmatch.accuracy.values import Test, Undefined
from lesionmatch.errors import InvalidInput
from lesionmatch.evaluation import taxonomy
from lesionmatch.evaluation.lesionwise import Lesionwise, lesionwise
from lesionmatch.evaluation.readers import Reading, reading
from lesionmatch.evaluation.rows import CallsTable, Cell, Decision, ReaderCall, StudyCalls
from lesionmatch.evaluation.summary import (
    Options,
    Summary,
    counts_tests,
    rates_tests,
    stratum_test,
    summarise,
)
from lesionmatch.evaluation.uncertain import Extremes, extremes
from lesionmatch.evaluation.worklist import (
    Item,
    as_decided,
    standing,
    undecidable,
    with_reasons,
    worklist,
)

MOST_STRATA = 30
"""More values than this are no strata but identifiers or measurements."""


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """The studies of one value of a column."""

    value: str
    studies: int
    summary: Summary


@dataclass(frozen=True, slots=True, eq=False)
class Stratification:
    """The strata of one column, and whether sensitivity and specificity differ between them."""

    column: str
    strata: tuple[Stratum, ...]
    differs: dict[str, Test | Undefined]


@dataclass(frozen=True, slots=True)
class Spread:
    """A number over studies: STARD asks for how it is spread."""

    count: int
    median: float
    quartiles: tuple[float, float]
    least: float
    most: float


@dataclass(frozen=True, slots=True, eq=False)
class AccuracyReport:
    """What `accuracy` says, ready to be written."""

    options: Options
    origin: str
    studies: tuple[StudyCalls, ...]
    patients: int
    doubtful: int
    summary: Summary
    counts: dict[str, Test | Undefined]
    rates: dict[str, Test | Undefined]
    reasons: dict[Cell, dict[str, int]]
    """FN and FP, by row of the paper's Table 2 and 3."""
    decided_reasons: int
    """Discordant studies whose reason a person gave."""
    uncertain: Extremes
    strata: tuple[Stratification, ...] = ()
    lesions: Lesionwise | None = None
    readers: Reading | None = None
    decisions: tuple[Decision, ...] = ()
    undecidable: tuple[str, ...] = ()
    """Studies that were decided on and are not in the table."""
    consensus: Summary | None = None
    """The table with what persons settled; None without decisions."""
    interval_days: Spread | None = None
    items: tuple[Item, ...] = field(default=())
    """The worklist."""


def assemble(
    table: CallsTable,
    *,
    by: Sequence[str] = (),
    calls: Sequence[ReaderCall] = (),
    decisions: Sequence[Decision] = (),
    options: Options | None = None,
) -> AccuracyReport:
    """The report on `table`. Raises `InvalidInput` for a column `by` that cannot stratify."""
    options = options or Options()
    studies = table.studies
    summary = summarise(studies, options)
    found = reading(studies, calls, options) if calls else None
    return AccuracyReport(
        options=options,
        origin=table.origin,
        studies=studies,
        patients=len({study.patient_id for study in studies}),
        doubtful=sum(study.is_doubtful for study in studies),
        summary=summary,
        counts=counts_tests(summary.tables),
        rates=rates_tests(summary.tables),
        reasons=_reasons(with_reasons(studies, decisions)),
        decided_reasons=_decided_reasons(studies, decisions),
        uncertain=extremes(studies, options),
        strata=tuple(_stratified(studies, column, options) for column in by),
        lesions=None if table.lesions is None else lesionwise(table.lesions, studies, options),
        readers=found,
        decisions=tuple(decisions),
        undecidable=undecidable(studies, decisions),
        consensus=summarise(as_decided(studies, decisions), options) if decisions else None,
        interval_days=_spread([study.other.get("interval_days", "") for study in studies]),
        items=worklist(studies, table.lesions or (), calls, found, decisions),
    )


def _reasons(studies: Sequence[StudyCalls]) -> dict[Cell, dict[str, int]]:
    def of(cell: Cell) -> list[str]:
        return [study.reason for study in studies if study.cell == cell]

    return {
        "FN": taxonomy.counted(taxonomy.MISSED, of("FN")),
        "FP": taxonomy.counted(taxonomy.CALLED, of("FP")),
    }


def _decided_reasons(studies: Sequence[StudyCalls], decisions: Sequence[Decision]) -> int:
    settled = standing(decisions)
    return sum(
        study.cell in ("FN", "FP")
        and study.study_id in settled
        and bool(settled[study.study_id].reason)
        for study in studies
    )


def _stratified(studies: Sequence[StudyCalls], column: str, options: Options) -> Stratification:
    groups: dict[str, list[StudyCalls]] = {}
    for study in studies:
        groups.setdefault(_stratum_of(study, column), []).append(study)
    if len(groups) > MOST_STRATA:
        raise InvalidInput(
            f"--by {column}: wanted a column of at most {MOST_STRATA} values, "
            f"got {len(groups)}; group them into a new column"
        )
    strata = [
        Stratum(value or "not given", len(group), summarise(group, options))
        for value, group in sorted(groups.items())
    ]
    tables = [stratum.summary.tables for stratum in strata if stratum.summary.table.total]
    names = ("sensitivity", "specificity")
    return Stratification(
        column, tuple(strata), {name: stratum_test(name, tables) for name in names}
    )


def _stratum_of(study: StudyCalls, column: str) -> str:
    if column == "study_date":
        return str(study.study_date.year) if study.study_date else ""
    if column not in study.other:
        known = ", ".join(sorted(study.other)) or "none"
        raise InvalidInput(
            f"--by {column}: wanted a column of the calls table, got none of that name; "
            f"columns to stratify by: {known}"
        )
    return study.other[column]


def _spread(words: Sequence[str]) -> Spread | None:
    """None where no study has a number there."""
    values = np.array([float(word) for word in words if _is_number(word)])
    if not len(values):
        return None
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75])
    return Spread(
        len(values),
        float(median),
        (float(lower), float(upper)),
        float(values.min()),
        float(values.max()),
    )


def _is_number(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False

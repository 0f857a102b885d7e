"""What a table of the report is: one value that is written as CSV and shown on the page."""

from dataclasses import dataclass
from typing import Literal

from lesionmatch.accuracy.values import Interval, Table, Test, Undefined
from lesionmatch.evaluation.summary import Estimate

Form = Literal["text", "count", "share", "number", "mm", "p"]
"""How a column is shown: words, whole numbers, percent, plain numbers, sizes, p-values."""

Cell = str | float | int | None
"""None where there is nothing; an undefined measure is its reason in words."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: its name in the CSV file, its title on the page and how its cells are shown."""

    name: str
    title: str
    form: Form


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; `name` is that of its CSV file."""

    name: str
    title: str
    note: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]


def bounds(name: str, title: str, form: Form) -> tuple[Heading, Heading]:
    """The two columns of an interval."""
    return (
        Heading(f"{name}_lower", f"{title}, from", form),
        Heading(f"{name}_upper", "to", form),
    )


def estimated(name: str, title: str, form: Form = "share") -> tuple[Heading, Heading, Heading]:
    """The three columns of an estimate with its interval by patient, as `brief` fills them."""
    return (Heading(name, title, form), *bounds(name, "By patient", form))


def counted() -> tuple[Heading, ...]:
    """The columns of a table of two by two, as `cells` fills them."""
    return tuple(Heading(name, name.upper(), "count") for name in ("tp", "fp", "fn", "tn"))


def test_cells(name: str, test: Test | Undefined) -> tuple[Cell, Cell, Cell]:
    """The name of a test, its statistic and p."""
    if isinstance(test, Undefined):
        return name, None, str(test)
    return test.name, test.statistic, test.p


def brief(one: Estimate) -> tuple[Cell, Cell, Cell]:
    """The estimate and its interval by patient."""
    return (plain(one.value), *pair(one.clustered))


def cells(table: Table) -> tuple[int, int, int, int]:
    """TP, FP, FN, TN."""
    return table.tp, table.fp, table.fn, table.tn


def pair(interval: Interval | Undefined | None) -> tuple[Cell, Cell]:
    """The two bounds, or nothing."""
    return (interval.lower, interval.upper) if isinstance(interval, Interval) else (None, None)


def plain(value: float | Undefined | None) -> Cell:
    """The value, or in words why there is none."""
    return str(value) if isinstance(value, Undefined) else value

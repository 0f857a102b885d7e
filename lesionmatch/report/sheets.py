"""Sheets as CSV files and as tables of a page."""

from dataclasses import dataclass
from pathlib import Path

from lesionmatch.csv_table import inert
from lesionmatch.evaluation.sheet import Cell, Form, Heading, Sheet
from lesionmatch.output import write_csv

WIDE = 9
"""Columns that a printed page holds in letters of the usual size."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell of a page: its text and whether it is a number."""

    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class ShownSheet:
    """A sheet as a page shows it: bounds of an interval in one column."""

    name: str
    title: str
    note: str
    titles: tuple[Shown, ...]
    rows: tuple[tuple[Shown, ...], ...]

    @property
    def is_wide(self) -> bool:
        """Whether a printed page needs smaller letters for it."""
        return len(self.titles) > WIDE


def write_sheet(path: Path, sheet: Sheet) -> None:
    """Write the sheet: UTF-8, a heading, commas; the whole of it or the old one."""
    rows = ([_written(cell) for cell in row] for row in sheet.rows)
    write_csv(path, [heading.name for heading in sheet.headings], rows)


def _written(cell: Cell) -> str:
    """Numbers in full; a text a spreadsheet would run gets an apostrophe."""
    return "" if cell is None else inert(cell) if isinstance(cell, str) else str(cell)


def shown(sheet: Sheet) -> ShownSheet:
    """The sheet for a page; columns without any cell are left out."""
    columns = [k for k in range(len(sheet.headings)) if _is_used(sheet, k)]
    titles = [_title(sheet.headings[k]) for k in columns if not _is_upper(sheet.headings[k])]
    rows = tuple(_shown_row(sheet.headings, row, columns) for row in sheet.rows)
    return ShownSheet(sheet.name, sheet.title, sheet.note, tuple(titles), rows)


def _is_used(sheet: Sheet, column: int) -> bool:
    # An interval's upper bound goes where its lower one goes.
    lower = column - _is_upper(sheet.headings[column])
    return lower == 0 or any(row[lower] is not None for row in sheet.rows)


def _is_upper(heading: Heading) -> bool:
    return heading.name.endswith("_upper")


def _title(heading: Heading) -> Shown:
    return Shown(heading.title.removesuffix(", from"), heading.form != "text")


def _shown_row(
    headings: tuple[Heading, ...], row: tuple[Cell, ...], columns: list[int]
) -> tuple[Shown, ...]:
    cells: list[Shown] = []
    for k in columns:
        if _is_upper(headings[k]):
            continue
        text = in_words(row[k], headings[k].form)
        if headings[k].name.endswith("_lower") and row[k] is not None:
            text = span(text.removesuffix(" %"), in_words(row[k + 1], headings[k].form))
        is_number = headings[k].form != "text" and not isinstance(row[k], str)
        cells.append(Shown(text, is_number))
    return tuple(cells)


def span(lower: str, upper: str) -> str:
    """Two bounds as one; a dash beside a minus sign would be misread."""
    return f"{lower} to {upper}" if "-" in lower else f"{lower}–{upper}"


def in_words(cell: Cell, form: Form) -> str:
    """A cell for reading: percent to one place, measures to three, p as journals print it."""
    if cell is None or isinstance(cell, str):
        return (cell or "").replace("_", " ")
    match form:
        case "count":
            return f"{cell:,.0f}"
        case "share":
            return f"{100 * cell:.1f} %"
        case "mm":
            return f"{cell:.1f}"
        case "p":
            return "< 0.0001" if cell < 0.0001 else f"{cell:.2g}" if cell < 0.01 else f"{cell:.3f}"
        case _:
            return f"{cell:.3f}" if abs(cell) < 10 else f"{cell:,.1f}"

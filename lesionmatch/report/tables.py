"""lesions.csv and relations.csv: the comparison's rows, exactly as the page shows them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lesionmatch.columns import Column, Row, cells
from lesionmatch.output import write_csv

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that starts so would be run by a spreadsheet; numbers keep their sign."""


def table(columns: Sequence[Column], rows: Iterable[Row]) -> list[list[str]]:
    """Rows of cells as they are written and shown."""
    return [
        [_inert(column, cell) for column, cell in zip(columns, cells(columns, row), strict=True)]
        for row in rows
    ]


def _inert(column: Column, cell: str) -> str:
    is_words = column.type in ("text", "list")
    return f"'{cell}" if is_words and cell.startswith(FORMULA) else cell


def write_table(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write a table: UTF-8, a heading, commas; the whole of it or the old one."""
    write_csv(path, [column.name for column in columns], table(columns, rows))

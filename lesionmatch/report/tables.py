"""lesions.csv and relations.csv: the comparison's rows, exactly as the page shows them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lesionmatch.columns import Column, Row, cells
from lesionmatch.csv_table import inert
from lesionmatch.output import write_csv


def table(columns: Sequence[Column], rows: Iterable[Row]) -> list[list[str]]:
    """Rows of cells as they are written and shown."""
    return [[inert(cell) for cell in cells(columns, row)] for row in rows]


def write_table(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write a table: UTF-8, a heading, commas; the whole of it or the old one."""
    write_csv(path, [column.name for column in columns], table(columns, rows))

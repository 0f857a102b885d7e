"""CSV tables as people make them: read whole, cells bare, faults by line.

UTF-8 with or without a mark; commas or, as spreadsheets in much of Europe write them,
semicolons.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionmatch.errors import InvalidInput

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that starts so would be run by a spreadsheet, which an apostrophe before it prevents."""

Record = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table: its columns, and each line's number and cells by column."""

    columns: tuple[str, ...]
    records: tuple[tuple[int, Record], ...]


def read_table(path: Path, wanted: Sequence[str], *, may_be_empty: bool = False) -> CsvTable:
    """The table at `path`, with at least the columns `wanted`.

    A table without lines may lack them if it `may_be_empty`. Raises `InvalidInput`.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True, delimiter=_delimiter(file.readline()))
            file.seek(0)
            lines = [(reader.line_num, record) for record in reader]
            columns = tuple(name.strip() for name in reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(
            f"{path.name}: wanted a CSV table in UTF-8, got {reason}; check the path"
        ) from error
    records = tuple(
        (line, _cells(record, f"{path.name}: line {line}"))
        for line, record in lines
        if _any(record)
    )
    missing = [name for name in wanted if name not in columns]
    if missing and (records or not may_be_empty):
        raise InvalidInput(
            f"{path.name}: wanted columns {', '.join(wanted)}, got no {', '.join(missing)}; "
            "add them"
        )
    return CsvTable(columns, records)


def _delimiter(heading: str) -> str:
    return ";" if heading.count(";") > heading.count(",") else ","


def _any(record: Mapping[str | None, Any]) -> bool:
    """Whether a line says anything; spreadsheets write empty ones after the last."""
    return any(cell for cells in record.values() for cell in cells or ())


def _cells(record: Mapping[str | None, str | None], where: str) -> Record:
    if None in record or None in record.values():
        got = "more" if None in record else "fewer"
        raise InvalidInput(
            f"{where}: wanted as many cells as columns, got {got}; check commas and quotes"
        )
    return {str(name).strip(): _bare(str(cell).strip()) for name, cell in record.items()}


def _bare(cell: str) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from running it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell

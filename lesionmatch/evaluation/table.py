"""CSV tables as people make them: read whole, cells bare, faults by line.

UTF-8 with or without a mark; commas or, as spreadsheets in much of Europe write them,
semicolons.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
            records = tuple((reader.line_num, _cells(record)) for record in reader)
            columns = tuple(name.strip() for name in reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(
            f"{path.name}: wanted a CSV table in UTF-8, got {reason}; check the path"
        ) from error
    missing = [name for name in wanted if name not in columns]
    if missing and (records or not may_be_empty):
        raise InvalidInput(
            f"{path.name}: wanted columns {', '.join(wanted)}, got no {', '.join(missing)}; "
            "add them"
        )
    return CsvTable(columns, records)


def _delimiter(heading: str) -> str:
    return ";" if heading.count(";") > heading.count(",") else ","


def _cells(record: Mapping[str | None, str | None]) -> Record:
    return {name.strip(): _bare((cell or "").strip()) for name, cell in record.items() if name}


def _bare(cell: str) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from running it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell

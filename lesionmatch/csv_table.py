"""CSV tables as people and their spreadsheets save them: read whole, cells bare, faults by line.

UTF-8 with or without a mark, or UTF-16 with one; commas, tabs or, as in much of Europe,
semicolons, where a comma is a number's decimal point. Rows and columns without anything in
them are passed over, and so is a first column without a name that numbers the rows, as R and
pandas write it. A row that does not fit its heading is refused: a comma too many would move
every cell behind it into the wrong column.

In columns that mean something to the reader a cell of one of the words of `MISSING` is empty:
R and pandas write them for what is missing. Columns that are only carried through keep them,
since there they may be a group's own name. No patient and no study can be called so: all
those without an identifier would be taken for one.
"""

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lesionmatch.errors import InvalidInput
from lesionmatch.wording import plain

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that starts so would be run by a spreadsheet, which an apostrophe before it prevents."""

NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
DECIMAL_COMMA = re.compile(r"^([+-]?\d+),(\d+)$")
DELIMITERS = (",", ";", "\t")

MISSING = frozenset(("na", "n/a", "#n/a", "<na>", "nan", "nat", "null"))
"""What R, pandas, spreadsheets and databases write for a missing value, in small letters."""

MOST_FAULTS = 10
"""So many are named one by one."""

Record = Mapping[str, str]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table: its columns, and each line's number and cells by column."""

    columns: tuple[str, ...]
    records: tuple[tuple[int, Record], ...]

    def made(self, make: Callable[[Record], Row]) -> tuple[list[Row], list[str]]:
        """What `make` makes of each line, and as faults the `ValueError`s it raises."""
        rows, faults = [], []
        for line, record in self.records:
            try:
                rows.append(make(record))
            except ValueError as error:
                faults.append(f"line {line}: {error}")
        return rows, faults


def read_table(
    path: Path, wanted: Sequence[str], *, optional: Sequence[str] = (), may_be_empty: bool = False
) -> CsvTable:
    """The table at `path`, with at least the columns `wanted`.

    Names of these and of `optional` columns are known in capitals and with blanks too; all
    others stay as they are, and so do their cells. In the known columns a cell of `MISSING` is
    empty. A table without lines may lack `wanted` if it `may_be_empty`. Raises `InvalidInput`.
    """
    heading, *filled = _without_numbers(_rows(path)) or [(1, [])]
    known = (*wanted, *optional)
    columns = [_known(name, known) for name in heading[1]]
    _require_columns(path.name, columns, () if may_be_empty and not filled else wanted)
    faults = [
        f"line {line}: {fault}"
        for line, cells in filled
        for fault in _misfits(cells, columns, wanted)
    ]
    require_no(faults, path.name)
    named = [(k, name) for k, name in enumerate(columns) if name]
    records = (
        (line, {name: _cell(cells, k, may_miss=name in known) for k, name in named})
        for line, cells in filled
    )
    return CsvTable(tuple(name for _, name in named), tuple(records))


def needed(name: str, record: Record) -> str:
    """A cell that must hold something. Raises `ValueError` where it is empty or missing."""
    if not record[name]:
        raise ValueError(
            f"{name}: wanted a value, got nothing (so are NA and its like read; "
            "what is really called so needs another name)"
        )
    return record[name]


def require_no(faults: Sequence[str], name: str) -> None:
    """Raise `InvalidInput` with the first faults of the table `name`, if it has any."""
    if faults:
        left = len(faults) - MOST_FAULTS
        more = f"; and {left} more" if left > 0 else ""
        raise InvalidInput(f"{name}: {'; '.join(faults[:MOST_FAULTS])}{more}")


def inert(text: str) -> str:
    """A text as it stands in a table without being run by a spreadsheet.

    >>> inert("=cmd()"), inert("-5"), inert("near vessel")
    ("'=cmd()", '-5', 'near vessel')
    """
    return f"'{text}" if text.startswith(FORMULA) and not NUMBER.fullmatch(text) else text


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows that hold anything, the heading first, each with the number of its last line."""
    try:
        text = _decoded(path.read_bytes())
        delimiter = max(DELIMITERS, key=text.lstrip().partition("\n")[0].count)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        rows = [
            (reader.line_num, [_bare(cell, has_decimal_comma=delimiter == ";") for cell in row])
            for row in reader
        ]
    except OSError as error:
        raise InvalidInput(
            f"{path.name}: wanted a CSV table, got {error.strerror}; check the path"
        ) from error
    except (UnicodeError, csv.Error) as error:
        raise InvalidInput(
            f"{path.name}: wanted a CSV table in UTF-8, got {error}; save it as CSV UTF-8"
        ) from error
    return [(line, cells) for line, cells in rows if any(cells)]


def _without_numbers(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The rows without a first column that has no name and numbers them."""
    first = [cells[0] for _, cells in rows]
    numbers = first[1:]
    is_count = all(map(str.isdecimal, numbers)) and len(set(numbers)) == len(numbers) > 0
    if not is_count or first[0]:
        return rows
    return [(line, cells[1:]) for line, cells in rows]


def _decoded(content: bytes) -> str:
    has_mark = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    return content.decode("utf-16" if has_mark else "utf-8-sig")


def _bare(cell: str, *, has_decimal_comma: bool) -> str:
    """The cell without blanks around it and without the apostrophe that keeps it inert."""
    cell = cell.strip()
    if cell.startswith("'") and cell[1:].startswith(FORMULA):
        return cell[1:]
    return DECIMAL_COMMA.sub(r"\1.\2", cell) if has_decimal_comma else cell


def _cell(cells: Sequence[str], k: int, *, may_miss: bool) -> str:
    """Cell `k` of a row, empty where the row ends before or, if it `may_miss`, says so."""
    cell = cells[k] if k < len(cells) else ""
    return "" if may_miss and cell.lower() in MISSING else cell


def _known(name: str, known: Sequence[str]) -> str:
    """``Study ID`` as ``study_id`` where that is known; else the name as it is."""
    return plain(name) if plain(name) in known else name


def _require_columns(name: str, columns: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [column for column in wanted if column not in columns]
    if missing:
        raise InvalidInput(
            f"{name}: wanted columns {', '.join(wanted)}, got no {', '.join(missing)}; add them"
        )
    twice = [column for column, count in Counter(columns).items() if column and count > 1]
    if twice:
        raise InvalidInput(
            f"{name}: wanted each column once, got {', '.join(twice)} again; rename it"
        )


def _misfits(cells: Sequence[str], columns: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    """How a row does not fit its heading."""
    if any(cell for k, cell in enumerate(cells) if k >= len(columns) or not columns[k]):
        yield "wanted cells below a heading only, got one beside; check commas and quotes"
    if lacking := [name for name in wanted if columns.index(name) >= len(cells)]:
        yield f"wanted a cell for {', '.join(lacking)}, got a row that ends before"

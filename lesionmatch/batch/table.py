"""STUDIES.csv: which studies a batch compares.

Columns ``study_id, patient_id, pet, mri`` are wanted; those of `GIVEN` may follow, which are
options of ``compare`` for the one study, and any others are carried through to the results.
Relative paths are relative to the table's own folder, so that a table moves with its data.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from lesionmatch.columns import LESIONS, RELATIONS
from lesionmatch.compare import METHODS, Options
from lesionmatch.csv_table import Record, needed, read_table, require_no
from lesionmatch.errors import InvalidInput
from lesionmatch.typed import moment, positive, sex, unreachable

T = TypeVar("T")

REQUIRED = ("study_id", "patient_id", "pet", "mri")

CALLS = (
    "study_id", "patient_id", "pet", "mri", "cell", "reason", "why", "is_doubtful", "doubtful_for",
)  # fmt: skip
"""The columns of calls.csv; those carried through follow."""

TAKEN = {*CALLS, "error", *(column.name for column in (*LESIONS, *RELATIONS))} - {*REQUIRED}
"""What a column that is carried through cannot be called."""

SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What may name a folder on every file system, and cannot lead out of it."""


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One row: a PET/CT and the MRI it is compared with."""

    study_id: str
    patient_id: str
    pet: Path
    mri: Path
    given: Mapping[str, Any]
    """Options of this study alone, by the field of `Options`."""
    carried: Mapping[str, str]
    """The other columns, by name."""

    @property
    def paths(self) -> dict[str, str]:
        """Whole paths by column: what a row names may be called after a patient."""
        named = {"pet": self.pet, "mri": self.mri, **self.given}
        is_path = {"pet", "mri", "lesions", "liver", "registration"}
        return {k: str(v) for k, v in named.items() if k in is_path and v not in METHODS}

    def options(self, common: Options) -> Options:
        """The options of all studies with what the row says in their place."""
        return replace(common, **self.given)


def read_studies(path: Path) -> tuple[StudyRow, ...]:
    """The rows of a studies table. Raises `InvalidInput` naming every fault it has."""
    table = read_table(path, REQUIRED, optional=tuple(GIVEN))
    _require_free(path.name, table.columns)
    if not table.records:
        raise InvalidInput(f"{path.name}: wanted a row for each study, got none; add rows")
    rows, faults = table.made(lambda record: _row(record, path.parent))
    require_no([*faults, *_duplicates(rows)], path.name)
    return tuple(rows)


def _require_free(name: str, columns: Sequence[str]) -> None:
    """No column that is carried through has the name of one of the results'."""
    taken = [column for column in columns if column in TAKEN]
    if taken:
        raise InvalidInput(
            f"{name}: wanted other names than the results' for columns that are carried through, "
            f"got {', '.join(taken)}; rename them"
        )


def _row(cells: Record, folder: Path) -> StudyRow:
    if not SAFE_ID.fullmatch(needed("study_id", cells)):
        raise ValueError(
            "study_id: wanted letters, digits, '.', '_' or '-' (it names a folder), "
            f"got {cells['study_id']!r}"
        )
    return StudyRow(
        study_id=cells["study_id"],
        patient_id=needed("patient_id", cells),
        pet=_existing("pet", needed("pet", cells), folder),
        mri=_existing("mri", needed("mri", cells), folder),
        given={
            column: parse(column, cells[column], folder)
            for column, parse in GIVEN.items()
            if cells.get(column)
        },
        carried={k: v for k, v in cells.items() if k not in REQUIRED and k not in GIVEN},
    )


def _existing(column: str, cell: str, folder: Path) -> Path:
    path = folder / cell
    if why := unreachable(path):
        raise ValueError(f"{column}: wanted a path that exists, got {cell!r} ({why})")
    return path.resolve()


def _as_is(_column: str, cell: str, _folder: Path) -> str:
    return cell


def _method(column: str, cell: str, folder: Path) -> str:
    return cell if cell in METHODS else str(_existing(column, cell, folder))


def _typed(parse: Callable[[str], T]) -> Callable[[str, str, Path], T]:
    """A column of values as they are typed on the command line."""

    def parsed(column: str, cell: str, _folder: Path) -> T:
        try:
            return parse(cell)
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from None

    return parsed


GIVEN: Mapping[str, Callable[[str, str, Path], object]] = {
    "lesions": _existing,
    "liver": _existing,
    "pet_series": _as_is,
    "mri_series": _as_is,
    "registration": _method,
    "weight_kg": _typed(positive),
    "height_m": _typed(positive),
    "sex": _typed(sex),
    "dose_mbq": _typed(positive),
    "half_life_s": _typed(positive),
    "injected_at": _typed(moment),
    "reference_at": _typed(moment),
}
"""Columns that may stand in a table, each an option of ``compare`` for its row."""


def _duplicates(rows: Sequence[StudyRow]) -> list[str]:
    # Case is folded because some file systems take S1 and s1 for one folder.
    counts = Counter(row.study_id.lower() for row in rows)
    return [f"study_id {name!r}: wanted once, got {n} times" for name, n in counts.items() if n > 1]

"""STUDIES.csv: which studies a batch compares.

Columns ``study_id, patient_id, pet, mri`` are wanted; ``lesions, liver, weight_kg,
pet_series, mri_series`` may follow, and any others are carried through to the results.
Relative paths are relative to the table's own folder, so that a table moves with its data.
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lesionmatch.columns import LESIONS, RELATIONS
from lesionmatch.compare import Options
from lesionmatch.errors import InvalidInput

REQUIRED = ("study_id", "patient_id", "pet", "mri")
OPTIONAL = ("lesions", "liver", "weight_kg", "pet_series", "mri_series")

CALLS = ("study_id", "patient_id", "pet", "mri", "cell", "reason", "why", "is_doubtful")
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
    lesions: Path | None
    liver: Path | None
    weight_kg: float | None
    pet_series: str | None
    mri_series: str | None
    carried: Mapping[str, str]
    """The other columns, by name."""

    def options(self, common: Options) -> Options:
        """The options of all studies with what the row says in their place."""
        return replace(
            common,
            lesions=self.lesions or common.lesions,
            liver=self.liver or common.liver,
            weight_kg=common.weight_kg if self.weight_kg is None else self.weight_kg,
            pet_series=self.pet_series or common.pet_series,
            mri_series=self.mri_series or common.mri_series,
        )


def read_studies(path: Path) -> tuple[StudyRow, ...]:
    """The rows of a studies table. Raises `InvalidInput` naming every fault it has."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            records = list(reader)
            columns = list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(
            f"{path.name}: wanted a readable CSV table in UTF-8, got {error}; check the path"
        ) from error
    _require_columns(path.name, columns)
    if not records:
        raise InvalidInput(f"{path.name}: wanted a row for each study, got none; add rows")
    rows, faults = [], []
    for line, record in enumerate(records, start=2):
        try:
            rows.append(_row(record, path.parent))
        except ValueError as error:
            faults.append(f"line {line}: {error}")
    faults += _duplicates(rows)
    if faults:
        raise InvalidInput(f"{path.name}: " + "; ".join(faults))
    return tuple(rows)


def _require_columns(name: str, columns: Sequence[str]) -> None:
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise InvalidInput(
            f"{name}: wanted columns {', '.join(REQUIRED)}, got no {', '.join(missing)}; add them"
        )
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"{name}: wanted each column once, got {', '.join(twice)} again; rename it"
        )
    taken = [column for column in columns if column in TAKEN]
    if taken:
        raise InvalidInput(
            f"{name}: wanted other names than the results' for columns that are carried through, "
            f"got {', '.join(taken)}; rename them"
        )


def _row(record: Mapping[str | None, str | None], folder: Path) -> StudyRow:
    if None in record or None in record.values():
        raise ValueError("wanted as many cells as there are columns; check commas and quotes")
    cells = {str(key): str(value).strip() for key, value in record.items()}
    if not SAFE_ID.fullmatch(cells["study_id"]):
        raise ValueError(
            "study_id: wanted letters, digits, '.', '_' or '-' (it names a folder), "
            f"got {cells['study_id']!r}"
        )
    if not cells["patient_id"]:
        raise ValueError("patient_id: wanted a pseudonym, got nothing; intervals need it")
    carried = {k: v for k, v in cells.items() if k not in REQUIRED + OPTIONAL}
    return StudyRow(
        study_id=cells["study_id"],
        patient_id=cells["patient_id"],
        pet=_existing("pet", cells["pet"], folder),
        mri=_existing("mri", cells["mri"], folder),
        lesions=_optional_path("lesions", cells, folder),
        liver=_optional_path("liver", cells, folder),
        weight_kg=_weight_kg(cells.get("weight_kg", "")),
        pet_series=cells.get("pet_series") or None,
        mri_series=cells.get("mri_series") or None,
        carried=carried,
    )


def _existing(column: str, cell: str, folder: Path) -> Path:
    path = (folder / cell).resolve()
    if not cell or not path.exists():
        raise ValueError(f"{column}: wanted a path that exists, got {cell!r}")
    return path


def _optional_path(column: str, cells: Mapping[str, str], folder: Path) -> Path | None:
    cell = cells.get(column, "")
    return _existing(column, cell, folder) if cell else None


def _weight_kg(cell: str) -> float | None:
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"weight_kg: wanted a number, got {cell!r}") from None


def _duplicates(rows: Sequence[StudyRow]) -> list[str]:
    # Case is folded because some file systems take S1 and s1 for one folder.
    counts = Counter(row.study_id.lower() for row in rows)
    return [f"study_id {name!r}: wanted once, got {n} times" for name, n in counts.items() if n > 1]

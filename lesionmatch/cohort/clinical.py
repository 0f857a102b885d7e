"""The clinical table: what the rules need to know of a patient that DICOM does not say.

``patient_id`` as in the DICOM files, and any of ``birth_date, age, sex, entity, grade,
therapy_date``. A patient may have several rows, as with a row a therapy; therapy dates of
all of them count, `;` between several in one cell. Identifiers become pseudonyms on reading.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lesionmatch.cohort.pseudonyms import Pseudonyms
from lesionmatch.csv_table import needed, read_table, require_no
from lesionmatch.dicom.series.headers import completed_years
from lesionmatch.errors import InvalidOption

GRADE = re.compile(r"^(?:grade|grad|g)?\s*([1-4])$", re.IGNORECASE)
ONCE = ("birth_date", "age", "sex", "entity", "grade")
"""Columns in which a patient's rows must agree."""


@dataclass(frozen=True, slots=True)
class Clinical:
    """What the table says of one patient; None or empty for what it does not say."""

    born: date | None
    age_years: float | None
    sex: str
    entity: str
    grade: str
    """G1, G2, ..., or the table's own word."""
    therapies: tuple[date, ...]
    carried: Mapping[str, str]
    conflicts: tuple[str, ...]
    """Columns in which the patient's rows differ."""

    def age_at(self, day: date) -> float | None:
        """Age in completed years on a day, by the date of birth, or else as the table has it."""
        return self.age_years if self.born is None else completed_years(self.born, day)


@dataclass(frozen=True, slots=True)
class ClinicalTable:
    """All patients, by pseudonym, and which columns the table has."""

    patients: Mapping[str, Clinical]
    columns: tuple[str, ...]

    def has(self, column: str) -> bool:
        """Whether the table has a column."""
        return column in self.columns


def read_clinical(path: Path, pseudonyms: Pseudonyms, carry: Sequence[str] = ()) -> ClinicalTable:
    """The table. Raises `InvalidInput` naming every fault, `InvalidOption` for `carry`.

    A fault names its line and never the patient.
    """
    found = read_table(path, ("patient_id",), optional=(*ONCE, "therapy_date"))
    rows, columns = found.records, found.columns
    if missing := [name for name in carry if name not in columns]:
        raise InvalidOption(
            f"--carry: wanted columns of {path.name}, got {', '.join(missing)}; "
            f"it has {', '.join(columns)}"
        )
    if "patient_id" in carry:
        raise InvalidOption("--carry: wanted columns without identities, got patient_id")
    faults = [f"line {line}: {fault}" for line, row in rows if (fault := _fault(row)) is not None]
    require_no(faults, path.name)
    grouped: dict[str, list[Mapping[str, str]]] = {}
    for _, row in rows:
        grouped.setdefault(pseudonyms.patient(row["patient_id"]), []).append(row)
    patients = {name: _clinical(group, carry) for name, group in grouped.items()}
    return ClinicalTable(patients, columns)


def _fault(row: Mapping[str, str]) -> str | None:
    """Why a row cannot be read, without what it says: that may be an identity."""
    try:
        needed("patient_id", row)
    except ValueError as error:
        return str(error)
    try:
        _date(row.get("birth_date", ""))
        list(_therapies(row))
    except ValueError:
        return "birth_date, therapy_date: wanted dates as 2021-05-31"
    try:
        is_age = math.isfinite(float(row.get("age") or 0))
    except ValueError:
        is_age = False
    return None if is_age else "age: wanted a number of years"


def _clinical(rows: Sequence[Mapping[str, str]], carry: Sequence[str]) -> Clinical:
    said = {name: _said(rows, name) for name in (*ONCE, *carry)}
    first = {name: values[0] if values else "" for name, values in said.items()}
    therapies = {day for row in rows for day in _therapies(row)}
    return Clinical(
        born=_date(first["birth_date"]),
        age_years=float(first["age"]) if first["age"] else None,
        sex=first["sex"].upper()[:1],
        entity=first["entity"],
        grade=grade(first["grade"]),
        therapies=tuple(sorted(therapies)),
        carried={name: first[name] for name in carry},
        conflicts=tuple(name for name in ONCE if len({grade(v) for v in said[name]}) > 1),
    )


def _said(rows: Sequence[Mapping[str, str]], name: str) -> list[str]:
    return [row[name] for row in rows if row.get(name)]


def grade(word: str) -> str:
    """Grades as ``G1`` to ``G4``; any other word as it is.

    >>> [grade(word) for word in ("g2", "Grade 2", "2", "NEC")]
    ['G2', 'G2', 'G2', 'NEC']
    """
    match = GRADE.match(word)
    return f"G{match[1]}" if match else word


def _therapies(row: Mapping[str, str]) -> Iterator[date]:
    for word in row.get("therapy_date", "").split(";"):
        if (day := _date(word.strip())) is not None:
            yield day


def _date(word: str) -> date | None:
    return date.fromisoformat(word) if word else None

"""The tables of a batch: all its case folders gathered, in the order of STUDIES.csv.

They are made from what stands on disk, so they come out the same whatever ran when.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lesionmatch.batch.ledger import Ledger
from lesionmatch.batch.table import CALLS, StudyRow
from lesionmatch.columns import LESIONS, RELATIONS
from lesionmatch.csv_table import inert
from lesionmatch.output import write_csv


def write_tables(ledger: Ledger, rows: Sequence[StudyRow], keys: Mapping[str, str]) -> None:
    """Write calls.csv, lesions.csv, relations.csv and failures.csv.

    `keys` tells, by study, which results count: those of other options or inputs do not.
    """
    done, failed = [], []
    for row in rows:
        if ledger.exit_status(row.study_id, keys[row.study_id]) is not None:
            done.append(row)
        elif ledger.error(row.study_id, keys[row.study_id]) is not None:
            failed.append(row)
    carried = list(rows[0].carried)
    calls = {row.study_id: _call(ledger, row) for row in done}
    calls |= {row.study_id: _failure(ledger, row) for row in failed}
    records = [calls[row.study_id] for row in rows if row.study_id in calls]
    _write(ledger.out / "calls.csv", (*CALLS, *carried), records)
    for name, columns in (("lesions.csv", LESIONS), ("relations.csv", RELATIONS)):
        heading = ("study_id", "patient_id", *(column.name for column in columns), *carried)
        _write(ledger.out / name, heading, _gathered(ledger, done, name))
    failures = [
        {**_failure(ledger, row), "error": ledger.error(row.study_id) or ""} for row in failed
    ]
    _write(ledger.out / "failures.csv", ("study_id", "patient_id", "error"), failures)


def _call(ledger: Ledger, row: StudyRow) -> dict[str, str]:
    """The row of calls.csv of a study that was compared."""
    path = ledger.case(row.study_id) / "comparison.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    calls = found["calls"]
    return {
        **_whose(row),
        **{name: calls[name] or "" for name in ("pet", "mri", "cell", "reason", "why")},
        "is_doubtful": "true" if ledger.exit_status(row.study_id) == 1 else "false",
        "doubtful_for": ";".join(_doubted(found)),
    }


def _doubted(found: Mapping[str, Any]) -> Iterator[str]:
    """What of a comparison is doubtful; no registration that matched lesions clear."""
    registration = found["registration"]
    if not registration["passed"] and not registration["cleared_by_lesions"]:
        yield "registration"
    if not found["liver"]["is_plausible"]:
        yield "liver"


def _failure(ledger: Ledger, row: StudyRow) -> dict[str, str]:
    """The row of calls.csv of a study that failed: no calls, and its error as the why."""
    return {**_whose(row), "why": ledger.error(row.study_id) or ""}


def _whose(row: StudyRow) -> dict[str, str]:
    carried = {name: inert(cell) for name, cell in row.carried.items()}
    return {**carried, "study_id": row.study_id, "patient_id": row.patient_id}


def _gathered(ledger: Ledger, rows: Sequence[StudyRow], name: str) -> Iterator[Mapping[str, str]]:
    """All studies' tables of one name as one, each row with its study and patient."""
    for row in rows:
        with (ledger.case(row.study_id) / name).open(newline="", encoding="utf-8") as file:
            yield from ({**_whose(row), **record} for record in csv.DictReader(file))


def _write(path: Path, columns: Sequence[str], records: Iterable[Mapping[str, str]]) -> None:
    write_csv(path, columns, ([record.get(name, "") for name in columns] for record in records))

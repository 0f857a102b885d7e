"""The tables of a batch: all its case folders gathered, in the order of STUDIES.csv.

They are made from what stands on disk, so they come out the same whatever ran when.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lesionmatch.batch.ledger import Ledger
from lesionmatch.batch.table import StudyRow

CALLS = ("study_id", "patient_id", "pet", "mri", "cell", "reason", "why", "is_doubtful")


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
    for name in ("lesions.csv", "relations.csv"):
        _gather(ledger, done, name, carried)
    failures = [
        {**_failure(ledger, row), "error": ledger.error(row.study_id) or ""} for row in failed
    ]
    _write(ledger.out / "failures.csv", ("study_id", "patient_id", "error"), failures)


def _call(ledger: Ledger, row: StudyRow) -> dict[str, str]:
    """The row of calls.csv of a study that was compared."""
    path = ledger.case(row.study_id) / "comparison.json"
    calls = json.loads(path.read_text(encoding="utf-8"))["calls"]
    return {
        **_whose(row),
        **{name: calls[name] or "" for name in ("pet", "mri", "cell", "reason", "why")},
        "is_doubtful": "true" if ledger.exit_status(row.study_id) == 1 else "false",
    }


def _failure(ledger: Ledger, row: StudyRow) -> dict[str, str]:
    """The row of calls.csv of a study that failed: no calls, and its error as the why."""
    return {**_whose(row), "why": ledger.error(row.study_id) or ""}


def _whose(row: StudyRow) -> dict[str, str]:
    return {**row.carried, "study_id": row.study_id, "patient_id": row.patient_id}


def _gather(ledger: Ledger, rows: Sequence[StudyRow], name: str, carried: Sequence[str]) -> None:
    """All studies' tables of one name as one, each row with its study and patient."""
    columns: list[str] = []
    for row in rows[:1]:
        with (ledger.case(row.study_id) / name).open(newline="", encoding="utf-8") as file:
            columns = next(csv.reader(file))

    def records() -> Iterator[Mapping[str, str]]:
        for row in rows:
            with (ledger.case(row.study_id) / name).open(newline="", encoding="utf-8") as file:
                yield from ({**_whose(row), **record} for record in csv.DictReader(file))

    others = [column for column in carried if column not in columns]
    _write(ledger.out / name, ("study_id", "patient_id", *columns, *others), records())


def _write(path: Path, columns: Sequence[str], records: Iterable[Mapping[str, str]]) -> None:
    """A whole table or the old one, never half of it."""
    # One name for good: the draft of a killed batch is overwritten by the next one's.
    draft = path.with_name(f".{path.name}.part")
    with draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    draft.replace(path)

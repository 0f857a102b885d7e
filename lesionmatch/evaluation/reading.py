"""Reads tables of calls, lesions, readers and decisions from CSV, refusing what they cannot mean.

Every fault of a table is named at once, with its line, so that it is mended in one go.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from pathlib import Path

from lesionmatch.columns import LESIONS
from lesionmatch.csv_table import Record, Row, needed, read_table, require_no
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.evaluation.rows import (
    CALLS,
    CONSENSUS,
    DOUBTS,
    TABLE,
    Call,
    CallsTable,
    Decision,
    LesionRow,
    ReaderCall,
    StudyCalls,
)
from lesionmatch.segments import Kind
from lesionmatch.wording import plain

STUDY_COLUMNS = ("study_id", "patient_id", "pet", "mri")
KNOWN_COLUMNS = (
    *STUDY_COLUMNS, "cell", "reason", "why", "is_doubtful", "doubtful_for", "study_date",
)  # fmt: skip
LESION_COLUMNS = ("study_id", "patient_id", "lesion_id", "source")

PET_STATUSES = ("positive", "retrospective", "negative", "not_covered", "")
KINDS = (*(kind.value for kind in Kind), "")


def read_calls(path: Path) -> CallsTable:
    """A batch's output folder, or a CSV of calls. Raises `InvalidInput`, `NothingFound`."""
    if not path.is_dir():
        studies, columns = _studies(path)
        return CallsTable("table", studies, None, columns)
    if not (path / "calls.csv").exists():
        raise NothingFound(
            f"{path.name}: wanted calls.csv in the folder of a batch, got none; "
            "run lesionmatch batch first, or give a CSV of calls"
        )
    studies, columns = _studies(path / "calls.csv")
    lesions = _lesions(path / "lesions.csv", {study.study_id for study in studies})
    return CallsTable("batch", studies, lesions, columns, folder=path)


def _lesions(path: Path, studies: Collection[str]) -> tuple[LesionRow, ...]:
    """The lesions of `studies`, each once."""
    optional = [column.name for column in LESIONS]
    rows = _rows(path, LESION_COLUMNS, _lesion, optional=optional, may_be_empty=True)
    _once(path.name, "study and lesion", [f"{row.study_id}, {row.lesion_id}" for row in rows])
    strangers = sorted({row.study_id for row in rows} - {*studies})
    if strangers:
        raise InvalidInput(
            f"{path.name}: wanted lesions of the studies in calls.csv, got some of "
            f"{', '.join(strangers[:5])}; a study is taken out of both tables or of none"
        )
    return rows


def read_readers(path: Path) -> tuple[ReaderCall, ...]:
    """Readers' calls: ``study_id, reader`` and ``pet``, ``mri`` or both; ``reason`` may follow."""
    rows = _rows(path, ("study_id", "reader"), _reader_call, optional=("pet", "mri", "reason"))
    _once(path.name, "reader and study", [f"{row.reader}, {row.study_id}" for row in rows])
    return rows


def read_decisions(path: Path) -> tuple[Decision, ...]:
    """Decisions, oldest first; a later one on the same study stands in place of an earlier.

    A worklist that was filled in is such a file: its rows without a decision are passed over.
    """
    wanted = ("study_id", "pet", "mri", "reason", "decided_by", "decided_at")
    rows = _rows(path, wanted, _decision, optional=("note",), may_be_empty=True)
    return tuple(sorted((row for row in rows if row), key=lambda row: row.decided_at))


def _studies(path: Path) -> tuple[tuple[StudyCalls, ...], tuple[str, ...]]:
    studies = _rows(path, STUDY_COLUMNS, _study, optional=(*KNOWN_COLUMNS, "interval_days"))
    _once(path.name, "study_id", [study.study_id for study in studies])
    return studies, tuple(studies[0].other)


def _rows(
    path: Path,
    wanted: Sequence[str],
    make: Callable[[Record], Row],
    *,
    optional: Sequence[str],
    may_be_empty: bool = False,
) -> tuple[Row, ...]:
    """Each line as a row; a `ValueError` of `make` becomes a fault with its line."""
    table = read_table(path, wanted, optional=optional, may_be_empty=may_be_empty)
    rows, faults = table.made(make)
    require_no(faults, path.name)
    if not rows and not may_be_empty:
        raise InvalidInput(f"{path.name}: wanted at least one row, got none; check the file")
    return tuple(rows)


def _once(name: str, what: str, keys: Sequence[str]) -> None:
    twice = sorted(key for key, count in Counter(keys).items() if count > 1)
    if twice:
        raise InvalidInput(
            f"{name}: wanted each {what} once, got {'; '.join(twice[:5])} again; "
            "remove the repeated rows"
        )


def _study(record: Record) -> StudyCalls:
    return StudyCalls(
        study_id=needed("study_id", record),
        patient_id=needed("patient_id", record),
        pet=_call("pet", record),
        mri=_call("mri", record),
        reason=record.get("reason", ""),
        why=record.get("why", ""),
        is_doubtful=_one_of("is_doubtful", record, ("true", "false", "")) == "true",
        doubtful_for=_doubts(record.get("doubtful_for")),
        study_date=_date(record.get("study_date", "")),
        other={name: value for name, value in record.items() if name not in KNOWN_COLUMNS},
    )


def _lesion(record: Record) -> LesionRow:
    return LesionRow(
        study_id=needed("study_id", record),
        patient_id=needed("patient_id", record),
        lesion_id=needed("lesion_id", record),
        source=_one_of("source", record, ("mri", "pet")),
        kind=_one_of("kind", record, KINDS),
        relation=record.get("relation", ""),
        focus_ids=_list(record.get("focus_ids", "")),
        long_axis_mm=_number("long_axis_mm", record),
        tumour_to_liver=_number("tumour_to_liver", record),
        contrast_to_noise=_number("contrast_to_noise", record),
        pet_status=_one_of("pet_status", record, PET_STATUSES),
        least_visible_ratio=_number("least_visible_ratio", record),
        visibility=record.get("visibility", ""),
        flags=_list(record.get("flags", "")),
        reason=record.get("reason", ""),
        overlay=record.get("overlay", ""),
    )


def _reader_call(record: Record) -> ReaderCall:
    pet, mri = _call("pet", record), _call("mri", record)
    if pet is None and mri is None:
        raise ValueError("pet, mri: wanted at least one call, got none")
    reader = needed("reader", record)
    if plain(reader) in (TABLE, CONSENSUS):
        raise ValueError(f"reader: wanted a name but {TABLE} and {CONSENSUS}, got {reader!r}")
    return ReaderCall(needed("study_id", record), reader, pet, mri, record.get("reason", ""))


def _decision(record: Record) -> Decision | None:
    settled = [record.get(name, "") for name in ("pet", "mri", "reason", "note")]
    if not any((*settled, record["decided_by"], record["decided_at"])):
        return None
    if not any(settled):
        raise ValueError("pet, mri, reason, note: wanted at least one, got none")
    return Decision(
        study_id=needed("study_id", record),
        pet=_call("pet", record),
        mri=_call("mri", record),
        reason=record["reason"],
        decided_by=needed("decided_by", record),
        decided_at=_moment(record["decided_at"]),
        note=record.get("note", ""),
    )


def _call(name: str, record: Record) -> Call | None:
    word = _one_of(name, record, (*CALLS, ""))
    return next((call for call in CALLS if call == word), None)


def _one_of(name: str, record: Record, words: Sequence[str]) -> str:
    """One of `words` however it is spelled, as ``not_involved`` for ``Not involved``."""
    given = record.get(name, "")
    word = plain(given)
    if word not in words:
        known = ", ".join(one or "nothing" for one in words)
        raise ValueError(f"{name}: wanted one of {known}, got {given!r}")
    return word


def _doubts(cell: str | None) -> tuple[str, ...] | None:
    if cell is None:
        return None
    found = _list(cell)
    if strange := [word for word in found if word not in DOUBTS]:
        raise ValueError(f"doubtful_for: wanted {' or '.join(DOUBTS)}, got {strange[0]!r}")
    return found


def _number(name: str, record: Record) -> float | None:
    word = record.get(name, "")
    if not word:
        return None
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name}: wanted a finite number, got {word!r}")
    return value


def _date(word: str) -> date | None:
    try:
        return date.fromisoformat(word) if word else None
    except ValueError:
        raise ValueError(f"study_date: wanted a date as 2021-05-31, got {word!r}") from None


def _moment(word: str) -> datetime:
    """An aware instant; one without a zone could not be put in order with others."""
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            f"decided_at: wanted a date, time and zone as 2026-03-01T10:00:00+01:00, got {word!r}"
        )
    return moment


def _list(word: str) -> tuple[str, ...]:
    return tuple(part for part in word.split(";") if part)

"""The worklist: discrepant studies with their pictures, and a form that records what is settled.

The page keeps what is entered in the browser until it is saved as decisions.csv, which
``accuracy --decisions`` reads. Pictures are linked, not copied: a worklist of hundreds of
studies would not open otherwise, so the batch's folder must stay where it is.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lesionmatch.evaluation.assemble import AccuracyReport
from lesionmatch.evaluation.rows import CALLS, Decision, ReaderCall
from lesionmatch.evaluation.sheet import Cell, Heading, Sheet
from lesionmatch.evaluation.taxonomy import CALLED, MISSED
from lesionmatch.evaluation.worklist import Item, Picture
from lesionmatch.report import words
from lesionmatch.report.page import rendered
from lesionmatch.wording import begun

FIELDS = ("pet", "mri", "reason", "decided_by", "decided_at", "note")


def worklist_sheet(items: Sequence[Item]) -> Sheet:
    """worklist.csv: filled in by hand it is a decisions file."""
    asked = ("study_id", "patient_id", "why", "pet_called", "mri_called", "cell", "reason_called")
    return Sheet(
        "worklist",
        "Studies to look at",
        "",
        tuple(Heading(name, name, "text") for name in (*asked, "readers", *FIELDS)),
        tuple(_row(item) for item in items),
    )


def _row(item: Item) -> tuple[Cell, ...]:
    study, decision = item.study, item.decision
    settled = ("",) * len(FIELDS) if decision is None else _settled(decision)
    return (
        study.study_id,
        study.patient_id,
        "; ".join(item.why),
        study.pet,
        study.mri,
        study.cell,
        study.reason,
        "; ".join(_reader(call) for call in item.readers),
        *settled,
    )


def _settled(decision: Decision) -> tuple[str, ...]:
    return (
        decision.pet or "",
        decision.mri or "",
        decision.reason,
        decision.decided_by,
        decision.decided_at.isoformat(),
        decision.note,
    )


def _reader(call: ReaderCall) -> str:
    said = [f"{name} {value}" for name, value in (("PET", call.pet), ("MRI", call.mri)) if value]
    return f"{call.reader}: {', '.join(said)}"


def worklist_page(report: AccuracyReport, batch: Path | None) -> str:
    """The page; `batch` is the batch's folder as seen from where the page lies."""
    return rendered(
        "worklist.html.j2",
        styles=("style.css", "accuracy.css", "worklist.css"),
        scripts=("worklist.js",),
        pictures="data: file: 'self'",
        title="Studies to look at",
        items=[_shown(item, batch) for item in report.items],
        calls=[(call, words.words(words.CALLS, call)) for call in CALLS],
        reasons=_reasons(),
        earlier=[_earlier(decision) for decision in report.decisions],
    )


def _reasons() -> list[str]:
    codes = [reason for cause in (*MISSED, *CALLED) for reason in cause.reasons]
    return [*dict.fromkeys(codes), "unexplained"]


def _shown(item: Item, batch: Path | None) -> dict[str, Any]:
    study = item.study
    return {
        "study_id": study.study_id,
        "patient_id": study.patient_id,
        "why": f"{begun('; '.join(item.why))}.",
        "said": [
            ("Table", study.pet or "", study.mri or "", study.reason),
            *((call.reader, call.pet or "", call.mri or "", call.reason) for call in item.readers),
        ],
        "page": None if batch is None else _address(batch, study.study_id, "report.html"),
        "pictures": [
            {
                "address": _address(batch, study.study_id, picture.path),
                "says": picture.says,
            }
            for picture in item.pictures
            if batch is not None and _stays_inside(picture)
        ],
        "explained": study.why,
        "decision": None if item.decision is None else _earlier(item.decision),
    }


def _stays_inside(picture: Picture) -> bool:
    """A table's path must not lead the page out of the study's folder."""
    path = Path(picture.path)
    return not path.is_absolute() and ".." not in path.parts


def _address(batch: Path, study_id: str, name: str) -> str:
    return quote((batch / "studies" / study_id / name).as_posix())


def _earlier(decision: Decision) -> dict[str, str]:
    names = ("study_id", *FIELDS)
    return dict(zip(names, (decision.study_id, *_settled(decision)), strict=True))

"""index.html of a batch: every study with its call, its disagreements and its quality.

Failed studies come first, then doubtful ones, then those where PET and MRI disagree:
the order in which a person should look. All is read from what stands on disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lesionmatch.csv_table import Record, read_table
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.output import write_text
from lesionmatch.report import context, words
from lesionmatch.report.case import Json, read_comparison
from lesionmatch.report.page import data_uri, rendered
from lesionmatch.report.study import THUMBNAIL

FAILED, DOUBTFUL, DISCORDANT, UNCERTAIN, CONCORDANT = range(5)
"""The order of the studies."""

ORDER_WORDS = ("failed", "doubtful", "discordant", "uncertain", "concordant")


@dataclass(frozen=True, slots=True)
class Study:
    """One row of the overview."""

    study_id: str
    patient_id: str
    order: int
    mri: str
    pet: str
    cell: str
    reason: str
    text: str
    """The error of a failed study, the doubts of a doubtful one, else why it was called so."""
    disagreements: int | None
    lesions: int | None
    mri_only: int | None
    pet_only: int | None
    flags: tuple[str, ...]
    quality: str
    thumbnail: str | None


def write_index(out: Path) -> None:
    """See `lesionmatch.report.index`."""
    studies = sorted(_studies(out), key=lambda study: (study.order, study.study_id))
    write_text(
        out / "index.html",
        rendered(
            "index.html.j2",
            styles=("style.css", "overview.css"),
            scripts=("table.js",),
            studies=studies,
            order_words=ORDER_WORDS,
            counts=_counts(studies),
            cells=sorted({study.cell for study in studies if study.cell}),
        ),
    )


def _counts(studies: Sequence[Study]) -> list[tuple[str, int]]:
    """How many studies there are of each standing and in each cell of the table."""
    standings = [(name, sum(s.order == n for s in studies)) for n, name in enumerate(ORDER_WORDS)]
    cells = [
        (f"{cell}: {text}", sum(s.cell == cell for s in studies))
        for cell, text in words.CELLS.items()
    ]
    return [("studies", len(studies)), *standings, *cells]


def _studies(out: Path) -> list[Study]:
    errors = {row["study_id"]: row.get("error", "") for row in _rows(out / "failures.csv")}
    made = []
    for row in _rows(out / "calls.csv"):
        error = errors.pop(row["study_id"], None)
        case = out / "studies" / row["study_id"]
        made.append(_made(row, case) if error is None else _failed(row, error))
    left = [row for row in _rows(out / "failures.csv") if row["study_id"] in errors]
    return made + [_failed(row, row.get("error", "")) for row in left]


def _rows(path: Path) -> list[Record]:
    if not path.is_file():
        return []
    table = read_table(path, ("study_id",), optional=("patient_id", "is_doubtful", "error", "why"))
    return [record for _, record in table.records]


def _made(row: Record, case: Path) -> Study:
    """A study that did not fail, as far as it can still be read."""
    try:
        return _done(row, case, read_comparison(case))
    except NothingFound:
        return _failed(row, row.get("why") or "its results are not in this folder")
    except InvalidInput as error:
        return _failed(row, str(error))


def _failed(row: Record, error: str) -> Study:
    return Study(
        row["study_id"], row.get("patient_id", ""), FAILED, "", "", "", "", error,
        None, None, None, None, (), "failed", None,
    )  # fmt: skip


def _done(row: Record, case: Path, comparison: Json) -> Study:
    calls, lesions = comparison["calls"], comparison["lesions"]
    doubts = context.doubts(comparison)
    relations = [lesion["relation"] for lesion in lesions]
    flags = dict.fromkeys(flag for lesion in lesions for flag in lesion["flags"])
    is_doubtful = bool(doubts) or row.get("is_doubtful", "").lower() == "true"
    order = DOUBTFUL if is_doubtful else _order(calls.get("cell"))
    reason = calls.get("reason")
    return Study(
        study_id=row["study_id"],
        patient_id=row.get("patient_id", ""),
        order=order,
        mri=words.words(words.CALLS, calls["mri"]),
        pet=words.words(words.CALLS, calls["pet"]),
        cell=calls.get("cell") or "",
        reason=words.words(words.REASONS, reason) if reason else "",
        text=" ".join(doubts) or str(calls.get("why") or ""),
        disagreements=sum(map(context.is_discordant, lesions)),
        lesions=sum(lesion["source"] == "mri" for lesion in lesions),
        mri_only=relations.count("mri_only"),
        pet_only=relations.count("pet_only"),
        flags=tuple(words.words(words.FLAGS, flag) for flag in flags),
        quality=_quality(comparison),
        thumbnail=_thumbnail(case / THUMBNAIL),
    )


def _order(cell: str | None) -> int:
    if cell in ("FN", "FP"):
        return DISCORDANT
    return CONCORDANT if cell else UNCERTAIN


def _quality(comparison: Json) -> str:
    registration, liver = comparison["registration"], comparison["liver"]
    aligned = "registration passed" if registration.get("passed") else "registration doubtful"
    noise = f"liver noise (CoV) {words.fixed(liver.get('cov'), 2)}"
    return f"{registration['method']}, {aligned}; {noise}"


def _thumbnail(path: Path) -> str | None:
    return data_uri("image/webp", path.read_bytes()) if path.is_file() else None

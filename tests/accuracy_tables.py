"""Tables of calls, lesions and readers as the accuracy verb takes them."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lesionmatch.evaluation.rows import Call, CallsTable, StudyCalls
from lesionmatch.evaluation.summary import Options

QUICK = Options(draws=50)
YES: Call = "involved"
NO: Call = "not_involved"
MAYBE: Call = "uncertain"
PAPER = [(YES, YES)] * 1634 + [(YES, NO)] * 16 + [(NO, YES)] * 51 + [(NO, NO)] * 682


def studies(calls: Iterable[tuple[Call | None, Call | None]], patients: int = 10**6) -> CallsTable:
    rows = tuple(
        StudyCalls(f"S{k}", f"P{k % patients}", pet, mri) for k, (pet, mri) in enumerate(calls)
    )
    return CallsTable("table", rows, None, ())


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def calls_csv(path: Path, calls: Iterable[tuple[str, str]], **other: list[str]) -> Path:
    rows = [
        {"study_id": f"S{k}", "patient_id": f"P{k // 2}", "pet": pet, "mri": mri}
        | {name: values[k] for name, values in other.items()}
        for k, (pet, mri) in enumerate(calls)
    ]
    return write(path, rows)


def lesion(study: int, number: int = 1, **changes: str) -> dict[str, str]:
    row = {
        "study_id": f"S{study}",
        "patient_id": f"P{study // 2}",
        "lesion_id": f"L{number}",
        "source": "mri",
        "kind": "metastasis",
        "relation": "matched",
        "focus_ids": f"F{number}",
        "long_axis_mm": "9.0",
        "contrast_to_noise": "8.0",
        "pet_status": "positive",
        "least_visible_ratio": "2.0",
        "visibility": "expected",
        "flags": "",
        "reason": "",
        "overlay": f"overlays/L{number}.png",
    }
    return row | changes


def batch(
    folder: Path,
    calls: list[tuple[str, str]],
    lesions: list[dict[str, str]],
    **other: list[str],
) -> Path:
    folder.mkdir()
    calls_csv(folder / "calls.csv", calls, **other)
    write(folder / "lesions.csv", lesions or [lesion(0)])
    if not lesions:
        text = (folder / "lesions.csv").read_text().splitlines()[0]
        (folder / "lesions.csv").write_text(text + "\n")
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def many_lesions() -> list[dict[str, str]]:
    """Lesions of 3 to 22 mm, found above 8 mm but for a few; every third study a false focus."""
    rows = []
    for study in range(60):
        for number in range(1, 4):
            size = 3.0 + (study * 3 + number) % 20
            is_found = (size > 8) != ((study + number) % 11 == 0)
            status = "positive" if is_found else "negative"
            flags = "small;subcentimetre" if size < 6 else ""
            rows.append(
                lesion(
                    study, number, long_axis_mm=f"{size}", pet_status=status, flags=flags,
                    relation="matched" if is_found else "mri_only",
                    focus_ids=f"F{number}" if is_found else "",
                    least_visible_ratio=f"{1 + 10 / size:.3f}",
                )
            )  # fmt: skip
        if study % 3 == 0:
            rows.append(lesion(study, 9, source="pet", relation="pet_only", reason="cyst", kind=""))
    return rows

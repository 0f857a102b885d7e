"""What the page of a study says: the comparison put into words, rows and pairs.

Plain values only; what draws pictures is in `overlays`, `projection` and `checks`, what
lays them out in the template.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from lesionmatch.columns import LESIONS, RELATIONS, Column, Row, Value
from lesionmatch.report import words
from lesionmatch.report.case import Json
from lesionmatch.report.facts import text_of
from lesionmatch.report.tables import table
from lesionmatch.segments import Kind
from lesionmatch.wording import begun, number_of, was_or_were

ALWAYS_SHOWN = (
    "lesion_id",
    "kind",
    "relation",
    "long_axis_mm",
    "suv_max",
    "tumour_to_liver",
    "pet_status",
    "registration_error_mm",
    "flags",
    "reason",
)
"""Columns of the table that are on show before all are asked for."""

CHOICES = {
    "relation": "Relation",
    "kind": "Kind",
    "pet_status": "On PET",
    "flags": "Flag",
}
"""Columns the table can be filtered by."""

TITLES = {
    "lesion_id": "Lesion",
    "long_axis_mm": "Long axis (mm)",
    "suv_max": "SUVmax",
    "tumour_to_liver": "Tumour to liver",
    "pet_status": "On PET",
    "registration_error_mm": "Registration error (mm)",
}
"""Headings that read better than the column's name."""

DECIMALS = {"mm": 1, "g/ml": 1}
"""Of measurements in the table on the page, by unit; lesions.csv holds six digits."""

DECIMALS_OF = {
    "tumour_to_liver": 2,
    "contrast_to_noise": 1,
    "null_p": 3,
    "expected_recovery": 2,
    "least_visible_ratio": 2,
    "overlap": 2,
}
"""The same of numbers without a unit, by column: as many as above the pictures."""

KINDS = {"other_benign": "other benign lesion", "unspecified": "unspecified lesion"}
"""Kinds that are no nouns."""

Pairs = list[tuple[str, str]]


def call(comparison: Json) -> dict[str, str]:
    """The patient-level call: a sentence, why, and how alarming it is."""
    calls = comparison["calls"]
    mri, pet = (words.words(words.CALLS, calls[side]) for side in ("mri", "pet"))
    cell = calls.get("cell")
    verdict = words.words(words.CELLS, cell) if cell else "no cell, since a call is uncertain"
    tone = {"TP": "good", "TN": "good", "FN": "warn", "FP": "warn"}.get(str(cell), "warn")
    reason = calls.get("reason")
    shared = any(_counts(row) and row["pet_status"] == "positive" for row in comparison["lesions"])
    if cell == "TP" and not shared:
        # Two involved livers may still have nothing in common.
        tone, verdict = "warn", f"{verdict}, but by no lesion that both show"
    return {
        "sentence": f"MRI: liver {mri}. PET: liver {pet}. {begun(verdict)}"
        + (f" ({cell})." if cell else "."),
        "why": str(calls.get("why") or ""),
        "reason": words.words(words.REASONS, reason) if reason else "",
        "tone": tone,
    }


def _counts(row: Row) -> bool:
    """Whether it is a lesion of the MRI, and none that is benign."""
    return row["source"] == "mri" and Kind(row["kind"]).counts


def doubts(comparison: Json) -> list[str]:
    """What asks for a person's eye before anything else is believed."""
    found = []
    registration, liver = comparison["registration"], comparison["liver"]
    if registration.get("cleared_by_lesions"):
        found.append(
            "The registration is doubtful, but matched lesions lie on their foci: the PET was "
            "called all the same."
        )
    elif not registration.get("passed", True):
        found.append("The registration is doubtful.")
    found += map(_sentence, registration.get("doubts") or [])
    if not liver.get("is_plausible", True):
        found.append("The liver is doubtful: its mask, or what was drawn in it.")
    return [*found, *map(_sentence, liver.get("doubts") or [])]


def _sentence(text: str) -> str:
    """
    >>> _sentence("the map folds"), _sentence("It slid.")
    ('The map folds.', 'It slid.')
    """
    return f"{begun(text).removesuffix('.')}."


def summary(comparison: Json) -> Pairs:
    """The study in a dozen facts."""
    rows: Sequence[Row] = comparison["lesions"]
    drawn = [row for row in rows if row["source"] == "mri"]
    liver, registration = comparison["liver"], comparison["registration"]
    suv = f"{words.fixed(liver.get('suv_mean'), 2)} ± {words.fixed(liver.get('suv_sd'), 2)}"
    return [
        ("Lesions on MRI", _kinds(drawn)),
        ("Relations", _counted(words.words(words.RELATIONS, row["relation"]) for row in rows)),
        ("On PET", _counted(words.words(words.STATUSES, row["pet_status"]) for row in drawn)),
        ("Liver", words.number(liver.get("volume_ml"), "ml", 4)),
        ("Liver SUV", f"{suv} (variation {words.fixed(liver.get('cov'), 2)})"),
        ("Liver's mask", str(liver.get("mask_origin", words.MISSING))),
        (
            "Registration",
            f"{registration['method']}, to the {str(registration.get('target', '')).upper()}, "
            + ("passed its checks" if registration.get("passed") else "DOUBTFUL"),
        ),
        ("Median registration error", _median_error(rows)),
    ]


def _counted(terms: Iterable[Any]) -> str:
    names = [str(term).replace("_", " ") for term in terms if term is not None]
    kinds = dict.fromkeys(names)
    return ", ".join(f"{names.count(name)} {name}" for name in kinds) or "none"


def _kinds(drawn: Sequence[Row]) -> str:
    """How many lesions of each kind.

    >>> _kinds([{"kind": "metastasis"}, {"kind": "metastasis"}, {"kind": "unspecified"}])
    '3 (2 metastases, 1 unspecified lesion)'
    """
    counts = Counter(str(row["kind"]) for row in drawn)
    parts = [number_of(count, KINDS.get(kind, kind)) for kind, count in counts.items()]
    return f"{len(drawn)} ({', '.join(parts)})" if parts else "none"


def _median_error(rows: Sequence[Row]) -> str:
    known = (row["registration_error_mm"] for row in rows)
    errors = [error for error in known if isinstance(error, int | float)]
    return words.fixed(median(errors), 1, "mm") if errors else words.MISSING


def disagreements(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Each lesion or focus that PET and MRI disagree about, with the reason in words."""
    return [
        {
            "id": str(row["lesion_id"]),
            "text": f"{_what(row)}, {words.words(words.RELATIONS, row['relation'])}: "
            + words.words(words.REASONS, row["reason"]),
        }
        for row in rows
        if is_discordant(row)
    ]


def agreement(rows: Sequence[Row]) -> str:
    """What is said where `disagreements` has nothing."""
    beyond = sum(row["pet_status"] == "not_covered" for row in rows)
    if not rows:
        return "Neither PET nor MRI shows a lesion."
    if not beyond:
        return "PET and MRI agree about every lesion."
    return (
        "PET and MRI agree about every lesion that both cover; "
        f"{number_of(beyond, 'lesion')} {was_or_were(beyond)} outside the PET."
    )


def is_discordant(row: Row) -> bool:
    """Whether PET and MRI disagree about a lesion or focus: then, and only then, it has a reason.

    A cyst without uptake is on the MRI only, and nobody disagrees.
    """
    return row["reason"] is not None


def _what(row: Row) -> str:
    size = words.fixed(row["long_axis_mm"], 1, "mm")
    if row["source"] == "pet":
        return f"focus of {size}, {words.fixed(row['tumour_to_liver'], 1)} x liver"
    kind = str(row["kind"])
    return f"{KINDS.get(kind, kind)} of {size}"


def columns(schema: Sequence[Column]) -> list[dict[str, Any]]:
    """The headings of a table."""
    return [
        {
            "name": column.name,
            "title": TITLES.get(column.name) or _title(column),
            "type": column.type,
            "says": column.says + (f", {column.unit}" if column.unit else ""),
            "is_more": column.name not in ALWAYS_SHOWN,
        }
        for column in schema
    ]


def _title(column: Column) -> str:
    name = column.name.removesuffix("_mm").removesuffix("_ml").replace("_", " ")
    return f"{begun(name)} ({column.unit})" if column.unit else begun(name)


def lesion_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows of the table of lesions, with what they are filtered by."""
    body = table(LESIONS, rows)
    names = [column.name for column in LESIONS]
    made = []
    for row, values in zip(rows, body, strict=True):
        by_name = dict(zip(names, values, strict=True))
        made.append(
            {
                "id": str(row["lesion_id"]),
                **{name: by_name[name] for name in CHOICES},
                "discordant": "true" if is_discordant(row) else "false",
                "cells": _cells(LESIONS, values),
            }
        )
    return made


def relation_rows(rows: Sequence[Row]) -> list[list[dict[str, str]]]:
    """The rows of the table of pairs."""
    return [_cells(RELATIONS, values) for values in table(RELATIONS, rows)]


def _cells(schema: Sequence[Column], values: Sequence[str]) -> list[dict[str, str]]:
    return [
        {
            "name": column.name,
            "value": value,
            "shown": _shown(column, value),
            "css": _css(column, is_more=schema is LESIONS and column.name not in ALWAYS_SHOWN),
        }
        for column, value in zip(schema, values, strict=True)
    ]


def _shown(column: Column, value: str) -> str:
    """As the table holds it, but numbers rounded and words without underscores."""
    if value == "":
        return ""
    decimals = DECIMALS_OF.get(column.name, DECIMALS.get(column.unit))
    if column.type == "number":
        number = float(value)
        return words.number(number) if decimals is None else words.fixed(number, decimals)
    return (
        value if column.name in ("label", "overlay") else value.replace("_", " ").replace(";", ", ")
    )


def _css(column: Column, *, is_more: bool) -> str:
    parts = ["number" if column.type == "number" else ""]
    parts += [
        "wide" if column.name in ("flags", "reason", "label") else "",
        "more" if is_more else "",
    ]
    return " ".join(part for part in parts if part)


def choices(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The filters that have more than one thing to choose from."""
    made = []
    for name, title in CHOICES.items():
        known = sorted({option for row in rows for option in _options(row[name])})
        if known:
            made.append({"name": name, "title": title, "options": known})
    return made


def _options(value: Value) -> Sequence[str]:
    if isinstance(value, list | tuple):
        return value
    return [] if value is None else [str(value)]


def evidence(row: Mapping[str, Any]) -> list[str]:
    """The sentences or values a row's reason rests on."""
    given = row.get("evidence") or {}
    if isinstance(given, Mapping):
        return [f"{str(name).replace('_', ' ')}: {text_of(value)}" for name, value in given.items()]
    return [text_of(value) for value in given]


def other_foci(comparison: Json) -> list[dict[str, str]]:
    """Foci that were found but are neither a lesion's nor a row of their own, and why."""
    rows: Sequence[Row] = comparison["lesions"]
    told = {name for row in rows for name in _options(row["focus_ids"])}
    told |= {str(row["lesion_id"]) for row in rows}
    return [
        {
            "id": str(focus["focus_id"]),
            "text": f"SUVmax {words.fixed(focus['suv_max'], 1)}, "
            + str(focus.get("why") or focus.get("physiologic_neighbour") or "no lesion"),
        }
        for focus in comparison.get("foci") or []
        if focus["focus_id"] not in told
    ]

"""What a study's page tells of the scans, the run and the protocol, as names and values.

Keys are those of comparison.json and run.json, put into words with their units.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lesionmatch.report import words
from lesionmatch.report.case import Case, Json

UNITS = {"mm": "mm", "ml": "ml", "kg": "kg", "mbq": "MBq", "deg": "degrees", "s": "s"}
"""Endings of keys that are units."""

ABBREVIATIONS = {
    "suv": "SUV",
    "sd": "SD",
    "cov": "variation",
    "pet": "PET",
    "ct": "CT",
    "psf": "PSF",
}

NAMES = {"uptake_min": "uptake time (min)"}
"""Keys that would be misread: this is minutes and no minimum."""


def facts(case: Case) -> list[dict[str, Any]]:
    """Facts of the study, in groups."""
    comparison = case.comparison
    study: Json = comparison.get("study") or {}
    titles = {"suv": "SUV", "pet": "PET", "ct": "CT", "mri": "MRI"}
    groups = {titles.get(name, name): values for name, values in study.items()}
    skipped = ("doubts",)
    registration = comparison["registration"]
    quality = registration.get("quality") or {}
    flat = {k: v for k, v in registration.items() if k not in (*skipped, "quality")} | quality
    liver = {k: v for k, v in comparison["liver"].items() if k not in skipped}
    everything = {**groups, "Liver": liver, "Registration": flat}
    return [_group(title, values) for title, values in everything.items() if values]


def provenance(case: Case) -> list[dict[str, Any]]:
    """Versions, options and inputs."""
    run = case.run
    general = {"lesionmatch": case.comparison.get("version"), "started": run.get("started")}
    general |= {"peak memory (MB)": run.get("peak_memory_mb")}
    groups = {
        "Run": {name: value for name, value in general.items() if value is not None},
        "Options": case.comparison.get("options") or {},
        "Versions": run.get("versions") or {},
        "Seconds": run.get("seconds") or {},
        "Inputs": run.get("inputs") or {},
    }
    return [_group(title, values) for title, values in groups.items() if values]


def protocol(comparison: Json) -> list[dict[str, Any]]:
    """Every threshold with its value, meaning and source."""
    return [
        {
            "name": f"{item['section']}.{item['name']}",
            "value": f"{item['value']} {item['unit']}".strip(),
            "is_changed": item["value"] != item.get("default", item["value"]),
            "says": item["says"],
            "source": item["source"],
        }
        for item in comparison.get("protocol") or []
    ]


def series(run: Json) -> list[dict[str, Any]]:
    """Every series found, what it was taken for and why."""
    return [
        {
            "uid": item.get("series", ""),
            "modality": item.get("modality", ""),
            "files": item.get("files", ""),
            "role": "set aside" if item.get("set_aside") else item.get("role", ""),
            "why": item.get("set_aside") or "; ".join(item.get("evidence") or []),
        }
        for item in run.get("series") or []
    ]


def _group(title: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": title, "pairs": [(_name(k), text_of(v)) for k, v in values.items()]}


def _name(key: str) -> str:
    """A key in words, its unit in brackets: ``dose_mbq`` is dose (MBq)."""
    if key in NAMES:
        return NAMES[key]
    stem, _, unit = str(key).rpartition("_")
    if unit in UNITS and stem:
        return f"{_name(stem)} ({UNITS[unit]})"
    return " ".join(ABBREVIATIONS.get(word, word) for word in str(key).split("_"))


def text_of(value: Any) -> str:  # noqa: ANN401 - whatever JSON may hold
    """A value for reading; n/a where there is none."""
    if value is None:
        return words.MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return words.number(value, digits=4)
    if isinstance(value, Mapping):
        return "; ".join(f"{_name(k)}: {text_of(v)}" for k, v in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(text_of(item) for item in value) or words.MISSING
    return str(value)

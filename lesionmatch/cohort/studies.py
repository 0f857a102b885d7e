"""The studies in an index: what each is, whose, and what about it does not hold together."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import lesionmatch
from lesionmatch.dicom.series.headers import SeriesFacts, series_facts
from lesionmatch.protocol import Protocol

SOURCES = ("PT", "MR")
"""Modalities whose headers are read whole; of a CT it is enough that it is there."""

WRITTEN_TOGETHER = 200
"""Studies written to the index at once: making sure of a write takes longer than a study."""


@dataclass(frozen=True, slots=True)
class Study:
    """One study, by its UID."""

    uid: str
    patients: tuple[str, ...]
    """More than one where its files name several; none where they name nobody."""
    names: tuple[str, ...]
    births: tuple[str, ...]
    sexes: tuple[str, ...]
    days: tuple[date, ...]
    age_years: int | None
    files: Mapping[str, int]
    """Files by modality."""
    series: Mapping[str, SeriesFacts | str]
    """PET and MR series by UID; a text says why one was not read."""

    @property
    def patient(self) -> str:
        """Its patient, the first where it names several."""
        return self.patients[0] if self.patients else ""

    @property
    def has_pet(self) -> bool:
        """Whether it has files of PET."""
        return "PT" in self.files

    @property
    def has_mri(self) -> bool:
        """Whether it has files of MRI."""
        return "MR" in self.files

    @property
    def has_ct(self) -> bool:
        """Whether it has files of CT."""
        return "CT" in self.files

    @property
    def pet_series(self) -> tuple[SeriesFacts, ...]:
        """Attenuation-corrected, static PET series."""
        return tuple(
            facts for facts in self._facts() if facts.role == "AC PET" and facts.set_aside is None
        )

    @property
    def hbp_score(self) -> float | None:
        """The most points any MR series has for the hepatobiliary phase."""
        scores = [facts.hbp_score for facts in self._facts() if facts.hbp_score is not None]
        return max(scores, default=None)

    def _facts(self) -> Iterator[SeriesFacts]:
        return (facts for facts in self.series.values() if isinstance(facts, SeriesFacts))


def studies(database: sqlite3.Connection, root: Path, protocol: Protocol) -> tuple[Study, ...]:
    """Every study of the index, by UID."""
    heads: dict[str, list[tuple[str, ...]]] = {}
    rows = database.execute(
        "SELECT h.study, h.modality, h.patient, h.name, h.birth, h.sex, h.day, h.age, COUNT(*) "
        "FROM files f JOIN heads h ON f.head = h.id GROUP BY h.id ORDER BY h.study, h.id"
    )
    for study, *head in rows:
        heads.setdefault(study, []).append(tuple(head))
    facts = _all_facts(database, root, protocol)
    return tuple(_study(uid, rows, facts.get(uid, {})) for uid, rows in sorted(heads.items()))


def _study(
    uid: str, heads: list[tuple[str, ...]], series: Mapping[str, SeriesFacts | str]
) -> Study:
    modality, patient, name, birth, sex, day, age, count = zip(*heads, strict=True)
    files: dict[str, int] = {}
    for one, number in zip(modality, count, strict=True):
        files[one] = files.get(one, 0) + int(number)
    ages = [int(one) for one in age if int(one) >= 0]
    return Study(
        uid=uid,
        patients=_several(patient),
        names=_several(name),
        births=_several(birth),
        sexes=_several(sex),
        days=tuple(date.fromisoformat(one) for one in sorted(_several(day))),
        age_years=min(ages, default=None),
        files=files,
        series=series,
    )


def _several(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _all_facts(
    database: sqlite3.Connection, root: Path, protocol: Protocol
) -> dict[str, dict[str, SeriesFacts | str]]:
    """Facts of PET and MR series by study; only studies that changed are read again."""
    kept = {
        study: (signature, series)
        for study, signature, series in database.execute("SELECT * FROM facts")
    }
    found, fresh = {}, []
    for study, files in _representatives(database):
        signature = _signature(files)
        if kept.get(study, ("", ""))[0] == signature:
            found[study] = _loaded(kept[study][1])
            continue
        paths = {series: root / os.fsdecode(path) for series, (path, _, _) in files.items()}
        found[study] = series_facts(paths, protocol.input)
        fresh.append((study, signature, _dumped(found[study])))
        if len(fresh) == WRITTEN_TOGETHER:
            _keep(database, fresh)
            fresh.clear()
    _keep(database, fresh)
    return found


def _keep(database: sqlite3.Connection, rows: Sequence[tuple[str, str, str]]) -> None:
    with database:
        database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", rows)


Files = dict[str, tuple[bytes, int, int]]


def _representatives(database: sqlite3.Connection) -> Iterator[tuple[str, Files]]:
    """For each study the first file of each PET and MR series."""
    marks = ", ".join("?" for _ in SOURCES)
    rows = database.execute(
        "SELECT h.study, h.series, MIN(f.path), f.size, f.changed FROM files f "
        f"JOIN heads h ON f.head = h.id WHERE h.modality IN ({marks}) "
        "GROUP BY h.study, h.series ORDER BY h.study, h.series",
        SOURCES,
    ).fetchall()
    by_study: dict[str, Files] = {}
    for study, series, path, size, changed in rows:
        by_study.setdefault(study, {})[series] = (path, size, changed)
    yield from by_study.items()


def _signature(files: Files) -> str:
    """A hash of what the facts depend on: the files, and the version that reads them."""
    known = (lesionmatch.__version__, sorted(files.items()))
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _dumped(facts: Mapping[str, SeriesFacts | str]) -> str:
    return json.dumps(
        {key: one if isinstance(one, str) else asdict(one) for key, one in facts.items()}
    )


def _loaded(text: str) -> dict[str, SeriesFacts | str]:
    return {
        key: one if isinstance(one, str) else SeriesFacts(**one)
        for key, one in json.loads(text).items()
    }

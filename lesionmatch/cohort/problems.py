"""What does not hold together in a tree: identities that conflict, dates that cannot be read.

Everything is listed. Only what makes a study unusable costs it its place: files of several
patients in one study, a patient with several dates of birth or sexes, no date at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lesionmatch.cohort.studies import Study


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a person should look at; it may or may not have cost a study its place."""

    patient: str
    study_uid: str
    what: str


def find_problems(studies: Sequence[Study]) -> tuple[list[Problem], dict[str, str]]:
    """What does not hold together, and the studies it makes unusable, with the reason."""
    problems: list[Problem] = []
    unusable: dict[str, str] = {}
    for study in studies:
        problems += [Problem(study.patient, study.uid, what) for what in _study_problems(study)]
        if len(study.patients) != 1:
            named = "several patients" if study.patients else "no patient"
            unusable[study.uid] = f"its files name {named}"
    for patient, group in _by_patient(studies).items():
        for what in _patient_problems(group):
            problems.append(Problem(patient, "", what))
            if "dates of birth" in what or "sexes" in what:
                unusable |= {s.uid: "conflicting identities of the patient" for s in group}
    return problems + _same_person(studies), unusable


def _study_problems(study: Study) -> list[str]:
    found = []
    if not study.patients:
        found.append("no patient identifier")
    if len(study.patients) > 1:
        found.append(f"one study, {len(study.patients)} patient identifiers")
    if not study.days:
        found.append("no readable date")
    if len(study.days) > 1:
        found.append("several study dates; the earliest is taken")
    unread = [why for why in study.series.values() if isinstance(why, str)]
    if unread:
        found.append(f"{len(unread)} series not read: {unread[0]}")
    return found


def _patient_problems(group: Sequence[Study]) -> list[str]:
    found = []
    for what, values in (
        ("dates of birth", {one for study in group for one in study.births}),
        ("sexes", {one for study in group for one in study.sexes if one in "MF"}),
        ("names", {one for study in group for one in study.names}),
    ):
        if len(values) > 1:
            found.append(f"one patient identifier, {len(values)} {what}")
    return found


def _same_person(studies: Sequence[Study]) -> list[Problem]:
    """Identifiers that share both name and date of birth: perhaps one person, never merged."""
    people: dict[tuple[str, str], set[str]] = {}
    for study in (one for one in studies if len(one.patients) == 1):
        for name in study.names:
            for birth in study.births:
                people.setdefault((name, birth), set()).update(study.patients)
    return [
        Problem(
            patient, "", f"shares name and date of birth with {len(group) - 1} other identifier"
        )
        for group in people.values()
        if len(group) > 1
        for patient in sorted(group)
    ]


def _by_patient(studies: Sequence[Study]) -> dict[str, list[Study]]:
    """Studies by patient; one that names several says nothing of any of them."""
    groups: dict[str, list[Study]] = {}
    for study in studies:
        if len(study.patients) == 1:
            groups.setdefault(study.patient, []).append(study)
    return groups

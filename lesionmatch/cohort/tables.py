"""The cohort's tables: studies.csv for a batch, who left and why, what to look at, STARD."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lesionmatch.cohort.clinical import ClinicalTable
from lesionmatch.cohort.inclusion import STEPS, Selection, age_of, therapy_between
from lesionmatch.cohort.options import CohortOptions
from lesionmatch.cohort.pairing import Pair
from lesionmatch.cohort.studies import Study
from lesionmatch.errors import InvalidOption
from lesionmatch.evaluation.flow import Excluded, Flow, Step
from lesionmatch.evaluation.sheet import Cell, Heading, Sheet
from lesionmatch.evaluation.stard import Item
from lesionmatch.wording import number_of

TEXT = ("study_id", "patient_id", "pet", "mri")
CARRIED = (
    *("interval_days", "age_years", "patient_sex", "entity", "grade", "therapy_between"),
    *("tracer", "nuclide", "scanner", "has_ct", "hbp_score", "pet_study_uid", "mri_study_uid"),
)
"""Described, not decided: none of these is an option that a batch takes from its table."""
REASONS_SHOWN = 8
"""Reasons a box of the flow names; the rest stand together."""


def require_free(carry: Sequence[str]) -> None:
    """Raise `InvalidOption` for a column to carry that studies.csv has already."""
    taken = [name for name in carry if name in (*TEXT, *CARRIED)]
    if taken:
        raise InvalidOption(
            f"--carry: wanted columns that studies.csv lacks, got {', '.join(taken)}; leave it out"
        )


def study_ids(found: Sequence[Pair]) -> dict[str, Pair]:
    """A name for each pair: its patient's, and the number of the pair for the patient."""
    seen: Counter[str] = Counter()
    named = {}
    for pair in found:
        seen[pair.pet.patient] += 1
        name = _safe(pair.pet.patient)
        named[f"{name}-{seen[pair.pet.patient]:02d}"] = pair
    return named


def _safe(patient: str) -> str:
    """An identifier as a folder may be called; pseudonyms are that already."""
    return "".join(one if one.isalnum() and one.isascii() else "_" for one in patient) or "_"


def folders(named: Mapping[str, Pair]) -> list[tuple[str, Path]]:
    """Study UIDs and where each is linked, below the output folder; an MRI may be in several."""
    return [
        (scan.uid, Path("links", name, part))
        for name, pair in named.items()
        for part, scan in (("pet", pair.pet), ("mri", pair.mri))
    ]


def studies_sheet(
    selection: Selection, table: ClinicalTable | None, options: CohortOptions
) -> Sheet:
    """studies.csv, as `batch` reads it."""
    by_uid = {study.uid: study for study in selection.studies}
    named = study_ids(selection.pairs)
    rows = tuple(
        (
            name,
            pair.pet.patient,
            f"links/{name}/pet",
            f"links/{name}/mri",
            *_facts(pair, by_uid, table, options),
        )
        for name, pair in named.items()
    )
    names = (*TEXT, *CARRIED, *options.carry)
    return Sheet("studies", "The cohort", "", tuple(_text(name) for name in names), rows)


def _facts(
    pair: Pair,
    by_uid: Mapping[str, Study],
    table: ClinicalTable | None,
    options: CohortOptions,
) -> tuple[Cell, ...]:
    pet, mri = by_uid[pair.pet.uid], by_uid[pair.mri.uid]
    clinical = None if table is None else table.patients.get(pair.pet.patient)
    age = age_of(pet, table)
    series = pet.pet_series[0]
    carried = clinical.carried if clinical else {}
    return (
        pair.days,
        None if age is None else math.floor(age),
        next(iter(pet.sexes), clinical.sex if clinical else ""),
        clinical.entity if clinical else None,
        clinical.grade if clinical else None,
        "true" if therapy_between(pair, table) else "false",
        series.ligand,
        series.nuclide,
        series.scanner,
        "true" if pet.has_ct else "false",
        mri.hbp_score,
        pet.uid,
        mri.uid,
        *(carried.get(name) for name in options.carry),
    )


def exclusions_sheet(selection: Selection) -> Sheet:
    """Every study that is not in the cohort, with its reason."""
    return Sheet(
        "exclusions",
        "Studies that are not in the cohort",
        "",
        tuple(_text(name) for name in ("patient_id", "study_uid", "kind", "step", "reason")),
        tuple(
            (one.study.patient, one.study.uid, one.kind, one.step, one.reason)
            for one in selection.left
        ),
    )


def problems_sheet(selection: Selection) -> Sheet:
    """What a person should look at."""
    return Sheet(
        "problems",
        "To look at: dates and identities that do not hold together",
        "Identifiers are shown as in studies.csv; nothing here was dropped without a row in "
        "exclusions.csv.",
        tuple(_text(name) for name in ("patient_id", "study_uid", "problem")),
        tuple((one.patient, one.study_uid, one.what) for one in selection.problems),
    )


def reasons_sheet(selection: Selection) -> Sheet:
    """How many left, by step and reason."""
    counts = Counter((one.kind, one.step, one.reason) for one in selection.left)
    patients: dict[tuple[str, str, str], set[str]] = {}
    for one in selection.left:
        patients.setdefault((one.kind, one.step, one.reason), set()).add(one.study.patient)
    return Sheet(
        "reasons",
        "Why studies are not in the cohort",
        "Each study once for each role it could have had; patients may be in several rows.",
        (
            *(_text(name) for name in ("kind", "step", "reason")),
            Heading("studies", "Studies", "count"),
            Heading("patients", "Patients", "count"),
        ),
        tuple((*key, count, len(patients[key])) for key, count in counts.most_common()),
    )


def windows_sheet(selection: Selection, options: CohortOptions) -> Sheet:
    """Pairs under other windows."""
    return Sheet(
        "windows",
        "Pairs under other windows",
        "Days from the PET/CT to the MRI; all other rules as they are.",
        (
            Heading("first_day", "From day", "count"),
            Heading("last_day", "To day", "count"),
            Heading("pairs", "Pairs", "count"),
            Heading("used", "Used here", "text"),
        ),
        tuple(
            (*window, count, "yes" if window == options.window else "")
            for window, count in selection.windows.items()
        ),
    )


def cohort_flow(selection: Selection) -> Flow:
    """From all PET studies in the tree to the pairs."""
    nouns = ("PET study", "PET/CT study", "PET/CT study")
    steps = [
        Step(name, count, noun, patients, _gone(selection, step))
        for (name, count, patients), noun, step in zip(selection.counts, nouns, STEPS, strict=True)
    ]
    patients = len({pair.pet.patient for pair in selection.pairs})
    last = Step("Pairs of PET/CT and liver MRI", len(selection.pairs), "pair", patients)
    return Flow((*steps, last))


def _gone(selection: Selection, step: str) -> tuple[Excluded, ...]:
    counts = Counter(
        one.reason for one in selection.left if one.step == step and one.kind == "PET/CT"
    ).most_common()
    shown = [Excluded(reason, count) for reason, count in counts[:REASONS_SHOWN]]
    rest = sum(count for _, count in counts[REASONS_SHOWN:])
    return tuple(shown) + ((Excluded("other reasons", rest),) if rest else ())


def stard_items(
    selection: Selection, table: ClinicalTable | None, options: CohortOptions
) -> tuple[Item, ...]:
    """The items of STARD 2015 that the cohort answers."""
    first, last = options.window
    by_uid = {study.uid: study for study in selection.studies}
    one_to_one = (
        "one MRI may serve several PET/CTs" if options.shared_mri else "one MRI, one PET/CT"
    )
    rules = [f"age {options.least_age:g} years or more where known"]
    if table is not None and table.has("grade") and options.grades:
        rules.append(f"grade {' or '.join(options.grades)}")
    if options.entities:
        rules.append(f"entity {', '.join(options.entities)}")
    if not options.keep_treated:
        rules.append("no therapy between the scans")
    return (
        Item("6", "eligibility", "; ".join(rules)),
        Item(
            "7",
            "how participants were found",
            f"all studies of a DICOM tree; MRI {first} to {last} days after the PET/CT, nearest "
            f"first, {one_to_one}",
        ),
        Item("8", "where and when", _when(selection)),
        Item("19", "flow of participants", "figure, with a count for each reason"),
        Item("20", "baseline", _baseline(selection, by_uid, table)),
        Item("22", "interval between the tests", _intervals(selection)),
    )


def _when(selection: Selection) -> str:
    years = sorted({pair.pet.day.year for pair in selection.pairs})
    if not years:
        return "no pairs"
    return f"PET/CT from {years[0]} to {years[-1]}" if len(years) > 1 else f"PET/CT of {years[0]}"


def _intervals(selection: Selection) -> str:
    days = sorted(pair.days for pair in selection.pairs)
    if not days:
        return "no pairs"
    if len(days) == 1:
        return f"{days[0]} days (1 pair)"
    lower, median, upper = statistics.quantiles(days, n=4, method="inclusive")
    return (
        f"median {median:g} days, quartiles {lower:g} to {upper:g}, range {days[0]} to {days[-1]} "
        f"({len(days)} pairs)"
    )


def _baseline(
    selection: Selection, by_uid: Mapping[str, Study], table: ClinicalTable | None
) -> str:
    """Of each patient at the first PET/CT, as the paper gives it."""
    first: dict[str, Study] = {}
    for pair in selection.pairs:
        first.setdefault(pair.pet.patient, by_uid[pair.pet.uid])
    sexes = Counter(next(iter(study.sexes), "?") for study in first.values())
    ages = [age for study in first.values() if (age := age_of(study, table)) is not None]
    spread = ""
    if len(ages) > 1:
        mean, deviation = statistics.fmean(ages), statistics.stdev(ages)
        spread = f"; age {mean:.1f} ± {deviation:.1f} ({min(ages):.0f}–{max(ages):.0f})"
    said = ", ".join(f"{count} {sex}" for sex, count in sorted(sexes.items()))
    tracers = Counter(
        by_uid[p.pet.uid].pet_series[0].ligand or "not named" for p in selection.pairs
    )
    named = ", ".join(f"{name} {count}" for name, count in tracers.most_common())
    return f"{number_of(len(first), 'patient')} ({said}){spread}; tracer: {named}"


def _text(name: str) -> Heading:
    return Heading(name, name.replace("_", " "), "text")

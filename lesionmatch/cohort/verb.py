"""The cohort verb: a tree in, studies.csv and the flow of the cohort out."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionmatch.cohort.clinical import ClinicalTable, read_clinical
from lesionmatch.cohort.inclusion import Selection, select
from lesionmatch.cohort.index import Indexed, connect, skipped, update
from lesionmatch.cohort.links import link_studies
from lesionmatch.cohort.options import CohortOptions, require_answers
from lesionmatch.cohort.pseudonyms import pseudonyms
from lesionmatch.cohort.studies import studies
from lesionmatch.cohort.tables import (
    cohort_flow,
    exclusions_sheet,
    folders,
    problems_sheet,
    reasons_sheet,
    require_free,
    stard_items,
    studies_sheet,
    study_ids,
    windows_sheet,
)
from lesionmatch.evaluation.flow import flow_values
from lesionmatch.evaluation.sheet import Heading, Sheet
from lesionmatch.evaluation.stard import Item
from lesionmatch.output import make_folders, require_apart, write_json
from lesionmatch.report.cohort_page import CohortPage, write_page
from lesionmatch.report.sheets import write_sheet


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """What was found and selected."""

    indexed: Indexed
    skipped: dict[str, int]
    """Files passed over, by the reason."""
    selection: Selection
    unseen: int | None
    """Patients of the clinical table that the tree has no files of; None without a table."""


def write_cohort(
    root: Path, out: Path, *, clinical: Path | None = None, options: CohortOptions | None = None
) -> Cohort:
    """Index `root`, select the cohort and write it to the folder `out`; also return it.

    Writes studies.csv and the folders it points to, exclusions.csv, problems.csv, stard.csv,
    flow.json, flow.svg, cohort.html and the index. Called again it reads only what changed.
    Raises `NothingFound`, `InvalidInput`, `InvalidOption`, `UnusableOutput`.
    """
    options = options or CohortOptions()
    require_free(options.carry)
    require_apart(out, [root])
    make_folders(out)
    names = pseudonyms(out, phi=options.phi)
    table = read_clinical(clinical, names, options.carry) if clinical else None
    require_answers(options, table)
    with closing(connect(out, names)) as database:
        indexed = update(database, root, names, workers=options.workers)
        selection = select(studies(database, root, options.protocol), table, options)
        link_studies(database, root, out, folders(study_ids(selection.pairs)))
        cohort = Cohort(indexed, skipped(database), selection, _unseen(selection, table))
    _write(out, cohort, table, options)
    return cohort


def _unseen(selection: Selection, table: ClinicalTable | None) -> int | None:
    return None if table is None else len(table.patients.keys() - _patients(selection))


def _patients(selection: Selection) -> set[str]:
    return {patient for study in selection.studies for patient in study.patients}


def _write(out: Path, cohort: Cohort, table: ClinicalTable | None, options: CohortOptions) -> None:
    selection = cohort.selection
    for sheet in (
        studies_sheet(selection, table, options),
        exclusions_sheet(selection),
        problems_sheet(selection),
    ):
        write_sheet(out / f"{sheet.name}.csv", sheet)
    items = stard_items(selection, table, options)
    write_sheet(out / "stard.csv", _stard_sheet(items))
    flow = cohort_flow(selection)
    values = {"schema": 1, **_counts(cohort, options), **flow_values(flow)}
    write_json(out / "flow.json", values)
    sheets = (
        reasons_sheet(selection),
        windows_sheet(selection, options),
        problems_sheet(selection),
    )
    write_page(out, CohortPage(headline(cohort), flow, sheets, items))


def _counts(cohort: Cohort, options: CohortOptions) -> dict[str, Any]:
    selection = cohort.selection
    return {
        "files": cohort.indexed.files,
        "files_skipped": cohort.skipped,
        "studies": len(selection.studies),
        "patients": len(_patients(selection)),
        "clinical_patients_without_files": cohort.unseen,
        "pairs": len(selection.pairs),
        "problems": len(selection.problems),
        "window_days": list(options.window),
        "pairs_by_window": {
            f"{first}:{last}": count for (first, last), count in selection.windows.items()
        },
        "mri_left": _reasons(selection, "MRI"),
        "others": _reasons(selection, "other"),
    }


def _reasons(selection: Selection, kind: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in selection.left:
        if one.kind == kind:
            counts[one.reason] = counts.get(one.reason, 0) + 1
    return counts


def headline(cohort: Cohort) -> list[str]:
    """What was found, in sentences."""
    selection = cohort.selection
    patients = {pair.pet.patient for pair in selection.pairs}
    lines = [
        f"Pairs of PET/CT and liver MRI: {len(selection.pairs):,}, of patients: {len(patients):,}.",
        f"Studies in the tree: {len(selection.studies):,}, in files: {cohort.indexed.files:,}.",
    ]
    lines += [f"Files passed over, {why}: {count:,}." for why, count in cohort.skipped.items()]
    if cohort.unseen:
        # Most often identifiers that were written differently, as 0042 and 42.
        lines.append(f"Patients of the clinical table without files: {cohort.unseen:,}.")
    if selection.problems:
        lines.append(
            f"Dates or identities to look at, in problems.csv: {len(selection.problems):,}."
        )
    return lines


def _stard_sheet(items: tuple[Item, ...]) -> Sheet:
    headings = tuple(Heading(name, name, "text") for name in ("item", "asks", "answer"))
    rows = tuple((item.number, item.asks, item.answer) for item in items)
    return Sheet("stard", "STARD 2015", "", headings, rows)

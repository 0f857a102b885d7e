"""A cohort made of a tree, and what stands in it."""

import csv
import os
from pathlib import Path

from lesionmatch.cohort.options import CohortOptions
from lesionmatch.cohort.pseudonyms import Pseudonyms
from lesionmatch.cohort.verb import Cohort, write_cohort
from tests.cohort_tree import Person, Tree

NAMES = Pseudonyms(b"k" * 32, phi=False)
ALONE = CohortOptions(workers=1)
CLINICAL = """patient_id,grade,entity,therapy_date,centre
SECRET1,2,pancreas,,A
SECRET2,G3,pancreas,,A
SECRET3,,pancreas,,A
SECRET4,G1,lung,,B
SECRET5,G1,pancreas,2020-01-10,B
SECRET6,G1,pancreas,2020-03-01;2019-12-31,B
SECRET7,G1,pancreas,,B
SECRET7,G2,pancreas,,B
"""


def person(number: int, **changes: str) -> Person:
    return Person(f"SECRET{number}", changes.pop("name", f"SECRETNAME^{number}"), **changes)


def made(
    tree: Tree, tmp_path: Path, clinical: str | None = None, options: CohortOptions = ALONE
) -> Cohort:
    table = None
    if clinical is not None:
        table = tmp_path / "clinical.csv"
        table.write_text(clinical, encoding="utf-8")
    return write_cohort(tree.root, tmp_path / "out", clinical=table, options=options)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> list[Path]:
    """Every file below, links followed."""
    walked = os.walk(folder, followlinks=True)
    return [Path(place, name) for place, _, names in walked for name in names]


def reasons(cohort: Cohort, kind: str) -> list[str]:
    return sorted(one.reason for one in cohort.selection.left if one.kind == kind)

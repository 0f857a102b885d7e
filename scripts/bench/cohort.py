"""How long a tree takes to index: ``python scripts/bench cohort [FILES] [WORKERS]``.

Writes a tree of header-only files (about 5 kB each, with the private groups a scanner
writes), indexes it twice and prints seconds. The second time nothing has changed.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from lesionmatch.cohort.options import CohortOptions
from lesionmatch.cohort.verb import write_cohort
from tests.cohort_tree import Person, SeriesPlan, Tree, after, liver_mri, pet_ct

FILES_A_PATIENT = 500


def as_scanned(plans: list[SeriesPlan]) -> list[SeriesPlan]:
    """The series with as much header as real ones have."""
    for plan in plans:
        plan.attributes.update(
            ProtocolName="liver routine",
            SoftwareVersions="syngo VB20",
            InstitutionName="x" * 40,
            ImageComments="x" * 200,
            AdditionalPatientHistory="x" * 1000,
            RequestAttributesSequence=[],
            PatientComments="x" * 1000,
            DerivationDescription="x" * 1000,
            AcquisitionComments="x" * 1000,
        )
    return plans


def grow(root: Path, files: int) -> None:
    """Patients of one PET/CT and one liver MRI until there are about as many files."""
    tree = Tree(root)
    for number in range(max(1, files // FILES_A_PATIENT)):
        person = Person(f"ID{number:06d}", f"DOE^J{number}")
        tree.add(person, after(0), as_scanned(pet_ct(files=100)))
        tree.add(person, after(20), as_scanned(liver_mri(files=150)))


def main() -> None:
    """Grow, index, index again."""
    wanted = argparse.ArgumentParser(prog="bench cohort", description=__doc__)
    wanted.add_argument("files", type=int, nargs="?", default=100_000)
    wanted.add_argument("workers", type=int, nargs="?", default=2)
    options = wanted.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder, "tree"), Path(folder, "out")
        grow(root, options.files)
        for what in ("first", "again"):
            start = time.perf_counter()
            cohort = write_cohort(root, out, options=CohortOptions(workers=options.workers))
            print(
                f"{what}: {cohort.indexed.files} files, {cohort.indexed.opened} opened, "
                f"{len(cohort.selection.pairs)} pairs, {time.perf_counter() - start:.1f} s"
            )


if __name__ == "__main__":
    main()

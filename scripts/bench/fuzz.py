"""Damages small studies: every reading ends as the clean one, in a refusal, or is said to differ.

    python scripts/bench fuzz [CASES] [SEED]

A case damages a study of a few small files: bytes, an attribute of one file or of a whole
series, or files as such. Each outcome is one of

- equal: the numbers are those of the clean study;
- refused: by a sentence of ours;
- named: something was lost that a study can do without, and an assumption says so;
- other: the damage made a study that somebody could have meant (another weight, other pixels),
  which no reader can tell. Why it is one is read from the files and not asked of the reader;
- SILENT and traceback: defects. Each is printed, and the exit status is 1.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from pydicom.uid import UID

from tests.fuzzing import is_defect, run
from tests.small_studies import FORMATS, SYNTAXES, rewrite, small_study


def main() -> int:
    """Damage a study of each format and transfer syntax in turn; 1 where there was a defect."""
    wanted = argparse.ArgumentParser(prog="bench fuzz", description=__doc__)
    wanted.add_argument("cases", type=int, nargs="?", default=2000)
    wanted.add_argument("seed", type=int, nargs="?", default=1)
    options = wanted.parse_args()
    cases, seed = options.cases, options.seed
    table: Counter[tuple[str, str]] = Counter()
    defects = 0
    start = time.perf_counter()
    plain: list[tuple[str, UID | None]] = [(drawn, None) for drawn in FORMATS]
    studies = plain + [("nii.gz", syntax) for syntax in SYNTAXES]
    for number, (drawn, syntax) in enumerate(studies):
        with tempfile.TemporaryDirectory() as folder:
            pet, mri = small_study(Path(folder), drawn)
            if syntax is not None:
                rewrite(pet, syntax)
                rewrite(mri, syntax)
            share = cases // len(studies) + (number < cases % len(studies))
            for damage, ended in run(pet, mri, share, 100 * seed + number):
                table[damage.kind, ended.split(":")[0].split(" ")[0]] += 1
                if is_defect(ended):
                    defects += 1
                    name = syntax.name if syntax else drawn
                    print(f"{name}, {damage.kind}, {damage.what}: {ended}")
    print(f"{cases} cases, seed {seed}, {time.perf_counter() - start:.0f} s\n")
    _print(table)
    return int(defects > 0)


def _print(table: Counter[tuple[str, str]]) -> None:
    kinds = list(dict.fromkeys(kind for kind, _ in sorted(table)))
    ends = ["equal", "refused", "named", "other", "SILENT", "traceback"]
    print(f"{'':26}" + "".join(f"{end:>11}" for end in ends))
    for kind in kinds:
        print(f"{kind:26}" + "".join(f"{table[kind, end]:11d}" for end in ends))
    totals = [sum(table[kind, end] for kind in kinds) for end in ends]
    print(f"{'all':26}" + "".join(f"{total:11d}" for total in totals))


if __name__ == "__main__":
    sys.exit(main())

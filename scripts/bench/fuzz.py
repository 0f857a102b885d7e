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

import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesionmatch import dicom
from lesionmatch.errors import LesionMatchError
from lesionmatch.geometry import Grid
from scripts.bench._damage import Damage, damages, told_apart

SAME_PLACE_MM = 0.05
"""Positions this near are equal: what is below rounding is not refused."""
LOSSES = (
    "no CT could be used",
    "no CT was found",
    "is drawn in an earlier file too",
    "could not be used (",
    "a label file has voxels of its own",
    "is drawn in another frame of reference and was set aside",
    "lead to times of decay correction",
    "differs among slices",
    "its header tells of",
    "is empty",
    "was drawn",
    "contour",
    "nothing confirms",
)
"""What assumptions say of losses that a study can do without."""


@dataclass(frozen=True)
class Reading:
    """All numbers and words that are read from a study, and what was assumed."""

    arrays: tuple[NDArray[np.generic], ...]
    grids: tuple[Grid, ...]
    words: str
    assumptions: frozenset[str]

    def equals(self, other: "Reading") -> bool:
        """Whether both are the same study."""
        return (
            self.words == other.words
            and len(self.arrays) == len(other.arrays)
            and all(map(np.array_equal, self.arrays, other.arrays))
            and all(map(_same_place, self.grids, other.grids))
            and _frames(self.grids) == _frames(other.grids)
        )


def _same_place(one: Grid, other: Grid) -> bool:
    if one.shape != other.shape:
        return False
    return bool(np.abs(one.corners_mm() - other.corners_mm()).max() < SAME_PLACE_MM)


def _frames(grids: Sequence[Grid]) -> list[int]:
    """Which grids share a frame of reference, whatever it is called."""
    names = [grid.frame for grid in grids]
    return [names.index(name) for name in names]


def read(pet: Path, mri: Path) -> Reading:
    """Everything a comparison would use of two folders."""
    one = dicom.read_pet_study([pet])
    two = dicom.read_mri_study([mri], pet=one)
    images = [one.suv, two.hbp] + ([] if one.ct is None else [one.ct])
    drawn = [segment.mask for segment in (*two.segments, *one.segments)]
    said = [(s.label, s.meaning) for s in (*two.segments, *one.segments)]
    facts = (one.suv_facts.least_factor, one.suv_facts.most_factor, asdict(one.reconstruction))
    return Reading(
        arrays=tuple(volume.array for volume in (*images, *drawn)),
        grids=tuple(volume.grid for volume in (*images, *drawn)),
        words=repr((said, facts, one.identity, two.has_segmentation)),
        assumptions=frozenset((*one.assumptions, *two.assumptions)),
    )


def outcome(reading: Callable[[], Reading], clean: Reading, why: Callable[[], str | None]) -> str:
    """How a reading ends beside the `clean` one; `why` a difference may be, from the files."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = reading()
    except LesionMatchError as error:
        return "refused" if "\n" not in str(error) else f"several lines: {error}"
    except Exception:
        return f"traceback: {traceback.format_exc()}"
    if found.equals(clean):
        return "equal"
    new = found.assumptions - clean.assumptions
    if any(loss in note for note in new for loss in LOSSES):
        return "named"
    meant = why()
    return f"other: {meant}" if meant else f"SILENT ({'; '.join(sorted(new)) or 'no word'})"


def run(pet: Path, mri: Path, cases: int, seed: int) -> Iterator[tuple[Damage, str]]:
    """Damage a study `cases` times and read it; the files are put back each time."""
    rng = np.random.default_rng(seed)
    files = {path: path.read_bytes() for folder in (pet, mri) for path in sorted(folder.iterdir())}
    clean = read(pet, mri)
    for _ in range(cases):
        damage = damages(files, rng)
        for path, data in damage.files.items():
            path.unlink(missing_ok=True)
            if data is not None:
                path.write_bytes(data)
        yield damage, outcome(lambda: read(pet, mri), clean, lambda d=damage: told_apart(d, files))  # type: ignore[misc]
        for path in damage.files:
            path.unlink(missing_ok=True)
            if path in files:
                path.write_bytes(files[path])


def is_defect(ended: str) -> bool:
    """Whether an outcome is one that must not be."""
    return ended.split(":")[0] not in ("equal", "refused", "named", "other")


def main(arguments: list[str]) -> int:
    """Damage a study of each format of segmentation in turn; 1 where there was a defect."""
    from tests.small_studies import FORMATS, small_study

    cases = int(arguments[0]) if arguments else 2000
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    table: Counter[tuple[str, str]] = Counter()
    defects = 0
    start = time.perf_counter()
    for number, drawn in enumerate(FORMATS):
        with tempfile.TemporaryDirectory() as folder:
            pet, mri = small_study(Path(folder), drawn)
            share = cases // len(FORMATS) + (number < cases % len(FORMATS))
            for damage, ended in run(pet, mri, share, 100 * seed + number):
                table[damage.kind, ended.split(":")[0].split(" ")[0]] += 1
                if is_defect(ended):
                    defects += 1
                    print(f"{drawn}, {damage.kind}, {damage.what}: {ended}")
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
    sys.exit(main(sys.argv[1:]))

"""Reads damaged studies: each ends as the clean one, in a refusal, or is said to differ."""

import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesionmatch import dicom
from lesionmatch.errors import LesionMatchError
from lesionmatch.geometry import Grid
from tests.damage import Damage, damages, told_apart

SAME_PLACE_MM = 0.05
"""Positions this near are equal: what is below rounding is not refused."""
LOSSES = (
    "no CT could be used",
    "no CT was found",
    "drawn in an earlier file too",
    "drawn by other segments of the same file too",
    "could not be used (",
    "a label file has voxels of its own",
    "is drawn in another frame of reference and was set aside",
    "lead to times of decay correction",
    "differs among slices",
    "its header tells of",
    "is empty",
    "are empty",
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
    masks = [segment.mask for segment in (*two.segments, *one.segments)]
    said = [(s.label, s.meaning) for s in (*two.segments, *one.segments)]
    facts = (one.suv_facts.least_factor, one.suv_facts.most_factor, asdict(one.reconstruction))
    return Reading(
        arrays=(*(image.array for image in images), *(mask.array for mask in masks)),
        grids=(*(image.grid for image in images), *(mask.grid for mask in masks)),
        words=repr((said, facts)),
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

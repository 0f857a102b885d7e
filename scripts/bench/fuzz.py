"""Mutates a small study's bytes and headers: every reading ends as the clean one or in a refusal.

    python scripts/bench fuzz [CASES] [SEED]

A case damages one file of a copy of the demo study's smallest parts: bytes flipped, a run
overwritten, the file cut short, or a stretch doubled. What is read must then equal the
clean study, or be refused by a sentence of ours. A study in which a damaged value happens to
be another valid one is counted apart ("other"): no reader can tell.
"""

import hashlib
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lesionmatch import dicom
from lesionmatch.errors import LesionMatchError

Files = dict[str, bytes]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """A file with one kind of damage, mostly in its header."""
    kind = rng.integers(0, 5)
    at = int(rng.integers(0, min(len(data), 6000)))
    length = int(rng.integers(1, 17))
    noise = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    if kind == 0:
        return data[: int(rng.integers(0, len(data)))]
    if kind == 1:
        return data[:at] + noise[:1] + data[at + 1 :]
    if kind == 2:
        return data[:at] + noise + data[at + length :]
    if kind == 3:
        return data[:at] + data[at : at + length] * 2 + data[at + length :]
    return data[:at] + b"\xff" * 4 + data[at + 4 :]


def outcome(read: Callable[[], str], clean: str) -> str:
    """``clean``, ``other``, ``refused``, or the traceback of an error that is not ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return "clean" if read() == clean else "other"
    except LesionMatchError as error:
        return "refused" if "\n" not in str(error) else f"several lines: {error}"
    except Exception:
        return traceback.format_exc()


def fingerprint(pet: Path, mri: Path) -> str:
    """A hash of all numbers read from two folders."""
    digest = hashlib.sha256()
    one = dicom.read_pet_study([pet])
    two = dicom.read_mri_study([mri], pet=one)
    images = [one.suv, two.hbp] + ([] if one.ct is None else [one.ct])
    for image in images:
        digest.update(image.array.tobytes() + image.grid.world_from_voxel.tobytes())
    for segment in two.segments:
        digest.update(segment.mask.array.tobytes() + segment.mask.grid.world_from_voxel.tobytes())
        digest.update(repr((segment.label, segment.meaning)).encode())
    return digest.hexdigest()


def run(pet: Path, mri: Path, cases: int, seed: int) -> Counter[str]:
    """Damage one file a case and count the outcomes; the files are put back each time."""
    rng = np.random.default_rng(seed)
    files = sorted(path for folder in (pet, mri) for path in folder.rglob("*") if path.is_file())
    clean = fingerprint(pet, mri)
    found: Counter[str] = Counter()
    for _ in range(cases):
        path = files[int(rng.integers(0, len(files)))]
        whole = path.read_bytes()
        path.write_bytes(damaged(whole, rng))
        found[outcome(lambda: fingerprint(pet, mri), clean)] += 1
        path.write_bytes(whole)
    return found


def main(arguments: Sequence[str]) -> int:
    """Run the cases on small studies written for it; 1 where any ended in a traceback."""
    from tests.reading_files import small_study

    cases = int(arguments[0]) if arguments else 2000
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        pet, mri = small_study(Path(folder))
        start = time.perf_counter()
        found = run(pet, mri, cases, seed)
    print(f"{cases} cases, seed {seed}, {time.perf_counter() - start:.0f} s")
    bad = 0
    for name, count in found.most_common():
        print(f"{count:6d}  {name}")
        bad += name not in ("clean", "other", "refused")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

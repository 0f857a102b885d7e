"""``python scripts/bench spine [STUDIES] [FIRST_SEED]``: whole studies against the truth.

Each study is simulated, written as a scanner would, compared from its two folders, and its
outputs on disk are read back and held against the truth, which the comparison never sees.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesionmatch import nifti
from lesionmatch.compare import Options
from lesionmatch.geometry import Frame
from lesionmatch.image import Quantity
from lesionmatch.phantom import SimulatedStudy, simulate, typical_recipe, write_study
from lesionmatch.progress import Progress
from lesionmatch.resample import read_transform
from lesionmatch.study import run_study


@dataclass(frozen=True)
class Outcome:
    """What a study came to, beside the truth."""

    seed: int
    tre_mm: float
    tre_max_mm: float
    centroid_mm: float
    """Of the lesion that landed farthest from its true place on the PET; 0 without lesions."""
    status_right: int
    status_asked: int
    """Lesions with a contrast-to-noise above 6 or below 2."""
    cell: str
    true_cell: str
    suv_off: float
    """Relative error of the mean of the written SUV map in the liver."""
    exit_status: int
    seconds: float
    peak_mb: float


def outcome(seed: int, folder: Path) -> Outcome:
    """Simulate, write, compare and judge one study in `folder`."""
    study = simulate(replace(typical_recipe(seed), breathing_mm=5.0 + 1.5 * (seed % 11)))
    write_study(study, folder / "pet", folder / "mri", folder / "truth.json")
    out, progress = folder / "out", Progress(is_quiet=True)
    status = run_study([folder / "pet"], [folder / "mri"], out, Options(overlays=False), progress)
    found = json.loads((out / "comparison.json").read_text())
    run = json.loads((out / "run.json").read_text())
    tre_mm = _tre_mm(study, out)
    rows = [row for row in found["lesions"] if row["source"] == "mri"]
    far_mm, right, asked = _lesions(study, rows)
    return Outcome(
        seed=seed,
        tre_mm=float(tre_mm.mean()),
        tre_max_mm=float(tre_mm.max()),
        centroid_mm=far_mm,
        status_right=right,
        status_asked=asked,
        cell=str(found["calls"]["cell"]),
        true_cell=str(study.truth.cell),
        suv_off=_suv_off(study, out),
        exit_status=status,
        seconds=sum(run["seconds"].values()),
        peak_mb=run["peak_memory_mb"],
    )


def _tre_mm(study: SimulatedStudy, out: Path) -> NDArray[np.float64]:
    """Registration error at points of the liver: where the written transform leads them."""
    path = out / "transforms" / "mri_from_pet.h5"
    mri_from_pet = read_transform(path, target=study.hbp.frame, source=study.suv.frame)
    truth = study.truth
    off_mm = mri_from_pet.apply(truth.liver_points_pet_mm) - truth.liver_points_mri_mm
    error_mm: NDArray[np.float64] = np.linalg.norm(off_mm, axis=1)
    return error_mm


def _lesions(study: SimulatedStudy, rows: list[dict[str, object]]) -> tuple[float, int, int]:
    """Farthest centroid, and how many statuses are right of those that are beyond doubt."""
    far_mm, right, asked = 0.0, 0, 0
    for lesion in study.truth.lesions:
        if not (lesion.is_on_mri and lesion.is_on_pet):
            continue
        off_mm = [_off_mm(row, "mri", lesion.mri_mm) for row in rows]
        row = rows[int(np.argmin(off_mm))]
        far_mm = max(far_mm, _off_mm(row, "pet", lesion.pet_mm))
        if not 2.0 <= lesion.contrast_to_noise <= 6.0:
            asked += 1
            right += (row["pet_status"] == "positive") == (lesion.contrast_to_noise > 6.0)
    return far_mm, right, asked


def _off_mm(row: dict[str, object], where: str, place_mm: tuple[float, float, float]) -> float:
    found = np.array([row[f"{where}_{axis}_mm"] for axis in "xyz"], np.float64)
    return float(np.linalg.norm(found - np.array(place_mm)))


def _suv_off(study: SimulatedStudy, out: Path) -> float:
    written = nifti.read_image(out / "images" / "suv.nii.gz", Quantity.SUV_BW, Frame("pet"))
    liver = study.liver_on_pet.array
    truth = float(study.suv.array[liver].mean())
    return abs(float(written.array[liver].mean()) / truth - 1.0)


def outcomes(count: int, first_seed: int) -> Iterator[Outcome]:
    """Judge `count` studies, each in a folder of its own that is removed again."""
    for seed in range(first_seed, first_seed + count):
        with tempfile.TemporaryDirectory() as folder:
            yield outcome(seed, Path(folder))


def main() -> None:
    """Print a row a study, then the worst and the sums."""
    count, first_seed = (int(text) for text in [*sys.argv[1:], "10", "9000"][:2])
    print("seed  TRE mean/max mm  centroid mm  status  cell (true)  SUV off  exit  seconds  MB")
    done = []
    for one in outcomes(count, first_seed):
        done.append(one)
        print(
            f"{one.seed}  {one.tre_mm:.2f}/{one.tre_max_mm:.2f}  {one.centroid_mm:.2f}  "
            f"{one.status_right}/{one.status_asked}  {one.cell} ({one.true_cell})  "
            f"{100 * one.suv_off:.3f} %  {one.exit_status}  {one.seconds:.1f}  {one.peak_mb:.0f}",
            flush=True,
        )
    # A study whose only uptake is neither seen for certain nor missed for certain has no cell.
    certain = [one for one in done if one.true_cell != "None"]
    cells = sum(one.cell == one.true_cell for one in certain)
    print(
        f"worst mean TRE {max(one.tre_mm for one in done):.2f} mm, worst centroid "
        f"{max(one.centroid_mm for one in done):.2f} mm, status right "
        f"{sum(one.status_right for one in done)} of {sum(one.status_asked for one in done)}, "
        f"cell right {cells} of {len(certain)} that have one, worst SUV "
        f"{100 * max(one.suv_off for one in done):.3f} %"
    )


if __name__ == "__main__":
    main()

"""What registration and liver are judged by, drawn: ``python scripts/bench pictures OUT SEED...``.

Each seed is a study of the bench of the registration. ``SEED-registration.png`` has, in three
planes through the largest error: the MRI on the CT as a checkerboard, by the affine map and by
the final one; and the error in the liver, in mm. ``SEED-liver.png`` has the veins found and the
true ones from the front, the side and above, with both hila.

    --patients DIR    folder of the patient label maps; every third study is one
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray
from registration import recipe_of

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.liver import describe_liver, find_liver
from lesionmatch.phantom import simulate
from lesionmatch.phantom.study import SimulatedStudy, vessels_on_mri
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Registration, register

Array = NDArray[np.float64]

PLANES = ("axial", "coronal", "sagittal")
STEP_MM = 1.5
SQUARE_MM = 24.0
MOST_MM = 5.0
"""The end of the error's colours."""


class Plane:
    """Points of a plane of the PET/CT, `STEP_MM` apart, with the patient upright."""

    def __init__(self, axis: int, centre_mm: Points, half_mm: float) -> None:
        steps = np.arange(-half_mm, half_mm, STEP_MM)
        across = 1 if axis == 2 else 0
        up = 1 if axis == 0 else 2
        rows, columns = np.meshgrid(steps, steps, indexing="ij")
        points = np.tile(centre_mm, (*rows.shape, 1))
        points[..., across] += columns
        points[..., up] += rows if up == 1 else -rows
        self.shape = rows.shape
        self.points_mm: Points = points.reshape(-1, 3)
        self.squares = (np.floor(rows / SQUARE_MM) + np.floor(columns / SQUARE_MM)) % 2 == 1

    def of(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Values at the points as a picture."""
        return values.reshape(self.shape)


def at(array: NDArray[np.generic], grid: Grid, points_mm: Points) -> Array:
    """The nearest voxels' values at points; NaN beyond the grid."""
    found = np.full(len(points_mm), np.nan)
    inside = grid.contains(points_mm)
    voxels = np.clip(np.rint(grid.voxels(points_mm[inside])), 0, np.array(grid.shape) - 1)
    found[inside] = array[tuple(voxels.astype(int).T)]
    return found


def grey(image: Image, points_mm: Points, low: float, high: float) -> Array:
    """An image at points between two values, 0 to 1."""
    return np.nan_to_num(
        np.clip((at(image.array, image.grid, points_mm) - low) / (high - low), 0, 1)
    )


def error_mm(study: SimulatedStudy, found: Registration, points_ct_mm: Points) -> Array:
    """How far the map leads astray what truly lies at points of the CT; NaN beyond the liver."""
    on_mri = study.truth.mri_from_ct(points_ct_mm)
    landed = _on_ct(found, found.pet_from_mri.apply(on_mri))
    error = np.linalg.norm(landed - points_ct_mm, axis=1)
    return np.where(at(study.liver.array, study.liver.grid, on_mri) > 0, error, np.nan)


def _on_ct(found: Registration, points_pet_mm: Points) -> Points:
    shift = found.pet_from_ct
    return points_pet_mm if shift is None else shift.inverse.apply(points_pet_mm)


def _on_pet(found: Registration, points_ct_mm: Points) -> Points:
    shift = found.pet_from_ct
    return points_ct_mm if shift is None else shift.apply(points_ct_mm)


def draw_registration(study: SimulatedStudy, out: Path) -> None:
    ct = study.ct
    maps = {
        method: register(
            study.hbp, study.liver, ct=ct, pet=study.suv, method=method, protocol=Protocol()
        )
        for method in ("affine", "auto")
    }
    final = maps["auto"]
    liver = study.truth.liver_points_ct_mm
    errors = error_mm(study, final, liver)
    worst = liver[np.nanargmax(errors)]
    half_mm = float(np.ptp(liver, axis=0).max()) / 2.0 + 20.0
    inside = study.hbp.array[study.liver.array]
    low, high = 0.0, float(np.percentile(inside, 98.0))
    figure, axes = plt.subplots(3, 3, figsize=(15, 15), layout="constrained")
    for axis in range(3):
        middle = liver.mean(axis=0)
        middle[2 - axis] = worst[2 - axis]
        plane = Plane(axis, middle, half_mm)
        on_ct = plane.of(grey(ct, plane.points_mm, -90.0, 210.0))
        for row, (method, found) in enumerate(maps.items()):
            there = found.mri_from_pet.apply(_on_pet(found, plane.points_mm))
            on_mri = plane.of(grey(study.hbp, there, low, high))
            axes[row, axis].imshow(
                np.where(plane.squares, on_mri, on_ct), cmap="gray", vmin=0, vmax=1
            )
            axes[row, axis].set_title(f"{PLANES[axis]}, {found.method if row else method}")
        axes[2, axis].imshow(on_ct, cmap="gray", vmin=0, vmax=1)
        shown = axes[2, axis].imshow(
            plane.of(error_mm(study, final, plane.points_mm)), cmap="turbo", vmin=0, vmax=MOST_MM
        )
    figure.colorbar(shown, ax=axes[2], label="error, mm", shrink=0.8)
    for panel in axes.ravel():
        panel.set_axis_off()
    recipe = study.recipe
    figure.suptitle(
        f"seed {recipe.seed}: {recipe.anatomy.value}, breathing {recipe.breathing_mm:.0f} mm, "
        f"deformation {recipe.deformation_mm:.0f} mm; mean {np.nanmean(errors):.2f}, "
        f"greatest {np.nanmax(errors):.1f} mm"
    )
    figure.savefig(out / f"{recipe.seed}-registration.png", dpi=70)
    plt.close(figure)


def draw_liver(study: SimulatedStudy, out: Path) -> None:
    rules = Protocol()
    mask = find_liver(study.hbp, rules)
    liver = describe_liver(
        study.hbp, mask, origin="found", lesions=[], structures={}, protocol=rules
    )
    veins = vessels_on_mri(study)
    true = Mask(veins.grid, veins.array & study.liver.array)
    layers = {
        "liver": (mask.points_mm()[::40], "0.88", 4),
        "true veins": (true.points_mm(), "tab:blue", 2),
        "found veins": (liver.vessels.points_mm(), "tab:red", 0.6),
    }
    figure, axes = plt.subplots(1, 3, figsize=(18, 7), layout="constrained")
    for panel, (across, up) in zip(axes, ((0, 2), (1, 2), (0, 1)), strict=True):
        for name, (points, colour, size) in layers.items():
            panel.scatter(points[:, across], points[:, up], s=size, color=colour, label=name)
        _hila(panel, liver.hilum_mm, np.array(study.truth.hilum_mri_mm), across, up)
        panel.set_aspect("equal")
        panel.set_xlabel("xyz"[across] + ", mm")
        panel.set_ylabel("xyz"[up] + ", mm")
        if up == 1:
            panel.invert_yaxis()
    axes[0].legend(loc="lower left")
    off = float(np.linalg.norm(liver.hilum_mm - np.array(study.truth.hilum_mri_mm)))
    figure.suptitle(f"seed {study.recipe.seed}: hilum {off:.0f} mm off")
    figure.savefig(out / f"{study.recipe.seed}-liver.png", dpi=70)
    plt.close(figure)


def _hila(panel: Axes, found: Points, true: Array, across: int, up: int) -> None:
    panel.plot(found[across], found[up], "kx", ms=14, mew=3, label="hilum found")
    panel.plot(true[across], true[up], "k+", ms=18, mew=3, label="true hilum")


def main() -> None:
    """Draw each study."""
    parser = argparse.ArgumentParser(
        prog="pictures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--patients", type=Path)
    options = parser.parse_args()
    matplotlib.use("Agg")
    options.out.mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        study = simulate(recipe_of(seed, options.patients))
        draw_registration(study, options.out)
        draw_liver(study, options.out)


if __name__ == "__main__":
    main()

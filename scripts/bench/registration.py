"""Registration on simulated studies it was not tuned on, every study's own row.

``python scripts/bench registration`` prints, for each study, the error in the liver (mean,
95th percentile and greatest distance from where 1,500 points truly lie) on the CT and on
the PET, the lesions' own error, how many lie within their bound, least Jacobian and CPU
seconds; then what the rows come to, by kind of study, with how many pairs were doubted; then
the engines side by side. All points the MRI covers count, on the CT or not. Every fourth study
is a hard one, of a noisy CT, half of them unenhanced, and of short bends.

    --first N --studies N    seeds (default 8000 and 30; tuned on below 4000)
    --engines N              the first N studies also by our affine map alone, SimpleITK's
                             B-spline, and elastix's where itk-elastix is installed
    --no-ct N                the first N studies also without their CT
    --linear N               the first N studies also by a rigid and an affine map, and their bounds
    --foreign N              studies further from what the method assumes, seeds from --first
    --memory N               the memory the first N studies need, each in a process of its own
    --clinical               every study at a clinical scanner's voxels, not one in six: images four
                             to six times as fine, which take a minute to make
    --patients DIR           folder of the patient label maps; every third study is one
"""

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from _engines import Judged, engine_rows, has_elastix, judged
from _memory import peak_mb
from numpy.typing import NDArray

from lesionmatch.accuracy.intervals import clopper_pearson
from lesionmatch.accuracy.values import Proportion
from lesionmatch.errors import InvalidOption
from lesionmatch.phantom import Anatomy, LesionRecipe, Place, Plane, Recipe, Size, simulate
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Method, Registration, register
from lesionmatch.segments import Kind

Errors = NDArray[np.float64]

PLACES = (Place.ANYWHERE, Place.SUBCAPSULAR, Place.DEEP, Place.NEAR_VESSEL)
HEAD = (
    "seed  anatomy  size     plane   breath deform turn | CT mean  p95   max | PET mean  p95   max"
    " | lesions mean  max  bound within |  min J  CPU wall"
)


def recipe_of(seed: int, patients: Path | None) -> Recipe:
    """A study as hard as the method claims to bear, its kind by the seed."""
    rng = np.random.default_rng([seed, 77])

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    lesions = tuple(
        LesionRecipe(between(5, 25), between(0.8, 5), Kind.METASTASIS, PLACES[n % 4])
        for n in range(10)
    )
    missing = int(rng.integers(6))
    is_coronal = seed % 5 == 0
    usual = Recipe(
        seed=seed,
        lesions=lesions,
        anatomy=Anatomy.PATIENT if patients and seed % 3 == 2 else Anatomy.ANALYTIC,
        patient_labels=patients,
        size=Size.CLINICAL if seed % 6 == 1 else Size.SMALL,
        breathing_mm=between(0, 25),
        deformation_mm=between(3, 10),
        rotation_deg=between(0, 8),
        frame_offset_mm=between(0, 300),
        mri_plane=Plane.CORONAL if is_coronal else Plane.AXIAL,
        mri_tilt_deg=float(rng.choice([0, 0, 0, 12, -10])),
        mri_missing_mm=(0.0, between(5, 15)) if missing == 1 and not is_coronal else (0.0, 0.0),
        pet_missing_mm=(between(5, 20), 0.0) if missing == 2 else (0.0, 0.0),
        pet_ct_offset_mm=float(rng.choice([0, 0, between(-10, 10)])),
        liver_cov=between(0.06, 0.16),
        liver_hu=between(45, 70) if seed % 7 == 3 else None,
        hbp_vessel_contrast=0.4 if seed % 9 == 4 else 1.0,
    )
    return noisy_and_short(usual, rng) if seed % 4 == 2 else usual


def noisy_and_short(usual: Recipe, rng: np.random.Generator) -> Recipe:
    """The same with a noisy CT, half of them unenhanced, and bends of shorter wavelengths."""
    shortest = float(rng.uniform(65, 140))
    return dataclasses.replace(
        usual,
        ct_noise_hu=float(rng.uniform(20, 60)),
        liver_hu=float(rng.uniform(45, 70)) if rng.random() < 0.5 else usual.liver_hu,
        deformation_wavelengths_mm=(shortest, 1.5 * shortest),
        deformation_mm=min(usual.deformation_mm, 6.0, shortest / 16.0),
    )


def foreign_recipe_of(seed: int, patients: Path | None) -> Recipe:
    """A study further from what the method assumes: strong short bends, and few good edges.

    The wall cuts the liver off where the deformation carries it there, so that the surface is
    seen in one place and its tissue lies in another; the CT is noisy, half of them unenhanced,
    and the PET lies up to 3 mm off.
    """
    rng = np.random.default_rng([seed, 78])

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    shortest = between(65, 120)
    return dataclasses.replace(
        recipe_of(seed, patients),
        size=Size.SMALL,
        deformation_mm=min(between(4, 12), shortest / 8.0),
        deformation_wavelengths_mm=(shortest, 1.9 * shortest),
        deformation_in_wall=True,
        ct_noise_hu=between(14, 30),
        liver_hu=between(50, 62) if rng.random() < 0.5 else None,
        pet_ct_offset_mm=between(-3, 3),
        hbp_vessel_contrast=between(0.5, 1.0),
        liver_ml_scale=between(0.8, 1.2),
    )


def three(errors: Errors) -> str:
    """Mean, 95th percentile and greatest."""
    return f"{errors.mean():7.2f} {np.percentile(errors, 95):5.2f} {errors.max():5.2f}"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One study's errors, in mm."""

    recipe: Recipe
    on_ct: Errors
    on_pet: Errors
    lesions: Errors
    bounds: Errors
    seconds: float
    """Of the processor."""
    wall_seconds: float
    registration: Registration

    def landing(self, points_mri_mm: Errors) -> Errors:
        """Where the map takes points on the CT, the PET's own shift taken back."""
        return on_ct(self.registration, self.registration.pet_from_mri.apply(points_mri_mm))

    @property
    def text(self) -> str:
        """The row, what was simulated first."""
        recipe = self.recipe
        within = np.mean(self.lesions <= self.bounds)
        quality = self.registration.quality
        said = f" {self.registration.method}: {self.registration.doubts}"
        return (
            f"{recipe.seed:5d} {recipe.anatomy.value:8s} {recipe.size.value:8s} "
            f"{recipe.mri_plane.value:8s} {recipe.breathing_mm:5.0f} {recipe.deformation_mm:6.0f} "
            f"{recipe.rotation_deg:4.0f} | {three(self.on_ct)} | {three(self.on_pet)} "
            f"| {self.lesions.mean():8.2f} {self.lesions.max():5.2f} {self.bounds.mean():6.2f} "
            f"{within:5.0%} | {quality.jacobian_min:6.2f} {self.seconds:4.1f} "
            f"{self.wall_seconds:4.1f}"
            f"{said if self.registration.doubts else ''}"
        )


def measured(study: SimulatedStudy, *, has_ct: bool = True, method: Method = "auto") -> Row:
    """One study registered, and how far off it is."""
    ct = study.ct if has_ct else None
    started, began = time.process_time(), time.perf_counter()
    found = register(
        study.hbp, study.liver, ct=ct, pet=study.suv, method=method, protocol=Protocol()
    )
    seconds, wall_seconds = time.process_time() - started, time.perf_counter() - began
    truth = study.truth
    scanned = is_seen(study)
    landed = found.pet_from_mri.apply(truth.liver_points_mri_mm[scanned])
    lesions = np.array([lesion.mri_mm for lesion in truth.lesions])
    lesions_pet = np.array([lesion.pet_mm for lesion in truth.lesions])

    def off(places: Errors, where: Errors) -> Errors:
        return np.asarray(np.linalg.norm(places - where, axis=1))

    return Row(
        study.recipe,
        off(on_ct(found, landed), truth.liver_points_ct_mm[scanned]),
        off(landed, truth.liver_points_pet_mm[scanned]),
        off(found.pet_from_mri.apply(lesions), lesions_pet),
        found.error_mm(lesions),
        seconds,
        wall_seconds,
        found,
    )


def is_seen(study: SimulatedStudy) -> NDArray[np.bool_]:
    """Which points of the liver the MRI shows: scanned, and not cut off by the wall."""
    points = study.truth.liver_points_mri_mm
    scanned = study.hbp.grid.contains(points)
    if not study.recipe.deformation_in_wall:
        return scanned
    z, y, x = np.rint(study.liver.grid.voxels(points[scanned])).astype(int).T
    scanned[scanned] = study.liver.array[z, y, x]
    return scanned


def on_ct(found: Registration, points_pet_mm: Errors) -> Errors:
    """Where points of the PET lie on the CT, as far as the map tells them apart."""
    shift = found.pet_from_ct
    return points_pet_mm if shift is None else shift.inverse.apply(points_pet_mm)


KINDS: dict[str, Callable[[Recipe], bool]] = {
    "all": lambda _: True,
    "analytic body": lambda r: r.anatomy is Anatomy.ANALYTIC,
    "patient's labels": lambda r: r.anatomy is Anatomy.PATIENT,
    "clinical voxels": lambda r: r.size is Size.CLINICAL,
    "coarse voxels": lambda r: r.size is Size.SMALL,
    "coronal MRI": lambda r: r.mri_plane is Plane.CORONAL,
    "oblique MRI": lambda r: r.mri_tilt_deg != 0.0,
    "MRI cuts the liver": lambda r: any(r.mri_missing_mm),
    "PET/CT cuts the liver": lambda r: any(r.pet_missing_mm),
    "breathing below 8 mm": lambda r: r.breathing_mm < 8,
    "breathing 8 to 16 mm": lambda r: 8 <= r.breathing_mm < 16,
    "breathing 16 to 25 mm": lambda r: r.breathing_mm >= 16,
    "deformation below 6 mm": lambda r: r.deformation_mm < 6,
    "deformation 6 to 10 mm": lambda r: r.deformation_mm >= 6,
    "rotation below 4 deg": lambda r: r.rotation_deg < 4,
    "rotation 4 to 8 deg": lambda r: r.rotation_deg >= 4,
    "PET off its CT": lambda r: r.pet_ct_offset_mm != 0.0,
    "unenhanced or fatty CT": lambda r: r.liver_hu is not None,
    "poor hepatobiliary phase": lambda r: r.hbp_vessel_contrast < 1.0,
    "usual CT and bends": lambda r: r.ct_noise_hu < 20.0,
    "noisy CT, short bends": lambda r: r.ct_noise_hu >= 20.0 and not r.deformation_in_wall,
    "foreign": lambda r: r.deformation_in_wall,
}


def by_kind(rows: list[Row]) -> None:
    """Print a line for each kind of study; a study is of several."""
    print(
        "\nkind of study               n | CT: mean  worst   p95   max | PET: mean | within bound"
    )
    for name, is_one in KINDS.items():
        of_kind = [row for row in rows if is_one(row.recipe)]
        if of_kind:
            print(line_of(name, of_kind))


def line_of(name: str, rows: list[Row]) -> str:
    """Mean of study means, the worst of them, and of all points the 95th percentile and most."""
    means = [row.on_ct.mean() for row in rows]
    every = np.concatenate([row.on_ct for row in rows])
    within = np.concatenate([row.lesions <= row.bounds for row in rows])
    on_pet = np.mean([row.on_pet.mean() for row in rows])
    return (
        f"{name:24s} {len(rows):4d} | {np.mean(means):8.2f} {max(means):6.2f} "
        f"{np.percentile(every, 95):5.2f} {every.max():5.2f} | {on_pet:9.2f} "
        f"| {within.mean():.0%} of {within.size}"
    )


def engines(study: SimulatedStudy, own: Row, found: dict[str, list[Judged]]) -> None:
    """Note and print how every engine fares on a study."""
    affine = register(
        study.hbp, study.liver, ct=study.ct, pet=None, method="affine", protocol=Protocol()
    )
    rows = {
        "ours": judged(study, own.landing, own.seconds),
        "our affine map": judged(study, affine.pet_from_mri, 0.0),
    }
    for name, row in (rows | engine_rows(study, affine)).items():
        found.setdefault(name, []).append(row)
        print(
            f"{study.recipe.seed:5d} {name:20s} | {three(row.errors)} | least Jacobian "
            f"{row.least_jacobian:5.2f} | {row.seconds:5.1f} s",
            flush=True,
        )


def engines_summary(found: dict[str, list[Judged]]) -> None:
    """Print what every engine's rows come to."""
    print("\nengine                 n | median  mean worst | p95 worst |   max | folded | median s")
    for name, rows in found.items():
        means = [row.errors.mean() for row in rows]
        tails = [np.percentile(row.errors, 95) for row in rows]
        print(
            f"{name:20s} {len(rows):3d} | {np.median(means):6.2f} {np.mean(means):5.2f} "
            f"{max(means):5.2f} | {np.mean(tails):4.2f} {max(tails):5.2f} "
            f"| {max(row.errors.max() for row in rows):5.2f} "
            f"| {sum(row.least_jacobian <= 0.0 for row in rows):6d} "
            f"| {np.median([row.seconds for row in rows]):5.1f}"
        )
    if not has_elastix():
        print("elastix B-spline: absent (pip install itk-elastix)")


def share(were: list[bool]) -> str:
    """A count and its exact 95 % interval."""
    found = clopper_pearson(Proportion(sum(were), len(were)))
    return f"{sum(were)} of {len(were)} ({found.lower:.1%} to {found.upper:.1%})"


def main() -> None:
    """Run the studies."""
    options = asked()
    seeds = range(options.first, options.first + options.studies)
    rows, without_ct, foreign = [], [], []
    linear: dict[Method, list[Row]] = {"rigid": [], "affine": []}
    beside: dict[str, list[Judged]] = {}
    needed_mb: list[float] = []
    print(HEAD)
    size = Size.CLINICAL if options.clinical else None
    for number, study in enumerate(made(seeds, options.patients, size=size)):
        rows.append(measured(study))
        print(rows[-1].text, flush=True)
        if number < options.no_ct:
            without_ct.append(measured(study, has_ct=False))
            print(f"without a CT: {without_ct[-1].text}", flush=True)
        for method, of_method in linear.items():
            if number < options.linear:
                of_method.append(measured(study, method=method))
        if number < options.memory:
            needed_mb.append(peak_mb(study))
            print(f"{study.recipe.seed:5d} peak memory {needed_mb[-1]:.0f} MB", flush=True)
        if number < options.engines:
            engines(study, rows[-1], beside)
    summary(rows)
    for study in made(seeds[: options.foreign], options.patients, foreign_recipe_of, size=size):
        foreign.append(measured(study))
        print(foreign[-1].text, flush=True)
    summary(foreign)
    if without_ct:
        print(line_of("without a CT", without_ct))
    for method, of_method in linear.items():
        if of_method:
            print(line_of(f"{method} map", of_method))
    if needed_mb:
        print(f"peak memory: most {max(needed_mb):.0f} MB of {len(needed_mb)} studies")
    if beside:
        engines_summary(beside)


def asked() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench registration")
    for name, default in (
        ("first", 8000), ("studies", 30), ("engines", 0), ("no-ct", 0), ("linear", 0),
        ("memory", 0), ("foreign", 0),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--clinical", action="store_true")
    parser.add_argument("--patients", type=Path, default=None)
    return parser.parse_args()


def made(
    seeds: range,
    patients: Path | None,
    recipe: Callable[[int, Path | None], Recipe] = recipe_of,
    *,
    size: Size | None = None,
) -> Iterator[SimulatedStudy]:
    """The studies of the seeds but those that cannot be, said; of one `size`, or as they come."""
    for seed in seeds:
        try:
            wanted = recipe(seed, patients)
            yield simulate(dataclasses.replace(wanted, size=size or wanted.size))
        except InvalidOption as error:
            print(f"{seed:5d} left out: {error}")


def summary(rows: list[Row]) -> None:
    """Print what the rows come to."""
    if not rows:
        return
    by_kind(rows)
    means = np.array([row.on_ct.mean() for row in rows])
    within = np.concatenate([row.lesions <= row.bounds for row in rows])
    doubted = [bool(row.registration.doubts) for row in rows]
    seconds, wall = [row.seconds for row in rows], [row.wall_seconds for row in rows]
    print(
        f"\nstudies with a mean of at most 1.0 mm: {share((means <= 1.0).tolist())}; "
        f"lesions {np.concatenate([row.lesions for row in rows]).mean():.2f} mm off, within their "
        f"bound {share(within.tolist())}, bounds "
        f"{np.concatenate([row.bounds for row in rows]).mean():.1f} mm on average; least Jacobian "
        f"{min(row.registration.quality.jacobian_min or 0.0 for row in rows):.2f}; doubted: "
        f"{share(doubted)}; CPU seconds: median {np.median(seconds):.1f}, most "
        f"{max(seconds):.1f}; seconds on the wall: median {np.median(wall):.1f}, most "
        f"{max(wall):.1f}; bounds: median "
        f"{np.median(np.concatenate([row.bounds for row in rows])):.1f} mm"
    )


if __name__ == "__main__":
    main()

"""Registration on simulated studies it was not tuned on, every study's own row.

``python scripts/bench registration`` prints, for each study, the error in the liver (mean,
95th percentile and greatest distance from where 1,500 points truly lie) on the CT and on
the PET, the lesions' own error, how many lie within their bound, least Jacobian, time and
memory; then the engines side by side; then how many wrong pairs were doubted.

    --first N --studies N    seeds (default 7000 and 30; tuned on below 4000)
    --engines                also our own affine map, and SimpleITK's B-spline from there
    --wrong N                wrong pairs made of the first N studies (default 0)
    --pet-only               without the CT
    --patients DIR           folder of the patient label maps; every third study is one
"""

import argparse
import dataclasses
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from lesionmatch.errors import InvalidOption, RegistrationFailed
from lesionmatch.image import Image, Mask
from lesionmatch.phantom import Anatomy, LesionRecipe, Place, Plane, Recipe, Size, simulate, wrong
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Registration, register
from lesionmatch.segments import Kind

PLACES = (Place.ANYWHERE, Place.SUBCAPSULAR, Place.DEEP, Place.NEAR_VESSEL)
WRONG = {
    "mirrored": wrong.mirrored,
    "upside down": wrong.upside_down,
    "half a liver": wrong.half_liver,
    "thighs": wrong.thighs,
    "another": wrong.another_patient,
}
HEAD = (
    "seed  anatomy  size     plane   breath deform turn | CT mean  p95   max | PET mean  p95   max"
    " | lesions mean  max  bound within |  min J    s"
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
    return Recipe(
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


def three(errors: np.ndarray) -> str:
    """Mean, 95th percentile and greatest."""
    return f"{errors.mean():7.2f} {np.percentile(errors, 95):5.2f} {errors.max():5.2f}"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One study's errors, in mm."""

    on_ct: np.ndarray
    on_pet: np.ndarray
    lesions: np.ndarray
    bounds: np.ndarray
    seconds: float
    registration: Registration

    @property
    def text(self) -> str:
        """The row without what was simulated."""
        within = np.mean(self.lesions <= self.bounds)
        quality = self.registration.quality
        doubts = f" {self.registration.method}: {self.registration.doubts}"
        return (
            f"| {three(self.on_ct)} | {three(self.on_pet)} "
            f"| {self.lesions.mean():8.2f} {self.lesions.max():5.2f} {self.bounds.mean():6.2f} "
            f"{within:5.0%} | {quality.jacobian_min:6.2f} {self.seconds:4.1f}"
            f"{doubts if self.registration.doubts else ''}"
        )


def measured(study: SimulatedStudy, *, has_ct: bool) -> Row:
    """One study registered, and how far off it is."""
    ct = study.ct if has_ct else None
    started = time.perf_counter()
    found = register(study.hbp, study.liver, ct=ct, pet=study.suv, protocol=Protocol())
    seconds = time.perf_counter() - started
    truth = study.truth
    scanned = study.hbp.grid.contains(truth.liver_points_mri_mm)
    points = truth.liver_points_mri_mm[scanned]
    landed = found.pet_from_mri.apply(points)
    quality = found.quality
    shift = np.array(quality.pet_ct_offset_mm) if quality.pet_ct_offset_applied else np.zeros(3)
    lesions = np.array([lesion.mri_mm for lesion in truth.lesions])
    lesions_pet = np.array([lesion.pet_mm for lesion in truth.lesions])

    def off(places: np.ndarray, where: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(places - where, axis=1))

    return Row(
        off(landed - shift, truth.liver_points_ct_mm[scanned]),
        off(landed, truth.liver_points_pet_mm[scanned]),
        off(found.pet_from_mri.apply(lesions), lesions_pet),
        found.error_mm(lesions),
        seconds,
        found,
    )


def described(recipe: Recipe) -> str:
    """What was simulated."""
    return (
        f"{recipe.seed:5d} {recipe.anatomy.value:8s} {recipe.size.value:8s} "
        f"{recipe.mri_plane.value:8s} {recipe.breathing_mm:5.0f} {recipe.deformation_mm:6.0f} "
        f"{recipe.rotation_deg:4.0f} "
    )


def simpleitk_errors(study: SimulatedStudy, affine: Registration) -> tuple[np.ndarray, float]:
    """SimpleITK's own B-spline (Mattes information, 40 mm, LBFGSB) after our affine map."""
    started = time.perf_counter()
    fixed, moving = (_itk(image) for image in (study.hbp, study.ct))
    region = sitk.BinaryDilate(_itk(study.liver), [3, 8, 8][::-1])
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(region)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.05, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetMovingInitialTransform(affine.pet_from_mri.itk)
    size = np.array(fixed.GetSize()) * np.array(fixed.GetSpacing())
    knots = np.maximum(np.rint(size / 40.0), 1).astype(int).tolist()
    spline = sitk.BSplineTransformInitializer(fixed, knots, 3)
    method.SetInitialTransform(spline, inPlace=True)
    method.SetOptimizerAsLBFGSB(numberOfIterations=20)
    method.Execute(fixed, moving)
    whole = sitk.CompositeTransform([affine.pet_from_mri.itk, spline])
    points = study.truth.liver_points_mri_mm
    landed = np.array([whole.TransformPoint(p) for p in points.tolist()])
    errors = np.linalg.norm(landed - study.truth.liver_points_ct_mm, axis=1)
    return np.asarray(errors), time.perf_counter() - started


def _itk(image: Image | Mask) -> sitk.Image:
    """A SimpleITK image of an image, or of a mask as 0 and 1."""
    array = image.array.astype(np.uint8 if isinstance(image, Mask) else np.float32)
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(image.grid.spacing_mm[::-1].tolist())
    made.SetOrigin(image.grid.origin_mm.tolist())
    made.SetDirection(image.grid.directions[:, ::-1].ravel().tolist())
    return made


def engines(study: SimulatedStudy) -> Iterator[str]:
    """One line an engine."""
    affine = register(
        study.hbp, study.liver, ct=study.ct, pet=None, method="affine", protocol=Protocol()
    )
    points, truth = study.truth.liver_points_mri_mm, study.truth.liver_points_ct_mm
    ours = np.linalg.norm(affine.pet_from_mri.apply(points) - truth, axis=1)
    yield f"{'our affine map':>55s} | {three(ours)}"
    errors, seconds = simpleitk_errors(study, affine)
    yield f"{'SimpleITK B-spline from there':>55s} | {three(errors)} | {seconds:.1f} s"


def wrong_pairs(studies: Iterator[SimulatedStudy]) -> None:
    """Print how many wrong pairs were doubted, kind by kind."""
    counts = {name: [0, 0] for name in WRONG}
    for study in studies:
        for name, make in WRONG.items():
            image, liver = make(study)
            try:
                found = register(image, liver, ct=study.ct, pet=study.suv, protocol=Protocol())
                is_doubted = not found.passed
            except RegistrationFailed:
                is_doubted = True
            counts[name][0] += is_doubted
            counts[name][1] += 1
    for name, (doubted, all_) in counts.items():
        print(f"wrong pair, {name:13s}: {doubted} of {all_} doubted")


def main() -> None:
    """Run the studies."""
    parser = argparse.ArgumentParser(prog="bench registration")
    parser.add_argument("--first", type=int, default=7000)
    parser.add_argument("--studies", type=int, default=30)
    parser.add_argument("--engines", action="store_true")
    parser.add_argument("--wrong", type=int, default=0)
    parser.add_argument("--pet-only", action="store_true")
    parser.add_argument("--patients", type=Path, default=None)
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.studies)
    rows = []
    print(HEAD)
    for seed in seeds:
        recipe = recipe_of(seed, options.patients)
        try:
            study = simulate(recipe)
        except InvalidOption as error:
            print(f"{seed:5d} left out: {error}")
            continue
        rows.append(measured(study, has_ct=not options.pet_only))
        print(described(recipe) + rows[-1].text, flush=True)
        for text in engines(study) if options.engines else ():
            print(text, flush=True)
    summary(rows)
    wrong_pairs(
        simulate(dataclasses.replace(recipe_of(s, options.patients), size=Size.SMALL, lesions=()))
        for s in seeds[: options.wrong]
    )


def summary(rows: list[Row]) -> None:
    """Print what the rows come to."""
    if not rows:
        return
    for name in ("on_ct", "on_pet", "lesions"):
        errors = [getattr(row, name) for row in rows]
        means = np.array([e.mean() for e in errors])
        worst = max(np.percentile(e, 95) for e in errors)
        print(
            f"{name:8s} mean {means.mean():.2f} mm, worst study's mean {means.max():.2f}, 95th "
            f"percentile {np.percentile(np.concatenate(errors), 95):.2f} (worst {worst:.2f}), "
            f"greatest {max(e.max() for e in errors):.2f}; "
            f"studies with mean <= 1.0 mm: {np.mean(means <= 1.0):.0%}"
        )
    within = np.concatenate([row.lesions <= row.bounds for row in rows])
    doubted = sum(bool(row.registration.doubts) for row in rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"within their bound: {within.mean():.1%} of {within.size} lesions, bounds "
        f"{np.concatenate([row.bounds for row in rows]).mean():.1f} mm on average; doubted: "
        f"{doubted} of {len(rows)}; seconds: median {np.median([r.seconds for r in rows]):.1f}, "
        f"most {max(r.seconds for r in rows):.1f}; peak memory with the simulator {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()

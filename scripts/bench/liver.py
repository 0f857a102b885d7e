"""The liver on simulated studies: mask, capsule, vessels, hilum, reference uptake, time.

``python scripts/bench liver --first 100 --count 12 [--patient DIR] [--size clinical]``
prints a row for each seed and a summary; ``--varied`` makes livers small, large, coarse,
resected or of poor uptake, ``--texture 0.12`` all of them coarse, ``--missing 0 50`` all of them
cut off at the top; ``--agreed`` registers them and cuts out what PET and CT show to be
another organ. Recipes vary body, lesions, coil, noise, uptake of
the contrast agent, plane, tilt and coverage by seed; lesions reach 65 mm and the capsule.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.spatial import cKDTree

from lesionmatch import dicom
from lesionmatch.compare.agreed import liver_as_agreed
from lesionmatch.compare.drawn import FOUND_ON_HBP
from lesionmatch.errors import LesionMatchError
from lesionmatch.image import Mask, union
from lesionmatch.liver import Liver, describe_liver, find_liver, reference_uptake
from lesionmatch.liver.capsule import surface_points_mm
from lesionmatch.liver.plausible import doubts_about
from lesionmatch.phantom import (
    Anatomy,
    LesionRecipe,
    Place,
    Plane,
    Recipe,
    Resection,
    SimulatedStudy,
    Size,
    simulate,
)
from lesionmatch.phantom.body import Tissue
from lesionmatch.protocol import Protocol
from lesionmatch.registration import register
from lesionmatch.segments import Kind

DEMO = Path(__file__).parent.parent.parent / "fixtures" / "demo"
"""What is no image of a study that is made here: headers."""

Given = TypeVar("Given")

PLACES = (Place.ANYWHERE, Place.DEEP, Place.SUBCAPSULAR, Place.NEAR_VESSEL)
KINDS = (Kind.METASTASIS, Kind.METASTASIS, Kind.METASTASIS, Kind.CYST, Kind.HAEMANGIOMA)
LEAST_RADIUS_MM = 2.0
CAVA_RADIUS_MM = 9.0
RECALL_MM = 3.0
WRONG_DICE, RIGHT_DICE = 0.95, 0.97
"""Below the first a liver should be doubted, from the second on it should not."""


class Row(NamedTuple):
    """One study's figures; processor times in seconds."""

    dice: float
    dice_unaided: float
    capsule_mm: float
    recall: float
    precision: float
    hilum_mm: float
    suv_error: float
    spleen_error: float
    find_s: float
    describe_s: float
    reference_s: float
    doubts: float
    doubts_unaided: float
    dice_agreed: float
    """With what PET and CT show to be another organ cut out; nan unless asked for."""
    cut_ml: float
    wrong_ml: float
    """True liver that was cut out."""
    doubts_agreed: float
    """Of the liver then; nan unless asked for."""


def varied(seed: int, size: Size, patient: Path | None) -> Recipe:
    """A study of a less ordinary liver: small, large, coarse, resected, of poor uptake."""
    rng = np.random.default_rng([seed, 11])
    analytic = patient is None
    return replace(
        recipe(seed, size, patient),
        liver_ml_scale=float(rng.choice([0.6, 0.8, 1.0, 1.5])),
        hbp_texture=float(rng.choice([0.03, 0.07, 0.12])),
        hbp_vessel_contrast=float(rng.choice([1.0, 0.7, 0.5, 0.4])),
        resection=Resection(rng.choice([r.value for r in Resection]))
        if analytic
        else Resection.NONE,
        gut_differs=bool(rng.random() < 0.5),
    )


def recipe(seed: int, size: Size, patient: Path | None) -> Recipe:
    """A study by its seed alone."""
    rng = np.random.default_rng([seed, 7])
    lesions = [LesionRecipe(float(rng.uniform(25, 65)), 4.0, place=PLACES[2 * (seed % 2)])]
    lesions += [
        LesionRecipe(
            float(rng.uniform(6, 28)),
            float(rng.uniform(1.5, 6)),
            KINDS[rng.integers(len(KINDS))],
            PLACES[rng.integers(len(PLACES))],
        )
        for _ in range(rng.integers(1, 7))
    ]
    return Recipe(
        seed=seed,
        size=size,
        lesions=tuple(lesions),
        anatomy=Anatomy.ANALYTIC if patient is None else Anatomy.PATIENT,
        patient_labels=patient,
        mri_tilt_deg=float(rng.choice([0, 0, 12, -10])),
        mri_plane=Plane.CORONAL if seed % 6 == 5 else Plane.AXIAL,
        mri_missing_mm=(float(rng.choice([0, 0, 40])), float(rng.choice([0, 0, 30]))),
        hbp_bias=float(rng.uniform(0.1, 0.45)),
        hbp_noise=float(rng.uniform(0.02, 0.07)),
        hbp_vessel_contrast=float(rng.choice([1.0, 1.0, 0.7, 0.5])),
        liver_cov=float(rng.uniform(0.07, 0.2)),
    )


def dice(first: Mask, second: Mask) -> float:
    """Overlap of two masks on one grid."""
    both = np.count_nonzero(first.array & second.array)
    return 2.0 * both / (np.count_nonzero(first.array) + np.count_nonzero(second.array))


def vessel_scores(study: SimulatedStudy, liver: Liver) -> tuple[float, float]:
    """Recall of centrelines of 4 mm and more in the liver, and share of lumen that is true."""
    lines = []
    for part in study.truth.vessels:
        along = np.linspace(0.0, 1.0, 40)[:, None]
        start, stop = np.array(part.start_mm), np.array(part.stop_mm)
        radius = part.start_radius_mm + (part.stop_radius_mm - part.start_radius_mm) * along
        lines.append(np.hstack([start + (stop - start) * along, radius]))
    points = np.vstack(lines)
    lumen = liver.vessels.points_mm()
    if not len(lumen):
        return 0.0, 1.0
    near, which = cKDTree(points[:, :3]).query(lumen)
    precision = float((near < points[which, 3] + RECALL_MM).mean())
    large = points[(points[:, 3] >= LEAST_RADIUS_MM) & (points[:, 3] < CAVA_RADIUS_MM), :3]
    voxels = np.rint(study.hbp.grid.voxels(large)).astype(int)
    within = study.hbp.grid.contains(large)
    # Where a lesion lies there is no vein any more, whatever the tree says.
    lesions = union(study.hbp.grid, [segment.mask for segment in study.segments])
    within[within] = (study.liver.array & ~lesions.array)[tuple(voxels[within].T)]
    recall = float(np.mean(cKDTree(lumen).query(large[within])[0] <= RECALL_MM))
    return recall, precision


def capsule_error_mm(study: SimulatedStudy, liver: Liver) -> float:
    """Largest error of a lesion's capsule distance, over lesions drawn on the MRI.

    Lesions to which the image's edge is nearer than the capsule are left out: the image does
    not show what lies nearest to them.
    """
    grid = study.hbp.grid
    on_mri = [truth for truth in study.truth.lesions if truth.is_on_mri]
    errors = []
    for segment, truth in zip(study.segments, on_mri, strict=True):
        surface = surface_points_mm(segment.mask.on(grid), 0.0)
        voxels = grid.voxels(surface)
        to_edge = np.minimum(voxels + 0.5, np.array(grid.shape) - 0.5 - voxels) * grid.spacing_mm
        if truth.capsule_distance_mm < float(to_edge.min()) - float(grid.spacing_mm.max()):
            found = float(liver.capsule_distance_mm(surface).min())
            errors.append(abs(found - truth.capsule_distance_mm))
    return max(errors, default=0.0)


def agreed_with(study: SimulatedStudy, liver: Liver, rules: Protocol) -> Liver:
    """The liver as PET and CT see it, after a registration."""
    pet = dicom.read_pet_study([DEMO / "pet"])
    mri = dicom.read_mri_study([DEMO / "mri"], pet=pet)
    pet = replace(pet, suv=study.suv, ct=study.ct, segments=())
    mri = replace(mri, hbp=study.hbp, segments=study.segments)
    found = register(study.hbp, liver.mask, ct=study.ct, pet=study.suv, protocol=rules)
    return liver_as_agreed(pet, mri, replace(liver, origin=FOUND_ON_HBP), found, rules)


def timed(step: Callable[[], Given]) -> tuple[Given, float]:
    """What a step gives, and the processor's seconds it takes."""
    start = time.process_time()
    given = step()
    return given, time.process_time() - start


def measured(study: SimulatedStudy, is_agreed: bool) -> Row:
    """Everything about one study."""
    rules, grid, hbp = Protocol(), study.hbp.grid, study.hbp
    lesions = [segment.mask for segment in study.segments]
    drawn, nothing = union(grid, lesions), union(grid, [])
    found, find_s = timed(lambda: find_liver(hbp, rules, lesions=drawn))
    unaided = find_liver(hbp, rules)
    liver, describe_s = timed(
        lambda: describe_liver(
            hbp, found, origin="found", lesions=lesions, structures={}, protocol=rules
        )
    )
    reference, reference_s = timed(
        lambda: reference_uptake(study.suv, study.liver_on_pet, None, rules)
    )
    true = Mask(grid, study.liver.array | drawn.array)
    recall, precision = vessel_scores(study, liver)
    agreed = agreed_with(study, liver, rules) if is_agreed else liver
    cut = liver.mask.array & ~agreed.mask.array
    return Row(
        dice(liver.mask, true),
        dice(unaided, true),
        capsule_error_mm(study, liver),
        recall,
        precision,
        float(np.linalg.norm(liver.hilum_mm - np.array(study.truth.hilum_mri_mm))),
        abs(reference.suv_mean / study.truth.liver_suv - 1.0),
        _spleen_error(study, reference.spleen_suv_mean),
        find_s,
        describe_s,
        reference_s,
        float(len(liver.doubts)),
        float(len(doubts_about(hbp, unaided, nothing, rules.liver))),
        dice(agreed.mask, true) if is_agreed else float("nan"),
        np.count_nonzero(cut) * grid.voxel_ml,
        np.count_nonzero(cut & true.array) * grid.voxel_ml,
        float(len(agreed.doubts)) if is_agreed else float("nan"),
    )


def _spleen_error(study: SimulatedStudy, found: float | None) -> float:
    """Relative error of the spleen's uptake; 1 where no spleen was found."""
    return 1.0 if found is None else abs(found / study.tissues.suv[Tissue.SPLEEN] - 1.0)


def asked_for(seed: int, options: argparse.Namespace) -> Recipe:
    """A study as the options want it."""
    made = (varied if options.varied else recipe)(seed, options.size, options.patient)
    if options.texture is not None:
        made = replace(made, hbp_texture=options.texture)
    if options.missing is not None:
        made = replace(made, mri_missing_mm=tuple(options.missing))
    return made


def main() -> None:
    """Print a row for each seed, then medians and worst values."""
    parser = argparse.ArgumentParser(prog="liver", description=__doc__)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--varied", action="store_true", help="less ordinary livers")
    parser.add_argument(
        "--texture", type=float, help="of the liver; 0.12 is as coarse as cirrhosis"
    )
    parser.add_argument("--missing", type=float, nargs=2, help="mm cut off at the bottom and top")
    parser.add_argument("--agreed", action="store_true", help="register, and ask PET and CT")
    parser.add_argument("--size", type=Size, default=Size.SMALL)
    parser.add_argument("--patient", type=Path, help="folder of a patient's label maps")
    options = parser.parse_args()
    rows = []
    print("seed " + " ".join(f"{name:>12}" for name in Row._fields))
    for seed in range(options.first, options.first + options.count):
        try:
            row = measured(simulate(asked_for(seed, options)), options.agreed)
        except LesionMatchError as error:
            print(seed, error)
            continue
        rows.append(row)
        print(f"{seed:4} " + " ".join(f"{value:12.3f}" for value in row), flush=True)
    for name, summary in (("med.", np.median), ("min.", np.min), ("max.", np.max)):
        print(f"{name} " + " ".join(f"{value:12.3f}" for value in summary(np.array(rows), axis=0)))
    _print_doubted("with lesions drawn", [(row.dice, row.doubts) for row in rows])
    _print_doubted("with none drawn", [(row.dice_unaided, row.doubts_unaided) for row in rows])
    if options.agreed:
        _print_doubted("as agreed", [(row.dice_agreed, row.doubts_agreed) for row in rows])


def _print_doubted(how: str, rows: list[tuple[float, float]]) -> None:
    """How many livers outlined badly, and how many outlined well, were doubted."""
    for what, doubts in (
        (f"Dice below {WRONG_DICE}", [n for overlap, n in rows if overlap < WRONG_DICE]),
        (f"Dice of {RIGHT_DICE} and more", [n for overlap, n in rows if overlap >= RIGHT_DICE]),
    ):
        print(f"{how}, {what}: {len(doubts)}, doubted {sum(n > 0 for n in doubts)}")


if __name__ == "__main__":
    main()

"""A simulated cohort through foci, concordance and calls: what is right, and how often.

    python scripts/bench concordance --studies 400 --first-seed 5000

prints status and reason against the truth, cells, calibration of ``null_p``, sensitivity by
size beside its prediction, what landmarks do, and the time a study takes.
"""

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from _cohort import Study, as_mapping, studies
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.stats import kstest

from lesionmatch.calls import Calls, Circumstances, call
from lesionmatch.concordance import (
    Concordance,
    Evidence,
    LesionFinding,
    Surroundings,
    concord,
    sharpen,
)
from lesionmatch.concordance.flags import Facts, flags
from lesionmatch.concordance.reasons import Missed, why_missed
from lesionmatch.detectability import Blur, LikelyRatio, detection_probability
from lesionmatch.foci import Field, Focus, field_of, find_foci, null_p
from lesionmatch.image import Mask
from lesionmatch.landmarks import Agreement
from lesionmatch.lesions import Carried, carry, lesions_from
from lesionmatch.liver.reference import reference_uptake
from lesionmatch.phantom.truth import LesionTruth
from lesionmatch.protocol import Protocol

PROTOCOL = Protocol()
MISPLACED_MM = 9.0
"""A lesion this far from its true place was not looked for where it is."""
SIZES = (0.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 100.0)


@dataclass(frozen=True)
class Outcome:
    """A study that was run."""

    study: Study
    field: Field
    carried: tuple[Carried, ...]
    concordance: Concordance
    calls: Calls
    agreement: Agreement
    before_mm: NDArray[np.float64]
    """Error of each lesion's place before landmarks."""
    after_mm: NDArray[np.float64]
    null_p: tuple[float, ...]
    """At lesion-free places in the shapes of this study's lesions."""
    seconds: float


def run(study: Study) -> Outcome:
    """Foci, landmarks, concordance and calls of one study."""
    grid, mapping = study.suv.grid, as_mapping(study.registration)
    liver = _liver_on_pet(study)
    field = field_of(study.suv, liver)
    foci = find_foci(study.suv, liver, PROTOCOL, field=field)
    lesions = lesions_from(study.segments)
    start = time.perf_counter()
    carried = tuple(carry(les, mapping, study.registration.bound_mm, grid) for les in lesions)
    blur = _blur(study)
    sharp = sharpen(carried, foci, mapping, grid, fwhm_mm=blur.fwhm_mm, protocol=PROTOCOL)
    avoid = _avoid(study, sharp.carried, foci)
    rng = np.random.default_rng(study.seed)
    evidence = Evidence(
        suv=study.suv,
        background=reference_uptake(study.suv, liver, avoid, PROTOCOL),
        carried=sharp.carried,
        foci=foci,
        around_lesions=tuple(_around_lesion(_truth_of(study, les.lesion_id)) for les in lesions),
        around_foci=tuple(_around_focus(study, liver, focus) for focus in foci),
        focus_error_mm=(study.registration.bound_mm,) * len(foci),
        blur=blur,
        registration_passed=study.registration.passed,
        null_p=partial(null_p, field, protocol=PROTOCOL, avoid=avoid, rng=rng),
    )
    concordance = concord(evidence, PROTOCOL)
    circumstances = Circumstances(1.0, study.registration.passed)
    calls = call(concordance.lesions, concordance.foci, circumstances, rules=PROTOCOL.calls)
    return Outcome(
        study=study,
        field=field,
        carried=sharp.carried,
        concordance=concordance,
        calls=calls,
        agreement=sharp.agreement,
        before_mm=_misplacement_mm(study, carried),
        after_mm=_misplacement_mm(study, sharp.carried),
        null_p=_null_sample(study, field, liver, avoid, sharp.carried),
        seconds=time.perf_counter() - start,
    )


def _blur(study: Study) -> Blur:
    return Blur.breathing(study.recipe.pet_fwhm_mm, study.recipe.pet_breathing_mm)


def _liver_on_pet(study: Study) -> Mask:
    """The liver where the drawn registration puts it, to first order in its error."""
    part = study.liver.crop(study.liver.grid.box_around(study.truth.liver_points_pet_mm, 30.0))
    points = part.grid.world(np.indices(part.grid.shape).reshape(3, -1).T)
    there = np.rint(part.grid.voxels(points - study.registration.error_mm(points))).astype(int)
    inside = part.array[tuple(there.clip(0, np.array(part.grid.shape) - 1).T)]
    return Mask(part.grid, inside.reshape(part.grid.shape)).on(study.liver.grid)


def _avoid(study: Study, carried: tuple[Carried, ...], foci: tuple[Focus, ...]) -> Mask | None:
    array = np.zeros(study.suv.grid.shape, np.bool_)
    for mask in [c.search for c in carried if c.search] + [f.extent for f in foci]:
        array |= mask.on(study.suv.grid).array
    return Mask(study.suv.grid, array) if array.any() else None


def _truth_of(study: Study, lesion_id: str) -> LesionTruth:
    return next(row for row in study.truth.lesions if row.lesion_id == lesion_id)


def _around_lesion(row: LesionTruth) -> Surroundings:
    return Surroundings(row.capsule_distance_mm, row.hilum_distance_mm, row.vessel_distance_mm)


def _around_focus(study: Study, liver: Mask, focus: Focus) -> Surroundings:
    part = liver.trimmed(8.0)
    depth = distance_transform_edt(part.array, sampling=part.grid.spacing_mm)
    voxel = tuple(np.rint(part.grid.voxels(focus.peak_mm)).astype(int))
    anatomy = study.truth.pet_pose.anatomy_mm(focus.centroid_mm[None])
    radius = (focus.extent.volume_ml * 6000.0 / np.pi) ** (1 / 3) / 2.0
    vessel = float(np.ravel(study.body.vessel_mm(anatomy))[0])
    hilum = float(np.linalg.norm(focus.centroid_mm - np.array(study.truth.hilum_pet_mm)))
    return Surroundings(max(0.0, float(depth[voxel]) - radius), hilum, max(0.0, vessel - radius))


def _misplacement_mm(study: Study, carried: tuple[Carried, ...]) -> NDArray[np.float64]:
    true = [_truth_of(study, c.lesion.lesion_id).pet_mm for c in carried]
    return np.array([np.linalg.norm(c.centroid_mm - t) for c, t in zip(carried, true, strict=True)])


def _null_sample(
    study: Study, field: Field, liver: Mask, avoid: Mask | None, carried: tuple[Carried, ...]
) -> tuple[float, ...]:
    """null_p of this study's search regions put at lesion-free places, two each."""
    rng = np.random.default_rng([study.seed, 2])
    free = liver.array if avoid is None else liver.array & ~avoid.array
    centres = np.argwhere(free)
    values: list[float] = []
    for one in carried[:3]:
        if one.search is None:
            continue
        shape = np.argwhere(one.search.array)
        shape = shape - np.rint(shape.mean(0)).astype(int)
        for centre in rng.permutation(centres)[:40]:
            voxels = centre + shape
            if ((voxels < 0) | (voxels >= free.shape)).any() or not free[tuple(voxels.T)].all():
                continue
            array = np.zeros(free.shape, np.bool_)
            array[tuple(voxels.T)] = True
            p = null_p(field, Mask(liver.grid, array).trimmed(), PROTOCOL, avoid=avoid, rng=rng)
            values += [] if p is None else [p]
            break
    return tuple(values)


# --- truth


def true_status(row: LesionTruth) -> str:
    """What the PET must say; `between` where readers would differ."""
    if row.contrast_to_noise > 6.0:
        return "positive"
    return "not positive" if row.contrast_to_noise < 3.0 else "between"


def true_reason(outcome: Outcome, found: LesionFinding, row: LesionTruth) -> str:
    """The reason that the true place, uptake, noise and misplacement of a lesion give.

    Its long axis is that of its outline, which is true by construction.
    """
    study = outcome.study
    facts = Facts(
        long_axis_mm=found.lesion.long_axis_mm,
        surroundings=_around_lesion(row),
        tumour_to_liver=1.0 + (row.tumour_to_liver - 1.0) * row.recovery,
        liver_cov=study.recipe.liver_cov,
        error_mm=0.0,
        is_near_physiologic=False,
        is_at_edge=False,
    )
    missed = Missed(
        long_axis_mm=found.lesion.long_axis_mm,
        diameter_mm=row.diameter_mm,
        tumour_to_liver=1.0 + (row.tumour_to_liver - 1.0) * row.recovery,
        likely_ratio=_knowable(study, row),
        surroundings=_around_lesion(row),
        flags=flags(facts, PROTOCOL.flags),
        is_retrospective=found.status == "retrospective",
        error_mm=0.0,
        stray_focus=None,
        registration_passed=_misplaced_mm(outcome, found) < MISPLACED_MM,
        blur=_blur(study),
        liver_cov=study.recipe.liver_cov,
    )
    return why_missed(missed, PROTOCOL).reason


def _knowable(study: Study, row: LesionTruth) -> LikelyRatio:
    """The true ratio, and what the noise leaves possible at its size."""
    margin = 1.2816 * study.recipe.liver_cov / row.recovery
    return LikelyRatio(row.tumour_to_liver, row.tumour_to_liver + margin)


def _misplaced_mm(outcome: Outcome, found: LesionFinding) -> float:
    ids = [f.lesion.lesion_id for f in outcome.concordance.lesions]
    return float(outcome.after_mm[ids.index(found.lesion.lesion_id)])


# --- tables


def table(title: str, counts: Counter[tuple[str, str]]) -> None:
    """Truth down, result across."""
    rows = sorted({row for row, _ in counts})
    columns = sorted({column for _, column in counts})
    print(f"\n{title}\n{'truth':>24}" + "".join(f"{c:>16}" for c in columns))
    for row in rows:
        print(f"{row:>24}" + "".join(f"{counts[row, c]:>16}" for c in columns))


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {part / whole:.1%}" if whole else "none"


def _lesion_rows(outcomes: list[Outcome]) -> list[tuple[Outcome, LesionFinding, LesionTruth]]:
    return [
        (o, found, _truth_of(o.study, found.lesion.lesion_id))
        for o in outcomes
        for found in o.concordance.lesions
    ]


def print_status(outcomes: list[Outcome], verbose: bool) -> None:
    """Status of every lesion against the truth."""
    rows = [(o, f, t) for o, f, t in _lesion_rows(outcomes) if f.status != "not_covered"]
    table("status", Counter((true_status(t), f.status) for _, f, t in rows))
    clear = [(o, f, t) for o, f, t in rows if true_status(t) != "between"]
    wrong = [
        (o, f, t) for o, f, t in clear if (f.status == "positive") != (true_status(t) == "positive")
    ]
    low = [f for _, f, t in rows if true_status(t) == "not positive"]
    false = sum(f.status == "retrospective" for f in low)
    print("retrospective below CNR 3:", _share(false, len(low)))
    print("status right outside CNR 3-6:", _share(len(clear) - len(wrong), len(clear)))
    for o, f, t in wrong if verbose else []:
        near = min((abs(p.gap_mm) for p in f_pairs(o, f)), default=float("nan"))
        print(
            f"   seed {o.study.seed} {t.lesion_id} {t.kind.value} {t.place.value} {f.status} "
            f"d {t.diameter_mm:.1f} T/L {t.tumour_to_liver:.2f} CNR {t.contrast_to_noise:.1f} "
            f"capsule {t.capsule_distance_mm:.1f} relation {f.relation} gap {near:.1f} "
            f"misplaced {_misplaced_mm(o, f):.1f}"
        )


def f_pairs(outcome: Outcome, found: LesionFinding) -> list[object]:
    """Pairs of a lesion."""
    return [p for p in outcome.concordance.relations.pairs if p.lesion_id == found.lesion.lesion_id]


def print_reasons(outcomes: list[Outcome], verbose: bool) -> None:
    """Reasons of missed lesions that count against the cause in their recipe."""
    rows = [(o, f, t) for o, f, t in _lesion_rows(outcomes) if f.reason and t.kind.counts]
    table(
        "reason of missed lesions",
        Counter((true_reason(o, f, t), str(f.reason)) for o, f, t in rows),
    )
    right = sum(true_reason(o, f, t) == f.reason for o, f, t in rows)
    print("reason right:", _share(right, len(rows)))
    for o, f, t in rows if verbose else []:
        if true_reason(o, f, t) != f.reason:
            print(
                f"   seed {o.study.seed} {t.lesion_id} {true_reason(o, f, t)} -> {f.reason} "
                f"d {t.diameter_mm:.1f} T/L {t.tumour_to_liver:.2f} CNR {t.contrast_to_noise:.1f} "
                f"RC {t.recovery:.2f} cov {o.study.recipe.liver_cov:.2f} {f.evidence}"
            )
    alone = [f for o in outcomes for f in o.concordance.foci if f.reason]
    print("reasons of foci:", dict(Counter(str(f.reason) for f in alone)))


def print_cells(outcomes: list[Outcome], verbose: bool) -> None:
    """Cells of studies against the truth."""
    table("cell", Counter((str(o.study.truth.cell), str(o.calls.cell)) for o in outcomes))
    failed = [o for o in outcomes if not o.study.registration.passed and o.calls.cell is None]
    print(f"uncertain because the registration failed: {len(failed)}")
    sure = [o for o in outcomes if o.study.truth.cell is not None and o not in failed]
    right = [o for o in sure if o.calls.cell == o.study.truth.cell]
    print("cell right where the truth is certain:", _share(len(right), len(sure)))
    for o in sure if verbose else []:
        if o not in right:
            print(
                f"   seed {o.study.seed} {o.study.truth.cell} -> {o.calls.cell}: {o.calls.why} "
                f"passed {o.study.registration.passed} "
                f"z {[round(f.focus.z, 1) for f in o.concordance.foci]} "
                f"spots {[s.place.value for s in o.study.truth.spots]} "
                f"cnr {[round(t.contrast_to_noise, 1) for t in o.study.truth.lesions]}"
            )


def print_calibration(outcomes: list[Outcome]) -> None:
    """null_p at lesion-free places should be uniform."""
    values = np.array([p for o in outcomes for p in o.null_p])
    if not len(values):
        return
    print(
        f"\nnull_p at {len(values)} lesion-free places: KS p {kstest(values, 'uniform').pvalue:.3f}"
    )
    for level in (0.01, 0.02, 0.05, 0.10, 0.25, 0.50):
        print(f"   at or below {level:.2f}: {np.mean(values <= level):.3f}")


def print_sensitivity(outcomes: list[Outcome]) -> None:
    """Share of metastases found, by size, beside the closed form's prediction."""
    rows = [(o, f, t) for o, f, t in _lesion_rows(outcomes) if t.kind.counts]
    print(
        f"\nsensitivity by size\n{'mm':>10}{'n':>6}{'found':>8}{'predicted':>11}{'difference':>12}"
    )
    for low, high in pairwise(SIZES):
        part = [(o, f, t) for o, f, t in rows if low <= t.diameter_mm < high]
        if part:
            found = float(np.mean([f.status == "positive" for _, f, _ in part]))
            expected = float(np.mean([_predicted(o.study, t) for o, _, t in part]))
            print(
                f"{low:4.0f} -{high:4.0f}{len(part):>6}{found:>8.1%}{expected:>11.1%}"
                f"{found - expected:>+12.1%}"
            )


def _predicted(study: Study, row: LesionTruth) -> float:
    return detection_probability(
        row.contrast_to_noise, row.diameter_mm, _blur(study), rules=PROTOCOL.detectability
    )


def print_landmarks(outcomes: list[Outcome]) -> None:
    """What landmarks do to the places of lesions, all and small."""
    used = [o for o in outcomes if o.agreement.applies]
    print(f"\nlandmarks apply in {_share(len(used), len(outcomes))} of studies")
    for name, limit in (("all lesions", 1e9), ("below 10 mm", 10.0)):
        keep = [np.array([c.lesion.long_axis_mm < limit for c in o.carried], bool) for o in used]
        before = np.concatenate([o.before_mm[k] for o, k in zip(used, keep, strict=True)] or [[]])
        after = np.concatenate([o.after_mm[k] for o, k in zip(used, keep, strict=True)] or [[]])
        bound = [
            c.error_mm
            for o, k in zip(used, keep, strict=True)
            for c, b in zip(o.carried, k, strict=True)
            if b
        ]
        if len(before):
            print(
                f"   {name} ({len(before)}): "
                f"mean error {before.mean():.2f} -> {after.mean():.2f} mm, "
                f"95 % {np.quantile(before, 0.95):.2f} -> {np.quantile(after, 0.95):.2f} mm; "
                f"within the stated bound {np.mean(after <= np.array(bound)):.1%}"
            )


def main() -> None:
    """Run the cohort and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--cache", type=Path, default=Path("bench-cache"))
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    outcomes = [run(s) for s in studies(options.first_seed, options.studies, options.cache)]
    print(f"{len(outcomes)} studies, {sum(len(o.carried) for o in outcomes)} lesions")
    print_status(outcomes, options.verbose)
    print_reasons(outcomes, options.verbose)
    print_cells(outcomes, options.verbose)
    print_calibration(outcomes)
    print_sensitivity(outcomes)
    print_landmarks(outcomes)
    seconds = [o.seconds for o in outcomes]
    print(
        f"\nseconds a study after the foci: median {np.median(seconds):.2f}, "
        f"most {max(seconds):.2f}"
    )


if __name__ == "__main__":
    main()

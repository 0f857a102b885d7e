"""A simulated study run through foci, landmarks, concordance and calls, and its truth."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from _cohort import BOUND_IN_SD, DrawnRegistration, Study, as_mapping, study_of
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from lesionmatch.calls import Calls, Circumstances, call
from lesionmatch.compare.sight import reference_of
from lesionmatch.concordance import (
    Concordance,
    Evidence,
    FocusFinding,
    LesionFinding,
    Relations,
    Surroundings,
    concord,
    occupied,
    relate,
    sharpen,
    shift_of,
)
from lesionmatch.concordance.flags import Facts, flags
from lesionmatch.concordance.hotter import Hotter
from lesionmatch.concordance.reasons import Missed, why_missed
from lesionmatch.detectability import Blur
from lesionmatch.foci import Field, Focus, field_of, find_foci, null_p
from lesionmatch.geometry import Grid
from lesionmatch.image import Mask, union
from lesionmatch.landmarks import Agreement
from lesionmatch.lesions import Carried, carry, equivalent_diameter_mm, lesions_from
from lesionmatch.phantom import Spot
from lesionmatch.phantom.truth import LesionTruth, SpotTruth
from lesionmatch.protocol import Protocol

PROTOCOL = Protocol()
NEAR_MM = 12.0
"""A focus this near a thing was made by it."""
MISPLACED_MM = 9.0
"""A lesion this far from its true place was not looked for where it is."""


JITTERS = 5
"""How often a study's lesions are moved to see whether their relations hold."""


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
    jittered: tuple[Relations, ...]
    """The relations again with all lesions off by a draw of the stated registration error."""
    seconds: float
    """Of the processor, for all but what the truth is asked for."""


def outcome_of(seed: int, cache: Path) -> Outcome:
    """The study of a seed, run; see `study_of` for the cache."""
    return run(study_of(seed, cache))


def run(study: Study) -> Outcome:
    """Foci, landmarks, concordance and calls of one study."""
    start = time.process_time()
    registration, blur = study.registration, blur_of(study)
    found = found_by(study, registration)
    before = found.carried
    shift_mm = shift_of(found.carried, found.foci, fwhm_mm=blur.fwhm_mm, rules=PROTOCOL.landmarks)
    if shift_mm is not None:
        registration = registration.moved(shift_mm)
        found = found_by(study, registration)
    liver, field, foci = found.liver, found.field, found.foci
    sharp = sharpen(found.carried, foci, study.suv.grid, fwhm_mm=blur.fwhm_mm, protocol=PROTOCOL)
    avoid = _avoid(study, sharp.carried, foci)
    taken = occupied(sharp.carried, foci, study.suv.grid, PROTOCOL.reasons.lesion_free_mm)
    rng = np.random.default_rng(study.seed)
    evidence = Evidence(
        suv=study.suv,
        background=reference_of(study.suv, liver, field, avoid, None, PROTOCOL),
        carried=sharp.carried,
        foci=foci,
        around_lesions=tuple(
            _around_lesion(truth_of(study, one.lesion.lesion_id)) for one in sharp.carried
        ),
        around_foci=_around_foci(study, liver, foci),
        focus_error_mm=(registration.bound_mm,) * len(foci),
        blur=blur,
        registration_passed=registration.passed,
        null_p=partial(null_p, field, protocol=PROTOCOL, avoid=taken, rng=rng),
    )
    concordance = concord(evidence, PROTOCOL)
    is_doubtful = not registration.passed and not concordance.confirms_registration
    circumstances = Circumstances(1.0, 1.0, ("it failed",) if is_doubtful else ())
    calls = call(concordance.lesions, concordance.foci, circumstances, rules=PROTOCOL.calls)
    seconds = time.process_time() - start
    return Outcome(
        study=study,
        field=field,
        carried=sharp.carried,
        concordance=concordance,
        calls=calls,
        agreement=sharp.agreement,
        before_mm=_misplacement_mm(study, before),
        after_mm=_misplacement_mm(study, sharp.carried),
        null_p=_null_sample(study, field, liver, taken, sharp.carried),
        jittered=tuple(_jittered(study, sharp.carried, foci)),
        seconds=seconds,
    )


@dataclass(frozen=True)
class Found:
    """Foci where the liver is thought to lie, and the lesions there."""

    liver: Mask
    field: Field
    foci: tuple[Focus, ...]
    carried: tuple[Carried, ...]


def found_by(study: Study, registration: DrawnRegistration) -> Found:
    """The PET read where a registration puts the liver."""
    liver = _liver_on_pet(study, registration)
    field = field_of(study.suv, liver)
    foci = find_foci(study.suv, liver, PROTOCOL, field=field)
    return Found(liver, field, foci, _carried(study, registration))


def _carried(study: Study, registration: DrawnRegistration) -> tuple[Carried, ...]:
    mapping, grid, rules = as_mapping(registration), study.suv.grid, PROTOCOL.lesions
    lesions = lesions_from(study.segments, rules)
    return carry(lesions, mapping, [registration.bound_mm] * len(lesions), grid, rules)


def blur_of(study: Study) -> Blur:
    return Blur.breathing(study.recipe.pet_fwhm_mm, study.recipe.pet_breathing_mm)


def _liver_on_pet(study: Study, registration: DrawnRegistration) -> Mask:
    """The liver where the drawn registration puts it, to first order in its error."""
    part = study.liver.crop(study.liver.grid.box_around(study.truth.liver_points_pet_mm, 30.0))
    points = part.grid.world(np.indices(part.grid.shape).reshape(3, -1).T)
    there = np.rint(part.grid.voxels(points - registration.error_mm(points))).astype(int)
    inside = part.array[tuple(there.clip(0, np.array(part.grid.shape) - 1).T)]
    return Mask(part.grid, inside.reshape(part.grid.shape)).on(study.liver.grid)


def _avoid(study: Study, carried: tuple[Carried, ...], foci: tuple[Focus, ...]) -> Mask:
    searched = [one.search for one in carried if one.search is not None]
    return union(study.suv.grid, [*searched, *(focus.extent for focus in foci)])


def _jittered(
    study: Study, carried: Sequence[Carried], foci: Sequence[Focus]
) -> Iterator[Relations]:
    """Each lesion's error is normal with its stated 95 % bound, and no larger than that."""
    rng = np.random.default_rng([study.seed, 4])
    grid, fwhm_mm = study.suv.grid, study.recipe.pet_fwhm_mm
    for _ in range(JITTERS):
        way = rng.normal(0.0, 1.0 / BOUND_IN_SD, 3)
        way = way / max(1.0, float(np.linalg.norm(way)))
        off = [
            one.moved(way * one.error_mm, one.error_mm, grid, PROTOCOL.lesions) for one in carried
        ]
        yield relate(off, foci, fwhm_mm=fwhm_mm, rules=PROTOCOL.relations)


def truth_of(study: Study, lesion_id: str) -> LesionTruth:
    return next(row for row in study.truth.lesions if row.lesion_id == lesion_id)


def _around_lesion(row: LesionTruth, off_mm: float = 0.0) -> Surroundings:
    capsule_mm, vessel_mm = row.capsule_distance_mm + off_mm, row.vessel_distance_mm + off_mm
    return Surroundings(max(capsule_mm, 0.0), row.hilum_distance_mm, max(vessel_mm, 0.0))


def _around_foci(study: Study, liver: Mask, foci: Sequence[Focus]) -> tuple[Surroundings, ...]:
    part = liver.trimmed(8.0)
    depth_mm = distance_transform_edt(part.array, sampling=part.grid.spacing_mm)
    return tuple(_around_focus(study, part.grid, depth_mm, focus) for focus in foci)


def _around_focus(
    study: Study, grid: Grid, depth_mm: NDArray[np.float64], focus: Focus
) -> Surroundings:
    voxel = tuple(np.rint(grid.voxels(focus.peak_mm)).astype(int))
    anatomy = study.truth.pet_pose.anatomy_mm(focus.centroid_mm[None])
    radius_mm = equivalent_diameter_mm(focus.extent.volume_ml) / 2.0
    vessel_mm = float(np.ravel(study.body.vessel_mm(anatomy))[0])
    hilum_mm = float(np.linalg.norm(focus.centroid_mm - np.array(study.truth.hilum_pet_mm)))
    capsule_mm = max(0.0, float(depth_mm[voxel]) - radius_mm)
    return Surroundings(capsule_mm, hilum_mm, max(0.0, vessel_mm - radius_mm))


def _misplacement_mm(study: Study, carried: tuple[Carried, ...]) -> NDArray[np.float64]:
    true = [truth_of(study, c.lesion.lesion_id).pet_mm for c in carried]
    return np.array([np.linalg.norm(c.centroid_mm - t) for c, t in zip(carried, true, strict=True)])


def _null_sample(
    study: Study, field: Field, liver: Mask, taken: Mask | None, carried: tuple[Carried, ...]
) -> tuple[float, ...]:
    """null_p of this study's search regions put at lesion-free places, two each."""
    rng = np.random.default_rng([study.seed, 2])
    free = liver.array if taken is None else liver.array & ~taken.on(liver.grid).array
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
            p = null_p(field, Mask(liver.grid, array).trimmed(), PROTOCOL, avoid=taken, rng=rng)
            values += [] if p is None else [p]
            break
    return tuple(values)


def true_status(row: LesionTruth) -> str:
    """What the PET must say; `between` where readers would differ."""
    if row.contrast_to_noise > 6.0:
        return "positive"
    return "not positive" if row.contrast_to_noise < 3.0 else "between"


@dataclass(frozen=True)
class Off:
    """What a measurement of a lesion may be off by."""

    size_mm: float = 0.0
    distance_mm: float = 0.0
    noise_sd: float = 0.0
    """Of the uptake seen, in standard deviations of a voxel of the liver."""


EXACT = Off()
TOLERANCE = Off(size_mm=0.5, distance_mm=1.0, noise_sd=1.0)
"""A quarter and a half of a voxel of the MRI in plane, and the noise of one voxel of the PET."""


def true_reason(outcome: Outcome, found: LesionFinding, row: LesionTruth, off: Off = EXACT) -> str:
    """The reason that the true place, uptake, noise and misplacement of a lesion give.

    Its long axis is that of its outline, which is true by construction.
    """
    study, near = outcome.study, _around_lesion(row, off.distance_mm)
    long_mm, noise = found.lesion.long_axis_mm + off.size_mm, off.noise_sd * study.recipe.liver_cov
    seen = 1.0 + (row.tumour_to_liver - 1.0) * row.recovery + noise
    facts = Facts(
        long_axis_mm=long_mm,
        surroundings=near,
        tumour_to_liver=seen,
        liver_cov=study.recipe.liver_cov,
        error_mm=0.0,
        is_near_physiologic=False,
        is_at_edge=False,
    )
    missed = Missed(
        long_axis_mm=long_mm,
        diameter_mm=row.diameter_mm + off.size_mm,
        tumour_to_liver=seen,
        likely_ratio=row.tumour_to_liver + noise / row.recovery,
        surroundings=near,
        flags=flags(facts, PROTOCOL.flags),
        is_retrospective=found.status == "retrospective",
        hotter=_hotter(study, row, seen),
        error_mm=0.0,
        stray_focus=None,
        registration_passed=misplaced_mm(outcome, found) < MISPLACED_MM,
        blur=blur_of(study),
        liver_cov=study.recipe.liver_cov,
    )
    return why_missed(missed, PROTOCOL).reason


def _hotter(study: Study, row: LesionTruth, seen: float) -> Hotter | None:
    """The lesion or spot within the resolution of one, surface to surface, that shows hotter."""
    others: list[LesionTruth | SpotTruth] = [*study.truth.lesions, *study.truth.spots]
    near = [
        Hotter("what is beside it", 1.0 + (other.tumour_to_liver - 1.0) * other.recovery, gap_mm)
        for other in others
        if other is not row and (gap_mm := _gap_mm(row, other)) <= study.recipe.pet_fwhm_mm
    ]
    hottest = max(near, key=lambda one: one.tumour_to_liver, default=None)
    return hottest if hottest and hottest.tumour_to_liver > seen else None


def _gap_mm(row: LesionTruth, other: LesionTruth | SpotTruth) -> float:
    apart_mm = float(np.linalg.norm(np.subtract(row.pet_mm, other.pet_mm)))
    return max(0.0, apart_mm - (row.diameter_mm + other.diameter_mm) / 2.0)


def is_decided(outcome: Outcome, found: LesionFinding, row: LesionTruth) -> bool:
    """Whether the true reason stays what it is within the tolerance of each measurement."""
    offs = [
        Off(**{name: way * size}) for name, size in asdict(TOLERANCE).items() for way in (-1.0, 1.0)
    ]
    return len({true_reason(outcome, found, row, off) for off in [EXACT, *offs]}) == 1


def misplaced_mm(outcome: Outcome, found: LesionFinding) -> float:
    ids = [f.lesion.lesion_id for f in outcome.concordance.lesions]
    return float(outcome.after_mm[ids.index(found.lesion.lesion_id)])


SPOT_REASON = {
    Spot.BILE_DUCT: "vascular_or_biliary",
    Spot.PORTAL_VEIN: "vascular_or_biliary",
    Spot.GUT_AT_CAPSULE: "extrahepatic_physiologic",
    Spot.PARENCHYMA: "unexplained",
}


def true_cause(outcome: Outcome, found: FocusFinding) -> str:
    """What made a focus that belongs to no lesion that counts."""
    study, place = outcome.study, found.focus.centroid_mm
    things = [
        (np.linalg.norm(place - np.array(spot.pet_mm)), SPOT_REASON[spot.place])
        for spot in study.truth.spots
    ]
    things += [
        (np.linalg.norm(place - np.array(row.pet_mm)), _kind_or_missed(row))
        for row in study.truth.lesions
    ]
    near = [(float(d), cause) for d, cause in things if d <= NEAR_MM]
    return min(near)[1] if near else "nothing"


def _kind_or_missed(row: LesionTruth) -> str:
    return "misregistration" if row.kind.counts else row.kind.value

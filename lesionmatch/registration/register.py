"""MRI to PET/CT, the straight line: search, rigid, affine, deformable, and what to make of it.

Every stage starts from the one before and is kept only if voxels it never saw prefer it
(see `evidence`). Random samples come from one generator with a fixed seed, or from generators it
gives to steps that run beside each other (see `threads`), and sums are done in one order: the
linear algebra library, which divides its sums among threads, is held to one. So the same images
give the same map, bit by bit, whatever the number of threads.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from lesionmatch.errors import InvalidOption, RegistrationFailed
from lesionmatch.geometry import Points, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import Protocol, RegistrationBounds
from lesionmatch.registration.appearance import Target, ct_target, pet_target, without_bias
from lesionmatch.registration.bound import (
    DoubtfulBound,
    EvenBound,
    LocalBound,
    linear_bound,
    offset_left_mm,
)
from lesionmatch.registration.cut import Cut, Look, cut_of
from lesionmatch.registration.deform import Floats
from lesionmatch.registration.doubts import doubts_of, remarks_of
from lesionmatch.registration.evidence import mutual_information, probe_ratio
from lesionmatch.registration.inverse import TwoWay
from lesionmatch.registration.offset import pet_from_ct
from lesionmatch.registration.pattern import Pattern
from lesionmatch.registration.result import Quality, Registration
from lesionmatch.registration.stages import METHODS, Fit, Method, Study, fit_of, pattern_under
from lesionmatch.registration.threads import both
from lesionmatch.registration.witness import coverage, liver_median, seen
from lesionmatch.resample import PointMap

SEED = 20231
LEAST_LIVER_ML = 50.0
AROUND_LIVER_MM = 45.0
"""The MRI further from the liver than this plays no part."""


def register(
    mri: Image,
    liver: Mask,
    *,
    ct: Image | None,
    pet: Image | None,
    method: Method = "auto",
    protocol: Protocol,
) -> Registration:
    """Align the MRI, whose `liver` is given on its own grid, with the CT, else with the PET.

    PET (SUV) and CT (HU) share a frame; between it and the MRI's nothing is assumed. Raises
    `RegistrationFailed` where no alignment can be had, and `InvalidOption` for a method that
    there is not; a bad alignment is returned with its doubts.
    """
    if method not in METHODS:
        raise InvalidOption(f"registration: wanted one of {', '.join(METHODS)}, got {method}")
    if liver.volume_ml < LEAST_LIVER_ML:
        raise RegistrationFailed(
            f"registration: wanted a liver of at least {LEAST_LIVER_ML:.0f} ml, "
            f"got {liver.volume_ml:.0f} ml; check the liver mask"
        )
    with threadpool_limits(limits=1):
        return _registered(mri, liver, ct, pet, method, protocol)


def _registered(
    mri: Image,
    liver: Mask,
    ct: Image | None,
    pet: Image | None,
    method: Method,
    protocol: Protocol,
) -> Registration:
    target = _target(ct, pet)
    rng = np.random.default_rng(SEED)
    box = mri.grid.box_around(liver.points_mm(), AROUND_LIVER_MM)
    whole = liver
    mri, liver = mri.crop(box), liver.crop(box)
    study = Study(without_bias(mri, liver), liver, whole, target, protocol.registration)
    fit = fit_of(study, method, rng)
    beside = pet_target(pet) if pet is not None and target.name == "ct" else None
    shift, pattern = both(
        partial(_shift_of, study, fit, beside, rng),
        partial(pattern_under, study, fit.witness, fit.ways, fit.seen),
    )
    cut = cut_of(whole, _looks(study, fit, beside, shift), study.rules)
    quality = _quality(study, fit, _offset_mm(study, fit, shift), cut, pattern)
    return _result(study, fit, shift, quality, protocol.registration_bounds)


def _target(ct: Image | None, pet: Image | None) -> Target:
    if ct is not None:
        return ct_target(ct)
    if pet is not None:
        return pet_target(pet)
    raise RegistrationFailed("registration: wanted a CT or a PET to register to, got neither")


def _shift_of(
    study: Study, fit: Fit, beside: Target | None, rng: np.random.Generator
) -> Transform | None:
    """Where the liver lies on the PET `beside` its CT."""
    if beside is None:
        return None
    there = fit.ways.target_from_mri
    return pet_from_ct(study.liver, there, study.target, beside, study.rules, rng)


def _looks(
    study: Study, fit: Fit, beside: Target | None, shift: Transform | None
) -> tuple[Look, ...]:
    """What shows liver beyond the MRI: the target, and the PET `beside` a CT, if it shows it."""
    there, judge = fit.ways.target_from_mri, fit.witness
    looks = [Look.of(study.target, there, liver_median(judge, fit.seen), study.rules)]
    if beside is not None and shift is not None:
        there = PointMap.affine(shift).after(there)
        middle = liver_median(judge, seen(judge, beside, there))
        looks.append(Look.of(beside, there, middle, study.rules))
    return tuple(looks)


def _result(
    study: Study, fit: Fit, shift: Transform | None, quality: Quality, bounds: RegistrationBounds
) -> Registration:
    applied = shift if quality.pet_ct_offset_applied else None
    ways = fit.ways if applied is None else _shifted(fit.ways, applied)
    name, rules = study.target.name, study.rules
    doubts = doubts_of(quality, fit.refused, name, rules)
    # A scan that ends within the liver is a doubt about the study, not about the map.
    is_lost = bool(doubts_of(replace(quality, cut_share=None), fit.refused, name, rules))
    bound = _bound(study, fit, quality, bounds)
    return Registration(
        mri_from_pet=ways.mri_from_target,
        pet_from_mri=ways.target_from_mri,
        method=fit.kind,
        target=name,
        quality=quality,
        doubts=doubts,
        remarks=remarks_of(quality, name, rules),
        bound_mm=DoubtfulBound(bound, bounds.doubtful_mm) if is_lost else bound,
        pet_from_ct=applied,
    )


def _offset_mm(study: Study, fit: Fit, shift: Transform | None) -> Points | None:
    """(3,) how far the middle of the liver lies on the PET from where it lies on the CT."""
    if shift is None:
        return None
    middle = fit.ways.target_from_mri.apply(study.liver.points_mm().mean(0)[None])
    return np.asarray((shift.apply(middle) - middle)[0])


def _bound(
    study: Study, fit: Fit, quality: Quality, rules: RegistrationBounds
) -> EvenBound | LocalBound:
    if fit.bent is None:
        return linear_bound(fit.kind, study.target.name, rules)
    return LocalBound(
        bent=fit.bent.deformation,
        grid=fit.bent.scene.grid,
        level=rules.ct_level if study.target.name == "ct" else rules.pet_level,
        offset_left_mm=offset_left_mm(quality, rules),
        rules=rules,
    )


def _shifted(ways: TwoWay, shift: Transform) -> TwoWay:
    """The maps to where the liver lies on the PET rather than on its CT."""
    return TwoWay(
        PointMap.affine(shift).after(ways.target_from_mri),
        ways.mri_from_target.after(PointMap.affine(shift.inverse)),
    )


def _quality(
    study: Study, fit: Fit, offset: Points | None, cut: Cut, pattern: Pattern | None
) -> Quality:
    there, judge, target = fit.ways.target_from_mri, fit.witness, study.target
    middle = liver_median(judge, fit.seen)
    peaks = fit.peaks.mutual_information
    away_mm = 0.0 if offset is None else float(np.linalg.norm(offset))
    rules = study.rules
    growth = _growth(fit)
    return Quality(
        mutual_information=mutual_information(judge, fit.seen, target.window),
        probe_ratio=None if pattern else probe_ratio(judge, target, there, rules.probe_shift_mm),
        pattern_errors=pattern.errors if pattern else None,
        pattern_half_errors=pattern.least_half_errors if pattern else None,
        peak_ratio=float(peaks[1] / peaks[0]) if len(peaks) > 1 else 0.0,
        rotation_deg=_rotation_deg(fit.linear.matrix[:3, :3]),
        volume_ratio=float(growth.mean()),
        jacobian_min=float(growth.min()),
        jacobian_max=float(growth.max()),
        displacement_p95_mm=fit.bent.displacement_p95_mm if fit.bent else 0.0,
        liver_on_target=middle if target.name == "ct" else middle**2,
        coverage=coverage(judge, fit.seen),
        cut_share=cut.volume_share,
        cut_length_share=cut.length_share,
        affine_gain_errors=fit.affine_gain.errors if fit.affine_gain else None,
        deformable_gain_errors=fit.deformable_gain.errors if fit.deformable_gain else None,
        pet_ct_offset_mm=None if offset is None else tuple(offset.tolist()),
        pet_ct_offset_applied=rules.least_pet_offset_mm <= away_mm <= rules.most_pet_offset_mm,
    )


def _growth(fit: Fit) -> Floats:
    """What the map does to the volume of each of the liver's voxels."""
    if fit.bent is None:
        return np.array([np.linalg.det(fit.linear.matrix[:3, :3])], np.float32)
    return fit.bent.growth


def _rotation_deg(matrix: Points) -> float:
    """Angle of the rotation nearest to a matrix."""
    left, _, right = np.linalg.svd(matrix)
    cosine = (np.trace(left @ right) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))

"""MRI to PET/CT, the straight line: search, rigid, affine, deformable, and what to make of it.

Every stage starts from the one before and is kept only if voxels it never saw prefer it
(see `evidence`). Random samples come from one generator with a fixed seed, and sums are done
in one order: the linear algebra library, which divides its sums among threads, is held to
one. So the same images give the same map, bit by bit, whatever the number of threads.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from lesionmatch.errors import InvalidOption, RegistrationFailed
from lesionmatch.geometry import Points, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import Protocol, RegistrationBounds, RegistrationRules
from lesionmatch.registration.appearance import Target, ct_target, pet_target, without_bias
from lesionmatch.registration.bound import (
    DoubtfulBound,
    EvenBound,
    LocalBound,
    linear_bound,
    offset_left_mm,
)
from lesionmatch.registration.cut import cut_of
from lesionmatch.registration.deform import (
    Deformation,
    Floats,
    Opinion,
    Stiffness,
    deformation,
)
from lesionmatch.registration.doubts import doubts_of, growth_limits, is_settled, remarks_of
from lesionmatch.registration.evidence import (
    Gain,
    Witness,
    coverage,
    gain,
    inner_agreement,
    liver_median,
    mutual_information,
    probe_ratio,
    seen,
    witness,
)
from lesionmatch.registration.inverse import TwoWay, both_ways, jacobian, linear_both_ways
from lesionmatch.registration.linear import (
    Samples,
    fitted,
    samples_about,
    volume_about,
)
from lesionmatch.registration.linear import mutual_information as linear_information
from lesionmatch.registration.offset import pet_from_ct
from lesionmatch.registration.result import Quality, Registration
from lesionmatch.registration.scene import Scene, grid_about, scene
from lesionmatch.registration.search import Peaks, best_shifts
from lesionmatch.resample import PointMap

Method = Literal["auto", "rigid", "affine", "deformable"]
METHODS: tuple[Method, ...] = ("auto", "rigid", "affine", "deformable")

SEED = 20231
LEAST_LIVER_ML = 50.0
AROUND_LIVER_MM = 45.0
"""The MRI further from the liver than this plays no part."""

STIFF = {
    "ct": Stiffness(),
    "pet": Stiffness(edge_weight=2.0, opinions=(Opinion(0.2, 1.0), Opinion(0.2, 1.0))),
}
"""A PET shows the liver's outline and hot lesions blurred, so their edges may say less, and no
vessels, so there is no second witness to trust."""


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
    study = _Study(without_bias(mri, liver), liver, whole, target, protocol.registration)
    fit = _fit(study, method, rng)
    shift = (
        pet_from_ct(liver, fit.ways.target_from_mri, pet_target(pet), rng)
        if (pet is not None and target.name == "ct")
        else None
    )
    return _result(study, fit, shift, protocol.registration_bounds)


def _target(ct: Image | None, pet: Image | None) -> Target:
    if ct is not None:
        return ct_target(ct)
    if pet is not None:
        return pet_target(pet)
    raise RegistrationFailed("registration: wanted a CT or a PET to register to, got neither")


@dataclass(frozen=True, slots=True, eq=False)
class _Study:
    """What is registered to what."""

    mri: Image
    """About the liver, without bias."""
    liver: Mask
    whole_liver: Mask
    """The same on the whole MRI, whose end may cut it."""
    target: Target
    rules: RegistrationRules


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """The stage that was kept, and how the stages fared."""

    kind: str
    linear: Transform
    ways: TwoWay
    peaks: Peaks
    witness: Witness
    affine_gain: Gain | None
    deformable_gain: Gain | None
    bent: "_Bent | None"
    refused: tuple[str, ...]
    """Why a stage the method asked for was not kept."""


@dataclass(frozen=True, slots=True, eq=False)
class _Bent:
    """A deformation that was kept, and what it was fitted on."""

    deformation: Deformation
    scene: Scene
    growth: Floats
    """What the map does to the volume of each of the liver's voxels."""

    @property
    def displacement_p95_mm(self) -> float:
        """How far the deformation moves the liver, 95th percentile."""
        lengths = np.linalg.norm(self.deformation.field[:, self.scene.inside], axis=0)
        return float(np.percentile(lengths, 95))


def _fit(study: _Study, method: Method, rng: np.random.Generator) -> _Fit:
    peaks = best_shifts(study.mri, study.liver, study.target)
    rigid = _rigid(study, peaks, rng)
    how = STIFF[study.target.name]
    judge = witness(study.mri, study.liver, grid_about(study.liver, how.margin_mm, how.spacing_mm))
    fit = _Fit("rigid", rigid, linear_both_ways(rigid), peaks, judge, None, None, None, ())
    if method == "rigid":
        return fit
    fit = _with_affine(study, fit, method, rng)
    return fit if method == "affine" else _with_deformation(study, fit, method, rng)


def _scene(study: _Study, linear: Transform) -> Scene:
    how = STIFF[study.target.name]
    return scene(
        study.mri,
        study.liver,
        study.target,
        linear,
        margin_mm=how.margin_mm,
        spacing_mm=how.spacing_mm,
    )


def _rigid(study: _Study, peaks: Peaks, rng: np.random.Generator) -> Transform:
    """The best rigid map: from every summit at 5 mm, the best of them again at 3 mm."""
    coarse = samples_about(study.mri, study.liver, spacing_mm=5.0, margin_mm=20.0)
    candidates = []
    for shift in peaks.shifts_mm:
        matrix = np.eye(4)
        matrix[:3, 3] = shift
        start = Transform(study.target.image.frame, study.mri.frame, matrix)
        volume = volume_about(study.target, _reach(start, coarse, 40.0), spacing_mm=5.0)
        found = fitted(start, coarse, volume, "rigid", iterations=12, drawn=6000, rng=rng)
        candidates.append((linear_information(found, coarse, volume), found))
    best = max(candidates, key=lambda candidate: candidate[0])[1]
    return _refined(study, best, "rigid", 10, rng)


def _refined(
    study: _Study,
    start: Transform,
    kind: Literal["rigid", "affine"],
    iterations: int,
    rng: np.random.Generator,
) -> Transform:
    fine = samples_about(study.mri, study.liver, spacing_mm=3.0, margin_mm=15.0)
    volume = volume_about(study.target, _reach(start, fine, 30.0), spacing_mm=3.0)
    return fitted(start, fine, volume, kind, iterations=iterations, drawn=20_000, rng=rng)


def _reach(start: Transform, samples: Samples, margin_mm: float) -> Points:
    """(2, 3) corners of an upright box around where the samples may land."""
    landed = start.apply(samples.points_mm)
    return np.stack([landed.min(0) - margin_mm, landed.max(0) + margin_mm])


def _with_affine(study: _Study, fit: _Fit, method: Method, rng: np.random.Generator) -> _Fit:
    """`fit` with an affine map, where it is better or was asked for."""
    affine = _refined(study, fit.linear, "affine", 15, rng)
    ways = linear_both_ways(affine)
    gained = _gain(study, fit, ways)
    judged = replace(fit, affine_gain=gained)
    if method != "affine" and gained.errors < study.rules.stage_gain_errors:
        return judged
    return replace(judged, kind="affine", linear=affine, ways=ways)


def _gain(study: _Study, fit: _Fit, ways: TwoWay) -> Gain:
    before = seen(fit.witness, study.target, fit.ways.target_from_mri)
    after = seen(fit.witness, study.target, ways.target_from_mri)
    return gain(fit.witness, before, after, study.target.window)


def _with_deformation(study: _Study, fit: _Fit, method: Method, rng: np.random.Generator) -> _Fit:
    """`fit` with a deformation, where it is better and can be trusted, or was asked for."""
    how = STIFF[study.target.name]
    ground = _scene(study, fit.linear)
    bent = deformation(ground, how, rng)
    field = bent.field
    growth = jacobian(ground, field, fit.linear)[ground.inside]
    if growth.min() <= 0.0:
        return replace(fit, refused=("the deformation folds the liver onto itself",))
    ways = both_ways(ground, field, study.liver, fit.linear)
    gained = _gain(study, fit, ways)
    reasons = _against(study, fit.witness, ways, growth)
    judged = replace(fit, deformable_gain=gained)
    is_idle = gained.errors < study.rules.stage_gain_errors
    if method != "deformable" and (is_idle or reasons):
        return replace(judged, refused=reasons)
    kept = _Bent(bent, ground, growth)
    return replace(judged, kind="deformable", ways=ways, bent=kept, refused=reasons)


def _against(study: _Study, judge: Witness, ways: TwoWay, growth: Floats) -> tuple[str, ...]:
    """Why a deformation cannot be trusted; nothing when it can."""
    rules = study.rules
    if _is_within(growth, growth_limits(rules, is_sure=False)):
        return ()
    is_sure = is_settled(study.target.name, _inner(study, judge, ways), rules)
    if _is_within(growth, growth_limits(rules, is_sure=is_sure)):
        return ()
    return (
        f"the deformation shrinks or stretches the liver to {growth.min():.2f} or "
        f"{growth.max():.2f} of its volume",
    )


def _is_within(growth: Floats, limits: tuple[float, float]) -> bool:
    return limits[0] <= float(growth.min()) and float(growth.max()) <= limits[1]


def _inner(study: _Study, judge: Witness, ways: TwoWay) -> float | None:
    there = ways.target_from_mri
    middle = liver_median(judge, seen(judge, study.target, there))
    return inner_agreement(judge, study.target, there, middle)


def _result(
    study: _Study, fit: _Fit, shift: Transform | None, bounds: RegistrationBounds
) -> Registration:
    quality = _quality(study, fit, _offset_mm(study, fit, shift))
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


def _offset_mm(study: _Study, fit: _Fit, shift: Transform | None) -> Points | None:
    """(3,) how far the middle of the liver lies on the PET from where it lies on the CT."""
    if shift is None:
        return None
    middle = fit.ways.target_from_mri.apply(study.liver.points_mm().mean(0)[None])
    return np.asarray((shift.apply(middle) - middle)[0])


def _bound(
    study: _Study, fit: _Fit, quality: Quality, rules: RegistrationBounds
) -> EvenBound | LocalBound:
    if fit.bent is None:
        return linear_bound(fit.kind, study.target.name, rules)
    return LocalBound(
        bent=fit.bent.deformation,
        grid=fit.bent.scene.grid,
        growth_max=float(fit.bent.growth.max()),
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


def _quality(study: _Study, fit: _Fit, offset: Points | None) -> Quality:
    there, judge, target = fit.ways.target_from_mri, fit.witness, study.target
    now = seen(judge, target, there)
    middle = liver_median(judge, now)
    peaks = fit.peaks.mutual_information
    away_mm = 0.0 if offset is None else float(np.linalg.norm(offset))
    rules = study.rules
    growth = _growth(fit)
    cut = cut_of(study.whole_liver, target, there, middle)
    return Quality(
        mutual_information=mutual_information(judge, now, target.window),
        probe_ratio=probe_ratio(judge, target, there),
        inner_agreement=inner_agreement(judge, target, there, middle),
        peak_ratio=float(peaks[1] / peaks[0]) if len(peaks) > 1 else 0.0,
        rotation_deg=_rotation_deg(fit.linear.matrix[:3, :3]),
        volume_ratio=float(growth.mean()),
        jacobian_min=float(growth.min()),
        jacobian_max=float(growth.max()),
        displacement_p95_mm=fit.bent.displacement_p95_mm if fit.bent else 0.0,
        liver_on_target=middle if target.name == "ct" else middle**2,
        coverage=coverage(judge, now),
        cut_share=cut.volume_share,
        cut_length_share=cut.length_share,
        affine_gain_errors=fit.affine_gain.errors if fit.affine_gain else None,
        deformable_gain_errors=fit.deformable_gain.errors if fit.deformable_gain else None,
        pet_ct_offset_mm=None if offset is None else tuple(offset.tolist()),
        pet_ct_offset_applied=rules.least_pet_offset_mm <= away_mm <= rules.most_pet_offset_mm,
    )


def _growth(fit: _Fit) -> Floats:
    """What the map does to the volume of each of the liver's voxels."""
    if fit.bent is None:
        return np.array([np.linalg.det(fit.linear.matrix[:3, :3])], np.float32)
    return fit.bent.growth


def _rotation_deg(matrix: Points) -> float:
    """Angle of the rotation nearest to a matrix."""
    left, _, right = np.linalg.svd(matrix)
    cosine = (np.trace(left @ right) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))

"""Rigid, affine, deformable: each stage starts from the one before.

A stage is kept only if voxels it never saw prefer it (see `evidence`), or where it was asked for.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Points, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.appearance import Target, averaged
from lesionmatch.registration.deform import Deformation, Floats, deformation
from lesionmatch.registration.doubts import growth_limits, is_settled
from lesionmatch.registration.evidence import Gain, gain
from lesionmatch.registration.inverse import TwoWay, both_ways, growth_of, linear_both_ways
from lesionmatch.registration.linear import (
    Samples,
    fitted,
    mutual_information,
    samples_about,
    volume_about,
)
from lesionmatch.registration.pattern import Pattern, pattern_of
from lesionmatch.registration.scene import Scene, grid_about, scene
from lesionmatch.registration.search import Peaks, best_shifts
from lesionmatch.registration.stiffness import Stiffness, stiffness
from lesionmatch.registration.threads import beside, both
from lesionmatch.registration.witness import Seen, Witness, liver_median, seen, witness

Method = Literal["auto", "rigid", "affine", "deformable"]
METHODS: tuple[Method, ...] = ("auto", "rigid", "affine", "deformable")

JUDGED_MARGIN_MM = 30.0
"""No stage moves the liver further."""


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What is registered to what."""

    mri: Image
    """About the liver, without bias."""
    liver: Mask
    whole_liver: Mask
    """The same on the whole MRI, whose end may cut it."""
    target: Target
    rules: RegistrationRules

    @property
    def stiffness(self) -> Stiffness:
        """Of its deformation."""
        return stiffness(self.target.name, self.rules)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The stage that was kept, and how the stages fared."""

    kind: str
    linear: Transform
    ways: TwoWay
    peaks: Peaks
    witness: Witness
    seen: Seen
    """What the target shows at the witness's places."""
    affine_gain: Gain | None
    deformable_gain: Gain | None
    bent: "Bent | None"
    refused: tuple[str, ...]
    """Why a stage the method asked for was not kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Bent:
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


def fit_of(study: Study, method: Method, rng: np.random.Generator) -> Fit:
    peaks, (coarse, fine, judge) = both(
        partial(best_shifts, study.mri, study.liver, study.target), partial(_prepared, study)
    )
    start = _turned(study, peaks, coarse, rng)
    volume = volume_about(study.target, _reach(start, fine, 30.0), spacing_mm=3.0)
    improved = partial(fitted, samples=fine, volume=volume, most=20_000, rng=rng)
    rigid = improved(start, kind="rigid", iterations=10)
    ways = linear_both_ways(rigid)
    now = seen(judge, study.target, ways.target_from_mri)
    fit = Fit("rigid", rigid, ways, peaks, judge, now, None, None, None, ())
    if method == "rigid":
        return fit
    fit = _with_affine(study, fit, improved(rigid, kind="affine", iterations=15), method)
    return fit if method == "affine" else _with_deformation(study, fit, method, rng)


def _prepared(study: Study) -> tuple[Samples, Samples, Witness]:
    """What is asked of the MRI by the search, by the linear fits, and by who judges them."""
    mri, liver, how = study.mri, study.liver, study.stiffness
    return (
        samples_about(mri, liver, spacing_mm=5.0, margin_mm=20.0),
        samples_about(mri, liver, spacing_mm=3.0, margin_mm=15.0),
        witness(mri, liver, grid_about(liver, how.margin_mm, how.spacing_mm), study.rules),
    )


def _scene(study: Study, linear: Transform) -> Scene:
    how = study.stiffness
    return scene(
        study.mri,
        study.liver,
        study.target,
        linear,
        margin_mm=how.margin_mm,
        spacing_mm=how.spacing_mm,
    )


def _turned(study: Study, peaks: Peaks, coarse: Samples, rng: np.random.Generator) -> Transform:
    """The best rigid map found at 5 mm from each summit of the search."""

    def from_summit(
        given: tuple[NDArray[np.float64], np.random.Generator],
    ) -> tuple[float, Transform]:
        matrix = np.eye(4)
        matrix[:3, 3], own_rng = given
        start = Transform(study.target.image.frame, study.mri.frame, matrix)
        volume = volume_about(study.target, _reach(start, coarse, 40.0), spacing_mm=5.0)
        found = fitted(start, coarse, volume, "rigid", iterations=12, most=6000, rng=own_rng)
        return mutual_information(found, coarse, volume), found

    starts = zip(peaks.shifts_mm, rng.spawn(len(peaks.shifts_mm)), strict=True)
    return max(beside(from_summit, starts), key=lambda candidate: candidate[0])[1]


def _reach(start: Transform, samples: Samples, margin_mm: float) -> Points:
    """(2, 3) corners of an upright box around where the samples may land."""
    landed = start.apply(samples.points_mm)
    return np.stack([landed.min(0) - margin_mm, landed.max(0) + margin_mm])


def _with_affine(study: Study, fit: Fit, affine: Transform, method: Method) -> Fit:
    """`fit` with the map `affine`, where it is better or was asked for."""
    ways = linear_both_ways(affine)
    now = seen(fit.witness, study.target, ways.target_from_mri)
    gained = _gained(study, fit, ways)
    judged = replace(fit, affine_gain=gained)
    if method != "affine" and gained.errors < study.rules.stage_gain_errors:
        return judged
    return replace(judged, kind="affine", linear=affine, ways=ways, seen=now)


def _gained(study: Study, fit: Fit, ways: TwoWay) -> Gain:
    """What other maps gain over those of `fit`, by the target averaged over a few voxels.

    A value between voxels is a mean of theirs, of less noise than one at a voxel; so of two maps
    the one that meets the voxels' middles less often would seem to agree better.
    """
    before, after = fit.ways.target_from_mri, ways.target_from_mri
    width_mm = study.rules.stage_averaged_mm
    places = before.apply(fit.witness.points_mm)
    target = averaged(study.target, places, width_mm, margin_mm=JUDGED_MARGIN_MM)
    then, now = both(
        partial(seen, fit.witness, target, before), partial(seen, fit.witness, target, after)
    )
    return gain(fit.witness, then, now, target.window)


def _with_deformation(study: Study, fit: Fit, method: Method, rng: np.random.Generator) -> Fit:
    """`fit` with a deformation, where it is better and can be trusted, or was asked for."""
    how = study.stiffness
    ground = _scene(study, fit.linear)
    bent = deformation(ground, how, rng)
    field = bent.field
    growth = growth_of(ground, field, fit.linear)
    if growth.min() <= 0.0:
        return replace(fit, refused=("the deformation folds the liver onto itself",))
    ways = both_ways(ground, field, study.liver, fit.linear)
    now = seen(fit.witness, study.target, ways.target_from_mri)
    gained = _gained(study, fit, ways)
    reasons = _against(study, fit.witness, ways, now, growth)
    judged = replace(fit, deformable_gain=gained)
    is_idle = gained.errors < study.rules.stage_gain_errors
    if method != "deformable" and (is_idle or reasons):
        return replace(judged, refused=reasons)
    kept = Bent(bent, ground, growth)
    return replace(judged, kind="deformable", ways=ways, seen=now, bent=kept, refused=reasons)


def _against(
    study: Study, judge: Witness, ways: TwoWay, now: Seen, growth: Floats
) -> tuple[str, ...]:
    """Why a deformation cannot be trusted; nothing when it can."""
    rules = study.rules
    if _is_within(growth, growth_limits(rules, is_sure=False)):
        return ()
    pattern = pattern_under(study, judge, ways, now)
    is_sure = is_settled(pattern.least_half_errors if pattern else None, rules)
    if _is_within(growth, growth_limits(rules, is_sure=is_sure)):
        return ()
    return (
        f"the deformation shrinks or stretches the liver to {growth.min():.2f} or "
        f"{growth.max():.2f} of its volume",
    )


def _is_within(growth: Floats, limits: tuple[float, float]) -> bool:
    return limits[0] <= float(growth.min()) and float(growth.max()) <= limits[1]


def pattern_under(study: Study, judge: Witness, ways: TwoWay, now: Seen) -> Pattern | None:
    """Whether the liver's own pattern is the same on a CT; no other target shows it."""
    if study.target.name != "ct":
        return None
    middle = liver_median(judge, now)
    return pattern_of(judge, study.target, ways.target_from_mri, middle, study.rules)

"""One study, in a straight line: two folders in, one `Comparison` out.

Each step takes values and gives values; what a step had to assume or doubts comes with
its result. Nothing is written here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lesionmatch import dicom
from lesionmatch.calls import Calls, Circumstances, call
from lesionmatch.concordance import (
    Concordance,
    Evidence,
    Sharpened,
    Surroundings,
    concord,
    sharpen,
)
from lesionmatch.detectability import Blur
from lesionmatch.foci import Field, Focus, Resolution, field_of, find_foci, null_p, resolution_mm
from lesionmatch.geometry import Grid, Points, Transform
from lesionmatch.image import Mask
from lesionmatch.lesions import Carried, Lesion, carry, lesions_from
from lesionmatch.liver import Liver, Reference, describe_liver, find_liver, reference_uptake
from lesionmatch.progress import Progress
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Method, Registration, given, identity, register
from lesionmatch.resample import PointMap, resample_mask
from lesionmatch.segments import Kind, Segment, Structure

METHODS = ("auto", "rigid", "affine", "deformable", "identity")
"""What `registration` may name; anything else is the path of a transform's file."""

NULL_SEED = 20231
"""Seed of the draw of lesion-free places, so that the same study gives the same answer."""


REDRAWN_MM = 1.0
"""Voxels on which a region drawn on the PET or its CT is drawn again on the MRI."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may decide; each field is a flag of the command line."""

    pet_series: str | None = None
    mri_series: str | None = None
    lesions: Path | None = None
    liver: Path | None = None
    weight_kg: float | None = None
    height_m: float | None = None
    sex: str | None = None
    dose_mbq: float | None = None
    half_life_s: float | None = None
    injected_at: datetime | None = None
    reference_at: datetime | None = None
    different_ids: bool = False
    registration: str = "auto"
    protocol: Protocol = field(default_factory=Protocol)
    overlays: bool = True
    phi: bool = False

    def to_json(self) -> dict[str, object]:
        """For the record; a path says where a patient's files lie and a time when the patient
        was there, so they are only `given`."""
        return {
            "pet_series": self.pet_series,
            "mri_series": self.mri_series,
            "lesions": _if_given(self.lesions),
            "liver": _if_given(self.liver),
            "weight_kg": self.weight_kg,
            "height_m": self.height_m,
            "sex": self.sex,
            "dose_mbq": self.dose_mbq,
            "half_life_s": self.half_life_s,
            "injected_at": _if_given(self.injected_at),
            "reference_at": _if_given(self.reference_at),
            "different_ids": self.different_ids,
            "registration": self.registration if self.registration in METHODS else "given",
            "protocol": self.protocol.sha256,
            "overlays": self.overlays,
            "phi": self.phi,
        }


def _if_given(value: object) -> str | None:
    return None if value is None else "given"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the PET shows of the liver, found without the MRI's lesions deciding anything."""

    noise: Field
    foci: tuple[Focus, ...]
    avoid: Mask
    """Lesions and foci: where the lesion-free liver is not."""
    reference: Reference
    resolution: Resolution
    sharpened: Sharpened
    """The lesions on the PET, put where matched lesions show that they lie."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One study, compared."""

    options: Options
    pet: dicom.PetStudy
    mri: dicom.MriStudy
    liver: Liver
    liver_on_pet: Mask
    registration: Registration
    seen: Seen
    concordance: Concordance
    calls: Calls
    assumptions: tuple[str, ...]

    @property
    def is_trusted(self) -> bool:
        """Whether no quality gate asks for a person's eye."""
        return self.registration.passed and self.liver.is_plausible


def compare(
    pet_paths: Sequence[Path], mri_paths: Sequence[Path], options: Options, progress: Progress
) -> Comparison:
    """Compare the PET/CT below `pet_paths` with the liver MRI below `mri_paths`.

    Raises a `LesionMatchError` where either cannot be used.
    """
    with progress.stage("reading"):
        pet, mri = _read(pet_paths, mri_paths, options)
    return compare_studies(pet, mri, options, progress)


def compare_studies(
    pet: dicom.PetStudy, mri: dicom.MriStudy, options: Options, progress: Progress
) -> Comparison:
    """Compare two studies that were read, or simulated."""
    with progress.stage("finding the liver"):
        liver = _liver(mri, options.protocol)
    with progress.stage("registering"):
        registration = _registration(pet, mri, liver, options)
        lesions = lesions_from([_on_mri(segment, mri, registration) for segment in mri.segments])
    with progress.stage("measuring the uptake"):
        liver_on_pet = _on_pet(liver.mask, registration, pet)
        carried = _carried(lesions, registration, pet)
        seen = _seen(pet, liver_on_pet, carried, registration, options.protocol)
        shift_mm = seen.sharpened.shift_mm
        if shift_mm is not None:
            # The liver moves with its lesions, and foci are looked for where it is.
            liver_on_pet = _moved(liver_on_pet, shift_mm)
            seen = _seen(pet, liver_on_pet, carried, registration, options.protocol)
    with progress.stage("relating lesions and foci"):
        evidence = _evidence(pet, liver, registration, seen, options.protocol)
        concordance = concord(evidence, options.protocol)
        circumstances = Circumstances(_covered(liver.mask, registration, pet), registration.passed)
        calls = call(
            concordance.lesions, concordance.foci, circumstances, rules=options.protocol.calls
        )
    return Comparison(
        options=options,
        pet=pet,
        mri=mri,
        liver=liver,
        liver_on_pet=liver_on_pet,
        registration=registration,
        seen=seen,
        concordance=concordance,
        calls=calls,
        assumptions=(*pet.assumptions, *mri.assumptions, *_shift_said(shift_mm)),
    )


def _read(
    pet_paths: Sequence[Path], mri_paths: Sequence[Path], options: Options
) -> tuple[dicom.PetStudy, dicom.MriStudy]:
    wanted = dicom.ReadOptions(
        pet_series=options.pet_series,
        mri_series=options.mri_series,
        lesions=options.lesions,
        liver=options.liver,
        weight_kg=options.weight_kg,
        height_m=options.height_m,
        sex=options.sex,
        dose_mbq=options.dose_mbq,
        half_life_s=options.half_life_s,
        injected_at=options.injected_at,
        reference_at=options.reference_at,
        different_ids=options.different_ids,
        phi=options.phi,
        protocol=options.protocol,
    )
    pet = dicom.read_pet_study(pet_paths, wanted)
    return pet, dicom.read_mri_study(mri_paths, wanted, pet=pet)


def _liver(mri: dicom.MriStudy, rules: Protocol) -> Liver:
    """The liver as the user drew it, else as found on the hepatobiliary image."""
    grid = mri.hbp.grid
    structures = _structures(mri)
    drawn = structures.get(Structure.LIVER)
    inside = [
        _placed(segment.mask, grid)
        for segment in mri.segments
        if isinstance(segment.meaning, Kind) and segment.mask.frame == grid.frame
    ]
    mask = find_liver(mri.hbp, rules, lesions=_union(grid, inside)) if drawn is None else drawn
    return describe_liver(
        mri.hbp,
        mask,
        origin="found on the hepatobiliary image" if drawn is None else "given",
        lesions=inside,
        structures=structures,
        protocol=rules,
    )


def _structures(mri: dicom.MriStudy) -> dict[Structure, Mask]:
    """The anatomy that was drawn in the MRI's frame, on the grid of the hepatobiliary image."""
    grid = mri.hbp.grid
    parts: dict[Structure, list[Mask]] = {}
    for segment in mri.segments:
        if isinstance(segment.meaning, Structure) and segment.mask.frame == grid.frame:
            parts.setdefault(segment.meaning, []).append(_placed(segment.mask, grid))
    return {structure: _union(grid, masks) for structure, masks in parts.items()}


def _placed(mask: Mask, grid: Grid) -> Mask:
    """A region of the same frame, drawn on any voxels, on those of `grid`."""
    return Mask(grid, resample_mask(mask, grid) >= 0.5)


def _registration(
    pet: dicom.PetStudy, mri: dicom.MriStudy, liver: Liver, options: Options
) -> Registration:
    frames = mri.hbp.frame, pet.suv.frame
    if options.registration == "identity":
        return identity(*frames)
    if options.registration not in METHODS:
        return given(Path(options.registration), *frames)
    return register(
        mri.hbp,
        liver.mask,
        ct=pet.ct,
        pet=pet.suv,
        method=cast("Method", options.registration),
        protocol=options.protocol,
    )


def _on_mri(segment: Segment, mri: dicom.MriStudy, registration: Registration) -> Segment:
    """A segment drawn on the PET or its CT as it lies on the MRI; any other as it is."""
    maps = registration.mri_from_pet
    if segment.mask.frame != maps.source:
        return segment
    points_mm = maps.apply(segment.mask.points_mm())
    margin_mm = float(segment.mask.grid.spacing_mm.max())
    grid = mri.hbp.grid
    part = grid.crop(grid.box_around(points_mm, margin_mm)).with_spacing(REDRAWN_MM)
    share = resample_mask(segment.mask, part, registration.pet_from_mri)
    return replace(segment, mask=Mask(part, share >= 0.5 * share.max()).trimmed())


def _on_pet(mask: Mask, registration: Registration, pet: dicom.PetStudy) -> Mask:
    share = resample_mask(mask, pet.suv.grid, registration.mri_from_pet)
    return Mask(pet.suv.grid, share >= 0.5)


def _moved(mask: Mask, shift_mm: NDArray[np.float64]) -> Mask:
    """A region of the PET moved on its own grid."""
    back = np.eye(4)
    back[:3, 3] = -shift_mm
    unmoved = PointMap.affine(Transform(mask.frame, mask.frame, back))
    return Mask(mask.grid, resample_mask(mask, mask.grid, unmoved) >= 0.5)


def _shift_said(shift_mm: NDArray[np.float64] | None) -> tuple[str, ...]:
    if shift_mm is None:
        return ()
    length_mm = float(np.linalg.norm(shift_mm))
    return (
        f"lesions and foci fit each other {length_mm:.0f} mm off the registration; lesions and "
        "liver were moved there",
    )


def _covered(mask: Mask, registration: Registration, pet: dicom.PetStudy) -> float:
    """The share of a region of the MRI that lies inside the PET's grid."""
    return float(pet.suv.grid.contains(registration.pet_from_mri.apply(mask.points_mm())).mean())


def _carried(
    lesions: Sequence[Lesion], registration: Registration, pet: dicom.PetStudy
) -> tuple[Carried, ...]:
    if not lesions:
        return ()
    error_mm = registration.error_mm(np.array([lesion.centroid_mm for lesion in lesions]))
    return tuple(
        carry(lesion, registration.pet_from_mri, float(error), pet.suv.grid)
        for lesion, error in zip(lesions, error_mm, strict=True)
    )


def _seen(
    pet: dicom.PetStudy,
    liver_on_pet: Mask,
    carried: Sequence[Carried],
    registration: Registration,
    rules: Protocol,
) -> Seen:
    noise = field_of(pet.suv, liver_on_pet)
    foci = find_foci(pet.suv, liver_on_pet, rules, field=noise)
    resolution = resolution_mm(pet.suv, pet.fwhm_mm, rules, liver_on_pet=liver_on_pet)
    sharpened = sharpen(
        carried,
        foci,
        registration.pet_from_mri,
        pet.suv.grid,
        fwhm_mm=resolution.fwhm_mm,
        protocol=rules,
    )
    regions = [part.extent for part in sharpened.carried] + [focus.extent for focus in foci]
    avoid = _union(pet.suv.grid, [region for region in regions if region is not None])
    return Seen(
        noise=noise,
        foci=foci,
        avoid=avoid,
        reference=reference_uptake(pet.suv, liver_on_pet, avoid, rules),
        resolution=resolution,
        sharpened=sharpened,
    )


def _union(grid: Grid, regions: Sequence[Mask]) -> Mask:
    """The voxels of `grid` that belong to any of the regions, which lie on parts of it."""
    array = np.zeros(grid.shape, np.bool_)
    for region in regions:
        array |= region.on(grid).array
    return Mask(grid, array)


def _evidence(
    pet: dicom.PetStudy,
    liver: Liver,
    registration: Registration,
    seen: Seen,
    rules: Protocol,
) -> Evidence:
    carried = seen.sharpened.carried
    avoid = None if seen.avoid.is_empty else seen.avoid.trimmed()
    rng = np.random.default_rng(NULL_SEED)
    on_mri = [registration.mri_from_pet.apply(focus.extent.points_mm()) for focus in seen.foci]
    centres = [points.mean(axis=0, keepdims=True) for points in on_mri]
    return Evidence(
        suv=pet.suv,
        background=seen.reference,
        carried=carried,
        foci=seen.foci,
        around_lesions=tuple(
            _surroundings(liver, c.lesion.surface_mm(), c.lesion.centroid_mm[None]) for c in carried
        ),
        around_foci=tuple(map(_surroundings, [liver] * len(on_mri), on_mri, centres)),
        focus_error_mm=tuple(float(registration.error_mm(centre)[0]) for centre in centres),
        blur=Blur.breathing(seen.resolution.fwhm_mm, rules.detectability.breathing_mm),
        registration_passed=registration.passed,
        null_p=lambda search: null_p(seen.noise, search, rules, avoid=avoid, rng=rng),
    )


def _surroundings(liver: Liver, surface_mm: Points, centre_mm: Points) -> Surroundings:
    """Distances of a region given by points of its surface and its centroid, on the MRI."""
    return Surroundings(
        capsule_mm=_least(liver.capsule_distance_mm(surface_mm)),
        hilum_mm=_least(liver.hilum_distance_mm(centre_mm)),
        vessel_mm=_least(liver.vessel_distance_mm(surface_mm)),
    )


def _least(distances_mm: NDArray[np.float64]) -> float | None:
    """The smallest, or None where there is nothing to be distant from."""
    nearest = float(distances_mm.min())
    return nearest if np.isfinite(nearest) else None

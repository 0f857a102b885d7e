"""What was drawn, on whichever image, brought to where it is needed.

Regions come in the frame of the MRI or in that of the PET/CT, on voxels of their own. PET and
CT share a frame though the liver may lie elsewhere on either: what has the PET's own voxels was
drawn on it, all else in that frame on the CT.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lesionmatch import dicom
from lesionmatch.errors import InvalidGeometry, InvalidInput
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Mask, union
from lesionmatch.lesions import Carried, carry, lesions_from
from lesionmatch.liver import Liver, describe_liver, find_liver
from lesionmatch.protocol import LesionRules, Protocol
from lesionmatch.registration import Registration
from lesionmatch.resample import region_on, resample_mask
from lesionmatch.segments import Kind, Segment, Structure

REDRAWN_MM = 1.0
"""Voxels on which a region drawn on the PET or its CT is drawn again on the MRI."""

GIVEN, FOUND_ON_HBP = "given", "found on the hepatobiliary image"
"""Where a liver's mask comes from: somebody drew it, or nobody did."""

BENT_MM = 30.0
"""A region's box is widened by this before it is mapped, as a deformation bends its sides."""

SAME_VOXELS = 0.1
"""Of a voxel: so far centres may lie apart that are meant to be the same."""


def with_drawn_on_pet(
    pet: dicom.PetStudy, mri: dicom.MriStudy, registration: Registration
) -> tuple[dicom.PetStudy, dicom.MriStudy]:
    """Both studies, with what was drawn on the CT moved to where it lies on the PET."""
    moved = registration.pet_from_ct
    if moved is None or pet.ct is None:
        return pet, mri

    def placed(segments: Sequence[Segment]) -> tuple[Segment, ...]:
        return tuple(
            replace(one, mask=_moved(one.mask, moved))
            if one.mask.frame == moved.source and not _has_voxels_of(one.mask.grid, pet.suv.grid)
            else one
            for one in segments
        )

    return (
        replace(pet, segments=placed(pet.segments)),
        replace(mri, segments=placed(mri.segments)),
    )


def _has_voxels_of(part: Grid, whole: Grid) -> bool:
    """Whether two grids have the same voxels where they meet, in any order of the axes."""
    apart = whole.voxels(part.corners_mm())
    is_as_fine = np.allclose(np.sort(part.spacing_mm), np.sort(whole.spacing_mm), rtol=0.01)
    return is_as_fine and bool(np.abs(apart - np.rint(apart)).max() < SAME_VOXELS)


def _moved(mask: Mask, by: Transform) -> Mask:
    grid = mask.grid
    return Mask(Grid(by.target, grid.shape, by.matrix @ grid.world_from_voxel), mask.array)


def liver_of(mri: dicom.MriStudy, rules: Protocol) -> Liver:
    """The liver as the user drew it on the MRI, else as found on the hepatobiliary image."""
    drawn = structures_in(mri.segments, mri.hbp.frame).get(Structure.LIVER)
    if drawn is not None:
        return described(mri, _together(mri.hbp.grid, drawn), GIVEN, rules)
    lesions = union(mri.hbp.grid, _lesions_on(mri))
    return described(mri, find_liver(mri.hbp, rules, lesions=lesions), FOUND_ON_HBP, rules)


def described(mri: dicom.MriStudy, mask: Mask, origin: str, rules: Protocol) -> Liver:
    """The liver of a mask on the hepatobiliary image, with what else was drawn there."""
    grid = mri.hbp.grid
    structures = structures_in(mri.segments, grid.frame)
    return describe_liver(
        mri.hbp,
        mask,
        origin=origin,
        lesions=_lesions_on(mri),
        structures={meaning: _together(grid, masks) for meaning, masks in structures.items()},
        protocol=rules,
        is_drawn=origin == GIVEN,
    )


def _lesions_on(mri: dicom.MriStudy) -> list[Mask]:
    """The lesions drawn on the MRI, on the hepatobiliary image's grid."""
    grid = mri.hbp.grid
    return [
        region_on(grid, segment.mask)
        for segment in mri.segments
        if isinstance(segment.meaning, Kind) and segment.mask.frame == grid.frame
    ]


def liver_as_drawn(
    pet: dicom.PetStudy,
    mri: dicom.MriStudy,
    liver: Liver,
    registration: Registration,
    rules: Protocol,
) -> Liver:
    """`liver`, or as the user drew it on the PET or its CT where it was only found on the MRI."""
    drawn = _anatomy_on_pet(pet, mri).get(Structure.LIVER)
    if drawn is None or Structure.LIVER in structures_in(mri.segments, mri.frame):
        return liver
    grid = mri.hbp.grid
    mask = union(grid, [region_on(grid, part, registration.pet_from_mri) for part in drawn])
    redrawn = liver_of(_with_liver(mri, mask), rules)
    agreement = _dice(liver.mask, redrawn.mask)
    doubts = redrawn.doubts
    if agreement < rules.liver.drawn_dice_least:
        doubts += (
            f"the liver drawn on the PET/CT and the one found on the MRI overlap by a Dice of "
            f"only {agreement:.2f} after registration",
        )
    return replace(redrawn, origin="given on the PET/CT", doubts=doubts)


def _with_liver(mri: dicom.MriStudy, mask: Mask) -> dicom.MriStudy:
    """The study as if `mask` had been drawn on it as the liver."""
    if mask.is_empty:
        raise InvalidInput(
            "liver drawn on the PET/CT: wanted it inside the MRI after registration, got none of "
            "it there; draw it on the MRI or give --registration"
        )
    segment = Segment("liver", Structure.LIVER, mask.trimmed(), "drawn on the PET/CT")
    return replace(mri, segments=(*mri.segments, segment))


def _dice(one: Mask, other: Mask) -> float:
    """Overlap of two regions of one grid that are not both empty, 0 to 1."""
    both = np.count_nonzero(one.array & other.array)
    return float(2.0 * both / (np.count_nonzero(one.array) + np.count_nonzero(other.array)))


def _anatomy_on_pet(pet: dicom.PetStudy, mri: dicom.MriStudy) -> dict[Structure, list[Mask]]:
    """The anatomy that was drawn on the PET or its CT, wherever its file lay."""
    return structures_in((*pet.segments, *mri.segments), pet.frame)


def structures_in(segments: Sequence[Segment], frame: Frame) -> dict[Structure, list[Mask]]:
    """The anatomy that was drawn in a frame, each part as it was drawn."""
    found: dict[Structure, list[Mask]] = {}
    for segment in segments:
        if isinstance(segment.meaning, Structure) and segment.mask.frame == frame:
            found.setdefault(segment.meaning, []).append(segment.mask)
    return found


def _together(grid: Grid, masks: Sequence[Mask]) -> Mask:
    """Regions of one frame, drawn on any voxels, as one on those of `grid`."""
    return union(grid, [region_on(grid, mask) for mask in masks])


@dataclass(frozen=True, slots=True, eq=False)
class OnPet:
    """What was drawn, as it lies on the PET by a registration."""

    liver: Mask
    """On the PET's grid."""
    structures: Mapping[Structure, Mask]
    """On the PET's grid."""
    lesions: tuple[Carried, ...]
    beyond: Mask | None
    """What the MRI, which ends within the liver, does not reach; None where it ends nowhere."""


def place_on_pet(
    pet: dicom.PetStudy,
    mri: dicom.MriStudy,
    liver: Liver,
    registration: Registration,
    rules: Protocol,
) -> OnPet:
    """Liver, organs and lesions on the PET; what was drawn on it or its CT stands for itself."""
    grid = pet.suv.grid
    own = _anatomy_on_pet(pet, mri)
    from_mri = {
        meaning: union(grid, [mapped(mask, registration, grid) for mask in masks])
        for meaning, masks in structures_in(mri.segments, mri.frame).items()
        if meaning not in own
    }
    structures = from_mri | {meaning: _together(grid, masks) for meaning, masks in own.items()}
    lesions = carried_lesions(mri, grid, registration, rules.lesions)
    drawn = own.get(Structure.LIVER)
    return OnPet(
        liver=_liver_on_pet(drawn, liver, lesions, registration, grid),
        structures=structures,
        lesions=lesions,
        beyond=_beyond(liver.mask, registration, grid) if drawn is None else None,
    )


def _liver_on_pet(
    drawn: Sequence[Mask] | None,
    liver: Liver,
    lesions: Sequence[Carried],
    registration: Registration,
    grid: Grid,
) -> Mask:
    """As it was drawn there, with the lesions, which belong to it; else as the MRI has it."""
    if drawn is None:
        return mapped(liver.mask, registration, grid)
    extents = [one.extent for one in lesions if one.extent is not None]
    return union(grid, [_together(grid, drawn), *extents])


def _beyond(liver: Mask, registration: Registration, grid: Grid) -> Mask | None:
    """What of the PET around a liver on the MRI's outermost voxels lies beside the MRI."""
    inner = np.pad(np.ones(np.maximum(np.array(liver.grid.shape) - 2, 0), np.bool_), 1)
    if not (liver.array & ~inner).any():
        return None
    corners_mm = registration.pet_from_mri.apply(liver.trimmed().grid.corners_mm())
    try:
        part = grid.crop(grid.box_around(corners_mm, BENT_MM))
    except InvalidGeometry:
        return None
    everywhere = Mask(part, np.ones(part.shape, np.bool_))
    places = registration.mri_from_pet.apply(everywhere.points_mm())
    return Mask(part, ~liver.grid.contains(places).reshape(part.shape)).on(grid)


def mapped(mask: Mask, registration: Registration, grid: Grid) -> Mask:
    """A region of the MRI on the PET's grid; empty where it falls beside it."""
    corners_mm = registration.pet_from_mri.apply(mask.trimmed().grid.corners_mm())
    try:
        part = grid.crop(grid.box_around(corners_mm, BENT_MM))
    except InvalidGeometry:
        return union(grid, [])
    return region_on(part, mask, registration.mri_from_pet).on(grid)


def carried_lesions(
    mri: dicom.MriStudy, grid: Grid, registration: Registration, rules: LesionRules
) -> tuple[Carried, ...]:
    """The drawn lesions on the PET's grid, each with the error of its place there.

    That is the registration's, but the drawing's own for one drawn on the PET/CT: the map
    that brings it to the MRI brings it back.
    """
    lesions = lesions_from([on_mri(s, mri.hbp.grid, registration) for s in mri.segments], rules)
    if not lesions:
        return ()
    by_map_mm = registration.error_mm(np.array([lesion.centroid_mm for lesion in lesions]))
    error_mm = np.where([one.is_redrawn for one in lesions], rules.redrawn_error_mm, by_map_mm)
    return carry(lesions, registration.pet_from_mri, error_mm.tolist(), grid, rules)


def on_mri(segment: Segment, grid: Grid, registration: Registration) -> Segment:
    """A segment drawn on the PET or its CT as it lies on the MRI's `grid`; any other as it is.

    Raises `InvalidInput` where it lies beside the MRI.
    """
    maps = registration.mri_from_pet
    if segment.mask.frame != maps.source:
        return segment
    points_mm = maps.apply(segment.mask.points_mm())
    margin_mm = float(segment.mask.grid.spacing_mm.max())
    beside = InvalidInput(
        f"{segment.source}, drawn on the PET/CT: wanted it inside the MRI after registration, got "
        "it beside; leave it out, draw it on the MRI or give --registration"
    )
    try:
        part = grid.crop(grid.box_around(points_mm, margin_mm)).with_spacing(REDRAWN_MM)
    except InvalidGeometry as error:
        raise beside from error
    share = resample_mask(segment.mask, part, registration.pet_from_mri)
    if not share.any():
        raise beside
    mask = Mask(part, share >= 0.5 * share.max()).trimmed()
    return replace(segment, mask=mask, is_redrawn=True)

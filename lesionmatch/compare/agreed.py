"""The liver found on the MRI, as PET and CT see it: without other organs; lost parts are said."""

from dataclasses import replace

import numpy as np

from lesionmatch import dicom
from lesionmatch.compare.drawn import FOUND_ON_HBP, carried_lesions, described, mapped
from lesionmatch.image import Image, Mask, Quantity, union
from lesionmatch.liver import Liver
from lesionmatch.liver.agreed import Views, cold_part, lost_liver, other_organs
from lesionmatch.liver.level import parenchyma_ratio
from lesionmatch.liver.mirror import midline_mm
from lesionmatch.liver.plausible import side_of
from lesionmatch.liver.work import work_grid
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Registration
from lesionmatch.resample import PointMap, region_on, resample

UNPROVED = ("given", "identity")
SPACING_MM = 3.0
MARGIN_MM = 25.0
"""Around the liver: a ball that fits into an organ is followed out of it as far as it reaches."""


def liver_as_agreed(
    pet: dicom.PetStudy,
    mri: dicom.MriStudy,
    liver: Liver,
    registration: Registration,
    rules: Protocol,
) -> Liver:
    """`liver` without other organs in its mask, doubted where a part of it was left out.

    As it is where it was drawn, and without a CT.
    Only a registration that the images themselves have proved says where PET and CT look at it:
    none in doubt, and none that was given, as nothing was asked about that.
    """
    is_proved = registration.passed and registration.method not in UNPROVED
    if liver.origin != FOUND_ON_HBP or pet.ct is None or not is_proved:
        return liver
    on_pet = mapped(liver.mask, registration, pet.suv.grid)
    if on_pet.is_empty:
        return liver
    views = _views(pet.suv, pet.ct, on_pet, mri, liver, registration, rules)
    organs = other_organs(views, rules)
    here = region_on(liver.mask.grid, organs, registration.pet_from_mri)
    rest = Mask(liver.mask.grid, liver.mask.array & ~here.array)
    if rest.is_empty:
        return liver
    doubts = (
        _about_unlike(views, organs, rules),
        _about_lost(views, mri, registration, rules),
    )
    found = tuple(doubt for doubt in doubts if doubt is not None)
    return replace(_without(rest, liver, mri, rules), doubts=(*liver.doubts, *found))


def _without(rest: Mask, liver: Liver, mri: dicom.MriStudy, rules: Protocol) -> Liver:
    """The liver of `rest`, which is what another organ leaves of `liver`'s mask."""
    cut_ml = liver.volume_ml - rest.volume_ml
    if cut_ml == 0.0:
        return liver
    said = f"{cut_ml:.0f} ml that PET and CT show to be another organ"
    return described(mri, rest, f"{FOUND_ON_HBP}, without {said}", rules)


def _about_unlike(views: Views, organs: Mask, rules: Protocol) -> str | None:
    """The doubt where PET and CT show much of the liver that was found to be none.

    Where an organ as bright as the liver was cut off, no border is to be expected, so that
    nothing but its share tells whether the rest can be trusted.
    """
    unlike = Mask(organs.grid, organs.array | cold_part(views, rules).array)
    share = unlike.volume_ml / views.liver.volume_ml
    if share <= rules.neighbours.other_doubt_share:
        return None
    return (
        f"of the liver found on the MRI {unlike.volume_ml:.0f} ml, {share:.0%} of it, mostly "
        f"{side_of(views.liver, unlike)} its middle, are not the liver's by uptake and density; "
        f"{organs.volume_ml:.0f} ml were left out as another organ"
    )


def _about_lost(
    views: Views, mri: dicom.MriStudy, registration: Registration, rules: Protocol
) -> str | None:
    """The doubt about liver that PET and CT show beside the one found, and where.

    A spleen may take up as much as the liver: where one lies, nothing is said.
    """
    lost = lost_liver(views, rules)
    there = region_on(mri.hbp.grid, lost, registration.pet_from_mri)
    if there.is_empty:
        return None
    left_mm = float(there.points_mm()[:, 0].mean()) - midline_mm(mri.hbp)
    if left_mm > rules.liver.spleen_lateral_mm:
        return None
    return (
        f"PET and CT show {lost.volume_ml:.0f} ml with the liver's uptake and density "
        f"{side_of(views.liver, lost)} the middle of the liver found on the MRI, within "
        f"{MARGIN_MM:.0f} mm of it and left out: part of it may be missing"
    )


def _views(
    suv: Image,
    ct: Image,
    on_pet: Mask,
    mri: dicom.MriStudy,
    liver: Liver,
    registration: Registration,
    rules: Protocol,
) -> Views:
    """What the scans show around the liver, where it lies on the PET."""
    grid = work_grid(on_pet.grid.crop(on_pet.box(MARGIN_MM)), SPACING_MM)
    ratio = Image(mri.hbp.grid, parenchyma_ratio(mri.hbp, liver.mask), Quantity.ARBITRARY)
    back = registration.pet_from_ct
    ct_from_pet = None if back is None else PointMap.affine(back.inverse)
    density = resample(ct, grid, ct_from_pet, outside=np.nan)
    is_covered = np.isfinite(density.array)
    carried = carried_lesions(mri, grid, registration, rules.lesions)
    return Views(
        liver=Mask(grid, region_on(grid, on_pet).array & is_covered),
        lesions=union(grid, [one.extent for one in carried if one.extent is not None]),
        brightness=resample(ratio, grid, registration.mri_from_pet, outside=0.0),
        suv=resample(suv, grid, outside=0.0),
        ct=Image(grid, np.where(is_covered, density.array, np.float32(0.0)), ct.quantity),
    )

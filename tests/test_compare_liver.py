"""A liver drawn on the PET/CT counts on both images."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from lesionmatch import dicom
from lesionmatch.compare.drawn import liver_as_drawn, liver_of, place_on_pet
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Transform
from lesionmatch.image import Mask
from lesionmatch.liver import Liver
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Registration, identity
from lesionmatch.resample import PointMap, distance_mm, region_on
from lesionmatch.segments import Segment, Structure

FIXTURE = Path(__file__).parent.parent / "fixtures" / "demo"
RULES = Protocol()


@cache
def study() -> tuple[dicom.PetStudy, dicom.MriStudy]:
    pet = dicom.read_pet_study([FIXTURE / "pet"])
    return pet, dicom.read_mri_study([FIXTURE / "mri"], pet=pet)


@cache
def registration() -> Registration:
    """Centre on centre, off by centimetres: it only has to be the same way there and back."""
    pet, mri = study()
    shift_mm = np.eye(4)
    shift_mm[:3, 3] = pet.suv.grid.centre_mm - mri.hbp.grid.centre_mm
    there = Transform(pet.frame, mri.frame, shift_mm)
    return replace(
        identity(mri.frame, pet.frame),
        pet_from_mri=PointMap.affine(there),
        mri_from_pet=PointMap.affine(there.inverse),
    )


@cache
def found_liver() -> Liver:
    return liver_of(study()[1], RULES)


def drawn_on_ct(mask: Mask) -> Segment:
    """A region of the MRI as somebody would have drawn it on the CT."""
    pet, _ = study()
    assert pet.ct is not None
    on_ct = region_on(pet.ct.grid, mask, registration().mri_from_pet)
    return Segment("drawn on the CT", Structure.LIVER, on_ct.trimmed(), "SEG segment 1")


def test_a_liver_drawn_on_the_ct_is_the_liver_of_both() -> None:
    pet, mri = study()
    found = found_liver()
    smaller = Mask(mri.hbp.grid, ndimage.binary_erosion(found.mask.array, iterations=1))
    drawn = drawn_on_ct(smaller)
    with_liver = replace(pet, segments=(*pet.segments, drawn))
    liver = liver_as_drawn(with_liver, mri, found, registration(), RULES)
    assert liver.origin == "given on the PET/CT"
    assert liver.doubts == ()
    assert liver.volume_ml < 0.95 * found.volume_ml
    placed = place_on_pet(with_liver, mri, liver, registration(), RULES)
    outside = region_on(pet.suv.grid, drawn.mask).array & ~placed.liver.array
    assert not outside.any()
    assert placed.structures[Structure.LIVER].volume_ml == pytest.approx(
        smaller.volume_ml, rel=0.05
    )


def test_a_lesion_beyond_the_liver_drawn_on_the_ct_belongs_to_it() -> None:
    pet, mri = study()
    found = found_liver()
    lesions = [one.mask for one in mri.segments]
    without = found.mask.array.copy()
    for lesion in lesions:
        without &= ~region_on(mri.hbp.grid, lesion).array
    drawn = drawn_on_ct(Mask(mri.hbp.grid, without))
    with_liver = replace(pet, segments=(*pet.segments, drawn))
    placed = place_on_pet(with_liver, mri, found, registration(), RULES)
    for carried in placed.lesions:
        assert carried.extent is not None
        assert (carried.extent.on(pet.suv.grid).array <= placed.liver.array).all()


def test_a_liver_drawn_on_the_mri_goes_before_one_on_the_ct() -> None:
    pet, mri = study()
    found = found_liver()
    on_the_mri = Segment("Liver", Structure.LIVER, found.mask.trimmed(), "SEG segment 9")
    both = replace(mri, segments=(*mri.segments, on_the_mri))
    with_liver = replace(pet, segments=(drawn_on_ct(found.mask),))
    assert liver_as_drawn(with_liver, both, found, registration(), RULES) is found


def test_a_drawn_liver_of_425_ml_is_no_reason_to_look_again() -> None:
    _, mri = study()
    whole = found_liver().mask
    depth_mm = distance_mm(Mask(whole.grid, ~whole.array))
    least_mm = np.quantile(depth_mm[whole.array], 1.0 - 425.0 / whole.volume_ml)
    small = Mask(whole.grid, depth_mm > least_mm)
    fields = np.where(small.array, mri.hbp.array, 0.3 * mri.hbp.array)
    alone = replace(mri, hbp=replace(mri.hbp, array=fields), segments=())
    drawn = Segment("Liver", Structure.LIVER, small.trimmed(), "SEG segment 9")
    liver = liver_of(replace(alone, segments=(drawn,)), RULES)
    assert liver.doubts == ()
    assert "below 450 ml" in liver.remarks[0]


def test_anatomy_drawn_on_the_mri_is_carried_to_the_pet() -> None:
    pet, mri = study()
    found = found_liver()
    drawn = Segment("Liver", Structure.LIVER, found.mask.trimmed(), "SEG segment 9")
    with_liver = replace(mri, segments=(*mri.segments, drawn))
    placed = place_on_pet(pet, with_liver, found, registration(), RULES)
    carried = placed.structures[Structure.LIVER]
    assert carried.volume_ml == pytest.approx(found.volume_ml, rel=0.02)
    assert (carried.array == placed.liver.array).all()


def test_a_drawn_liver_that_is_not_the_one_found_is_doubted() -> None:
    pet, mri = study()
    found = found_liver()
    half = found.mask.array.copy()
    half[: half.shape[0] // 2] = False
    drawn = drawn_on_ct(Mask(mri.hbp.grid, half))
    liver = liver_as_drawn(replace(pet, segments=(drawn,)), mri, found, registration(), RULES)
    assert "drawn on the PET/CT and the one found on the MRI overlap" in liver.doubts[-1]


def test_a_drawn_liver_beside_the_mri_is_refused() -> None:
    pet, mri = study()
    assert pet.ct is not None
    corner = np.zeros(pet.ct.grid.shape, np.bool)
    corner[:3, :3, :3] = True
    drawn = Segment("Liver", Structure.LIVER, Mask(pet.ct.grid, corner), "SEG segment 1")
    far = np.eye(4)
    far[:3, 3] = 5000.0
    away = PointMap.affine(Transform(pet.frame, mri.frame, far))
    lost = replace(registration(), pet_from_mri=away)
    found = found_liver()
    with pytest.raises(InvalidInput, match="wanted it inside the MRI after registration"):
        liver_as_drawn(replace(pet, segments=(drawn,)), mri, found, lost, RULES)

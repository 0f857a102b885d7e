"""What the PET shows of the liver, and where the lesions lie on it.

Foci are found where the liver lies, and the lesions decide nothing about them. The liver
itself comes from the MRI, so a registration that missed it reads the PET in the wrong
place. Where lesions and foci make one constellation some way apart, the registration is
moved by that and the PET is read again. This stays an unprompted reading: a shift takes at
least two lesions on foci that were already found without it, so it never makes a liver
involved that was not, and a focus that is only found where the liver then lies had no part
in the shift, so that no lesion points at its own focus.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesionmatch import dicom
from lesionmatch.compare.drawn import OnPet
from lesionmatch.concordance import Sharpened, sharpen, shift_of
from lesionmatch.foci import Field, Focus, Resolution, field_of, find_foci, resolution_mm
from lesionmatch.image import Image, Mask, union
from lesionmatch.lesions import Carried
from lesionmatch.liver import Reference, reference_uptake
from lesionmatch.protocol import Protocol
from lesionmatch.segments import Structure


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The PET read without the lesions."""

    liver: Mask
    """Where it lies, on the PET's grid."""
    noise: Field
    foci: tuple[Focus, ...]
    resolution: Resolution


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the PET shows of the liver, and the lesions put beside it."""

    reading: Reading
    sharpened: Sharpened
    """The lesions on the PET, put where matched lesions show that they lie."""
    avoid: Mask
    """Lesions and foci: where the lesion-free liver is not."""
    reference: Reference

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What had to be assumed of the PET."""
        noise = self.reading.noise
        if noise.level_is_seen:
            return ()
        return (f"no liver without tumour was found on the PET; {noise.level:.1f} SUV were taken",)

    @property
    def foci(self) -> tuple[Focus, ...]:
        """Found without the lesions deciding anything."""
        return self.reading.foci


def read_pet(pet: dicom.PetStudy, placed: OnPet, rules: Protocol) -> Reading:
    """Foci of the liver where it lies, and the noise they stand out of; no lesion is looked at."""
    liver = placed.liver
    noise = field_of(pet.suv, liver, rules.foci, beyond=placed.beyond)
    return Reading(
        liver=liver,
        noise=noise,
        foci=find_foci(pet.suv, liver, rules, field=noise, structures=placed.structures),
        resolution=resolution_mm(pet.suv, pet.fwhm_mm, rules, liver_on_pet=liver),
    )


def missed_by_mm(
    reading: Reading, carried: Sequence[Carried], rules: Protocol
) -> NDArray[np.float64] | None:
    """(3,) what the registration missed all lesions by; None where it did not."""
    fwhm_mm = reading.resolution.fwhm_mm
    return shift_of(carried, reading.foci, fwhm_mm=fwhm_mm, rules=rules.landmarks)


def sight(pet: dicom.PetStudy, reading: Reading, placed: OnPet, rules: Protocol) -> Seen:
    """Lesions and foci side by side, and the uptake of the liver without either."""
    grid, fwhm_mm = pet.suv.grid, reading.resolution.fwhm_mm
    sharpened = sharpen(placed.lesions, reading.foci, grid, fwhm_mm=fwhm_mm, protocol=rules)
    lesions = [one.extent for one in sharpened.carried if one.extent is not None]
    spleen = placed.structures.get(Structure.SPLEEN)
    avoid = union(grid, [*lesions, *(focus.extent for focus in reading.foci)])
    return Seen(
        reading=reading,
        sharpened=sharpened,
        avoid=avoid,
        reference=reference_of(pet.suv, reading.liver, reading.noise, avoid, spleen, rules),
    )


def reference_of(
    suv: Image, liver: Mask, noise: Field, avoid: Mask, spleen: Mask | None, rules: Protocol
) -> Reference:
    """The uptake of the liver without lesions, or its own level where tumour leaves none.

    Where most of the liver is tumour that nobody drew, its highest peak of uptake is tumour.
    """
    found = reference_uptake(suv, liver, avoid, rules, spleen=spleen)
    most_suv = rules.uptake.most_over_level * noise.level
    if noise.level_is_seen and found.suv_mean <= most_suv:
        return found
    return replace(
        found,
        suv_mean=noise.level,
        suv_sd=noise.voxel_sd,
        cov=noise.cov,
        text=f"the liver's own level; the {found.suv_mean:.1f} SUV between lesions are tumour",
    )

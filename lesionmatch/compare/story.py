"""The comparison of one study, step after step.

Each step takes values and gives values; what a step had to assume or doubts comes with
its result. Nothing is written here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from lesionmatch import dicom
from lesionmatch.calls import Calls, Circumstances, call
from lesionmatch.compare.agreed import liver_as_agreed
from lesionmatch.compare.beside import lesions_beside
from lesionmatch.compare.drawn import (
    liver_as_drawn,
    liver_of,
    place_on_pet,
    with_drawn_on_pet,
)
from lesionmatch.compare.evidence import evidence_of
from lesionmatch.compare.options import METHODS, Options
from lesionmatch.compare.sight import Seen, missed_by_mm, read_pet, sight
from lesionmatch.concordance import Concordance, concord
from lesionmatch.image import Mask
from lesionmatch.liver import Liver
from lesionmatch.progress import Progress
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Method, Registration, given, identity, register


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One study, compared."""

    options: Options
    pet: dicom.PetStudy
    mri: dicom.MriStudy
    liver: Liver
    registration: Registration
    """Moved to where the foci are, if the lesions lie as they do."""
    seen: Seen
    concordance: Concordance
    calls: Calls

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What practice forced on the reading of files and PET, and what a scan leaves out."""
        return (
            *self.pet.assumptions,
            *self.mri.assumptions,
            *self.liver.remarks,
            *self.registration.remarks,
            *self.seen.assumptions,
        )

    @property
    def liver_on_pet(self) -> Mask:
        """Where the PET was read."""
        return self.seen.reading.liver

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
    rules = options.protocol
    with progress.stage("finding the liver"):
        liver = liver_of(mri, rules)
    with progress.stage("registering"):
        registration = _registration(pet, mri, liver, options)
        pet, mri = with_drawn_on_pet(pet, mri, registration)
        liver = liver_as_drawn(pet, mri, liver, registration, rules)
        liver = liver_as_agreed(pet, mri, liver, registration, rules)
    with progress.stage("measuring the uptake"):
        registration, seen = _look(pet, mri, liver, registration, rules)
        drawn = [one.lesion for one in seen.sharpened.carried]
        beside = lesions_beside(liver.mask, drawn, rules.lesions)
        liver = replace(liver, doubts=(*liver.doubts, *beside))
    with progress.stage("relating lesions and foci"):
        concordance = concord(evidence_of(pet, liver, registration, seen, rules), rules)
        registration = registration.doubted(concordance.registration_doubts)
        calls = _calls(pet, liver, registration, concordance, rules)
    return Comparison(options, pet, mri, liver, registration, seen, concordance, calls)


def _read(
    pet_paths: Sequence[Path], mri_paths: Sequence[Path], options: Options
) -> tuple[dicom.PetStudy, dicom.MriStudy]:
    pet = dicom.read_pet_study(pet_paths, options)
    return pet, dicom.read_mri_study(mri_paths, options, pet=pet)


def _registration(
    pet: dicom.PetStudy, mri: dicom.MriStudy, liver: Liver, options: Options
) -> Registration:
    frames = mri.hbp.frame, pet.suv.frame
    if options.registration == "identity":
        return identity(*frames)
    if options.registration not in METHODS:
        return given(Path(options.registration), *frames, options.protocol.input)
    return register(
        mri.hbp,
        liver.mask,
        ct=pet.ct,
        pet=pet.suv,
        method=cast("Method", options.registration),
        protocol=options.protocol,
    )


def _look(
    pet: dicom.PetStudy,
    mri: dicom.MriStudy,
    liver: Liver,
    registration: Registration,
    rules: Protocol,
) -> tuple[Registration, Seen]:
    """What the PET shows, by a registration that its own findings have not proved wrong."""
    placed = place_on_pet(pet, mri, liver, registration, rules)
    reading = read_pet(pet, placed, rules)
    shift_mm = missed_by_mm(reading, placed.lesions, rules)
    if shift_mm is not None:
        registration = registration.moved(shift_mm)
        placed = place_on_pet(pet, mri, liver, registration, rules)
        reading = read_pet(pet, placed, rules)
    return registration, sight(pet, reading, placed, rules)


def _calls(
    pet: dicom.PetStudy,
    liver: Liver,
    registration: Registration,
    concordance: Concordance,
    rules: Protocol,
) -> Calls:
    doubts = () if concordance.confirms_registration else registration.doubts
    circumstances = Circumstances(
        liver_on_mri=1.0 - (registration.quality.cut_share or 0.0),
        liver_on_pet=_covered(liver.mask, registration, pet),
        registration_doubts=doubts,
    )
    return call(concordance.lesions, concordance.foci, circumstances, rules=rules.calls)


def _covered(mask: Mask, registration: Registration, pet: dicom.PetStudy) -> float:
    """The share of a region of the MRI that lies inside the PET's grid."""
    return float(pet.suv.grid.contains(registration.pet_from_mri.apply(mask.points_mm())).mean())

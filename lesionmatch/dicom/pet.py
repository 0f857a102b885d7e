"""A PET/CT study from its files."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from lesionmatch.dicom.ct import choose_ct, read_hounsfield
from lesionmatch.dicom.drawn.segmentations import Drawn, Need, Scene, read_drawn
from lesionmatch.dicom.files.values import number, text
from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.pixels.volume import require_lossless, rescale, volume
from lesionmatch.dicom.series.asked import asked_for, instead, require_dicom
from lesionmatch.dicom.series.classify import is_made_of_another, plain_words
from lesionmatch.dicom.series.inventory import scan
from lesionmatch.dicom.series.patient import identity, listed, of_one_patient
from lesionmatch.dicom.series.plane import Plane
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.series.whole import require_whole
from lesionmatch.dicom.study import PetStudy, Reconstruction
from lesionmatch.dicom.suv.facts import SuvScale
from lesionmatch.dicom.suv.scale import suv_scale
from lesionmatch.errors import AmbiguousSeries, InvalidInput, NothingFound
from lesionmatch.image import Image, Quantity
from lesionmatch.segments import Structure
from lesionmatch.wording import number_of, was_or_were

PSF = re.compile(
    r"psf|truex|sharp ?ir|resolution rec|\bq ?clear|\bqc(fx|hd)\b|\bvp(fx|hd) ?s\b|ultra ?hd"
)
"""What makers call a reconstruction that models the resolution: Siemens TrueX and UltraHD; GE
SharpIR, as in VPFX-S, and Q.Clear, as in QCFX."""
HARMONISED = re.compile(r"\bearl(?![a-z])|harmoni[sz]ed")
WIDTH_MM = re.compile(r"(\d+(?:\.\d+)?) ?mm")
GAUSS = re.compile(r"(?:gauss(?:ian)?|xyzg)[ _]*(\d+(?:\.\d+)?)")
"""A filter by its width in mm, as in ``XYZ Gauss4.00``."""


def read_pet_study(paths: Sequence[Path], options: ReadOptions | None = None) -> PetStudy:
    """The PET as SUVbw and the CT as HU from `paths`.

    Raises `NothingFound` without DICOM or without PET, `AmbiguousSeries` where a person must
    choose, and `InvalidInput` where SUV cannot be had.
    """
    options = options or ReadOptions()
    inventory = scan(paths, options.protocol)
    require_dicom(inventory, paths)
    inventory, pet, notes = the_pet(inventory, options)
    suv, scale = read_suv(pet, options)
    ct, ct_note = choose_ct(inventory, pet)
    if ct is not None:
        ct_note = (*ct_note, *require_whole(ct, inventory, with_drawn=False))
    drawn = _context(inventory, suv, options)
    return PetStudy(
        suv=suv,
        ct=None if ct is None else read_hounsfield(ct, options),
        segments=drawn.segments,
        suv_facts=scale.facts,
        reconstruction=reconstruction(pet.header),
        assumptions=(*inventory.broken, *notes, *scale.assumptions, *ct_note, *drawn.assumptions),
        pet_series=pet,
        ct_series=ct,
        inventory=inventory,
        identity=identity(pet.header),
    )


def _context(inventory: Inventory, suv: Image, options: ReadOptions) -> Drawn:
    """The structures drawn on PET or CT. Lesions are left out: the PET is read unprompted."""
    scene = Scene(suv.grid, (inventory,), (suv.frame,), options.protocol)
    drawn = read_drawn(inventory, scene, Need.WELCOME)
    structures = tuple(s for s in drawn.segments if isinstance(s.meaning, Structure))
    left_out = len(drawn.segments) - len(structures)
    said = f"{number_of(left_out, 'lesion')} drawn on the PET/CT {was_or_were(left_out)} left out"
    notes = (*drawn.assumptions, said) if left_out else drawn.assumptions
    return replace(drawn, segments=structures, assumptions=notes)


def the_pet(
    inventory: Inventory, options: ReadOptions
) -> tuple[Inventory, SeriesRecord, tuple[str, ...]]:
    """The files of one patient, the PET series to use, and what was assumed in choosing.

    Raises `InvalidInput` where there are several patients or the series is not all there, and
    as `choose_pet` does.
    """
    inventory, strangers = of_one_patient(inventory, options.pet_series)
    chosen, notes = choose_pet(inventory, options)
    gaps = require_whole(chosen, inventory, with_drawn=False)
    return inventory, chosen, (*strangers, *notes, *gaps)


def choose_pet(inventory: Inventory, options: ReadOptions) -> tuple[SeriesRecord, tuple[str, ...]]:
    """The PET series to use, and what was assumed in choosing it.

    Corrected for attenuation goes before not corrected. Of several reconstructions of one
    acquisition the one named harmonised (EARL) is taken, else the one without resolution
    modelling, which overshoots at edges, else the one with the lowest series number. What was
    made of another series, as a reformat, is passed over where there are others.
    Several acquisitions are a person's choice.
    """
    series = inventory.of_modality("PT")
    if options.pet_series:
        return asked_for(series, options.pet_series, "--pet-series"), ()
    every = [record for record in series if record.role == "AC PET" and record.is_candidate]
    if not every:
        raise NothingFound(_no_pet(inventory))
    found = [record for record in every if not _is_remade(record)] or every
    remade = listed(record for record in every if record not in found)
    passed = (f"made of another series and passed over: {remade}",) if remade else ()
    if len(found) == 1:
        return found[0], passed
    _require_one_acquisition(found)
    chosen = min(found, key=_reconstruction_rank)
    others = listed(record for record in found if record is not chosen)
    note = (
        f"of {len(found)} reconstructions of one acquisition, series {chosen.key} was taken "
        f"({_why(chosen)}); not {others}"
    )
    return chosen, (*passed, note)


def _require_one_acquisition(found: Sequence[SeriesRecord]) -> None:
    """Raise `AmbiguousSeries` where series differ in more than their reconstruction."""
    if len({record.uid for record in found}) < len(found):
        raise AmbiguousSeries(
            f"PET: wanted one volume a series, got several in one ({listed(found)}), as "
            "dynamic and gated ones have; give --pet-series"
        )
    if len({text(record.header, "AcquisitionTime")[:6] for record in found}) > 1:
        raise AmbiguousSeries(
            f"PET: wanted one acquisition, got {len(found)} series acquired at different times "
            f"({listed(found)}); give --pet-series"
        )


def _is_remade(record: SeriesRecord) -> bool:
    """Whether it was made of another series, but to be harmonised."""
    return is_made_of_another(record.header) and not HARMONISED.search(_said(record.header))


def _no_pet(inventory: Inventory) -> str:
    series = inventory.of_modality("PT")
    if not series:
        got = instead(inventory)
        return (
            f"PET: wanted a PET series, got {got}; name the folder of the PET/CT before the MRI's"
        )
    reasons = "; ".join(f"{record.key}: {record.set_aside}" for record in series)
    return (
        f"PET: wanted a static PET series corrected for attenuation, got none ({reasons}); "
        "export that one as well"
    )


def _said(header: Dataset) -> str:
    return plain_words(header, "SeriesDescription", "ReconstructionMethod", "ConvolutionKernel")


def _reconstruction_rank(record: SeriesRecord) -> tuple[bool, bool, float, str]:
    said = _said(record.header)
    series_number = number(record.header, "SeriesNumber")
    return (
        HARMONISED.search(said) is None,
        PSF.search(said) is not None,
        float("inf") if series_number is None else series_number,
        record.key,
    )


def _why(record: SeriesRecord) -> str:
    said = _said(record.header)
    if HARMONISED.search(said):
        return "named harmonised"
    if not PSF.search(said):
        return "no resolution modelling, lowest series number"
    return "lowest series number"


def scale_of(record: SeriesRecord, options: ReadOptions) -> SuvScale:
    """What makes a PET series SUVbw, by its headers alone. Raises `InvalidInput` where it cannot
    be had: the series is set aside, makes no volume, or its headers give no SUV."""
    if record.is_usable:
        stack = record.usable_stack()
        require_lossless(stack.planes, record.what)
        return suv_scale([plane.header for plane in stack.planes], options, record.what)
    record.usable_stack()
    raise InvalidInput(
        f"{record.what}: wanted a static PET of slices, got one that is set aside: "
        f"{record.set_aside}; choose another series"
    )


def read_suv(record: SeriesRecord, options: ReadOptions) -> tuple[Image, SuvScale]:
    """The SUVbw image of a PET series. Raises `InvalidInput` where it cannot be had."""
    scale = scale_of(record, options)
    stack = record.usable_stack()
    factor = {id(plane): k for plane, k in zip(stack.planes, scale.factors, strict=True)}

    def to_suv(plane: Plane) -> tuple[float, float]:
        return rescale(plane)[0] * factor[id(plane)], 0.0

    array = volume(stack, to_suv, options.protocol.input, record.what)
    image = Image(stack.grid, array, Quantity.SUV_BW)
    _require_conserved(image, scale, options, record.what)
    return image, scale


def _require_conserved(image: Image, scale: SuvScale, options: ReadOptions, what: str) -> None:
    """Raise `InvalidInput` where the image holds more activity than was injected.

    SUV times volume, summed over a body, is its mass times the fraction of the dose in it. No
    error of slope, unit, dose or time that is large can pass.
    """
    weight_kg, most = scale.facts.weight_kg, options.protocol.suv.most_of_dose
    voxel_ml = float(np.prod(image.grid.spacing_mm)) / 1000.0
    mass_kg = float(image.array.sum(dtype=np.float64)) * voxel_ml / 1000.0
    if weight_kg and mass_kg > most * weight_kg:
        raise InvalidInput(
            f"{what}: wanted no more activity than was injected, got {mass_kg / weight_kg:.3g} "
            "times that; check dose, weight, times and RescaleSlope"
        )


def reconstruction(header: Dataset) -> Reconstruction:
    """How the PET was made, as far as the header says."""
    kernel, named = (
        text(header, name).lower().replace(",", ".")
        for name in ("ConvolutionKernel", "SeriesDescription")
    )
    width = WIDTH_MM.search(kernel) or GAUSS.search(kernel) or GAUSS.search(named)
    return Reconstruction(
        method=text(header, "ReconstructionMethod"),
        filter_fwhm_mm=float(width[1]) if width else None,
        has_psf=PSF.search(_said(header)) is not None,
    )

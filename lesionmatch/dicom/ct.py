"""The CT of a PET/CT: which series it is, and its voxels in HU."""

import re

import numpy as np
from numpy.typing import NDArray

from lesionmatch.dicom.files.values import number, required
from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.pixels.volume import is_lossy, rescale, volume
from lesionmatch.dicom.series.agreement import (
    CT,
    PIXELS,
    require_agreement,
    require_sane_intercepts,
    require_sane_slopes,
)
from lesionmatch.dicom.series.classify import is_made_of_another, plain_words
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.series.stack import Stack
from lesionmatch.errors import InvalidInput
from lesionmatch.image import Image, Quantity

EVERY = 4
"""Of voxels along each axis, one in this many tells what most are like."""
SHARP_KERNEL = re.compile(r"bone|lung|edge|sharp|\b[bi]r?[67]\d|\bb[67]\d")


def choose_ct(
    inventory: Inventory, pet: SeriesRecord
) -> tuple[SeriesRecord | None, tuple[str, ...]]:
    """The CT of the PET/CT: in the PET's frame of reference, over most of its length, with a
    soft kernel, with the lowest series number, reformats after others; and a note where one
    could not be used."""
    series = [record for record in inventory.of_modality("CT") if record.is_candidate]
    if not series:
        return None, ("no CT was found; the PET itself carries the registration",)
    reasons = {record.key: why for record in series if (why := _ct_fault(record, pet))}
    usable = [record for record in series if record.key not in reasons]
    if not usable:
        said = "; ".join(reasons.values())
        return None, (f"no CT could be used ({said}); the PET itself carries the registration",)
    notes = [f"{r.key} could not be used ({r.set_aside})" for r in series if r.stack is None]
    if not pet.frame_uid:
        notes.append("PET and CT name no frame of reference; they were taken to share one")
    return min(usable, key=lambda record: _ct_rank(record, pet.usable_stack())), tuple(notes)


def _ct_fault(record: SeriesRecord, pet: SeriesRecord) -> str | None:
    """Why a CT is of no use beside a PET, if so."""
    if record.stack is None:
        return record.set_aside
    if record.frame_uid != pet.frame_uid:
        both = record.frame_uid and pet.frame_uid
        return (
            "another frame of reference than the PET"
            if both
            else "a frame of reference that PET and CT do not both name"
        )
    return "lossy compression" if any(map(is_lossy, record.stack.planes)) else None


def _ct_rank(record: SeriesRecord, pet: Stack) -> tuple[float, bool, bool, float, str]:
    said = plain_words(record.header, "SeriesDescription", "ConvolutionKernel")
    series_number = number(record.header, "SeriesNumber")
    return (
        -round(_covered(record.usable_stack(), pet), 1),
        is_made_of_another(record.header),
        SHARP_KERNEL.search(said) is not None,
        float("inf") if series_number is None else series_number,
        record.key,
    )


def _covered(ct: Stack, pet: Stack) -> float:
    """The fraction of the PET's length that the CT covers."""
    pet_z, ct_z = pet.grid.corners_mm()[:, 2], ct.grid.corners_mm()[:, 2]
    shared = min(pet_z.max(), ct_z.max()) - max(pet_z.min(), ct_z.min())
    return max(float(shared / max(np.ptp(pet_z), 1e-6)), 0.0)


def read_hounsfield(record: SeriesRecord, options: ReadOptions) -> Image:
    """The CT of a series in HU. Raises `InvalidInput`."""
    stack = record.usable_stack()
    headers = [plane.header for plane in stack.planes]
    require_agreement(headers, (*PIXELS, *CT), record.what)
    require_sane_slopes(headers, record.what)
    require_sane_intercepts(headers, record.what)
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        required(headers[0], keyword, "it has no HU; take it out, or export it again")
    array = volume(stack, rescale, options.protocol.input, record.what)
    _require_tissue_or_air(array, options, record.what)
    return Image(stack.grid, array, Quantity.HOUNSFIELD)


def _require_tissue_or_air(array: NDArray[np.float32], options: ReadOptions, what: str) -> None:
    """Raise `InvalidInput` where the usual voxel of a CT is neither tissue nor air."""
    rules = options.protocol.series
    usual = float(np.median(array[::EVERY, ::EVERY, ::EVERY]))
    if not rules.least_usual_hu <= usual <= rules.most_usual_hu:
        raise InvalidInput(
            f"{what}: wanted a CT of {rules.least_usual_hu:g} to {rules.most_usual_hu:g} HU in its "
            f"middle, got {usual:g}; check RescaleSlope and RescaleIntercept"
        )

"""Whether a series that is used is all there, as far as the files beside it can tell."""

import numpy as np
from pydicom.dataset import Dataset

from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.unread import Unread
from lesionmatch.dicom.files.values import number, numbers, text
from lesionmatch.dicom.series.classify import IMAGES
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.series.stack import FEWEST_PLANES, Stack
from lesionmatch.errors import InconsistentSeries, InvalidInput

COUNTS = ("NumberOfSlices", "ImagesInAcquisition")
"""Attributes that may say how many slices a series has."""
DRAWN = ("SEG", "RTSTRUCT")
APART = "size, orientation, frame of reference or series"
SHOWN = 3
"""Missing files that a message names."""
NEXT_TOL = 0.05
"""A slice this fraction of the distance off continues a stack; positions are rounded."""


def require_whole(record: SeriesRecord, inventory: Inventory, *, with_drawn: bool) -> list[str]:
    """Notes: that positions are rounded, that the header tells of more slices than there are.

    Raises `InconsistentSeries` where a slice lies apart from the stack that would continue it,
    and `InvalidInput` where a file beside the slices cannot be read and may be one of them, or,
    `with_drawn`, may be a segmentation.
    """
    stack = record.usable_stack()
    _require_listed(record, inventory)
    for other in inventory.series:
        if other.stack is None and other.modality in (record.modality, "?", ""):
            _require_no_orphan(record, stack, other)
    folders = {instance.source.folder for instance in record.instances}
    for file in inventory.unread:
        if file.source.folder in folders and _may_belong(file, record, with_drawn):
            raise InvalidInput(
                f"{record.what}: wanted every file in its folder to be readable, got one that may "
                f"belong to it and is not ({file.why}); export it again, or take it out"
            )
    notes = _rounding(record, stack)
    stated = stated_slices(record.header)
    if stated is not None and stated > len(stack.planes):
        notes.append(
            f"{record.what} has {len(stack.planes)} slices, its header tells of {stated:g}; "
            "some may be missing at its ends"
        )
    return notes


def _rounding(record: SeriesRecord, stack: Stack) -> list[str]:
    if stack.rounded_mm is None:
        return []
    return [
        f"the slices of {record.what} are uneven by less than the {stack.rounded_mm:g} mm their "
        f"positions are rounded to; they were taken to lie {stack.grid.spacing_mm[0]:.3f} mm apart"
    ]


def _require_listed(record: SeriesRecord, inventory: Inventory) -> None:
    """Raise `InconsistentSeries` where files that a DICOMDIR lists are not there."""
    wanted = inventory.listed.get(record.uid, {})
    there = {
        i.uid for other in inventory.series if other.uid == record.uid for i in other.instances
    }
    missing = sorted(name or uid for uid, name in wanted.items() if uid not in there)
    if missing:
        shown = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
        raise InconsistentSeries(
            f"{record.what}: wanted the {len(wanted)} files that the DICOMDIR lists, got "
            f"{len(wanted) - len(missing)} ({shown} missing); copy the whole medium"
        )


def _may_belong(file: Unread, record: SeriesRecord, with_drawn: bool) -> bool:
    if file.modality and file.modality != record.modality:
        return with_drawn and file.modality in DRAWN
    is_whole = stated_slices(record.header) == len(record.usable_stack().planes)
    return not is_whole or (with_drawn and not file.modality)


def stated_slices(header: Dataset) -> float | None:
    """How many slices the header says that its series has, where it says so."""
    for keyword in COUNTS:
        try:
            found = number(header, keyword)
        except InvalidInput:
            continue
        if found is not None and found >= FEWEST_PLANES:
            return found
    return None


def _require_no_orphan(record: SeriesRecord, stack: Stack, other: SeriesRecord) -> None:
    if len(other.instances) >= FEWEST_PLANES:
        return
    for instance in other.instances:
        # Raw data and spectra are of the images' modality too, and have no pixels by right.
        is_cut = not instance.has_pixels and text(instance.dataset, "SOPClassUID") in IMAGES
        if is_cut or continues(instance, stack):
            got = "cut short" if is_cut else f"next to its end that differs in {APART}"
            raise InconsistentSeries(
                f"{record.what}: wanted all its slices in one volume, got one {got} "
                f"({other.key}); export it again, or take that file out"
            )


def continues(instance: Instance, stack: Stack) -> bool:
    """Whether the first pixel of an image lies where that of the next slice of a stack would."""
    try:
        position = numbers(instance.dataset, "ImagePositionPatient")
    except InvalidInput:
        return False
    if position is None or len(position) != 3:
        return False
    place = stack.grid.voxels(np.array([position]))[0]
    ends = np.array([[-1.0, 0.0, 0.0], [stack.grid.shape[0], 0.0, 0.0]])
    return bool((np.abs(place - ends) < NEXT_TOL).all(axis=1).any())

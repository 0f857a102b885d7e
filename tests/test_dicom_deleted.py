"""No attribute can be lost so that something else is drawn, or SUV another, in silence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from lesionmatch import dicom
from lesionmatch.errors import InvalidInput
from tests.drawn_files import CLOSED, disc, plane, rtstruct, seg, voxels
from tests.reading_files import hbp_slice, pet_slice, saved, slices

DRAWN = {
    "SEG": seg([(1, 2, plane((5, 6))), (2, 4, plane((3, 3)))]),
    "fractional SEG": seg([(1, 2, 150 * plane((5, 6))), (2, 4, 200 * plane((3, 3)))],
                          kind="FRACTIONAL"),
    "RTSTRUCT": rtstruct([(CLOSED, disc(6.0, z)) for z in (3, 6, 9)]),
}  # fmt: skip

NAMES = {"SegmentLabel", "ROIName", "CodeValue", "CodingSchemeDesignator"}
"""What says of a region what it is; without it a region is unspecified, and counts."""

UNWRITABLE = {"SOPClassUID", "SOPInstanceUID", "BitsAllocated"}
"""Without these pydicom writes no file."""

Way = tuple[str | int, ...]


def ways(ds: Dataset, above: Way = ()) -> Iterator[Way]:
    """To every attribute of a dataset, and of the first item of its sequences."""
    for element in ds:
        yield (*above, element.keyword)
        if element.VR == "SQ" and element.value:
            yield from ways(element.value[0], (*above, element.keyword, 0))


def without(ds: Dataset, way: Way) -> None:
    *steps, last = way
    at: Any = ds
    for step in steps:
        at = at[step] if isinstance(step, int) else getattr(at, step)
    delattr(at, str(last))


def read(folder: Path) -> list[list[tuple[int, ...]]]:
    """The voxels that are drawn."""
    return [sorted(voxels(one.mask)) for one in dicom.read_mri_study([folder]).segments]


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_stays_or_is_refused_whichever_attribute_is_lost(
    tmp_path: Path, name: str
) -> None:
    folder = saved(tmp_path, [*slices(hbp_slice), DRAWN[name]])
    file = max(folder.iterdir())
    drawn, changing = read(folder), []
    whole = file.read_bytes()
    for way in ways(pydicom.dcmread(file)):
        if {*way} & (NAMES | UNWRITABLE):
            continue
        ds = pydicom.dcmread(file)
        without(ds, way)
        ds.save_as(file)
        try:
            if read(folder) != drawn:
                changing.append(way)
        except InvalidInput:
            pass
        file.write_bytes(whole)
    # A region without contours is one that nobody drew, and that is said.
    empty = [("ROIContourSequence", 0, "ContourSequence")] if name == "RTSTRUCT" else []
    assert changing == empty


def suv_of(folder: Path) -> tuple[list[float], tuple[str, ...]]:
    """A column of the SUV map, and what was assumed for it."""
    study = dicom.read_pet_study([folder])
    return study.suv.array[:, 0, 0].round(5).tolist(), study.assumptions


def test_suv_stays_or_says_why_not_whichever_attribute_the_pet_has_lost(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    files = {file: file.read_bytes() for file in folder.iterdir()}
    wanted, assumed = suv_of(folder)
    silent = []
    for way in ways(slices(pet_slice)[0]):
        if {*way} & UNWRITABLE:
            continue
        for file in files:
            ds = pydicom.dcmread(file)
            without(ds, way)
            ds.save_as(file)
        try:
            found, said = suv_of(folder)
            if found != wanted and not {*said} - {*assumed}:
                silent.append(way)
        except InvalidInput:
            pass
        for file, whole in files.items():
            file.write_bytes(whole)
    assert silent == []

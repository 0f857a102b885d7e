"""Whole studies of a few small files, as scanners and readers write them, to be damaged."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import nrrd
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from lesionmatch import nifti
from lesionmatch.dicom.write.outlines import Drawing, rtstruct, seg
from lesionmatch.dicom.write.series import Patient, Series, StudyHeader, save
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import LabelMap, Mask
from lesionmatch.segments import Kind, Segment, Structure
from tests.reading_files import COLUMNS, CT, ROWS, hbp_slice, instance, pet_slice, saved

SLICES = 5
GRID = Grid.of(
    Frame("1.2.8"), (SLICES, ROWS, COLUMNS), origin_mm=(-20, -30, 0), spacing_mm=(3, 2, 2)
)
FORMATS = ("nii.gz", "nii", "nrrd", "SEG", "RTSTRUCT")
SYNTAXES = (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEGLSLossless)
AT = datetime(2025, 1, 2, 12)


def small_study(folder: Path, drawn: str = "nii.gz") -> tuple[Path, Path]:
    """A PET/CT and an MRI with lesions in one of `FORMATS`: two folders of a few small files.

    Beside what is used lie a PET without attenuation correction and another phase of the MRI.
    """
    pet, plain, ct, hbp, portal = ([_slice(kind, n) for n in range(SLICES)] for kind in KINDS)
    for number, ds in enumerate([*pet, *plain, *ct, *hbp, *portal]):
        rng = np.random.default_rng(number)
        ds.PixelData = rng.integers(1, 2000, (ROWS, COLUMNS)).astype("<u2").tobytes()
    places = (saved(folder / "pet", [*pet, *plain, *ct]), saved(folder / "mri", [*hbp, *portal]))
    _draw(places[1], hbp, drawn)
    return places


def rewrite(folder: Path, syntax: UID) -> None:
    """Store the images of a folder in another transfer syntax."""
    for path in folder.glob("*.dcm"):
        ds = pydicom.dcmread(path)
        if syntax.is_encapsulated:
            ds.compress(syntax, generate_instance_uid=False)
        ds.file_meta.TransferSyntaxUID = syntax
        ds.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=True)


KINDS = ("PET", "PET not corrected", "CT", "HBP", "portal")


def _slice(kind: str, n: int) -> Dataset:
    if kind == "PET":
        return pet_slice(n, RescaleSlope=1.5 + 0.25 * n)
    if kind == "PET not corrected":
        return pet_slice(n, "1.2.3.2", CorrectedImage=["DECY"], RescaleSlope=1.0 + 0.1 * n)
    if kind == "CT":
        return instance(CT, "1.2.3.7", n, RescaleIntercept=-1000)
    if kind == "portal":
        return hbp_slice(n, "1.2.4.2", SeriesDescription="t1 vibe fs portal venous")
    more = dict.fromkeys(
        ("StudyID", "AccessionNumber", "ReferringPhysicianName", "StudyDescription"), "1"
    )
    when = {"StudyDate": "20250102", "StudyTime": "110000", "SpecificCharacterSet": "ISO_IR 100"}
    return hbp_slice(n, RescaleSlope=2, **when, **more)


def segments() -> list[Segment]:
    """A lesion of twelve voxels, another of one, and the liver around them."""
    liver, first, second = (np.zeros(GRID.shape, np.bool_) for _ in range(3))
    liver[:, 1:11, 1:9] = True
    first[1:4, 4:6, 4:6] = True
    second[3, 8, 2] = True
    return [
        Segment("met 1", Kind.METASTASIS, Mask(GRID, first), "drawn"),
        Segment("cyst 2", Kind.CYST, Mask(GRID, second), "drawn"),
        Segment("liver", Structure.LIVER, Mask(GRID, liver), "drawn"),
    ]


def _draw(folder: Path, source: Sequence[Dataset], drawn: str) -> None:
    if drawn in ("SEG", "RTSTRUCT"):
        patient = Patient("P1", "A^B", "19500101", "M", 70.0, 1.75)
        study = StudyHeader("1.2.4", patient, AT, "", "1", "", "")
        drawing = Drawing(Series(study, 50, "Segmentation", AT, ()), AT, source, GRID)
        make = seg if drawn == "SEG" else rtstruct
        save(make(segments(), drawing), folder / "drawn.dcm")
        return
    array = np.zeros(GRID.shape, np.uint16)
    for label, one in enumerate(segments()[:2], 1):
        array[one.mask.array] = label
    path = folder / f"lesions.{drawn}"
    if drawn == "nrrd":
        directions = GRID.world_from_voxel[:3, 2::-1].T
        origin = GRID.world_from_voxel[:3, 3]
        place = {
            "space": "left-posterior-superior",
            "space directions": directions,
            "space origin": origin,
        }
        nrrd.write(str(path), array.transpose(), {**place, "encoding": "gzip"})
    else:
        nifti.write(LabelMap(GRID, array), path)

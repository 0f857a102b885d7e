"""A simulated study as two folders of DICOM, the way a PACS exports them.

Beside the series that matter lie those that do not: localizer, PET without attenuation
correction, in and opposed phase, T2, diffusion with its ADC, the dynamic phases, a
screenshot of the protocol, and a file that is not DICOM. They are few and coarse, and show
the same body with the contrast their names say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path

from lesionmatch.dicom import write, write_outlines
from lesionmatch.dicom.write import Dataset
from lesionmatch.phantom import decoys
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.phantom.visit import Visits, series, visits
from lesionmatch.segments import Segment, Structure


class Outlines(Enum):
    """How the reader's lesions are saved."""

    SEG = "seg"
    RTSTRUCT = "rtstruct"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Export:
    """What to write beside the images."""

    outlines: Outlines = Outlines.SEG
    has_decoys: bool = True
    has_liver_outline: bool = False
    """Whether the liver is drawn as well, in a file of its own."""


ORDINARY = Export()


def write_study(
    study: SimulatedStudy,
    pet_dir: Path,
    mri_dir: Path,
    truth_path: Path | None = None,
    export: Export = ORDINARY,
) -> None:
    """Write both folders, and the truth beside them. The same study gives the same bytes."""
    when = visits(study.recipe)
    for folder in (pet_dir, mri_dir):
        folder.mkdir(parents=True, exist_ok=True)
    _write_pet(study, when, pet_dir, export)
    _write_mri(study, when, mri_dir, export)
    if truth_path is not None:
        study.truth.write(truth_path)


def _write_pet(study: SimulatedStudy, when: Visits, folder: Path, export: Export) -> None:
    names, start = when.names, when.pet.start
    ct = series(
        when.pet, 2, names.ct, start - timedelta(minutes=3),
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"), ContrastBolusAgent="Iomeprol 350",
    )  # fmt: skip
    _save(write.ct_series(study.ct, ct), folder)
    _save(
        write.pet_series(study.suv, series(when.pet, 3, names.pet, start), when.injection), folder
    )
    if export.has_decoys:
        _save(decoys.of_pet(study, when), folder)
        (folder / "README.txt").write_text("Exported from the archive. Not for diagnosis.\n")


def _write_mri(study: SimulatedStudy, when: Visits, folder: Path, export: Export) -> None:
    hbp = decoys.gadoxetate(when, 20, when.names.hbp, minutes=20.0)
    slices = write.mr_series(study.hbp, hbp)
    _save(slices, folder)
    if export.has_decoys:
        _save(decoys.of_mri(study, when), folder)
        (folder / "VERSION").write_text("1.0\n")
    if export.outlines is not Outlines.NONE:
        _save([_drawn(study, when, slices, study.segments, 90, export.outlines)], folder)
    if export.has_liver_outline:
        liver = Segment("Liver", Structure.LIVER, study.liver.trimmed(), "phantom")
        _save([_drawn(study, when, slices, [liver], 91, export.outlines)], folder)


def _drawn(
    study: SimulatedStudy,
    when: Visits,
    slices: Sequence[Dataset],
    segments: Sequence[Segment],
    number: int,
    outlines: Outlines,
) -> Dataset:
    at = when.mri.start + timedelta(hours=3)
    drawing = write_outlines.Drawing(
        series(when.mri, number, "Segmentation", at), at, slices, study.hbp.grid
    )
    if outlines is Outlines.RTSTRUCT:
        return write_outlines.rtstruct(segments, drawing)
    return write_outlines.seg(segments, drawing)


def _save(datasets: Sequence[Dataset], folder: Path) -> None:
    write.write_all(datasets, lambda ds: folder / _name(ds))


def _name(ds: Dataset) -> str:
    """A flat name as an archive gives it; some archives leave out the ending."""
    ending = ".dcm" if int(ds.SeriesNumber) % 2 == 0 else ""
    return f"{ds.Modality}{int(ds.SeriesNumber):03d}_{int(ds.InstanceNumber):05d}{ending}"

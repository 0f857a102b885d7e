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

from lesionmatch.dicom.write import outlines as write_outlines
from lesionmatch.dicom.write import series as write
from lesionmatch.dicom.write.pet import Acquisition, Storage, pet_series
from lesionmatch.dicom.write.series import Dataset
from lesionmatch.phantom import decoys
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.phantom.visit import BARE, PHILIPS, Names, Visits, series, visits
from lesionmatch.segments import Segment, Structure


class Outlines(Enum):
    """How the reader's lesions are saved."""

    SEG = "seg"
    RTSTRUCT = "rtstruct"
    NONE = "none"


class Layout(Enum):
    """How the files lie and are called."""

    FLAT = "flat"
    """All in one folder, by modality, series and instance."""
    NESTED = "nested"
    """A folder a series, as on a disc."""
    NUMBERED = "numbered"
    """All in one folder, by a running number, series mixed and without an ending."""


@dataclass(frozen=True, slots=True)
class Export:
    """What to write beside the images."""

    outlines: Outlines = Outlines.SEG
    has_decoys: bool = True
    has_whole_phases: bool = False
    """Whether the dynamic phases are as large as the hepatobiliary one, not a few slices."""
    has_liver_outline: bool = False
    """Whether the liver is drawn as well, in a file of its own."""

    has_codes: bool = True
    """Whether the SEG's codes say what each lesion is; else only its label does."""
    layout: Layout = Layout.FLAT
    has_bare_names: bool = False
    """Whether series descriptions leave out what distinguishes the series."""
    storage: Storage = Storage.BQML_START
    """What the PET's numbers are. `PHILIPS_CNTS` makes the scanner a Philips."""


ORDINARY = Export()


def write_study(
    study: SimulatedStudy,
    pet_dir: Path,
    mri_dir: Path,
    truth_path: Path | None = None,
    export: Export = ORDINARY,
) -> None:
    """Write both folders, and the truth beside them. The same study gives the same bytes."""
    when = visits(study.recipe, _names(export))
    for folder in (pet_dir, mri_dir):
        folder.mkdir(parents=True, exist_ok=True)
    _write_pet(study, when, pet_dir, export)
    _write_mri(study, when, mri_dir, export)
    if truth_path is not None:
        study.truth.write(truth_path)


def _names(export: Export) -> Names | None:
    """The site's names, where the export does not leave them to the seed."""
    if export.has_bare_names:
        return BARE
    return PHILIPS if export.storage is Storage.PHILIPS_CNTS else None


def _write_pet(study: SimulatedStudy, when: Visits, folder: Path, export: Export) -> None:
    names, start = when.names, when.pet.start
    ct = series(
        when.pet, 2, names.ct, start - timedelta(minutes=3),
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"), ContrastBolusAgent="Iomeprol 350",
    )  # fmt: skip
    made = write.ct_series(study.ct, ct)
    pet = series(when.pet, 3, names.pet, start)
    made += pet_series(study.suv, pet, when.injection, Acquisition(export.storage))
    if export.has_decoys:
        made += decoys.of_pet(study, when)
    _save(made, folder, export.layout)
    if export.has_decoys:
        (folder / "README.txt").write_text("Exported from the archive. Not for diagnosis.\n")


def _write_mri(study: SimulatedStudy, when: Visits, folder: Path, export: Export) -> None:
    hbp = decoys.gadoxetate(when, 20, when.names.hbp, minutes=20.0)
    slices = write.mr_series(study.hbp, hbp)
    made = list(slices)
    if export.has_decoys:
        made += decoys.of_mri(study, when, has_whole_phases=export.has_whole_phases)
        (folder / "VERSION").write_text("1.0\n")
    if export.outlines is not Outlines.NONE:
        made.append(_drawn(study, when, slices, study.segments, 90, export))
    if export.has_liver_outline:
        liver = Segment("Liver", Structure.LIVER, study.liver.trimmed(), "phantom")
        made.append(_drawn(study, when, slices, [liver], 91, export))
    _save(made, folder, export.layout)


def _drawn(
    study: SimulatedStudy,
    when: Visits,
    slices: Sequence[Dataset],
    segments: Sequence[Segment],
    number: int,
    export: Export,
) -> Dataset:
    at = when.mri.start + timedelta(hours=3)
    drawing = write_outlines.Drawing(
        series(when.mri, number, "Segmentation", at),
        at,
        slices,
        study.hbp.grid,
        export.has_codes,
    )
    if export.outlines is Outlines.RTSTRUCT:
        return write_outlines.rtstruct(segments, drawing)
    return write_outlines.seg(segments, drawing)


def _save(datasets: Sequence[Dataset], folder: Path, layout: Layout) -> None:
    if layout is Layout.NUMBERED:
        # Series come mixed, as instances arrive at an archive.
        datasets = sorted(datasets, key=lambda ds: (int(ds.InstanceNumber), int(ds.SeriesNumber)))
    for number, dataset in enumerate(datasets, 1):
        path = folder / _name(dataset, number, layout)
        path.parent.mkdir(parents=True, exist_ok=True)
        write.save(dataset, path)


def _name(ds: Dataset, number: int, layout: Layout) -> str:
    """A name as an archive gives it; some archives leave out the ending."""
    if layout is Layout.NUMBERED:
        return f"{number:08d}"
    if layout is Layout.NESTED:
        return f"S{int(ds.SeriesNumber):05d}/I{int(ds.InstanceNumber):06d}"
    ending = ".dcm" if int(ds.SeriesNumber) % 2 == 0 else ""
    return f"{ds.Modality}{int(ds.SeriesNumber):03d}_{int(ds.InstanceNumber):05d}{ending}"

"""Small DICOM series for the tests of reading: what a scanner writes, at 12 by 10 pixels."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from lesionmatch import dicom, nifti
from lesionmatch.dicom import Inventory, ReadOptions
from lesionmatch.dicom.files.instance import Instance, read_instance
from lesionmatch.dicom.files.sources import Source
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import LabelMap
from lesionmatch.protocol import InputLimits

PET, CT, MR = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("128", "2", "4"))
DATA = next(
    (found for parent in Path(__file__).parents if (found := parent / "shared/data").is_dir()),
    Path("shared/data"),
)
"""Public data beside the project, where it is present."""

AXIAL = (1, 0, 0, 0, 1, 0)
ROWS, COLUMNS = 12, 10
Change = Callable[[Dataset, int], None]


def instance(kind: str, series: str, n: int, **attributes: Any) -> Dataset:  # noqa: ANN401
    """The n-th axial slice of a series, 3 mm apart, of value n + 1."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = UID(kind)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = UID(f"{series}.{n + 1}")
    ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID = series, "1.2.3", "1.2.9"
    ds.Modality = {PET: "PT", CT: "CT", MR: "MR"}[kind]
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "P1", "A^B", "19500101", "M"
    ds.SeriesDate = ds.AcquisitionDate = "20250102"
    ds.SeriesTime = ds.AcquisitionTime = "110000"
    ds.ImageType, ds.InstanceNumber = ["ORIGINAL", "PRIMARY"], n + 1
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-20, -30, 3 * n], list(AXIAL)
    ds.PixelSpacing, ds.SliceThickness = [2, 2], 3
    ds.Rows, ds.Columns, ds.SamplesPerPixel = ROWS, COLUMNS, 1
    ds.PhotometricInterpretation, ds.PixelRepresentation = "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.RescaleSlope, ds.RescaleIntercept = 1, 0
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    ds.PixelData = np.full((ds.Rows, ds.Columns), n + 1, "<u2").tobytes()
    return ds


def pet_slice(n: int, series: str = "1.2.3.1", **attributes: Any) -> Dataset:  # noqa: ANN401
    """A slice of 68Ga PET: 70 kg, 140 MBq an hour before, corrected to the series' time."""
    ds = instance(PET, series, n)
    ds.Units, ds.DecayCorrection, ds.SeriesType = "BQML", "START", ["WHOLE BODY", "IMAGE"]
    ds.CorrectedImage, ds.PatientWeight, ds.PatientSize = ["ATTN", "DECY"], 70, 1.75
    ds.FrameReferenceTime, ds.ActualFrameDuration = 59900, 120000
    agent = Dataset()
    agent.RadionuclideTotalDose, agent.RadionuclideHalfLife = 140e6, 4062.6
    agent.RadiopharmaceuticalStartDateTime = "20250102100000"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "35337001", "SCT", "Ga"
    agent.RadionuclideCodeSequence = [code]
    ds.RadiopharmaceuticalInformationSequence = [agent]
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def hbp_slice(n: int, series: str = "1.2.4.1", **attributes: Any) -> Dataset:  # noqa: ANN401
    """A slice of an MR series that says of itself that it is the hepatobiliary phase."""
    ds = instance(MR, series, n, FrameOfReferenceUID="1.2.8", StudyInstanceUID="1.2.4")
    ds.SeriesDescription, ds.ScanningSequence, ds.MRAcquisitionType = "t1 vibe fs hbp", "GR", "3D"
    ds.RepetitionTime, ds.EchoTime, ds.ContrastBolusAgent = 4, 1.5, "Gadoxetate"
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


MAKERS: dict[str, Callable[..., Dataset]] = {
    "PT": pet_slice,
    "CT": lambda n, **more: instance(CT, "1.2.3.7", n, **more),
    "MR": hbp_slice,
}
"""A slice of each modality."""


def slices(make: Callable[..., Dataset], count: int = 6, **attributes: Any) -> list[Dataset]:  # noqa: ANN401
    """The first `count` slices of a series."""
    return [make(n, **attributes) for n in range(count)]


def saved(folder: Path, datasets: Sequence[Dataset]) -> Path:
    """A folder with the datasets in it."""
    folder.mkdir(parents=True, exist_ok=True)
    start = len(list(folder.iterdir()))
    for n, ds in enumerate(datasets, start):
        ds.save_as(folder / f"{n:04}.dcm", enforce_file_format=True)
    return folder


def agent_of(ds: Dataset) -> Dataset:
    """The radiopharmaceutical of a PET slice."""
    agent: Dataset = ds.RadiopharmaceuticalInformationSequence[0]
    return agent


def changed(datasets: Sequence[Dataset], change: Callable[[Dataset], None]) -> list[Dataset]:
    """The datasets, each changed."""
    for ds in datasets:
        change(ds)
    return list(datasets)


def read_back(path: Path) -> Dataset:
    """A saved dataset."""
    return pydicom.dcmread(path)


def one(folder: Path, ds: Dataset | None = None) -> Path:
    """A single saved file, a slice of PET by default."""
    return saved(folder, [ds or pet_slice(0)]) / "0000.dcm"


def header_of(path: Path, limits: InputLimits | None = None) -> Instance | str:
    """A file's header, or why it is not read."""
    return read_instance(Source(path, None, path.stat().st_size), limits or InputLimits())


def suv_of(tmp_path: Path, change: Callable[[Dataset], None], **options: Any) -> float:  # noqa: ANN401
    """SUVbw of the stored value 1 in a series of which every slice is changed."""
    folder = saved(tmp_path, changed(slices(pet_slice), change))
    return float(dicom.read_pet_study([folder], ReadOptions(**options)).suv.array[0, 0, 0])


def attribute(**values: Any) -> Callable[[Dataset], None]:  # noqa: ANN401
    """A change of attributes; None removes one."""

    def change(ds: Dataset) -> None:
        for keyword, value in values.items():
            target = agent_of(ds) if keyword.startswith("Radi") else ds
            if value is None:
                delattr(target, keyword)
            else:
                setattr(target, keyword, value)

    return change


def philips(ds: Dataset, **factors: float) -> None:
    ds.Units, ds.Manufacturer = "CNTS", "Philips Medical Systems"
    block = ds.private_block(0x7053, "Philips PET Private Group", create=True)
    for name, value in factors.items():
        block.add_new({"suv": 0x00, "activity": 0x09}[name], "DS", str(value))


def scan(folder: Path, datasets: list[Dataset]) -> Inventory:
    """All series of these slices."""
    return dicom.scan([saved(folder, datasets)])


def suv(folder: Path, datasets: list[Dataset]) -> dicom.PetStudy:
    """The PET study of these slices."""
    return dicom.read_pet_study([saved(folder, datasets)])


def ct_slices(count: int = 6, series: str = "1.2.3.7", **attributes: Any) -> list[Dataset]:  # noqa: ANN401
    """Slices of a CT that goes with the PET."""
    return [instance(CT, series, n, **attributes) for n in range(count)]


def mri(
    folder: Path,
    datasets: list[Dataset],
    *,
    pet: dicom.PetStudy | None = None,
    **options: Any,  # noqa: ANN401
) -> dicom.MriStudy:
    """The MRI study of these slices, with nothing drawn on it."""
    empty = folder / "empty.nii.gz"
    saved(folder / "mri", datasets)
    grid = Grid.of(Frame("x"), (6, 12, 10), origin_mm=(-20, -30, 0), spacing_mm=(3, 2, 2))
    nifti.write(LabelMap(grid, np.zeros(grid.shape, np.uint16)), empty)
    return dicom.read_mri_study([folder / "mri"], ReadOptions(lesions=empty, **options), pet=pet)

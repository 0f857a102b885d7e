"""A tree of tiny DICOM files without pixels, as a hospital would hold them, for the cohort.

One header a series is built with pydicom; its files differ in the instance UID alone, which
is replaced in the bytes, so that a hundred thousand files take seconds.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

ROOT_UID = "1.2.826.0.1.3680043.8.498."
PLACEHOLDER = "1.2.3.4.5.6.7.8.9." + "9" * 30
SOP_CLASSES = {
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
}
DAY = date(2020, 1, 1)


@dataclass(frozen=True)
class Person:
    """Who the files say they are of."""

    patient_id: str
    name: str = "DOE^JANE"
    birth_date: str = "19600101"
    sex: str = "F"


@dataclass(frozen=True)
class SeriesPlan:
    """One series and what its header says."""

    modality: str
    files: int = 2
    description: str = ""
    attributes: dict[str, object] = field(default_factory=dict)


def pet_ct(
    *, files: int = 2, tracer: str = "Ga-68 DOTATATE", corrected: bool = True
) -> list[SeriesPlan]:
    """A PET/CT study."""
    dose = Dataset()
    dose.Radiopharmaceutical = tracer
    attributes: dict[str, object] = {
        "CorrectedImage": ["DECY", "ATTN"] if corrected else ["DECY"],
        "SeriesType": ["WHOLE BODY", "IMAGE"],
        "RadiopharmaceuticalInformationSequence": [dose],
    }
    return [SeriesPlan("PT", files, "PET AC", attributes), SeriesPlan("CT", files, "CT venous")]


def liver_mri(*, files: int = 2, hbp: bool = True) -> list[SeriesPlan]:
    """A liver MRI study, with or without the hepatobiliary phase."""
    late: dict[str, object] = {
        "ContrastBolusAgent": "Primovist",
        "ScanningSequence": "GR",
        "MRAcquisitionType": "3D",
        "RepetitionTime": "4",
        "EchoTime": "2",
    }
    series = [SeriesPlan("MR", files, "t2_haste", {"ScanningSequence": "SE"})]
    return [*series, SeriesPlan("MR", files, "t1_vibe_fs_hbp 20min", late)] if hbp else series


def after(days: int) -> date:
    """A day counted from the first of the tree."""
    return DAY + timedelta(days=days)


@dataclass
class Tree:
    """Writes studies below a folder; each gets UIDs of its own."""

    root: Path
    studies: int = 0

    def add(
        self,
        person: Person,
        day: date | None,
        plans: Sequence[SeriesPlan],
        *,
        folder: str | None = None,
        study_uid: str | None = None,
        prefix: str = "",
    ) -> str:
        """Write one study; returns its UID. Files of several studies may share a folder."""
        self.studies += 1
        uid = study_uid or f"{ROOT_UID}{self.studies}"
        for number, plan in enumerate(plans, start=1):
            place = self.root / (
                folder or f"{person.patient_id or 'nobody'}/{self.studies}/{number}"
            )
            place.mkdir(parents=True, exist_ok=True)
            series = f"{ROOT_UID}{self.studies}.{number}"
            content = header(person, day, plan, uid, series)
            for k in range(plan.files):
                own = f"{ROOT_UID}{self.studies}.{number}.{k}"
                padded = own.ljust(len(PLACEHOLDER), "\0").encode()
                name = f"{prefix}{self.studies:05d}_{number}_{k:05d}.dcm"
                (place / name).write_bytes(content.replace(PLACEHOLDER.encode(), padded))
        return uid


def header(person: Person, day: date | None, plan: SeriesPlan, study: str, series: str) -> bytes:
    """A file of the series, its instance UID the placeholder."""
    dataset = Dataset()
    dataset.PatientID = person.patient_id
    dataset.PatientName = person.name
    dataset.PatientBirthDate = person.birth_date
    dataset.PatientSex = person.sex
    dataset.StudyDate = day.strftime("%Y%m%d") if day else ""
    dataset.Modality = plan.modality
    dataset.SOPClassUID = SOP_CLASSES[plan.modality]
    dataset.SOPInstanceUID = PLACEHOLDER
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = series
    dataset.SeriesDescription = plan.description
    dataset.Manufacturer = "SIEMENS"
    dataset.ManufacturerModelName = "Biograph 64"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    for keyword, value in plan.attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(PLACEHOLDER)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()

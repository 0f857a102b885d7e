"""What a PET/CT study and an MRI study are once they are read."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from lesionmatch.dicom.drawn.segmentations import Drawn
from lesionmatch.dicom.files.sources import Source
from lesionmatch.dicom.files.values import text
from lesionmatch.dicom.series.patient import Identity
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.suv.facts import SuvFacts
from lesionmatch.geometry import Frame
from lesionmatch.image import Image
from lesionmatch.segments import Segment

SCANNER_FWHM_MM = 4.5
"""NEMA NU 2 transverse resolution of today's scanners, 4 to 5 mm."""
POSITRON_FWHM_MM = 2.5
"""What the range of the positrons of 68Ga adds in quadrature."""


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """How the PET was made, as far as the header says."""

    method: str
    filter_fwhm_mm: float | None
    has_psf: bool
    """Whether the resolution was modelled."""

    @property
    def fwhm_mm(self) -> float | None:
        """Resolution of the image, from its filter with scanner and positron range in quadrature.

        None where the filter is unknown, or the modelling of resolution undoes the rest.
        """
        if self.filter_fwhm_mm is None or self.has_psf:
            return None
        return math.hypot(self.filter_fwhm_mm, SCANNER_FWHM_MM, POSITRON_FWHM_MM)


@dataclass(frozen=True, slots=True, eq=False)
class PetStudy:
    """A PET/CT as SUV and HU, in one frame of reference."""

    suv: Image
    ct: Image | None
    segments: tuple[Segment, ...]
    """Drawn on the PET or the CT and found among their files."""
    suv_facts: SuvFacts
    reconstruction: Reconstruction
    assumptions: tuple[str, ...]
    pet_series: SeriesRecord
    ct_series: SeriesRecord | None
    inventory: Inventory
    identity: Identity

    @property
    def frame(self) -> Frame:
        """The frame of reference of PET and CT."""
        return self.suv.frame

    @property
    def fwhm_mm(self) -> float | None:
        """Resolution as the header tells it: the filter with what precedes it; None if unknown."""
        return self.reconstruction.fwhm_mm

    @property
    def facts(self) -> dict[str, Any]:
        """How SUV was had, for a page: no dates, no names."""
        return asdict(self.suv_facts) | asdict(self.reconstruction)

    @property
    def series(self) -> tuple[SeriesRecord, ...]:
        """Every series of the folders, chosen or not."""
        return self.inventory.series

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """The series used: UID, role, files and a hash of what was read."""
        used = [_input(self.pet_series, "PET", self.suv)]
        if self.ct is not None and self.ct_series is not None:
            used.append(_input(self.ct_series, "CT", self.ct))
        return used


@dataclass(frozen=True, slots=True, eq=False)
class MriStudy:
    """A liver MRI in the hepatobiliary phase, and what was drawn on it."""

    hbp: Image
    segments: tuple[Segment, ...]
    """Empty where what was drawn says that there are no lesions."""
    assumptions: tuple[str, ...]
    hbp_series: SeriesRecord
    drawn: Drawn
    """The segmentations and the files they came from."""
    inventory: Inventory
    identity: Identity

    @property
    def frame(self) -> Frame:
        """The frame of reference of the MRI."""
        return self.hbp.frame

    @property
    def series(self) -> tuple[SeriesRecord, ...]:
        """Every series of the folders, chosen or not."""
        return self.inventory.series

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """The series used: UID, role, files and a hash of what was read."""
        hbp = _input(self.hbp_series, "HBP", self.hbp)
        files = [_label_input(source) for source in self.drawn.label_files]
        return [hbp, *map(_drawn_input, self.drawn.series), *files]


def _input(record: SeriesRecord, role: str, image: Image) -> dict[str, Any]:
    digest = hashlib.sha256(image.array.data)
    return {
        "series": record.key,
        "study": text(record.header, "StudyInstanceUID"),
        "role": role,
        "files": record.files,
        "sha256_of_values": digest.hexdigest(),
    }


def _drawn_input(record: SeriesRecord) -> dict[str, Any]:
    return {
        "series": record.key,
        "study": text(record.header, "StudyInstanceUID"),
        "role": record.role,
        "files": record.files,
        "sha256_of_files": sha256_of(instance.source for instance in record.instances),
    }


def _label_input(source: Source) -> dict[str, Any]:
    return {"role": "label file", "files": 1, "sha256_of_files": sha256_of([source])}


def sha256_of(sources: Iterable[Source]) -> str:
    """Hexadecimal hash of some files, one after the other."""
    digest = hashlib.sha256()
    for source in sources:
        with source.open() as file:
            digest.update(file.read())
    return digest.hexdigest()

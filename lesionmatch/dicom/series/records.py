"""What a scan found: series, what each was taken for, and what was passed over.

Printed are our own words and UIDs; descriptions come with ``phi=True`` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.directory import Listed
from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.sources import Source
from lesionmatch.dicom.files.unread import Unread
from lesionmatch.dicom.files.values import text
from lesionmatch.dicom.series.agreement import speaker
from lesionmatch.dicom.series.hbp import Evidence
from lesionmatch.dicom.series.stack import Stack
from lesionmatch.errors import InconsistentSeries, InvalidInput

BROKEN_INDEX = "a DICOMDIR that cannot be read"
HARMLESS = frozenset({"not DICOM", "not a regular file", "a link to nothing", BROKEN_INDEX})
"""Why a file is passed over that cannot be a part of a study."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesRecord:
    """A series, or one of the volumes a series was parted into, and what it was taken for."""

    uid: str
    part: int
    """Number of the volume in the series from 1; 0 where the series is one volume."""
    modality: str
    role: str
    files: int
    evidence: tuple[str, ...]
    is_candidate: bool
    """Whether it is of a kind that may be used; its slices may still make no volume."""
    set_aside: str | None
    """Why it cannot be used, or None."""
    score: float | None
    """Points for the hepatobiliary phase; None for what is no MR image."""
    instances: tuple[Instance, ...]
    stack: Stack | None
    """The volume, where the slices make one."""
    refusal: InvalidInput | None
    """Why they do not."""

    @property
    def key(self) -> str:
        """The series UID, with ``#n`` for the n-th volume of a series that has several."""
        return f"{self.uid}#{self.part}" if self.part else self.uid

    @property
    def is_usable(self) -> bool:
        """Whether it is a volume of a kind that may be used."""
        return self.stack is not None and self.set_aside is None

    @property
    def header(self) -> Dataset:
        """The header that speaks for it: of the first slice, where another bears it out."""
        planes = self.stack.planes if self.stack else ()
        return speaker([p.header for p in planes] or [i.dataset for i in self.instances])

    @property
    def number(self) -> int | None:
        """Series Number, where the header has a whole one."""
        found = text(self.header, "SeriesNumber")
        return int(found) if found.lstrip("-").isdecimal() else None

    @property
    def study_uid(self) -> str:
        """Study Instance UID."""
        return text(self.header, "StudyInstanceUID")

    @property
    def description(self) -> str:
        """Series Description as the header has it: only to be shown where the user says so."""
        return text(self.header, "SeriesDescription")

    @property
    def frame_uid(self) -> str:
        """Frame of Reference UID, empty where the header has none."""
        return text(self.header, "FrameOfReferenceUID")

    @property
    def what(self) -> str:
        """What a message calls it."""
        return f"{self.modality} series {self.key}"

    def with_evidence(self, items: Sequence[Evidence], least: float) -> "SeriesRecord":
        """The record with more evidence; a hepatobiliary phase from `least` points on."""
        score = (self.score or 0.0) + sum(item.points for item in items)
        return replace(
            self,
            role="HBP" if score >= least else "MR",
            score=score,
            evidence=(*self.evidence, *(f"{item.says} ({item.points:+g})" for item in items)),
        )

    def to_json(self, *, phi: bool = False) -> dict[str, Any]:
        """The record as JSON takes it; `phi` adds its description as the header has it."""
        grid = self.stack.grid if self.stack else None
        found: dict[str, Any] = {
            "series": self.key,
            "study": self.study_uid,
            "number": self.number,
            "modality": self.modality,
            "role": self.role,
            "files": self.files,
            "shape": list(grid.shape) if grid else None,
            "spacing_mm": [round(float(mm), 4) for mm in grid.spacing_mm] if grid else None,
            "frame_of_reference": self.frame_uid,
            "score": self.score,
            "evidence": list(self.evidence),
            "set_aside": self.set_aside,
        }
        if phi:
            found["description"] = self.description
        return found

    def usable_stack(self) -> Stack:
        """The volume. Raises the reason why there is none."""
        if self.stack is None:
            raise self.refusal or InconsistentSeries(
                f"{self.what}: wanted a volume of slices, got a series that is set aside: "
                f"{self.set_aside}; choose another series"
            )
        return self.stack


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """Everything found under some paths."""

    series: tuple[SeriesRecord, ...]
    label_files: tuple[Source, ...]
    """NIfTI and NRRD files."""
    skipped: Mapping[str, int]
    """How many files were passed over, by the reason."""
    files: int
    unread: tuple[Unread, ...] = ()
    """Files among the skipped that may belong to a study."""
    listed: Listed = field(default_factory=dict)
    """What a DICOMDIR says that there is."""

    @property
    def broken(self) -> tuple[str, ...]:
        """A note on files that may be DICOM and could not be read; none where all could."""
        count = sum(n for why, n in self.skipped.items() if why not in HARMLESS)
        whys = ", ".join(sorted(why for why in self.skipped if why not in HARMLESS))
        return (f"{count} files could not be read and were passed over ({whys})",) if count else ()

    def of_modality(self, modality: str) -> tuple[SeriesRecord, ...]:
        """The records of one modality."""
        return tuple(record for record in self.series if record.modality == modality)

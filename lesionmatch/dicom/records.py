"""What a scan found: series, what each was taken for, and what was passed over.

Printed are our own words and UIDs; descriptions come with ``phi=True`` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset

from lesionmatch.dicom.agreement import speaker
from lesionmatch.dicom.directory import Listed
from lesionmatch.dicom.instance import Instance
from lesionmatch.dicom.sources import Source
from lesionmatch.dicom.stack import Stack
from lesionmatch.dicom.unread import Unread
from lesionmatch.dicom.values import text
from lesionmatch.errors import InconsistentSeries, InvalidInput

BROKEN_INDEX = "a DICOMDIR that cannot be read"
HARMLESS = frozenset({"not DICOM", "not a regular file", "a link to nothing", BROKEN_INDEX})
"""Why a file is passed over that cannot be a part of a study."""
HEADS = ("series", "modality", "taken for", "files", "size", "spacing mm")


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
    def header(self) -> Dataset:
        """The header that speaks for it: of the first slice, where another bears it out."""
        planes = self.stack.planes if self.stack else ()
        return speaker([p.header for p in planes] or [i.dataset for i in self.instances])

    @property
    def frame_uid(self) -> str:
        """Frame of Reference UID, empty where the header has none."""
        return text(self.header, "FrameOfReferenceUID")

    @property
    def what(self) -> str:
        """What a message calls it."""
        return f"{self.modality} series {self.key}"

    def to_json(self, *, phi: bool = False) -> dict[str, Any]:
        """The record as JSON takes it; `phi` adds its description as the header has it."""
        grid = self.stack.grid if self.stack else None
        found: dict[str, Any] = {
            "series": self.key,
            "study": text(self.header, "StudyInstanceUID"),
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
            found["description"] = text(self.header, "SeriesDescription")
        return found

    def to_row(self, *, phi: bool = False) -> tuple[str, ...]:
        """The record as a line of a table, in the order of `HEADS`."""
        grid = self.stack.grid if self.stack else None
        size = " x ".join(str(n) for n in grid.shape) if grid else "-"
        spacing = " x ".join(f"{mm:.2f}" for mm in grid.spacing_mm) if grid else "-"
        role = self.role if self.score is None else f"{self.role}, {self.score:g} points"
        taken = f"({role})" if self.set_aside else role
        row = (self.key, self.modality, taken, str(self.files), size, spacing)
        return (*row, text(self.header, "SeriesDescription")) if phi else row

    def usable_stack(self) -> Stack:
        """The volume. Raises the reason why there is none."""
        if self.stack is None:
            raise self.refusal or InconsistentSeries(f"{self.what}: wanted a volume, got none")
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

    def to_json(self, *, phi: bool = False) -> dict[str, Any]:
        """Everything found, as JSON takes it."""
        return {
            "files": self.files,
            "series": [record.to_json(phi=phi) for record in self.series],
            "label_files": len(self.label_files),
            "skipped": dict(self.skipped),
        }

    def to_text(self, *, phi: bool = False) -> str:
        """Everything found, for a person: a table, then why each was taken or set aside."""
        heads = (*HEADS, "description") if phi else HEADS
        lines = [f"{self.files} files, {len(self.series)} series", ""]
        lines += table(heads, [record.to_row(phi=phi) for record in self.series])
        lines += ["", "why"]
        for record in self.series:
            aside = [f"    set aside: {record.set_aside}"] if record.set_aside else []
            lines += [f"  {record.key}", *aside, *(f"    {said}" for said in record.evidence)]
        if self.label_files:
            lines += ["", f"{len(self.label_files)} NIfTI or NRRD files"]
        if self.skipped:
            lines += ["", "passed over"]
            lines += [f"  {count} files: {why}" for why, count in self.skipped.items()]
        return "\n".join(lines)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, each column as wide as its longest cell."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    lines = [heads, tuple("-" * width for width in widths), *rows]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]

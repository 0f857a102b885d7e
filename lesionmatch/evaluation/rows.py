"""What a calls table, a lesions table and the people who read them say, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

Call = Literal["involved", "not_involved", "uncertain"]
CALLS: tuple[Call, ...] = ("involved", "not_involved", "uncertain")

Cell = Literal["TP", "FP", "FN", "TN"]
CELLS: dict[tuple[Call, Call], Cell] = {
    ("involved", "involved"): "TP",
    ("involved", "not_involved"): "FP",
    ("not_involved", "involved"): "FN",
    ("not_involved", "not_involved"): "TN",
}
"""The cell of a PET call and an MRI call, in this order."""

DOUBTS = ("registration", "liver")
"""What a study may be doubtful for."""

TABLE, CONSENSUS = "table", "consensus"
"""Beside the readers: where calls come from that no single one of them made."""


@dataclass(frozen=True, slots=True)
class StudyCalls:
    """One PET and MRI of one patient, and what each says of the liver."""

    study_id: str
    patient_id: str
    pet: Call | None
    """None where the study gave no call, as a comparison that failed."""
    mri: Call | None
    reason: str = ""
    why: str = ""
    is_doubtful: bool = False
    doubtful_for: tuple[str, ...] | None = None
    """Of `DOUBTS`; None where the table does not say."""
    study_date: date | None = None
    other: Mapping[str, str] = field(default_factory=dict)
    """Every other column of the table, by name."""

    @property
    def cell(self) -> Cell | None:
        """The cell of the table; None where a call is uncertain or missing."""
        if self.pet is None or self.mri is None:
            return None
        return CELLS.get((self.pet, self.mri))

    @property
    def is_missing(self) -> bool:
        """Whether a call was not given."""
        return self.pet is None or self.mri is None

    @property
    def is_uncertain(self) -> bool:
        """Whether both calls were given and one of them is uncertain."""
        return not self.is_missing and self.cell is None


@dataclass(frozen=True, slots=True)
class LesionRow:
    """A lesion on the MRI, or (source ``pet``) a focus seen on PET only."""

    study_id: str
    patient_id: str
    lesion_id: str
    source: str
    kind: str
    relation: str
    focus_ids: tuple[str, ...]
    long_axis_mm: float | None
    tumour_to_liver: float | None
    contrast_to_noise: float | None
    pet_status: str
    least_visible_ratio: float | None
    visibility: str
    flags: tuple[str, ...]
    reason: str
    overlay: str

    @property
    def counts(self) -> bool:
        """Whether it is a lesion the comparison is about, not a benign one."""
        return self.kind in {"metastasis", "unspecified"}


@dataclass(frozen=True, slots=True)
class ReaderCall:
    """What one reader said of one study; None for a modality not read."""

    study_id: str
    reader: str
    pet: Call | None
    mri: Call | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person settled about one study, who it was, and when.

    With a note alone the study was looked at, and everything stays as it was called.
    """

    study_id: str
    pet: Call | None
    mri: Call | None
    reason: str
    decided_by: str
    decided_at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class CallsTable:
    """All studies, and their lesions where the table is that of a batch."""

    origin: Literal["batch", "table"]
    studies: tuple[StudyCalls, ...]
    lesions: tuple[LesionRow, ...] | None
    columns: tuple[str, ...]
    """Columns of the table that studies can be told apart by."""
    folder: Path | None = None
    """A batch's folder, where its pictures are."""

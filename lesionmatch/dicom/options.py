"""What a user may say about the reading of a study; one field for each option."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lesionmatch.protocol import Protocol


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Overrides; what is None is found in the files."""

    pet_series: str | None = None
    """Series UID, with ``#n`` for the n-th volume of a series that holds several."""
    mri_series: str | None = None
    lesions: Path | None = None
    """A file or folder of segmentations, instead of those found in the MRI folder."""
    liver: Path | None = None
    weight_kg: float | None = None
    dose_mbq: float | None = None
    half_life_s: float | None = None
    injected_at: datetime | None = None
    """On the scanner's own clock."""
    reference_at: datetime | None = None
    """When the image was decay-corrected to, on the scanner's own clock."""
    different_ids: bool = False
    """PET and MRI belong together although their patient's identity disagrees."""
    phi: bool = False
    protocol: Protocol = field(default_factory=Protocol)

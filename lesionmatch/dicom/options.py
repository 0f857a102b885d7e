"""What a user may say about the reading of a study; one field for each option."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lesionmatch.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Override:
    """A value of the user's in place of the header's; without a date, so that it may be shown."""

    option: str
    """As it is typed, e.g. ``--weight-kg``."""
    unit: str
    given: float | str
    header: float | str | None
    """What the header has; None where it has nothing that could be used."""

    def note(self, name: str) -> str:
        """An assumption's sentence, in which the value is called `name`."""
        header = "nothing" if self.header is None else self._shown(self.header)
        return f"{name} of {self._shown(self.given)} was given by the user; the header has {header}"

    def _shown(self, value: float | str) -> str:
        return value if isinstance(value, str) else f"{value:.5g} {self.unit}"


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
    height_m: float | None = None
    sex: str | None = None
    """``M`` or ``F``; for body sizes that tell them apart."""
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

    @property
    def given(self) -> dict[str, float | str | datetime | None]:
        """What the user may put in the header's place, by its option; None where it stands."""
        return {
            "--weight-kg": self.weight_kg,
            "--height-m": self.height_m,
            "--sex": self.sex,
            "--dose-mbq": self.dose_mbq,
            "--half-life-s": self.half_life_s,
            "--injected-at": self.injected_at,
            "--reference-at": self.reference_at,
        }

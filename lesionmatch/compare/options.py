"""What the user may decide about a comparison."""

from dataclasses import dataclass, field
from pathlib import Path

from lesionmatch.protocol import Protocol

METHODS = ("auto", "rigid", "affine", "deformable", "identity")
"""What `registration` may name; anything else is the path of a transform's file."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may decide; each field is a flag of the command line."""

    pet_series: str | None = None
    mri_series: str | None = None
    lesions: Path | None = None
    liver: Path | None = None
    weight_kg: float | None = None
    different_ids: bool = False
    registration: str = "auto"
    protocol: Protocol = field(default_factory=Protocol)
    overlays: bool = True
    phi: bool = False

    def to_json(self) -> dict[str, object]:
        """For the record; a path says where a patient's files lie, so it is only `given`."""
        return {
            "pet_series": self.pet_series,
            "mri_series": self.mri_series,
            "lesions": None if self.lesions is None else "given",
            "liver": None if self.liver is None else "given",
            "weight_kg": self.weight_kg,
            "different_ids": self.different_ids,
            "registration": self.registration if self.registration in METHODS else "given",
            "protocol": self.protocol.sha256,
            "overlays": self.overlays,
            "phi": self.phi,
        }

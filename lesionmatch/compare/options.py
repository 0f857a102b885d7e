"""What the user may decide about a comparison."""

from dataclasses import dataclass, fields

from lesionmatch import dicom
from lesionmatch.protocol import Protocol

METHODS = ("auto", "rigid", "affine", "deformable", "identity")
"""What `registration` may name; anything else is the path of a transform's file."""

ONLY_GIVEN = frozenset({"lesions", "liver", "injected_at", "reference_at"})
"""Options whose values are not recorded: a path says where a patient's files lie, a time when
the patient was there."""


@dataclass(frozen=True, slots=True)
class Options(dicom.ReadOptions):
    """What the user may decide; each field is a flag of the command line."""

    registration: str = "auto"
    overlays: bool = True

    def to_json(self) -> dict[str, object]:
        """For the record, by field."""
        return {field.name: self._recorded(field.name) for field in fields(self)}

    def _recorded(self, name: str) -> object:
        value = getattr(self, name)
        if isinstance(value, Protocol):
            return value.sha256
        is_path = name == "registration" and value not in METHODS
        return "given" if is_path or (name in ONLY_GIVEN and value is not None) else value

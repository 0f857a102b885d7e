"""What the user may decide about a comparison."""

from dataclasses import dataclass, fields
from pathlib import Path

from lesionmatch import dicom
from lesionmatch.errors import InvalidOption
from lesionmatch.protocol import Protocol
from lesionmatch.typed import unreachable

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

    @property
    def paths(self) -> dict[str, Path]:
        """The files and folders that the user gave, by field."""
        given = {"lesions": self.lesions, "liver": self.liver}
        if self.registration not in METHODS:
            given["registration"] = Path(self.registration)
        return {name: path for name, path in given.items() if path is not None}

    def require_paths(self) -> None:
        """Raise `InvalidOption` for a path that leads nowhere, before anything is read for it."""
        for name, path in self.paths.items():
            methods = f", or {', '.join(METHODS)}" if name == "registration" else ""
            if why := unreachable(path):
                raise InvalidOption(
                    f"--{name}: wanted a path that exists{methods}, got {path} ({why})"
                )
            if methods and path.is_dir():
                raise InvalidOption(f"--{name}: wanted a file{methods}, got the folder {path}")

    def to_json(self) -> dict[str, object]:
        """For the record, by field."""
        return {field.name: self._recorded(field.name) for field in fields(self)}

    def _recorded(self, name: str) -> object:
        value = getattr(self, name)
        if isinstance(value, Protocol):
            return value.sha256
        is_path = name == "registration" and value not in METHODS
        return "given" if is_path or (name in ONLY_GIVEN and value is not None) else value

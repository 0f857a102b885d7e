"""What is gathered while the headers of a PET are read, and what makers write their own way."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from lesionmatch.dicom.files.values import number, parse_zone, text, words
from lesionmatch.dicom.options import Override
from lesionmatch.errors import InvalidInput


@dataclass(slots=True)
class Said:
    """What is gathered while headers are read: assumptions, and what the user put in place."""

    notes: list[str] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)

    def given(self, name: str, override: Override) -> None:
        """Record a value of the user's, as an override and in words."""
        self.overrides.append(override)
        self.notes.append(override.note(name))


def zone_of(dataset: Dataset) -> timedelta | None:
    """The scanner's offset from UTC, where the header has it."""
    return parse_zone(text(dataset, "TimezoneOffsetFromUTC"))


def minutes_between(start: datetime, stop: datetime) -> float:
    """Minutes from `start` to `stop`."""
    return (stop - start).total_seconds() / 60.0


def private(dataset: Dataset, creator: str, group: int, offset: int, maker: str) -> str:
    """A private text or number as text: by its creator, else by its usual place, but only where
    the manufacturer is `maker` and the place is nobody else's; exporters drop the creator and
    keep the element, archives put in elements of their own."""
    try:
        return str(dataset.private_block(group, creator)[offset].value).strip()
    except (KeyError, ValueError, TypeError):
        pass
    tag, owner = Tag(group, 0x1000 + offset), text(dataset, Tag(group, 0x0010)).lower()
    is_theirs = maker in text(dataset, "Manufacturer").lower() and (not owner or maker in owner)
    if tag not in dataset or not is_theirs:
        return ""
    return _as_text(dataset, tag)


def _as_text(dataset: Dataset, tag: BaseTag) -> str:
    return "\\".join(words(dataset, tag))


def lenient(dataset: Dataset, keyword: str) -> float | None:
    """A number that is not needed where the user gives his own: malformed is as if absent."""
    try:
        return number(dataset, keyword)
    except InvalidInput:
        return None

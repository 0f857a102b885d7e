"""Values of a dataset as plain numbers and words; what is malformed is refused by name."""

import math
import re
import struct
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from pydicom.charset import default_encoding
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from lesionmatch.errors import InvalidInput, MissingAttribute

LONGEST_TEXT = 1024
ESCAPE = b"\x1b"
"""Begins a change of the character set within a text (ISO 2022)."""
VALUE_FAULTS = (
    BytesLengthException, ValueError, TypeError, LookupError, AttributeError, OSError,
    EOFError, RecursionError, NotImplementedError, OverflowError, struct.error,
)  # fmt: skip
"""What pydicom raises where it converts a malformed value."""


@cache
def tag_of(keyword: str) -> BaseTag:
    """The tag of a keyword of the standard."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return Tag(tag)


def where(dataset: Dataset) -> str:
    """What a message calls the dataset: its modality and series UID."""
    return f"{text(dataset, 'Modality') or 'DICOM'} series {text(dataset, 'SeriesInstanceUID')}"


def raw(dataset: Dataset, tag: BaseTag) -> object:
    """The value as stored (bytes) where pydicom has not converted it yet, else converted.

    Converting is what costs when thousands of headers are read.
    """
    try:
        found = dataset.get_item(tag)
    except VALUE_FAULTS:
        return None
    if found is None:
        return None
    value = found.value
    if isinstance(found, RawDataElement) and found.VR is None and value is not None:
        return value if _vr(tag) in TEXT_VRS else element(dataset, tag)
    return value


TEXT_VRS = frozenset((
    "AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR",
    "UT",
))  # fmt: skip
UNNAMED = (default_encoding, [default_encoding])
"""What pydicom says of a file that names no character set."""


@cache
def _vr(tag: BaseTag) -> str:
    """What a file with implicit types means by a tag."""
    return str(dictionary_VR(tag)) if dictionary_has_tag(tag) else "UN"


def element(dataset: Dataset, tag: BaseTag) -> Any:  # noqa: ANN401 - any VR's value
    """The converted value, or None where it is absent, empty or malformed."""
    if tag not in dataset:
        return None
    try:
        value = dataset[tag].value
    except VALUE_FAULTS:
        return None
    return None if value is None or value == "" else value


def words(dataset: Dataset, keyword: str | BaseTag) -> tuple[str, ...]:
    """The values of a text attribute, without padding; empty where it is absent."""
    tag = tag_of(keyword) if isinstance(keyword, str) else keyword
    value = raw(dataset, tag)
    if isinstance(value, bytes):
        value = _decoded(dataset, tag, value)
    if value is None:
        return ()
    parts = str(value).split("\\") if isinstance(value, str) else _listed(value)
    return tuple(part[:LONGEST_TEXT].strip(" \0") for part in parts)


def _decoded(dataset: Dataset, tag: BaseTag, value: bytes) -> object:
    """Bytes as text, by the character set of the file.

    A file that names none may hold no more than ASCII; what it holds beyond that is UTF-8
    where it can be, else Latin-1. Nearly all text is ASCII, which costs nothing.
    """
    if value.isascii() and ESCAPE not in value:
        return value.decode("ascii")
    if dataset.original_character_set not in UNNAMED:
        with warnings.catch_warnings(action="ignore"):
            found = element(dataset, tag)
        if not isinstance(found, bytes):
            return found
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _listed(value: object) -> list[str]:
    if isinstance(value, (list, tuple, MultiValue)):
        return [str(part) for part in value]
    return [str(value)]


def text(dataset: Dataset, keyword: str | BaseTag) -> str:
    """A text attribute as one string, `\\` between several values; empty where absent."""
    return "\\".join(words(dataset, keyword))


def numbers(dataset: Dataset, keyword: str | BaseTag) -> tuple[float, ...] | None:
    """The values of a number attribute, or None where it is absent or empty.

    Raises `InvalidInput` where one of them is not a finite number.
    """
    tag = tag_of(keyword) if isinstance(keyword, str) else keyword
    value = raw(dataset, tag)
    if isinstance(value, bytes) and _is_binary(dataset, tag):
        found = _unsigned(dataset, tag)
        stored, value = value, element(dataset, tag) if found is None else found
        if stored and value is None:
            raise _not_a_number(dataset, keyword, stored)
    if value is None or value in ("", b""):
        return None
    try:
        values = tuple(float(part) for part in _parts(value))
    except (ValueError, TypeError) as error:
        raise _not_a_number(dataset, keyword, value) from error
    if not all(map(math.isfinite, values)):
        raise _not_a_number(dataset, keyword, value)
    return values or None


def _unsigned(dataset: Dataset, tag: BaseTag) -> int | None:
    """A single 16-bit number, as Rows and Columns are, without the cost of converting it."""
    found = dataset.get_item(tag)
    if not isinstance(found, RawDataElement) or (found.VR or _vr(tag)) != "US":
        return None
    if found.value is None or len(found.value) != 2:
        return None
    return int.from_bytes(found.value, "little" if found.is_little_endian else "big")


def _is_binary(dataset: Dataset, tag: BaseTag) -> bool:
    return (dataset.get_item(tag).VR or _vr(tag)) not in ("DS", "IS")


def _parts(value: object) -> Iterator[Any]:
    if isinstance(value, bytes):
        stripped = value.strip(b" \0")
        return iter(stripped.split(b"\\") if stripped else ())
    if isinstance(value, str):
        return iter(value.split("\\"))
    if isinstance(value, (list, tuple, MultiValue)):
        return iter(value)
    return iter((value,))


def _not_a_number(dataset: Dataset, keyword: str | BaseTag, value: object) -> InvalidInput:
    shown = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return InvalidInput(
        f"{where(dataset)}: wanted finite numbers in {keyword}, got {shown[:40]!r}; "
        "mend the header or leave the series out"
    )


def number(dataset: Dataset, keyword: str | BaseTag) -> float | None:
    """The one value of a number attribute, or None. Raises `InvalidInput`."""
    found = numbers(dataset, keyword)
    return None if found is None else found[0]


def required(dataset: Dataset, keyword: str, remedy: str) -> float:
    """The one value of a number attribute. Raises `MissingAttribute` where it is absent."""
    found = number(dataset, keyword)
    if found is None:
        raise MissingAttribute(f"{where(dataset)}: wanted {keyword}, got nothing; {remedy}")
    return found


def items(dataset: Dataset, keyword: str | BaseTag) -> tuple[Dataset, ...]:
    """The items of a sequence; none where it is absent or is not one."""
    tag = tag_of(keyword) if isinstance(keyword, str) else keyword
    value = element(dataset, tag)
    if value is None or isinstance(value, (str, bytes, int, float)):
        return ()
    return tuple(item for item in value if isinstance(item, Dataset))


TIME = re.compile(r"^(\d{2}):?(?:(\d{2}):?(?:(\d{2})(?:\.(\d{1,6}))?)?)?$")
DATE = re.compile(r"^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$")
DATETIME = re.compile(r"^(\d{8})(\d{2}[\d.]*)([+-]\d{4})?$")
ZONE = re.compile(r"^([+-])(\d{2})(\d{2})$")


def parse_date(value: str) -> date | None:
    """A date as DICOM writes it, ``YYYYMMDD``; None where it is not one."""
    match = DATE.match(value.strip())
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def parse_time(value: str) -> time | None:
    """A time as DICOM writes it, ``HH[MM[SS[.F]]]``; None where it is not one."""
    match = TIME.match(value.strip())
    if match is None:
        return None
    hour, minute, second, fraction = match.groups()
    try:
        # A leap second is written as 60; the clock of the standard library has none.
        whole = min(int(second or 0), 59)
        return time(int(hour), int(minute or 0), whole, int((fraction or "0").ljust(6, "0")))
    except ValueError:
        return None


def parse_zone(value: str) -> timedelta | None:
    """An offset from UTC, ``&ZZXX``; None where it is not one."""
    match = ZONE.match(value.strip())
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return size if match[1] == "+" else -size


def parse_datetime(value: str, zone: timedelta | None) -> datetime | None:
    """A date and time as DICOM writes it, on the scanner's own clock; None where it is not one.

    `zone` is the scanner's offset from UTC. Where both it and the value's own offset are
    known, the value is moved to the scanner's clock; else it is taken as written there.
    """
    match = DATETIME.match(value.strip())
    if match is None:
        return None
    day, clock = parse_date(match[1]), parse_time(match[2])
    if day is None or clock is None:
        return None
    moment = datetime.combine(day, clock)
    own = parse_zone(match[3]) if match[3] else None
    return moment if own is None or zone is None else moment - own + zone


def moment(dataset: Dataset, day: str, clock: str) -> datetime | None:
    """A date attribute and a time attribute together; None where either is absent."""
    found_day, found_clock = parse_date(text(dataset, day)), parse_time(text(dataset, clock))
    if found_day is None or found_clock is None:
        return None
    return datetime.combine(found_day, found_clock)

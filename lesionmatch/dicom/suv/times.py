"""Which time a PET series was decay-corrected to: every answer its headers give, and the one used.

The rule for DecayCorrection START is the one that gives all reference objects of the IBSI SUV
project: a stated time if there is one, private or standard, else what follows from
AcquisitionTime, FrameReferenceTime and the mean of the decaying activity. SeriesTime and the
earliest AcquisitionTime are computed to compare.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import moment, number, parse_datetime, text, where
from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.suv.said import private, zone_of
from lesionmatch.errors import InvalidInput, MissingAttribute
from lesionmatch.suv import Injection, Reference, mean_activity_s, spread_s

STATED = "DecayCorrectionDateTime (0018,9701)"
STATED_GE = "GE's scan time (0009,100D)"
STATED_SIEMENS = "Siemens' decay correction time (0071,1022)"
COMPUTED = "AcquisitionTime, FrameReferenceTime and mean activity"
COMPUTED_GE = "AcquisitionTime and FrameReferenceTime"
CONFIRMED = "SeriesTime, as AcquisitionTime and FrameReferenceTime confirm"
SERIES_TIME = "SeriesTime"
EARLIEST = "earliest AcquisitionTime"
GIVEN = "given by the user"
LONGEST_MS = 30 * 86400e3
"""No frame is farther than a month from its reference; a clock cannot hold much more."""


def acquired(header: Dataset) -> datetime | None:
    """When a slice was acquired, on the scanner's own clock; None where that is not said."""
    return (
        parse_datetime(text(header, "AcquisitionDateTime"), zone_of(header))
        or moment(header, "AcquisitionDate", "AcquisitionTime")
        or moment(header, "SeriesDate", "AcquisitionTime")
    )


def series_time(header: Dataset) -> datetime | None:
    """SeriesDate and SeriesTime; None where one is absent."""
    return moment(header, "SeriesDate", "SeriesTime")


def reference_times(
    headers: Sequence[Dataset], injection: Injection, options: ReadOptions
) -> tuple[Reference, ...]:
    """Every time the series may have been decay-corrected to, the most trusted first."""
    zone = zone_of(headers[0])
    found = {name: parse_datetime(_usual(values), zone) for name, values in _stated(headers)}
    confirmed_s = options.protocol.suv.confirmed_s
    name, computed = _back_computed(headers, injection, confirmed_s)
    series = series_time(headers[0])
    if computed and series and abs((computed - series).total_seconds()) <= confirmed_s:
        found[CONFIRMED] = series
    found[name] = computed
    found[SERIES_TIME] = series
    found[EARLIEST] = min((t for h in headers if (t := acquired(h))), default=None)
    given = [] if options.reference_at is None else [Reference(GIVEN, options.reference_at)]
    return (*given, *(Reference(name, at) for name, at in found.items() if at is not None))


def _stated(headers: Sequence[Dataset]) -> list[tuple[str, list[str]]]:
    """The attributes, private ones among them, that state the time, with each slice's value."""
    return [
        (STATED, [text(header, "DecayCorrectionDateTime") for header in headers]),
        (STATED_GE, [private(header, "GEMS_PETD_01", 0x0009, 0x0D, "ge ") for header in headers]),
        (STATED_SIEMENS, [private(h, "SIEMENS MED", 0x0071, 0x22, "siemens") for h in headers]),
    ]


def _usual(values: Sequence[str]) -> str:
    return Counter(values).most_common(1)[0][0]


def slice_notes(
    headers: Sequence[Dataset], injection: Injection, options: ReadOptions
) -> list[str]:
    """Notes where slices of one series tell of different times of decay correction."""
    stated = _stated(headers)
    notes = [
        f"{name} differs among slices; what most of them say was taken"
        for name, values in stated
        if len(set(values)) > 1
    ]
    if series_time(headers[0]) is None:
        notes.append(
            "SeriesTime or its date is absent, so that nothing confirms the time of decay "
            "correction"
        )
    frames = [frame for header in headers if (frame := _frame(header, injection)) is not None]
    if frames and not any(any(values) for _, values in stated):
        notes += _duration_notes(headers)
    starts = [frame.acquired - timedelta(seconds=frame.offset_s) for frame in frames]
    apart = (max(starts) - min(starts)).total_seconds() if starts else 0.0
    if apart > options.protocol.suv.reference_disagreement_s or len(frames) not in (
        0,
        len(headers),
    ):
        notes.append(
            "AcquisitionTime and FrameReferenceTime of the slices lead to times of decay "
            f"correction up to {apart:.0f} s apart; their median was taken"
        )
    return notes


def _duration_notes(headers: Sequence[Dataset]) -> list[str]:
    said = "FrameReferenceTime was taken to point at the start of a frame"
    lasts = [number(header, "ActualFrameDuration") for header in headers]
    return [f"ActualFrameDuration is absent: {said}"] if None in lasts else []


def _back_computed(
    headers: Sequence[Dataset], injection: Injection, confirmed_s: float
) -> tuple[str, datetime | None]:
    """The time that AcquisitionTime and FrameReferenceTime lead to, the median of the slices.

    FrameReferenceTime points at the mean of the decaying activity in a frame on most scanners
    and at the frame's start on others. DecayFactor tells which, as it spans the time from the
    reference to that mean; without it the series' own time does where it fits one of the two;
    else GE's scanners, and those whose first frame has 0, are taken to write the start.
    """
    frames = [frame for header in headers if (frame := _frame(header, injection)) is not None]
    if not frames:
        return COMPUTED, None
    by_mean = _median([f.acquired + timedelta(seconds=f.mean_s - f.offset_s) for f in frames])
    by_start = _median([f.acquired - timedelta(seconds=f.offset_s) for f in frames])
    told = [
        f.acquired + timedelta(seconds=f.mean_s - f.decay_s)
        for f in frames
        if f.decay_s is not None
    ]
    evidence = _median(told) if told else series_time(headers[0])
    mean_off_s = abs((by_mean - evidence).total_seconds()) if evidence else math.inf
    start_off_s = abs((by_start - evidence).total_seconds()) if evidence else math.inf
    if min(mean_off_s, start_off_s) <= confirmed_s:
        is_start = start_off_s < mean_off_s
    else:
        maker = text(headers[0], "Manufacturer").lower()
        is_start = maker.startswith("ge ") or min(f.offset_s for f in frames) == 0.0
    return (COMPUTED_GE, by_start) if is_start else (COMPUTED, by_mean)


@dataclass(frozen=True, slots=True)
class _Frame:
    """When one slice was acquired, and what it says of the time it was corrected to."""

    acquired: datetime
    offset_s: float
    """FrameReferenceTime."""
    mean_s: float
    """From the frame's start to the mean of its decaying activity."""
    decay_s: float | None
    """From the reference to that mean, as DecayFactor tells; None without one above 1."""


def _frame(header: Dataset, injection: Injection) -> _Frame | None:
    at, offset = acquired(header), number(header, "FrameReferenceTime")
    if at is None or offset is None:
        return None
    duration = number(header, "ActualFrameDuration")
    factor = number(header, "DecayFactor")
    if abs(offset) > LONGEST_MS or not 0.0 < (1.0 if duration is None else duration) < LONGEST_MS:
        raise InvalidInput(
            f"{where(header)}: wanted FrameReferenceTime and a positive ActualFrameDuration of at "
            f"most {LONGEST_MS:g} ms, got {offset:g} and {duration}; export it again"
        )
    return _Frame(
        acquired=at,
        offset_s=offset / 1e3,
        mean_s=mean_activity_s(injection.half_life_s, duration / 1e3) if duration else 0.0,
        decay_s=math.log2(factor) * injection.half_life_s if factor and factor > 1.0 else None,
    )


def _median(times: Sequence[datetime]) -> datetime:
    return sorted(times)[len(times) // 2]


def chosen(
    references: Sequence[Reference], options: ReadOptions, notes: list[str], what: str
) -> Reference:
    """The first, most trusted one; others that disagree with it are named as an assumption."""
    trusted = [r for r in references if r.name not in (SERIES_TIME, EARLIEST)]
    fallback = [r for r in references if r.name in (SERIES_TIME, EARLIEST)]
    if not references:
        raise MissingAttribute(
            f"{what}: wanted a time of decay correction, got no AcquisitionTime, "
            "FrameReferenceTime or SeriesTime with its date; give --reference-at"
        )
    chosen = trusted[0] if trusted else min(fallback, key=lambda r: r.at)
    if not trusted:
        notes.append(
            f"time of decay correction was taken from {chosen.name}; no better one is there"
        )
    if chosen.name == GIVEN:
        notes.append("time of decay correction was given by the user")
    limit = options.protocol.suv.reference_disagreement_s
    for other in references:
        apart = spread_s([chosen, other])
        if apart > limit:
            notes.append(
                f"time of decay correction: {chosen.name} was used; {other.name} is "
                f"{apart:.0f} s {'later' if other.at > chosen.at else 'earlier'}"
            )
    return chosen

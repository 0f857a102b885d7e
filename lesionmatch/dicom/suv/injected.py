"""When the radiopharmaceutical was injected, and whether imaging came a believable time later.

Nothing is repaired in silence: what is taken other than as it stands is an assumption.
"""

from datetime import datetime, time, timedelta

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import number, parse_datetime, parse_time, parse_zone, text
from lesionmatch.dicom.options import Override, ReadOptions
from lesionmatch.dicom.series.nuclide import nuclide_of
from lesionmatch.dicom.suv.said import Said, minutes_between, private, zone_of
from lesionmatch.errors import InvalidInput, MissingAttribute
from lesionmatch.suv import HALF_LIFE_S, LONG_HALF_LIFE_S, Injection

START_DATETIME, START_TIME = "RadiopharmaceuticalStartDateTime", "RadiopharmaceuticalStartTime"


def injected(
    dataset: Dataset,
    agent: Dataset,
    first_acquired: datetime | None,
    options: ReadOptions,
    said: Said,
    what: str,
) -> tuple[datetime, str]:
    """When the dose was given, and where that is said."""
    at = options.injected_at
    if at is None:
        found = _stored_injection(dataset, agent, first_acquired, said.notes, what)
        said.notes += _clock_notes(dataset, agent, options)
        return found
    try:
        stored, _ = _stored_injection(dataset, agent, first_acquired, [], what)
    except InvalidInput:
        stored = None
    before = [
        None if one is None or first_acquired is None else minutes_between(one, first_acquired)
        for one in (at, stored)
    ]
    given = "unknown distance from imaging" if before[0] is None else before[0]
    override = Override("--injected-at", "min before imaging", given, before[1])
    said.given("time of injection", override)
    return at, "given by the user"


def _clock_notes(dataset: Dataset, agent: Dataset, options: ReadOptions) -> list[str]:
    """Notes where the clock that RadiopharmaceuticalStartDateTime went by is in doubt."""
    written = text(agent, START_DATETIME)
    at = parse_datetime(written, zone_of(dataset))
    if at is None:
        return []
    notes = []
    if parse_zone(written[-5:]) is not None and zone_of(dataset) is None:
        notes.append(
            f"{START_DATETIME} has an offset from UTC and the scanner's clock has none; it was "
            "taken to be of that clock"
        )
    clock = parse_time(text(agent, START_TIME))
    if clock is None:
        return notes
    if _lacks_clock(at, clock):
        return [*notes, f"{START_DATETIME} has a day alone; {START_TIME} was used with it"]
    later = datetime.combine(at.date(), clock) - at
    later -= timedelta(days=round(later / timedelta(days=1)))
    if abs(later.total_seconds()) > options.protocol.suv.reference_disagreement_s:
        notes.append(
            f"{START_TIME} is {abs(later.total_seconds()) / 60.0:.0f} min "
            f"{'later' if later > timedelta(0) else 'earlier'} than {START_DATETIME}, which was "
            "used"
        )
    return notes


def _lacks_clock(at: datetime, clock: time | None) -> bool:
    """Whether a date and time is of midnight because only its day was filled in."""
    return at.time() == time.min and clock not in (None, time.min)


def _stored_injection(
    dataset: Dataset,
    agent: Dataset,
    first_acquired: datetime | None,
    notes: list[str],
    what: str,
) -> tuple[datetime, str]:
    """When the header says that the dose was given, and in which attribute."""
    zone = zone_of(dataset)
    found = parse_datetime(text(agent, START_DATETIME), zone)
    clock = parse_time(text(agent, START_TIME))
    if found is not None:
        if clock is not None and _lacks_clock(found, clock):
            found = datetime.combine(found.date(), clock)
        return _plausible_day(found, first_acquired, agent, notes), START_DATETIME
    if clock is not None and first_acquired is not None:
        return _on_its_day(clock, first_acquired, agent, notes, what), START_TIME
    own = parse_datetime(private(dataset, "GEMS_PETD_01", 0x0009, 0x3B, "ge "), zone)
    if own is not None:
        return own, "GE's administration time (0009,103B)"
    got, remedy = "neither", "give --injected-at"
    if clock is not None:
        got = "a time, and no day of imaging to go with it"
        remedy = "give --injected-at and --reference-at, each with its day"
    raise MissingAttribute(
        f"{what}: wanted RadiopharmaceuticalStartDateTime or StartTime, got {got}; {remedy}"
    )


def _on_its_day(
    clock: time, acquired: datetime, agent: Dataset, notes: list[str], what: str
) -> datetime:
    """The last such time before imaging. Raises `InvalidInput` where a nuclide lives for days."""
    at = datetime.combine(acquired.date(), clock)
    if at > acquired:
        _require_short_lived(agent, what)
        notes.append("injection is later in the day than imaging and was taken as the day before")
        return at - timedelta(days=1)
    if _is_long_lived(agent):
        notes.append("of the injection only the time is known; its day was taken as imaging's")
    return at


def _is_long_lived(agent: Dataset) -> bool:
    half_life = number(agent, "RadionuclideHalfLife") or HALF_LIFE_S.get(nuclide_of(agent) or "")
    return half_life is not None and half_life >= LONG_HALF_LIFE_S


def _require_short_lived(agent: Dataset, what: str) -> None:
    if _is_long_lived(agent):
        raise InvalidInput(
            f"{what}: wanted the day of injection for a nuclide that lives for days, got its time "
            "only; give --injected-at"
        )


def _plausible_day(
    found: datetime, acquired: datetime | None, agent: Dataset, notes: list[str]
) -> datetime:
    """`found`, or, where its day cannot be, the same time on the last day before imaging.

    De-identification often moves one of two dates. That is put right only for a nuclide
    that would be gone otherwise; the window of uptake times is checked afterwards.
    """
    if acquired is None or _is_long_lived(agent):
        return found
    if timedelta(0) <= acquired - found < timedelta(hours=24):
        return found
    moved = datetime.combine(acquired.date(), found.time())
    if moved > acquired:
        moved -= timedelta(days=1)
    notes.append("day of injection does not fit the day of imaging; only its time was used")
    return moved


def check_uptake(injection: Injection, imaged: datetime, options: ReadOptions, what: str) -> float:
    """Minutes from injection to imaging. Raises `InvalidInput` outside the protocol's window."""
    rules = options.protocol.suv
    minutes = minutes_between(injection.at, imaged)
    is_long = injection.half_life_s >= LONG_HALF_LIFE_S
    most = rules.most_uptake_long_min if is_long else rules.most_uptake_min
    if not rules.least_uptake_min <= minutes <= most:
        raise InvalidInput(
            f"{what}: wanted imaging {rules.least_uptake_min:g} to {most:g} min after injection, "
            f"got {minutes:.1f} min; give --injected-at, or change [suv] in a protocol file"
        )
    return minutes

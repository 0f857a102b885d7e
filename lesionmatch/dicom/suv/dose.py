"""What the headers of a PET series say about dose, weight and times, made believable or refused.

Nothing is repaired in silence: what is taken other than as it stands is an assumption.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from lesionmatch.dicom.files.values import (
    items,
    number,
    parse_datetime,
    parse_time,
    parse_zone,
    text,
    words,
)
from lesionmatch.dicom.options import Override, ReadOptions
from lesionmatch.dicom.series.nuclide import nuclide_of
from lesionmatch.errors import InvalidInput, MissingAttribute
from lesionmatch.suv import HALF_LIFE_S, LONG_HALF_LIFE_S, Body, Injection

MBQ = 1e6


@dataclass(slots=True)
class Said:
    """What is gathered while headers are read: assumptions, and what the user put in place."""

    notes: list[str] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)

    def given(self, name: str, override: Override) -> None:
        """Record a value of the user's, as an override and in words."""
        self.overrides.append(override)
        self.notes.append(override.note(name))


@dataclass(frozen=True, slots=True)
class Administration:
    """Dose, body and what had to be assumed for them."""

    injection: Injection
    body: Body
    nuclide: str | None
    dose_from: str
    injected_from: str
    said: Said


def zone_of(dataset: Dataset) -> timedelta | None:
    """The scanner's offset from UTC, where the header has it."""
    return parse_zone(text(dataset, "TimezoneOffsetFromUTC"))


def administration(
    dataset: Dataset, first_acquired: datetime | None, options: ReadOptions, what: str
) -> Administration:
    """Dose, time of injection, half-life and body of the patient of `dataset`.

    Raises `MissingAttribute` or `InvalidInput`, each with its remedy.
    """
    agents = items(dataset, "RadiopharmaceuticalInformationSequence")
    if len(agents) > 1:
        raise InvalidInput(
            f"{what}: wanted one radiopharmaceutical, got {len(agents)}; its SUV is not "
            "defined, choose another series"
        )
    agent = agents[0] if agents else Dataset()
    said = Said()
    nuclide, half_life_s = _half_life(agent, options, said, what)
    dose_bq, dose_from = _dose(agent, options, said, what)
    body = body_of(dataset, options, said, what)
    at, injected_from = _injected(dataset, agent, first_acquired, options, said, what)
    injection = Injection(dose_bq, half_life_s, at)
    return Administration(injection, body, nuclide, dose_from, injected_from, said)


def body_of(dataset: Dataset, options: ReadOptions, said: Said, what: str) -> Body:
    """The patient's body. Raises `InvalidInput` without a weight that can be believed."""
    weight_kg = _weight_kg(dataset, options, said, what)
    height_m = _height_m(dataset, options, said, what)
    return Body(weight_kg, height_m, _sex(dataset, options, said))


def _height_m(dataset: Dataset, options: ReadOptions, said: Said, what: str) -> float | None:
    rules = options.protocol.suv
    height = _lenient(dataset, "PatientSize")
    is_cm = height is not None and height > rules.centimetres_from
    if height is not None and is_cm:
        height /= 100.0
    if height is not None and not rules.least_height_m <= height <= rules.most_height_m:
        height = None
    if options.height_m is not None:
        if not rules.least_height_m <= options.height_m <= rules.most_height_m:
            raise InvalidInput(
                f"{what}: wanted a height of {rules.least_height_m:g} to "
                f"{rules.most_height_m:g} m, got {options.height_m:g}; give --height-m in metres"
            )
        said.given("patient's height", Override("--height-m", "m", options.height_m, height))
        return options.height_m
    if is_cm and height is not None:
        said.notes.append(
            f"PatientSize is above {rules.centimetres_from:g} and was taken as centimetres"
        )
    return height


def _sex(dataset: Dataset, options: ReadOptions, said: Said) -> str:
    stored = text(dataset, "PatientSex").upper()
    if options.sex is None:
        return stored
    said.given("patient's sex", Override("--sex", "", options.sex, stored or None))
    return options.sex


def _weight_kg(dataset: Dataset, options: ReadOptions, said: Said, what: str) -> float:
    rules = options.protocol.suv
    if options.weight_kg is not None:
        stored = _lenient(dataset, "PatientWeight")
        said.given("patient's weight", Override("--weight-kg", "kg", options.weight_kg, stored))
        weight = options.weight_kg
    else:
        found = number(dataset, "PatientWeight")
        if found is None:
            raise MissingAttribute(
                f"{what}: wanted PatientWeight for SUV, got nothing; give --weight-kg"
            )
        weight = found
        if weight > rules.grams_from:
            weight /= 1000.0
            said.notes.append(f"PatientWeight is above {rules.grams_from:g} and was taken as grams")
    if not rules.least_weight_kg <= weight <= rules.most_weight_kg:
        raise InvalidInput(
            f"{what}: wanted a weight of {rules.least_weight_kg:g} to {rules.most_weight_kg:g} kg, "
            f"got {weight:g}; give --weight-kg"
        )
    return weight


def _lenient(dataset: Dataset, keyword: str) -> float | None:
    """A number that is not needed where the user gives his own: malformed is as if absent."""
    try:
        return number(dataset, keyword)
    except InvalidInput:
        return None


def _dose(agent: Dataset, options: ReadOptions, said: Said, what: str) -> tuple[float, str]:
    rules = options.protocol.suv
    if options.dose_mbq is not None:
        stored = _lenient(agent, "RadionuclideTotalDose")
        mbq = None if stored is None else stored / MBQ
        said.given("dose", Override("--dose-mbq", "MBq", options.dose_mbq, mbq))
        found, source = options.dose_mbq * MBQ, "given by the user"
    else:
        stored = number(agent, "RadionuclideTotalDose")
        if stored is None:
            raise MissingAttribute(
                f"{what}: wanted RadionuclideTotalDose, got nothing; give --dose-mbq"
            )
        found, source = stored, "RadionuclideTotalDose"
        if rules.least_dose_mbq <= found <= rules.most_dose_mbq:
            said.notes.append(
                f"RadionuclideTotalDose of {found:g} is too small for Bq and was taken as MBq"
            )
            found *= MBQ
    if found <= 0.0:
        raise InvalidInput(f"{what}: wanted a positive dose, got {found:g} Bq; give --dose-mbq")
    if not rules.least_dose_mbq <= found / MBQ <= rules.most_dose_mbq:
        raise InvalidInput(
            f"{what}: wanted a dose of {rules.least_dose_mbq:g} to {rules.most_dose_mbq:g} MBq, "
            f"got {found:g} Bq, which is in the wrong unit or wrong; give --dose-mbq"
        )
    return found, source


def _half_life(
    agent: Dataset, options: ReadOptions, said: Said, what: str
) -> tuple[str | None, float]:
    rules = options.protocol.suv
    nuclide = nuclide_of(agent)
    known = HALF_LIFE_S.get(nuclide or "")
    if options.half_life_s is not None:
        stored = _lenient(agent, "RadionuclideHalfLife")
        said.given("half-life", Override("--half-life-s", "s", options.half_life_s, stored))
        return nuclide, options.half_life_s
    found = number(agent, "RadionuclideHalfLife")
    if found is None or found == 0.0:
        if known is None:
            raise MissingAttribute(
                f"{what}: wanted RadionuclideHalfLife or a nuclide's code, got neither; "
                "give --half-life-s"
            )
        said.notes.append(f"half-life is absent; that of {nuclide}, {known:g} s, was taken")
        return nuclide, known
    if found < 0.0:
        raise InvalidInput(
            f"{what}: wanted a positive half-life, got {found:g} s; give --half-life-s"
        )
    off = 0.0 if known is None else abs(found / known - 1.0)
    if off > rules.half_life_refuse:
        raise InvalidInput(
            f"{what}: wanted the half-life of {nuclide}, {known:g} s, got {found:g} s; "
            "give --half-life-s"
        )
    if off > rules.half_life_warn:
        said.notes.append(f"half-life of {found:g} s differs by {off:.1%} from that of {nuclide}")
    return nuclide, found


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


def _injected(
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
    given = "unknown" if before[0] is None else before[0]
    override = Override("--injected-at", "min before imaging", given, before[1])
    said.given("time of injection", override)
    return at, "given by the user"


def _clock_notes(dataset: Dataset, agent: Dataset, options: ReadOptions) -> list[str]:
    """Notes where the clock that RadiopharmaceuticalStartDateTime went by is in doubt."""
    written = text(agent, "RadiopharmaceuticalStartDateTime")
    at = parse_datetime(written, zone_of(dataset))
    if at is None:
        return []
    notes = []
    if parse_zone(written[-5:]) is not None and zone_of(dataset) is None:
        notes.append(
            "RadiopharmaceuticalStartDateTime has an offset from UTC and the scanner's clock has "
            "none; it was taken to be of that clock"
        )
    clock = parse_time(text(agent, "RadiopharmaceuticalStartTime"))
    if clock is None:
        return notes
    if _lacks_clock(at, clock):
        return [
            *notes,
            "RadiopharmaceuticalStartDateTime has a day alone; RadiopharmaceuticalStartTime was "
            "used with it",
        ]
    later = datetime.combine(at.date(), clock) - at
    later -= timedelta(days=round(later / timedelta(days=1)))
    if abs(later.total_seconds()) > options.protocol.suv.reference_disagreement_s:
        notes.append(
            f"RadiopharmaceuticalStartTime is {abs(later.total_seconds()) / 60.0:.0f} min "
            f"{'later' if later > timedelta(0) else 'earlier'} than "
            "RadiopharmaceuticalStartDateTime, which was used"
        )
    return notes


def _lacks_clock(at: datetime, clock: time | None) -> bool:
    """Whether a date and time is of midnight because only its day was filled in."""
    return at.time() == time.min and clock not in (None, time.min)


def minutes_between(start: datetime, stop: datetime) -> float:
    """Minutes from `start` to `stop`."""
    return (stop - start).total_seconds() / 60.0


def _stored_injection(
    dataset: Dataset,
    agent: Dataset,
    first_acquired: datetime | None,
    notes: list[str],
    what: str,
) -> tuple[datetime, str]:
    """When the header says that the dose was given, and in which attribute."""
    zone = zone_of(dataset)
    found = parse_datetime(text(agent, "RadiopharmaceuticalStartDateTime"), zone)
    clock = parse_time(text(agent, "RadiopharmaceuticalStartTime"))
    if found is not None:
        source = "RadiopharmaceuticalStartDateTime"
        if clock is not None and _lacks_clock(found, clock):
            found = datetime.combine(found.date(), clock)
        return _plausible_day(found, first_acquired, agent, notes), source
    if clock is not None and first_acquired is not None:
        at = datetime.combine(first_acquired.date(), clock)
        if at > first_acquired:
            _require_short_lived(agent, what)
            at -= timedelta(days=1)
            notes.append(
                "injection is later in the day than imaging and was taken as the day before"
            )
        elif _is_long_lived(agent):
            notes.append("of the injection only the time is known; its day was taken as imaging's")
        return at, "RadiopharmaceuticalStartTime"
    own = parse_datetime(private(dataset, "GEMS_PETD_01", 0x0009, 0x3B, "ge "), zone)
    if own is not None:
        return own, "GE's administration time (0009,103B)"
    got = "neither" if clock is None else "a time, and no day of imaging to go with it"
    raise MissingAttribute(
        f"{what}: wanted RadiopharmaceuticalStartDateTime or StartTime, got {got}; "
        "give --injected-at"
    )


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

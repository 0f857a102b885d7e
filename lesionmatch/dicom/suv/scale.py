"""From a PET series' headers to the factor that makes each slice SUVbw, with its provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import number, required, text
from lesionmatch.dicom.options import Override, ReadOptions
from lesionmatch.dicom.series.agreement import (
    PIXELS,
    contradiction,
    require_agreement,
    require_sane_slopes,
)
from lesionmatch.dicom.suv.agent import require_one_agent
from lesionmatch.dicom.suv.body import body_of
from lesionmatch.dicom.suv.dose import Administration, administration
from lesionmatch.dicom.suv.injected import check_uptake
from lesionmatch.dicom.suv.said import Said, minutes_between, private
from lesionmatch.dicom.suv.times import (
    GIVEN,
    acquired,
    chosen,
    reference_times,
    series_time,
    slice_notes,
)
from lesionmatch.errors import InvalidInput, MissingAttribute
from lesionmatch.suv import (
    BodySize,
    Reference,
    factor_admin,
    factor_none,
    factor_start,
    to_body_weight,
)

READABLE = "BQML, GML, CM2ML, or CNTS with Philips' factors"
PHILIPS = "Philips PET Private Group"
ALIKE = (
    "Units", "SUVType", "DecayCorrection", "CorrectedImage", "AttenuationCorrected", "SeriesType",
    "PatientWeight", "PatientSize", "SeriesDate", "SeriesTime", "TimezoneOffsetFromUTC",
    "DecayCorrectionDateTime", "Manufacturer", "ReconstructionMethod", "ConvolutionKernel",
)  # fmt: skip
"""What all slices of a PET series say alike, besides what all images do."""
MEAN_OF_BOTH = "sex is not stated; the mean of both formulas for body size was taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuvFacts:
    """How SUV was had; times are relative to the injection, so that no date is in it.

    Of an image that is SUV already nothing is known of dose and times.
    """

    units: str
    decay_correction: str
    suv_type: str
    weight_kg: float | None
    dose_mbq: float | None = None
    dose_from: str = ""
    nuclide: str | None = None
    half_life_s: float | None = None
    injected_from: str = ""
    uptake_min: float | None = None
    """From injection to the start of imaging."""
    references_s: Mapping[str, float] = field(default_factory=dict)
    """Every time the image may be decay-corrected to, in seconds after the injection."""
    reference: str
    """Which of them was used."""
    least_factor: float
    most_factor: float
    """SUVbw of one unit of the image, least and most over the slices."""
    overrides: tuple[Override, ...]
    """What the user gave in place of the header's."""


@dataclass(frozen=True, slots=True, eq=False)
class SuvScale:
    """The factor of each slice, the facts and the assumptions."""

    factors: tuple[float, ...]
    facts: SuvFacts
    assumptions: tuple[str, ...]


def suv_scale(headers: Sequence[Dataset], options: ReadOptions, what: str) -> SuvScale:
    """SUVbw of one unit of rescaled pixel value, for each slice of a PET series.

    Raises `InvalidInput` or `MissingAttribute`, each with its own remedy, where there is no
    SUV to be had.
    """
    require_agreement(headers, (*PIXELS, *ALIKE), what)
    require_one_agent(headers, what)
    require_sane_slopes(headers, what)
    _require_only_slopes(headers, what)
    units = text(headers[0], "Units").upper()
    if units in ("GML", "CM2ML"):
        return _from_suv(headers, units, options, what)
    if units == "CNTS":
        return _from_counts(headers, options, what)
    if units == "BQML":
        return _from_activity(headers, (1.0,) * len(headers), units, options, what)
    got = units or "none"
    raise InvalidInput(
        f"{what}: wanted units {READABLE}, got {got}; it has no SUV, export one that has"
    )


def _require_only_slopes(headers: Sequence[Dataset], what: str) -> None:
    for header in headers:
        required(header, "RescaleSlope", "export it from the scanner's own archive")
        intercept = number(header, "RescaleIntercept") or 0.0
        if intercept != 0.0:
            raise InvalidInput(
                f"{what}: wanted RescaleIntercept 0, as PET images have, got {intercept:g}; "
                "export it from the scanner's own archive"
            )


def _from_suv(headers: Sequence[Dataset], units: str, options: ReadOptions, what: str) -> SuvScale:
    stored = text(headers[0], "SUVType").upper()
    default = "BW" if units == "GML" else "BSA"
    notes = [] if stored else [f"SUVType is absent; {units} was taken as by {default}"]
    try:
        size = BodySize(stored or default)
    except ValueError as error:
        known = ", ".join(size.value for size in BodySize)
        raise InvalidInput(
            f"{what}: wanted SUVType {known}, got {stored}; export it in Bq/ml"
        ) from error
    scale, weight = 1.0, number(headers[0], "PatientWeight")
    said = Said(notes)
    if size is not BodySize.WEIGHT:
        body = body_of(headers[0], options, said, what)
        scale, weight = to_body_weight(body, size), body.weight_kg
        if size is not BodySize.SURFACE and body.sex.upper() not in ("M", "F"):
            notes.append(MEAN_OF_BOTH)
    notes += _without_effect(options, said.overrides, f"units {units} are SUV already")
    facts = SuvFacts(
        units=units,
        decay_correction=text(headers[0], "DecayCorrection").upper(),
        suv_type=size.value,
        weight_kg=weight,
        reference="the scanner's own SUV",
        least_factor=scale,
        most_factor=scale,
        overrides=tuple(said.overrides),
    )
    return SuvScale((scale,) * len(headers), facts, tuple(notes))


def _from_counts(headers: Sequence[Dataset], options: ReadOptions, what: str) -> SuvScale:
    direct = _philips_factors(headers, 0x00, what)
    if all(direct):
        facts = _counts_facts(headers, direct)
        notes = _without_effect(options, (), "Philips' SUV factor was used")
        return SuvScale(tuple(direct), facts, tuple(notes))
    activity = _philips_factors(headers, 0x09, what)
    if not all(activity):
        raise MissingAttribute(
            f"{what}: wanted Philips' SUV factor (7053,1000) or activity factor (7053,1009) for "
            "units CNTS, got neither; export it with private attributes"
        )
    return _from_activity(headers, activity, "CNTS", options, what)


def _philips_factors(headers: Sequence[Dataset], offset: int, what: str) -> list[float]:
    """A private factor of each slice, zeros where there is none. Raises `InconsistentSeries`."""
    found = [_philips(header, offset) for header in headers]
    if len(set(found)) > 1:
        raise contradiction(f"Philips' private factor (7053,10{offset:02X})", what)
    return found


def _philips(header: Dataset, offset: int) -> float:
    found = private(header, PHILIPS, 0x7053, offset, "philips")
    try:
        value = float(found.split("\\")[0])
    except ValueError:
        return 0.0
    return value if 0.0 < value < float("inf") else 0.0


def _counts_facts(headers: Sequence[Dataset], factors: Sequence[float]) -> SuvFacts:
    return SuvFacts(
        units="CNTS",
        decay_correction=text(headers[0], "DecayCorrection").upper(),
        suv_type="BW",
        weight_kg=number(headers[0], "PatientWeight"),
        reference="Philips' SUV factor (7053,1000)",
        least_factor=min(factors),
        most_factor=max(factors),
        overrides=(),
    )


def _without_effect(options: ReadOptions, used: Sequence[Override], why: str) -> list[str]:
    """A sentence for each value of the user's that changes nothing."""
    known = {override.option for override in used}
    return [
        f"{option} has no effect on SUV by body weight: {why}"
        for option, value in options.given.items()
        if option not in known | {"--height-m", "--sex"} and value is not None
    ]


def _from_activity(
    headers: Sequence[Dataset],
    becquerels: Sequence[float],
    units: str,
    options: ReadOptions,
    what: str,
) -> SuvScale:
    correction = text(headers[0], "DecayCorrection").upper()
    times = [acquired(header) for header in headers]
    known = [time for time in times if time is not None]
    first = min(known) if known else series_time(headers[0])
    given = administration(headers[0], first, options, what)
    references: tuple[Reference, ...] = ()
    name = "the injection"
    if correction == "ADMIN":
        own = [factor_admin(given.injection, given.body.weight_kg)] * len(headers)
    elif correction == "NONE":
        name = "each slice's own acquisition"
        check_uptake(given.injection, max(known, default=given.injection.at), options, what)
        own = _not_corrected(headers, times, given, what)
    elif correction == "START":
        references, reference = _reference(headers, given, options, what)
        name, first = reference.name, first or reference.at
        own = [factor_start(given.injection, given.body.weight_kg, reference.at)] * len(headers)
    else:
        raise InvalidInput(
            f"{what}: wanted DecayCorrection START, ADMIN or NONE, got {correction or 'none'}; "
            "its SUV is not defined, choose another series"
        )
    given.said.notes += _contradictions(headers[0], correction, what)
    if correction != "START" and options.reference_at is not None:
        given.said.notes.append(f"--reference-at has no effect: DecayCorrection is {correction}")
    imaged = _imaged(first, references, name)
    uptake = None if imaged is None else check_uptake(given.injection, imaged, options, what)
    factors = tuple(one * bq for one, bq in zip(own, becquerels, strict=True))
    facts = _facts(units, correction, given, uptake, references, name, factors)
    return SuvScale(factors, facts, tuple(given.said.notes))


def _reference(
    headers: Sequence[Dataset], given: Administration, options: ReadOptions, what: str
) -> tuple[tuple[Reference, ...], Reference]:
    """Every time the series may have been decay-corrected to, and the one used; what there is to
    say of them is added to what is said already."""
    references = reference_times(headers, given.injection, options)
    given.said.notes += slice_notes(headers, given.injection, options)
    reference = chosen(references, options, given.said.notes, what)
    if options.reference_at is not None:
        override = _reference_override(references, given.injection.at, options, what)
        given.said.overrides.append(override)
    check_uptake(given.injection, reference.at, options, what)
    return references, reference


def _reference_override(
    references: Sequence[Reference], injected: datetime, options: ReadOptions, what: str
) -> Override:
    """The user's time of decay correction beside the one that would have been used."""
    own = [reference for reference in references if reference.name != GIVEN]
    header = minutes_between(injected, chosen(own, options, [], what).at) if own else None
    given = minutes_between(injected, options.reference_at or injected)
    return Override("--reference-at", "min after injection", given, header)


def _imaged(first: datetime | None, references: Sequence[Reference], name: str) -> datetime | None:
    """When imaging began: the earlier of the first slice and the decay reference."""
    used = [reference.at for reference in references if reference.name == name]
    return min([*used, *([first] if first else [])], default=None)


def _facts(
    units: str,
    correction: str,
    given: Administration,
    uptake: float | None,
    references: Sequence[Reference],
    name: str,
    factors: Sequence[float],
) -> SuvFacts:
    at = given.injection.at
    return SuvFacts(
        units=units,
        decay_correction=correction,
        suv_type="BW",
        weight_kg=given.body.weight_kg,
        dose_mbq=given.injection.dose_bq / 1e6,
        dose_from=given.dose_from,
        nuclide=given.nuclide,
        half_life_s=given.injection.half_life_s,
        injected_from=given.injected_from,
        uptake_min=uptake,
        references_s={r.name: (r.at - at).total_seconds() for r in references},
        reference=name,
        least_factor=min(factors),
        most_factor=max(factors),
        overrides=tuple(given.said.overrides),
    )


def _contradictions(header: Dataset, correction: str, what: str) -> list[str]:
    """A note where the header says that the image was corrected for decay and that it was not.

    Raises `InvalidInput` where it was to be and was not.
    """
    stated = text(header, "CorrectedImage").upper().split("\\")
    if correction == "NONE" and "DECY" in stated:
        return [
            "CorrectedImage says DECY, DecayCorrection NONE; the image was taken as not corrected"
        ]
    if correction != "NONE" and stated != [""] and "DECY" not in stated:
        raise InvalidInput(
            f"{what}: wanted DECY in CorrectedImage where DecayCorrection is {correction}, got "
            "none; the header contradicts itself, ask the site"
        )
    return []


def _not_corrected(
    headers: Sequence[Dataset],
    times: Sequence[datetime | None],
    given: Administration,
    what: str,
) -> list[float]:
    found = []
    for header, at in zip(headers, times, strict=True):
        duration_ms = number(header, "ActualFrameDuration")
        if at is None or duration_ms is None:
            raise MissingAttribute(
                f"{what}: wanted AcquisitionTime and ActualFrameDuration in every slice, as it is "
                "not decay-corrected, got a slice without; export it again"
            )
        found.append(factor_none(given.injection, given.body.weight_kg, at, duration_ms / 1000.0))
    return found

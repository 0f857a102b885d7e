"""The SUV of a PET series in Bq/ml: from dose, body and the time it was decay-corrected to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import number, text
from lesionmatch.dicom.options import Override, ReadOptions
from lesionmatch.dicom.suv.dose import MBQ, Administration, administration
from lesionmatch.dicom.suv.facts import SuvFacts, SuvScale
from lesionmatch.dicom.suv.injected import check_uptake
from lesionmatch.dicom.suv.said import minutes_between
from lesionmatch.dicom.suv.times import (
    GIVEN,
    acquired,
    chosen,
    reference_times,
    series_time,
    slice_notes,
)
from lesionmatch.errors import InvalidInput, MissingAttribute
from lesionmatch.suv import Reference, factor_admin, factor_none, factor_start


@dataclass(frozen=True, slots=True)
class _Decay:
    """What the decay correction of a series makes of its activity."""

    correction: str
    """DecayCorrection."""
    factors: tuple[float, ...]
    """SUVbw of 1 Bq/ml in each slice."""
    reference: str
    """The time that was used, by name."""
    references: tuple[Reference, ...] = ()
    """Every time there is to choose from."""


def from_activity(
    headers: Sequence[Dataset],
    becquerels: Sequence[float],
    units: str,
    options: ReadOptions,
    what: str,
) -> SuvScale:
    """SUVbw of one unit of each slice, of which `becquerels` per ml make one.

    Raises `InvalidInput` or `MissingAttribute`, each with its own remedy, where there is no
    SUV to be had.
    """
    times = [time for header in headers if (time := acquired(header)) is not None]
    first = min(times) if times else series_time(headers[0])
    given = administration(headers[0], first, options, what)
    decay = _decay(headers, times, given, options, what)
    given.said.notes += _contradictions(headers[0], decay.correction, what)
    if decay.correction != "START" and options.reference_at is not None:
        given.said.notes.append(
            f"--reference-at has no effect: DecayCorrection is {decay.correction}"
        )
    imaged = _imaged(first, decay)
    uptake = None if imaged is None else check_uptake(given.injection, imaged, options, what)
    factors = tuple(one * bq for one, bq in zip(decay.factors, becquerels, strict=True))
    facts = _facts(units, given, uptake, decay, factors)
    return SuvScale(factors, facts, tuple(given.said.notes))


def _decay(
    headers: Sequence[Dataset],
    times: Sequence[datetime],
    given: Administration,
    options: ReadOptions,
    what: str,
) -> _Decay:
    """By DecayCorrection; `times` are those of acquisition that are known."""
    correction = text(headers[0], "DecayCorrection").upper()
    weight_kg, injection = given.body.weight_kg, given.injection
    if correction == "ADMIN":
        factor = factor_admin(injection, weight_kg)
        return _Decay(correction, (factor,) * len(headers), "the injection")
    if correction == "NONE":
        check_uptake(injection, max(times, default=injection.at), options, what)
        own = _not_corrected(headers, given, what)
        return _Decay(correction, own, "each slice's own acquisition")
    if correction == "START":
        references, used = _reference(headers, given, options, what)
        factor = factor_start(injection, weight_kg, used.at)
        return _Decay(correction, (factor,) * len(headers), used.name, references)
    raise InvalidInput(
        f"{what}: wanted DecayCorrection START, ADMIN or NONE, got {correction or 'none'}; "
        "its SUV is not defined, choose another series"
    )


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


def _imaged(first: datetime | None, decay: _Decay) -> datetime | None:
    """When imaging began: the earlier of the first slice and the decay reference."""
    used = [one.at for one in decay.references if one.name == decay.reference]
    return min([*used, *([first] if first else [])], default=None)


def _facts(
    units: str,
    given: Administration,
    uptake: float | None,
    decay: _Decay,
    factors: Sequence[float],
) -> SuvFacts:
    at = given.injection.at
    return SuvFacts(
        units=units,
        decay_correction=decay.correction,
        suv_type="BW",
        weight_kg=given.body.weight_kg,
        dose_mbq=given.injection.dose_bq / MBQ,
        dose_from=given.dose_from,
        nuclide=given.nuclide,
        half_life_s=given.injection.half_life_s,
        injected_from=given.injected_from,
        uptake_min=uptake,
        references_s={one.name: (one.at - at).total_seconds() for one in decay.references},
        reference=decay.reference,
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
    headers: Sequence[Dataset], given: Administration, what: str
) -> tuple[float, ...]:
    """SUVbw of 1 Bq/ml in each slice, by its own time and length of acquisition."""
    found = []
    for header in headers:
        at, duration_ms = acquired(header), number(header, "ActualFrameDuration")
        if at is None or duration_ms is None:
            raise MissingAttribute(
                f"{what}: wanted AcquisitionTime and ActualFrameDuration in every slice, as it is "
                "not decay-corrected, got a slice without; export it again"
            )
        found.append(factor_none(given.injection, given.body.weight_kg, at, duration_ms / 1000.0))
    return tuple(found)

"""From a PET series' headers to the factor that makes each slice SUVbw, with its provenance."""

from collections.abc import Sequence

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import number, required, text
from lesionmatch.dicom.options import Override, ReadOptions
from lesionmatch.dicom.series.agreement import (
    PIXELS,
    contradiction,
    require_agreement,
    require_sane_slopes,
)
from lesionmatch.dicom.suv.activity import from_activity
from lesionmatch.dicom.suv.agent import require_one_agent
from lesionmatch.dicom.suv.body import body_of
from lesionmatch.dicom.suv.facts import SuvFacts, SuvScale
from lesionmatch.dicom.suv.said import Said, private
from lesionmatch.errors import InvalidInput, MissingAttribute
from lesionmatch.suv import BodySize, to_body_weight

READABLE = "BQML, GML, CM2ML, or CNTS with Philips' factors"
PHILIPS = "Philips PET Private Group"
ALIKE = (
    "Units", "SUVType", "DecayCorrection", "CorrectedImage", "AttenuationCorrected", "SeriesType",
    "PatientWeight", "PatientSize", "SeriesDate", "SeriesTime", "TimezoneOffsetFromUTC",
    "DecayCorrectionDateTime", "Manufacturer", "ReconstructionMethod", "ConvolutionKernel",
)  # fmt: skip
"""What all slices of a PET series say alike, besides what all images do."""
MEAN_OF_BOTH = "sex is not stated; the mean of both formulas for body size was taken"


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
        return from_activity(headers, (1.0,) * len(headers), units, options, what)
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
    return from_activity(headers, activity, "CNTS", options, what)


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

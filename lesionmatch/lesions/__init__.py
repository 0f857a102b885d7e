"""Lesions: what was drawn on the MRI, where it lies on the PET, and its uptake there."""

from lesionmatch.lesions.carried import Carried, carry, widened
from lesionmatch.lesions.drawn import Lesion, equivalent_diameter_mm, lesions_from
from lesionmatch.lesions.uptake import Background, Uptake, krenning, measure

__all__ = [
    "Background",
    "Carried",
    "Lesion",
    "Uptake",
    "carry",
    "equivalent_diameter_mm",
    "krenning",
    "lesions_from",
    "measure",
    "widened",
]

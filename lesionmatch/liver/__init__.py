"""The liver on the MRI: its mask, capsule, vessels, hilum; and its reference uptake on the PET."""

from lesionmatch.liver.describe import Liver, describe_liver
from lesionmatch.liver.mask import find_liver
from lesionmatch.liver.reference import Reference, reference_uptake

__all__ = ["Liver", "Reference", "describe_liver", "find_liver", "reference_uptake"]

"""PET foci found without the lesions, their noise, and the chance of prompted uptake."""

from lesionmatch.foci.field import Field, field_of
from lesionmatch.foci.find import Focus, find_foci
from lesionmatch.foci.null import null_p
from lesionmatch.foci.resolution import Resolution, resolution_mm

__all__ = ["Field", "Focus", "Resolution", "field_of", "find_foci", "null_p", "resolution_mm"]

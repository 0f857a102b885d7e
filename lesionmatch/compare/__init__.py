"""One study, in a straight line: two folders in, one `Comparison` out."""

from lesionmatch.compare.options import METHODS, Options
from lesionmatch.compare.story import Comparison, compare, compare_studies

__all__ = ["METHODS", "Comparison", "Options", "compare", "compare_studies"]

"""From a tree of DICOM files to a cohort: indexed, paired, selected, and every loss accounted for.

`write_cohort` is the verb. Patients have pseudonyms made with a key that stays in the
output folder; see `pseudonyms` for what that protects and what it does not.
"""

from lesionmatch.cohort.options import CohortOptions
from lesionmatch.cohort.verb import Cohort, write_cohort

__all__ = ["Cohort", "CohortOptions", "write_cohort"]

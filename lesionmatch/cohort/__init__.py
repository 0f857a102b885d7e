"""From a tree of DICOM files to a cohort: indexed, paired, selected, and every loss accounted for.

`verb.write_cohort` does it all. Patients have pseudonyms made with a key that stays in the
output folder; see `pseudonyms` for what that protects and what it does not.
"""

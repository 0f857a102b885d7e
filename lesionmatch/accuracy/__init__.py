"""Pure statistics of a test against a reference: counts in, estimates and intervals out.

One function a method, each with its formula's source. Nothing here knows what a lesion,
a study or a file is. A quantity that does not exist is an `Undefined` with the reason,
never NaN; an interval always says by which method it was had. Repeated observations of
one patient are clusters: whatever ends in ``_clustered`` or lives in `clustered` takes
counts by cluster, and everything else takes observations as independent.
"""

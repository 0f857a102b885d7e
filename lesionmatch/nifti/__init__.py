"""NIfTI and NRRD, in and out: the only place with another world than LPS.

NIfTI's world is RAS: x and y point the other way. NRRD names its own. Neither format names
a frame of reference, so the caller says which one the file belongs to. Arrays there are
(column, row, slice); a file's bytes are those of our (slice, row, column) arrays in C order.
"""

from lesionmatch.nifti.reading import FILE, LabelVolume, read_image, read_label_volume, read_labels
from lesionmatch.nifti.stored import LabelName
from lesionmatch.nifti.writing import write

__all__ = [
    "FILE",
    "LabelName",
    "LabelVolume",
    "read_image",
    "read_label_volume",
    "read_labels",
    "write",
]

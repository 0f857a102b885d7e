"""Reading NIfTI-1 and NIfTI-2, whose sizes are held against what the file claims of itself."""

import gzip
import logging
import re
from typing import Any, BinaryIO, Literal

import nibabel as nib
import numpy as np

from lesionmatch.errors import BrokenFile, InvalidInput
from lesionmatch.nifti.stored import LPS_FROM_RAS, MEGABYTE, LabelName, Names, Voxels, require_size
from lesionmatch.protocol import InputLimits

NIFTI_2_HEADER = 540
ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")

logging.getLogger("nibabel.global").disabled = True  # what it logs, we refuse


def read_nifti(file: BinaryIO, limits: InputLimits) -> tuple[list[Voxels], Names]:
    """The one volume of a NIfTI file, and the names it gives to labels.

    Raises `InvalidInput`, or whatever nibabel does, where it cannot be read.
    """
    image = _nifti_image(file, limits)
    header, shape = image.header, image.header.get_data_shape()
    if len(shape) < 3 or any(size != 1 for size in shape[3:]):
        raise InvalidInput(f"NIfTI file: wanted three dimensions, got {len(shape)}")
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        raise InvalidInput(
            "NIfTI file: wanted a place in sform or qform, got neither; write it with its affine"
        )
    array = np.asanyarray(image.dataobj).reshape(shape[:3]).transpose(2, 1, 0)
    matrix = LPS_FROM_RAS @ np.asarray(image.affine, np.float64)
    return [Voxels(array, matrix[:, [2, 1, 0, 3]])], _caret_names(header)


def _nifti_image(file: BinaryIO, limits: InputLimits) -> Any:  # noqa: ANN401 - of either version
    """A file as nibabel has it, its size held against what its header says."""
    head = file.read(2)
    file.seek(0)
    plain: Any = gzip.GzipFile(fileobj=file) if head == b"\x1f\x8b" else file
    first = plain.read(NIFTI_2_HEADER)
    is_second = NIFTI_2_HEADER in (int.from_bytes(first[:4], order) for order in ORDERS)
    kind: Any = nib.Nifti2Image if is_second else nib.Nifti1Image
    header = kind.header_class(first[: kind.header_class.sizeof_hdr])
    voxels = require_size(header.get_data_shape(), header.get_data_dtype().itemsize, limits)
    start = int(header["vox_offset"])
    if not kind.header_class.sizeof_hdr <= start <= limits.header_mb * MEGABYTE:
        raise BrokenFile(
            f"NIfTI file: wanted a header of at most {limits.header_mb:.0f} MB, got {start} bytes"
        )
    # One byte more is asked for, so that a stream is read to its end and its checksum is checked.
    data = first + plain.read(max(start + voxels + 1 - len(first), 0))
    if len(data) != start + voxels:
        raise BrokenFile(
            f"NIfTI file: wanted {start + voxels} bytes, as its header says, got "
            f"{'more' if len(data) > start + voxels else len(data)}; write it again"
        )
    return kind.from_bytes(data)


CARET_LABEL = re.compile(r'<Label[^>]*?Key="(\d+)"[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]+)')


def _caret_names(header: Any) -> dict[tuple[int, int], LabelName]:  # noqa: ANN401 - nibabel
    """Names of labels in the extension that TotalSegmentator and Workbench write."""
    names = {}
    for extension in header.extensions:
        content = extension.get_content()
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
        for key, name in CARET_LABEL.findall(text):
            names[0, int(key)] = LabelName(name.strip())
    return names

"""Images and label maps of NIfTI and NRRD files, on grids of a frame that the caller names."""

import struct
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import nibabel as nib
import nrrd
import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import BrokenFile, InvalidGeometry, InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, LabelMap, Quantity
from lesionmatch.nifti.nifti_file import read_nifti
from lesionmatch.nifti.nrrd_file import read_nrrd
from lesionmatch.nifti.stored import Names, Voxels
from lesionmatch.protocol import InputLimits

FILE = Frame("file")
"""The frame of a file that belongs to none."""
WHOLE_TOL = 1e-3
"""Labels stored as floating point may be this far from a whole number."""

FILE_FAULTS = (
    ValueError, TypeError, LookupError, AttributeError, OSError, EOFError, MemoryError,
    OverflowError, zlib.error, ArithmeticError, RecursionError,
    nib.filebasedimages.ImageFileError, nib.spatialimages.HeaderDataError, nrrd.NRRDError,
    nib.wrapstruct.WrapStructError, struct.error, AssertionError,
)  # fmt: skip
"""What the readers raise on broken files; all of it means: unreadable."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelVolume:
    """The label maps of a file: one, or several that may overlap, and the names it gives."""

    layers: tuple[LabelMap, ...]
    names: Names = field(default_factory=dict)


def read_image(path: Path, quantity: Quantity, frame: Frame = FILE) -> Image:
    """The image of a NIfTI or NRRD file. Raises `InvalidInput` where it cannot be read."""
    with _opened(path) as file:
        voxels = _volumes(file, path.name, InputLimits())[0][0]
    return Image(_placed(voxels, frame, path.name), voxels.array, quantity)


def read_labels(path: Path, frame: Frame = FILE) -> LabelMap:
    """The label map of a NIfTI or NRRD file; the first where it holds several layers.

    Raises `InvalidInput` where it cannot be read or its values are no labels.
    """
    with _opened(path) as file:
        return read_label_volume(file, path.name, frame).layers[0]


def read_label_volume(
    file: BinaryIO, name: str, frame: Frame = FILE, limits: InputLimits | None = None
) -> LabelVolume:
    """All label maps of a NIfTI or NRRD file called `name`, with the names it gives to labels.

    Raises `InvalidInput` where it cannot be read or its values are no labels.
    """
    volumes, names = _volumes(file, name, limits or InputLimits())
    layers = tuple(
        LabelMap(_placed(voxels, frame, name), _labels(voxels.array)) for voxels in volumes
    )
    return LabelVolume(layers, names)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidInput(f"file: wanted one that can be read, got {error.strerror}") from error


def _placed(voxels: Voxels, frame: Frame, name: str) -> Grid:
    try:
        return voxels.grid(frame)
    except InvalidGeometry as error:
        raise InvalidInput(f"{_kind(name)} file: wanted a grid, got {error}") from error


def _kind(name: str) -> str:
    """What a message calls a file, without its name."""
    return "NRRD" if name.lower().endswith(".nrrd") else "NIfTI"


def _labels(array: NDArray[Any]) -> NDArray[np.uint16]:
    """Values as labels. Raises `InvalidInput` unless they are whole and from 0 to 65535."""
    if array.dtype.kind not in "iub":
        if not np.isfinite(array).all() or np.abs(array - np.rint(array)).max() > WHOLE_TOL:
            raise InvalidInput(
                "label file: wanted whole numbers, got others; is it an image or a probability? "
                "threshold it first"
            )
        array = np.rint(array)
    if array.min() < 0 or array.max() > 65535:
        raise InvalidInput(
            f"label file: wanted labels from 0 to 65535, got {array.min():g} to {array.max():g}"
        )
    return array.astype(np.uint16)


def _volumes(file: BinaryIO, name: str, limits: InputLimits) -> tuple[list[Voxels], Names]:
    reader = read_nrrd if _kind(name) == "NRRD" else read_nifti
    try:
        with warnings.catch_warnings(action="ignore"):
            return reader(file, limits)
    except InvalidInput:
        raise
    except FILE_FAULTS as error:
        raise BrokenFile(
            f"{_kind(name)} file: wanted one that can be read, got a broken one "
            f"({type(error).__name__}); write it again"
        ) from error

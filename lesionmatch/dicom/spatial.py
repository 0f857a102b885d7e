"""DICOM registrations (REG): how other frames of reference lie in the one a file establishes.

A Spatial Registration holds matrices that take points of a source to the registered frame
(PS3.3 C.20.2); a Deformable Spatial Registration goes the other way, from the registered
frame to a source (C.20.3): there a point is shifted as a grid in the registered frame says
at its own place, after the first matrix has moved it and before the last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lesionmatch.dicom.files.instance import Instance, read_instance
from lesionmatch.dicom.files.sources import Source
from lesionmatch.dicom.files.values import element, items, numbers, tag_of, text
from lesionmatch.dicom.series.plane import FARTHEST_MM
from lesionmatch.errors import InvalidGeometry, InvalidInput
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.protocol import InputLimits
from lesionmatch.resample import PointMap

RIGID = "1.2.840.10008.5.1.4.1.1.66.1"
DEFORMABLE = "1.2.840.10008.5.1.4.1.1.66.3"
PLACE = ("ImageOrientationPatient", "ImagePositionPatient", "GridDimensions", "GridResolution")
UNIT_TOL = 1e-3
"""Of directions, which are written with a few digits."""
ORDER_TOL = 1e-6
"""Products of matrices that differ by less in any element are the same in either order."""


@dataclass(frozen=True, slots=True, eq=False)
class SpatialRegistration:
    """What a file says of frames of reference."""

    frame: Frame
    """The registered one."""
    maps: tuple[PointMap, ...]
    """Between it and each other frame, in the direction in which the file has it."""
    what: str
    """What a message calls the file."""


def read_spatial_registration(path: Path, limits: InputLimits) -> SpatialRegistration | None:
    """The registrations of a DICOM file; None where the file is no DICOM at all.

    Raises `InvalidInput` where it cannot be read, or holds none.
    """
    if not path.is_file():
        return None
    found = read_instance(Source(path, None, path.stat().st_size), limits)
    if found == "not DICOM":
        return None
    what = f"registration {path.name}"
    dataset = _readable(found, what).dataset
    file = _File(
        what,
        Frame(text(dataset, "FrameOfReferenceUID")),
        "<f4" if dataset.original_encoding[1] is not False else ">f4",
    )
    sop_class = text(dataset, "SOPClassUID")
    sequence, read = READERS.get(sop_class, ("", None))
    if read is None:
        raise InvalidInput(
            f"{what}: wanted a Spatial or Deformable Spatial Registration, got a DICOM file of "
            f"class {sop_class or 'unknown'}; choose another file"
        )
    if not file.frame:
        raise InvalidInput(f"{what}: wanted a Frame of Reference UID, got none; export it again")
    try:
        maps = tuple(read(item, file) for item in items(dataset, sequence) if _source(item))
    except InvalidGeometry as error:
        raise InvalidInput(f"{what}: {error}; export it again") from error
    return SpatialRegistration(file.frame, maps, what)


@dataclass(frozen=True, slots=True)
class _File:
    """What all items of a file share."""

    what: str
    frame: Frame
    number: str
    """How a number is stored, as numpy calls it."""


def _readable(found: Instance | str, what: str) -> Instance:
    fault = found if isinstance(found, str) else found.fault
    if fault or isinstance(found, str):
        raise InvalidInput(
            f"{what}: wanted a DICOM registration that can be read, got {fault}; export it again"
        )
    return found


def _source(item: Dataset) -> Frame:
    """The frame an item is about; empty where it names its images alone."""
    named = text(item, "SourceFrameOfReferenceUID") or text(item, "FrameOfReferenceUID")
    return Frame(named)


def _linear(item: Dataset, file: _File) -> PointMap:
    """The map of an item's frame onto the registered one."""
    matrix = _chained(items(item, "MatrixRegistrationSequence"), file)
    if matrix is None:
        raise InvalidInput(
            f"{file.what}: wanted a matrix for each frame, got none; export it again"
        )
    return PointMap.affine(Transform(file.frame, _source(item), matrix))


def _deformable(item: Dataset, file: _File) -> PointMap:
    """The map of the registered frame onto an item's."""
    before, after = (
        np.eye(4) if (found := _chained(items(item, name), file)) is None else found
        for name in (
            "PreDeformationMatrixRegistrationSequence",
            "PostDeformationMatrixRegistrationSequence",
        )
    )
    whole = PointMap.affine(Transform(_source(item), file.frame, after @ before))
    for one in items(item, "DeformableRegistrationGridSequence")[:1]:
        grid, shifts = _field(one, file)
        # The shift stands behind the first matrix and is looked up before it.
        own = shifts @ np.linalg.inv(before[:3, :3]).T
        whole = whole.after(PointMap.displacement(file.frame, grid, own))
    return whole


READERS: dict[str, tuple[str, Callable[[Dataset, _File], PointMap]]] = {
    RIGID: ("RegistrationSequence", _linear),
    DEFORMABLE: ("DeformableRegistrationSequence", _deformable),
}
"""By class: the sequence of registrations, and what reads an item of it."""


def _chained(registrations: tuple[Dataset, ...], file: _File) -> NDArray[np.float64] | None:
    """The matrix of a registration; None where there is none.

    Several are refused where their order matters: writers do not agree on it.
    """
    matrices = [
        _matrix(item, file) for one in registrations[:1] for item in items(one, "MatrixSequence")
    ]
    if not matrices:
        return None
    forth, back = np.eye(4), np.eye(4)
    for matrix in matrices:
        forth, back = forth @ matrix, matrix @ back
    if np.abs(forth - back).max() > ORDER_TOL:
        raise InvalidInput(
            f"{file.what}: wanted one matrix for each frame, got {len(matrices)} whose order "
            "matters; multiply them and save the product"
        )
    return forth


def _matrix(item: Dataset, file: _File) -> NDArray[np.float64]:
    values = numbers(item, "FrameOfReferenceTransformationMatrix") or ()
    if len(values) != 16:
        raise InvalidInput(
            f"{file.what}: wanted 16 numbers in a matrix, got {len(values)}; export it again"
        )
    if max(map(abs, values)) > FARTHEST_MM:
        raise InvalidInput(
            f"{file.what}: wanted a matrix that moves points by {FARTHEST_MM:g} mm at most, got "
            f"{max(map(abs, values)):g}; export it again"
        )
    return np.array(values).reshape(4, 4)


def _field(item: Dataset, file: _File) -> tuple[Grid, NDArray[np.float64]]:
    """The grid in the registered frame, and (*shape, 3) shifts at it, mm."""
    grid = _grid(item, file)
    stored = element(item, tag_of("VectorGridData"))
    count = 3 * int(np.prod(grid.shape, dtype=np.int64))
    if not isinstance(stored, bytes) or len(stored) != 4 * count:
        raise InvalidInput(
            f"{file.what}: wanted a shift at each of {count // 3} points, got another number; "
            "export it again"
        )
    shifts = np.frombuffer(stored, file.number)
    # What is not finite is not near either.
    if not (np.abs(shifts) <= FARTHEST_MM).all():
        raise InvalidInput(
            f"{file.what}: wanted a shift of {FARTHEST_MM:g} mm at most at each point of the grid, "
            "got points without; fill them in, or export the matrix alone"
        )
    return grid, shifts.astype(np.float64).reshape(*grid.shape, 3)


def _grid(item: Dataset, file: _File) -> Grid:
    """Where shifts are given, in the registered frame."""
    axes, origin, size, spacing = (np.array(numbers(item, name) or ()) for name in PLACE)
    is_whole = (len(axes), len(origin), len(size), len(spacing)) == (6, 3, 3, 3)
    if not is_whole or spacing.min() <= 0.0 or size.min() < 1.0:
        raise InvalidInput(f"{file.what}: wanted a grid with its place, got none; export it again")
    columns, rows = axes[:3], axes[3:]
    skew = float(np.abs(axes.reshape(2, 3) @ axes.reshape(2, 3).T - np.eye(2)).max())
    reach = max(float(np.abs(origin).max()), float((spacing * size).max()))
    if skew > UNIT_TOL or reach > FARTHEST_MM:
        raise InvalidInput(
            f"{file.what}: wanted a grid of perpendicular axes within {FARTHEST_MM:g} mm, got "
            "another; export it again"
        )
    return Grid.of(
        file.frame,
        size[::-1].astype(int).tolist(),
        origin_mm=origin,
        spacing_mm=spacing[::-1],
        directions=np.stack([np.cross(columns, rows), rows, columns], axis=1),
    )

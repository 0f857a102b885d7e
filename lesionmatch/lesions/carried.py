"""Lesions as they are expected to lie on the PET.

Points that sample a lesion's voxels finely are mapped one by one, and a PET voxel belongs
to it where they fill enough of it. No mask is resampled, so a lesion smaller than a voxel is
not lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_closing, distance_transform_edt

from lesionmatch.geometry import Frame, Grid, Points, at_once, require_same_frame
from lesionmatch.image import Mask
from lesionmatch.lesions.drawn import SAMPLE_MM, Lesion
from lesionmatch.protocol import LesionRules

MOST_SAMPLES = 50_000
"""A lesion of more points than this is sampled more coarsely; it is decilitres large."""
LEAST_ACROSS = 4.0
"""Points in a row that tell how much of a voxel is filled: one more or less is a quarter."""
CUBE = np.ones((3, 3, 3), np.bool_)


class Mapping(Protocol):
    """Whatever maps points of one frame onto another, affine or not."""

    @property
    def target(self) -> Frame:
        """Frame of the mapped points."""

    @property
    def source(self) -> Frame:
        """Frame of the given points."""

    def apply(self, points_mm: NDArray[np.float64], /) -> Points:
        """Map (N, 3) points."""


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A lesion as it is expected to lie on the PET."""

    lesion: Lesion
    points_mm: Points
    """(N, 3) points that fill it evenly, in the PET's frame."""
    centroid_mm: NDArray[np.float64]
    """(3,), whether or not the PET covers it."""
    error_mm: float
    """95 % bound of the registration error here."""
    covered: float
    """Share of it inside the PET's grid, 0 to 1."""
    edge_mm: float
    """Least distance of a point of it inside the first and last slice of the PET; negative
    beyond them."""
    extent: Mask | None
    """Its voxels on the PET, trimmed; None where the PET covers nothing of it."""
    search: Mask | None
    """The extent widened by the registration error, trimmed; None as for `extent`."""

    def moved(
        self, offset_mm: ArrayLike, error_mm: float, grid: Grid, rules: LesionRules
    ) -> "Carried":
        """The same lesion with an offset, on a grid of the same frame."""
        return _placed(self.lesion, self.points_mm + np.asarray(offset_mm), error_mm, grid, rules)


def carry(
    lesions: Sequence[Lesion],
    pet_from_mri: Mapping,
    error_mm: Sequence[float],
    grid: Grid,
    rules: LesionRules,
) -> tuple[Carried, ...]:
    """`lesions`, each with the error of the map at its place, on the PET's `grid`.

    Raises `FrameMismatch` where the map does not lead from a lesion to the grid.
    """
    require_same_frame("carrying a lesion", pet_from_mri.target, grid.frame)
    for lesion in lesions:
        require_same_frame("carrying a lesion", pet_from_mri.source, lesion.mask.frame)
    samples = [lesion.samples_mm(_step_mm(lesion, grid)) for lesion in lesions]
    return tuple(
        _placed(lesion, points, error, grid, rules)
        for lesion, points, error in zip(
            lesions, at_once(pet_from_mri.apply, samples), error_mm, strict=True
        )
    )


def _placed(
    lesion: Lesion, points_mm: Points, error_mm: float, grid: Grid, rules: LesionRules
) -> Carried:
    """The lesion that the points sample, on the voxels of `grid`."""
    inside = grid.contains(points_mm)
    extent = None
    if inside.any():
        extent = _extent(points_mm[inside], lesion, len(points_mm), grid, rules.filled_share)
    return Carried(
        lesion=lesion,
        points_mm=points_mm,
        centroid_mm=points_mm.mean(axis=0),
        error_mm=error_mm,
        covered=float(inside.mean()),
        edge_mm=_edge_mm(points_mm, grid),
        extent=extent,
        search=None if extent is None else widened(extent, error_mm, grid),
    )


def widened(mask: Mask, by_mm: float, grid: Grid) -> Mask:
    """The voxels of `grid` within `by_mm` of `mask`, a region on a part of it; trimmed."""
    part = mask.on(grid.crop(grid.box_around(mask.grid.corners_mm(), by_mm)))
    distance = distance_transform_edt(~part.array, sampling=part.grid.spacing_mm)
    return Mask(part.grid, distance <= by_mm).trimmed()


def _step_mm(lesion: Lesion, grid: Grid) -> float:
    """Fine enough to fill the PET's voxels evenly, coarser for a huge lesion."""
    fine = min(SAMPLE_MM, float(grid.spacing_mm.min()) / 4.0)
    return max(fine, float((1000.0 * lesion.volume_ml / MOST_SAMPLES) ** (1.0 / 3.0)))


def _edge_mm(points_mm: Points, grid: Grid) -> float:
    slices = grid.voxels(points_mm)[:, 0]
    inner = min(slices.min() + 0.5, grid.shape[0] - 0.5 - slices.max())
    return float(inner * grid.spacing_mm[0])


def _extent(
    points_mm: Points, lesion: Lesion, samples: int, grid: Grid, filled_share: float
) -> Mask:
    """The voxels that the points fill by this share, or by this share of the fullest."""
    part = grid.crop(grid.box_around(points_mm, 0.0))
    # Grids of whole millimetres put points on the border of voxels; all go to one side.
    voxels = np.floor(part.voxels(points_mm) + 0.5 + 1e-6).astype(int)
    voxels = voxels.clip(0, np.array(part.shape) - 1)
    flat = np.ravel_multi_index(tuple(voxels.T), part.shape)
    count = np.bincount(flat, minlength=int(np.prod(part.shape))).reshape(part.shape)
    filled = count * (lesion.volume_ml / samples / part.voxel_ml)
    array = filled >= filled_share * min(1.0, float(filled.max()))
    return Mask(part, array if _is_dense(samples, lesion, part) else _closed(array)).trimmed()


def _is_dense(samples: int, lesion: Lesion, grid: Grid) -> bool:
    """Whether a voxel holds enough of the lesion's points to tell how much of it is filled."""
    return samples * grid.voxel_ml >= LEAST_ACROSS**3 * lesion.volume_ml * (1.0 - 1e-6)


def _closed(array: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A region without the holes that points leave which are about as far apart as voxels."""
    return np.asarray(binary_closing(np.pad(array, 1), CUBE)[1:-1, 1:-1, 1:-1])

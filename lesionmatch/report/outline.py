"""Smooth outlines of regions, drawn where they are and as large as they are.

A mask's own edge is a staircase of voxels. Its indicator, lightly smoothed, has level sets
that are smooth; the level that keeps the region's volume is taken, so a small lesion is
not shrunk by the smoothing. Lines are found at the picture's own resolution.
"""

from dataclasses import dataclass

import contourpy
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.report.volume import Plane, Volume

SMOOTHING_VOXELS = 1.0
"""SD of the smoothing: the least that leaves no corner of a voxel visible."""

MARGIN_VOXELS = 4
"""Air around a region, wider than the smoothing reaches."""

FINE_BELOW_VOXELS = 400
FINER = 3
"""Smaller regions are sampled this much finer to find the level that keeps the volume."""

Line = NDArray[np.float64]
"""(N, 2) corners, (column, row) in pixels from the picture's top left corner."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A region as a smooth field and the level of its surface."""

    field: Volume
    level: float

    def lines(self, plane: Plane) -> list[Line]:
        """The outline in a plane; none where the plane misses the region."""
        if not self._reaches(plane):
            return []
        values, column, row = self.field.cut_where_it_lies(plane)
        if min(values.shape) < 2 or values.max() <= self.level:
            return []
        lines = contourpy.contour_generator(z=values).lines(self.level)
        # contourpy counts from the first pixel's centre, pictures from its corner.
        corner = np.array([column + 0.5, row + 0.5])
        return [np.asarray(line) + corner for line in lines]

    def _reaches(self, plane: Plane) -> bool:
        across = plane.view.across
        low, high = self.field.first_mm[across], self.field.last_mm[across]
        return bool(low <= plane.centre_mm[across] <= high)


def regions(labels: Volume) -> dict[int, Region]:
    """The region of each label of a label map."""
    array = labels.array.astype(np.int32)
    boxes = ndimage.find_objects(array)
    present = [label for label, box in enumerate(boxes, start=1) if box]
    return {n: _region(labels, array[boxes[n - 1]] == n, boxes[n - 1]) for n in present}


def _region(labels: Volume, inside: NDArray[np.bool_], box: tuple[slice, ...]) -> Region:
    part = np.pad(inside, MARGIN_VOXELS).astype(np.float32)
    field = ndimage.gaussian_filter(part, SMOOTHING_VOXELS)
    first = np.array([span.start - MARGIN_VOXELS for span in box[::-1]])
    first_mm = labels.first_mm + first * labels.spacing_mm
    placed = Volume(field, first_mm, labels.spacing_mm)
    return Region(placed, _level_that_keeps_volume(placed, int(inside.sum())))


def _level_that_keeps_volume(field: Volume, voxels: int) -> float:
    """The level above which as much volume lies as `voxels` have."""
    fine = FINER if voxels < FINE_BELOW_VOXELS else 1
    axes = [
        field.first_mm[axis] + (np.arange(field.array.shape[2 - axis] * fine) / fine) * step
        for axis, step in enumerate(field.spacing_mm)
    ]
    values = field.array if fine == 1 else field.at(axes[0], axes[1], axes[2]).array
    count = voxels * fine**3
    return float(np.partition(values.ravel(), -count)[-count])

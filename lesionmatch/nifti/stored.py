"""What a file of either format holds: voxels as stored, their place, and names of labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.protocol import InputLimits
from lesionmatch.segments import Code

MEGABYTE = 1e6
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class LabelName:
    """What a file calls a label."""

    name: str
    codes: tuple[Code, ...] = ()


Names = Mapping[tuple[int, int], LabelName]
"""By the number of the layer and the label."""


@dataclass(frozen=True, slots=True, eq=False)
class Voxels:
    """An array as stored, (slices, rows, columns), and its place in LPS."""

    array: NDArray[Any]
    world_from_voxel: NDArray[np.float64]

    def grid(self, frame: Frame) -> Grid:
        """Where the voxels lie, in a frame that the file does not name."""
        slices, rows, columns = self.array.shape
        return Grid(frame, (slices, rows, columns), self.world_from_voxel)


def require_size(shape: Sequence[int], bytes_each: int, limits: InputLimits) -> int:
    """The bytes of an array. Raises `InvalidInput` beyond the limits."""
    count = float(np.prod([float(n) for n in shape]))
    size_mb = count * max(bytes_each, 4) / MEGABYTE
    if count < 1 or size_mb > limits.volume_mb:
        raise InvalidInput(
            f"label file: wanted at most {limits.volume_mb:.0f} MB, got {size_mb:.0f} MB; "
            "raise [input] volume_mb"
        )
    return int(count) * bytes_each

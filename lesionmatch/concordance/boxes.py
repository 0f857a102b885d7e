"""Boxes around regions: which of many can be near one another, at a glance."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lesionmatch.image import Mask

Boxes = NDArray[np.float64]
"""(N, 2, 3): the least and the greatest x, y and z of each region, mm."""


def boxes_around(masks: Sequence[Mask]) -> Boxes:
    """The boxes around trimmed masks, half a voxel wider than the centres of their voxels."""
    boxes = np.empty((len(masks), 2, 3))
    for box, mask in zip(boxes, masks, strict=True):
        corners = mask.grid.corners_mm()
        half_mm = mask.grid.spacing_mm.max() / 2.0
        box[0], box[1] = corners.min(axis=0) - half_mm, corners.max(axis=0) + half_mm
    return boxes


def meet(box: NDArray[np.float64], boxes: Boxes, margin_mm: float = 0.0) -> NDArray[np.bool_]:
    """(N,) which of `boxes` come within a margin of `box`, (2, 3)."""
    above = boxes[:, 0] - margin_mm <= box[1]
    below = box[0] - margin_mm <= boxes[:, 1]
    return np.asarray((above & below).all(axis=1))

"""Pairs that do not belong together, for the evidence of a registration to refuse.

Each changes only the MRI of a study, on its own grid and in its own frame, so that nothing
but the anatomy tells the wrong pair from the right one.
"""

from dataclasses import replace

import numpy as np

from lesionmatch.image import Image, Mask
from lesionmatch.phantom.recipe import Recipe, Stream
from lesionmatch.phantom.study import SimulatedStudy, simulate

OTHER_BODY = 100_003
"""Added to a seed for another patient."""


def mirrored(study: SimulatedStudy) -> tuple[Image, Mask]:
    """The MRI with left and right exchanged."""
    return _flipped(study, 2)


def upside_down(study: SimulatedStudy) -> tuple[Image, Mask]:
    """The MRI with head and foot exchanged."""
    return _flipped(study, 0)


def _flipped(study: SimulatedStudy, axis: int) -> tuple[Image, Mask]:
    hbp = study.hbp
    array, liver = np.flip(hbp.array, axis), np.flip(study.liver.array, axis)
    return Image(hbp.grid, array, hbp.quantity), Mask(hbp.grid, liver)


def half_liver(
    study: SimulatedStudy, axis: int = 0, *, keeps_last: bool = True
) -> tuple[Image, Mask]:
    """The MRI cut off half way through the liver, along slices, rows or columns."""
    across = tuple(n for n in range(3) if n != axis)
    shown = np.flatnonzero(study.liver.array.any(across))
    middle = int(shown[len(shown) // 2])
    start, stop = [0, 0, 0], list(study.hbp.grid.shape)
    if keeps_last:
        start[axis] = middle
    else:
        stop[axis] = middle
    z, y, x = (slice(low, high) for low, high in zip(start, stop, strict=True))
    return study.hbp.crop((z, y, x)), study.liver.crop((z, y, x))


def thighs(study: SimulatedStudy) -> tuple[Image, Mask]:
    """Two round thighs with bones in them, and a liver mask that means nothing."""
    grid = study.hbp.grid
    points = grid.world(np.indices(grid.shape).reshape(3, -1).T) - grid.centre_mm
    x, y = np.abs(points[:, 0]) - 85.0, points[:, 1]
    radius = np.hypot(x, y).reshape(grid.shape)
    signal = np.where(radius < 75, 90.0, 4.0) + np.where(radius < 62, 150.0, 0.0)
    signal = np.where(radius < 14, 30.0, signal)
    rng = study.recipe.rng(Stream.THIGHS)
    array = np.abs(signal + rng.normal(0, 8, grid.shape))
    return Image(grid, array.astype(np.float32), study.hbp.quantity), study.liver


def mixed_up(study: SimulatedStudy, other: SimulatedStudy) -> tuple[Image, Mask]:
    """The MRI of another study as it is, lesions and all, in this one's frame."""
    grid = replace(other.hbp.grid, frame=study.hbp.grid.frame)
    return Image(grid, other.hbp.array, other.hbp.quantity), Mask(grid, other.liver.array)


def another_patient(study: SimulatedStudy) -> tuple[Image, Mask]:
    """The MRI of another body, examined the same way."""
    other: Recipe = replace(study.recipe, seed=study.recipe.seed + OTHER_BODY, lesions=(), spots=())
    return mixed_up(study, simulate(other))

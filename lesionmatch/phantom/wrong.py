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


def half_liver(study: SimulatedStudy) -> tuple[Image, Mask]:
    """The MRI cut off half way through the liver."""
    slices = np.flatnonzero(study.liver.array.any((1, 2)))
    start = int(slices[len(slices) // 2])
    stop = study.hbp.grid.shape[0]
    box = (slice(start, stop), *(slice(0, n) for n in study.hbp.grid.shape[1:]))
    return study.hbp.crop((box[0], box[1], box[2])), study.liver.crop((box[0], box[1], box[2]))


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


def another_patient(study: SimulatedStudy) -> tuple[Image, Mask]:
    """The MRI of another body, examined the same way."""
    other: Recipe = replace(study.recipe, seed=study.recipe.seed + OTHER_BODY, lesions=(), spots=())
    made = simulate(other)
    grid = replace(made.hbp.grid, frame=study.hbp.grid.frame)
    return Image(grid, made.hbp.array, made.hbp.quantity), Mask(grid, made.liver.array)

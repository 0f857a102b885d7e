"""Dark lumps in vessels or beside them: lesions that nobody drew.

A vessel leaves a place as wide as it enters it, and where it branches its parent is as wide as
the place. A lump is wider than all that leaves it. How wide something is says the largest ball
that fits into it: at the place itself, and in a shell around that ball.
"""

import numpy as np
from numpy.typing import NDArray

from lesionmatch.balls import ball, highest_within
from lesionmatch.geometry import Grid
from lesionmatch.image import Mask
from lesionmatch.liver.morphology import Values, Voxels
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm, region_on

SHELL_MM = (2.0, 6.0)
"""From a place's ball. What lies nearer is the place's own uneven surface; further on another
vessel may be met."""
PEAK_MM = 2.3
"""Of places so near to each other only the widest are looked at."""
RIM_MM = 1.0
"""A lump's surface around its ball."""


def lumps(dark: Mask, lumen: Mask, rules: LiverRules) -> Mask:
    """Balls about the places of `lumen` that are wider than all that leaves them through `dark`.

    On the grid of `dark`, whose voxels are fine against a vessel; `lumen` may have others.
    """
    grid, within = dark.grid, region_on(dark.grid, lumen).array
    radius_mm = distance_mm(Mask(grid, ~dark.array))
    found = np.zeros(grid.shape, np.bool_)
    for place in _widest(radius_mm, within, grid, rules.lump_least_mm / 2.0):
        here_mm = float(radius_mm[tuple(place)])
        box = grid.box_around(grid.world(place), here_mm + SHELL_MM[1])
        away_mm = _away_mm(place, box, grid)
        shell = (away_mm > here_mm + SHELL_MM[0]) & (away_mm < here_mm + SHELL_MM[1])
        if here_mm > rules.lump_widening * radius_mm[box][shell].max(initial=0.0):
            found[box] |= away_mm <= here_mm + RIM_MM
    return Mask(grid, found)


def _widest(radius_mm: Values, lumen: Voxels, grid: Grid, least_mm: float) -> NDArray[np.int_]:
    """(N, 3) the places of `lumen` of a radius that are wider than those beside them."""
    most_mm = highest_within(radius_mm, ball(PEAK_MM, grid))
    return np.argwhere(lumen & (radius_mm >= np.maximum(most_mm, least_mm)))


def _away_mm(place: NDArray[np.int_], box: tuple[slice, slice, slice], grid: Grid) -> Values:
    """Distance of the voxels in `box` from one voxel."""
    axes = (np.arange(part.start, part.stop) for part in box)
    steps = ((n - at) * mm for n, at, mm in zip(axes, place, grid.spacing_mm, strict=True))
    z, y, x = np.meshgrid(*steps, indexing="ij")
    return np.asarray(np.sqrt(z * z + y * y + x * x), np.float32)

"""Dark lesions that open a hole in the liver's surface, without having been drawn.

A lesion at the capsule leaves a hollow in the bright liver. The space outside is divided at
its edges, as the liver was: a part that is dark, no larger than lesions are, and has the
liver on most of its surface is a lesion. Gallbladder, caval vein, kidney and fissures lie in
troughs: more than half of their surface is free, and they are longer than wide.
No edge parts a lesion from a wall of the same brightness, so the space is divided a second
time, cut off where a wide ball rolls over the liver. Then other organs are cut too, and more
of a part must be the liver's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from lesionmatch.geometry import Grid
from lesionmatch.liver.level import DARK_SHARE
from lesionmatch.liver.morphology import Values, Voxels, closed, eroded, steepness
from lesionmatch.protocol.liver import LiverRules

SMOOTHING_MM = 2.0

Parts = NDArray[np.int32]
"""The number of each voxel's part of the space, from 1; the liver has the last one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Space:
    """The parts of the space around the liver, by number: arrays of one value each."""

    parts: Parts
    volume_ml: NDArray[np.float64]
    """0 of what can be no lesion: the liver itself, fat, gas, and what is too large."""
    enclosed: NDArray[np.float64]
    """Share of the surface that is the liver's."""
    elongation: NDArray[np.float64]
    """How many times longer than wide."""


def with_hollows(liver: Voxels, ratio: Values, grid: Grid, rules: LiverRules) -> Voxels:
    """`liver` with the hollows that dark lesions left in it; `ratio` is 1 in parenchyma."""
    free = _space(liver, ratio, grid, np.ones_like(liver), rules)
    liver = liver | _lesions(free, rules.hollow_enclosed_least)
    cut = _cut(liver, ratio, grid, rules)
    return np.asarray(liver | _lesions(cut, rules.hollow_cut_enclosed_least))


def largest_hollow_ml(liver: Voxels, ratio: Values, grid: Grid, rules: LiverRules) -> float:
    """Volume of the largest hollow that may be a lesion, though not surely; 0 without one."""
    cut = _cut(liver, ratio, grid, rules)
    is_round = cut.enclosed > rules.hollow_doubt_enclosed_least * cut.elongation
    return float(cut.volume_ml[is_round].max(initial=0.0))


def _lesions(space: _Space, least: float) -> Voxels:
    is_lesion = space.enclosed > least * np.cbrt(space.elongation)
    return np.asarray((is_lesion & (space.volume_ml > 0.0))[space.parts])


def _cut(liver: Voxels, ratio: Values, grid: Grid, rules: LiverRules) -> _Space:
    """The space within the reach of no wide ball that rolls over the liver."""
    return _space(liver, ratio, grid, closed(liver, grid, rules.hollow_ball_mm), rules)


def _space(liver: Voxels, ratio: Values, grid: Grid, within: Voxels, rules: LiverRules) -> _Space:
    """The space `within` some bounds, in parts that grow from even, dark cores."""
    soft = ndimage.gaussian_filter(ratio, SMOOTHING_MM / grid.spacing_mm)
    slope = steepness(soft, grid)
    even = (slope < rules.hollow_even_per_mm) & (soft < DARK_SHARE) & within & ~liver
    cores, count = ndimage.label(eroded(even, grid, rules.hollow_core_mm))
    cores[liver] = count + 1
    parts = np.asarray(watershed(slope, cores, mask=within), np.int32)
    voxels = np.bincount(parts.ravel(), minlength=count + 2)
    brightness = np.bincount(parts.ravel(), soft.ravel(), count + 2) / np.maximum(voxels, 1)
    volume_ml = voxels * grid.voxel_ml
    is_lesion = (volume_ml < rules.hollow_most_ml) & (brightness > 1.0 - rules.vessel_darkness_most)
    is_lesion[[0, -1]] = False
    return _Space(
        parts,
        np.where(is_lesion, volume_ml, 0.0),
        _enclosed(parts, count + 1),
        _elongation(parts, count + 1, grid),
    )


def _enclosed(parts: Parts, liver: int) -> NDArray[np.float64]:
    """Share of the surface of each part, by its number, that is the liver's; 0 without any.

    Where a part ends with the image its surface is free: there the hilum, kidney and all that
    lies behind the liver would be enclosed by it. Half a lesion has still two thirds.
    """
    every, inner = np.zeros(liver + 1), np.zeros(liver + 1)
    parts = np.pad(parts, 1)
    for axis in range(3):
        line = np.moveaxis(parts, axis, 0)
        for here, there in ((line[1:], line[:-1]), (line[:-1], line[1:])):
            is_surface = (here != there) & (here > 0)
            every += np.bincount(here[is_surface], minlength=liver + 1)
            inner += np.bincount(here[is_surface & (there == liver)], minlength=liver + 1)
    return inner / np.maximum(every, 1.0)


def _elongation(parts: Parts, liver: int, grid: Grid) -> NDArray[np.float64]:
    """How many times longer than wide each part is, by its number; 1 for the liver."""
    times = np.ones(liver + 1)
    for number, box in enumerate(ndimage.find_objects(parts, liver - 1), start=1):
        places = np.argwhere(parts[box] == number) * grid.spacing_mm
        if len(places) > 1:
            _, width, length = np.linalg.eigvalsh(np.cov(places.T))
            times[number] = np.sqrt(max(length, 1.0) / max(width, 1.0))
    return times

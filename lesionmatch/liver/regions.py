"""What may be liver, divided into regions at its edges and necks.

The parenchyma is bright and calm: brightness changes slowly in it, with the coil and with
the texture of the organ, and abruptly where it ends. Kidney, spleen, heart and caval vein
may be as bright as the liver where the coil favours them, but an edge lies between. So what
is as bright as liver would be at its place falls into regions: they grow from calm cores,
thick ones first, and meet at the steepest places between these.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import median_abs_deviation
from skimage.segmentation import watershed

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask
from lesionmatch.liver.bile import thick_bile
from lesionmatch.liver.level import parenchyma_level
from lesionmatch.liver.mirror import midline_mm
from lesionmatch.liver.morphology import Values, Voxels, dilated, steepness
from lesionmatch.protocol import LiverRules, NeighbourRules, Protocol
from lesionmatch.resample import distance_mm

Regions = NDArray[np.int32]
"""The number of each voxel's region; 0 is none."""

REACH_MM = 35.0
"""How far from what is known to be liver its level is trusted."""
SMOOTHING_MM = 2.0
EDGE_TIMES, EDGE_LEAST = 3.0, 0.012
"""An edge is this many times steeper than the liver's median slope of log brightness, and at
least so steep, per mm."""
THICKNESSES_MM = (18.0, 13.0, 9.0, 6.0, 2.9)
"""Half the thickness of the cores from which regions grow; necks thinner than the first split,
as the way to a heart through a patch where its edge is faint."""
LEAST_ML = 0.3
"""Of a core."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """An image in the terms of edges."""

    image: Image
    log: Values
    """Of the smoothed brightness."""
    slope: Values
    """Of `log`, per mm."""
    drawn: Voxels
    """Lesions, which are liver whatever their brightness."""
    midline_mm: float
    rules: LiverRules
    organs: NeighbourRules

    @property
    def grid(self) -> Grid:
        """Of everything here."""
        return self.image.grid


@dataclass(frozen=True, slots=True, eq=False)
class Bright:
    """What may be liver by its brightness alone."""

    all: Voxels
    calm: Voxels
    """The part of it in no edge."""
    relative: Values
    """Log brightness relative to the liver's at the same place."""
    spread: float
    """Of the liver's own brightness there, a robust standard deviation."""
    alike: float
    """Regions whose log brightness differs by no more are one organ, as far as that tells: a
    coarse liver differs by more within itself."""


def scene_of(image: Image, drawn: Voxels, protocol: Protocol) -> Scene:
    """`image` as regions are found in it, with `drawn` lesions on its grid."""
    smooth = ndimage.gaussian_filter(image.array, SMOOTHING_MM / image.grid.spacing_mm)
    floor = max(1e-3 * float(np.percentile(smooth, 99.0)), float(np.finfo(np.float32).tiny))
    log = np.log(np.maximum(smooth, floor))
    slope, rules = steepness(log, image.grid), protocol.liver
    return Scene(image, log, slope, drawn, midline_mm(image), rules, protocol.neighbours)


def bright_near(calm: Voxels, scene: Scene, least: float) -> Bright:
    """What is as bright as liver would be at its place, near the `calm` liver that is known.

    `least` is a share of it.
    """
    level = parenchyma_level(scene.image, Mask(scene.grid, calm))
    relative = np.asarray(scene.log - np.log(level), np.float32)
    values = np.exp(relative[calm])
    spread = float(median_abs_deviation(values, scale="normal"))
    most = scene.rules.bile_brightness + 2.0 * spread
    near = dilated(calm, scene.grid, REACH_MM)
    bright = near & (relative > np.log(least)) & (relative < np.log(most)) & ~scene.drawn
    bright &= ~thick_bile(relative > np.log(most), scene.grid)
    edge = max(EDGE_TIMES * float(np.median(scene.slope[calm])), EDGE_LEAST)
    alike = max(scene.rules.region_step_least, spread)
    return Bright(bright, bright & (scene.slope < edge), relative, spread, alike)


def divided(bright: Bright, scene: Scene) -> Regions:
    """The regions of what is bright."""
    cores = _cores(bright.calm, scene.grid)
    return np.asarray(watershed(scene.slope, cores, mask=bright.all), np.int32)


def _cores(calm: Voxels, grid: Grid) -> Regions:
    """A number for each core: thick ones first, thin ones where no thicker one lies."""
    depth = distance_mm(Mask(grid, ~calm))
    cores = np.zeros(grid.shape, np.int32)
    for thickness_mm in THICKNESSES_MM:
        labels, count = ndimage.label(depth > thickness_mm)
        sizes = np.bincount(labels.ravel(), minlength=count + 1) * grid.voxel_ml
        is_new = sizes > LEAST_ML
        is_new[labels[cores > 0]] = False
        is_new[0] = False
        numbers = np.where(is_new, np.cumsum(is_new) + cores.max(), 0).astype(np.int32)
        cores = np.maximum(cores, numbers[labels])
    return cores

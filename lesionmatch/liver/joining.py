"""Which bright regions are liver: those whose border with it is open, or makes no step.

Regions are joined to the liver one after the other where the parenchyma on either side of the
border is equally bright: as nearly as the border is closed by an edge, or narrow, and less
nearly where it is wide and open, for then an uneven liver changes there and no organ ends. The
comparison is made within a centimetre of the border, where the coil nearly cancels. What is
as bright as the liver and yet another organ, and a lobe apart, are known by where they lie.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.liver.bright_organs import is_left_lobe, is_organ
from lesionmatch.liver.morphology import Values, Voxels
from lesionmatch.liver.regions import Bright, Regions, Scene
from lesionmatch.protocol.liver import LiverRules

BESIDE_MM = 10.0
"""How far from a border brightness is compared."""
LEAST_BORDER = 0.1
"""Narrower is a vein that leads to another organ."""


@dataclass(frozen=True, slots=True)
class _Border:
    """Where a region meets the liver, in sides of a cube as large as the region."""

    width: float
    openness: float
    """The part of it that lies in no edge."""
    step: float | None
    """Log brightness of the region beside it less that of the liver; None: not known."""

    def joins(self, rules: LiverRules, alike: float) -> bool:
        """Whether what lies on either side of it is one organ; `alike` as in `Bright`."""
        if self.width < LEAST_BORDER or self.step is None:
            return False
        most = max(rules.region_step_open * self.openness, alike)
        return abs(self.step) <= min(most, rules.region_step_most)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """What is to be joined."""

    regions: Regions
    boxes: dict[int, tuple[slice, ...]]
    """Where each region lies, with room for what is compared with it."""
    scene: Scene
    bright: Bright


def joined(regions: Regions, core: Voxels, scene: Scene, bright: Bright) -> Voxels:
    """The regions that are liver, with drawn lesions: that of `core`, and what joins it."""
    shares = np.bincount(regions[core], minlength=2)
    shares[0] = 0
    first = int(np.argmax(shares))
    liver = (regions == first) | scene.drawn
    parts = _Parts(regions, _boxes(regions, scene.grid), scene, bright)
    left = [n for n in parts.boxes if n != first]
    is_growing = True
    while is_growing:
        taken = [n for n in left if _taken(n, liver, parts)]
        left = [n for n in left if n not in taken]
        is_growing = bool(taken)
    return np.asarray(liver)


def _boxes(regions: Regions, grid: Grid) -> dict[int, tuple[slice, ...]]:
    pad = [int(np.ceil(BESIDE_MM / mm)) for mm in grid.spacing_mm]
    found = enumerate(ndimage.find_objects(regions), start=1)
    return {
        n: tuple(slice(max(s.start - p, 0), s.stop + p) for s, p in zip(box, pad, strict=True))
        for n, box in found
    }


def _taken(number: int, liver: Voxels, parts: _Parts) -> bool:
    """Join a region to `liver`, in place, if it is liver; whether it is."""
    scene, bright = parts.scene, parts.bright
    border, region = _border(number, liver, parts), parts.regions == number
    if border.joins(scene.rules, bright.alike):
        is_liver = not is_organ(region, liver, border.openness, scene, bright)
    else:
        is_liver = is_left_lobe(region, liver, scene, bright)
    if is_liver:
        liver |= region
    return is_liver


def _border(number: int, liver: Voxels, parts: _Parts) -> _Border:
    box, scene, bright = parts.boxes[number], parts.scene, parts.bright
    region, liver, calm = parts.regions[box] == number, liver[box], bright.calm[box]
    shared = ndimage.binary_dilation(liver) & region
    side = np.count_nonzero(region) ** (2.0 / 3.0)
    width = np.count_nonzero(shared) / side
    if not width:
        return _Border(0.0, 0.0, None)
    distance = ndimage.distance_transform_edt(~shared, sampling=scene.grid.spacing_mm)
    beside = calm & (distance < BESIDE_MM)
    step = _step(beside & liver, beside & region, scene.log[box], bright.relative[box])
    return _Border(width, np.count_nonzero(shared & calm) / side, step)


def _step(inner: Voxels, outer: Voxels, log: Values, relative: Values) -> float | None:
    """Log brightness of `outer` less that of `inner`; None: not known."""
    if not outer.any():
        return None
    if not inner.any():  # beside a drawn lesion, far from parenchyma
        return float(np.median(relative[outer]))
    return float(np.median(log[outer]) - np.median(log[inner]))

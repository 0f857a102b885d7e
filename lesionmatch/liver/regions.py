"""The liver as calm bright regions that belong together.

The parenchyma is bright and calm: brightness changes slowly in it, with the coil and with
the texture of the organ, and abruptly where it ends. Kidney, spleen, heart and caval vein
may be as bright as the liver where the coil favours them, but an edge lies between. So what
is bright falls into regions at its edges and its necks, and regions are joined to the
liver's one after the other where the parenchyma on either side of the border is equally
bright: as nearly as the border is closed by an edge, or narrow, and less nearly where it is
wide and open, for then an uneven liver changes there and no organ ends. The comparison is
made within a centimetre of the border, where the coil nearly cancels.
A kidney that is as bright as the liver is known by its twin on the left.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.level import parenchyma_level
from lesionmatch.liver.mirror import has_twin, midline_mm, room_for_ball
from lesionmatch.liver.morphology import Values, Voxels, dilated, eroded, steepness
from lesionmatch.liver.work import COARSE_MM, work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm, region_on

ROUNDS = 4
REACH_MM = 35.0
"""The liver grows by at most this much in a round, so that the coil is never extrapolated far."""
SMOOTHING_MM = 2.0
EDGE_TIMES, EDGE_LEAST = 3.0, 0.012
"""An edge is this many times steeper than the liver's median slope of log brightness, and at
least so steep, per mm."""
BESIDE_MM = 10.0
"""How far from a border brightness is compared."""
THICKNESSES_MM = (18.0, 13.0, 9.0, 6.0, 3.0)
"""Half the thickness of the cores from which regions grow; necks thinner than the first split,
as the way to a heart through a patch where its edge is faint."""
KIDNEY_MOST_ML = 350.0
KIDNEY_OPEN_MOST = 0.8
"""Openness of a kidney's border; a part of the liver may have more."""
KIDNEY_BELOW_MM = 30.0
"""Of the liver's middle."""
KIDNEY_BALL_MM, KIDNEY_TWIN_SHARE = 10.0, 0.5
"""A ball that fits into a kidney, and the share of its places that have a twin."""
LEAST_ML = 0.3
LEAST_BORDER = 0.1
"""Of the side of a cube as large as a region: narrower is a vein that leads to another organ."""


@dataclass(frozen=True, slots=True, eq=False)
class Parenchyma:
    """What is surely liver, on a working grid."""

    region: Voxels
    """Bright liver, with drawn lesions, without what only lies within it."""
    calm: Voxels
    """The part of it that brightness is measured on."""


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """An image in the terms of this module."""

    grid: Grid
    log: Values
    """Of the smoothed brightness."""
    slope: Values
    """Of `log`, per mm."""
    drawn: Voxels
    midline_mm: float
    rules: LiverRules


@dataclass(frozen=True, slots=True, eq=False)
class _Bright:
    """What may be liver by its brightness alone."""

    all: Voxels
    calm: Voxels
    relative: Values
    """Log brightness relative to the liver's at the same place."""


def parenchyma(image: Image, seed: Voxels, drawn: Voxels, rules: LiverRules) -> Parenchyma:
    """Bright liver around `seed`; the `drawn` lesions belong to it. All on one grid."""
    scene = _scene(image, drawn, rules)
    found = Parenchyma(seed, seed)
    for _ in range(ROUNDS):
        bright = _bright(scene, image, found.calm)
        regions = watershed(scene.slope, _cores(bright.calm, scene.grid), mask=bright.all)
        liver = _joined(regions, found.calm, scene, bright)
        found = Parenchyma(liver, liver & bright.calm)
    return found


def _scene(image: Image, drawn: Voxels, rules: LiverRules) -> _Scene:
    smooth = ndimage.gaussian_filter(image.array, SMOOTHING_MM / image.grid.spacing_mm)
    floor = max(1e-3 * float(np.percentile(smooth, 99.0)), float(np.finfo(np.float32).tiny))
    log = np.log(np.maximum(smooth, floor))
    slope = steepness(log, image.grid)
    return _Scene(image.grid, log, slope, drawn, midline_mm(image), rules)


def _bright(scene: _Scene, image: Image, calm: Voxels) -> _Bright:
    relative = np.asarray(
        scene.log - np.log(parenchyma_level(image, Mask(image.grid, calm))), np.float32
    )
    values = np.exp(relative[calm])
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    least, most = scene.rules.bright_least, scene.rules.bile_brightness + 2.0 * spread
    near = dilated(calm, scene.grid, REACH_MM)
    bright = near & (relative > np.log(least)) & (relative < np.log(most)) & ~scene.drawn
    edge = max(EDGE_TIMES * float(np.median(scene.slope[calm])), EDGE_LEAST)
    return _Bright(bright, bright & (scene.slope < edge), relative)


def _cores(calm: Voxels, grid: Grid) -> NDArray[np.int32]:
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


def _joined(regions: NDArray[np.int32], core: Voxels, scene: _Scene, bright: _Bright) -> Voxels:
    """The regions that are liver: that of `core`, and what joins it step by step."""
    shares = np.bincount(regions[core], minlength=2)
    shares[0] = 0
    first = int(np.argmax(shares))
    liver = (regions == first) | scene.drawn
    boxes = _boxes(regions, scene.grid)
    left = [n for n in boxes if n != first]
    is_growing = True
    while is_growing:
        taken = [n for n in left if _taken(n, regions, liver, boxes[n], scene, bright)]
        left = [n for n in left if n not in taken]
        is_growing = bool(taken)
    return np.asarray(liver)


def _boxes(regions: NDArray[np.int32], grid: Grid) -> dict[int, tuple[slice, ...]]:
    """Where each region lies, with room for what is compared with it."""
    pad = [int(np.ceil(BESIDE_MM / mm)) for mm in grid.spacing_mm]
    found = enumerate(ndimage.find_objects(regions), start=1)
    return {
        n: tuple(slice(max(s.start - p, 0), s.stop + p) for s, p in zip(box, pad, strict=True))
        for n, box in found
    }


def _taken(
    number: int,
    regions: NDArray[np.int32],
    liver: Voxels,
    box: tuple[slice, ...],
    scene: _Scene,
    bright: _Bright,
) -> bool:
    """Join a region to `liver`, in place, where both are equally bright; whether they are."""
    region, part = regions[box] == number, liver[box]
    border = ndimage.binary_dilation(part) & region
    side = np.count_nonzero(region) ** (2.0 / 3.0)
    if np.count_nonzero(border) < LEAST_BORDER * side:
        return False
    step = _step(border, region, part, box, scene, bright)
    openness = np.count_nonzero(border & bright.calm[box]) / side
    if step is None or abs(step) > _most_step(openness, scene.rules):
        return False
    may_be_kidney = openness < KIDNEY_OPEN_MOST
    if may_be_kidney and _is_kidney(regions == number, liver, scene, bright.relative):
        return False
    part |= region
    return True


def _most_step(openness: float, rules: LiverRules) -> float:
    """Step that a region may make at a border of which so much lies in no edge.

    In sides of a cube as large as the region.
    """
    step = rules.region_step_open * openness
    return float(np.clip(step, rules.region_step_least, rules.region_step_most))


def _step(
    border: Voxels,
    region: Voxels,
    liver: Voxels,
    box: tuple[slice, ...],
    scene: _Scene,
    bright: _Bright,
) -> float | None:
    """Log brightness of a region beside its border less that of the liver; None: not known.

    The smaller of the step in the image and that in what the coil is divided out of: the
    coil may change by a tenth over the way compared, and what is known of it may be wrong.
    """
    near = _near(border, scene.grid) & bright.calm[box]
    inner, outer = near & liver, near & region
    if not outer.any():
        return None
    relative = bright.relative[box]
    if not inner.any():  # beside a drawn lesion, far from parenchyma
        return float(np.median(relative[outer]))
    steps = (np.median(v[outer]) - np.median(v[inner]) for v in (scene.log[box], relative))
    return float(min(steps, key=abs))


def _is_kidney(region: Voxels, liver: Voxels, scene: _Scene, relative: Values) -> bool:
    """Whether a region lies behind and below the liver's middle and has a twin on the left."""
    grid = scene.grid
    if np.count_nonzero(region) * grid.voxel_ml > KIDNEY_MOST_ML:
        return False
    middle, of_liver = (grid.world(np.argwhere(voxels)).mean(0) for voxels in (region, liver))
    behind_mm, above_mm = (middle - of_liver)[1:]
    if behind_mm < 0.0 or above_mm > -KIDNEY_BELOW_MM:
        return False
    even = np.exp(relative)
    whole, rest = (
        work_image(Image(grid, values, Quantity.ARBITRARY), COARSE_MM)
        for values in (even, np.where(liver | region, np.float32(0.0), even))
    )
    fits, others = (room_for_ball(image, KIDNEY_BALL_MM) for image in (whole, rest))
    inside = region_on(whole.grid, Mask(grid, region)).array
    deep = eroded(inside, whole.grid, KIDNEY_BALL_MM)
    twins = has_twin(fits, whole.grid, scene.midline_mm, others)[deep]
    return bool(np.count_nonzero(twins) > KIDNEY_TWIN_SHARE * twins.size)


def _near(border: Voxels, grid: Grid) -> Voxels:
    distance = ndimage.distance_transform_edt(~border, sampling=grid.spacing_mm)
    return np.asarray(distance < BESIDE_MM)

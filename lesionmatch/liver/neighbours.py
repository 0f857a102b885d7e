"""Organs that may be as bright as the liver and touch it, known by where they lie.

A kidney lies behind and below the liver's middle, and has a twin on the left. The heart
stands on the liver near the midline and rises above it. The caval vein and the aorta are long
and thin. A gallbladder is small, has an edge all round, and lies on the right below the
liver's middle. And a left lobe may be apart from the rest, behind a fissure.
"""

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.mirror import has_twin, room_for_ball
from lesionmatch.liver.morphology import Voxels, eroded
from lesionmatch.liver.regions import Bright, Scene
from lesionmatch.liver.work import COARSE_MM, work_image
from lesionmatch.resample import distance_mm, region_on

CLOSED, OPEN_MOST = 0.13, 0.8
"""The border of a gallbladder or of bowel's wall is less open than the first, those of kidneys
and veins than the second; a part of the liver's may be more."""
GALLBLADDER_MOST_ML, GALLBLADDER_LATERAL_MM = 60.0, 20.0
KIDNEY_MOST_ML = 350.0
KIDNEY_BELOW_MM = 30.0
"""Of the liver's middle."""
KIDNEY_BALL_MM, KIDNEY_TWIN_SHARE = 10.0, 0.5
"""A ball that fits into a kidney, and the share of its places that have a twin."""
HEART_LATERAL_MM = 35.0
"""The heart's middle lies at most so far to the right of the midline."""
HEART_ABOVE_MM = 5.0
"""Its middle above where it meets the liver; a lobe of the liver goes on sideways."""
HEART_RISES_MM = 20.0
"""Its top above the liver's."""
FISSURE_LEAST_ML, FISSURE_MM, FISSURE_WIDTH = 2.0, 16.0, 0.5
"""What lies behind a fissure is so large, so near, and faces the liver with such a part of the
side of a cube as large as itself."""
FISSURE_LEFT, FISSURE_BEHIND, FISSURE_UP = 0.6, 0.1, 0.5
"""It lies to the left, not behind, where the large vessels are, nor above, as the heart does:
parts of the way across."""
TUBE_LONG, TUBE_LEAST_MM, TUBES_MOST = 8.5, 90.0, 2.0
"""A vein beside the liver is this many times as long as its radius, and so long; two
may touch."""


def is_organ(region: Voxels, liver: Voxels, openness: float, scene: Scene, bright: Bright) -> bool:
    """Whether a region beside the `liver` is another organ.

    `openness` is the part of its border that lies in no edge.
    """
    return (
        (openness < CLOSED and _is_gallbladder(region, liver, scene))
        or (openness < CLOSED and thickness(Mask(scene.grid, region)) < scene.rules.thickness_least)
        or (openness < OPEN_MOST and _is_kidney(region, liver, scene, bright))
        or (openness < OPEN_MOST and _is_vein(region, scene.grid))
        or _is_heart(region, liver, scene)
    )


def thickness(mask: Mask) -> float:
    """Radius of the largest ball within a mask, over that of a ball of its volume."""
    part = mask.trimmed(float(mask.grid.spacing_mm.max()))
    radius_mm = float(distance_mm(Mask(part.grid, ~part.array))[part.array].max())
    return radius_mm / float(np.cbrt(3.0 * mask.volume_ml * 1000.0 / (4.0 * np.pi)))


def _is_gallbladder(region: Voxels, liver: Voxels, scene: Scene) -> bool:
    """Whether a region is small, on the right, and below the liver's middle."""
    grid = scene.grid
    middle, of_liver = (grid.world(np.argwhere(voxels)).mean(0) for voxels in (region, liver))
    return bool(
        np.count_nonzero(region) * grid.voxel_ml < GALLBLADDER_MOST_ML
        and middle[0] < scene.midline_mm - GALLBLADDER_LATERAL_MM
        and middle[2] < of_liver[2]
    )


def _is_kidney(region: Voxels, liver: Voxels, scene: Scene, bright: Bright) -> bool:
    """Whether a region lies behind and below the liver's middle and has a twin on the left."""
    grid = scene.grid
    if np.count_nonzero(region) * grid.voxel_ml > KIDNEY_MOST_ML:
        return False
    middle, of_liver = (grid.world(np.argwhere(voxels)).mean(0) for voxels in (region, liver))
    behind_mm, above_mm = (middle - of_liver)[1:]
    if behind_mm < 0.0 or above_mm > -KIDNEY_BELOW_MM:
        return False
    even = np.exp(bright.relative)
    whole, rest = (
        work_image(Image(grid, values, Quantity.ARBITRARY), COARSE_MM)
        for values in (even, np.where(liver | region, np.float32(0.0), even))
    )
    fits, others = (room_for_ball(image, KIDNEY_BALL_MM) for image in (whole, rest))
    inside = region_on(whole.grid, Mask(grid, region)).array
    deep = eroded(inside, whole.grid, KIDNEY_BALL_MM)
    twins = has_twin(fits, whole.grid, scene.midline_mm, others)[deep]
    return bool(np.count_nonzero(twins) > KIDNEY_TWIN_SHARE * twins.size)


def _is_heart(region: Voxels, liver: Voxels, scene: Scene) -> bool:
    """Whether a region stands on the liver near the midline, and rises above it."""
    grid = scene.grid
    points, of_liver = (grid.world(np.argwhere(voxels)) for voxels in (region, liver))
    border = ndimage.binary_dilation(liver) & region
    middle, foot = points.mean(0), grid.world(np.argwhere(border)).mean(0)
    left_mm, _, up_mm = middle - foot
    rises_mm = np.percentile(points[:, 2], 99.0) - np.percentile(of_liver[:, 2], 99.0)
    return bool(
        middle[0] - scene.midline_mm > -HEART_LATERAL_MM
        and up_mm > max(HEART_ABOVE_MM, abs(left_mm))
        and rises_mm > HEART_RISES_MM
    )


def _is_vein(region: Voxels, grid: Grid) -> bool:
    """Whether a region is long and thin: a tube, or two beside each other, but no plate."""
    radius_mm = float(distance_mm(Mask(grid, ~region))[region].max())
    spread = np.cov(grid.world(np.argwhere(region)).T)
    length_mm = float(np.sqrt(12.0 * np.linalg.eigvalsh(spread)[-1]))
    tube_ml = np.pi * radius_mm**2 * length_mm / 1000.0
    volume_ml = np.count_nonzero(region) * grid.voxel_ml
    is_long = length_mm > max(TUBE_LEAST_MM, TUBE_LONG * radius_mm)
    return bool(is_long and volume_ml < TUBES_MOST * tube_ml)


def is_left_lobe(region: Voxels, liver: Voxels, scene: Scene, bright: Bright) -> bool:
    """Whether a region faces the liver from the left across a fissure, and is as bright."""
    grid, box = scene.grid, Mask(scene.grid, region).box(FISSURE_MM)
    region, liver = region[box], liver[box] & ~scene.drawn[box]
    count = np.count_nonzero(region)
    if count * grid.voxel_ml < FISSURE_LEAST_ML or not liver.any():
        return False
    away, nearest = ndimage.distance_transform_edt(
        ~liver, sampling=grid.spacing_mm, return_indices=True
    )
    face = region & ~ndimage.binary_erosion(region) & (away < FISSURE_MM)
    if np.count_nonzero(face) < FISSURE_WIDTH * count ** (2.0 / 3.0):
        return False
    across = (grid.world(np.argwhere(face)) - grid.world(nearest[:, face].T)) / away[face][:, None]
    left, behind, up = across.mean(0)
    step = np.median(bright.relative[box][region])
    return bool(
        left > FISSURE_LEFT
        and behind < FISSURE_BEHIND
        and abs(up) < FISSURE_UP
        and abs(step) < scene.rules.region_step_least
    )

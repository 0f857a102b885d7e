"""Organs that may be as bright as the liver and touch it, known by where they lie.

A kidney lies behind and below the liver's middle, and has a twin on the left. The heart
stands on the liver near the midline and rises above it. The wall of bowel is thin for its volume,
and has an edge all round: taken in, it would be filled with what it holds. And a left lobe may be
apart from the rest, behind a fissure. The numbers stand in the protocol's `neighbours`.
"""

import numpy as np
from scipy import ndimage

from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.mirror import has_twin, room_for_ball
from lesionmatch.liver.morphology import Voxels, ball_radius_mm, eroded
from lesionmatch.liver.regions import Bright, Scene
from lesionmatch.liver.work import COARSE_MM, work_image
from lesionmatch.resample import distance_mm, region_on


def is_organ(region: Voxels, liver: Voxels, openness: float, scene: Scene, bright: Bright) -> bool:
    """Whether a region beside the `liver` is another organ.

    `openness` is the part of its border that lies in no edge.
    """
    organs = scene.organs
    return (
        (openness < organs.wall_open_most and _is_wall(region, scene))
        or (openness < organs.open_most and _is_kidney(region, liver, scene, bright))
        or _is_heart(region, liver, scene)
    )


def _is_wall(region: Voxels, scene: Scene) -> bool:
    """Whether a region is a thin shell, as the wall of bowel is."""
    part = Mask(scene.grid, region).trimmed(float(scene.grid.spacing_mm.max()))
    radius_mm = float(distance_mm(Mask(part.grid, ~part.array))[part.array].max())
    return radius_mm < scene.rules.thickness_least * ball_radius_mm(part.volume_ml)


def _is_kidney(region: Voxels, liver: Voxels, scene: Scene, bright: Bright) -> bool:
    """Whether a region lies behind and below the liver's middle and has a twin on the left."""
    grid, organs = scene.grid, scene.organs
    if np.count_nonzero(region) * grid.voxel_ml > organs.kidney_most_ml:
        return False
    middle, of_liver = (grid.world(np.argwhere(voxels)).mean(0) for voxels in (region, liver))
    behind_mm, above_mm = (middle - of_liver)[1:]
    if behind_mm < 0.0 or above_mm > -organs.kidney_below_mm:
        return False
    even = np.exp(bright.relative)
    whole, rest = (
        work_image(Image(grid, values, Quantity.ARBITRARY), COARSE_MM)
        for values in (even, np.where(liver | region, np.float32(0.0), even))
    )
    fits, others = (room_for_ball(image, organs.kidney_ball_mm) for image in (whole, rest))
    inside = region_on(whole.grid, Mask(grid, region)).array
    deep = eroded(inside, whole.grid, organs.kidney_ball_mm)
    twins = has_twin(fits, whole.grid, scene.midline_mm, others)[deep]
    return bool(np.count_nonzero(twins) > organs.kidney_twin_share * twins.size)


def _is_heart(region: Voxels, liver: Voxels, scene: Scene) -> bool:
    """Whether a region stands on the liver near the midline, and rises above it."""
    grid, organs = scene.grid, scene.organs
    points, of_liver = (grid.world(np.argwhere(voxels)) for voxels in (region, liver))
    border = ndimage.binary_dilation(liver) & region
    middle, foot = points.mean(0), grid.world(np.argwhere(border)).mean(0)
    left_mm, _, up_mm = middle - foot
    rises_mm = np.percentile(points[:, 2], 99.0) - np.percentile(of_liver[:, 2], 99.0)
    return bool(
        middle[0] - scene.midline_mm > -organs.heart_lateral_mm
        and up_mm > max(organs.heart_above_mm, abs(left_mm))
        and rises_mm > organs.heart_rises_mm
    )


def is_left_lobe(region: Voxels, liver: Voxels, scene: Scene, bright: Bright) -> bool:
    """Whether a region lies left of the liver across a fissure, as bright, and is no kidney.

    The lower end of a right lobe has a kidney on its left, across no more fat than a fissure's.
    """
    is_lobe = _faces_from_left(region, liver, scene, bright)
    return is_lobe and not _is_kidney(region, liver, scene, bright)


def _faces_from_left(region: Voxels, liver: Voxels, scene: Scene, bright: Bright) -> bool:
    """Whether a region faces the liver from the left and front across a fissure, as bright."""
    grid, organs = scene.grid, scene.organs
    box = Mask(grid, region).box(organs.fissure_mm)
    region, liver = region[box], liver[box] & ~scene.drawn[box]
    count = np.count_nonzero(region)
    if count * grid.voxel_ml < organs.fissure_least_ml or not liver.any():
        return False
    away, nearest = ndimage.distance_transform_edt(
        ~liver, sampling=grid.spacing_mm, return_indices=True
    )
    face = region & ~ndimage.binary_erosion(region) & (away < organs.fissure_mm)
    if np.count_nonzero(face) < organs.fissure_width * count ** (2.0 / 3.0):
        return False
    across = (grid.world(np.argwhere(face)) - grid.world(nearest[:, face].T)) / away[face][:, None]
    left, behind, up = across.mean(0)
    step = np.median(bright.relative[box][region])
    return bool(
        left - behind > organs.fissure_left
        and abs(up) < organs.fissure_up
        and abs(step) < bright.alike
    )

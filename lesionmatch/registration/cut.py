"""How much of the liver lies beyond the ends of the MRI.

A map may be right and the MRI still end within the liver. The target shows what goes on: from
every voxel of the liver on an outermost slice a column is followed outwards as long as the
target looks like liver. What the columns cover was cut off, or a little less, because they end
at wide bright vessels too. The target is averaged over several voxels first: in a CT of 60 HU
of noise no column of single voxels would go on. Before, it is held within twice of what counts
as liver-like, on either side, so that an averaged edge is crossed where the edge is. Heart or
spleen beyond the capsule may look the same, and there no column ends; but a liver tapers. Of
convex ends a cone is the most pointed, and its section at depth d is (1 - d/h)² of its base:
half of it has ended at d = (1 - 1/sqrt 2) h, so the whole ends at h = (2 + sqrt 2) d, and no
column is followed further.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.registration.appearance import Target, shrunk
from lesionmatch.registration.evidence import values_at
from lesionmatch.registration.information import Window
from lesionmatch.resample import PointMap, smooth

STEP_MM = 5.0
STEPS = 30
"""How far beyond the end of the MRI liver is looked for: half a liver and more."""
AVERAGED_MM = 8.0
"""Full width at half maximum of what is averaged: 60 HU of noise in voxels of 3 mm become 8."""
LIVER_LIKE = 0.05
"""What counts as liver beyond the MRI lies this near to the liver's own, in windows: 20 HU."""
CONE = 2.0 + np.sqrt(2.0)
LEAST_FACE_MM2 = 500.0
"""A tip cut smaller than this says nothing of how far a liver goes on."""
DEPTH_QUANTILE = 0.9
"""A tenth of the columns may run on into what lies beyond the liver."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What of the liver the MRI does not show."""

    volume_share: float
    """Of the whole liver's volume; 0 where all of it is shown, or the target shows no more."""
    length_share: float
    """Of the whole liver's length along the axis of the MRI on which most is missing."""


def cut_of(liver: Mask, target: Target, target_from_mri: PointMap, middle: float) -> Cut:
    """What the MRI cuts off a liver whose median on the target is `middle`."""
    cut_mm3, length_share = 0.0, 0.0
    for axis, step_mm in enumerate(liver.grid.spacing_mm):
        area_mm2 = float(np.prod(liver.grid.spacing_mm) / step_mm)
        beyond_mm = 0.0
        for is_last in (False, True):
            depths = _depths_mm(liver, axis, is_last, target, target_from_mri, middle)
            cut_mm3 += float(depths.sum()) * area_mm2
            if len(depths) * area_mm2 >= LEAST_FACE_MM2:
                beyond_mm += float(np.quantile(depths, DEPTH_QUANTILE))
        shown = np.flatnonzero(liver.array.any(tuple(n for n in range(3) if n != axis)))
        shown_mm = float((shown[-1] - shown[0] + 1) * step_mm)
        length_share = max(length_share, beyond_mm / (beyond_mm + shown_mm))
    return Cut(cut_mm3 / (cut_mm3 + 1000.0 * liver.volume_ml), length_share)


def _depths_mm(
    liver: Mask,
    axis: int,
    is_last: bool,
    target: Target,
    target_from_mri: PointMap,
    middle: float,
) -> NDArray[np.float64]:
    """How far the liver goes on beyond each of its voxels on an outermost slice."""
    end, way = (liver.grid.shape[axis] - 1, 1.0) if is_last else (0, -1.0)
    face = np.argwhere(np.take(liver.array, [end], axis)).astype(np.float64)
    if len(face) == 0:
        return np.zeros(0)
    face[:, axis] = end
    columns = np.repeat(face[:, None], STEPS, 1)
    columns[:, :, axis] += np.arange(1, STEPS + 1) * way * STEP_MM / liver.grid.spacing_mm[axis]
    places = target_from_mri.apply(liver.grid.world(columns.reshape(-1, 3)))
    near = LIVER_LIKE * (target.window.high - target.window.low)
    seen = _coarsely(target, places, Window(middle - 2.0 * near, middle + 2.0 * near))
    is_liver = np.abs(seen - middle).reshape(len(face), STEPS) < near
    steps = np.logical_and.accumulate(is_liver, axis=1).sum(1)
    # A median column of n steps ended between n and n + 1.
    furthest = CONE * (float(np.median(steps)) + 0.5)
    return np.asarray(np.minimum(steps, furthest) * STEP_MM, np.float64)


def _coarsely(target: Target, points: Points, held: Window) -> NDArray[np.float32]:
    """The target, held, averaged over about `AVERAGED_MM` at points; nan where not scanned."""
    on_target = target.image.grid.contains(points)
    if not on_target.any():
        return np.full(len(points), np.nan, np.float32)
    near = replace(target, window=held)
    image = near.part(target.image.grid.box_around(points[on_target], 2.0 * AVERAGED_MM))
    image = smooth(shrunk(image, AVERAGED_MM / 2.0), AVERAGED_MM)
    return values_at(replace(target, image=image), points)

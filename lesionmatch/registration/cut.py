"""How much of the liver lies beyond the ends of the MRI.

A map may be right and the MRI still end within the liver. The PET/CT shows what goes on: from
every voxel of the liver on an outermost slice a column is followed outwards as long as what it
meets looks like liver, on the CT by its density and on the PET by its uptake. A heart is as dense
as a liver and takes up less; a wall takes up as little and lies behind fat. What the columns cover
was cut off, or a little less, because they end at wide bright vessels too. Each image is averaged
over several voxels first: in a CT of 60 HU of noise no column of single voxels would go on.
Before, it is held within twice of what counts as liver-like, on either side, so that an averaged
edge is crossed where the edge is.

A spleen beyond the capsule may look the same on both, and the columns that meet it run
on. So how far the liver goes is told from the shorter ones: the end of a liver is taken for a
paraboloid, whose section shrinks evenly, so that of its columns a share q has ended at q of its
height. The quantile of the depths over q is the height, whatever the rest of the columns meet
(a cone would be half as high again, half an ellipsoid a seventh lower), and no column is
followed further.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.appearance import Target, averaged
from lesionmatch.registration.information import Window
from lesionmatch.registration.witness import values_at
from lesionmatch.resample import PointMap

STEP_MM = 5.0
STEPS = 30
"""How far beyond the end of the MRI liver is looked for: half a liver and more."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What of the liver the MRI does not show."""

    volume_share: float
    """Of the whole liver's volume; 0 where all of it is shown, or the target shows no more."""
    length_share: float
    """Of the whole liver's length along the axis of the MRI on which most is missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one image of the PET/CT takes for liver."""

    target: Target
    """Averaged and held."""
    target_from_mri: PointMap
    like: Window
    """Intensities of liver."""

    @classmethod
    def of(
        cls,
        target: Target,
        target_from_mri: PointMap,
        middle: float,
        rules: RegistrationRules,
    ) -> "Look":
        """That of an image on which the median of the liver is `middle`."""
        if target.name == "ct":
            near = rules.cut_like_share * (target.window.high - target.window.low)
            like = Window(middle - near, middle + near)
            held = Window(middle - 2.0 * near, middle + 2.0 * near)
        else:
            # Half the uptake: the edge of what takes up nothing. Lesions are as hot as may be.
            like = Window(np.sqrt(rules.cut_uptake_share) * middle, np.inf)
            held = Window(0.0, 2.0 * middle)
        return cls(replace(target, window=held), target_from_mri, like)

    def is_like(self, points: Points, width_mm: float) -> NDArray[np.bool_]:
        """Whether what is seen about MRI points is liver; what was not scanned is none."""
        places = self.target_from_mri.apply(points)
        on_target = self.target.image.grid.contains(places)
        if not on_target.any():
            return on_target
        near = averaged(self.target, places[on_target], width_mm, margin_mm=2.0 * width_mm)
        return self.like.holds(values_at(near, places))


def cut_of(liver: Mask, looks: tuple[Look, ...], rules: RegistrationRules) -> Cut:
    """What the MRI cuts off a liver that goes on where all `looks` see liver."""
    cut_mm3, length_share = 0.0, 0.0
    for axis, step_mm in enumerate(liver.grid.spacing_mm):
        area_mm2 = float(np.prod(liver.grid.spacing_mm) / step_mm)
        beyond_mm = 0.0
        for is_last in (False, True):
            depths = _depths_mm(liver, axis, looks, rules, is_last=is_last)
            height_mm = _height_mm(depths, rules.cut_depth_quantile)
            cut_mm3 += float(np.minimum(depths, height_mm).sum()) * area_mm2
            if len(depths) * area_mm2 >= rules.cut_least_face_mm2:
                beyond_mm += height_mm
        shown = np.flatnonzero(liver.array.any(tuple(n for n in range(3) if n != axis)))
        shown_mm = float((shown[-1] - shown[0] + 1) * step_mm)
        length_share = max(length_share, beyond_mm / (beyond_mm + shown_mm))
    return Cut(cut_mm3 / (cut_mm3 + 1000.0 * liver.volume_ml), length_share)


def _depths_mm(
    liver: Mask, axis: int, looks: tuple[Look, ...], rules: RegistrationRules, *, is_last: bool
) -> NDArray[np.float64]:
    """How far what looks like liver goes on beyond its voxels on an outermost slice."""
    end, way = (liver.grid.shape[axis] - 1, 1.0) if is_last else (0, -1.0)
    face = np.argwhere(np.take(liver.array, [end], axis)).astype(np.float64)
    if len(face) == 0:
        return np.zeros(0)
    face[:, axis] = end
    columns = np.repeat(face[:, None], STEPS, 1)
    columns[:, :, axis] += np.arange(1, STEPS + 1) * way * STEP_MM / liver.grid.spacing_mm[axis]
    points = liver.grid.world(columns.reshape(-1, 3))
    seen = np.all([look.is_like(points, rules.cut_averaged_mm) for look in looks], axis=0)
    steps = np.logical_and.accumulate(seen.reshape(len(face), STEPS), axis=1).sum(1)
    return np.asarray(steps * STEP_MM, np.float64)


def _height_mm(depths_mm: NDArray[np.float64], quantile: float) -> float:
    """Of the paraboloid whose columns end at such depths."""
    return float(np.quantile(depths_mm, quantile)) / quantile if len(depths_mm) else 0.0

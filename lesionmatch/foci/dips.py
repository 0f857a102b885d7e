"""The dip between two peaks: what parts a lesion from a brighter one near it.

In the lightly smoothed image grain makes a bridge between any two lesions whose blur nearly
meets, because it need hold at one place of the valley only. Two peaks far apart are therefore
looked at twice more: in a calmer image, and along the straight line between them with the
mean across it, which calms the grain and does not fill the valley. Near each other the calmer
image would fill every valley, and there the light one alone decides.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.foci.field import Field
from lesionmatch.foci.filters import Array, Where, gaussian
from lesionmatch.protocol import FociRules

Voxel = tuple[int, ...]

ACROSS_SHARE = 0.55
"""Of the light image's noise that such a mean keeps; its grain is 5 mm wide."""

RING = tuple(np.arange(12) * np.pi / 6.0)

TOP_MM = 3.0
"""The top of the profile along the line lies this near the peak."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """An image of the liver to look for dips in."""

    suv: Array
    sd: float
    """What counts as its noise, over the square root of the activity."""
    background: Array
    """SUV of the lesion-free liver."""
    least_sd: float
    """A dip is at least so many of them deep."""

    @classmethod
    def light(cls, field: Field, rules: FociRules) -> "Look":
        """The lightly smoothed image less what organs outside spill in."""
        return cls(field.light, field.light_sd, field.background, rules.dip_sd)

    @classmethod
    def seen(cls, field: Field, rules: FociRules) -> "Look":
        """The image with it, in which what spills in falls away from its organ without a dip."""
        return cls(field.seen, field.light_sd, field.background, rules.spill_dip_sd)

    @classmethod
    def calm(cls, field: Field, rules: FociRules) -> "Look":
        """A calmer one, of which no less is asked: it is to hold more than grain does."""
        suv = gaussian(field.light, rules.calm_mm, field.grid)
        return cls(suv, field.light_sd, field.background, rules.dip_sd)

    def undivided(self, top: Voxel, rules: FociRules) -> Where:
        """The places no dip divides from the focus whose brightest voxel is `top`."""
        bright = self.suv > self._dip(top, rules)
        bright[top] = True
        labels, _ = ndimage.label(bright)
        return np.asarray(labels == labels[top])

    def _dip(self, top: Voxel, rules: FociRules) -> float:
        """The SUV the image must fall to before another peak is another focus."""
        height, base = float(self.suv[top]), float(self.background[top])
        noise = self.sd * float(np.sqrt(max(height, base)))
        share = base + rules.dip_fraction * (height - base)
        floor = base + rules.floor_sd * self.sd * float(np.sqrt(base))
        return max(min(share, height - self.least_sd * noise), floor)


def has_valley(field: Field, fainter: Voxel, brighter: Voxel, rules: FociRules) -> bool:
    """Whether the mean across the line between two peaks dips below the fainter one."""
    apart_mm, mean = _profile(field, fainter, brighter, rules.valley_radius_mm)
    height, base = float(mean[apart_mm <= TOP_MM].max()), float(field.background[fainter])
    noise = ACROSS_SHARE * field.light_sd * float(np.sqrt(max(height, base)))
    share = base + rules.valley_fraction * (height - base)
    return bool(mean.min() < min(share, height - rules.valley_sd * noise))


def _profile(
    field: Field, one: Voxel, other: Voxel, radius_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance from `one`, and the mean of the light image over a disc of `radius_mm` across."""
    spacing_mm = field.grid.spacing_mm
    start_mm = np.array(one) * spacing_mm
    way_mm = np.array(other) * spacing_mm - start_mm
    long_mm = float(np.linalg.norm(way_mm))
    along = way_mm / long_mm
    across = np.linalg.svd(along[None])[2][1:]
    ring = np.stack([np.cos(RING), np.sin(RING)], axis=1) @ across
    disc_mm = np.concatenate([np.zeros((1, 3)), 0.5 * radius_mm * ring[::2], radius_mm * ring])
    apart_mm = np.arange(0.0, long_mm + 0.1, 1.0)
    points_mm = start_mm + apart_mm[:, None, None] * along + disc_mm
    voxels = (points_mm / spacing_mm).reshape(-1, 3).T
    values = ndimage.map_coordinates(field.light, voxels, order=1, mode="nearest")
    return apart_mm, np.asarray(values.reshape(len(apart_mm), -1).mean(axis=1), np.float64)

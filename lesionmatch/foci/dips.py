"""The dip between two peaks: what tells two sources from one, however large or hollow.

Of all ways from the fainter peak to a brighter one the one that stays highest decides, in the
lightly smoothed image. Where one source runs from peak to peak, grain may lower that way but
cannot cut all ways at once; so the dip need be little deeper than grain is, if it is as deep as
Rayleigh's criterion asks. A ring is one source, as the way along it stays high; the straight
line through its cold middle would not.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lesionmatch.foci.field import Field
from lesionmatch.foci.filters import Array, Where
from lesionmatch.protocol import FociRules

Voxel = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """An image of the liver to look for dips in."""

    suv: Array
    sd: float
    """What counts as its noise, over the square root of the activity."""
    background: Array
    """SUV of the lesion-free liver."""
    fraction: float
    """A dip falls below this share of the height above the liver."""
    least_sd: float
    """And is at least so many standard deviations deep."""

    @classmethod
    def light(cls, field: Field, rules: FociRules) -> "Look":
        """The lightly smoothed image less what organs outside spill in."""
        sd, base = field.light_sd, field.background
        return cls(field.light, sd, base, rules.dip_fraction, rules.dip_sd)

    @classmethod
    def seen(cls, field: Field, rules: FociRules) -> "Look":
        """The image with it, in which what spills in falls away from its organ without a dip."""
        sd, base = field.light_sd, field.background
        return cls(field.seen, sd, base, rules.spill_dip_fraction, rules.spill_dip_sd)

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
        share = base + self.fraction * (height - base)
        floor = base + rules.floor_sd * self.sd * float(np.sqrt(base))
        return max(min(share, height - self.least_sd * noise), floor)

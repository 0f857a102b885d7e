"""The uptake of a region on the PET, in itself and against this liver and this spleen."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import InvalidGeometry
from lesionmatch.geometry import require_same_frame
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.protocol import UptakeRules

PEAK_RADIUS_MM = float((3000.0 / (4.0 * np.pi)) ** (1.0 / 3.0))
"""Radius of the sphere of 1 ml that SUVpeak averages over."""


class Background(Protocol):
    """The uptake a region is compared with."""

    @property
    def suv_mean(self) -> float:
        """Of the lesion-free liver."""

    @property
    def suv_sd(self) -> float:
        """Of single voxels of the lesion-free liver."""

    @property
    def spleen_suv_mean(self) -> float | None:
        """Of the spleen, where it is known."""


@dataclass(frozen=True, slots=True)
class Uptake:
    """The uptake of a region."""

    suv_max: float
    suv_peak: float
    """Mean of the voxels within 1 ml about the hottest voxel (IBSI VJGA)."""
    suv_mean: float
    tumour_to_liver: float
    """SUVmax over the liver's mean."""
    contrast_to_noise: float
    """SUVmax above the liver's mean, in standard deviations of the liver's voxels."""
    krenning: int
    """0 none, 1 much below the liver, 2 about the liver, 3 above it, 4 above the spleen."""


def measure(suv: Image, mask: Mask, background: Background, *, rules: UptakeRules) -> Uptake:
    """The uptake of `suv` (SUVbw) in `mask`, a region on a part of its grid.

    Raises `WrongQuantity` where the image is no SUV map, `InvalidGeometry` where the mask
    is empty or has other voxels.
    """
    suv.require(Quantity.SUV_BW)
    require_same_frame("measuring uptake", suv.frame, mask.frame)
    if mask.is_empty:
        raise InvalidGeometry("measuring uptake: wanted a region, got an empty mask")
    voxels = np.argwhere(mask.array) + [part.start for part in mask.box_in(suv.grid)]
    values = suv.array[tuple(voxels.T)].astype(np.float64)
    suv_max = float(values.max())
    peak = max(_ball_mean(suv, voxel) for voxel in voxels[values == suv_max])
    return Uptake(
        suv_max=suv_max,
        suv_peak=peak,
        suv_mean=float(values.mean()),
        tumour_to_liver=suv_max / background.suv_mean,
        contrast_to_noise=(suv_max - background.suv_mean) / background.suv_sd,
        krenning=krenning(peak, background, rules=rules),
    )


def _ball_mean(suv: Image, voxel: NDArray[np.int_]) -> float:
    """Mean of the voxels of the image with centres within 1 ml about one of them."""
    reach = np.ceil(PEAK_RADIUS_MM / suv.grid.spacing_mm).astype(int)
    low = np.maximum(voxel - reach, 0)
    high = np.minimum(voxel + reach + 1, suv.grid.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    steps = np.indices(high - low).reshape(3, -1).T + low - voxel
    steps_mm = steps @ suv.grid.world_from_voxel[:3, :3].T
    near = np.linalg.norm(steps_mm, axis=1) <= PEAK_RADIUS_MM
    return float(suv.array[box].reshape(-1)[near].mean(dtype=np.float64))


def krenning(suv: float, background: Background, *, rules: UptakeRules) -> int:
    """The Krenning score, modified for PET, of an uptake against liver and spleen.

    Without a spleen nothing is above 3.
    """
    ratio = suv / background.suv_mean
    above = ratio > 1.0 + rules.liver_band
    if above and background.spleen_suv_mean is not None and suv > background.spleen_suv_mean:
        return 4
    limits = (rules.none_ratio, rules.faint_ratio, 1.0 + rules.liver_band)
    return sum(ratio > limit for limit in limits)

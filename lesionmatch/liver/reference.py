"""The liver's reference uptake: what lesions are compared with.

Lesions nobody drew, hot or cold, may fill a good part of the liver. What is left of it
still makes the highest peak of the distribution of uptake once the image is smoothed to
well below its noise: a Gaussian and a uniform share of outliers are fitted to it by
expectation-maximisation (Dempster, Laird and Rubin 1977), places outside the Gaussian are
set aside with their surroundings, and mean and SD are taken from the voxels that are left,
as they are in the unsmoothed image. The smoothed image decides only which voxels count, so
that a skewed noise, as iterative reconstruction has it, does not shift the mean.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import InvalidInput
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.spleen import spleen_suv_mean
from lesionmatch.protocol import LiverRules, Protocol
from lesionmatch.resample import distance_mm, smooth

SMOOTHING_MM = 10.0
"""FWHM that takes the noise of a PET well below the contrast of most lesions."""
FIT_STEPS = 30
FITTED_VOXELS = 20_000
LEAST_CORE_ML = 100.0
"""Where the margin leaves less than this, it is made smaller, down to none."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Uptake of the lesion-free liver, SUVbw."""

    suv_mean: float
    suv_sd: float
    """Of single voxels."""
    cov: float
    """`suv_sd` over `suv_mean`."""
    volume_ml: float
    """What was measured."""
    text: str
    """How it was measured, for the report."""
    spleen_suv_mean: float | None
    """None where no spleen was found."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A Gaussian among outliers."""

    mean: float
    sd: float


def reference_uptake(
    suv: Image,
    liver_on_pet: Mask,
    avoid: Mask | None,
    protocol: Protocol,
    *,
    spleen: Mask | None = None,
) -> Reference:
    """Mean and SD of lesion-free liver away from its surface, from `avoid` and from vessels.

    `liver_on_pet`, `avoid` (lesions and vessels that are known) and `spleen` (where one was
    drawn) lie on the grid of `suv`. Lesions that nobody drew are found and left out. Raises
    `WrongQuantity` unless `suv` is SUVbw, `InvalidInput` where no liver is on the PET.
    """
    suv.require(Quantity.SUV_BW)
    if liver_on_pet.is_empty:
        raise InvalidInput(
            "reference uptake: wanted liver within the PET, got none; "
            "check the registration and the liver mask"
        )
    box = liver_on_pet.box(SMOOTHING_MM)
    image, liver = suv.crop(box), liver_on_pet.crop(box)
    core, margin_mm = _core(liver, None if avoid is None else avoid.crop(box), protocol.liver)
    values = image.array[core & ~_near_outliers(image, core, protocol.liver)].astype(np.float64)
    mean, sd = float(values.mean()), float(values.std(ddof=1)) if values.size > 1 else 0.0
    volume_ml = values.size * suv.grid.voxel_ml
    text = _how(volume_ml, margin_mm, 1.0 - values.size / np.count_nonzero(core))
    of_spleen = spleen_suv_mean(suv, liver_on_pet, mean, protocol.liver, spleen)
    return Reference(mean, sd, sd / mean, volume_ml, text, of_spleen)


def _how(volume_ml: float, margin_mm: float, left_out: float) -> str:
    return (
        f"robust mean of {volume_ml:.0f} ml of the liver, {margin_mm:g} mm from its surface; "
        f"{left_out:.0%} of that depth left out as lesions or vessels"
    )


def _core(liver: Mask, avoid: Mask | None, rules: LiverRules) -> tuple[NDArray[np.bool_], float]:
    """The part of the liver away from its surface and from `avoid`, and how far away."""
    depth = distance_mm(_outside(liver))
    from_avoided = np.inf if avoid is None else distance_mm(avoid)
    for margin, spill in ((1.0, 1.0), (0.5, 1.0), (0.5, 0.5), (0.0, 0.5)):
        free = liver.array & (from_avoided > spill * rules.reference_spill_mm)
        margin_mm = margin * rules.edge_margin_mm
        core = free & (depth > margin_mm)
        if np.count_nonzero(core) * liver.grid.voxel_ml >= LEAST_CORE_ML:
            return core, margin_mm
    return (free if free.any() else liver.array), 0.0


def _outside(liver: Mask) -> Mask:
    return Mask(liver.grid, ~liver.array)


def _near_outliers(image: Image, core: NDArray[np.bool_], rules: LiverRules) -> NDArray[np.bool_]:
    """Places of the core that do not belong to its main peak of uptake, and those near them."""
    smoothed = smooth(image, SMOOTHING_MM).array
    values = smoothed[core].astype(np.float64)
    peak = main_peak(values)
    is_cold = smoothed < peak.mean - rules.reference_cold_sds * peak.sd
    is_hot = smoothed > peak.mean + rules.reference_hot_sds * peak.sd
    outliers = core & (is_cold | is_hot)
    near = distance_mm(Mask(image.grid, outliers)) <= rules.reference_spill_mm
    # Where everything lies near an outlier, the peak itself is all there is to go by.
    return outliers if near[core].all() else near


def main_peak(values: NDArray[np.float64]) -> Peak:
    """The Gaussian under the highest peak of `values`, of which up to half are outliers."""
    values = values[:: max(1, values.size // FITTED_VOXELS)]
    mean = half_sample_mode(values)
    sd = _narrow_side_sd(values, mean)
    span = float(np.ptp(values))
    share = 0.9
    for _ in range(FIT_STEPS):
        if sd <= 0.0 or span <= 0.0:
            break
        z = (values - mean) / sd
        core = share * np.exp(-0.5 * z * z) / (sd * np.sqrt(2.0 * np.pi))
        weight = core / (core + (1.0 - share) / span)
        total = float(weight.sum())
        mean = float((weight * values).sum() / total)
        sd = float(np.sqrt((weight * (values - mean) ** 2).sum() / total))
        share = min(total / values.size, 0.999)
    return Peak(mean, sd)


def half_sample_mode(values: NDArray[np.float64]) -> float:
    """The mode by halving to the densest half again and again (Bickel and Frühwirth 2006).

    doi 10.1016/j.csda.2005.07.011
    """
    ordered = np.sort(values)
    while ordered.size > 3:
        half = (ordered.size + 1) // 2
        start = int(np.argmin(ordered[half - 1 :] - ordered[: ordered.size - half + 1]))
        ordered = ordered[start : start + half]
    return float(ordered.mean())


def _narrow_side_sd(values: NDArray[np.float64], mode: float) -> float:
    """SD from the side of the mode on which fewer outliers lie."""
    sides = [s for s in (mode - values[values < mode], values[values > mode] - mode) if s.size]
    return min((float(np.median(side)) / 0.6745 for side in sides), default=0.0)

"""Whether the fine pattern of the liver is the same in both images, asked where the CT is noisy.

`evidence.inner_agreement` reads single voxels, and a CT of 50 HU of noise drowns them. But the
noise of thousands of places averages out in a sum over all of them. So the CT is averaged over a
few millimetres, the level around each place is taken off both images, and what is left is
correlated. How large that may come out by chance, the same map shifted tells: the answer is
the correlation in standard deviations of its values under many shifts. Its sign says nothing:
vessels are dark on an unenhanced CT as on the MRI, and bright on an enhanced one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.registration.appearance import Target, averaged
from lesionmatch.registration.evidence import LEAST_DEEP, Witness, values_at, ways
from lesionmatch.resample import PointMap

Floats = NDArray[np.float64]

AVERAGED_MM = 4.0
"""Full width at half maximum of what is averaged: a vessel's width."""
LEVEL_VOXELS = 7
"""Width of the cube whose mean is the level, in voxels of the witness: 21 mm."""
SHIFTS_MM = (10.0, 14.0, 20.0)
"""More than a vessel's width, so that chance alone is left."""
LAGS_MM = (4.0, 8.0)
"""Places so far apart have noise of their own, and tissue that is mostly the same."""
MAD_SD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
LESIONS_SD, NOISE_SD = 6.0, 4.0
"""MRI and CT are held within so many standard deviations, or single lesions would decide."""


def noise_of(witness: Witness, target: Target, target_from_mri: PointMap) -> float | None:
    """SD of the target's noise deep in the liver; None where too little lies on the target."""
    places = target_from_mri.apply(witness.points_mm[witness.is_deep])
    if target.image.grid.contains(places).sum() < LEAST_DEEP:
        return None
    values = values_at(target, places)
    steps = [
        np.nanmedian(np.abs(values_at(target, places + lag * axis) - values))
        for lag in LAGS_MM
        for axis in np.eye(3)
    ]
    return float(MAD_SD * np.median(steps) / np.sqrt(2.0))


def pattern_errors(witness: Witness, target: Target, target_from_mri: PointMap) -> float | None:
    """By how many SDs the correlation of the fine pattern stands out of those of shifted maps.

    None where too little lies on the target, or nothing varies.
    """
    deep = witness.is_deep
    places = target_from_mri.apply(witness.points_mm[deep])
    if target.image.grid.contains(places).sum() < LEAST_DEEP:
        return None
    coarse = averaged(target, places, AVERAGED_MM, margin_mm=max(SHIFTS_MM) + 2.0 * AVERAGED_MM)
    fine = _Fine(witness.voxels[deep])
    pattern = fine.of(_held(witness.bins[deep].astype(np.float64), LESIONS_SD))

    def at(shift: Floats) -> float:
        values = fine.of(_held(values_at(coarse, places + shift).astype(np.float64), NOISE_SD))
        size = float(np.sqrt((pattern**2).sum() * (values**2).sum()))
        return float((pattern * values).sum()) / size if size > 0.0 else 0.0

    beside = np.array([at(length * way) for length in SHIFTS_MM for way in ways()])
    scatter = float(beside.std())
    return abs(at(np.zeros(3)) - float(beside.mean())) / scatter if scatter > 0.0 else None


def _held(values: Floats, most_sd: float) -> Floats:
    """Without outliers; what was not scanned takes the median."""
    middle = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    known = np.nan_to_num(values, nan=middle)
    reach = most_sd * MAD_SD * float(np.median(np.abs(known - middle)))
    return np.asarray(np.clip(known, middle - reach, middle + reach))


class _Fine:
    """Takes the level around each place off values at places on one grid."""

    def __init__(self, voxels: NDArray[np.intp]) -> None:
        first = voxels.min(0)
        self._where = tuple((voxels - first).T)
        self._shape = tuple((voxels.max(0) - first + 1).tolist())
        self._share = self._mean(np.ones(len(voxels)))

    def _mean(self, values: Floats) -> Floats:
        dense = np.zeros(self._shape)
        dense[self._where] = values
        mean = ndimage.uniform_filter(dense, LEVEL_VOXELS, mode="constant")
        return np.asarray(mean[self._where])

    def of(self, values: Floats) -> Floats:
        """(N,) values less the mean of those about each."""
        return np.asarray(values - self._mean(values) / self._share)

r"""Mutual information of two images' intensities, and how it changes with the moving one's.

Let p(f, m) be the joint table of fixed intensity f and moving intensity m. Aligning two
images is fitting a model by likelihood: each fixed voxel was drawn from p(f | m) at the
place it lands on, so the fit maximises the sum of log p(f | m), which per voxel is their
mutual information less a constant. Its derivative by m is the *score*
``s = d log p(f | m) / dm``; the mean of s² over f given m is the *Fisher information*,
the curvature Gauss-Newton needs. Neither asks for a step size.

The table is counted in bins, blurred by one bin (a Parzen window) and lifted by a small
uniform prior, so that an intensity pair never seen has a finite cost.

Viola and Wells 1997, doi 10.1023/A:1007958904918; Roche et al. 2000, doi 10.1007/10704282_61.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]

BINS = 32
PARZEN_SIGMA_BINS = 1.0
PRIOR_SHARE = 1e-3
"""Weight of the uniform table mixed into the counted one, as a share of the samples."""


@dataclass(frozen=True, slots=True)
class Window:
    """The range of intensities the bins divide; what lies beyond counts as its ends."""

    low: float
    high: float

    @property
    def bins_per_unit(self) -> float:
        """Bins in one unit of intensity."""
        return (BINS - 1) / (self.high - self.low)

    def bins(self, intensities: Floats) -> Floats:
        """Fractional bin of each intensity, 0 to BINS - 1."""
        scaled = (intensities - np.float32(self.low)) * np.float32(self.bins_per_unit)
        return np.asarray(np.clip(scaled, 0, BINS - 1), np.float32)

    def holds(self, intensities: Floats) -> NDArray[np.bool_]:
        """Which intensities lie strictly within."""
        return (intensities > self.low) & (intensities < self.high)


def counted(
    fixed_bins: Floats, moving_bins: Floats, weights: Floats | None = None
) -> NDArray[np.float64]:
    """(fixed, moving) how many samples meet in each pair of bins, each as often as its weight."""
    cell = np.rint(fixed_bins).astype(np.int32) * BINS + np.rint(moving_bins).astype(np.int32)
    return np.bincount(cell, weights, BINS * BINS).reshape(BINS, BINS).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class JointTable:
    """The joint distribution of fixed and moving intensities, in bins."""

    density: NDArray[np.float64]
    """(fixed, moving), all positive, sum 1."""

    @classmethod
    def of(cls, fixed_bins: Floats, moving_bins: Floats, weights: Floats) -> "JointTable":
        """Count samples, each as often as its weight."""
        return cls.counting(counted(fixed_bins, moving_bins, weights))

    @classmethod
    def counting(cls, counts: NDArray[np.float64]) -> "JointTable":
        """Of what was `counted`."""
        blurred = ndimage.gaussian_filter(counts, PARZEN_SIGMA_BINS, mode="nearest")
        lifted = blurred + PRIOR_SHARE * max(float(counts.sum()), 1.0) / BINS**2
        return cls(lifted / lifted.sum())

    @property
    def log_ratio(self) -> NDArray[np.float64]:
        """log of p(f, m) / (p(f) p(m)) at each cell."""
        fixed = self.density.sum(1, keepdims=True)
        moving = self.density.sum(0, keepdims=True)
        return np.asarray(np.log(self.density / (fixed * moving)))

    @property
    def mutual_information(self) -> float:
        """In nats."""
        return float((self.density * self.log_ratio).sum())

    def gains(self, fixed_bins: Floats, moving_bins: Floats) -> Floats:
        """What each sample, counted here or not, adds to the mutual information, in nats."""
        return _interpolated(self.log_ratio, fixed_bins, moving_bins)

    def score_and_information(
        self, fixed_bins: Floats, moving_bins: Floats
    ) -> tuple[Floats, Floats]:
        """d log p(f | m) / dm at each sample, and its mean square given m; per bin, per bin²."""
        log_conditional = np.log(self.density / self.density.sum(0, keepdims=True))
        slope = np.gradient(log_conditional, axis=1)
        fisher = (self.density * slope**2).sum(0) / self.density.sum(0)
        score = _interpolated(slope, fixed_bins, moving_bins)
        information = np.interp(moving_bins, np.arange(BINS), fisher)
        return score, information.astype(np.float32)


def _interpolated(table: NDArray[np.float64], rows: Floats, columns: Floats) -> Floats:
    found = ndimage.map_coordinates(
        table.astype(np.float32), [rows, columns], order=1, mode="nearest", output=np.float32
    )
    return np.asarray(found, np.float32)


def alignment_score(
    fixed_bins: Floats, moving: Floats, window: Window, weights: Floats
) -> tuple[float, Floats, Floats]:
    """Mutual information, and for each sample its score and information by moving intensity.

    Outside the window the moving intensity no longer changes its bin, so both are 0 there.
    """
    moving_bins = window.bins(moving)
    table = JointTable.of(fixed_bins, moving_bins, weights)
    score, information = table.score_and_information(fixed_bins, moving_bins)
    scale = np.float32(window.bins_per_unit)
    felt = weights * window.holds(moving)
    return table.mutual_information, score * felt * scale, information * felt * scale**2

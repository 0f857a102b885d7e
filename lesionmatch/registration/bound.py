r"""How far a registration may be off, place by place: a 95 % bound, calibrated by simulation.

How firmly the images hold the map differs from place to place, and the fit knows it: the
curvature of its objective, averaged over the neighbourhood, in the direction it knows least
(`Deformation.hold`), is large where vessels, lesions or the capsule face every way, and
small in featureless tissue or where all edges run in parallel. Errors also grow towards the
liver's ends, and are larger in a study whose images agree less. So

    bound = exp(a + b ln hold + c ln(r + 20 mm) + d ln(probe ratio)) - 0.1 mm

with r the distance from the liver's centre. The coefficients are those of the mean of
ln(error + 0.1 mm) over 36 simulated studies (patients and analytic bodies, scanners coarse
and fine); `a` is then raised until 95 % of points and lesions lie below the bound. The error
is that on the PET, so what is left between PET and CT is in it. With no CT only `a` differs,
from six studies. Linear maps have one bound each: that of the affine map with a CT is the 95th
percentile of its error on the same studies (5.9 mm), the others are chosen wider than that.

Simulated scans are kinder than real ones: the bound is what the method adds on images like
those, and a floor for others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Grid, Points
from lesionmatch.registration.deform import Deformation

DEFORMABLE = {"ct": (-3.090, -0.365, 0.374, -0.264), "pet": (-2.93, -0.365, 0.374, -0.264)}
"""(a, b, c, d) of the module's formula, by target."""
LINEAR_MM = {"ct": {"rigid": 9.0, "affine": 6.0}, "pet": {"rigid": 10.0, "affine": 8.0}}

LEAST_MM = 1.0
"""Nothing simulated speaks for trusting a map more than this."""
DOUBTFUL_LEAST_MM = 15.0
"""When the map itself is in doubt its own measures are worth little."""


@dataclass(frozen=True, slots=True)
class EvenBound:
    """The same bound everywhere in the liver."""

    error_mm: float

    def __call__(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) of the one number."""
        return np.full(len(points_mm), self.error_mm)


@dataclass(frozen=True, slots=True, eq=False)
class LocalBound:
    """The module's formula."""

    bent: Deformation
    grid: Grid
    """The deformation's own."""
    centre_mm: NDArray[np.float64]
    probe_ratio: float
    target: str

    def __call__(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) bound in mm at MRI points."""
        a, b, c, d = DEFORMABLE[self.target]
        hold = np.maximum(self.bent.hold_at(self.grid, points_mm), 1e-7)
        away = np.linalg.norm(points_mm - self.centre_mm, axis=1)
        logs = a + b * np.log(hold) + c * np.log(away + 20.0)
        logs += d * np.log(max(self.probe_ratio, 1.0))
        return np.asarray(np.maximum(np.exp(logs) - 0.1, LEAST_MM))


@dataclass(frozen=True, slots=True, eq=False)
class DoubtfulBound:
    """No less than `DOUBTFUL_LEAST_MM`, whatever `bound` says."""

    bound: EvenBound | LocalBound

    def __call__(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) bound in mm at MRI points."""
        return np.asarray(np.maximum(2.0 * self.bound(points_mm), DOUBTFUL_LEAST_MM))

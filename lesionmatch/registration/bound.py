r"""How far a registration may be off, place by place: a 95 % bound, calibrated by simulation.

What the images do not show between vessels and capsule, no fit can know: there the error is a
share of how strongly the liver is bent, which the fit tells elsewhere in the same liver. The
share is larger where the target shows little but noise. How firmly the images hold the map
also differs from place to place: the curvature of the fit's objective, averaged over the
neighbourhood, in the direction it knows least (`Deformation.hold`). Errors grow towards the
liver's ends. So

    bound = sqrt(e² + o²)
    ln(e + 0.1 mm) = a + b ln hold + c ln(r + 20 mm) + d ln structure + f ln(bend + 0.3 mm)

with r the distance from the liver's centre, structure the share of the target's variance in the
liver that is no noise (`scene.structure_share`) and bend what of the deformation no affine map
makes (`deform.bend_mm`). a, d and f are those of the 95th percentile (Koenker and Bassett 1978,
doi 10.2307/1913643) over 30 simulated studies: usual ones, ones of noisy CTs and short bends,
and ones of a simulator that shares nothing with ours, weighted twice; b and c are set by hand,
since so few studies do not tell them. The error is that on the PET, and o is what may be left
between PET and CT: a share of an estimated offset that was corrected, all of one too small to
correct. With no CT only `a` differs, and o is 0. Linear maps have one bound each, the 95th
percentile of their error. All of these numbers stand in the protocol (`RegistrationBounds`);
`scripts/bench registration` says on studies of its own how often each bound holds.

Simulated scans are kinder than real ones: the bound is what the method adds on images like
those, and a floor for others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Grid, Points
from lesionmatch.protocol import RegistrationBounds
from lesionmatch.registration.deform import Deformation


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
    structure_share: float
    """Of the target's variance in the liver, above 0."""
    bend_mm: float
    level: float
    """a of the formula, by target."""
    offset_left_mm: float
    """o of the formula."""
    rules: RegistrationBounds

    def __call__(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) bound in mm at MRI points."""
        rules = self.rules
        hold = np.maximum(self.bent.hold_at(self.grid, points_mm), 1e-7)
        away = np.linalg.norm(points_mm - self.centre_mm, axis=1)
        logs = self.level + rules.hold_power * np.log(hold)
        logs += rules.distance_power * np.log(away + 20.0)
        logs += rules.structure_power * np.log(self.structure_share)
        logs += rules.bend_power * np.log(self.bend_mm + 0.3)
        fitted = np.maximum(np.exp(logs) - 0.1, rules.least_mm)
        return np.asarray(np.hypot(fitted, self.offset_left_mm))


@dataclass(frozen=True, slots=True, eq=False)
class DoubtfulBound:
    """Twice what `bound` says, and no less than `least_mm`."""

    bound: EvenBound | LocalBound
    least_mm: float

    def __call__(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) bound in mm at MRI points."""
        return np.asarray(np.maximum(2.0 * self.bound(points_mm), self.least_mm))

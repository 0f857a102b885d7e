r"""How far a registration may be off, place by place: a 95 % bound, calibrated by simulation.

The deformation is fitted twice, by different voxels and trusting different witnesses (see
`deform`). How far the two lie apart at a place is what the images themselves say of the error
there:

    bound = sqrt(e² + o²)
    ln(e + 0.1 mm) = a + b ln(apart + 0.3 mm)

with apart the distance of the two fits about the place (`Deformation.apart_mm`). It cannot tell
what both get wrong alike, so a and b are those of the 95th percentile of the error (Koenker and
Bassett 1978, doi 10.2307/1913643) over simulated studies of three kinds: usual ones, ones of noisy
CTs and short bends, and foreign ones, of stronger bends and with a wall that cuts off the liver,
so that its surface is not where its tissue is. `scripts/bench bound` fits them anew. Lesions,
which are where there is something to see, lay within more often than points, 99 % on our own
studies, which is no 95 % bound: so a was lowered by 0.08. On two simulators that share nothing
with ours bounds of an earlier map, a little wider, held for five lesions in six. More terms (the
liver's growth, how much is to be seen, the depth) rank the errors no better. The error is that on
the PET, and o is what may be left between PET and CT: a share of an estimated offset that was
corrected, all of one too small to correct. With no CT only `a` differs, and o is 0. Linear maps
have one bound each, the 95th percentile of their error. All of these numbers stand in the protocol
(`RegistrationBounds`); `scripts/bench registration` says on other seeds how often each bound
holds.

Simulated scans are kinder than real ones: the bound is what the method adds on images like
those, and a floor for others.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid, Points
from lesionmatch.protocol import RegistrationBounds
from lesionmatch.registration.deform import Deformation
from lesionmatch.registration.result import Quality

SLACK_MM, APART_MM = 0.1, 0.3
"""Added before a logarithm is taken, so that nothing of a hair decides."""


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
    level: float
    """a of the formula, by target."""
    offset_left_mm: float
    """o of the formula."""
    rules: RegistrationBounds

    def ln_apart(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) what b multiplies at MRI points."""
        voxels = self.grid.voxels(points_mm).T
        apart = ndimage.map_coordinates(self.bent.apart_mm, voxels, order=1, mode="nearest")
        return np.asarray(np.log(apart + APART_MM), np.float64)

    def __call__(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) bound in mm at MRI points."""
        rules = self.rules
        logs = self.level + rules.apart_power * self.ln_apart(points_mm)
        fitted = np.maximum(np.exp(logs) - SLACK_MM, rules.least_mm)
        return np.asarray(np.hypot(fitted, self.offset_left_mm))


@dataclass(frozen=True, slots=True, eq=False)
class DoubtfulBound:
    """Twice what `bound` says, and no less than `least_mm`."""

    bound: EvenBound | LocalBound
    least_mm: float

    def __call__(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) bound in mm at MRI points."""
        return np.asarray(np.maximum(2.0 * self.bound(points_mm), self.least_mm))


def linear_bound(kind: str, target: str, rules: RegistrationBounds) -> EvenBound:
    """That of a 'rigid' or 'affine' map to a 'ct' or 'pet'."""
    bounds = {
        ("rigid", "ct"): rules.ct_rigid_mm,
        ("affine", "ct"): rules.ct_affine_mm,
        ("rigid", "pet"): rules.pet_rigid_mm,
        ("affine", "pet"): rules.pet_affine_mm,
    }
    return EvenBound(bounds[kind, target])


def offset_left_mm(quality: Quality, rules: RegistrationBounds) -> float:
    """How far the liver may still lie off between PET and CT."""
    away_mm = math.hypot(*(quality.pet_ct_offset_mm or (0.0,)))
    return away_mm * (rules.corrected_offset_left if quality.pet_ct_offset_applied else 1.0)

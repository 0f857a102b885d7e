"""How far a registration may be off, place by place: a 95 % bound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Points
from lesionmatch.image import Mask

BASE_MM = {"deformable": 3.5, "affine": 9.0, "rigid": 12.0}
PET_FACTOR = 1.6
DOUBT_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class EvenBound:
    """The same bound everywhere in the liver."""

    error_mm: float

    def __call__(self, points_mm: Points) -> NDArray[np.float64]:
        """(N,) of the one number."""
        return np.full(len(points_mm), self.error_mm)


def bound_of(kind: str, target: str, liver: Mask, is_doubtful: bool) -> EvenBound:
    """The bound of a registration of one `kind`."""
    del liver
    factor = (PET_FACTOR if target == "pet" else 1.0) * (DOUBT_FACTOR if is_doubtful else 1.0)
    return EvenBound(BASE_MM[kind] * factor)

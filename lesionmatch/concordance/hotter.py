"""Uptake beside a lesion that is hotter than what is seen of the lesion.

Within a resolution length of something hotter nothing is a peak of its own: what is seen
there may be the lesion's, the blur of its neighbour, or both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.concordance.evidence import Evidence
from lesionmatch.concordance.pairs import Focus
from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.lesions import Carried, Uptake, widened


@dataclass(frozen=True, slots=True)
class Hotter:
    """What is hotter than a lesion within a resolution length of where it was looked for."""

    name: str
    """The focus it belongs to, or that it belongs to none."""
    tumour_to_liver: float
    """Of its hottest voxel there, over the liver's mean."""
    apart_mm: float
    """From that voxel's centre to the nearest point of the lesion."""


def hotter_beside(
    carried: Carried, search: Mask, uptake: Uptake, evidence: Evidence
) -> Hotter | None:
    """The hottest place within the PET's resolution of `search`; None where that is in it.

    `search` is where a lesion was looked for on the PET, `uptake` what was seen there.
    """
    fwhm_mm, grid = evidence.blur.fwhm_mm, evidence.suv.grid
    reach = widened(search, fwhm_mm, grid)
    suv = evidence.suv.array[reach.box_in(grid)][reach.array]
    top = int(suv.argmax())
    if suv[top] <= uptake.suv_max:
        return None
    place_mm = reach.points_mm()[top]
    return Hotter(
        name=_name(place_mm, evidence.foci, fwhm_mm / 2.0),
        tumour_to_liver=float(suv[top]) / evidence.background.suv_mean,
        apart_mm=_apart_mm(place_mm, carried.points_mm),
    )


def _name(place_mm: NDArray[np.float64], foci: Sequence[Focus], reach_mm: float) -> str:
    """The focus in whose blur a place lies."""
    apart_mm = [_apart_mm(place_mm, focus.extent.points_mm()) for focus in foci]
    if min(apart_mm, default=np.inf) > reach_mm:
        return "uptake that is no focus"
    nearest = foci[int(np.argmin(apart_mm))]
    normal = nearest.physiologic_neighbour
    return f"focus {nearest.focus_id}" + (f" ({normal})" if normal else "")


def _apart_mm(place_mm: NDArray[np.float64], points_mm: Points) -> float:
    """From a place, (3,), to the nearest of the points, (N, 3)."""
    return float(np.linalg.norm(points_mm - place_mm, axis=1).min())

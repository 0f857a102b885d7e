"""Foci: peaks of uptake that stand out of this liver's own noise, found without the lesions."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lesionmatch.foci.extent import extents
from lesionmatch.foci.field import Field, field_of
from lesionmatch.foci.filters import ball
from lesionmatch.geometry import Points
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import FociRules, Protocol


@dataclass(frozen=True, slots=True, eq=False)
class Focus:
    """A region of uptake above the liver around it."""

    focus_id: str
    """``F1`` is the one that stands out most."""
    peak_mm: Points
    """(3,) where it stands out most."""
    centroid_mm: Points
    """(3,) centroid of its uptake above the background."""
    extent: Mask
    """On the smallest part of the PET grid that holds it."""
    z: float
    """Standard deviations above the liver around it."""
    suv_max: float
    background_suv: float
    """SUV of the liver expected at the peak."""
    depth_mm: float
    """Of the peak under the liver mask's border."""
    physiologic_neighbour: str | None
    """What normal uptake explains it, where one does: it is then evidence, not a finding."""

    @property
    def counts(self) -> bool:
        """Whether it is a finding: no physiologic uptake explains it."""
        return self.physiologic_neighbour is None


def find_foci(
    suv: Image, liver_on_pet: Mask, protocol: Protocol, *, field: Field | None = None
) -> tuple[Focus, ...]:
    """Foci of the liver, those that stand out most first; `field` saves making it again.

    Candidates near physiologic uptake are returned too and say so; only those that `counts`
    are findings. Raises as `field_of` does.
    """
    known = field_of(suv, liver_on_pet) if field is None else field
    rules = protocol.foci
    peaks = _peaks(known, rules)
    regions = extents(known, peaks, rules)
    return tuple(
        _focus(known, n, peak, region)
        for n, (peak, region) in enumerate(zip(peaks, regions, strict=True), start=1)
    )


def _peaks(field: Field, rules: FociRules) -> list[tuple[int, ...]]:
    """Voxels of the local maxima above the threshold, highest first."""
    near = ball(rules.peak_distance_mm, field.grid)
    top = field.z >= ndimage.maximum_filter(field.z, footprint=near, mode="nearest")
    found = np.argwhere(top & (field.z > rules.least_z) & (field.depth > -rules.outside_mm))
    order = np.argsort([-field.z[tuple(v)] for v in found], kind="stable")
    return [tuple(int(i) for i in found[n]) for n in order]


def _focus(field: Field, number: int, peak: tuple[int, ...], region: Mask) -> Focus:
    inside = region.on(field.grid).array
    above = np.maximum(field.suv - field.background, 0.0)[inside] + 1e-6
    return Focus(
        focus_id=f"F{number}",
        peak_mm=field.grid.world(peak),
        centroid_mm=field.grid.world(np.average(np.argwhere(inside), axis=0, weights=above)),
        extent=region,
        z=float(field.z[peak]),
        suv_max=float(field.suv[inside].max()),
        background_suv=float(field.background[peak]),
        depth_mm=float(field.depth[peak]),
        physiologic_neighbour=None,
    )

"""Foci: peaks of uptake that stand out of this liver's own noise, found without the lesions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lesionmatch.foci.dips import Voxel
from lesionmatch.foci.extent import Extent, extents
from lesionmatch.foci.field import Field, field_of
from lesionmatch.foci.neighbours import deepest_mm, neighbour_of
from lesionmatch.foci.peaks import candidates, resolved
from lesionmatch.geometry import Points
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import FociRules, Protocol
from lesionmatch.segments import Structure


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
    suv: Image,
    liver_on_pet: Mask,
    protocol: Protocol,
    *,
    field: Field | None = None,
    structures: Mapping[Structure, Mask] | None = None,
) -> tuple[Focus, ...]:
    """Foci of the liver, those that stand out most first.

    Candidates near physiologic uptake are returned too and say so; only those that `counts`
    are findings. `field` saves making it again; `structures`, in the PET's frame, name the
    neighbours. Raises as `field_of` does.
    """
    rules = protocol.foci
    known = field_of(suv, liver_on_pet, rules) if field is None else field
    found = resolved(known, candidates(known, rules), rules)
    regions = extents(known, [top for _, top in found], rules)
    return tuple(
        _focus(known, n, peak, top, region, rules, structures or {})
        for n, ((peak, top), region) in enumerate(zip(found, regions, strict=True), start=1)
    )


def _focus(
    field: Field,
    number: int,
    peak: Voxel,
    top: Voxel,
    extent: Extent,
    rules: FociRules,
    structures: Mapping[Structure, Mask],
) -> Focus:
    suv, region = field.suv[extent.box], extent.region
    above = np.maximum(suv - field.background[extent.box], 0.0)[region] + 1e-6
    grid = field.grid.crop(extent.box)
    is_deep = np.median(field.depth[extent.box][region]) > deepest_mm(field, top, rules)
    return Focus(
        focus_id=f"F{number}",
        peak_mm=field.grid.world(peak),
        centroid_mm=grid.world(np.average(np.argwhere(region), axis=0, weights=above)),
        extent=Mask(grid, region).trimmed(),
        z=float(field.z[peak]),
        suv_max=float(suv[region].max()),
        background_suv=float(field.background[peak]),
        depth_mm=float(field.depth[peak]),
        physiologic_neighbour=None if is_deep else neighbour_of(field, top, rules, structures),
    )

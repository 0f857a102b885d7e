"""How near lesions and foci lie to each other, where they are and in draws of the error.

A lesion and a focus may be one thing where they lie within a tolerance that the
registration error and the resolution set. How sure that is, draws of the registration error
show: the lesion is moved by each, and every pair is measured again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lesionmatch.concordance.boxes import boxes_around, meet
from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.landmarks import BOUND_IN_SD
from lesionmatch.lesions import Carried, equivalent_diameter_mm
from lesionmatch.protocol import RelationRules

DRAW_SEED = 20233
"""Seed of the draws, so that the same study gives the same answer."""

Relation = Literal["matched", "split", "merged", "mri_only", "pet_only"]


class Focus(Protocol):
    """What relations need to know of a focus."""

    @property
    def focus_id(self) -> str:
        """``F1`` and on."""

    @property
    def peak_mm(self) -> NDArray[np.float64]:
        """(3,) where it stands out most."""

    @property
    def centroid_mm(self) -> NDArray[np.float64]:
        """(3,)"""

    @property
    def extent(self) -> Mask:
        """Its voxels on a part of the PET's grid."""

    @property
    def suv_max(self) -> float:
        """Its hottest voxel."""

    @property
    def z(self) -> float:
        """How far it stands out of the liver's noise, in standard deviations of that."""

    @property
    def physiologic_neighbour(self) -> str | None:
        """What normal uptake explains it, where one does; it is then no finding."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A lesion and a focus that were considered."""

    lesion_id: str
    focus_id: str
    distance_mm: float
    """Centroid to centroid."""
    gap_mm: float
    """From the focus's centre to the lesion's surface, 0 inside."""
    surface_distance_mm: float
    """Surface to surface, 0 where they touch or overlap."""
    overlap: float
    """Share of the smaller of both extents that lies in the other."""
    shared: float
    """Share of the lesion's core that lies in the focus."""
    tolerance_mm: float
    cost: float
    """0 for the same place, 2 where neither gap nor distance may grow."""
    is_candidate: bool
    """Whether they lie within the tolerance."""
    relation: Relation | None
    """None where they are not related."""
    is_ambiguous: bool
    """Whether another partner would have been about as good, or is in draws of the error."""


def considered(
    carried: Sequence[Carried], foci: Sequence[Focus], fwhm_mm: float, rules: RelationRules
) -> list[tuple[Pair, ...]]:
    """Each pair near enough to be listed: as it lies, then in every draw of the error.

    By lesion and then by cost. Lesions that the PET does not cover are in none.
    """
    regions = [_Region.of(focus) for focus in foci]
    boxes = boxes_around([focus.extent for focus in foci])
    pairs: list[tuple[Pair, ...]] = []
    for lesion in carried:
        if lesion.extent is None:
            continue
        site = _Site.of(lesion, lesion.extent, fwhm_mm, rules)
        is_near = meet(boxes_around([lesion.extent])[0], boxes, rules.considered_mm)
        near = [_pairs(site, regions[n], rules) for n in np.flatnonzero(is_near)]
        kept = [p for p in near if p[0].is_candidate or p[0].gap_mm <= rules.considered_mm]
        pairs += sorted(kept, key=lambda p: (p[0].cost, p[0].focus_id))
    return pairs


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """A focus and what all its pairs ask of it."""

    focus: Focus
    points_mm: Points
    volume_ml: float
    diameter_mm: float
    """Of the sphere of this volume."""

    @classmethod
    def of(cls, focus: Focus) -> "_Region":
        """Measured."""
        volume_ml = focus.extent.volume_ml
        return cls(focus, focus.extent.points_mm(), volume_ml, equivalent_diameter_mm(volume_ml))


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    """A lesion on the PET and what all its pairs ask of it."""

    carried: Carried
    extent: Mask
    core: Mask
    """The inner half of the extent, which the blur of a hot neighbour does not reach."""
    tree: "cKDTree[None]"
    """Of the voxels of the extent."""
    offs_mm: Points
    """(1 + draws, 3): nothing, then how far each draw of the error puts it off."""
    tolerance_mm: float
    """How far from its surface its focus may lie."""
    volume_ml: float
    """Of the extent."""

    @classmethod
    def of(cls, carried: Carried, extent: Mask, fwhm_mm: float, rules: RelationRules) -> "_Site":
        """Of a lesion that the PET covers."""
        reach_mm = float(np.hypot(carried.error_mm, fwhm_mm / 2.0))
        return cls(
            carried=carried,
            extent=extent,
            core=_core(extent),
            tree=cKDTree(extent.points_mm()),
            offs_mm=_offs_mm(carried.error_mm, int(rules.draws)),
            tolerance_mm=min(reach_mm, rules.tolerance_most_mm),
            volume_ml=extent.volume_ml,
        )

    def gaps_mm(self, focus: Focus) -> NDArray[np.float64]:
        """(1 + draws,) from the focus's centre, or its peak, to the lesion's surface."""
        centres = np.stack([focus.centroid_mm, focus.peak_mm]) - self.offs_mm[:, None]
        nearest_mm = np.asarray(self.tree.query(centres)[0]).min(axis=1)
        return np.asarray(np.maximum(0.0, nearest_mm - self.voxel_mm / 2.0))

    def surface_distance_mm(self, region: _Region) -> float:
        """Surface to surface."""
        return max(0.0, float(np.min(self.tree.query(region.points_mm)[0])) - self.voxel_mm)

    @property
    def voxel_mm(self) -> float:
        """The shortest side of a voxel."""
        return float(self.extent.grid.spacing_mm.min())


def _core(extent: Mask) -> Mask:
    """The half of a region that lies nearest to its centroid."""
    points = extent.points_mm()
    away_mm = np.linalg.norm(points - points.mean(0), axis=1)
    inner = np.zeros_like(extent.array)
    inner[extent.array] = away_mm <= np.median(away_mm)
    return Mask(extent.grid, inner)


def _offs_mm(error_mm: float, draws: int) -> Points:
    """(1 + draws, 3): nothing, then draws of an error with this 95 % bound."""
    drawn = np.random.default_rng(DRAW_SEED).normal(0.0, 1.0 / BOUND_IN_SD, (draws, 3))
    return np.concatenate([np.zeros((1, 3)), error_mm * drawn])


def _pairs(site: _Site, region: _Region, rules: RelationRules) -> tuple[Pair, ...]:
    """A lesion and a focus, with the lesion where it is and where each draw puts it."""
    lesion, focus, tolerance_mm = site.carried.lesion, region.focus, site.tolerance_mm
    away_mm = np.linalg.norm(site.carried.centroid_mm + site.offs_mm - focus.centroid_mm, axis=1)
    common_ml = _common_ml(site.extent, focus.extent, site.offs_mm)
    shared = _common_ml(site.core, focus.extent, site.offs_mm) / site.core.volume_ml
    surface_mm = site.surface_distance_mm(region)
    worst_mm = tolerance_mm + (lesion.equivalent_diameter_mm + region.diameter_mm) / 2.0
    least_ml = min(site.volume_ml, region.volume_ml)
    measured = np.stack([away_mm, site.gaps_mm(focus), common_ml, shared], axis=1)
    return tuple(
        Pair(
            lesion_id=lesion.lesion_id,
            focus_id=focus.focus_id,
            distance_mm=distance_mm,
            gap_mm=gap_mm,
            surface_distance_mm=surface_mm,
            overlap=both_ml / least_ml,
            shared=core_share,
            tolerance_mm=tolerance_mm,
            cost=gap_mm / tolerance_mm + distance_mm / worst_mm,
            is_candidate=focus.physiologic_neighbour is None
            and (gap_mm <= tolerance_mm or core_share >= rules.shared_overlap),
            relation=None,
            is_ambiguous=False,
        )
        for distance_mm, gap_mm, both_ml, core_share in measured.tolist()
    )


def _common_ml(one: Mask, other: Mask, offs_mm: Points) -> NDArray[np.float64]:
    """(N,) volume of the voxels of one that lie in the other, one of them off by (N, 3) each.

    Both lie on parts of one grid.
    """
    points = one.points_mm()[None] + offs_mm[:, None]
    common = other.holds(points.reshape(-1, 3))
    counts = np.count_nonzero(common.reshape(len(offs_mm), -1), axis=1)
    return np.asarray(counts * one.grid.voxel_ml)

"""Where a lesion's own uptake is looked for, when others lie close by."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lesionmatch.concordance.boxes import Boxes, boxes_around, meet
from lesionmatch.concordance.pairs import Focus
from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Mask, union
from lesionmatch.lesions import Carried, widened


@dataclass(frozen=True, slots=True, eq=False)
class Territory:
    """Where all lesions and foci of a study lie on the PET."""

    lesions: tuple[Carried, ...]
    """Those the PET covers."""
    foci: tuple[Focus, ...]
    lesion_boxes: Boxes
    focus_boxes: Boxes

    @classmethod
    def of(cls, lesions: Sequence[Carried], foci: Sequence[Focus]) -> "Territory":
        """Of the lesions, covered or not, and the foci of a study."""
        covered = [one for one in lesions if one.extent is not None]
        return cls(
            lesions=tuple(covered),
            foci=tuple(foci),
            lesion_boxes=boxes_around([one.extent for one in covered if one.extent is not None]),
            focus_boxes=boxes_around([focus.extent for focus in foci]),
        )

    def own_search(self, carried: Carried, own_foci: Collection[str], fwhm_mm: float) -> Mask:
        """The search of a covered lesion less what lies nearer to another or under a focus.

        Foci other than its own reach half the resolution beyond their extent, where their
        blur does. Where nothing is left it is the lesion's extent.
        """
        extent, search = _on_pet(carried)
        keep = self._is_nearest(carried, search)
        keep &= ~self._is_under(search, self.foci, own_foci, fwhm_mm)
        return _part(search, keep).trimmed() if keep.any() else extent

    def own_voxels(self, carried: Carried, own_foci: Collection[str], fwhm_mm: float) -> Mask:
        """The lesion's extent less what lies under a finding other than its own: uptake called
        physiologic may be its own."""
        extent, _ = _on_pet(carried)
        findings = [focus for focus in self.foci if focus.physiologic_neighbour is None]
        return _part(extent, ~self._is_under(extent, findings, own_foci, fwhm_mm))

    def _is_nearest(self, carried: Carried, search: Mask) -> NDArray[np.bool_]:
        """(N,) which points of a search lie no nearer to another lesion."""
        points, box = search.points_mm(), boxes_around([search])[0]
        own_mm = _distance_mm(points, _on_pet(carried)[0])
        keep = np.ones(len(points), np.bool_)
        for n in np.flatnonzero(meet(box, self.lesion_boxes)):
            other = self.lesions[n]
            if other.lesion is not carried.lesion and other.extent is not None:
                keep &= own_mm <= _distance_mm(points, other.extent)
        return keep

    def _is_under(
        self, region: Mask, foci: Sequence[Focus], own_foci: Collection[str], fwhm_mm: float
    ) -> NDArray[np.bool_]:
        """(N,) which points of a region lie under one of these foci that is not its own."""
        points, box = region.points_mm(), boxes_around([region])[0]
        under = np.zeros(len(points), np.bool_)
        near = meet(box, self.focus_boxes, fwhm_mm)
        for focus, is_near in zip(self.foci, near, strict=True):
            if is_near and focus in foci and focus.focus_id not in own_foci:
                under |= _distance_mm(points, focus.extent) <= fwhm_mm / 2.0
        return under


def occupied(
    lesions: Sequence[Carried], foci: Sequence[Focus], grid: Grid, apart_mm: float
) -> Mask | None:
    """What of the PET's `grid` is not free of lesions: where one is searched for or a focus
    lies, and as far around as their blur may reach. None without either."""
    searched = [one.search for one in lesions if one.search is not None]
    regions = [*searched, *(focus.extent for focus in foci)]
    if not regions:
        return None
    return widened(union(grid, regions).trimmed(), apart_mm, grid)


def _on_pet(carried: Carried) -> tuple[Mask, Mask]:
    """Extent and search of a lesion that the PET covers."""
    if carried.extent is None or carried.search is None:
        raise ValueError("own search: wanted a lesion on the PET, got one beside it")
    return carried.extent, carried.search


def _part(mask: Mask, keep: NDArray[np.bool_]) -> Mask:
    """The voxels of `mask` to keep, in the order of its points."""
    array = mask.array.copy()
    array[mask.array] = keep
    return Mask(mask.grid, array)


def _distance_mm(points_mm: Points, mask: Mask) -> NDArray[np.float64]:
    """To the nearest voxel centre of `mask`."""
    return np.asarray(cKDTree(mask.points_mm()).query(points_mm)[0])

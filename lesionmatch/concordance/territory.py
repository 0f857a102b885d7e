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
        blur does; but a peak that lies in the lesion is what the PET shows of it, also where it
        was taken for normal uptake. Where nothing is left it is the lesion's extent.
        """
        if carried.extent is None or carried.search is None:
            raise ValueError("own search: wanted a lesion on the PET, got one beside it")
        points = carried.search.points_mm()
        box = boxes_around([carried.search])[0]
        own_mm = _distance_mm(points, carried.extent)
        keep = np.ones(len(points), np.bool_)
        for n in np.flatnonzero(meet(box, self.lesion_boxes)):
            other = self.lesions[n]
            if other.lesion is not carried.lesion and other.extent is not None:
                keep &= own_mm <= _distance_mm(points, other.extent)
        for n in np.flatnonzero(meet(box, self.focus_boxes, fwhm_mm)):
            focus = self.foci[n]
            if focus.focus_id not in own_foci and not _is_its_uptake(carried.extent, focus):
                keep &= _distance_mm(points, focus.extent) > fwhm_mm / 2.0
        return _part(carried.search, keep) if keep.any() else carried.extent


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


def _is_its_uptake(extent: Mask, focus: Focus) -> bool:
    """Whether a focus that was taken for normal uptake has its peak in the lesion."""
    is_normal = focus.physiologic_neighbour is not None
    return is_normal and bool(extent.holds(focus.peak_mm[None])[0])


def _part(mask: Mask, keep: NDArray[np.bool_]) -> Mask:
    """The voxels of `mask` to keep, in the order of its points."""
    array = mask.array.copy()
    array[mask.array] = keep
    return Mask(mask.grid, array).trimmed()


def _distance_mm(points_mm: Points, mask: Mask) -> NDArray[np.float64]:
    """To the nearest voxel centre of `mask`."""
    return np.asarray(cKDTree(mask.points_mm()).query(points_mm)[0])

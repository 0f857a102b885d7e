"""Whether the liver's own pattern, its vessels and lesions, is the same in both images.

No two livers share it, however alike their outlines, and it meets only under a right map. It
is asked of the places deep in the liver. Fat and what is near it is left out: every liver has
such pockets in porta and fissures, and laid one on the other they agree better than any
vessels. The noise of a CT drowns single voxels; but that of thousands of places averages out
in a sum over all of them. So the CT is averaged over a few millimetres, the level around each
place is taken off both images, so that neither coil nor patchy fat counts, and the mutual
information of what is left is taken: vessels are dark on the MRI, and dark on one CT, bright
on another. How large it may come out by chance, the same map shifted tells. The answer is by
how many standard deviations of its values under many shifts it stands above their mean.

A lesion that happens to lie on another's makes a wrong map agree at that one place; a right map
agrees everywhere. So the same is asked of each half of the liver, cut across either axis of the
MRI.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.stats import median_abs_deviation

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.appearance import Target, averaged
from lesionmatch.registration.evidence import ways
from lesionmatch.registration.information import JointTable, Window, counted
from lesionmatch.registration.sampling import interpolation
from lesionmatch.registration.witness import LEAST_DEEP, SPACING_MM, Witness
from lesionmatch.resample import PointMap, distance_mm

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pattern:
    """By how many SDs the pattern deep in a liver agrees better than under shifted maps."""

    errors: float
    least_half_errors: float
    """Of the six halves of the liver, that in which it agrees least."""


def pattern_of(
    witness: Witness,
    ct: Target,
    ct_from_mri: PointMap,
    middle: float,
    rules: RegistrationRules,
) -> Pattern | None:
    """How surely a liver, whose median on the CT is `middle`, shows its own pattern there.

    None where too little lies on the CT, or nothing varies.
    """
    places = ct_from_mri.apply(witness.points_mm[witness.is_deep])
    if ct.image.grid.contains(places).sum() < LEAST_DEEP or math.isnan(middle):
        return None
    averages, voxels = _Averaged.of(ct, places, middle, rules), witness.voxels[witness.is_deep]
    fine = _Fine(voxels, rules.pattern_level_mm)
    octants, everywhere = _octants(voxels), np.ones(len(places), np.bool_)
    pattern = fine.bins(witness.bins[witness.is_deep], everywhere, rules.pattern_held_sd)

    def at(shift_mm: NDArray[np.float64]) -> list[float]:
        values, counts = averages.at(shift_mm)
        bins = fine.bins(values, counts, rules.pattern_held_target_sd)
        return _informations(pattern[counts], bins[counts], octants[counts])

    lengths_mm = (rules.pattern_shift_mm, rules.pattern_far_shift_mm)
    beside = np.array([at(length * way) for length in lengths_mm for way in ways()])
    scatter = beside.std(0)
    if not scatter.all():
        return None
    whole, *of_halves = ((at(np.zeros(3)) - beside.mean(0)) / scatter).tolist()
    return Pattern(whole, min(of_halves))


def _octants(voxels: NDArray[np.intp]) -> NDArray[np.intp]:
    """(N,) which side of the median along each axis, as the three bits of a number."""
    return np.asarray((voxels > np.median(voxels, axis=0)) @ (1, 2, 4))


_PARTS = np.array(
    [
        [True] * 8,
        *([n >> axis & 1 == side for n in range(8)] for axis in range(3) for side in (0, 1)),
    ],
    np.float64,
)
"""(7, 8): which octants the whole and each of the six halves are made of."""


def _informations(fixed: Floats, moving: Floats, octants: NDArray[np.intp]) -> list[float]:
    """Mutual information over all places, then over each of the six halves."""
    counts = np.stack([counted(fixed[octants == n], moving[octants == n]) for n in range(8)])
    parts = np.tensordot(_PARTS, counts, 1)
    return [JointTable.counting(p).mutual_information if p.any() else 0.0 for p in parts]


def near_fat(image: Image, middle: float, rules: RegistrationRules) -> NDArray[np.bool_]:
    """Which voxels of a CT lie within reach of fat; `middle` is the liver's median there."""
    is_fat = image.array < min(rules.fat_hu, middle - rules.fat_below_hu)
    return distance_mm(Mask(image.grid, is_fat)) <= rules.fat_reach_mm


@dataclass(frozen=True, slots=True, eq=False)
class _Averaged:
    """A CT around the liver, averaged, to be read at the same places under many shifts.

    Shifts are of whole voxels, so that every one is read by the same weights: noise is averaged
    alike under each of them, and the weights are made once.
    """

    weights: sparse.csr_array
    """(N, voxels): what linear interpolation at the places takes from each."""
    is_scanned: NDArray[np.bool_]
    """(N,) unshifted."""
    channels: Floats
    """(grid with `reach` voxels more on every side, 2): what is seen, and 1 near fat and beyond
    the scan."""
    grid: Grid
    reach: int

    @classmethod
    def of(cls, ct: Target, places: Points, middle: float, rules: RegistrationRules) -> "_Averaged":
        half = rules.pattern_window_hu
        held = replace(ct, window=Window(middle - half, middle + half))
        width_mm = rules.pattern_averaged_mm
        margin_mm = rules.pattern_far_shift_mm + 2.0 * width_mm
        seen, whole = (
            averaged(one, places, width_mm, margin_mm=margin_mm).image for one in (held, ct)
        )
        grid, fat = seen.grid, near_fat(whole, middle, rules)
        reach = math.ceil(rules.pattern_far_shift_mm / float(grid.spacing_mm.min()))
        channels = [np.pad(seen.array, reach, "edge"), np.pad(fat, reach, constant_values=True)]
        return cls(
            interpolation(grid.voxels(places), grid.shape),
            grid.contains(places),
            np.stack(channels, -1, dtype=np.float32),
            grid,
            reach,
        )

    def at(self, shift_mm: NDArray[np.float64]) -> tuple[Floats, NDArray[np.bool_]]:
        """(N,) values at the shifted places, and which count: scanned, and clear of fat."""
        moved = self.grid.voxels(shift_mm) - self.grid.voxels(np.zeros(3))
        start = np.rint(moved).astype(int) + self.reach
        box = tuple(slice(s, s + n) for s, n in zip(start, self.grid.shape, strict=True))
        values, unfit = (self.weights @ self.channels[box].reshape(-1, 2)).T
        return values, self.is_scanned & (unfit == 0.0)


class _Fine:
    """Takes the level around each place off values at places on the witness's grid."""

    def __init__(self, voxels: NDArray[np.intp], level_mm: float) -> None:
        first = voxels.min(0)
        self._shape = tuple((voxels.max(0) - first + 1).tolist())
        self._where = np.ravel_multi_index(tuple((voxels - first).T), self._shape)
        self._width = max(round(level_mm / SPACING_MM), 1)

    def _mean(self, values: Floats) -> Floats:
        dense = np.zeros(self._shape, np.float32)
        dense.ravel()[self._where] = values
        mean = ndimage.uniform_filter(dense, self._width, mode="constant")
        return np.asarray(mean.ravel()[self._where])

    def bins(self, values: Floats, counts: NDArray[np.bool_], most_sd: float) -> Floats:
        """(N,) what is left of values, held within `most_sd`, as bins of a table."""
        if not counts.any():
            return np.zeros_like(values)
        share = np.maximum(self._mean(counts.astype(np.float32)), np.float32(1e-4))
        level = self._mean(np.where(counts, values, np.float32(0.0))) / share
        left = np.asarray(values - level, np.float32)
        middle = float(np.median(left[counts]))
        reach = most_sd * float(median_abs_deviation(left[counts], scale="normal"))
        if reach == 0.0:
            return np.zeros_like(left)
        return Window(middle - reach, middle + reach).bins(left)

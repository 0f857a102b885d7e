"""Lesions as they were drawn on the MRI.

A lesion is one connected region, or one segment where the reader drew it as one. Its axes
are those of RECIST: the longest diameter in any one slice, and the longest across it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label

from lesionmatch.errors import InvalidGeometry
from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.lesions.planar import axes_mm
from lesionmatch.protocol import LesionRules
from lesionmatch.segments import Kind, Segment

TOUCHING = np.ones((3, 3, 3), np.bool_)
"""Voxels that share a face, an edge or a corner are connected."""

SAMPLE_MM = 0.5
"""Largest distance between the points that stand for a lesion when it is carried."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """One lesion as it was drawn."""

    lesion_id: str
    """``L1`` and on, in the order of the segments, the largest part first."""
    label: str
    kind: Kind
    source: str
    """Where it was drawn, as in its segment."""
    mask: Mask
    """On the smallest grid that holds it, in the frame it was drawn in."""
    centroid_mm: NDArray[np.float64]
    """(3,)"""
    long_axis_mm: float
    """Longest diameter in any one slice, outline to outline."""
    short_axis_mm: float
    """Longest diameter perpendicular to it in the same slice."""
    equivalent_diameter_mm: float
    """Of the sphere of the same volume."""
    volume_ml: float
    is_redrawn: bool
    """Whether it was drawn on the PET/CT, so that no registration says where it lies there."""

    @property
    def likely_diameter_mm(self) -> float:
        """Of the sphere that is likely behind such an outline; the wider, the coarser its voxels.

        A voxel is drawn where it looks more like lesion than like liver, that is where the
        lesion fills half of it. Filling is the lesion blurred by a voxel, and at half its
        height a blurred ball is narrower than the ball by as much as its surface curves: of
        a diameter d, 4/3 of the blur's variances added up (side^2 / 12 each) over d are lost.
        A ball of 6 mm on voxels of 2.2 x 2.2 x 4 mm is drawn 0.6 mm too small.
        """
        lost_mm2 = 4.0 / 3.0 * float((self.mask.grid.spacing_mm**2).sum()) / 12.0
        drawn_mm = self.equivalent_diameter_mm
        return (drawn_mm + float(np.sqrt(drawn_mm**2 + 4.0 * lost_mm2))) / 2.0

    def samples_mm(self, step_mm: float = SAMPLE_MM) -> Points:
        """(N, 3) points that fill its voxels evenly, at most `step_mm` apart."""
        grid = self.mask.grid
        parts = np.ceil(grid.spacing_mm / step_mm - 1e-9).astype(int)
        steps = [(np.arange(n) + 0.5) / n - 0.5 for n in parts]
        offsets = np.stack(np.meshgrid(*steps, indexing="ij"), -1).reshape(-1, 3)
        voxels = np.argwhere(self.mask.array)
        return grid.world((voxels[:, None] + offsets[None]).reshape(-1, 3))

    def surface_mm(self) -> Points:
        """(N, 3) centres of its voxels that touch what is not the lesion."""
        padded = np.pad(self.mask.array, 1)
        edge = padded & binary_dilation(~padded)
        return self.mask.grid.world(np.argwhere(edge) - 1)


def lesions_from(segments: Sequence[Segment], rules: LesionRules) -> tuple[Lesion, ...]:
    """The lesions among the segments; those that depict a structure are left out.

    Where at least half of the segments of a kind are in one piece, the reader drew one
    segment a lesion and each is one, unless it is in more than `most_parts`, as a segment
    for all the others is; otherwise each connected part is one.
    """
    drawn = [s for s in segments if isinstance(s.meaning, Kind)]
    pieces = [_pieces(segment.mask) for segment in drawn]
    single = _drawn_singly(drawn, pieces)
    found = [
        (segment, mask)
        for segment, parts in zip(drawn, pieces, strict=True)
        for mask in (
            (segment.mask,)
            if segment.meaning in single and len(parts) <= rules.most_parts
            else parts
        )
    ]
    return tuple(lesion(f"L{n}", segment, mask) for n, (segment, mask) in enumerate(found, 1))


def _drawn_singly(segments: Sequence[Segment], pieces: Sequence[Sequence[Mask]]) -> set[object]:
    """The kinds of which the reader drew each lesion as a segment of its own."""
    counts: dict[object, list[int]] = {}
    for segment, parts in zip(segments, pieces, strict=True):
        counts.setdefault(segment.meaning, []).append(len(parts))
    return {kind for kind, numbers in counts.items() if np.median(numbers) < 2.0}


def _pieces(mask: Mask) -> tuple[Mask, ...]:
    """Its connected parts, each trimmed, the largest first."""
    labels, count = label(mask.array, TOUCHING)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable") + 1
    return tuple(Mask(mask.grid, labels == n).trimmed() for n in order)


def lesion(lesion_id: str, segment: Segment, mask: Mask) -> Lesion:
    """The lesion that is the region `mask` of a segment that depicts a `Kind`."""
    if not isinstance(segment.meaning, Kind):
        raise InvalidGeometry(f"lesion: wanted a segment of a kind, got {segment.meaning.value}")
    trimmed = mask.trimmed()
    long_mm, short_mm = axes_mm(trimmed)
    return Lesion(
        lesion_id=lesion_id,
        label=segment.label,
        kind=segment.meaning,
        source=segment.source,
        mask=trimmed,
        centroid_mm=trimmed.points_mm().mean(axis=0),
        long_axis_mm=long_mm,
        short_axis_mm=short_mm,
        equivalent_diameter_mm=equivalent_diameter_mm(trimmed.volume_ml),
        volume_ml=trimmed.volume_ml,
        is_redrawn=segment.is_redrawn,
    )


def equivalent_diameter_mm(volume_ml: float) -> float:
    """Diameter of the sphere of this volume.

    >>> round(equivalent_diameter_mm(1.0), 3)
    12.407
    """
    return float((6000.0 * volume_ml / np.pi) ** (1.0 / 3.0))

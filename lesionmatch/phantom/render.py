"""Anatomy to voxels: each part is evaluated on the scanner's own grid, never resampled.

The share of a voxel that a part fills follows from its signed distance at the voxel's
centre. Lesions are sampled more finely, because their volume must be right even where a
voxel is larger than they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lesionmatch.geometry import Grid, Points
from lesionmatch.phantom.body import Body, Organ, Tissue
from lesionmatch.phantom.motion import Pose
from lesionmatch.phantom.shapes import Coords, Distance, Ellipsoid, Field, Segment, Triple

Box = tuple[slice, slice, slice]
SLAB_VOXELS = 3_000_000
"""Voxels rendered at once, which bounds the memory of a clinical grid."""
FINE_MM = 1.0
"""Sampling within lesions; finer, a quarter of the radius, in small ones, coarser in large."""


@dataclass(frozen=True, slots=True, eq=False)
class Slab:
    """Some slices of a grid with their body coordinates."""

    grid: Grid
    pose: Pose
    static: Coords
    visceral: Coords
    room: Field
    """Share of each voxel within the cavity."""
    width_mm: float
    """Thickness of the surface's soft edge: a voxel's mean side."""

    def share(self, distance: Field) -> Field:
        """Share of a voxel whose centre lies at a signed distance."""
        return np.asarray(np.clip(0.5 - distance * (1.0 / self.width_mm), 0.0, 1.0))


def slabs(grid: Grid, pose: Pose) -> Iterator[tuple[slice, Slab]]:
    """A grid in pieces of a few slices."""
    depth = max(SLAB_VOXELS // (grid.shape[1] * grid.shape[2]), 1)
    for start in range(0, grid.shape[0], depth):
        part = slice(start, min(start + depth, grid.shape[0]))
        yield part, slab(grid.crop((part, *_whole(grid)[1:])), pose)


def _whole(grid: Grid) -> Box:
    s, r, c = (slice(0, n) for n in grid.shape)
    return s, r, c


def slab(grid: Grid, pose: Pose) -> Slab:
    """One grid with its coordinates."""
    static = pose.static_coords(grid)
    visceral = pose.visceral_coords(static)
    width = float(grid.voxel_ml * 1000.0) ** (1 / 3)
    inside = np.clip(0.5 - pose.cavity(static) / width, 0.0, 1.0)
    room = np.broadcast_to(inside, grid.shape)
    return Slab(grid, pose, static, visceral, room, width)


def cut(coords: Coords, box: Box) -> Coords:
    """Coordinates within a box, keeping axes of length 1."""
    x, y, z = (
        a[tuple(part if n > 1 else slice(None) for part, n in zip(box, a.shape, strict=True))]
        for a in coords
    )
    return x, y, z


def box_of(slab: Slab, centre_mm: Triple, half_mm: Triple, *, is_static: bool) -> Box | None:
    """The slab's voxels around a part of the body; None when it lies outside."""
    return boxes_of(slab, (centre_mm,), np.array([half_mm]), is_static=is_static)[0]


def boxes_of(
    slab: Slab, centres_mm: tuple[Triple, ...], halves_mm: np.ndarray, *, is_static: bool
) -> list[Box | None]:
    """`box_of` for many parts at once."""
    is_rigid = is_static or slab.pose.is_rigid
    voxels = slab.grid.voxels(_placed(slab.pose, centres_mm, is_rigid))
    body_from_voxel = slab.pose.body_from_world.matrix @ slab.grid.world_from_voxel
    per_mm = np.abs(np.linalg.inv(body_from_voxel[:3, :3]))
    # A deformed part reaches beyond its own box by what its surroundings stretch.
    slack = 0.0 if is_rigid else np.minimum(0.35 * halves_mm, 45.0)
    reach = (halves_mm + slack + slab.width_mm + 1.0) @ per_mm.T
    low = np.clip(np.floor(voxels - reach), 0, None).astype(int)
    high = np.minimum(np.ceil(voxels + reach).astype(int) + 1, slab.grid.shape)
    return [_box(a, b) for a, b in zip(low, high, strict=True)]


@lru_cache(maxsize=1024)
def _placed(pose: Pose, centres_mm: tuple[Triple, ...], is_rigid: bool) -> Points:
    """Where parts of the body lie in the world; every slab of every picture asks again."""
    centres = np.array(centres_mm)
    return pose.body_from_world.inverse.apply(centres) if is_rigid else pose.world_mm(centres)


def _box(low: np.ndarray, high: np.ndarray) -> Box | None:
    if (high <= low).any():
        return None
    s, r, c = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return s, r, c


def organ_share(slab: Slab, organ: Organ) -> tuple[Box, Field] | None:
    """Where an organ is and how much of each voxel there it fills."""
    box = box_of(slab, organ.centre_mm, organ.half_mm, is_static=organ.is_static)
    if box is None:
        return None
    coords = cut(slab.static if organ.is_static else slab.visceral, box)
    share = slab.share(organ.distance(coords))
    if organ.is_in_cavity and not organ.is_static:
        share = share * slab.room[box]
    return box, share


def tree_share(slab: Slab, segments: Sequence[Segment]) -> tuple[Box, Field] | None:
    """Where a tree of tubes is and how much of each voxel it fills."""
    centres = tuple(s.centre_mm for s in segments)
    halves = np.array([s.half_mm for s in segments])
    boxes = boxes_of(slab, centres, halves, is_static=False)
    filled = np.zeros(slab.grid.shape, np.float32)
    for segment, box in zip(segments, boxes, strict=True):
        if box is None:
            continue
        share = slab.share(segment(cut(slab.visceral, box)))
        # A tube thinner than a voxel cannot fill it.
        share *= min(1.0, (segment.start_radius_mm + segment.stop_radius_mm) / slab.width_mm)
        np.maximum(filled[box], share, out=filled[box])
    whole = _around([b for b in boxes if b is not None])
    return None if whole is None else (whole, filled[whole] * slab.room[whole])


def _around(boxes: list[Box]) -> Box | None:
    if not boxes:
        return None
    s, r, c = (
        slice(min(b[axis].start for b in boxes), max(b[axis].stop for b in boxes))
        for axis in range(3)
    )
    return s, r, c


def fill(values: Field, box: Box, share: Field, value: Field | float) -> None:
    """Let a part cover what was there, as far as it fills each voxel."""
    values[box] += share * (value - values[box])


def paint(body: Body, slab: Slab, values: Sequence[Mapping[Tissue, float]]) -> list[Field]:
    """The whole body without lesions: one array for each set of tissue values.

    Each starts from 0; what lies outside the body stays so.
    """
    arrays = [np.zeros(slab.grid.shape, np.float32) for _ in values]
    for part in body.parts:
        found = (
            organ_share(slab, part) if isinstance(part, Organ) else tree_share(slab, part.segments)
        )
        if found is not None:
            for array, table in zip(arrays, values, strict=True):
                fill(array, *found, table[part.tissue])
    return arrays


def fine_share(
    grid: Grid, pose: Pose, shape: Ellipsoid, bounds: Distance | None = None
) -> tuple[Box, Field] | None:
    """Share of each voxel that a visceral solid fills, by sampling below the voxel.

    Another solid may bound it.
    """
    centre = pose.world_mm(np.array(shape.centre_mm))[0]
    reach = 1.35 * max(shape.half_mm) + 1.5
    corners = centre + reach * np.array([[-1.0] * 3, [1.0] * 3])
    axes = np.abs(np.linalg.inv(grid.world_from_voxel[:3, :3])).sum(1) * reach
    voxel = grid.voxels(corners.mean(0))
    box = _box(
        np.clip(np.floor(voxel - axes), 0, None).astype(int),
        np.minimum(np.ceil(voxel + axes).astype(int) + 1, grid.shape),
    )
    if box is None:
        return None
    part = grid.crop(box)
    radius = min(shape.radii_mm)
    fine_mm = max(min(FINE_MM, radius / 4), radius / 13)
    counts = np.maximum(np.ceil(grid.spacing_mm / fine_mm), 1).astype(int)
    fine = part.with_spacing(grid.spacing_mm / counts)
    view = slab(fine, pose)
    share = view.share(shape(view.visceral))
    if bounds is not None:
        share = np.minimum(share, view.share(bounds(view.visceral)))
    a, b, c = (int(n) for n in counts)
    s, r, q = part.shape
    return box, share.reshape(s, a, r, b, q, c).mean((1, 3, 5), dtype=np.float32)

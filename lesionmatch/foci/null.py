"""The chance of so much uptake in a lesion-free place of the same shape."""

import numpy as np
from numpy.typing import NDArray

from lesionmatch.foci.field import Field
from lesionmatch.foci.filters import Where
from lesionmatch.geometry import require_same_frame
from lesionmatch.image import Mask
from lesionmatch.protocol import FociRules, Protocol

Voxels = NDArray[np.intp]

ALL_ALIKE_MM = 20.0
"""Deeper than this no place feels the capsule, and depths are no longer told apart."""


def null_p(
    field: Field,
    search: Mask,
    protocol: Protocol,
    *,
    avoid: Mask | None,
    rng: np.random.Generator,
) -> float | None:
    """Chance, were there no lesion, of the largest z inside `search` (a lesion and its margin).

    The same statistic is read at places of this liver of the same shape and depth that keep
    off `avoid`, which holds all lesions and foci: p = (1 + at least as large) / (1 + places).
    None where the search lies beside the liver's surroundings or no such place exists.
    Raises `FrameMismatch` unless all lie in the PET's frame.
    """
    rules = protocol.foci
    shape = _voxels_of(field, search)
    if not len(shape):
        return None
    home = np.rint(shape.mean(0)).astype(np.intp)
    offsets = shape - home
    own = _highest(field, home[None], offsets)[0]
    free = field.liver & ~_region(field, avoid)
    places = _places(field, home, offsets, free, rules, rng)
    if not len(places):
        return None
    there = _highest(field, places, offsets)
    return float((1 + np.count_nonzero(there >= own)) / (1 + len(there)))


def _voxels_of(field: Field, mask: Mask) -> Voxels:
    """(N, 3) voxels of the field that `mask` covers."""
    require_same_frame("chance of uptake", field.grid.frame, mask.frame)
    voxels = np.rint(field.grid.voxels(mask.points_mm())).astype(np.intp)
    inside = ((voxels >= 0) & (voxels < np.array(field.grid.shape))).all(1)
    return np.asarray(voxels[inside])


def _region(field: Field, mask: Mask | None) -> Where:
    region = np.zeros(field.grid.shape, bool)
    if mask is not None:
        region[tuple(_voxels_of(field, mask).T)] = True
    return region


def _places(
    field: Field,
    home: Voxels,
    offsets: Voxels,
    free: Where,
    rules: FociRules,
    rng: np.random.Generator,
) -> Voxels:
    """(N, 3) centres where the whole shape lies off the lesions at the depth of `home`."""
    depth = np.minimum(field.depth, ALL_ALIKE_MM)
    alike = np.abs(depth - depth[tuple(home)]) <= rules.null_depth_mm
    centres = np.argwhere(free & alike)
    fits = ((centres + offsets.min(0) >= 0) & (centres + offsets.max(0) < field.grid.shape)).all(1)
    mixed = rng.permutation(centres[fits])
    blocked = field.liver & ~free
    wanted, kept = int(rules.null_places), mixed[:0]
    for first in range(0, len(mixed), wanted):
        part = mixed[first : first + wanted]
        kept = np.concatenate([kept, part[~blocked[_at(part, offsets)].any(1)]])
        if len(kept) >= wanted:
            break
    return np.asarray(kept[:wanted])


def _at(places: Voxels, offsets: Voxels) -> tuple[Voxels, ...]:
    """Index arrays (places, voxels of the shape)."""
    return tuple(np.moveaxis(places[:, None] + offsets, -1, 0))


def _highest(field: Field, places: Voxels, offsets: Voxels) -> NDArray[np.float32]:
    """(N,) largest z of the shape at each place; what lies outside the liver does not count."""
    at = _at(places, offsets)
    inside = np.where(field.liver[at], field.z[at], -np.inf)
    return np.asarray(inside.max(1))

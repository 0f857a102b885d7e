"""From closed curves in a plane to voxels, keeping the area they enclose.

A pixel's share of a curve's inside is integrated exactly along rows and by the midpoint rule
across them, so a curve finer than a pixel is not lost. Of all pixels those with the largest
shares are taken, as many as the enclosed area is worth: a fixed threshold would make small
regions shrink or vanish. Curves one in another are holes and islands in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import InvalidInput

SCANLINES = 16
"""Lines per row of pixels: the area of a disc of 2 pixels' radius is then right to 0.1 %."""
NESTED = 0.99
"""A curve of which this share lies inside another one is a hole in it, or an island."""
SAME = 0.99
"""Two curves that share this much of both are one curve drawn twice."""
MOST_PIXELS = 4096
"""Along each axis; the widest image is 2,048."""
TOUCHING = 0.01
"""A smaller overlap, as a share of the smaller one, is but a common border."""

Curve = NDArray[np.float64]
"""(N, 2) corners in pixels, (row, column); an integer is a pixel's centre."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """How much of each pixel of a box lies inside, from 0 to 1."""

    corner: tuple[int, int]
    array: NDArray[np.float64]

    def on(self, corner: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.float64]:
        """The shares in another box that holds this one."""
        found = np.zeros(shape)
        row, column = self.corner[0] - corner[0], self.corner[1] - corner[1]
        rows, columns = self.array.shape
        found[row : row + rows, column : column + columns] = self.array
        return found


def shares(curve: Curve) -> Shares:
    """Each pixel's share of the inside of a closed curve, by the even-odd rule."""
    low = np.floor(curve.min(0) + 0.5).astype(int)
    high = np.floor(curve.max(0) + 0.5).astype(int)
    rows, columns = (int(n) for n in high - low + 1)
    if max(rows, columns) > MOST_PIXELS:
        raise InvalidInput(
            f"contour: wanted one of at most {MOST_PIXELS} pixels, got {max(rows, columns)}; "
            "export it again"
        )
    row, column, sign = _crossings(curve, int(low[0]), rows)
    place = column - low[1] + 0.5
    pixel = np.clip(np.floor(place).astype(int), 0, columns - 1)
    flat = row * columns + pixel
    size = rows * columns
    # What lies left of a crossing is all of the pixels before its own, and a part of that.
    part = np.bincount(flat, sign * (place - pixel), size).reshape(rows, columns)
    whole = np.bincount(flat, sign, size).reshape(rows, columns)
    before = whole[:, ::-1].cumsum(1)[:, ::-1] - whole
    return Shares((int(low[0]), int(low[1])), np.clip((part + before) / SCANLINES, 0.0, 1.0))


def _crossings(
    curve: Curve, first: int, rows: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Where lines of constant row cross a curve: the row of pixels, the column, and whether the
    curve is left (+1) or entered (-1) there."""
    after = np.roll(curve, -1, axis=0)
    top, bottom = np.minimum(curve[:, 0], after[:, 0]), np.maximum(curve[:, 0], after[:, 0])
    # Line n is at row `first - 0.5 + (n + 0.5) / SCANLINES`; an edge has its upper end only.
    start, stop = (
        np.ceil((ends - first + 0.5) * SCANLINES - 0.5).astype(int) for ends in (top, bottom)
    )
    counts = stop - start
    edge = np.repeat(np.arange(len(curve)), counts)
    line = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts - start, counts)
    line = np.clip(line, 0, rows * SCANLINES - 1)
    at = first - 0.5 + (line + 0.5) / SCANLINES
    slope = (after[edge, 1] - curve[edge, 1]) / (after[edge, 0] - curve[edge, 0])
    column = curve[edge, 1] + (at - curve[edge, 0]) * slope
    order = np.lexsort((column, line))
    sign = np.where(np.arange(len(order)) % 2 == 0, -1.0, 1.0)
    return line[order] // SCANLINES, column[order], sign


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The pixels of one slice that some curves enclose."""

    corner: tuple[int, int]
    shares: NDArray[np.float64]
    overlaps: int
    """Pairs of curves that overlap without one being inside the other."""
    doubles: int
    """Curves drawn twice."""


def region(curves: Sequence[Curve], *, all_xor: bool = False) -> Region:
    """What several curves in one slice enclose together.

    A curve inside another is a hole, one inside that an island, and so on. Curves that
    overlap otherwise are united, and counted, unless `all_xor` says that what lies inside
    two of them lies outside.
    """
    found = [shares(curve) for curve in curves]
    low = np.min([one.corner for one in found], axis=0)
    high = np.max([np.add(one.corner, one.array.shape) for one in found], axis=0)
    corner, shape = (int(low[0]), int(low[1])), tuple(int(n) for n in high - low)
    arrays = [one.on(corner, (shape[0], shape[1])) for one in found]
    arrays, doubles = _without_doubles(arrays)
    if all_xor:
        total = np.zeros(shape)
        for array in arrays:
            total = total + array - 2.0 * np.minimum(total, array)
        return Region(corner, total, 0, doubles)
    total, overlaps = _nested(arrays)
    return Region(corner, total, overlaps, doubles)


def _without_doubles(
    arrays: Sequence[NDArray[np.float64]],
) -> tuple[list[NDArray[np.float64]], int]:
    kept: list[NDArray[np.float64]] = []
    for array in arrays:
        if not any(_shared(array, other) > SAME and _shared(other, array) > SAME for other in kept):
            kept.append(array)
    return kept, len(arrays) - len(kept)


def _shared(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The share of `one` that lies in `other`."""
    return float(np.minimum(one, other).sum() / max(one.sum(), 1e-12))


def _nested(arrays: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], int]:
    """Curves from the largest to the smallest: each adds or takes away by its depth."""
    order = sorted(arrays, key=lambda array: -float(array.sum()))
    total = np.zeros_like(order[0])
    overlaps = 0
    for n, array in enumerate(order):
        depth = 0
        for larger in order[:n]:
            share = _shared(array, larger)
            depth += share > NESTED
            overlaps += TOUCHING < share <= NESTED
        is_hole = depth % 2 == 1
        total = np.maximum(total - array, 0.0) if is_hole else _united(total, array)
    return total, overlaps


def _united(total: NDArray[np.float64], array: NDArray[np.float64]) -> NDArray[np.float64]:
    """Both together; where both cover parts of a pixel these may be different parts."""
    both_partial = (total < 1.0) & (array < 1.0)
    return np.where(both_partial, np.minimum(total + array, 1.0), np.maximum(total, array))


def pixels(found: Region) -> NDArray[np.bool_]:
    """The pixels with the largest shares, as many as the area is worth; maybe none."""
    count = int(np.floor(found.shares.sum() + 0.5))
    inside = np.zeros(found.shares.shape, np.bool_)
    if count:
        order = np.argsort(-found.shares.ravel(), kind="stable")[:count]
        inside.ravel()[order] = True
    return inside & (found.shares > 0.0)

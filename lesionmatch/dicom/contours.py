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

    @property
    def area(self) -> float:
        """In pixels."""
        return float(self.array.sum())

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
    lines = low[0] - 0.5 + (np.arange(rows * SCANLINES) + 0.5) / SCANLINES
    line, left, right = _spans(curve, lines)
    edges = low[1] - 0.5 + np.arange(columns)
    array = np.zeros((rows, columns))
    for start in range(0, len(line), 4096):
        part = slice(start, start + 4096)
        inside = np.clip(right[part, None] - edges, 0, 1) - np.clip(left[part, None] - edges, 0, 1)
        np.add.at(array, line[part] // SCANLINES, inside / SCANLINES)
    return Shares((int(low[0]), int(low[1])), array)


def _spans(
    curve: Curve, lines: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Where lines run inside a curve: which line, from where, to where."""
    after = np.roll(curve, -1, axis=0)
    crossed = (curve[:, :1] <= lines) != (after[:, :1] <= lines)
    edge, line = np.nonzero(crossed)
    from_row, from_column = curve[edge].T
    to_row, to_column = after[edge].T
    along = (lines[line] - from_row) / (to_row - from_row)
    column = from_column + along * (to_column - from_column)
    order = np.lexsort((column, line))
    line, column = line[order], column[order]
    return line[::2], column[::2], column[1::2]


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

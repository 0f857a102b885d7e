"""Slices whose positions were rounded when they were written: still one even, straight volume?

Exporters and de-identifiers write ``-101.2, -97.9, -94.7`` for slices 3.27 mm apart. Every
coordinate then lies within half of its last written decimal of an even line, which is asked of
all of them at once, so that errors cannot add up along the stack. A slice that is missing
leaves some coordinate a quarter of the slices' distance and more from every even line. Where
the last decimal is less than such a quarter, it cannot hide in the rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

from lesionmatch.dicom.files.values import words
from lesionmatch.dicom.series.plane import Plane

FINEST = -9
"""Of 10: a nanometre is as good as exact."""
EXACT_MM = 1e-6
"""Decimals written as binary numbers and back are right to better than this."""
COARSEST_MM = 1.0
"""Nobody rounds positions further than to whole millimetres."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """An even line along which the first pixels of slices lie."""

    start_mm: NDArray[np.float64]
    step_mm: NDArray[np.float64]
    """From each slice to the next."""
    rounded_mm: float
    """The last written decimal of the coordinate that was rounded most."""


def rounded_line(planes: Sequence[Plane], coarsest_mm: float) -> Line | None:
    """The even line of `planes`, in order, whose positions are rounded; None where there is none.

    Positions written more coarsely than `coarsest_mm` are not taken for rounded.
    """
    units = _units_mm(planes, coarsest_mm)
    line = _fitted(planes, units)
    if line is None or units.max() >= np.abs(line.step_mm).max() / 4.0:
        return None
    return line


def coarse_mm(planes: Sequence[Plane]) -> float | None:
    """The last decimal of positions to which an even line could have been rounded, though a missing
    slice might hide in it; None where no line could."""
    units = _units_mm(planes, COARSEST_MM)
    line = _fitted(planes, units)
    return None if line is None else float(units[np.abs(line.step_mm).argmax()])


def _units_mm(planes: Sequence[Plane], coarsest_mm: float) -> NDArray[np.float64]:
    return units_mm([words(plane.header, "ImagePositionPatient") for plane in planes], coarsest_mm)


def _fitted(planes: Sequence[Plane], units_mm: NDArray[np.float64]) -> Line | None:
    """The even line that the coordinates of all planes were rounded from, if there is one."""
    places_mm = np.array([plane.position_mm for plane in planes]).T
    fits = [
        _even(places, unit / 2 + EXACT_MM) for places, unit in zip(places_mm, units_mm, strict=True)
    ]
    found = [fit for fit in fits if fit is not None]
    if len(found) < len(fits):
        return None
    start, step = (np.array(values) for values in zip(*found, strict=True))
    return Line(start, step, float(units_mm.max()))


def units_mm(written: Sequence[Sequence[str]], coarsest_mm: float) -> NDArray[np.float64]:
    """The last decimal of some positions, of each coordinate that of the finest; `coarsest_mm` at
    most."""
    last = [10.0 ** min(map(_exponent, column)) for column in zip(*written, strict=True)]
    return np.minimum(last, coarsest_mm)


def _exponent(word: str) -> int:
    """Of 10 at the last digit that is not 0; 1 for a zero, which says nothing of rounding."""
    try:
        found = Decimal(word).normalize().as_tuple()
    except InvalidOperation:
        # An exponent that is a number and no decimal, as nobody writes it.
        return FINEST
    return max(int(found.exponent), FINEST) if any(found.digits) else 1


def _even(places: NDArray[np.float64], most: float) -> tuple[float, float] | None:
    """Start and step of a line that has each place within `most`; None where no line has.

    Two places bound the step from below and above; a step between all these bounds will do.
    """
    number = np.arange(len(places), dtype=np.float64)
    least, greatest = -np.inf, np.inf
    for n in range(1, len(places)):
        rise = places[n:] - places[:-n]
        least = max(least, float(rise.max() - 2.0 * most) / n)
        greatest = min(greatest, float(rise.min() + 2.0 * most) / n)
    if least > greatest:
        return None
    step = (least + greatest) / 2.0
    left = places - step * number
    return float((left.min() + left.max()) / 2.0), float(step)

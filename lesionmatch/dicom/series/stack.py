"""Planes that make one volume, checked: nothing is resampled, guessed or dropped in silence.

Planes are first parted by what cannot lie in one volume (frame of reference, size, spacing,
orientation). Only where places are then taken twice are they parted further, by the first
attribute that leaves every place taken once, because any such attribute varies
within some honest volume too. What still does not make a volume is refused.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lesionmatch.dicom.series.plane import SPLITTERS, Plane
from lesionmatch.dicom.series.rounded import Line, coarse_mm, rounded_line
from lesionmatch.errors import InconsistentSeries, InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.protocol import SeriesRules

SAME_PLACE_MM = 0.01
"""Planes this near each other along the normal lie at one place."""
UNIT_TOL = 1e-3
"""Of directions: some scanners write each slice's own, which differ in the last digits."""
SPACING_TOL_MM = 1e-4
FEWEST_PLANES = 3
"""Fewer planes say nothing about whether their distance is even: a scout, not a volume."""


class TooFewSlices(InconsistentSeries):
    """A scout, or what was left of a volume: nothing to choose from."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Planes of one series that may make a volume."""

    planes: tuple[Plane, ...]
    split_by: tuple[str, ...] = ()
    """In what they differ from the other planes of the series."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Planes in order along their normal, and the grid they make."""

    planes: tuple[Plane, ...]
    grid: Grid
    rounded_mm: float | None = None
    """The last decimal of the positions, where they are even but for their rounding to it."""


def parts_of(planes: Sequence[Plane]) -> tuple[Part, ...]:
    """The planes of one series, parted into what may be volumes; largest part first."""
    placed = [plane for plane in planes if _is_whole(plane)]
    lost = tuple(plane for plane in planes if not _is_whole(plane))
    groups = sorted(_alike(placed), key=len, reverse=True) or [()]
    # A plane without a place or pixels stays with the volume it may be missing from, which is then
    # refused instead of losing a slice.
    groups[0] += lost
    reasons = ("orientation, size or spacing",) if len(groups) > 1 else ()
    parts: list[Part] = []
    for group in groups:
        parts += _by_splitters(group, reasons)
    return tuple(sorted(parts, key=lambda part: -len(part.planes)))


def _is_whole(plane: Plane) -> bool:
    return bool(plane.position_mm and plane.orientation and plane.instance.has_pixels)


def _grouped(planes: Sequence[Plane], key: Callable[[Plane], Hashable]) -> list[tuple[Plane, ...]]:
    found: dict[Hashable, list[Plane]] = defaultdict(list)
    for plane in planes:
        found[key(plane)].append(plane)
    return [tuple(group) for group in found.values()]


def _alike(planes: Sequence[Plane]) -> list[tuple[Plane, ...]]:
    """Planes that can lie in one volume with the first of their group."""
    found: list[list[Plane]] = []
    for plane in planes:
        group = next((one for one in found if _fits(plane, one[0])), None)
        if group is None:
            found.append([plane])
        else:
            group.append(plane)
    return [tuple(group) for group in found]


def _fits(plane: Plane, first: Plane) -> bool:
    return (
        plane.frame_uid == first.frame_uid
        and plane.shape == first.shape
        and _near(plane.spacing_mm, first.spacing_mm, SPACING_TOL_MM)
        and _near(plane.orientation, first.orientation, UNIT_TOL)
    )


def _near(values: tuple[float, ...] | None, others: tuple[float, ...] | None, most: float) -> bool:
    if values is None or others is None:
        return values is others
    return max(abs(a - b) for a, b in zip(values, others, strict=True)) <= most


def _by_splitters(planes: tuple[Plane, ...], reasons: tuple[str, ...]) -> list[Part]:
    """Part `planes` so that every place is taken once, if an attribute does that."""
    if not _has_repeats(planes):
        return [Part(planes, reasons)]
    telling = [name for name in SPLITTERS if len({p.splitter(name) for p in planes}) > 1]
    for names in [(name,) for name in telling] + list(combinations(telling, 2)):
        groups = _grouped(planes, lambda plane, n=names: tuple(map(plane.splitter, n)))  # type: ignore[misc]
        if min(map(len, groups)) > 1 and not any(map(_has_repeats, groups)):
            return [Part(group, (*reasons, *names)) for group in groups]
    return [Part(planes, reasons)]


def _has_repeats(planes: Sequence[Plane]) -> bool:
    places = _places_mm(planes)
    return places is not None and bool((np.diff(np.sort(places)) < SAME_PLACE_MM).any())


def _places_mm(planes: Sequence[Plane]) -> NDArray[np.float64] | None:
    """Distance of each plane along the normal; None where one has no place."""
    if any(plane.position_mm is None or plane.orientation is None for plane in planes):
        return None
    return np.array([plane.position_mm for plane in planes]) @ _normal(planes[0])


def _normal(plane: Plane) -> NDArray[np.float64]:
    axes = np.array(plane.orientation)
    return np.asarray(np.cross(axes[:3], axes[3:]))


def stack_of(part: Part, rules: SeriesRules, what: str) -> Stack:
    """The planes in order, as a volume.

    Raises `InconsistentSeries`, its message beginning with `what`, unless they have a place,
    are at least three, evenly spaced along their common normal but for the rounding of their
    positions, and each at its own place.
    """
    planes = part.planes
    _require_places(planes, what)
    _require_sane(planes[0], rules, what)
    places = _places_mm(planes)
    assert places is not None
    order = np.argsort(places, kind="stable")
    ordered = tuple(planes[i] for i in order)
    _require_apart(places[order], what)
    try:
        _require_even(places[order], rules, what)
        _require_straight(ordered, rules, what)
    except InconsistentSeries as error:
        line = rounded_line(ordered, rules.coarsest_position_mm)
        if line is None or _is_tilted(line, len(ordered), _normal(planes[0]), rules):
            raise InconsistentSeries(f"{error}{_if_rounded(ordered)}") from error
        return Stack(ordered, _grid(ordered, line.start_mm, line.step_mm), line.rounded_mm)
    ends = np.array([ordered[0].position_mm, ordered[-1].position_mm])
    return Stack(ordered, _grid(ordered, ends[0], (ends[1] - ends[0]) / (len(ordered) - 1)))


def _require_places(planes: Sequence[Plane], what: str) -> None:
    cut = sum(not plane.instance.has_pixels for plane in planes)
    if cut:
        raise InconsistentSeries(
            f"{what}: wanted pixels in every slice, got {cut} of {len(planes)} truncated; "
            "export the series again"
        )
    lost = sum(plane.position_mm is None or plane.orientation is None for plane in planes)
    if lost:
        raise InconsistentSeries(
            f"{what}: wanted a position and an orientation in every slice, got {lost} of "
            f"{len(planes)} without; export the series again"
        )
    if len(planes) < FEWEST_PLANES:
        raise TooFewSlices(
            f"{what}: wanted a volume, got {len(planes)} slice{'s'[: len(planes) > 1]}; "
            "choose another series"
        )


def _require_sane(plane: Plane, rules: SeriesRules, what: str) -> None:
    """Every plane of a part has the same size, spacing and orientation, so one is looked at."""
    if min(plane.shape) < 1 or plane.spacing_mm is None:
        raise InconsistentSeries(
            f"{what}: wanted Rows, Columns and PixelSpacing, got {plane.shape} and "
            f"{plane.spacing_mm}; export the series again"
        )
    least, most = rules.least_pixel_mm, rules.most_pixel_mm
    if not all(least <= mm <= most for mm in plane.spacing_mm):
        raise InvalidInput(
            f"{what}: wanted pixels of {least:g} to {most:g} mm, got {plane.spacing_mm}; "
            "mend PixelSpacing"
        )
    axes = np.array(plane.orientation).reshape(2, 3)
    lengths = np.linalg.norm(axes, axis=1)
    if np.abs(lengths - 1.0).max() > UNIT_TOL or abs(axes[0] @ axes[1]) > UNIT_TOL:
        raise InvalidInput(
            f"{what}: wanted perpendicular unit vectors in ImageOrientationPatient, got "
            f"{plane.orientation}; mend the header"
        )


def _require_apart(places_mm: NDArray[np.float64], what: str) -> None:
    gaps = np.diff(places_mm)
    if gaps.min() < SAME_PLACE_MM:
        raise InconsistentSeries(
            f"{what}: wanted one slice at each place, got {int((gaps < SAME_PLACE_MM).sum())} "
            "places taken twice that no attribute tells apart; export one volume a series"
        )


def _require_even(places_mm: NDArray[np.float64], rules: SeriesRules, what: str) -> None:
    gaps = np.diff(places_mm)
    usual = float(np.median(gaps))
    worst = int(np.abs(gaps - usual).argmax())
    if abs(gaps[worst] - usual) > max(1e-3, rules.gap_tolerance * usual):
        raise InconsistentSeries(
            f"{what}: wanted slices {usual:.3f} mm apart, got {gaps[worst]:.3f} mm after slice "
            f"{worst + 1} of {len(places_mm)}; a slice is missing or misplaced, export it again"
        )


def _require_straight(planes: Sequence[Plane], rules: SeriesRules, what: str) -> None:
    """Raise unless the first pixels lie on one line, and that along the normal (no gantry tilt)."""
    positions = np.array([plane.position_mm for plane in planes])
    normal = _normal(planes[0])
    along = positions - positions[0]
    length = float(np.abs(along[-1] @ normal))
    drift = float(np.linalg.norm(along[-1] - (along[-1] @ normal) * normal))
    if drift > max(rules.shear * length, SAME_PLACE_MM):
        raise InconsistentSeries(
            f"{what}: wanted slices straight above each other, got a sideways drift of "
            f"{drift:.2f} mm over {length:.1f} mm (tilted gantry); choose an untilted series"
        )
    line = np.outer(np.linspace(0.0, 1.0, len(planes)), along[-1])
    off = along - line
    beside = np.linalg.norm(off - np.outer(off @ normal, normal), axis=1)
    worst = int(beside.argmax())
    if beside[worst] > max(SAME_PLACE_MM, rules.gap_tolerance * length / (len(planes) - 1)):
        raise InconsistentSeries(
            f"{what}: wanted the first pixels of all slices on one line, got slice {worst + 1} of "
            f"{len(planes)} {beside[worst]:.2f} mm beside it; export the series again"
        )


def _if_rounded(planes: Sequence[Plane]) -> str:
    """What else may be wrong with planes that are uneven, and what to do about it."""
    unit_mm = coarse_mm(planes)
    if unit_mm is None:
        return ""
    return f"; or, as its positions look rounded to {unit_mm:g} mm, export them with all decimals"


def _is_tilted(line: Line, count: int, normal: NDArray[np.float64], rules: SeriesRules) -> bool:
    """Whether a line of so many rounded positions drifts sideways by more than their rounding."""
    along = line.step_mm * (count - 1)
    length = abs(float(along @ normal))
    drift = float(np.linalg.norm(along - (along @ normal) * normal))
    return drift > rules.shear * length + line.rounded_mm


def _grid(
    planes: Sequence[Plane], start_mm: NDArray[np.float64], step_mm: NDArray[np.float64]
) -> Grid:
    first = planes[0]
    axes = np.array(first.orientation).reshape(2, 3)
    rows_mm, columns_mm = first.spacing_mm or (1.0, 1.0)
    matrix = np.eye(4)
    matrix[:3, 0] = step_mm
    matrix[:3, 1] = axes[1] * rows_mm
    matrix[:3, 2] = axes[0] * columns_mm
    matrix[:3, 3] = start_mm
    return Grid(Frame(first.frame_uid), (len(planes), *first.shape), matrix)

"""The PET seen from the front: a coronal maximum projection with numbered places on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lesionmatch.columns import Row
from lesionmatch.report import palette
from lesionmatch.report.overlays import centre_mm
from lesionmatch.report.palette import Rgb, Window
from lesionmatch.report.volume import Volume

PIXEL_MM = 1.0
BEYOND_LIVER_MM = 90.0
"""How much of the body above and below the liver is shown, for orientation."""

LIVERS_TO_BLACK = 4.0
"""The uptake drawn black, in means of the liver: lesions stand out, the liver is mid-grey."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A numbered place on the projection, in millimetres from its top left corner."""

    lesion_id: str
    relation: str
    x: float
    y: float
    radius: float
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The picture, its size and the places on it."""

    picture: Rgb
    width_mm: float
    height_mm: float
    suv_top: float
    marks: tuple[Mark, ...]


def projection(
    suv: Volume, liver: Volume | None, rows: Sequence[Row], liver_suv: float
) -> Projection:
    """Project the highest SUV from front to back, around the liver."""
    part = suv if liver is None else _around(suv, liver)
    top = float(np.ceil(LIVERS_TO_BLACK * liver_suv))
    width, _, height = (part.last_mm - part.first_mm + part.spacing_mm).tolist()
    highest = part.array.max(axis=1, keepdims=True)
    flat = Volume(highest, part.first_mm, part.spacing_mm)
    start = part.first_mm - part.spacing_mm / 2
    across = start[0] + (np.arange(int(width / PIXEL_MM)) + 0.5) * PIXEL_MM
    down = start[2] + height - (np.arange(int(height / PIXEL_MM)) + 0.5) * PIXEL_MM
    values = flat.at(across, part.first_mm[1:2], down[::-1]).array[::-1, 0, :]
    picture = palette.grey(values, Window(0.0, top), is_inverse=True)
    marks = _marks(rows, start[0], start[2] + height)
    return Projection(picture, len(across) * PIXEL_MM, len(down) * PIXEL_MM, top, marks)


def _around(suv: Volume, liver: Volume) -> Volume:
    slices = np.flatnonzero((liver.array > 0).any(axis=(1, 2)))
    if not slices.size:
        return suv
    heights = liver.axis_mm(2)[slices]
    low, high = suv.first_mm.copy(), suv.last_mm.copy()
    low[2] = max(low[2], heights.min() - BEYOND_LIVER_MM)
    high[2] = min(high[2], heights.max() + BEYOND_LIVER_MM)
    return suv.crop(low, high) if high[2] > low[2] else suv


def _marks(rows: Sequence[Row], left_mm: float, top_mm: float) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    for row in rows:
        place = centre_mm(row)
        if place is None:
            continue
        axis = row["long_axis_mm"]
        radius = max(4.0, float(axis) / 2 if isinstance(axis, int | float) else 0.0) + 2.0
        x, y = float(place[0]) - left_mm, top_mm - float(place[2])
        label_x, label_y = _free_label(x, y, radius, marks)
        name, relation = str(row["lesion_id"]), str(row["relation"])
        marks.append(Mark(name, relation, x, y, radius, label_x, label_y))
    return tuple(marks)


def _free_label(x: float, y: float, radius: float, marks: Sequence[Mark]) -> tuple[float, float]:
    """Of eight places around a mark, the one farthest from the labels already set."""
    reach = radius + 6.0
    angles = np.pi / 4 * np.array([7, 1, 5, 3, 0, 4, 6, 2])
    places = np.column_stack([x + reach * np.cos(angles), y + reach * np.sin(angles)])
    if not marks:
        return float(places[0, 0]), float(places[0, 1])
    taken = np.array([[mark.label_x, mark.label_y] for mark in marks])
    gaps = np.linalg.norm(places[:, None] - taken[None], axis=-1).min(axis=1)
    best = places[int(np.argmax(np.minimum(gaps, 14.0)))]
    return float(best[0]), float(best[1])

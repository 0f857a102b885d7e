"""Stomach, colon and small bowel, with gas where it rises in a body lying on its back."""

from functools import partial

import numpy as np

from lesionmatch.phantom.body import Organ, Tissue, Tree
from lesionmatch.phantom.shapes import (
    Coords,
    Ellipsoid,
    Field,
    Segment,
    common,
    tube,
    union,
)
from lesionmatch.phantom.trunk import Trunk


def _stomach(parts: tuple[Ellipsoid, ...], shrink_mm: float, at: Coords) -> Field:
    whole = parts[0](at)
    for part in parts[1:]:
        whole = union(whole, part(at), 18.0)
    return np.asarray(whole + shrink_mm)


def _gas(parts: tuple[Ellipsoid, ...], level_mm: float, at: Coords) -> Field:
    return common(_stomach(parts, 5.0, at), np.asarray(at[1] - level_mm))


def stomach(rng: np.random.Generator) -> list[Organ]:
    """Fundus behind, body and antrum in front, filled with fluid and some gas."""
    full = float(rng.uniform(0.75, 1.1))
    parts = (
        Ellipsoid((rng.uniform(54, 64), 18.0, 42.0), (34 * full, 36 * full, 36 * full)),
        Ellipsoid((rng.uniform(50, 60), -28.0, 4.0), (26 * full, 24 * full, 42 * full)),
        Ellipsoid((18.0, -42.0, -30.0), (38 * full, 18 * full, 16 * full)),
    )
    centre, half = (38.0, -10.0, 8.0), (80.0, 75.0, 80.0)
    level = float(rng.uniform(-48, -28))
    return [
        Organ(Tissue.STOMACH_WALL, partial(_stomach, parts, 0.0), centre, half),
        Organ(Tissue.STOMACH_FLUID, partial(_stomach, parts, 5.0), centre, half),
        Organ(Tissue.GAS, partial(_gas, parts, level), centre, half),
    ]


def _wander(
    rng: np.random.Generator, start: np.ndarray, box: tuple[np.ndarray, np.ndarray], steps: int
) -> np.ndarray:
    """A smooth random path that turns back at the sides of a box."""
    points = [np.asarray(start, np.float64)]
    direction = rng.normal(size=3)
    for _ in range(steps):
        direction = 0.7 * direction / np.linalg.norm(direction) + rng.normal(0, 0.5, 3)
        point = points[-1] + 16.0 * direction / np.linalg.norm(direction)
        back = (point < box[0]) | (point > box[1])
        direction = np.where(back, -direction, direction)
        points.append(np.clip(point, box[0], box[1]))
    return np.array(points)


def _lumen(path: np.ndarray, radius_mm: float) -> tuple[Segment, ...]:
    return tuple(tube(path, radius_mm, radius_mm))


def colon_and_bowel(rng: np.random.Generator, trunk: Trunk) -> list[Organ | Tree]:
    """Loops of small bowel, and a colon with its flexures under liver and spleen."""
    b = trunk.cavity_b_mm
    front = trunk.cavity_y_mm - b
    box = (
        np.array([-0.62 * trunk.cavity_a_mm, front + 22.0, -230.0]),
        np.array([0.62 * trunk.cavity_a_mm, 20.0, -62.0]),
    )
    parts: list[Organ | Tree] = []
    for _ in range(4):
        path = _wander(rng, rng.uniform(box[0], box[1]), box, 16)
        radius = float(rng.uniform(10, 13))
        parts.append(Tree(Tissue.BOWEL_WALL, _lumen(path, radius)))
        parts.append(Tree(Tissue.BOWEL_CONTENT, _lumen(path, radius - 3.0)))
    parts += _colon(rng, trunk)
    return parts


def _colon(rng: np.random.Generator, trunk: Trunk) -> list[Organ | Tree]:
    a, front = trunk.cavity_a_mm, trunk.cavity_y_mm - trunk.cavity_b_mm
    path = np.array(
        [
            (-0.72 * a, 25.0, -230.0),
            (-0.74 * a, 22.0, -170.0),
            (-0.66 * a, 10.0, -112.0),
            (-0.45 * a, front + 34.0, -100.0),
            (-0.10 * a, front + 24.0, -92.0),
            (0.30 * a, front + 26.0, -76.0),
            (0.62 * a, front + 50.0, -46.0),
            (0.74 * a, 22.0, -42.0),
            (0.76 * a, 34.0, -110.0),
            (0.74 * a, 30.0, -230.0),
        ]
    )
    path += rng.normal(0, 5.0, path.shape)
    radius = float(rng.uniform(17, 21))
    air = path[3:7] - (0.0, 5.0, 0.0)
    return [
        Tree(Tissue.BOWEL_WALL, _lumen(path, radius)),
        Tree(Tissue.BOWEL_CONTENT, _lumen(path, radius - 3.5)),
        Tree(Tissue.GAS, _lumen(air, radius - 9.0)),
    ]

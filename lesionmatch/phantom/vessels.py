"""Trees of portal veins, hepatic veins and bile ducts that keep within a liver."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.phantom.shapes import Ellipsoid, Field, Segment, Triple, tube

Vector = NDArray[np.float64]
Depth = Callable[[Vector], Field]
"""How deep points, (N, 3), lie under the liver's surface; negative outside."""

STEP_MM = 9.0
LEAST_RADIUS_MM = 0.9


@dataclass(frozen=True, slots=True)
class Trees:
    """What was grown."""

    portal: tuple[Segment, ...]
    hepatic: tuple[Segment, ...]
    ducts: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class _Bud:
    """A place where a branch begins."""

    point_mm: Vector
    direction: Vector
    radius_mm: float
    reach_mm: float


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the trees begin and what they supply."""

    hilum_mm: Triple
    mouth_mm: Triple
    """Of the hepatic veins."""
    right_mm: Triple
    left_mm: Triple
    """Middles of the two lobes."""
    gallbladder: Ellipsoid


def grow(rng: np.random.Generator, depth: Depth, roots: Roots) -> Trees:
    """Portal veins from the hilum, hepatic veins from the cava, ducts beside the portal ones."""
    hilum = np.array(roots.hilum_mm)
    portal, large = _portal(rng, depth, hilum)
    hepatic = _hepatic(rng, depth, roots)
    ducts = _ducts(rng, hilum, large, roots.gallbladder)
    return Trees(tuple(portal), tuple(hepatic), tuple(ducts))


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / np.linalg.norm(vector))


def _portal(
    rng: np.random.Generator, depth: Depth, hilum: Vector
) -> tuple[list[Segment], list[Segment]]:
    """All portal veins, and the large central ones the ducts run beside."""
    trunk_path = hilum + np.array([(44.0, 18.0, -56.0), (24.0, 12.0, -26.0), (0.0, 0.0, 0.0)])
    large = tube(trunk_path, 7.0, 6.5)
    wanted = [
        ((-1.0, 0.25, 0.1), 5.4, (((-0.5, 0.9, 0.4), 4.0), ((-0.75, -0.6, 0.45), 4.0),
                                  ((-0.9, 0.3, -0.6), 3.2), ((-0.6, -0.7, -0.4), 3.0))),
        ((0.85, -0.45, 0.4), 4.8, (((0.9, 0.1, 0.35), 3.2), ((0.6, -0.8, 0.1), 3.0),
                                   ((-0.5, -0.8, 0.3), 3.0))),
    ]  # fmt: skip
    thin: list[Segment] = []
    for direction, radius, children in wanted:
        end = hilum + _unit(np.array(direction)) * rng.uniform(22, 30) + rng.normal(0, 2, 3)
        large += tube(
            np.array([hilum, (hilum + end) / 2 + rng.normal(0, 1.5, 3), end]), radius, radius * 0.85
        )
        for way, thickness in children:
            bud = _Bud(end, _unit(np.array(way) + rng.normal(0, 0.15, 3)), thickness, 75.0)
            thin += _branch(rng, depth, bud, generation=0)
    return large + thin, large


def _hepatic(rng: np.random.Generator, depth: Depth, roots: Roots) -> list[Segment]:
    """Right, middle and left hepatic veins, which meet the cava below the dome."""
    mouth, right = np.array(roots.mouth_mm), np.array(roots.right_mm)
    goals = (
        right + np.array([-25.0, 25.0, -25.0]),
        right + np.array([25.0, -40.0, -20.0]),
        np.array(roots.left_mm) + np.array([25.0, 0.0, 0.0]),
    )
    segments: list[Segment] = []
    for goal in goals:
        direction = _unit(_unit(goal - mouth) + rng.normal(0, 0.06, 3))
        segments += _branch(rng, depth, _Bud(mouth, direction, 5.2, 115.0), generation=0)
    return segments


def _branch(rng: np.random.Generator, depth: Depth, bud: _Bud, generation: int) -> list[Segment]:
    """A branch and its own branches, recursively; it ends short of the capsule."""
    path = _path(rng, depth, bud)
    if len(path) < 2:
        return []
    thin = max(bud.radius_mm * 0.45, LEAST_RADIUS_MM * 0.8)
    segments = tube(path, bud.radius_mm, thin)
    if generation == 2 or bud.radius_mm < 1.6:
        return segments
    for place in range(2, len(path) - 1, 2):
        share = place / (len(path) - 1)
        radius = (bud.radius_mm + (thin - bud.radius_mm) * share) * rng.uniform(0.5, 0.72)
        if radius >= LEAST_RADIUS_MM:
            way = _aside(rng, path[place] - path[place - 1])
            twig = _Bud(path[place], way, radius, bud.reach_mm * 0.5)
            segments += _branch(rng, depth, twig, generation + 1)
    return segments


def _aside(rng: np.random.Generator, along: Vector) -> Vector:
    """A direction about 50 degrees off another."""
    across = np.cross(along, rng.normal(size=3))
    return _unit(_unit(along) * 0.7 + _unit(across) * 0.8)


def _path(rng: np.random.Generator, depth: Depth, bud: _Bud) -> Vector:
    """A gently winding line that stops before it would leave the liver."""
    points, direction = [bud.point_mm], bud.direction
    for step in range(int(bud.reach_mm / STEP_MM)):
        turns = np.concatenate([np.full(4, 0.14), np.full(8, 0.45)])[:, None]
        ways = direction + rng.normal(0, 1, (12, 3)) * turns
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        deep = depth(points[-1] + STEP_MM * ways) > 6.0
        # Beside the hilum or the cava the first steps may still lie in the cleft.
        if not deep.any() and step > 1:
            break
        direction = ways[int(deep.argmax())]
        points.append(points[-1] + STEP_MM * direction)
    return np.array(points)


def _ducts(
    rng: np.random.Generator, hilum: Vector, large: list[Segment], gallbladder: Ellipsoid
) -> list[Segment]:
    """Right and left hepatic duct, common duct and cystic duct, in front of the portal vein."""
    front = np.array([-4.0, -8.0, 1.0])
    ducts: list[Segment] = []
    width = float(rng.uniform(1.6, 2.6))
    for segment in large:
        start, stop = np.array(segment.start_mm) + front, np.array(segment.stop_mm) + front
        ducts += tube(np.array([start, stop]), width, width)
    neck = np.array(gallbladder.centre_mm)
    ducts += tube(np.array([hilum + front + (8, 2, -10), neck]), 1.4, 1.8)
    return ducts

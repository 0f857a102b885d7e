"""Where lesions go: random places in the liver that are what the recipe asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import InvalidOption
from lesionmatch.geometry import Points
from lesionmatch.phantom.body import Body, Tissue
from lesionmatch.phantom.recipe import LesionRecipe, Place, Recipe, Spot, SpotRecipe, Stream
from lesionmatch.phantom.shapes import (
    Distance,
    Ellipsoid,
    Field,
    coords_of,
    distance_to_segments,
    rotation,
    turned,
)

CANDIDATES = 6000
GAP_MM = 8.0
"""Least distance between two lesions' surfaces, while there is room."""
SUBCAPSULAR_MM = 3.0
PERIHILAR_MM = 18.0
PERIHILAR_CHOICES = 20
NEAR_VESSEL_MM = 4.0
VESSEL_RADIUS_MM = 1.5
"""Lesions are placed by all vessels from this radius, and called near one by wider ones."""
DEEP_MM = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A lesion with its place in the body."""

    recipe: LesionRecipe
    shape: Ellipsoid
    bounds: Distance | None = None
    """The liver, where its surface cuts the lesion."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedSpot:
    """Uptake without a lesion, with its place in the body."""

    recipe: SpotRecipe
    shape: Ellipsoid
    bounds: None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Candidates and what is known of each."""

    points_mm: Points
    depth_mm: Field
    """Under any surface of the liver."""
    capsule_mm: Field
    """Under the outer surface."""
    vessel_mm: Field
    hilum_mm: Field


def _places(body: Body, rng: np.random.Generator) -> _Places:
    points = body.liver_points_mm(rng, CANDIDATES)
    return _Places(
        points,
        -body.inside_liver_mm(points),
        body.capsule_depth_mm(points),
        body.vessel_mm(points, VESSEL_RADIUS_MM),
        np.linalg.norm(points - body.hilum_mm, axis=1).astype(np.float32),
    )


def _fits(places: _Places, recipe: LesionRecipe) -> NDArray[np.bool_]:
    radius = recipe.diameter_mm / 2
    under = places.depth_mm - radius
    beside = places.vessel_mm - radius
    inside = under > 0.3 if radius < 15.0 else places.depth_mm > 0.5 * radius
    rules: dict[Place, Callable[[], NDArray[np.bool_]]] = {
        Place.ANYWHERE: lambda: beside > -radius,
        Place.DEEP: lambda: (under > DEEP_MM) & (beside > NEAR_VESSEL_MM + 2),
        Place.SUBCAPSULAR: lambda: (
            (places.capsule_mm - radius < SUBCAPSULAR_MM) & (places.hilum_mm > 35)
        ),
        Place.PERIHILAR: lambda: places.hilum_mm < _reach_mm(places.hilum_mm[inside]),
        Place.NEAR_VESSEL: lambda: (beside > 0.3) & (beside < NEAR_VESSEL_MM) & (under > 6),
    }
    return np.asarray(inside & rules[recipe.place]())


def _reach_mm(hilum_mm: Field) -> float:
    """Perihilar distance; as far as a large lesion must stay where the hilum is tight."""
    nearest = np.sort(hilum_mm)[:PERIHILAR_CHOICES]
    return max(PERIHILAR_MM, float(nearest[-1]) if nearest.size else PERIHILAR_MM)


def place_lesions(body: Body, recipe: Recipe) -> tuple[Placed, ...]:
    """Each lesion of a recipe at a place of its kind; the large ones choose first.

    Raises `InvalidOption` when the liver has no such place left.
    """
    rng = recipe.rng(Stream.LESIONS)
    places = _places(body, rng)
    placed: dict[int, Placed] = {}
    order = sorted(range(len(recipe.lesions)), key=lambda n: -recipe.lesions[n].diameter_mm)
    for number in order:
        wanted = recipe.lesions[number]
        point = _choose(places, wanted, [p.shape for p in placed.values()], rng)
        shape = _lump(rng, point, wanted.diameter_mm)
        is_cut = bool((body.inside_liver_mm(shape.surface_mm()) > 0).any())
        placed[number] = Placed(wanted, shape, body.liver.distance if is_cut else None)
    return tuple(placed[n] for n in range(len(recipe.lesions)))


def _choose(
    places: _Places, wanted: LesionRecipe, others: list[Ellipsoid], rng: np.random.Generator
) -> NDArray[np.float64]:
    fits = np.flatnonzero(_fits(places, wanted))
    # A crowded liver has confluent lesions.
    width = wanted.diameter_mm
    for gap in (GAP_MM, GAP_MM / 3, 0.5, -0.25 * width, -0.5 * width):
        free = np.ones(len(fits), bool)
        for other in others:
            apart = np.linalg.norm(places.points_mm[fits] - other.centre_mm, axis=1)
            free &= apart > wanted.diameter_mm / 2 + max(other.radii_mm) + gap
        if free.any():
            return np.asarray(places.points_mm[rng.choice(fits[free])])
    raise InvalidOption(
        f"lesion of {wanted.diameter_mm:g} mm, {wanted.place.value}: wanted a place in this "
        "liver, got none that is free; ask for fewer or smaller lesions"
    )


def _lump(rng: np.random.Generator, centre: NDArray[np.float64], diameter_mm: float) -> Ellipsoid:
    """An ellipsoid of the volume of the wanted sphere; small lesions are rounder."""
    spread = 0.03 if diameter_mm < 8 else 0.10
    ratio = np.exp(rng.normal(0, spread, 3))
    radii = diameter_mm / 2 * ratio / np.prod(ratio) ** (1 / 3)
    return turned(centre, radii, rotation(rng.normal(size=3), rng.uniform(0, np.pi)))


def place_spots(body: Body, recipe: Recipe, lesions: tuple[Placed, ...]) -> tuple[PlacedSpot, ...]:
    """Uptake without a lesion, each at a place of its kind."""
    rng = recipe.rng(Stream.SPOTS)
    return tuple(_spot(body, rng, spot, lesions) for spot in recipe.spots)


def _spot(
    body: Body, rng: np.random.Generator, spot: SpotRecipe, lesions: tuple[Placed, ...]
) -> PlacedSpot:
    points = _spot_places(body, rng, spot)
    apart = np.full(len(points), np.inf)
    for lesion in lesions:
        away = np.linalg.norm(points - lesion.shape.centre_mm, axis=1)
        apart = np.minimum(apart, away - max(lesion.shape.radii_mm))
    best = points[np.flatnonzero(apart >= min(15.0, float(apart.max())))]
    radius = spot.diameter_mm / 2
    centre = best[rng.integers(len(best))]
    return PlacedSpot(spot, turned(centre, (radius, radius, radius), np.eye(3)))


def _spot_places(body: Body, rng: np.random.Generator, spot: SpotRecipe) -> Points:
    points = body.liver_points_mm(rng, CANDIDATES)
    depth = -body.inside_liver_mm(points)
    if spot.place is Spot.PARENCHYMA:
        return points[depth > 12.0]
    if spot.place is Spot.GUT_AT_CAPSULE:
        return _gut_places(body, rng, spot.diameter_mm / 2)
    tissue = Tissue.BILE_DUCT if spot.place is Spot.BILE_DUCT else Tissue.PORTAL_VEIN
    along = distance_to_segments(body.trees(tissue), coords_of(points))
    central = (depth > 3.0) & (along < 2.0)
    return points[central] if central.any() else points[np.argsort(along)[:5]]


def _gut_places(body: Body, rng: np.random.Generator, radius_mm: float) -> Points:
    """Just outside the liver's under surface, where bowel or stomach touches it."""
    centre, half = np.array(body.liver.centre_mm), np.array(body.liver.half_mm)
    points = centre + rng.uniform(-1, 1, (8 * CANDIDATES, 3)) * half
    outside = body.inside_liver_mm(points)
    room = -body.cavity(coords_of(points))
    low = points[:, 2] < body.hilum_mm[2] + 20
    good = (outside > radius_mm) & (outside < radius_mm + 1.5) & (room > radius_mm + 2) & low
    return np.asarray(points[good])

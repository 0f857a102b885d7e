"""A body from mathematics: each seed another one, all with the usual organ layout.

Body coordinates have x to the left, y to the back, z to the head; the origin lies in the
upper abdomen in front of the spine, about at the level of the liver's hilum.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from lesionmatch.phantom import gut, hepatic, trunk
from lesionmatch.phantom.body import Body, Organ, Tissue, Tree
from lesionmatch.phantom.recipe import Recipe, Stream
from lesionmatch.phantom.shapes import Coords, Ellipsoid, Field, rotation, triple, turned
from lesionmatch.phantom.trunk import Trunk


@dataclass(frozen=True, slots=True)
class Kidney:
    """Cortex around a sinus."""

    outer: Ellipsoid
    sinus: Ellipsoid


def body(recipe: Recipe) -> Body:
    """The body of a recipe's seed, build and liver scale."""
    rng, frame = _trunk(recipe)
    kidneys = [_kidney(rng, side) for side in (-1.0, 1.0)]
    liver = hepatic.random_liver(rng, frame, kidneys[0].outer, recipe)
    organs = _organs(rng, frame, liver, kidneys)
    return Body(
        cavity=partial(trunk.cavity, frame),
        parts=organs,
        liver=hepatic.organ(liver),
        capsule=liver.capsule,
        hilum_mm=liver.hilum_mm,
        top_mm=liver.top_mm,
        bottom_mm=liver.bottom_mm,
        half_width_mm=frame.half_width_mm,
        half_depth_mm=frame.half_depth_mm,
    )


def _organs(
    rng: np.random.Generator, frame: Trunk, liver: hepatic.Liver, kidneys: list[Kidney]
) -> tuple[Organ | Tree, ...]:
    """From the skin inwards; the spine covers what it cuts."""
    return (
        *trunk.outer_parts(frame),
        *trunk.chest(rng, frame, liver.dome),
        *gut.colon_and_bowel(rng, frame),
        *gut.stomach(rng),
        _pancreas(rng),
        _spleen(rng),
        *_kidney_parts(kidneys),
        *_adrenals(rng),
        *hepatic.parts(rng, liver),
        *trunk.inner_parts(frame),
    )


def _trunk(recipe: Recipe) -> tuple[np.random.Generator, Trunk]:
    """The trunk, and the generator that goes on to the organs."""
    rng = recipe.rng(Stream.BODY)
    build = float(rng.uniform(0.1, 0.9)) if recipe.build is None else recipe.build
    return rng, trunk.random_trunk(rng, build)


GUT = (
    Tissue.STOMACH_WALL,
    Tissue.STOMACH_FLUID,
    Tissue.BOWEL_WALL,
    Tissue.BOWEL_CONTENT,
    Tissue.GAS,
)


def another_day(recipe: Recipe, today: Body) -> Body:
    """The same body with stomach and bowel filled and lying otherwise."""
    rng = recipe.rng(Stream.GUT)
    _, frame = _trunk(recipe)
    moved = [*gut.colon_and_bowel(rng, frame), *gut.stomach(rng)]
    first = next(n for n, part in enumerate(today.parts) if part.tissue in GUT)
    rest = [part for part in today.parts if part.tissue not in GUT]
    return replace(today, parts=(*rest[:first], *moved, *rest[first:]))


def _kidney(rng: np.random.Generator, side: float) -> Kidney:
    centre = np.array([side * rng.uniform(60, 70), rng.uniform(42, 52), rng.uniform(-92, -72)])
    radii = np.array([26.0, 24.0, 52.0]) * rng.uniform(0.9, 1.1, 3)
    # The upper poles lean to the spine and to the back.
    turn = rotation([0, 1, 0], -side * 0.25) @ rotation([1, 0, 0], -0.2)
    sinus = centre + np.array([-side * 14.0, -4.0, 0.0])
    return Kidney(turned(centre, radii, turn), turned(sinus, radii * (0.5, 0.45, 0.5), turn))


def _kidney_parts(kidneys: list[Kidney]) -> list[Organ]:
    return [
        solid(tissue, shape)
        for kidney in kidneys
        for tissue, shape in (
            (Tissue.KIDNEY_CORTEX, kidney.outer),
            (Tissue.KIDNEY_PELVIS, kidney.sinus),
        )
    ]


def _adrenals(rng: np.random.Generator) -> list[Organ]:
    right = turned((-32, 38, -28), (4, 9, 15), rotation([0, 0, 1], rng.uniform(-0.5, 0)))
    left = turned((38, 32, -28), (4, 11, 14), rotation([0, 0, 1], rng.uniform(0, 0.6)))
    return [solid(Tissue.ADRENAL, right), solid(Tissue.ADRENAL, left)]


def _spleen(rng: np.random.Generator) -> Organ:
    centre = (rng.uniform(92, 104), rng.uniform(38, 48), rng.uniform(2, 22))
    radii = np.array([28.0, 40.0, 50.0]) * rng.uniform(0.8, 1.2)
    turn = rotation([0, 0, 1], rng.uniform(-0.6, -0.2)) @ rotation([0, 1, 0], 0.3)
    return solid(Tissue.SPLEEN, turned(centre, radii, turn))


def _pancreas(rng: np.random.Generator) -> Organ:
    bend = float(rng.uniform(8, 18))
    return Organ(Tissue.PANCREAS, partial(_pancreas_distance, bend), (22, 2, -28), (66, 40, 40))


def _pancreas_distance(bend_mm: float, at: Coords) -> Field:
    """A band from the head, low beside the cava, over the aorta to the spleen's hilum."""
    share = (at[0] - 22.0) / 50.0
    middle_y = 2.0 - bend_mm * (1.0 - share * share) + 12.0 * share
    middle_z = -28.0 + 14.0 * share
    radius = 10.0 - 3.0 * share
    ends = np.maximum(np.abs(at[0] - 22.0) - 50.0, 0.0)
    across = np.hypot(at[1] - middle_y, 0.8 * (at[2] - middle_z))
    return np.asarray(np.hypot(across, ends) - radius)


def solid(tissue: Tissue, shape: Ellipsoid) -> Organ:
    """An organ that is one ellipsoid."""
    return Organ(tissue, shape, triple(shape.centre_mm), triple(shape.half_mm))

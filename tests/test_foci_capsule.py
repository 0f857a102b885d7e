"""Under the capsule a lesion's own uptake is left, and corners of the liver are not believed."""

from dataclasses import replace

import numpy as np
import pytest

from lesionmatch.foci.background import background_of
from lesionmatch.foci.capsule import edge_taken_off
from lesionmatch.foci.edge import edge_distance_mm
from lesionmatch.foci.field import agreed, field_of
from lesionmatch.foci.filters import Array, depth_mm
from tests.foci_livers import GRID, LEVEL, PROTOCOL, Sphere, away_mm, liver_pet

RULES = PROTOCOL.foci
ALONE = replace(RULES, capsule_near_mm=0.0, capsule_lift_sd=0.0)
"""The image with the edge taken off is not asked."""

CENTRE_MM = (0.0, 0.0, 72.0)
"""3 mm under the capsule of the ball of liver, 75 mm in radius."""

CAPSULE_MM = 75.0 - away_mm((0, 0, 0))
"""Depth under the true capsule."""


def looked_at(*spheres: Sphere) -> tuple[Array, Array]:
    """The image with the edge taken off, and the one with the cold filled, less the liver."""
    image, liver = liver_pet(*spheres)
    depth = depth_mm(liver.array, GRID)
    known = background_of(image.array, depth, depth > 8, GRID, RULES)
    edge_mm = edge_distance_mm(known, GRID, RULES)
    off = edge_taken_off(image.array, known, depth, edge_mm, ~known.hot, GRID, RULES)
    return off - known.suv, np.where(known.cold, 0.0, image.array - known.suv)


@pytest.mark.parametrize("from_mm", range(-8, 12, 2))
def test_without_a_lesion_nothing_is_left_of_the_edge_at_any_distance(from_mm: int) -> None:
    there = (from_mm <= CAPSULE_MM) & (from_mm + 2 > CAPSULE_MM)
    assert abs(float(np.median(looked_at()[0][there]))) < 0.05 * LEVEL


def test_a_lesion_under_the_capsule_keeps_the_uptake_that_filling_takes() -> None:
    lesion = (CENTRE_MM, 10.0, 1.6)
    near = away_mm(CENTRE_MM) < 10
    whole = float((liver_pet(lesion)[0].array - liver_pet()[0].array)[near].sum())
    off, filled = (w - o for w, o in zip(looked_at(lesion), looked_at(), strict=True))
    assert float(off[near].sum()) > 0.68 * whole
    assert float(filled[near].sum()) < 0.6 * whole


def test_what_is_cold_deep_in_the_liver_is_filled() -> None:
    cyst = ((20.0, 0.0, 0.0), 24.0, 0.1)
    off, _ = looked_at(cyst)
    assert off[away_mm(cyst[0]) < 6] == pytest.approx(0.0)


def test_a_lesion_under_the_capsule_stands_higher_for_it_and_nothing_stands_lower() -> None:
    image, liver = liver_pet((CENTRE_MM, 10.0, 2.0))
    filled, both = field_of(image, liver, ALONE).z, field_of(image, liver).z
    near = away_mm(CENTRE_MM) < 6
    assert float(both[near].max()) > float(filled[near].max()) + 0.5
    assert (both >= filled).all()
    deep = CAPSULE_MM > 20
    np.testing.assert_array_equal(both[deep], filled[deep])


@pytest.mark.parametrize(
    ("filled", "off", "depth", "z"),
    [
        (4.0, 5.5, 5.0, 5.1),  # 4.0 + 1.1: no more than this above the filled image
        (4.5, 5.0, 5.0, 4.9),  # 5.0 - 0.1: edges have longer tails than noise
        (0.3, 9.0, 5.0, 1.4),  # a corner of the liver
        (5.0, 1.0, 5.0, 5.0),  # the filled image loses nothing
        (4.0, 5.0, 9.5, 4.0),  # too far from the cold
        (4.0, 5.0, -1.0, 4.0),  # outside the liver
    ],
)
def test_both_images_must_show_it(filled: float, off: float, depth: float, z: float) -> None:
    inside = np.full(GRID.shape, depth >= 0.0)
    one = np.full(GRID.shape, filled, np.float32), np.full(GRID.shape, off, np.float32)
    got = agreed(*one, inside, np.full(GRID.shape, depth, np.float32), GRID, RULES)
    assert got == pytest.approx(z)

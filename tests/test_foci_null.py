"""The chance of bright uptake at a place without a lesion."""

import numpy as np
import pytest
from scipy import stats

from lesionmatch.foci import Field, field_of, null_p
from lesionmatch.image import Mask
from tests.foci_livers import GRID, PROTOCOL, away_mm, liver_pet


@pytest.fixture(scope="module")
def quiet() -> Field:
    return field_of(*liver_pet())


def ball_mask(centre: tuple[float, float, float], radius_mm: float) -> Mask:
    return Mask(GRID, away_mm(centre) <= radius_mm).trimmed()


def test_the_chance_of_bright_uptake_is_as_small_as_the_places_allow() -> None:
    field = field_of(*liver_pet(((0, 0, 0), 14, 4.0)))
    search = ball_mask((0, 0, 0), 12)
    assert null_p(field, search, PROTOCOL, avoid=search, rng=np.random.default_rng(1)) == 1 / 201


def test_the_same_generator_gives_the_same_chance(quiet: Field) -> None:
    search = ball_mask((10, 0, 0), 12)
    first, again = (
        null_p(quiet, search, PROTOCOL, avoid=None, rng=np.random.default_rng(5)) for _ in range(2)
    )
    assert first == again


def test_no_other_place_gives_no_chance(quiet: Field) -> None:
    everywhere = Mask(GRID, away_mm((0, 0, 0)) < 75)
    search = ball_mask((10, 0, 0), 12)
    rng = np.random.default_rng(0)
    assert null_p(quiet, search, PROTOCOL, avoid=everywhere, rng=rng) is None


@pytest.fixture(scope="module")
def beside_gut() -> Field:
    return field_of(*liver_pet(((92, 0, 0), 30, 4.0), ((0, 90, 0), 26, 3.0), seed=3))


@pytest.mark.parametrize("radius_mm", [5.0, 12.0])
@pytest.mark.parametrize(("least_mm", "most_mm"), [(1.0, 5.0), (5.0, 12.0), (20.0, 80.0)])
@pytest.mark.parametrize("surroundings", ["quiet", "beside_gut"])
def test_chance_is_uniform_where_there_is_no_lesion(
    surroundings: str,
    least_mm: float,
    most_mm: float,
    radius_mm: float,
    request: pytest.FixtureRequest,
) -> None:
    field: Field = request.getfixturevalue(surroundings)
    rng = np.random.default_rng(2)
    places = rng.permutation(np.argwhere((field.depth > least_mm) & (field.depth < most_mm)))[:60]
    chances = []
    for x_mm, y_mm, z_mm in field.grid.world(places):
        search = ball_mask((x_mm, y_mm, z_mm), radius_mm)
        chances.append(null_p(field, search, PROTOCOL, avoid=search, rng=rng))
    known = [chance for chance in chances if chance is not None]
    assert len(known) > 40
    assert stats.kstest(known, "uniform").pvalue > 0.01

"""What does not look like lesion-free liver: cold places have a core, dips of noise have none."""

import numpy as np
import pytest
from scipy import stats

from lesionmatch.foci.background import Background, background_of
from lesionmatch.foci.filters import depth_mm
from tests.foci_livers import LEVEL, PROTOCOL, Sphere, away_mm, liver_pet

CYST_MM = (30.0, 0.0, 0.0)


def _known(*spheres: Sphere) -> Background:
    image, liver = liver_pet(*spheres)
    depth = depth_mm(liver.array, image.grid)
    return background_of(image.array, depth, depth > 8.0, image.grid, PROTOCOL.foci)


def test_scatter_between_many_tumours_is_not_noise() -> None:
    rng, every = np.random.default_rng(0), range(-60, 61, 30)
    middles = [(float(x), float(y), float(z)) for x in every for y in every for z in every]
    tumours = [
        (at, 30.0, float(rng.uniform(1.7, 4.0))) for at in middles if np.linalg.norm(at) < 70
    ]
    full = _known(*tumours)
    assert full.light_sd < 1.3 * _known().light_sd
    assert full.level.suv == pytest.approx(LEVEL, rel=0.15)


def test_a_cyst_is_cold_and_a_dip_of_noise_is_not() -> None:
    image, liver = liver_pet((CYST_MM, 16.0, 0.1))
    depth = depth_mm(liver.array, image.grid)
    known = background_of(image.array, depth, depth > 8.0, image.grid, PROTOCOL.foci)
    assert known.cold[away_mm(CYST_MM) < 6.0].all()
    far = (depth > 12.0) & (away_mm(CYST_MM) > 20.0)
    assert np.count_nonzero(known.above[far] < -2.5) > 10
    assert not known.cold[far].any()


def test_filling_the_cold_leaves_symmetric_noise_its_lower_tail() -> None:
    image, liver = liver_pet()
    depth = depth_mm(liver.array, image.grid)
    known = background_of(image.array, depth, depth > 8.0, image.grid, PROTOCOL.foci)
    deep = depth > 12.0
    filled = np.where(known.cold, known.suv, image.array)[deep]
    cut = np.where(known.above < -2.5, known.suv, image.array)[deep]
    assert stats.skew(filled) < stats.skew(cut) - 0.01
    np.testing.assert_array_equal(filled, image.array[deep])

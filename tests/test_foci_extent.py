"""How far a focus reaches where a hot neighbour lies against the tumour."""

import numpy as np
import pytest

from lesionmatch.foci import field_of
from lesionmatch.foci.extent import extents
from tests.foci_livers import PROTOCOL, liver_pet

ORGAN_MM = (76.0, 0.0, 0.0)


@pytest.fixture(scope="module", params=[0, 1])
def parted(request: pytest.FixtureRequest) -> tuple[float, float]:
    """Shares that one focus has of the tumour far from an organ, and of what lies beside it."""
    organ, whole = (ORGAN_MM, 20.0, 5.0), ((0.0, 0.0, 0.0), 146.0, 3.0)
    field = field_of(*liver_pet(whole, organ, seed=request.param, mask_shift_mm=-5.0))
    places = field.grid.world(np.argwhere(np.ones_like(field.liver)))
    away = np.linalg.norm(places - ORGAN_MM, axis=1).reshape(field.liver.shape)
    is_far_side = places[:, 0].reshape(field.liver.shape) < 0
    shell = is_far_side & (field.depth > 6.0) & (field.depth < 14.0)
    brightest = np.unravel_index(np.argmax(np.where(shell, field.light, 0.0)), shell.shape)
    extent = extents(field, [tuple(int(n) for n in brightest)], PROTOCOL.foci)[0]
    region = np.zeros_like(field.liver)
    region[extent.box] = extent.region
    far, beside = field.core & (away > 45.0), field.liver & (away < 12.0)
    return float(region[far].mean()), float(region[beside].mean())


def test_grain_does_not_give_tumour_to_an_organ_on_its_other_side(
    parted: tuple[float, float],
) -> None:
    assert parted[0] > 0.9


def test_what_an_organ_may_spill_stays_its_own(parted: tuple[float, float]) -> None:
    assert parted[1] < 0.1

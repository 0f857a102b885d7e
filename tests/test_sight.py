"""The uptake that lesions are compared with, where tumour leaves little of the liver."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from lesionmatch.compare.sight import reference_of
from lesionmatch.foci import Field, field_of
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity, union
from lesionmatch.protocol import Protocol

GRID = Grid.of(Frame("pet"), (36, 36, 36), spacing_mm=(4.0, 4.0, 4.0))


@cache
def scene() -> tuple[Image, Mask, Field]:
    """A round liver of SUV 6 with a noise of 10 %."""
    apart = np.linalg.norm(np.moveaxis(np.indices(GRID.shape), 0, -1) - 17.5, axis=-1) * 4.0
    noise = np.random.default_rng(1).normal(0.0, 0.6, GRID.shape)
    array = np.where(apart < 55.0, 6.0 + noise, 0.5)
    suv = Image(GRID, array.astype(np.float32), Quantity.SUV_BW)
    liver = Mask(GRID, apart < 55.0)
    return suv, liver, field_of(suv, liver)


def reference(of: Field) -> tuple[float, float]:
    suv, liver, _ = scene()
    found = reference_of(suv, liver, of, union(GRID, []), None, Protocol())
    return found.suv_mean, found.suv_sd


def test_the_liver_between_the_lesions_is_the_reference() -> None:
    assert reference(scene()[2]) == pytest.approx((6.0, 0.6), rel=0.05)


def test_a_reference_far_above_the_liver_s_level_is_tumour() -> None:
    noise = replace(scene()[2], voxel_sd=0.4)
    assert reference(replace(noise, level=4.1)) == pytest.approx((6.0, 0.6), rel=0.05)
    assert reference(replace(noise, level=3.9)) == pytest.approx((3.9, 0.4))


def test_where_no_liver_is_seen_what_was_taken_for_it_is_the_reference() -> None:
    taken = replace(scene()[2], level=5.0, voxel_sd=0.5, level_is_seen=False)
    assert reference(taken) == pytest.approx((5.0, 0.5))

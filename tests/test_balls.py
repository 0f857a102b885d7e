"""Balls of voxels, and the extremes within them."""

import numpy as np
import pytest
from scipy import ndimage

from lesionmatch.balls import ball, highest_within, lowest_within
from lesionmatch.geometry import Frame, Grid

GRID = Grid(Frame("1.2.3"), (9, 14, 11), np.diag([1.5, 2.0, 4.0, 1.0]))


@pytest.mark.parametrize("radius_mm", [1.0, 4.0, 6.5, 30.0])
def test_extremes_within_a_ball_are_those_of_asking_each_of_its_voxels(radius_mm: float) -> None:
    near = ball(radius_mm, GRID)
    values = np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32)
    np.testing.assert_array_equal(
        highest_within(values, near), ndimage.grey_dilation(values, footprint=near)
    )
    np.testing.assert_array_equal(
        lowest_within(values, near), ndimage.grey_erosion(values, footprint=near)
    )


def test_places_left_out_are_never_highest() -> None:
    values = np.full(GRID.shape, -np.inf)
    values[4, 7, 5] = -2.0
    reached = highest_within(values, ball(4.0, GRID))
    assert set(np.unique(reached)) == {-np.inf, -2.0}
    assert np.count_nonzero(reached == -2.0) == np.count_nonzero(ball(4.0, GRID))


def test_what_lies_on_the_sphere_belongs_to_the_ball() -> None:
    """Three steps of 0.1 mm are more than 0.3 mm to a computer."""
    fine = Grid(Frame("1.2.3"), (9, 9, 9), np.diag([0.1, 0.1, 0.1, 1.0]))
    assert ball(0.3, fine).shape == (7, 7, 7)

"""How a registration reads images, draws samples, and runs steps beside each other."""

import time

import numpy as np
import pytest

from lesionmatch.registration.sampling import (
    drawn,
    gradient,
    interpolation,
    read,
    with_gradients,
)
from lesionmatch.registration.threads import beside, both

CUBES = np.array([2.0, 2.0, 2.0])


def test_interpolation_reads_a_ramp_and_its_slope() -> None:
    z, y, x = np.indices((4, 5, 6)).astype(np.float32)
    stacked = with_gradients([100 * z + 10 * y + x, z * z], x, CUBES)
    found, plain = read(interpolation(np.array([[1.5, 2.25, 3.0]]), (4, 5, 6)), stacked)
    np.testing.assert_allclose(found[0, :, 0], [175.5, 50.0, 5.0, 0.5], rtol=1e-6)
    np.testing.assert_allclose(found[1, :, 0], [2.5, 1.5, 0.0, 0.0], rtol=1e-6)
    np.testing.assert_allclose(plain, [3.0])


def test_gradients_written_a_few_slices_at_a_time_are_those_of_the_whole() -> None:
    image = np.random.default_rng(1).normal(size=(19, 4, 5)).astype(np.float32)
    stacked = with_gradients([image], image, CUBES).reshape(19, 4, 5, 5)
    np.testing.assert_array_equal(stacked[..., 1:4], np.moveaxis(np.gradient(image, 2.0), 0, -1))


def test_beyond_the_grid_its_border_is_read() -> None:
    array = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    read_there = interpolation(np.array([[9.0, 9.0, 9.0]]), (2, 2, 2)) @ array.ravel()
    np.testing.assert_array_equal(read_there, [7.0])


def test_a_gradient_is_per_millimetre() -> None:
    ramp = np.broadcast_to(np.arange(5, dtype=np.float32), (3, 4, 5))
    slope = gradient(ramp, np.array([1.0, 1.0, 2.0]))[:, 1, 1, 1]
    np.testing.assert_array_equal(slope, [0.0, 0.0, 0.5])


def test_samples_are_drawn_once_each_and_in_order() -> None:
    chosen = drawn(np.random.default_rng(3), 40, 100)
    assert (np.diff(chosen) > 0).all()
    assert len(chosen) == 40
    assert chosen[0] >= 0
    assert chosen[-1] < 100
    np.testing.assert_array_equal(drawn(np.random.default_rng(3), 40, 7), np.arange(7))


def test_no_place_is_drawn_more_often_than_another() -> None:
    rng = np.random.default_rng(4)
    counts = np.bincount(np.concatenate([drawn(rng, 30, 100) for _ in range(2000)]))
    assert np.abs(counts - 600).max() < 5 * np.sqrt(2000 * 0.3 * 0.7)


def test_steps_beside_each_other_answer_in_their_order() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.05 if number == 0 else 0.0)
        return number * number

    assert beside(slow_first, range(5)) == [0, 1, 4, 9, 16]
    assert both(lambda: slow_first(0), lambda: "other") == (0, "other")


def test_an_error_of_a_step_beside_another_is_not_lost() -> None:
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        beside(lambda number: 1 // number, [1, 0])

"""What cold surroundings take from the statistic is learned from the image and given back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lesionmatch.foci.edge import standard
from lesionmatch.protocol import FociRules

RULES = FociRules()
EVERYWHERE = np.ones(40000, bool)
EDGE_MM = np.repeat(np.array([2.2, 30.0], np.float32), 20000)
DEEP = EDGE_MM > 12.0


def noise(edge_median: float, edge_sd: float) -> NDArray[np.float64]:
    """Unit noise about 0 far from the edge; 2.2 mm from it of this median and SD."""
    drawn = np.random.default_rng(0).standard_normal(EDGE_MM.size)
    return np.where(DEEP, drawn, edge_median + edge_sd * drawn)


@pytest.mark.parametrize(
    ("edge_median", "edge_sd", "raised", "z"),
    [
        (0.0, 1.0, 5.0, 5.0),
        (-2.0, 1.0, 3.0, 5.0),  # what the edge takes is given back
        (+2.0, 1.0, 7.0, 5.0),  # what a reconstruction that overshoots adds is taken off
        (0.0, 2.0, 6.0, 3.0),  # a ragged edge counts less
        (0.0, 0.95, 4.0, 4.0 / 0.95),  # a calm one a little more
        (0.0, 0.5, 4.65, 5.0),  # but by 7 % at most
    ],
)
def test_at_the_edge_it_is_standardised_by_the_edge(
    edge_median: float, edge_sd: float, raised: float, z: float
) -> None:
    known = noise(edge_median, edge_sd)
    got = standard(np.full(EDGE_MM.size, raised), known, EDGE_MM, EVERYWHERE, DEEP, RULES)
    # 2.2 mm lies in the bin about 2.25 mm: nothing is interpolated.
    assert got[~DEEP] == pytest.approx(z, abs=0.08)


def test_far_from_the_edge_it_is_standardised_by_quiet_liver() -> None:
    got = standard(noise(-2.0, 3.0) + 4.0, noise(-2.0, 3.0), EDGE_MM, EVERYWHERE, DEEP, RULES)
    assert np.median(got[DEEP]) == pytest.approx(4.0, abs=0.08)


def test_an_edge_too_short_to_learn_from_changes_nothing() -> None:
    few = DEEP | (np.arange(EDGE_MM.size) < 30)
    got = standard(np.full(EDGE_MM.size, 5.0), noise(-2.0, 1.0), EDGE_MM, few, DEEP, RULES)
    assert got == pytest.approx(5.0, abs=0.08)


def test_an_edge_that_is_brighter_at_a_few_places_counts_less() -> None:
    known = noise(0.0, 1.0)
    known[~DEEP & (np.arange(EDGE_MM.size) % 5 == 0)] += 3.0
    got = standard(np.full(EDGE_MM.size, 5.0), known, EDGE_MM, EVERYWHERE, DEEP, RULES)
    # A tenth of such a mixture lies above 3.01, and half of it above 0.32.
    assert got[~DEEP] == pytest.approx((5.0 - 0.32) / ((3.01 - 0.32) / 1.2816), abs=0.08)

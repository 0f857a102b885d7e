"""The uptake that a lesion is likely to have."""

import pytest

from lesionmatch.concordance.likely import likely_true_ratio
from lesionmatch.detectability import Blur, likely_ratio
from lesionmatch.protocol import DetectabilityRules

BLUR = Blur(7.0, 7.0)
GRAIN_ML = 0.343
"""A cube of the blur's width."""


def likely(seen: float, search_ml: float, depth_mm: float | None) -> float:
    """At a noise so low that what is seen decides, and a recovery of one half."""
    rules = DetectabilityRules()
    return likely_true_ratio(
        seen, search_ml, recovery=0.5, depth_mm=depth_mm, blur=BLUR, cov=0.01, rules=rules
    )


def test_contrast_is_divided_by_recovery() -> None:
    # 1 + (2 - 1) / 0.5, in one grain of which the median is no noise at all.
    assert likely(2.0, GRAIN_ML, None) == pytest.approx(3.0, abs=0.02)


def test_the_highest_of_many_grains_of_noise_is_taken_off() -> None:
    # The median of the highest of 16 normal values is 1.72; 1.72 x 0.01 / 0.5 = 0.034.
    assert likely(2.0, 16 * GRAIN_ML, None) == pytest.approx(3.0 - 0.034, abs=0.02)
    assert likely(2.0, 16 * GRAIN_ML, None) < likely(2.0, GRAIN_ML, None) - 0.02


@pytest.mark.parametrize(
    # The median of the highest of n normal values: the quantile at 0.5 to the nth root.
    ("grains", "highest"),
    [(0.3, 0.0), (1.0, 0.0), (4.0, 0.99815), (16.0, 1.72353)],
)
def test_what_is_taken_off_is_the_median_of_the_highest_grain(
    grains: float, highest: float
) -> None:
    seen = 2.0 - 0.01 * highest
    expected = likely_ratio(seen, 0.5, 0.01, rules=DetectabilityRules())
    assert likely(2.0, grains * GRAIN_ML, None) == pytest.approx(expected, abs=2e-5)


def test_what_the_outside_takes_is_put_back() -> None:
    # At 3 mm under a flat edge 0.1564 of the outside is seen; 0.1564 x (1 - outside) / 0.5.
    back = 0.1564 * (1.0 - DetectabilityRules().outside_ratio) / 0.5
    assert likely(1.6, GRAIN_ML, 3.0) == pytest.approx(2.2 + back, abs=0.02)
    assert likely(1.6, GRAIN_ML, 30.0) == pytest.approx(2.2, abs=0.02)

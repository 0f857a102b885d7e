"""Detection as a curve over size: fitted, finite, or undefined with a reason."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lesionmatch.accuracy import curve
from lesionmatch.accuracy.values import Undefined

Counts = NDArray[np.int64]


def number(value: float | Undefined) -> float:
    assert isinstance(value, float)
    return value


def simulated_lesions(
    seed: int, count: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], Counts]:
    """Lesions found with chance expit(-7 + 4 ln(size))."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(3.0, 20.0, count)
    chance = 1 / (1 + np.exp(7 - 4 * np.log(size)))
    return size, rng.random(count) < chance, rng.integers(0, count // 4, count)


def test_detection_curve_recovers_the_curve_it_was_drawn_from() -> None:
    fitted = curve.detection_curve(*simulated_lesions(3, 4000))
    assert isinstance(fitted, curve.Curve)
    assert fitted.intercept == pytest.approx(-7.0, abs=0.6)
    assert fitted.slope == pytest.approx(4.0, abs=0.3)
    assert number(fitted.size_for(0.5)) == pytest.approx(np.exp(7 / 4), rel=0.03)
    lower, upper = fitted.band(np.array([5.0, 10.0]))
    centre = fitted.at(np.array([5.0, 10.0]))
    assert ((lower < centre) & (centre < upper)).all()


def test_detection_curve_refuses_what_cannot_carry_it() -> None:
    size, found, patient = simulated_lesions(4, 200)
    few = curve.detection_curve(size[:12], found[:12], patient[:12])
    assert few == Undefined("fewer than 10 found or fewer than 10 missed")
    one = curve.detection_curve(size, found, np.zeros(200, dtype=np.int64))
    assert one == Undefined("fewer than 5 patients")
    for parted in (size > 8.0, size < 8.0):
        apart = curve.detection_curve(size, parted, patient)
        assert apart == Undefined("size parts found from missed, or does not vary")
    nearly = size > 8.0
    nearly[np.argmax(size)] = False
    assert isinstance(curve.detection_curve(size, nearly, patient), Undefined)
    assert isinstance(curve.detection_curve(np.full(200, 8.0), found, patient), Undefined)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(["none", "steep", "coarse"]))
def test_a_curve_is_finite_or_undefined(seed: int, how: str) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(20, 90))
    size = np.maximum(np.exp(rng.normal(2.2, rng.uniform(0.05, 1.0), count)), 0.5)
    if how == "coarse":
        size = np.maximum(np.round(size), 1.0)
    chance = 0.5 if how == "none" else 1 / (1 + np.exp(-20 * (np.log(size) - 2.2)))
    fitted = curve.detection_curve(
        size, rng.random(count) < chance, rng.integers(0, count // 3, count)
    )
    if isinstance(fitted, curve.Curve):
        lower, upper = fitted.band(np.array([1.0, 9.0, 100.0]))
        assert np.isfinite([*lower, *upper]).all()
        assert (lower <= upper).all()


def test_a_curve_that_falls_with_size_has_no_size_for_a_chance() -> None:
    falling = curve.Curve(1.0, -0.5, np.eye(2))
    assert falling.size_for(0.9) == Undefined("detection does not grow with size")


def test_a_fit_that_does_not_converge_is_undefined(monkeypatch: pytest.MonkeyPatch) -> None:
    from statsmodels.genmod.generalized_estimating_equations import GEE

    def warn(_: object) -> None:
        warnings.warn("Iteration limit reached", RuntimeWarning, stacklevel=1)

    monkeypatch.setattr(GEE, "fit", warn)
    fitted = curve.detection_curve(*simulated_lesions(3, 400))
    assert fitted == Undefined("the fit did not converge")

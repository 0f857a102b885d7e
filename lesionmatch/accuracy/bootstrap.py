"""Cluster bootstrap: whole patients drawn again and again, every measure from each draw.

It assumes nothing about how a patient's observations hang together, but sees only the
errors that happened: with a handful of them its intervals are too short, and a measure
that is the same in every draw has none. Patients that hold no positives stay in the draw, because
which patients come is part of the chance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.accuracy.values import Interval, Undefined

Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A percentile interval, and the share of draws in which the measure did not exist."""

    interval: Interval
    undefined_share: float


def cluster_draws(
    counts: NDArray[np.int64], *, draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Sums (draws, C) of `counts` (K, C) over K clusters drawn with replacement."""
    clusters = len(counts)
    # Equal rows are drawn together, which makes thousands of patients a few dozen kinds.
    kinds, sizes = np.unique(counts, axis=0, return_counts=True)
    return rng.multinomial(clusters, sizes / clusters, size=draws) @ kinds


def percentile(
    draws: NDArray[np.int64], measure: Callable[[NDArray[np.int64]], Draws], level: float = 0.95
) -> Bootstrap | Undefined:
    """Percentile interval of `measure`, which gives NaN for the draws it is undefined in."""
    values = measure(draws)
    held = values[np.isfinite(values)]
    if len(held) < len(values) / 2:
        return Undefined("undefined in most draws")
    tail = (1.0 - level) / 2.0
    if held.min() == held.max():
        return Undefined("the same in every draw")
    lower, upper = np.quantile(held, [tail, 1.0 - tail])
    interval = Interval(float(lower), float(upper), "cluster bootstrap, percentile")
    return Bootstrap(interval, 1.0 - len(held) / len(values))


def share(over: list[int], under: list[int]) -> Callable[[NDArray[np.int64]], Draws]:
    """A measure: the sum of columns `over` divided by that of columns `under`."""

    def measure(draws: NDArray[np.int64]) -> Draws:
        total = draws[:, under].sum(axis=1).astype(float)
        total[total == 0.0] = np.nan
        return np.asarray(draws[:, over].sum(axis=1) / total)

    return measure


def kappa_of(draws: NDArray[np.int64]) -> Draws:
    """Kappa of each draw's TP, FP, FN, TN."""
    tp, fp, fn, tn = draws.T.astype(float)
    total = tp + fp + fn + tn
    expected = ((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)) / total**2
    chance = np.where(expected == 1.0, np.nan, 1.0 - expected)
    return np.asarray(((tp + tn) / total - expected) / chance)


MEASURES: dict[str, Callable[[NDArray[np.int64]], Draws]] = {
    "sensitivity": share([0], [0, 2]),
    "specificity": share([3], [1, 3]),
    "ppv": share([0], [0, 1]),
    "npv": share([3], [2, 3]),
    "accuracy": share([0, 3], [0, 1, 2, 3]),
    "kappa": kappa_of,
}
"""Measures of draws of TP, FP, FN, TN."""

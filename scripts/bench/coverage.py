"""Do the intervals hold what they promise? ``python scripts/bench coverage [TRIALS]``.

Patients with 1 to 6 studies each, whose results are alike by a known correlation (a
beta-binomial), at the rates and sizes of interest. Prints how often each 95 % interval
holds the truth; the error of a share of 2,000 trials is about half a percent.
"""

import argparse
from collections.abc import Callable

import numpy as np

from lesionmatch.accuracy import bootstrap, clustered
from lesionmatch.accuracy.clustered import Clusters
from lesionmatch.accuracy.intervals import clopper_pearson
from lesionmatch.accuracy.values import Interval, Proportion, Undefined

SCENES = [
    (patients, rate, correlation)
    for patients in (50, 300, 1000)
    for rate in (0.80, 0.97)
    for correlation in (0.0, 0.3, 0.7)
]
"""Patients, true rate, correlation of the studies of a patient."""


def exact(data: Clusters) -> Interval | Undefined:
    """As if each study were a patient of its own."""
    whole = data.proportion
    return whole if isinstance(whole, Undefined) else clopper_pearson(whole)


def resampled(data: Clusters) -> Interval | Undefined:
    """Percentile bootstrap of 500 draws of patients."""
    counts = np.column_stack([data.successes, data.totals])
    draws = bootstrap.cluster_draws(counts, draws=500, rng=np.random.default_rng(0))
    found = bootstrap.percentile(draws, bootstrap.share([0], [1]))
    return found if isinstance(found, Undefined) else found.interval


METHODS: dict[str, Callable[[Clusters], Interval | Undefined]] = {
    "exact": exact,
    "by patient": clustered.korn_graubard,
    "bootstrap": resampled,
}


def drawn(patients: int, rate: float, correlation: float, rng: np.random.Generator) -> Clusters:
    """One sample of patients with 1 to 6 studies."""
    totals = rng.integers(1, 7, patients)
    if correlation == 0.0:
        own = np.full(patients, rate)
    else:
        spread = 1.0 / correlation - 1.0
        own = rng.beta(rate * spread, (1.0 - rate) * spread, patients)
    return Clusters(rng.binomial(totals, own), totals)


def coverage(patients: int, rate: float, correlation: float, trials: int) -> list[float]:
    """Share of trials in which each method holds the true rate; undefined does not."""
    rng = np.random.default_rng(1)
    held = np.zeros(len(METHODS))
    for _ in range(trials):
        data = drawn(patients, rate, correlation, rng)
        assert isinstance(data.proportion, Proportion)
        for k, method in enumerate(METHODS.values()):
            bounds = method(data)
            held[k] += isinstance(bounds, Interval) and bounds.lower <= rate <= bounds.upper
    return list(100.0 * held / trials)


def main() -> None:
    """Every scene, one line each."""
    wanted = argparse.ArgumentParser(prog="bench coverage", description=__doc__)
    wanted.add_argument("trials", type=int, nargs="?", default=2000)
    trials = wanted.parse_args().trials
    print("patients  rate  correlation  " + "  ".join(f"{name:>12}" for name in METHODS))
    for patients, rate, correlation in SCENES:
        shares = coverage(patients, rate, correlation, trials)
        cells = "  ".join(f"{share:10.1f} %" for share in shares)
        print(f"{patients:8}  {rate:4.2f}  {correlation:11.1f}  {cells}", flush=True)


if __name__ == "__main__":
    main()

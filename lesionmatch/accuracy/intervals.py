"""Intervals of a proportion whose observations are independent.

`clopper_pearson` is the one called exact: it never covers less than it says. `wilson` is
shorter and covers it on average. Effective counts of clustered data need not be whole,
which is why `clopper_pearson` takes them as they are.
"""

from scipy.stats import beta, binomtest, chi2

from lesionmatch.accuracy.values import Interval, Proportion


def clopper_pearson(proportion: Proportion, level: float = 0.95) -> Interval:
    """Exact binomial interval, from beta quantiles (Biometrika 1934;26:404).

    >>> exact = clopper_pearson(Proportion(682, 733))
    >>> round(exact.lower, 3), round(exact.upper, 3)
    (0.91, 0.948)
    """
    successes, total = proportion.successes, proportion.total
    tail = (1.0 - level) / 2.0
    lower = 0.0 if successes == 0 else float(beta.ppf(tail, successes, total - successes + 1))
    upper = (
        1.0 if successes == total else float(beta.ppf(1.0 - tail, successes + 1, total - successes))
    )
    return Interval(lower, upper, "Clopper-Pearson")


def wilson(proportion: Proportion, level: float = 0.95) -> Interval:
    """Wilson's score interval, whole counts only (J Am Stat Assoc 1927;22:209)."""
    test = binomtest(int(proportion.successes), int(proportion.total))
    bounds = test.proportion_ci(confidence_level=level, method="wilson")
    return Interval(float(bounds.low), float(bounds.high), "Wilson")


def poisson_rate(events: int, exposure: float, level: float = 0.95) -> Interval:
    """Exact interval of a rate of independent events (Garwood, Biometrika 1936;28:437)."""
    tail = (1.0 - level) / 2.0
    lower = 0.0 if events == 0 else float(chi2.ppf(tail, 2 * events)) / 2.0
    upper = float(chi2.ppf(1.0 - tail, 2 * events + 2)) / 2.0
    return Interval(lower / exposure, upper / exposure, "exact Poisson")

"""What clustering would cost, when the sizes of the clusters are not known.

A design effect turns a table without its patients into a table of fewer independent
observations; one design effect for everything is itself a guess, so this is a sensitivity
analysis and no interval of the data.
"""

from scipy.stats import chi2

from lesionmatch.accuracy.intervals import clopper_pearson
from lesionmatch.accuracy.values import Interval, Proportion, Test


def deflated(proportion: Proportion, effect: float, level: float = 0.95) -> Interval:
    """Clopper-Pearson on the proportion's counts divided by the design `effect`."""
    return clopper_pearson(
        Proportion(proportion.successes / effect, proportion.total / effect), level
    )


def deflated_test(test: Test, effect: float) -> Test:
    """A chi-squared of one degree of freedom divided by the design `effect`."""
    statistic = (test.statistic or 0.0) / effect
    return Test(f"{test.name} / {effect:g}", statistic, float(chi2.sf(statistic, 1)))


def tolerated(test: Test, significance: float) -> float:
    """The design effect at which `test` would just lose this significance."""
    return (test.statistic or 0.0) / float(chi2.isf(significance, 1))

"""Are false negatives commoner than false positives? Two questions, kept apart.

*Counts*: do test and reference say yes equally often? That is McNemar's test, on the
discordant pairs alone. *Rates*: are positives missed as readily as negatives are called?
That compares FN / (TP + FN) with FP / (FP + TN), two groups of different size. A study
with more positives than negatives can differ in counts and not in rates.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, chi2_contingency, fisher_exact, norm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from lesionmatch.accuracy.values import Interval, Table, Test, Undefined

NO_DISCORDANT = Undefined("no discordant pairs")
ONE_GROUP = Undefined("no positives or no negatives by the reference")
NO_ERRORS = Undefined("no errors at all, or nothing but errors")


def mcnemar(table: Table) -> Test | Undefined:
    """McNemar's chi-squared, uncorrected (Psychometrika 1947;12:153)."""
    if table.fn + table.fp == 0:
        return NO_DISCORDANT
    result = statsmodels_mcnemar(_cells(table), exact=False, correction=False)
    return Test("McNemar", float(result.statistic), float(result.pvalue))


def mcnemar_corrected(table: Table) -> Test | Undefined:
    """McNemar's chi-squared with Edwards' correction (Psychometrika 1948;13:185)."""
    if table.fn + table.fp == 0:
        return NO_DISCORDANT
    result = statsmodels_mcnemar(_cells(table), exact=False, correction=True)
    return Test("McNemar, corrected", float(result.statistic), float(result.pvalue))


def mcnemar_exact(table: Table) -> Test | Undefined:
    """Exact binomial test of the discordant pairs against one to one."""
    if table.fn + table.fp == 0:
        return NO_DISCORDANT
    result = statsmodels_mcnemar(_cells(table), exact=True)
    return Test("McNemar, exact", None, float(result.pvalue))


def mcnemar_midp(table: Table) -> Test | Undefined:
    """All that is more extreme and half of what is as extreme as observed.

    Fagerland et al., BMC Med Res Methodol 2013;13:91.
    """
    exact = mcnemar_exact(table)
    if isinstance(exact, Undefined):
        return exact
    fewer, pairs = min(table.fn, table.fp), table.fn + table.fp
    if table.fn == table.fp:
        # One point alone, not two, is as extreme as the one observed.
        p = 1.0 - float(binom.pmf(fewer, pairs, 0.5)) / 2.0
        return Test("McNemar, mid-p", None, p)
    p = 2.0 * float(binom.cdf(fewer, pairs, 0.5)) - float(binom.pmf(fewer, pairs, 0.5))
    return Test("McNemar, mid-p", None, p)


def error_rates(table: Table) -> Test | Undefined:
    """Pearson's chi-squared of the false negative rate against the false positive rate."""
    return _rates(table, "error rates, chi-squared", correction=False)


def error_rates_corrected(table: Table) -> Test | Undefined:
    """The same with Yates' correction."""
    return _rates(table, "error rates, Yates", correction=True)


def error_rates_exact(table: Table) -> Test | Undefined:
    """Fisher's exact test of the two error rates."""
    if isinstance(groups := _groups(table), Undefined):
        return groups
    return Test("error rates, Fisher", None, float(fisher_exact(np.array(groups)).pvalue))


def marginal_difference(table: Table) -> float | Undefined:
    """How much oftener the reference says yes than the test: (FN - FP) / N."""
    return (table.fn - table.fp) / table.total if table.total else Undefined("no observations")


def marginal_difference_tango(table: Table, level: float = 0.95) -> Interval | Undefined:
    """Tango's score interval of the paired difference (Stat Med 1998;17:891)."""
    if isinstance(difference := marginal_difference(table), Undefined):
        return difference
    wanted = float(norm.ppf((1.0 + level) / 2.0))
    edge = 1.0 - 1e-12

    def beyond(delta: float, bound: float) -> float:
        return _tango_score(table, delta) - bound

    lower = brentq(beyond, -edge, difference, args=(wanted,)) if difference > -edge else -1.0
    upper = brentq(beyond, difference, edge, args=(-wanted,)) if difference < edge else 1.0
    return Interval(float(lower), float(upper), "Tango")


def _tango_score(table: Table, delta: float) -> float:
    """The score statistic of the true difference `delta`, with its nuisance at its best fit."""
    n, b, c = table.total, table.fn, table.fp
    linear = -b - c + (2 * n - b + c) * delta
    constant = -c * delta * (1.0 - delta)
    root = math.sqrt(max(linear**2 - 8.0 * n * constant, 0.0))
    share = max((root - linear) / (4.0 * n), 0.0)
    variance = n * (2.0 * share + delta * (1.0 - delta))
    excess = b - c - n * delta
    if variance <= 0.0:
        return 0.0 if excess == 0.0 else math.copysign(math.inf, excess)
    return excess / math.sqrt(variance)


def _rates(table: Table, name: str, *, correction: bool) -> Test | Undefined:
    groups = _groups(table)
    if isinstance(groups, Undefined):
        return groups
    errors = table.fn + table.fp
    if errors in (0, table.total):
        return NO_ERRORS
    result = chi2_contingency(groups, correction=correction)
    return Test(name, float(result.statistic), float(result.pvalue))


def _groups(table: Table) -> list[list[int]] | Undefined:
    """Errors and right calls, of the positives and of the negatives."""
    if table.tp + table.fn == 0 or table.tn + table.fp == 0:
        return ONE_GROUP
    return [[table.fn, table.tp], [table.fp, table.tn]]


def _cells(table: Table) -> list[list[int]]:
    return [[table.tp, table.fp], [table.fn, table.tn]]

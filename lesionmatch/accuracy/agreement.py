"""Agreement of two readings beyond chance, and what distorts it.

Kappa depends on prevalence and bias, so its companions (PABAK, the indices, the highest
kappa the margins allow) are here too; Byrt et al., J Clin Epidemiol 1993;46:423.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

from lesionmatch.accuracy.values import Interval, Table, Undefined

NO_CHANCE = Undefined("both readings give one answer throughout")
NO_ERROR = Undefined("no disagreement, or one answer throughout: the asymptotic error is none")
"""An interval without width would claim a certainty that the data do not have."""
LEAST_ERROR = 1e-9


def kappa(table: Table) -> float | Undefined:
    """Cohen's kappa, (po - pe) / (1 - pe) (Educ Psychol Meas 1960;20:37).

    >>> round(kappa(Table(tp=1634, fp=16, fn=51, tn=682)), 4)
    0.9331
    """
    if table.total == 0:
        return Undefined("no observations")
    expected = expected_agreement(table)
    if expected == 1.0:
        return NO_CHANCE
    return (observed_agreement(table) - expected) / (1.0 - expected)


def kappa_standard_error(table: Table) -> float | Undefined:
    """Asymptotic error away from kappa 0 (Fleiss, Cohen, Everitt, Psychol Bull 1969;72:323)."""
    if isinstance(value := kappa(table), Undefined):
        return value
    # An empty margin leaves no error under kappa 0, by which statsmodels divides besides.
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = float(cohens_kappa(_square(table)).var_kappa)
    # Where it is none, rounding may leave it a little below.
    return math.sqrt(max(0.0, variance))


def kappa_interval(table: Table, level: float = 0.95) -> Interval | Undefined:
    """Normal interval from the asymptotic error; kappa has no exact one. Cut at -1 and 1."""
    value, error = kappa(table), kappa_standard_error(table)
    if isinstance(value, Undefined) or isinstance(error, Undefined):
        return NO_CHANCE if table.total else Undefined("no observations")
    if error < LEAST_ERROR:
        return NO_ERROR
    reach = float(norm.ppf((1.0 + level) / 2.0)) * error
    method = "asymptotic (Fleiss-Cohen-Everitt)"
    return Interval(max(-1.0, value - reach), min(1.0, value + reach), method)


def kappa_clustered_standard_error(tables: NDArray[np.int64]) -> float | Undefined:
    """Error of kappa from `tables` (K, 4) of TP, FP, FN, TN by cluster.

    Linearised: the influence of each cluster on kappa, summed in squares with K/(K-1)
    (Yang and Zhou, Comput Stat Data Anal 2015;82:1). One observation a cluster gives back the
    Fleiss-Cohen-Everitt error but for that factor.
    """
    clusters = len(tables)
    total = table_of(tables)
    if isinstance(value := kappa(total), Undefined):
        return value
    if clusters < 2:
        return Undefined("fewer than two clusters")
    shares = _square(total) / total.total
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    chance = 1.0 - float(rows @ columns)
    misses = 1.0 - float(np.trace(shares))
    weights = np.eye(2) / chance - misses * (columns[:, None] + rows[None, :]) / chance**2
    squares = tables.reshape(clusters, 2, 2).astype(float)
    sizes = squares.sum(axis=(1, 2))
    influence = ((squares - sizes[:, None, None] * shares) * weights).sum(axis=(1, 2))
    influence /= total.total
    return math.sqrt(clusters / (clusters - 1) * float(influence @ influence))


def kappa_clustered_interval(
    tables: NDArray[np.int64], level: float = 0.95
) -> Interval | Undefined:
    """Student's interval with K - 1 degrees of freedom from the clustered error."""
    if isinstance(value := kappa(table_of(tables)), Undefined):
        return value
    if isinstance(error := kappa_clustered_standard_error(tables), Undefined):
        return error
    if error < LEAST_ERROR:
        return NO_ERROR
    reach = float(t.ppf((1.0 + level) / 2.0, len(tables) - 1)) * error
    return Interval(max(-1.0, value - reach), min(1.0, value + reach), "clustered, linearised")


def observed_agreement(table: Table) -> float:
    """Share of observations on which both agree; the table must not be empty."""
    return (table.tp + table.tn) / table.total


def expected_agreement(table: Table) -> float:
    """Share on which both would agree by chance, given how often each says yes."""
    yes_test, yes_reference = table.tp + table.fp, table.tp + table.fn
    no_test, no_reference = table.fn + table.tn, table.fp + table.tn
    return (yes_test * yes_reference + no_test * no_reference) / table.total**2


def kappa_maximum(table: Table) -> float | Undefined:
    """The highest kappa these margins allow."""
    if table.total == 0 or (expected := expected_agreement(table)) == 1.0:
        return NO_CHANCE if table.total else Undefined("no observations")
    yes = min(table.tp + table.fp, table.tp + table.fn)
    no = min(table.fn + table.tn, table.fp + table.tn)
    return ((yes + no) / table.total - expected) / (1.0 - expected)


def pabak(table: Table) -> float | Undefined:
    """Kappa adjusted for prevalence and bias: 2 po - 1."""
    if table.total == 0:
        return Undefined("no observations")
    return 2.0 * observed_agreement(table) - 1.0


def prevalence_index(table: Table) -> float | Undefined:
    """(TP - TN) / N."""
    return (table.tp - table.tn) / table.total if table.total else Undefined("no observations")


def bias_index(table: Table) -> float | Undefined:
    """(FP - FN) / N: how much oftener the test says yes."""
    return (table.fp - table.fn) / table.total if table.total else Undefined("no observations")


def gwet_ac1(table: Table) -> float | Undefined:
    """Gwet's AC1, steady where one answer prevails (Br J Math Stat Psychol 2008;61:29)."""
    if table.total == 0:
        return Undefined("no observations")
    yes = _mean_yes(table)
    expected = 2.0 * yes * (1.0 - yes)
    return (observed_agreement(table) - expected) / (1.0 - expected)


def scott_pi(table: Table) -> float | Undefined:
    """Scott's pi: chance from the mean of both margins (Public Opin Q 1955;19:321)."""
    if table.total == 0:
        return Undefined("no observations")
    yes = _mean_yes(table)
    if yes in (0.0, 1.0):
        return NO_CHANCE
    expected = yes**2 + (1.0 - yes) ** 2
    return (observed_agreement(table) - expected) / (1.0 - expected)


def krippendorff_alpha(table: Table) -> float | Undefined:
    """Krippendorff's alpha for two nominal readings: pi with a small-sample correction."""
    value = scott_pi(table)
    if isinstance(value, Undefined):
        return value
    return 1.0 - (1.0 - value) * (2 * table.total - 1) / (2 * table.total)


def fleiss(calls: Sequence[Sequence[int]]) -> float | Undefined:
    """Fleiss' kappa of several readings of each subject (Psychol Bull 1971;76:378).

    `calls` has a row a subject and a column a reader; all must have read all.
    """
    if not calls:
        return Undefined("no observations")
    counts, values = aggregate_raters(np.asarray(calls))
    return NO_CHANCE if len(values) < 2 else float(fleiss_kappa(counts))


def table_of(tables: NDArray[np.int64]) -> Table:
    """The sum of cluster tables (K, 4) of TP, FP, FN, TN."""
    tp, fp, fn, tn = (int(count) for count in tables.sum(axis=0))
    return Table(tp, fp, fn, tn)


def _mean_yes(table: Table) -> float:
    return (2 * table.tp + table.fp + table.fn) / (2 * table.total)


def _square(table: Table) -> NDArray[np.float64]:
    """Test in the rows, reference in the columns."""
    return np.array([[table.tp, table.fp], [table.fn, table.tn]], dtype=float)

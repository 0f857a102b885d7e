"""Proportions and paired tests when one patient gives several observations.

Observations of one patient resemble each other, so they count for less than as many of
different patients. Everything here takes counts by cluster, one row a patient, and
reduces to the plain method (but for a factor K/(K-1)) where each has one observation.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, t

from lesionmatch.accuracy.intervals import clopper_pearson
from lesionmatch.accuracy.values import Interval, Proportion, Test, Undefined

Counts = NDArray[np.int64]
NO_DISCORDANT = Undefined("no discordant pairs")
ONE_CLUSTER = Undefined("fewer than two clusters")
NO_SPREAD = Undefined("the discordant pairs of every cluster balance")
SAME_RATE = Undefined("no variation between clusters")


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """`successes` of `totals`, both (K,), by cluster; clusters of no observations are dropped."""

    successes: Counts
    totals: Counts

    @property
    def occupied(self) -> "Clusters":
        """Only the clusters that have an observation."""
        held = self.totals > 0
        return Clusters(self.successes[held], self.totals[held])

    @property
    def proportion(self) -> Proportion | Undefined:
        """All successes of all observations, whoever's they are."""
        total = int(self.totals.sum())
        return (
            Proportion(int(self.successes.sum()), total) if total else Undefined("no observations")
        )


def ratio_variance(clusters: Clusters) -> float | Undefined:
    """Variance of the ratio estimator sum(y) / sum(n) over K clusters.

    K/(K-1) sum (y - p n)^2 / (sum n)^2 (Cochran, Sampling Techniques, 1977, chapter 6).
    """
    held = clusters.occupied
    count, total = len(held.totals), int(held.totals.sum())
    if count < 2:
        return ONE_CLUSTER
    # In whole numbers, so that clusters of one and the same share leave nothing at all.
    residual = (held.successes * total - held.successes.sum() * held.totals) / total
    return float(count / (count - 1) * (residual @ residual) / total**2)


def design_effect(clusters: Clusters) -> float | Undefined:
    """Variance of the ratio estimator over that of independent observations.

    Rao and Scott, Biometrics 1992;48:577. Undefined where all or none succeed.
    """
    variance, whole = ratio_variance(clusters), clusters.proportion
    if isinstance(whole, Undefined) or isinstance(variance, Undefined):
        return whole if isinstance(whole, Undefined) else ONE_CLUSTER
    plain = whole.estimate * (1.0 - whole.estimate) / whole.total
    return variance / plain if plain > 0.0 else Undefined("all or none succeed")


def effective(clusters: Clusters) -> Proportion | Undefined:
    """The independent observations these are worth: y / DEFF of n / DEFF (Rao and Scott)."""
    whole = clusters.proportion
    if isinstance(whole, Undefined):
        return whole
    if isinstance(effect := design_effect(clusters), Undefined):
        return effect
    if effect == 0.0:
        return SAME_RATE
    return Proportion(whole.successes / effect, whole.total / effect)


def kish_size(clusters: Clusters) -> float:
    """Observations left if those of one cluster were copies: (sum n)^2 / sum n^2 (Kish 1965)."""
    totals = clusters.totals.astype(float)
    return float(totals.sum() ** 2 / (totals @ totals))


def korn_graubard(clusters: Clusters, level: float = 0.95) -> Interval | Undefined:
    """Clopper-Pearson on the effective number, with Student's allowance for few clusters.

    n* = n / DEFF (t(n-1) / t(K-1))^2, never above n (Korn and Graubard, Surv Methodol
    1998;24:193). Where all or none succeed no design effect can be measured; Kish's size,
    the least these clusters can be worth, then stands for it, so that an empty cell never
    buys a short interval.
    """
    whole, held = clusters.proportion, clusters.occupied
    if isinstance(whole, Undefined):
        return whole
    if len(held.totals) < 2:
        return ONE_CLUSTER
    effect = design_effect(held)
    if isinstance(effect, Undefined) or effect == 0.0:
        size = kish_size(held)
    else:
        tail = (1.0 + level) / 2.0
        ratio = t.ppf(tail, whole.total - 1) / t.ppf(tail, len(held.totals) - 1)
        size = min(float(whole.total), whole.total / effect * float(ratio) ** 2)
    bounds = clopper_pearson(Proportion(whole.estimate * size, size), level)
    return Interval(bounds.lower, bounds.upper, "clustered, Korn-Graubard")


def ratio_interval(events: Counts, exposure: Counts, level: float = 0.95) -> Interval | Undefined:
    """Student's interval of a rate, sum(events) / sum(exposure) by cluster, cut at 0.

    Unlike a proportion a rate may pass 1: several events to one unit of exposure. Undefined
    where every cluster has the same rate, as with no event at all: nothing shows its spread.
    """
    variance = ratio_variance(Clusters(events, exposure))
    if isinstance(variance, Undefined):
        return variance
    if variance == 0.0:
        return SAME_RATE
    count = len(Clusters(events, exposure).occupied.totals)
    rate = float(events.sum() / exposure.sum())
    reach = float(t.ppf((1.0 + level) / 2.0, count - 1)) * math.sqrt(variance)
    return Interval(max(0.0, rate - reach), rate + reach, "clustered, ratio, Student")


def rao_scott(groups: list[Clusters]) -> Test | Undefined:
    """Are the proportions of separate groups of clusters one? (Rao and Scott 1992).

    Chi-squared of homogeneity on each group's effective counts.
    """
    worth = [effective(group) for group in groups]
    if any(isinstance(one, Undefined) for one in worth) or len(worth) < 2:
        return Undefined("a group with no design effect: too few clusters, or all or none succeed")
    parts = [one for one in worth if isinstance(one, Proportion)]
    pooled = sum(one.successes for one in parts) / sum(one.total for one in parts)
    statistic = sum(
        one.total * (one.estimate - pooled) ** 2 / (pooled * (1.0 - pooled)) for one in parts
    )
    return Test("Rao-Scott", statistic, float(chi2.sf(statistic, len(parts) - 1)))


def error_rates_clustered(
    fn: Counts, positives: Counts, fp: Counts, negatives: Counts
) -> Test | Undefined:
    """False negative rate against false positive rate, by cluster.

    The difference of two ratio estimators, linearised, so that a patient who gives both
    positives and negatives is counted with the covariance of the two.
    """
    if min(int(positives.sum()), int(negatives.sum())) == 0:
        return Undefined("no positives or no negatives by the reference")
    count = int(((positives + negatives) > 0).sum())
    influence = _influence(fn, positives) - _influence(fp, negatives)
    if count < 2:
        return ONE_CLUSTER
    if not influence.any():
        return SAME_RATE
    difference = float(fn.sum() / positives.sum() - fp.sum() / negatives.sum())
    variance = count / (count - 1) * float(influence @ influence)
    return _chi_squared("error rates, clustered", difference**2 / variance)


def _influence(successes: Counts, totals: Counts) -> NDArray[np.float64]:
    """What each cluster adds to the ratio of the two sums, to first order."""
    total = int(totals.sum())
    return np.asarray((successes * total - successes.sum() * totals) / total**2)


def obuchowski(b: Counts, c: Counts) -> Test | Undefined:
    """Clustered McNemar of discordant counts `b`, `c` by cluster.

    Obuchowski, Stat Med 1998;17:1495, doi 10.1002/(SICI)1097-0258(19980715)17:13<1495.
    """
    excess, count = (b - c).astype(float), len(b)
    if isinstance(none := _nothing_to_test(b + c), Undefined):
        return none
    if not excess.any():
        return NO_SPREAD
    statistic = (count - 1) / count * float(excess.sum()) ** 2 / float(excess @ excess)
    return _chi_squared("Obuchowski", statistic)


def durkalski(b: Counts, c: Counts, totals: Counts) -> Test | Undefined:
    """Clustered McNemar with every cluster weighing the same.

    Durkalski et al., Stat Med 2003;22:2417, doi 10.1002/sim.1438.
    """
    if isinstance(none := _nothing_to_test(b + c), Undefined):
        return none
    held = totals > 0
    share = (b - c)[held] / totals[held]
    if not share.any():
        return NO_SPREAD
    return _chi_squared("Durkalski", float(share.sum()) ** 2 / float(share @ share))


def yang(b: Counts, c: Counts, totals: Counts) -> Test | Undefined:
    """Clustered McNemar with both variances averaged.

    Yang et al., Biom J 2010;52:638, doi 10.1002/bimj.201000035.
    """
    if isinstance(none := _nothing_to_test(b + c), Undefined):
        return none
    excess, count, total = (b - c).astype(float), len(b), int(totals.sum())
    centred = excess - totals * (excess.sum() / total)
    variance = 0.5 * float(centred @ centred + excess @ excess)
    if variance == 0.0:
        return NO_SPREAD
    return _chi_squared("Yang", (count - 1) / count * float(excess.sum()) ** 2 / variance)


def eliasziw(tables: Counts) -> Test | Undefined:
    """McNemar over 1 + (n_c - 1) rho, from `tables` (K, 4).

    Eliasziw and Donner, Stat Med 1991;10:1981, doi 10.1002/sim.4780101211.

    Columns are the four cells, the middle two discordant. rho is how alike the directions
    of discordance are within a cluster; n_c the discordant pairs a cluster has, weighed.
    A negative rho counts as none: it would make more of the data than there is.
    """
    pairs = (tables[:, 1] + tables[:, 2]).astype(float)
    if isinstance(none := _nothing_to_test(pairs), Undefined):
        return none
    excess = float((tables[:, 1] - tables[:, 2]).sum())
    inflation = 1.0 + (_discordant_size(pairs) - 1.0) * discordance_correlation(tables)
    return _chi_squared("Eliasziw-Donner", excess**2 / float(pairs.sum()) / inflation)


def _nothing_to_test(pairs: NDArray[np.int64] | NDArray[np.float64]) -> Undefined | None:
    """Why discordant pairs by cluster allow no test: one cluster has no other to vary from."""
    if not pairs.any():
        return NO_DISCORDANT
    return ONE_CLUSTER if len(pairs) < 2 else None


def discordance_correlation(tables: Counts) -> float:
    """Correlation of discordance within clusters, 0 or more (Eliasziw and Donner 1991)."""
    pooled = max(0.0, _category_correlation(tables))
    discordant = float(tables[:, 1:3].sum() / tables.sum())
    spread = pooled + discordant * (1.0 - pooled)
    return pooled / spread if spread > 0.0 else 0.0


def _category_correlation(tables: Counts) -> float:
    """Intraclass correlation of the four cells, pooled, by analysis of variance."""
    cells = tables[tables.sum(axis=1) > 0].astype(float)
    sizes, count = cells.sum(axis=1), len(cells)
    mean = float(sizes.mean())
    if count < 2 or mean == 1.0:
        return 0.0
    weighed = mean - float(((sizes - mean) ** 2).sum()) / (count * (count - 1) * mean)
    expected = sizes[:, None] * cells.sum(axis=0) / sizes.sum()
    between = float(((cells - expected) ** 2 / sizes[:, None]).sum()) / count
    within = float((cells * (sizes[:, None] - cells) / sizes[:, None]).sum())
    within /= count * (mean - 1.0)
    spread = between + (weighed - 1.0) * within
    return (between - within) / spread if spread > 0.0 else 0.0


def _discordant_size(pairs: NDArray[np.float64]) -> float:
    """Discordant pairs of a cluster that has any, weighed for their unequal numbers."""
    held = pairs[pairs > 0.0]
    count, mean = len(held), float(held.mean())
    if count < 2:
        return mean
    weighed = mean - float(((held - mean) ** 2).sum()) / (count * (count - 1) * mean)
    return weighed + count * (mean - weighed)


def _chi_squared(name: str, statistic: float) -> Test:
    return Test(name, statistic, float(chi2.sf(statistic, 1)))

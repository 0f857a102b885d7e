"""One set of studies as a table with its measures: the same for all, a stratum or a reader."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.accuracy import agreement, bootstrap, clustered, intervals, measures, paired
from lesionmatch.accuracy.bootstrap import Bootstrap
from lesionmatch.accuracy.clustered import Clusters
from lesionmatch.accuracy.values import Interval, Proportion, Table, Test, Undefined
from lesionmatch.errors import InvalidOption
from lesionmatch.evaluation.rows import Cell, StudyCalls

CELL_ORDER: tuple[Cell, ...] = ("TP", "FP", "FN", "TN")
COLUMNS = {
    "sensitivity": ((0,), (0, 2)),
    "specificity": ((3,), (1, 3)),
    "ppv": ((0,), (0, 1)),
    "npv": ((3,), (2, 3)),
    "accuracy": ((0, 3), (0, 1, 2, 3)),
    "prevalence": ((0, 2), (0, 1, 2, 3)),
    "positive_calls": ((0, 1), (0, 1, 2, 3)),
}
"""Columns of TP, FP, FN, TN that are a measure's successes, and those that are its total."""


MOST_DRAWS = 100_000
"""Of all patients; more of them do not fit in memory: 100 kinds of patients take 80 MB here."""


@dataclass(frozen=True, slots=True)
class Options:
    """How intervals are had; the same options and table give the same report."""

    level: float = 0.95
    draws: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.5 <= self.level < 1.0:
            raise InvalidOption(f"--level: wanted 0.5 to below 1, got {self.level:g}")
        if not 0 <= self.draws <= MOST_DRAWS:
            raise InvalidOption(f"--draws: wanted 0 to {MOST_DRAWS:,}, got {self.draws}")
        if self.seed < 0:
            raise InvalidOption(f"--seed: wanted 0 or more, got {self.seed}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure with each of its intervals; an `Undefined` says why there is none."""

    value: float | Undefined
    exact: Interval | Undefined
    clustered: Interval | Undefined
    n: int
    """Observations it rests on; for kappa all of them."""
    wilson: Interval | Undefined | None = None
    """None where the measure is no proportion."""
    bootstrap: Bootstrap | Undefined | None = None
    """None where no draws were asked for."""
    design_effect: float | Undefined | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """A table with all that follows from it."""

    table: Table
    tables: NDArray[np.int64]
    """(K, 4) TP, FP, FN, TN by patient."""
    uncertain: int
    missing: int
    estimates: dict[str, Estimate]
    """sensitivity, specificity, ppv, npv, accuracy, kappa."""
    shares: dict[str, Estimate]
    """prevalence, by which predictive values stand and fall, and positive_calls."""
    level: float
    """Of all its intervals."""

    @property
    def patients(self) -> int:
        """How many patients have a study in the table."""
        return len(self.tables)


def summarise(studies: Iterable[StudyCalls], options: Options) -> Summary:
    """Count the studies by cell and patient, and estimate every measure."""
    studies = tuple(studies)
    tables = patient_tables((study.patient_id, study.cell) for study in studies)
    return Summary(
        table=agreement.table_of(tables),
        tables=tables,
        uncertain=sum(study.is_uncertain for study in studies),
        missing=sum(study.is_missing for study in studies),
        estimates=estimates(tables, options),
        shares={
            name: proportion_estimate(clusters_of(name, tables), options)
            for name in ("prevalence", "positive_calls")
        },
        level=options.level,
    )


def patient_tables(cells: Iterable[tuple[str, Cell | None]]) -> NDArray[np.int64]:
    """(K, 4) counts of TP, FP, FN, TN of the patients, in order of first appearance.

    Patients with no study in a cell are left out: they are no part of the table.
    """
    counts: dict[str, list[int]] = {}
    for patient, cell in cells:
        if cell is not None:
            counts.setdefault(patient, [0, 0, 0, 0])[CELL_ORDER.index(cell)] += 1
    return np.array(list(counts.values()), dtype=np.int64).reshape(-1, 4)


def estimates(tables: NDArray[np.int64], options: Options) -> dict[str, Estimate]:
    """Every measure of the patients' tables (K, 4), by name."""
    draws = _draws(tables, options)
    found = {
        name: _proportion_estimate(name, tables, draws, options) for name in measures.PROPORTIONS
    }
    return found | {"kappa": _kappa_estimate(tables, draws, options)}


def proportion_estimate(
    clusters: Clusters,
    options: Options,
    *,
    undefined: str = "no observations",
    resampled: Bootstrap | Undefined | None = None,
) -> Estimate:
    """A proportion of clustered observations with each of its intervals."""
    whole = clusters.proportion
    if isinstance(whole, Undefined):
        nothing = Undefined(undefined)
        return Estimate(nothing, nothing, nothing, 0, nothing, resampled and nothing, nothing)
    return Estimate(
        value=whole.estimate,
        exact=intervals.clopper_pearson(whole, options.level),
        clustered=clustered.korn_graubard(clusters, options.level),
        n=int(whole.total),
        wilson=intervals.wilson(whole, options.level),
        bootstrap=resampled,
        design_effect=clustered.design_effect(clusters),
    )


def counts_tests(tables: NDArray[np.int64]) -> dict[str, Test | Undefined]:
    """Are false negatives as many as false positives? Every McNemar, plain and clustered."""
    table = agreement.table_of(tables)
    fn, fp, totals = tables[:, 2], tables[:, 1], tables.sum(axis=1)
    return {
        "plain": paired.mcnemar(table),
        "corrected": paired.mcnemar_corrected(table),
        "exact": paired.mcnemar_exact(table),
        "midp": paired.mcnemar_midp(table),
        "obuchowski": clustered.obuchowski(fn, fp),
        "durkalski": clustered.durkalski(fn, fp, totals),
        "yang": clustered.yang(fn, fp, totals),
        "eliasziw": clustered.eliasziw(tables),
    }


def rates_tests(tables: NDArray[np.int64]) -> dict[str, Test | Undefined]:
    """Are positives missed as readily as negatives are called? A question of its own."""
    table = agreement.table_of(tables)
    tp, fp, fn, tn = tables.T
    return {
        "chi_squared": paired.error_rates(table),
        "yates": paired.error_rates_corrected(table),
        "fisher": paired.error_rates_exact(table),
        "clustered": clustered.error_rates_clustered(fn, tp + fn, fp, fp + tn),
    }


def clusters_of(name: str, tables: NDArray[np.int64]) -> Clusters:
    """The patients' successes and totals of a measure."""
    over, under = COLUMNS[name]
    return Clusters(tables[:, over].sum(axis=1), tables[:, under].sum(axis=1))


def _proportion_estimate(
    name: str, tables: NDArray[np.int64], draws: NDArray[np.int64] | None, options: Options
) -> Estimate:
    whole = measures.PROPORTIONS[name](agreement.table_of(tables))
    reason = whole.reason if isinstance(whole, Undefined) else ""
    resampled = _resampled(draws, bootstrap.MEASURES[name], options)
    clusters = clusters_of(name, tables)
    return proportion_estimate(clusters, options, undefined=reason, resampled=resampled)


def _kappa_estimate(
    tables: NDArray[np.int64], draws: NDArray[np.int64] | None, options: Options
) -> Estimate:
    table = agreement.table_of(tables)
    return Estimate(
        value=agreement.kappa(table),
        exact=agreement.kappa_interval(table, options.level),
        clustered=agreement.kappa_clustered_interval(tables, options.level),
        n=table.total,
        bootstrap=_resampled(draws, bootstrap.kappa_of, options),
        design_effect=_kappa_design_effect(tables),
    )


def _kappa_design_effect(tables: NDArray[np.int64]) -> float | Undefined:
    plain = agreement.kappa_standard_error(agreement.table_of(tables))
    error = agreement.kappa_clustered_standard_error(tables)
    if (
        isinstance(plain, Undefined)
        or isinstance(error, Undefined)
        or plain < agreement.LEAST_ERROR
    ):
        return Undefined("kappa has no error here")
    return (error / plain) ** 2


def _draws(tables: NDArray[np.int64], options: Options) -> NDArray[np.int64] | None:
    if options.draws == 0 or len(tables) < 2:
        return None
    rng = np.random.default_rng(options.seed)
    return bootstrap.cluster_draws(tables, draws=options.draws, rng=rng)


def _resampled(
    draws: NDArray[np.int64] | None,
    measure: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    options: Options,
) -> Bootstrap | Undefined | None:
    return None if draws is None else bootstrap.percentile(draws, measure, options.level)


SINGLE_NUMBERS = {
    "youden": measures.youden,
    "balanced_accuracy": measures.balanced_accuracy,
    "f1": measures.f1,
    "matthews": measures.matthews,
    "pabak": agreement.pabak,
    "kappa_maximum": agreement.kappa_maximum,
    "gwet_ac1": agreement.gwet_ac1,
    "scott_pi": agreement.scott_pi,
    "krippendorff_alpha": agreement.krippendorff_alpha,
    "prevalence_index": agreement.prevalence_index,
    "bias_index": agreement.bias_index,
}
"""Further numbers of a table that are given without an interval, by name."""

RATIOS: dict[
    str,
    tuple[Callable[[Table], float | Undefined], Callable[[Table, float], Interval | Undefined]],
] = {
    "positive_likelihood_ratio": (
        measures.positive_likelihood_ratio,
        measures.positive_likelihood_ratio_interval,
    ),
    "negative_likelihood_ratio": (
        measures.negative_likelihood_ratio,
        measures.negative_likelihood_ratio_interval,
    ),
    "diagnostic_odds_ratio": (
        measures.diagnostic_odds_ratio,
        measures.diagnostic_odds_ratio_interval,
    ),
    "marginal_difference": (paired.marginal_difference, paired.marginal_difference_tango),
}
"""Further numbers of a table with their interval, observations taken as independent."""


def share_of(successes: int, total: int, options: Options) -> Estimate:
    """A share of things counted once each, with its exact interval only."""
    if total == 0:
        nothing = Undefined("nothing counted")
        return Estimate(nothing, nothing, nothing, 0)
    whole = Proportion(successes, total)
    exact = intervals.clopper_pearson(whole, options.level)
    return Estimate(whole.estimate, exact, Undefined("not by patient"), total)


def stratum_test(name: str, groups: Sequence[NDArray[np.int64]]) -> Test | Undefined:
    """Does a measure differ between strata? Rao-Scott, patients within strata as clusters.

    A patient with studies in two strata counts as two, which makes the p a little too large.
    """
    return clustered.rao_scott([clusters_of(name, tables) for tables in groups])

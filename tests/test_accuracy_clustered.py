"""Methods for several observations of one patient, against published data sets.

Thyroid: PET and SPECT of 21 patients (Obuchowski, Stat Med 1998;17:1495). Psychiatry: 29
clusters (Petryshen, Psychiatry Res 1989), both as in R's clust.bin.pair. Rats: litters (Rao
and Scott, Biometrics 1992;48:577, Table 1). The expected values come
from independent implementations of the same papers.
"""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lesionmatch.accuracy import agreement, bootstrap, clustered, design, paired
from lesionmatch.accuracy.clustered import Clusters
from lesionmatch.accuracy.intervals import clopper_pearson
from lesionmatch.accuracy.values import Interval, Proportion, Table, Test, Undefined

THYROID = np.array(
    [
        [0, 2, 3, 1, 2, 4, 3, 2, 1, 1, 2, 2, 3, 2, 0, 2, 2, 2, 2, 1, 2],
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0],
    ]
).T
PSYCHIATRY = np.array(
    [
        *[(1, 0, 4, 2), (1, 1, 2, 2), (3, 1, 3, 0), (2, 1, 2, 1), (2, 0, 1, 1), (0, 3, 3, 0)],
        *[(0, 3, 0, 2), (0, 3, 2, 3), (0, 1, 2, 1), (0, 0, 4, 3), (1, 0, 2, 0), (1, 1, 4, 0)],
        *[(1, 0, 3, 3), (2, 0, 2, 2), (2, 0, 1, 2), (1, 0, 3, 0), (2, 0, 1, 3), (1, 0, 2, 2)],
        *[(0, 3, 0, 1), (2, 1, 0, 0), (1, 1, 0, 3), (0, 2, 2, 0), (1, 0, 1, 2), (0, 0, 2, 0)],
        *[(0, 0, 2, 1), (0, 0, 0, 2), (0, 0, 0, 2), (1, 0, 1, 1), (0, 0, 1, 0)],
    ]
)
CONTROL = Clusters(
    np.array([13, 12, 9, 9, 8, 8, 12, 11, 9, 9, 8, 11, 4, 5, 7, 7]),
    np.array([13, 12, 9, 9, 8, 8, 13, 12, 10, 10, 9, 13, 5, 7, 10, 10]),
)
TREATED = Clusters(
    np.array([12, 11, 10, 9, 10, 9, 9, 8, 8, 4, 7, 4, 5, 3, 3, 0]),
    np.array([12, 11, 10, 9, 11, 10, 10, 9, 9, 5, 9, 7, 10, 6, 10, 7]),
)

Counts = NDArray[np.int64]
cells = st.lists(st.integers(0, 4), min_size=4, max_size=4)
cluster_tables = st.lists(cells, min_size=2, max_size=25).map(np.array)


def number(value: float | Undefined) -> float:
    assert isinstance(value, float)
    return value


def found(test: Test | Undefined) -> tuple[float, float]:
    assert isinstance(test, Test)
    assert test.statistic is not None
    return test.statistic, test.p


@pytest.mark.parametrize(
    ("data", "test", "statistic", "p"),
    [
        (THYROID, "obuchowski", 2.857143, 0.0910),
        (THYROID, "durkalski", 2.315068, 0.1281),
        (THYROID, "yang", 3.131660, 0.0768),
        (THYROID, "eliasziw", 3.661586, 0.0557),
        (PSYCHIATRY, "obuchowski", 7.185841, 0.0073),
        (PSYCHIATRY, "durkalski", 7.542267, 0.0060),
        (PSYCHIATRY, "yang", 8.428559, 0.0037),
        (PSYCHIATRY, "eliasziw", 10.225896, 0.0014),
    ],
)
def test_clustered_mcnemar_gives_the_known_statistic(
    data: Counts, test: str, statistic: float, p: float
) -> None:
    got = found(run(test, data))
    assert round(got[0], 6) == statistic
    assert round(got[1], 4) == p


def run(name: str, data: Counts) -> Test | Undefined:
    b, c, totals = data[:, 1], data[:, 2], data.sum(axis=1)
    tests: dict[str, Callable[[], Test | Undefined]] = {
        "obuchowski": lambda: clustered.obuchowski(b, c),
        "durkalski": lambda: clustered.durkalski(b, c, totals),
        "yang": lambda: clustered.yang(b, c, totals),
        "eliasziw": lambda: clustered.eliasziw(data),
    }
    return tests[name]()


def test_discordance_correlations_are_the_known_ones() -> None:
    assert clustered.discordance_correlation(THYROID) == pytest.approx(0.457951, abs=5e-7)
    assert clustered.discordance_correlation(PSYCHIATRY) == pytest.approx(0.0661305, abs=5e-8)


def test_kappa_of_clusters_has_the_known_error() -> None:
    table = agreement.table_of(PSYCHIATRY)
    assert number(agreement.kappa(table)) == pytest.approx(-0.0158983, abs=5e-8)
    assert number(agreement.kappa_standard_error(table)) == pytest.approx(0.0784024, abs=1e-7)
    error = number(agreement.kappa_clustered_standard_error(PSYCHIATRY))
    assert error == pytest.approx(0.0927742, abs=5e-8)


@pytest.mark.parametrize(
    ("columns", "share", "error", "effect"),
    [([0, 1], 0.784314, 0.069603, 1.460548), ([0, 2], 0.901961, 0.037972, 0.831586)],
    ids=["PET", "SPECT"],
)
def test_thyroid_specificities_have_the_known_error(
    columns: list[int], share: float, error: float, effect: float
) -> None:
    one = Clusters(THYROID[:, columns].sum(axis=1), THYROID.sum(axis=1))
    whole = one.proportion
    assert isinstance(whole, Proportion)
    assert whole.estimate == pytest.approx(share, abs=5e-7)
    assert number(clustered.ratio_variance(one)) ** 0.5 == pytest.approx(error, abs=5e-7)
    assert number(clustered.design_effect(one)) == pytest.approx(effect, abs=5e-7)


def test_litters_have_the_published_design_effects() -> None:
    assert number(clustered.design_effect(CONTROL)) == pytest.approx(1.2324954, abs=5e-8)
    assert number(clustered.design_effect(TREATED)) == pytest.approx(3.9528606, abs=5e-8)


def test_rao_scott_shrinks_the_naive_statistic() -> None:
    assert found(clustered.rao_scott([CONTROL, TREATED]))[0] == pytest.approx(4.040611, abs=5e-7)


def test_treated_litters_have_the_known_intervals() -> None:
    worth = clustered.effective(TREATED)
    assert isinstance(worth, Proportion)
    assert worth.total == pytest.approx(36.682, abs=5e-4)
    exact = clopper_pearson(worth)
    assert (round(exact.lower, 5), round(exact.upper, 5)) == (0.60438, 0.89408)
    student = clustered.korn_graubard(TREATED)
    assert isinstance(student, Interval)
    assert (round(student.lower, 5), round(student.upper, 5)) == (0.58894, 0.90192)


def test_bootstrap_of_treated_litters_is_the_known_one() -> None:
    counts = np.column_stack([TREATED.successes, TREATED.totals])
    draws = bootstrap.cluster_draws(counts, draws=40_000, rng=np.random.default_rng(1))
    result = bootstrap.percentile(draws, bootstrap.share([0], [1]))
    assert isinstance(result, bootstrap.Bootstrap)
    assert result.interval.lower == pytest.approx(0.628, abs=3e-3)
    assert result.interval.upper == pytest.approx(0.890, abs=3e-3)
    assert result.undefined_share == 0.0


def test_ratio_error_is_that_of_estimating_equations() -> None:
    # statsmodels' robust error with working independence is the same but for K/(K-1)
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    found = [[1] * y + [0] * (n - y) for y, n in zip(*_lists(TREATED), strict=True)]
    litter = np.repeat(np.arange(16), TREATED.totals)
    observed = np.concatenate([np.array(one, dtype=float) for one in found])
    fit = GEE(observed, np.ones((len(observed), 1)), litter, family=Binomial()).fit()
    share = float(observed.mean())
    oracle = float(fit.bse[0]) * share * (1 - share) * (16 / 15) ** 0.5
    assert number(clustered.ratio_variance(TREATED)) ** 0.5 == pytest.approx(oracle, rel=1e-6)


def _lists(clusters: Clusters) -> tuple[list[int], list[int]]:
    return clusters.successes.tolist(), clusters.totals.tolist()


def test_bootstrap_counts_the_draws_in_which_nothing_is_defined() -> None:
    counts = np.array([[1, 1], [1, 2], [0, 0], [0, 0]])
    draws = bootstrap.cluster_draws(counts, draws=9_000, rng=np.random.default_rng(2))
    result = bootstrap.percentile(draws, bootstrap.share([0], [1]))
    assert isinstance(result, bootstrap.Bootstrap)
    # all four draws miss both patients who have an observation: (1/2)^4
    assert result.undefined_share == pytest.approx(1 / 16, abs=0.01)
    mostly = np.zeros((10, 2), dtype=np.int64)
    assert bootstrap.percentile(mostly, bootstrap.share([0], [1])) == Undefined(
        "undefined in most draws"
    )


def test_bootstrap_kappa_is_kappa_and_nothing_without_chance() -> None:
    values = bootstrap.kappa_of(np.array([[1634, 16, 51, 682], [7, 0, 0, 0]]))
    assert values[0] == pytest.approx(0.9331068, abs=5e-8)
    assert np.isnan(values[1])


@given(cluster_tables)
def test_one_observation_a_patient_gives_back_the_plain_methods(data: Counts) -> None:
    single = np.repeat(np.eye(4, dtype=np.int64), data.sum(axis=0), axis=0)
    table, count = agreement.table_of(single.reshape(-1, 4)), len(single)
    plain = paired.mcnemar(table)
    grouped = clustered.obuchowski(single[:, 1], single[:, 2]) if count else plain
    if isinstance(plain, Test) and isinstance(grouped, Test):
        assert grouped.statistic == pytest.approx((count - 1) / count * (plain.statistic or 0.0))
    error = agreement.kappa_standard_error(table) if count else Undefined("")
    if isinstance(error, float) and count > 1:
        assert error >= 0.0
        wanted = error * (count / (count - 1)) ** 0.5
        got = agreement.kappa_clustered_standard_error(single)
        assert number(got) == pytest.approx(wanted, abs=1e-7)


@given(cluster_tables, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(data: Counts, random: object) -> None:
    shuffled = data[np.random.default_rng(hash(repr(random)) % 2**32).permutation(len(data))]
    for name in ("obuchowski", "durkalski", "yang", "eliasziw"):
        one, other = run(name, data), run(name, shuffled)
        if isinstance(one, Test):
            assert isinstance(other, Test)
            assert one.statistic == pytest.approx(other.statistic)


@given(cluster_tables)
def test_copies_of_a_patients_observations_tell_nothing_new(data: Counts) -> None:
    once = clustered.ratio_variance(Clusters(data[:, 0], data.sum(axis=1)))
    thrice = clustered.ratio_variance(Clusters(3 * data[:, 0], 3 * data.sum(axis=1)))
    if isinstance(once, float):
        assert number(thrice) == pytest.approx(once)


@given(cluster_tables)
def test_clustered_interval_holds_the_estimate_and_is_never_shorter_than_the_worth_allows(
    data: Counts,
) -> None:
    one = Clusters(data[:, 0], data.sum(axis=1))
    interval, whole = clustered.korn_graubard(one), one.proportion
    if isinstance(interval, Interval) and isinstance(whole, Proportion):
        exact = clopper_pearson(whole)
        assert interval.lower <= exact.lower + 1e-9
        assert interval.upper >= exact.upper - 1e-9


def test_an_empty_cell_never_buys_a_short_clustered_interval() -> None:
    # 40 successes of 4 patients, 10 each, are worth 4: 1 - 0.025^(1/4) is missing below
    interval = clustered.korn_graubard(Clusters(np.full(4, 10), np.full(4, 10)))
    assert isinstance(interval, Interval)
    assert interval.lower == pytest.approx(0.025 ** (1 / 4))


def test_clustered_rates_test_reduces_to_a_wald_test_of_two_groups() -> None:
    # 200 patients, one study each: 30 of 100 positives missed, 10 of 100 negatives called
    positives = np.repeat([1, 0], 100)
    fn = np.repeat([1, 0], [30, 170])
    fp = np.repeat([0, 1, 0], [100, 10, 90])
    statistic, _ = found(clustered.error_rates_clustered(fn, positives, fp, 1 - positives))
    expected = 0.2**2 / (0.3 * 0.7 / 100 + 0.1 * 0.9 / 100) * 199 / 200
    assert statistic == pytest.approx(expected)


def test_rate_of_equal_clusters_has_students_interval_of_the_mean() -> None:
    # 1, 2, 3 events in one unit each: mean 2, error 1/sqrt(3), t(2) 4.302653
    interval = clustered.ratio_interval(np.array([1, 2, 3]), np.array([1, 1, 1]))
    assert isinstance(interval, Interval)
    assert interval.upper == pytest.approx(2 + 4.302653 / 3**0.5, abs=1e-6)
    assert interval.lower == 0.0


NONE = np.zeros((3, 4), dtype=np.int64)
BALANCED = np.array([[1, 1, 1, 0], [2, 1, 1, 3]])
ONES = np.ones(2, dtype=np.int64)
ALIKE = [np.full(30, count) for count in (1, 49, 3, 49)]
"""Patients of one and the same rates: 1 of 49 and 3 of 49, of which 1/49 is no binary number."""


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: run("obuchowski", NONE), "no discordant pairs"),
        (lambda: run("durkalski", NONE), "no discordant pairs"),
        (lambda: run("yang", NONE), "no discordant pairs"),
        (lambda: run("eliasziw", NONE), "no discordant pairs"),
        (lambda: run("obuchowski", BALANCED[:1]), "fewer than two"),
        (lambda: run("durkalski", BALANCED[:1]), "fewer than two"),
        (lambda: run("yang", BALANCED[:1]), "fewer than two"),
        (lambda: run("eliasziw", BALANCED[:1]), "fewer than two"),
        (lambda: run("obuchowski", BALANCED), "every cluster balance"),
        (lambda: run("durkalski", BALANCED), "every cluster balance"),
        (lambda: run("yang", BALANCED), "every cluster balance"),
        (lambda: Clusters(0 * ONES, 0 * ONES).proportion, "no observations"),
        (lambda: clustered.ratio_variance(Clusters(ONES[:1], ONES[:1])), "fewer than two"),
        (lambda: clustered.design_effect(Clusters(ONES, ONES)), "all or none succeed"),
        (lambda: clustered.design_effect(Clusters(0 * ONES, 0 * ONES)), "no observations"),
        (lambda: clustered.design_effect(Clusters(ONES[:1], ONES[:1])), "fewer than two"),
        (lambda: clustered.effective(Clusters(0 * ONES, 0 * ONES)), "no observations"),
        (lambda: clustered.effective(Clusters(ONES, ONES)), "all or none succeed"),
        (lambda: clustered.effective(Clusters(ONES, 2 * ONES)), "no variation"),
        (lambda: clustered.korn_graubard(Clusters(0 * ONES, 0 * ONES)), "no observations"),
        (lambda: clustered.korn_graubard(Clusters(ONES[:1], ONES[:1])), "fewer than two"),
        (lambda: clustered.ratio_interval(ONES[:1], ONES[:1]), "fewer than two"),
        (lambda: clustered.ratio_interval(0 * ONES, ONES), "no variation"),
        (lambda: clustered.rao_scott([CONTROL]), "a group with no design effect"),
        (lambda: clustered.rao_scott([CONTROL, Clusters(ONES, ONES)]), "no design effect"),
        (lambda: clustered.error_rates_clustered(ONES, ONES, ONES, 0 * ONES), "no positives"),
        (lambda: clustered.error_rates_clustered(ONES, ONES, ONES, ONES), "no variation"),
        (lambda: clustered.error_rates_clustered(*[ONES[:1]] * 4), "fewer than two"),
        (lambda: clustered.error_rates_clustered(*ALIKE), "no variation"),
        (lambda: clustered.design_effect(Clusters(ALIKE[0], ALIKE[0])), "all or none"),
        (lambda: clustered.effective(Clusters(*ALIKE[:2])), "no variation"),
        (lambda: bootstrap.percentile(np.array([[1, 1]] * 9), bootstrap.share([0], [1])), "same"),
        (lambda: agreement.kappa_clustered_interval(NONE), "no observations"),
        (lambda: agreement.kappa_clustered_interval(BALANCED[:1]), "fewer than two"),
        (lambda: agreement.kappa_clustered_interval(np.diag([3, 0, 0, 4])), "error is none"),
        (lambda: agreement.kappa_clustered_standard_error(NONE), "no observations"),
    ],
)
def test_what_clusters_cannot_give_is_undefined(make: Callable[[], object], reason: str) -> None:
    value = make()
    assert isinstance(value, Undefined)
    assert reason in value.reason


def test_eliasziw_without_repeats_is_mcnemar() -> None:
    single = np.repeat(np.eye(4, dtype=np.int64), [30, 4, 12, 20], axis=0)
    assert found(clustered.eliasziw(single))[0] == pytest.approx(8**2 / 16)


@pytest.mark.parametrize(
    ("effect", "sensitivity", "npv", "statistic"),
    [
        (1.5, (95.8, 97.9), (90.4, 95.1), 12.19),
        (2.383, (95.4, 98.1), (89.6, 95.6), 7.67),
        (4.0, (94.9, 98.4), (88.3, 96.3), 4.57),
    ],
)
def test_design_effects_widen_the_paper_as_known(
    effect: float, sensitivity: tuple[float, float], npv: tuple[float, float], statistic: float
) -> None:
    for proportion, expected in [
        (Proportion(1634, 1685), sensitivity),
        (Proportion(682, 733), npv),
    ]:
        got = design.deflated(proportion, effect)
        assert (round(100 * got.lower, 1), round(100 * got.upper, 1)) == expected
    plain = paired.mcnemar(Table(1634, 16, 51, 682))
    assert isinstance(plain, Test)
    assert round(design.deflated_test(plain, effect).statistic or 0.0, 2) == statistic


def test_the_papers_significance_survives_the_known_design_effects() -> None:
    plain = paired.mcnemar(Table(1634, 16, 51, 682))
    assert isinstance(plain, Test)
    assert round(design.tolerated(plain, 0.01), 3) == 2.756
    assert round(design.tolerated(plain, 0.05), 2) == 4.76


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_korn_graubard_covers_the_truth_of_alike_studies(seed: int) -> None:
    # 60 patients of 1 to 6 wholly alike studies, truth 0.8; 40 trials cover nearly always
    rng = np.random.default_rng(seed)
    covered = 0
    for _ in range(40):
        totals = rng.integers(1, 7, 60)
        one = Clusters(np.where(rng.random(60) < 0.8, totals, 0), totals)
        interval = clustered.korn_graubard(one)
        assert isinstance(interval, Interval)
        covered += interval.lower <= 0.8 <= interval.upper
    assert covered >= 33

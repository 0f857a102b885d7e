"""Measures, intervals, agreement and paired tests of one table of independent observations.

The paper's table is that of Grawe et al., Cancer Imaging 2023;23(1): what it prints is
checked to the printed digit, the rest against values had independently of this code.
"""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionmatch.accuracy import agreement, intervals, measures, paired
from lesionmatch.accuracy.values import Interval, Proportion, Table, Test, Undefined
from lesionmatch.errors import InvalidInput

PAPER = Table(tp=1634, fp=16, fn=51, tn=682)
EMPTY = Table(0, 0, 0, 0)

tables = st.builds(Table, *[st.integers(0, 60)] * 4)
proportions = st.integers(1, 400).flatmap(
    lambda total: st.builds(Proportion, st.integers(0, total), st.just(total))
)


def bounds(interval: Interval | Undefined, digits: int) -> tuple[float, float]:
    assert isinstance(interval, Interval)
    return round(interval.lower, digits), round(interval.upper, digits)


@pytest.mark.parametrize(
    ("name", "printed", "lower", "upper"),
    [
        ("sensitivity", 97.0, 96.0, 97.7),
        ("specificity", 97.7, 96.3, 98.7),
        ("ppv", 99.0, 98.4, 99.4),
        ("npv", 93.0, 91.0, 94.8),
    ],
)
def test_clopper_pearson_gives_every_printed_digit_of_the_paper(
    name: str, printed: float, lower: float, upper: float
) -> None:
    proportion = measures.PROPORTIONS[name](PAPER)
    assert isinstance(proportion, Proportion)
    exact = intervals.clopper_pearson(proportion)
    assert round(100 * proportion.estimate, 1) == printed
    assert (round(100 * exact.lower, 1), round(100 * exact.upper, 1)) == (lower, upper)


@pytest.mark.parametrize(
    ("name", "lower", "upper"),
    [
        ("sensitivity", 96.0424, 97.6905),
        ("specificity", 96.3090, 98.5842),
        ("ppv", 98.4306, 99.4022),
        ("npv", 90.9671, 94.6687),
    ],
)
def test_wilson_gives_the_known_bounds(name: str, lower: float, upper: float) -> None:
    proportion = measures.PROPORTIONS[name](PAPER)
    assert isinstance(proportion, Proportion)
    score = intervals.wilson(proportion)
    assert (round(100 * score.lower, 4), round(100 * score.upper, 4)) == (lower, upper)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (measures.youden, 0.946810),
        (measures.balanced_accuracy, 0.973405),
        (measures.f1, 0.979910),
        (measures.matthews, 0.933678),
        (measures.positive_likelihood_ratio, 42.3046),
        (measures.negative_likelihood_ratio, 0.0309771),
        (measures.diagnostic_odds_ratio, 1365.67),
        (agreement.kappa, 0.9331068),
        (agreement.kappa_standard_error, 0.0080495278),
        (agreement.kappa_maximum, 0.965056),
        (agreement.pabak, 0.943768),
        (agreement.prevalence_index, 0.399496),
        (agreement.bias_index, -0.014687),
        (agreement.gwet_ac1, 0.951508),
        (agreement.scott_pi, 0.9330896),
        (agreement.krippendorff_alpha, 0.9331037),
        (paired.marginal_difference, 0.014687),
    ],
)
def test_the_paper_table_gives_the_known_value(
    measure: Callable[[Table], float | Undefined], expected: float
) -> None:
    assert measure(PAPER) == pytest.approx(expected, rel=4e-5)


@pytest.mark.parametrize(
    ("interval", "digits", "expected"),
    [
        (measures.positive_likelihood_ratio_interval, 4, (26.0620, 68.6700)),
        (measures.negative_likelihood_ratio_interval, 7, (0.0236354, 0.0405994)),
        (measures.diagnostic_odds_ratio_interval, 2, (773.34, 2411.69)),
        (agreement.kappa_interval, 4, (0.9173, 0.9489)),
        (paired.marginal_difference_tango, 6, (0.008206, 0.021910)),
    ],
)
def test_the_paper_table_gives_the_known_interval(
    interval: Callable[[Table], Interval | Undefined], digits: int, expected: tuple[float, float]
) -> None:
    assert bounds(interval(PAPER), digits) == expected


@pytest.mark.parametrize(
    ("test", "statistic", "p"),
    [
        (paired.mcnemar, 18.2836, 1.9034e-05),
        (paired.mcnemar_corrected, 17.2537, 3.2705e-05),
        (paired.mcnemar_exact, None, 2.1689e-05),
        (paired.mcnemar_midp, None, 1.4074e-05),
        (paired.error_rates, 0.974275, 0.323616),
        (paired.error_rates_corrected, 0.724035, 0.394823),
        (paired.error_rates_exact, None, 0.413707),
    ],
)
def test_counts_differ_and_rates_do_not(
    test: Callable[[Table], Test | Undefined], statistic: float | None, p: float
) -> None:
    result = test(PAPER)
    assert isinstance(result, Test)
    assert result.p == pytest.approx(p, rel=3e-5)
    assert result.statistic == (None if statistic is None else pytest.approx(statistic, rel=3e-6))


def test_midp_of_a_balanced_table_is_one_less_half_its_point() -> None:
    # two of each: the point's chance is C(4, 2) / 16 = 6/16
    result = paired.mcnemar_midp(Table(5, 2, 2, 5))
    assert isinstance(result, Test)
    assert result.p == pytest.approx(1 - 3 / 16)


@pytest.mark.parametrize(
    ("table", "measure", "reason"),
    [
        (Table(0, 3, 0, 9), measures.sensitivity, "no positives by the reference"),
        (Table(4, 0, 1, 0), measures.specificity, "no negatives by the reference"),
        (Table(0, 0, 3, 4), measures.ppv, "no positive calls"),
        (Table(3, 4, 0, 0), measures.npv, "no negative calls"),
        (EMPTY, measures.accuracy, "no observations"),
        (Table(0, 3, 0, 9), measures.youden, "no positives by the reference"),
        (Table(4, 0, 1, 0), measures.balanced_accuracy, "no negatives by the reference"),
        (Table(0, 0, 0, 5), measures.f1, "no positives by either"),
        (Table(0, 0, 3, 5), measures.matthews, "a margin of the table is empty"),
        (Table(3, 0, 3, 5), measures.positive_likelihood_ratio, "no false positives"),
        (Table(3, 5, 3, 0), measures.negative_likelihood_ratio, "no true negatives"),
        (Table(3, 0, 0, 5), measures.diagnostic_odds_ratio, "no false positives or no false neg"),
        (EMPTY, measures.positive_likelihood_ratio, "no positives or no negatives"),
        (EMPTY, measures.negative_likelihood_ratio, "no positives or no negatives"),
        (Table(0, 1, 3, 5), measures.positive_likelihood_ratio_interval, "no true positives"),
        (Table(3, 0, 3, 5), measures.positive_likelihood_ratio_interval, "no false positives"),
        (Table(3, 1, 0, 5), measures.negative_likelihood_ratio_interval, "no false negatives"),
        (Table(3, 5, 3, 0), measures.negative_likelihood_ratio_interval, "no true negatives"),
        (Table(3, 0, 3, 5), measures.diagnostic_odds_ratio_interval, "a cell of the table"),
        (Table(3, 5, 0, 0), measures.positive_likelihood_ratio_interval, "one answer throughout"),
        (Table(0, 0, 3, 5), measures.negative_likelihood_ratio_interval, "one answer throughout"),
        (EMPTY, agreement.kappa, "no observations"),
        (Table(7, 0, 0, 0), agreement.kappa, "one answer throughout"),
        (Table(7, 0, 0, 0), agreement.kappa_standard_error, "one answer throughout"),
        (Table(7, 0, 0, 0), agreement.kappa_interval, "one answer throughout"),
        (EMPTY, agreement.kappa_interval, "no observations"),
        (Table(7, 0, 0, 5), agreement.kappa_interval, "error is none"),
        (Table(0, 0, 1, 2), agreement.kappa_interval, "error is none"),
        (EMPTY, agreement.kappa_maximum, "no observations"),
        (Table(0, 0, 0, 7), agreement.kappa_maximum, "one answer throughout"),
        (EMPTY, agreement.pabak, "no observations"),
        (EMPTY, agreement.prevalence_index, "no observations"),
        (EMPTY, agreement.bias_index, "no observations"),
        (EMPTY, agreement.gwet_ac1, "no observations"),
        (EMPTY, agreement.scott_pi, "no observations"),
        (Table(7, 0, 0, 0), agreement.krippendorff_alpha, "one answer throughout"),
        (Table(7, 0, 0, 2), paired.mcnemar, "no discordant pairs"),
        (Table(7, 0, 0, 2), paired.mcnemar_corrected, "no discordant pairs"),
        (Table(7, 0, 0, 2), paired.mcnemar_exact, "no discordant pairs"),
        (Table(7, 0, 0, 2), paired.mcnemar_midp, "no discordant pairs"),
        (Table(7, 0, 1, 0), paired.error_rates, "no positives or no negatives"),
        (Table(7, 0, 0, 2), paired.error_rates, "no errors at all"),
        (Table(0, 2, 3, 0), paired.error_rates_corrected, "nothing but errors"),
        (Table(7, 0, 1, 0), paired.error_rates_exact, "no positives or no negatives"),
        (EMPTY, paired.marginal_difference, "no observations"),
        (EMPTY, paired.marginal_difference_tango, "no observations"),
    ],
)
def test_what_does_not_exist_is_undefined_and_says_why(
    table: Table, measure: Callable[[Table], object], reason: str
) -> None:
    value = measure(table)
    assert isinstance(value, Undefined)
    assert reason in value.reason


def test_undefined_reads_as_a_person_would_say_it() -> None:
    assert str(Undefined("no positives")) == "n/a (no positives)"


@given(proportions)
def test_both_intervals_hold_the_estimate_and_stay_within_0_and_1(proportion: Proportion) -> None:
    for method in (intervals.clopper_pearson, intervals.wilson):
        interval = method(proportion)
        assert -1e-12 <= interval.lower <= proportion.estimate + 1e-12
        assert proportion.estimate - 1e-12 <= interval.upper <= 1 + 1e-12


@given(proportions)
def test_intervals_mirror_when_success_and_failure_change_places(proportion: Proportion) -> None:
    mirrored = Proportion(proportion.total - proportion.successes, proportion.total)
    for method in (intervals.clopper_pearson, intervals.wilson):
        one, other = method(proportion), method(mirrored)
        np.testing.assert_allclose([one.lower, one.upper], [1 - other.upper, 1 - other.lower])


def test_rule_of_three_holds_for_no_events() -> None:
    # 0 of 100: upper bound 1 - 0.025^(1/100)
    interval = intervals.clopper_pearson(Proportion(0, 100))
    assert interval.lower == 0.0
    assert interval.upper == pytest.approx(0.0362167, abs=5e-8)
    assert intervals.poisson_rate(0, 100.0).upper == pytest.approx(3.6888795 / 100)


def test_poisson_interval_of_ten_events_is_that_of_the_tables() -> None:
    interval = intervals.poisson_rate(10, 1.0)
    assert (round(interval.lower, 2), round(interval.upper, 2)) == (4.80, 18.39)


@given(tables)
def test_exchanging_test_and_reference_exchanges_the_measures(table: Table) -> None:
    other = _exchanged(table)
    assert measures.sensitivity(table) == _renamed(measures.ppv(other))
    assert agreement.kappa(table) == agreement.kappa(other)
    assert paired.mcnemar(table) == paired.mcnemar(other)


def _exchanged(table: Table) -> Table:
    return Table(table.tp, table.fn, table.fp, table.tn)


def _renamed(value: Proportion | Undefined) -> Proportion | Undefined:
    return Undefined("no positives by the reference") if isinstance(value, Undefined) else value


@given(tables)
def test_kappa_lies_between_minus_one_and_its_maximum(table: Table) -> None:
    value, most = agreement.kappa(table), agreement.kappa_maximum(table)
    if isinstance(value, float):
        assert isinstance(most, float)
        assert -1.0 - 1e-12 <= value <= most + 1e-12 <= 1.0 + 2e-12


@given(tables)
def test_tango_holds_the_difference_and_mirrors(table: Table) -> None:
    interval = paired.marginal_difference_tango(table)
    other = paired.marginal_difference_tango(_exchanged(table))
    if isinstance(interval, Interval) and isinstance(other, Interval):
        difference = (table.fn - table.fp) / table.total
        assert interval.lower - 1e-9 <= difference <= interval.upper + 1e-9
        assert interval.lower == pytest.approx(-other.upper, abs=1e-9)


@given(tables)
def test_exact_p_is_never_below_midp(table: Table) -> None:
    exact, midp = paired.mcnemar_exact(table), paired.mcnemar_midp(table)
    if isinstance(exact, Test) and isinstance(midp, Test):
        assert 0.0 <= midp.p <= exact.p <= 1.0


def test_fleiss_kappa_of_his_own_example() -> None:
    # Fleiss 1971 with fewer subjects: 14 readers, 10 subjects, 5 answers, kappa 0.210
    counts = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    calls = [[k for k, n in enumerate(row) for _ in range(n)] for row in counts]
    assert agreement.fleiss(calls) == pytest.approx(0.210, abs=5e-4)
    assert agreement.fleiss([]) == Undefined("no observations")
    assert agreement.fleiss([[1, 1], [1, 1]]) == agreement.NO_CHANCE


def test_tables_add_cell_by_cell() -> None:
    assert Table(1, 2, 3, 4) + Table(10, 20, 30, 40) == Table(11, 22, 33, 44)
    assert Table(1, 2, 3, 4).total == 10


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Table(1, -1, 0, 0), "wanted counts of 0 or more"),
        (lambda: Proportion(3, 2), "wanted 0 <= successes <= total"),
        (lambda: Proportion(0, 0), "total > 0, got 0/0"),
        (lambda: Interval(0.7, 0.3, "mine"), r"interval \(mine\): wanted lower <= upper"),
    ],
)
def test_impossible_values_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()

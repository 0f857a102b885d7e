"""Measures of a two by two table: test in the rows, reference in the columns.

Point estimates here, with the log-scale intervals of the ratios; the intervals of
proportions are in `intervals`. Formulas: Altman and Bland, BMJ 1994;308:1552 and 309:102;
Deeks and Altman, BMJ 2004;329:168.
"""

import math

from scipy.stats import norm

from lesionmatch.accuracy.values import Interval, Proportion, Table, Undefined

ONE_ANSWER = Undefined("the test gives one answer throughout: the ratio has no error")


def sensitivity(table: Table) -> Proportion | Undefined:
    """Positives the test found: TP / (TP + FN)."""
    return _proportion(table.tp, table.tp + table.fn, "no positives by the reference")


def specificity(table: Table) -> Proportion | Undefined:
    """Negatives the test left alone: TN / (TN + FP)."""
    return _proportion(table.tn, table.tn + table.fp, "no negatives by the reference")


def ppv(table: Table) -> Proportion | Undefined:
    """Positive calls that are right: TP / (TP + FP)."""
    return _proportion(table.tp, table.tp + table.fp, "no positive calls")


def npv(table: Table) -> Proportion | Undefined:
    """Negative calls that are right: TN / (TN + FN)."""
    return _proportion(table.tn, table.tn + table.fn, "no negative calls")


def accuracy(table: Table) -> Proportion | Undefined:
    """Calls that agree with the reference: (TP + TN) / N."""
    return _proportion(table.tp + table.tn, table.total, "no observations")


PROPORTIONS = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "ppv": ppv,
    "npv": npv,
    "accuracy": accuracy,
}


def youden(table: Table) -> float | Undefined:
    """Youden's J, sensitivity + specificity - 1 (Cancer 1950;3:32)."""
    found, left = sensitivity(table), specificity(table)
    if isinstance(found, Undefined):
        return found
    return left if isinstance(left, Undefined) else found.estimate + left.estimate - 1.0


def balanced_accuracy(table: Table) -> float | Undefined:
    """Mean of sensitivity and specificity."""
    index = youden(table)
    return index if isinstance(index, Undefined) else (index + 1.0) / 2.0


def f1(table: Table) -> float | Undefined:
    """Harmonic mean of sensitivity and PPV: 2 TP / (2 TP + FP + FN)."""
    total = 2 * table.tp + table.fp + table.fn
    return 2 * table.tp / total if total else Undefined("no positives by either")


def matthews(table: Table) -> float | Undefined:
    """Matthews' correlation coefficient (Biochim Biophys Acta 1975;405:442)."""
    margins = (
        (table.tp + table.fp)
        * (table.tp + table.fn)
        * (table.tn + table.fp)
        * (table.tn + table.fn)
    )
    if margins == 0:
        return Undefined("a margin of the table is empty")
    return (table.tp * table.tn - table.fp * table.fn) / math.sqrt(margins)


def positive_likelihood_ratio(table: Table) -> float | Undefined:
    """LR+ = sensitivity / (1 - specificity)."""
    found, left = sensitivity(table), specificity(table)
    if isinstance(found, Undefined) or isinstance(left, Undefined):
        return Undefined("no positives or no negatives by the reference")
    if table.fp == 0:
        return Undefined("no false positives")
    return found.estimate * left.total / table.fp


def negative_likelihood_ratio(table: Table) -> float | Undefined:
    """LR- = (1 - sensitivity) / specificity."""
    found, left = sensitivity(table), specificity(table)
    if isinstance(found, Undefined) or isinstance(left, Undefined):
        return Undefined("no positives or no negatives by the reference")
    if table.tn == 0:
        return Undefined("no true negatives")
    return (table.fn / found.total) / left.estimate


def diagnostic_odds_ratio(table: Table) -> float | Undefined:
    """DOR = TP TN / (FP FN) (Glas et al., J Clin Epidemiol 2003;56:1129)."""
    if table.fp * table.fn == 0:
        return Undefined("no false positives or no false negatives")
    return table.tp * table.tn / (table.fp * table.fn)


def positive_likelihood_ratio_interval(table: Table, level: float = 0.95) -> Interval | Undefined:
    """Log-normal interval of LR+ (Simel et al., J Clin Epidemiol 1991;44:763)."""
    ratio = positive_likelihood_ratio(table)
    if isinstance(ratio, Undefined) or table.tp == 0:
        return ratio if isinstance(ratio, Undefined) else Undefined("no true positives")
    if table.fn == table.tn == 0:
        return ONE_ANSWER
    positives, negatives = table.tp + table.fn, table.fp + table.tn
    variance = 1 / table.tp - 1 / positives + 1 / table.fp - 1 / negatives
    return _log_interval(ratio, variance, level)


def negative_likelihood_ratio_interval(table: Table, level: float = 0.95) -> Interval | Undefined:
    """Log-normal interval of LR- (Simel et al., J Clin Epidemiol 1991;44:763)."""
    ratio = negative_likelihood_ratio(table)
    if isinstance(ratio, Undefined) or table.fn == 0:
        return ratio if isinstance(ratio, Undefined) else Undefined("no false negatives")
    if table.tp == table.fp == 0:
        return ONE_ANSWER
    positives, negatives = table.tp + table.fn, table.fp + table.tn
    variance = 1 / table.fn - 1 / positives + 1 / table.tn - 1 / negatives
    return _log_interval(ratio, variance, level)


def diagnostic_odds_ratio_interval(table: Table, level: float = 0.95) -> Interval | Undefined:
    """Woolf's log-normal interval of the odds ratio (Ann Hum Genet 1955;19:251)."""
    if min(table.tp, table.fp, table.fn, table.tn) == 0:
        return Undefined("a cell of the table is empty")
    ratio = table.tp * table.tn / (table.fp * table.fn)
    variance = 1 / table.tp + 1 / table.fp + 1 / table.fn + 1 / table.tn
    return _log_interval(ratio, variance, level)


def _proportion(successes: int, total: int, reason: str) -> Proportion | Undefined:
    return Proportion(successes, total) if total else Undefined(reason)


def _log_interval(ratio: float, variance: float, level: float) -> Interval:
    reach = norm.ppf((1.0 + level) / 2.0) * math.sqrt(variance)
    return Interval(ratio * math.exp(-reach), ratio * math.exp(reach), "log-normal")

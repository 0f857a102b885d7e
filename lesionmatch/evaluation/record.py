"""An `AccuracyReport` as the values of accuracy.json: plain, finite, and null with a reason."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lesionmatch.accuracy.bootstrap import Bootstrap
from lesionmatch.accuracy.values import Interval, Test, Undefined
from lesionmatch.evaluation.assemble import AccuracyReport, Stratification
from lesionmatch.evaluation.doubted import Doubted
from lesionmatch.evaluation.groups import Group
from lesionmatch.evaluation.lesionwise import FalseFoci, Lesionwise
from lesionmatch.evaluation.readers import Reading
from lesionmatch.evaluation.rows import Decision
from lesionmatch.evaluation.summary import RATIOS, SINGLE_NUMBERS, Estimate, Summary
from lesionmatch.evaluation.uncertain import Extremes

Values = dict[str, Any]


def record(report: AccuracyReport) -> Values:
    """All of the report, ready for ``json.dump(..., allow_nan=False)``."""
    found: Values = {
        "schema": 1,
        "level": report.options.level,
        "bootstrap_draws": report.options.draws,
        "seed": report.options.seed,
        "origin": report.origin,
        "studies": len(report.studies),
        "patients": report.patients,
        "missing": report.summary.missing,
        "doubtful": report.doubtful,
    }
    found |= summary_values(report.summary)
    found["mcnemar"] = _counts(report)
    found["rates"] = _rates(report)
    found["reasons"] = {**report.reasons, "given_by_a_person": report.decided_reasons}
    found["uncertain_calls"] = _extremes(report.uncertain)
    found["by"] = {one.column: _strata(one) for one in report.strata}
    found["lesions"] = None if report.lesions is None else _lesions(report.lesions)
    found["readers"] = None if report.readers is None else _readers(report.readers)
    found["decisions"] = [_decision(decision) for decision in report.decisions]
    found["decisions_on_unknown_studies"] = list(report.undecidable)
    found["consensus"] = None if report.consensus is None else summary_values(report.consensus)
    found["interval_days"] = _interval_days(report)
    found["worklist"] = len(report.items)
    return found


def summary_values(summary: Summary) -> Values:
    """The table and its measures."""
    found: Values = {"table": {**asdict(summary.table), "uncertain": summary.uncertain}}
    measures = summary.estimates | summary.shares
    found |= {name: estimate_values(one) for name, one in measures.items()}
    found["further"] = {name: _plain(make(summary.table)) for name, make in SINGLE_NUMBERS.items()}
    for name, (value, interval) in RATIOS.items():
        found["further"][name] = _plain(value(summary.table))
        found["further"][f"{name}_interval"] = _bounds(interval(summary.table, summary.level))
    return found


def estimate_values(one: Estimate) -> Values:
    """A measure with its intervals, the methods' names, and why what is missing is missing."""
    found: Values = {
        "estimate": _plain(one.value),
        "exact": _bounds(one.exact),
        "clustered": _bounds(one.clustered),
        "n": one.n,
        "exact_method": _method(one.exact),
        "clustered_method": _method(one.clustered),
    }
    if isinstance(one.value, Undefined):
        found["undefined"] = one.value.reason
    if one.wilson is not None:
        found["wilson"] = _bounds(one.wilson)
    if one.design_effect is not None:
        found["design_effect"] = _plain(one.design_effect)
    if isinstance(one.bootstrap, Bootstrap):
        found["bootstrap"] = _bounds(one.bootstrap.interval)
        found["bootstrap_undefined_share"] = one.bootstrap.undefined_share
    return found


def _counts(report: AccuracyReport) -> Values:
    """Counts of errors; `clustered_p` is Obuchowski's, the others stand beside it."""
    tests = report.counts
    return {
        "question": "are false negatives as many as false positives?",
        "statistic": _statistic(tests["plain"]),
        "p": _p(tests["plain"]),
        "exact_p": _p(tests["exact"]),
        "midp": _p(tests["midp"]),
        "clustered_p": _p(tests["obuchowski"]),
        "clustered_method": "Obuchowski",
        "corrected": _test(tests["corrected"]),
        "clustered": {
            name: _test(tests[name]) for name in ("obuchowski", "durkalski", "yang", "eliasziw")
        },
        **_undefined(tests["plain"]),
    }


def _rates(report: AccuracyReport) -> Values:
    table, tests = report.summary.table, report.rates
    positives, negatives = table.tp + table.fn, table.fp + table.tn
    return {
        "question": "are positives missed as readily as negatives are called?",
        "false_negative_rate": table.fn / positives if positives else None,
        "false_positive_rate": table.fp / negatives if negatives else None,
        "statistic": _statistic(tests["chi_squared"]),
        "p": _p(tests["chi_squared"]),
        "yates_p": _p(tests["yates"]),
        "exact_p": _p(tests["fisher"]),
        "clustered_p": _p(tests["clustered"]),
        **_undefined(tests["chi_squared"]),
    }


def _extremes(found: Extremes) -> Values:
    return {
        "pet": found.pet,
        "mri": found.mri,
        "as_involved": summary_values(found.as_involved),
        "as_not_involved": summary_values(found.as_not_involved),
        "bounds": {
            name: None if isinstance(bounds, Undefined) else list(bounds)
            for name, bounds in found.bounds.items()
        },
    }


def _strata(found: Stratification) -> Values:
    return {
        "strata": {
            stratum.value: {"studies": stratum.studies, **summary_values(stratum.summary)}
            for stratum in found.strata
        },
        "differs": {name: _test(test) for name, test in found.differs.items()},
    }


def _lesions(found: Lesionwise) -> Values:
    values: Values = {
        "overall": _group(found.overall),
        "one_to_one": estimate_values(found.one_to_one),
        "false_foci": _false_foci(found.false_foci),
        "missed": found.missed,
        "doubtful": _doubted(found.doubted),
        "curve": _curve(found),
    }
    for name in ("by_size", "by_paper_size", "by_flag", "by_kind", "by_visibility"):
        values[name] = [_group(one) for one in getattr(found, name)]
    return values


def _doubted(found: Doubted) -> Values:
    ways = (found.as_found, found.with_found, found.with_detected, found.with_missed)
    return {
        "studies": found.studies,
        "foci": found.foci,
        "groups": [_group(one) for one in ways],
    }


def _group(one: Group) -> Values:
    return {
        "name": one.name,
        "lesions": one.lesions,
        "patients": one.patients,
        "detected": one.detected,
        "retrospective": one.retrospective,
        "not_covered": one.not_covered,
        "predicted": _plain(one.predicted),
        "median_mm": _plain(one.median_mm),
        **estimate_values(one.detection),
    }


def _false_foci(found: FalseFoci) -> Values:
    return {
        "foci": found.foci,
        "livers": found.livers,
        "per_liver": _plain(found.per_liver),
        "exact": _bounds(found.exact),
        "clustered": _bounds(found.clustered),
        "reasons": found.reasons,
        "operating": [asdict(point) for point in found.operating],
    }


def _curve(found: Lesionwise) -> Values:
    curve = found.curve
    if isinstance(curve, Undefined):
        return {"undefined": curve.reason}
    return {
        "intercept": curve.intercept,
        "slope": curve.slope,
        "covariance": curve.covariance.tolist(),
        "size_for_half_mm": _plain(curve.size_for(0.5)),
        "size_for_nine_tenths_mm": _plain(curve.size_for(0.9)),
    }


def _readers(found: Reading) -> Values:
    return {
        "readers": list(found.readers),
        "studies": found.studies,
        "unknown_studies": list(found.unknown),
        "fleiss_kappa": {name: _plain(value) for name, value in found.fleiss.items()},
        "pairs": [
            {
                "modality": pair.modality,
                "one": pair.one,
                "other": pair.other,
                "table": asdict(pair.summary.table),
                "uncertain": pair.summary.uncertain,
                "agreement": estimate_values(pair.summary.estimates["accuracy"]),
                "kappa": estimate_values(pair.summary.estimates["kappa"]),
                "marginal": _test(pair.marginal),
                "discordant": list(pair.discordant),
            }
            for pair in found.pairs
        ],
        "accuracy": [
            {"source": one.source, "reference": one.reference, **summary_values(one.summary)}
            for one in found.accuracy
        ],
    }


def _decision(one: Decision) -> Values:
    return asdict(one) | {"decided_at": one.decided_at.isoformat()}


def _interval_days(report: AccuracyReport) -> Values | None:
    spread = report.interval_days
    if spread is None:
        return None
    return {
        "studies": spread.count,
        "median": spread.median,
        "quartiles": list(spread.quartiles),
        "range": [spread.least, spread.most],
    }


def _plain(value: float | Undefined) -> float | None:
    """JSON has no infinity: what is not finite is null."""
    return value if not isinstance(value, Undefined) and math.isfinite(value) else None


def _bounds(interval: Interval | Undefined) -> list[float] | None:
    return None if isinstance(interval, Undefined) else [interval.lower, interval.upper]


def _method(interval: Interval | Undefined) -> str:
    return str(interval) if isinstance(interval, Undefined) else interval.method


def _test(test: Test | Undefined) -> Values:
    if isinstance(test, Undefined):
        return {"statistic": None, "p": None, "undefined": test.reason}
    return {"statistic": test.statistic, "p": test.p, "method": test.name}


def _statistic(test: Test | Undefined) -> float | None:
    return None if isinstance(test, Undefined) else test.statistic


def _p(test: Test | Undefined) -> float | None:
    return None if isinstance(test, Undefined) else test.p


def _undefined(test: Test | Undefined) -> Mapping[str, str]:
    return {"undefined": test.reason} if isinstance(test, Undefined) else {}

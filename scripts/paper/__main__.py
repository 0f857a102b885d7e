"""The paper's tables and intervals from its counts, ours beside the printed.

Run as ``python scripts/paper``. Ends with status 1 if a printed digit does not come out.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

import printed

from lesionmatch.accuracy import agreement, design, intervals, measures, paired
from lesionmatch.accuracy.values import Interval, Proportion, Table, Test
from lesionmatch.evaluation.study_sheets import NAMES
from lesionmatch.evaluation.taxonomy import CALLED, MISSED, Cause

DESIGN_EFFECTS = (1.0, 1.5, 2.0, 2.383, 3.0, 4.0)


class Line(NamedTuple):
    """One figure, ours and theirs as printed."""

    what: str
    ours: str
    theirs: str

    @property
    def digits(self) -> str:
        """`=` where a digit is the printed one, `^` where it is not."""
        width = max(len(self.ours), len(self.theirs))
        both = zip(self.ours.rjust(width), self.theirs.rjust(width), strict=True)
        return "".join("=" if a == b else "^" for a, b in both)

    @property
    def is_same(self) -> bool:
        return self.ours == self.theirs


def main() -> int:
    """Print everything; 1 if a printed digit does not come out."""
    table = printed.TABLE
    print(__doc__.splitlines()[0], "\n")
    print_table_1(table)
    lines = [*figures(table)]
    print(f"\n{'':44}{'ours':>8}{'printed':>9}  digits")
    for line in lines:
        print(f"{line.what:44}{line.ours:>8}{line.theirs:>9}  {line.digits}")
    print_reasons("Table 2: involved on the MRI and not on the PET", MISSED)
    print_reasons("Table 3: involved on the PET and not on the MRI", CALLED)
    print_tests(table)
    print_clustering(table)
    print_inconsistencies(table)
    same = sum(line.is_same for line in lines)
    print(f"\n{same} of {len(lines)} printed figures come out to the last digit")
    return 0 if same == len(lines) else 1


def print_table_1(table: Table) -> None:
    """The two by two table with its margins."""
    print("Table 1: PET in the rows, MRI in the columns")
    print(f"{'':18}{'MRI involved':>14}{'not involved':>14}{'total':>8}")
    for name, yes, no in (
        ("PET involved", table.tp, table.fp),
        ("PET not involved", table.fn, table.tn),
        ("total", table.tp + table.fn, table.fp + table.tn),
    ):
        print(f"{name:18}{yes:14}{no:14}{yes + no:8}")


def figures(table: Table) -> Iterator[Line]:
    """Every figure the paper prints that its counts determine."""
    for name, theirs in printed.MEASURES.items():
        proportion = measures.PROPORTIONS[name](table)
        assert isinstance(proportion, Proportion)
        exact = intervals.clopper_pearson(proportion)
        ours = (proportion.estimate, exact.lower, exact.upper)
        for part, value, digit in zip(("", ", from", ", to"), ours, theirs, strict=True):
            yield Line(f"{NAMES[name]} %{part}", f"{100 * value:.1f}", digit)
    value, interval = agreement.kappa(table), agreement.kappa_interval(table)
    assert isinstance(value, float)
    assert isinstance(interval, Interval)
    ours = (value, interval.lower, interval.upper)
    for part, one, digit in zip(("", ", from", ", to"), ours, printed.KAPPA, strict=True):
        yield Line(f"{NAMES['kappa']}{part}", f"{one:.2f}", digit)
    for what, (count, digit) in printed.SHARES.items():
        yield Line(f"{what} %", f"{100 * count / table.total:.1f}", digit)
    yield Line("FN and FP differ, p < 0.01", *_significance(table))


def _significance(table: Table) -> tuple[str, str]:
    test = paired.mcnemar(table)
    assert isinstance(test, Test)
    return ("yes" if test.p < printed.SIGNIFICANCE else "no"), "yes"


def print_reasons(title: str, causes: tuple[Cause, ...]) -> None:
    """A table of reasons with shares and exact intervals."""
    rows = [(cause, cause.printed) for cause in causes if cause.printed is not None]
    total = sum(count for _, count in rows)
    print(f"\n{title}")
    for cause, count in rows:
        exact = intervals.clopper_pearson(Proportion(count, total))
        share = f"{100 * count / total:.1f} % ({100 * exact.lower:.1f}-{100 * exact.upper:.1f})"
        print(f"{count:4}  {share:22}  MRI: {cause.mri}; PET: {cause.pet}")
    print(f"{total:4}  in all")


def print_tests(table: Table) -> None:
    """Counts and rates, every test of each."""
    print("\nAre misses commoner than false calls?")
    for question, tests in (
        ("counts", (paired.mcnemar, paired.mcnemar_corrected, paired.mcnemar_exact)),
        ("counts", (paired.mcnemar_midp,)),
        ("rates", (paired.error_rates, paired.error_rates_corrected, paired.error_rates_exact)),
    ):
        for test in (make(table) for make in tests):
            assert isinstance(test, Test)
            statistic = "" if test.statistic is None else f"{test.statistic:8.4f}"
            print(f"  {question:8}{test.name:28}{statistic:>9}  p = {test.p:.4g}")


def print_clustering(table: Table) -> None:
    """What alike studies of a patient would do; the sizes of the clusters are not published."""
    ratio = table.total / printed.PATIENTS
    plain = paired.mcnemar(table)
    assert isinstance(plain, Test)
    print(
        f"\nIf studies of a patient are alike ({ratio:.3f} a patient): exact intervals in percent"
    )
    heads = f"{'sensitivity':>14}{'specificity':>14}{'PPV':>12}{'NPV':>12}  McNemar p"
    print(f"{'design effect':16}{heads}")
    for effect in DESIGN_EFFECTS:
        spans = [_deflated(name, table, effect) for name in printed.MEASURES]
        p = design.deflated_test(plain, effect).p
        print(f"{effect:<16g}{spans[0]:>14}{spans[1]:>14}{spans[2]:>12}{spans[3]:>12}  {p:.2g}")
    for significance in (0.01, 0.05):
        most = design.tolerated(plain, significance)
        print(f"p < {significance} holds up to a design effect of {most:.3f}")


def _deflated(name: str, table: Table, effect: float) -> str:
    proportion = measures.PROPORTIONS[name](table)
    assert isinstance(proportion, Proportion)
    bounds = design.deflated(proportion, effect)
    return f"{100 * bounds.lower:.1f}-{100 * bounds.upper:.1f}"


def print_inconsistencies(table: Table) -> None:
    """What in the paper does not hold together, with the numbers that show it."""
    counts, rates = paired.mcnemar(table), paired.error_rates(table)
    assert isinstance(counts, Test)
    assert isinstance(rates, Test)
    values = {
        "studies": table.total,
        "patients": printed.PATIENTS,
        "ratio": table.total / printed.PATIENTS,
        "counts_p": counts.p,
        "rates_p": rates.p,
        "moved_sensitivity": 100 * (table.tp + 3) / (table.tp + table.fn),
        "moved_npv": 100 * table.tn / (table.tn + table.fn - 3),
    }
    print("\nWhat does not hold together in the paper")
    for number, (about, says) in enumerate(printed.INCONSISTENCIES, start=1):
        print(f"{number:3}. {about}: {says.format(**values)}")


if __name__ == "__main__":
    sys.exit(main())

"""What the statistics are made of: counts, estimates, intervals, tests, and the undefined."""

from dataclasses import dataclass

from lesionmatch.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Undefined:
    """A quantity that does not exist here, such as 0/0, and why."""

    reason: str

    def __str__(self) -> str:
        return f"n/a ({self.reason})"


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval and the method it was had by."""

    lower: float
    upper: float
    method: str

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise InvalidInput(
                f"interval ({self.method}): wanted lower <= upper, got {self.lower}, {self.upper}"
            )


@dataclass(frozen=True, slots=True)
class Test:
    """A test's statistic (None where it has none, as an exact one) and its two-sided p."""

    __test__ = False  # pytest must not take this for one of its own

    name: str
    statistic: float | None
    p: float


@dataclass(frozen=True, slots=True)
class Proportion:
    """`successes` of `total` > 0; what a sensitivity or a predictive value is."""

    successes: float
    total: float

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.total or self.total <= 0:
            raise InvalidInput(
                f"proportion: wanted 0 <= successes <= total and total > 0, "
                f"got {self.successes}/{self.total}"
            )

    @property
    def estimate(self) -> float:
        """The share, 0 to 1."""
        return self.successes / self.total


@dataclass(frozen=True, slots=True)
class Table:
    """The four cells of a test (rows) against a reference (columns)."""

    tp: int
    fp: int
    fn: int
    tn: int

    def __post_init__(self) -> None:
        if min(self.tp, self.fp, self.fn, self.tn) < 0:
            raise InvalidInput(f"two by two table: wanted counts of 0 or more, got {self}")

    def __add__(self, other: "Table") -> "Table":
        return Table(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def total(self) -> int:
        """All observations."""
        return self.tp + self.fp + self.fn + self.tn

"""Detection lesion by lesion: by size, flag and kind, and the false foci beside it.

What lesions and foci alone say of the PET rests on studies whose registration holds; the
others are set beside them (`Doubted`).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from lesionmatch.accuracy import clustered, intervals
from lesionmatch.accuracy.curve import Curve, detection_curve
from lesionmatch.accuracy.values import Interval, Undefined
from lesionmatch.evaluation.doubted import Doubted, doubted, sure_of
from lesionmatch.evaluation.groups import Group, chance, detection, group, is_covered, is_detected
from lesionmatch.evaluation.rows import LesionRow, StudyCalls
from lesionmatch.evaluation.summary import Estimate, Options
from lesionmatch.evaluation.taxonomy import MISSED, counted


@dataclass(frozen=True, slots=True)
class SizeBin:
    """Long axes from `lower` to `upper`, with or without the bound itself.

    >>> SizeBin("(12, 15] mm", 12.0, 15.0, has_lower=False, has_upper=True).holds(12.0)
    False
    """

    name: str
    lower: float
    upper: float
    has_lower: bool
    has_upper: bool

    def holds(self, size_mm: float) -> bool:
        """Whether a size lies in it."""
        above = size_mm >= self.lower if self.has_lower else size_mm > self.lower
        below = size_mm <= self.upper if self.has_upper else size_mm < self.upper
        return above and below


SIZE_BINS = (
    SizeBin("[0, 6) mm", 0.0, 6.0, True, False),
    SizeBin("[6, 10) mm", 6.0, 10.0, True, False),
    SizeBin("[10, 12] mm", 10.0, 12.0, True, True),
    SizeBin("(12, 15] mm", 12.0, 15.0, False, True),
    SizeBin("> 15 mm", 15.0, math.inf, False, False),
)
"""Every size has one bin: the paper's own leave 6 mm and the gaps between open."""

PAPER_BINS = (
    SizeBin("below 6 mm", 0.0, 6.0, True, False),
    SizeBin("6 to 7 mm", 6.0, 7.0, True, True),
    SizeBin("above 7 to 12 mm", 7.0, 12.0, False, True),
    SizeBin("above 12 mm", 12.0, math.inf, False, False),
)
"""The sizes the paper names (below 0.6, 0.7 and 1.2 cm), with the gaps closed."""


@dataclass(frozen=True, slots=True)
class Operating:
    """Detection and false foci if only uptake above `contrast_to_noise` were called."""

    contrast_to_noise: float
    detection: float
    false_foci_per_liver: float


@dataclass(frozen=True, slots=True)
class FalseFoci:
    """Foci on PET without a lesion on the MRI, for each liver looked at."""

    foci: int
    livers: int
    per_liver: float | Undefined
    exact: Interval | Undefined
    clustered: Interval | Undefined
    reasons: dict[str, int]
    operating: tuple[Operating, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Lesionwise:
    """All that is said of lesions."""

    overall: Group
    one_to_one: Estimate
    """Detection if each focus could stand for one lesion only."""
    by_size: tuple[Group, ...]
    by_paper_size: tuple[Group, ...]
    by_flag: tuple[Group, ...]
    by_kind: tuple[Group, ...]
    by_visibility: tuple[Group, ...]
    curve: Curve | Undefined
    prediction: tuple[tuple[float, float], ...]
    """Long axis and chance of detection by the physics, lesion by lesion, by size."""
    missed: dict[str, int]
    """Lesions not detected, by the reason given."""
    false_foci: FalseFoci
    doubted: Doubted
    """What all of the above leaves out."""


def lesionwise(
    rows: Sequence[LesionRow], studies: Sequence[StudyCalls], options: Options
) -> Lesionwise:
    """Detection of the lesions that count among `rows`, and the false foci of `studies`."""
    set_aside = doubted(rows, studies, options)
    rows, studies = sure_of(rows, studies)
    drawn = [row for row in rows if row.source == "mri"]
    counting = [row for row in drawn if row.counts]

    def grouped(name: str, keep: Callable[[LesionRow], bool]) -> Group:
        return group(name, [row for row in counting if keep(row)], options)

    return Lesionwise(
        overall=group("all lesions", counting, options),
        one_to_one=_one_to_one(counting, options),
        by_size=tuple(grouped(one.name, _within(one)) for one in SIZE_BINS),
        by_paper_size=tuple(grouped(one.name, _within(one)) for one in PAPER_BINS),
        by_flag=_by_flag(counting, options),
        by_kind=_by_kind(drawn, options),
        by_visibility=tuple(
            grouped(word, lambda row, word=word: row.visibility == word)  # type: ignore[misc]
            for word in ("expected", "retrospective", "not_expected")
        ),
        curve=_curve(counting),
        prediction=_prediction(counting),
        missed=counted(
            MISSED, (r.reason for r in counting if is_covered(r) and not is_detected(r))
        ),
        false_foci=_false_foci(rows, studies, counting, options),
        doubted=set_aside,
    )


def _within(one: SizeBin) -> Callable[[LesionRow], bool]:
    return lambda row: row.long_axis_mm is not None and one.holds(row.long_axis_mm)


def _by_flag(counting: Sequence[LesionRow], options: Options) -> tuple[Group, ...]:
    """A group for each flag that occurs, and one for lesions with none."""
    flags = sorted({flag for row in counting for flag in row.flags})
    groups = [
        group(flag, [row for row in counting if flag in row.flags], options) for flag in flags
    ]
    return (*groups, group("no flag", [row for row in counting if not row.flags], options))


def _by_kind(drawn: Sequence[LesionRow], options: Options) -> tuple[Group, ...]:
    """Benign kinds too: there, what the PET shows is a false alarm and not a success."""
    kinds = sorted({row.kind for row in drawn})
    return tuple(group(kind, [row for row in drawn if row.kind == kind], options) for kind in kinds)


def _one_to_one(counting: Sequence[LesionRow], options: Options) -> Estimate:
    """Each focus finds one lesion at most, and they are shared out so that most are found."""
    covered = [row for row in counting if is_covered(row)]
    left = _left_over([row for row in covered if is_detected(row) and row.focus_ids])

    def is_found(row: LesionRow) -> bool:
        return is_detected(row) and (row.study_id, row.lesion_id) not in left

    return detection(covered, is_found, options)


def _left_over(rows: Sequence[LesionRow]) -> set[tuple[str, str]]:
    """Study and lesion of those that are left without a focus of their own."""
    pairs = [(n, (row.study_id, focus)) for n, row in enumerate(rows) for focus in row.focus_ids]
    if not pairs:
        return set()
    foci = {focus: k for k, focus in enumerate(dict.fromkeys(focus for _, focus in pairs))}
    ends = np.array([(n, foci[focus]) for n, focus in pairs]).T
    graph = csr_array((np.ones(len(pairs)), tuple(ends)), shape=(len(rows), len(foci)))
    partners = maximum_bipartite_matching(graph, perm_type="column")
    return {
        (row.study_id, row.lesion_id)
        for row, partner in zip(rows, partners.tolist(), strict=True)
        if partner < 0
    }


def _curve(counting: Sequence[LesionRow]) -> Curve | Undefined:
    rows = [row for row in counting if is_covered(row) and row.long_axis_mm]
    patients = {patient: k for k, patient in enumerate(sorted({row.patient_id for row in rows}))}
    if not rows:
        return Undefined("no lesions with a size")
    return detection_curve(
        np.array([row.long_axis_mm for row in rows], dtype=float),
        np.array([is_detected(row) for row in rows]),
        np.array([patients[row.patient_id] for row in rows], dtype=np.int64),
    )


def _prediction(counting: Sequence[LesionRow]) -> tuple[tuple[float, float], ...]:
    points = [
        (row.long_axis_mm, likely)
        for row in counting
        if is_covered(row) and row.long_axis_mm and (likely := chance(row)) is not None
    ]
    return tuple(sorted(points))


def _false_foci(
    rows: Sequence[LesionRow],
    studies: Sequence[StudyCalls],
    counting: Sequence[LesionRow],
    options: Options,
) -> FalseFoci:
    foci = [row for row in rows if row.source == "pet"]
    looked = [study for study in studies if not study.is_missing]
    livers = len(looked)
    nothing = Undefined("no livers")
    return FalseFoci(
        foci=len(foci),
        livers=livers,
        per_liver=len(foci) / livers if livers else nothing,
        exact=intervals.poisson_rate(len(foci), livers, options.level) if livers else nothing,
        clustered=_by_patient(foci, looked, options),
        reasons=dict(Counter(row.reason or "unexplained" for row in foci).most_common()),
        operating=_operating(foci, counting, livers),
    )


def _by_patient(
    foci: Iterable[LesionRow], studies: Sequence[StudyCalls], options: Options
) -> Interval | Undefined:
    """Foci a liver is a ratio of two sums over patients, as a proportion is, but may pass 1."""
    livers = Counter(study.patient_id for study in studies)
    counts = Counter(row.patient_id for row in foci)
    return clustered.ratio_interval(
        np.array([counts[patient] for patient in livers], dtype=np.int64),
        np.array([*livers.values()], dtype=np.int64),
        options.level,
    )


def _operating(
    foci: Sequence[LesionRow], counting: Sequence[LesionRow], livers: int
) -> tuple[Operating, ...]:
    """Free-response operating points from the one in use upwards in contrast-to-noise."""
    covered = [row for row in counting if is_covered(row)]
    found = _contrasts(row for row in covered if is_detected(row))
    false = _contrasts(foci)
    if not covered or not livers or not len(found):
        return ()
    steps = np.unique(np.concatenate([found, false]))
    return tuple(
        Operating(
            float(step),
            float((found >= step).sum()) / len(covered),
            float((false >= step).sum()) / livers,
        )
        for step in _thinned(steps)
    )


def _thinned(steps: NDArray[np.float64], most: int = 200) -> NDArray[np.float64]:
    if len(steps) <= most:
        return steps
    return np.asarray(steps[np.linspace(0, len(steps) - 1, most).round().astype(int)])


def _contrasts(rows: Iterable[LesionRow]) -> NDArray[np.float64]:
    values = [row.contrast_to_noise for row in rows if row.contrast_to_noise is not None]
    return np.array(values, dtype=float)

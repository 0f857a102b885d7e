"""Uncertain calls, taken one way and the other, so that nobody has to trust a choice.

*As involved* and *as not involved* are the two extreme readings of the word. `bounds` asks
more: over every way to settle each kind of uncertain study alike, how low and how high
could a measure come out?
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from lesionmatch.accuracy import agreement, measures
from lesionmatch.accuracy.values import Proportion, Table, Undefined
from lesionmatch.evaluation.rows import CELLS, Call, StudyCalls
from lesionmatch.evaluation.summary import Options, Summary, summarise

SURE: tuple[Call, Call] = ("involved", "not_involved")


@dataclass(frozen=True, slots=True, eq=False)
class Extremes:
    """The table under both readings of uncertain, and the bounds of each measure."""

    pet: int
    """Studies with an uncertain PET call (and a call on the MRI at all)."""
    mri: int
    as_involved: Summary
    as_not_involved: Summary
    bounds: dict[str, tuple[float, float] | Undefined]


def extremes(studies: Sequence[StudyCalls], options: Options) -> Extremes:
    """All three views of the uncertain calls among `studies`."""
    given = [study for study in studies if not study.is_missing]
    return Extremes(
        pet=sum(study.pet == "uncertain" for study in given),
        mri=sum(study.mri == "uncertain" for study in given),
        as_involved=summarise(_settled(studies, "involved"), options),
        as_not_involved=summarise(_settled(studies, "not_involved"), options),
        bounds=_bounds(given),
    )


def _settled(studies: Iterable[StudyCalls], to: Call) -> Iterator[StudyCalls]:
    for study in studies:
        pet = to if study.pet == "uncertain" else study.pet
        mri = to if study.mri == "uncertain" else study.mri
        yield replace(study, pet=pet, mri=mri)


def _bounds(studies: Sequence[StudyCalls]) -> dict[str, tuple[float, float] | Undefined]:
    tables = [*_resolutions(Counter((study.pet, study.mri) for study in studies))]
    functions: dict[str, Callable[[Table], float | Undefined]] = {
        name: _value(measure) for name, measure in measures.PROPORTIONS.items()
    }
    functions["kappa"] = agreement.kappa
    found: dict[str, tuple[float, float] | Undefined] = {}
    for name, function in functions.items():
        values = [value for value in map(function, tables) if not isinstance(value, Undefined)]
        found[name] = (min(values), max(values)) if values else Undefined("undefined throughout")
    return found


def _value(
    measure: Callable[[Table], Proportion | Undefined],
) -> Callable[[Table], float | Undefined]:
    def value(table: Table) -> float | Undefined:
        found = measure(table)
        return found if isinstance(found, Undefined) else found.estimate

    return value


def _resolutions(kinds: Counter[tuple[Call | None, Call | None]]) -> Iterator[Table]:
    """Every table that comes of settling all studies of one kind in one way (at most 64)."""
    ways = [[(cell, count) for cell in _ways(pet, mri)] for (pet, mri), count in kinds.items()]
    for choice in product(*ways):
        cells: Counter[str] = Counter()
        for cell, count in choice:
            cells[cell] += count
        yield Table(cells["TP"], cells["FP"], cells["FN"], cells["TN"])


def _ways(pet: Call | None, mri: Call | None) -> Iterator[str]:
    for settled_pet in SURE if pet == "uncertain" else (pet,):
        for settled_mri in SURE if mri == "uncertain" else (mri,):
            if settled_pet is not None and settled_mri is not None:
                yield CELLS[settled_pet, settled_mri]

"""How a cohort is asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lesionmatch.cohort.clinical import ClinicalTable, grade
from lesionmatch.errors import InvalidOption
from lesionmatch.protocol import Protocol

OLDEST_YEARS = 130.0
USUAL_GRADES = ("G1", "G2")
SHOWN_ENTITIES = 8
WINDOW = re.compile(r"^(-?\d+):(-?\d+)$")


@dataclass(frozen=True, slots=True)
class CohortOptions:
    """The rules of a cohort. Raises `InvalidOption` for what cannot be, as an empty window."""

    window_days: tuple[int, int] | None = None
    """Days from the PET/CT to the MRI, first and last; None: as the protocol says."""
    shared_mri: bool = False
    """Whether one MRI may serve several PET/CTs."""
    any_tracer: bool = False
    """Whether PET/CTs of other or unknown tracers stay in."""
    least_age_years: float | None = None
    """None: as the protocol says."""
    grades: tuple[str, ...] = USUAL_GRADES
    """Grades that stay in, where the clinical table has grades; none: all."""
    entities: tuple[str, ...] = ()
    """Entities that stay in, as the clinical table has them, in either case; none: all."""
    keep_treated: bool = False
    """Whether pairs with a therapy between the scans stay in."""
    carry: tuple[str, ...] = ()
    """Columns of the clinical table to carry to studies.csv."""
    workers: int = 2
    phi: bool = False
    """Whether patients keep their own identifiers."""
    protocol: Protocol = field(default_factory=Protocol)

    def __post_init__(self) -> None:
        first, last = self.window
        if first > last:
            raise InvalidOption(f"--window: wanted first:last days, got {first}:{last}; swap them")
        if self.workers < 1:
            raise InvalidOption(f"--workers: wanted 1 or more, got {self.workers}")
        if not 0.0 <= self.least_age <= OLDEST_YEARS:
            raise InvalidOption(
                f"--min-age: wanted 0 to {OLDEST_YEARS:g} years, got {self.least_age:g}"
            )
        object.__setattr__(self, "grades", tuple(map(grade, self.grades)))

    @property
    def window(self) -> tuple[int, int]:
        """Days from the PET/CT to the MRI, first and last."""
        rules = self.protocol.cohort
        return self.window_days or (int(rules.earliest_days), int(rules.latest_days))

    @property
    def least_age(self) -> float:
        """Years at the PET/CT below which a patient is left out."""
        rules = self.protocol.cohort
        return rules.least_age_years if self.least_age_years is None else self.least_age_years


def require_answers(options: CohortOptions, table: ClinicalTable | None) -> None:
    """Raise `InvalidOption` where an option asks what the clinical table does not say."""
    is_usual = options.grades in ((), USUAL_GRADES)
    asked = {"entity": options.entities, "grade": () if is_usual else options.grades}
    columns = [column for column, wanted in asked.items() if wanted]
    if table is None and (columns or options.carry):
        name = [*columns, "carry"][0]
        raise InvalidOption(f"--{name}: wanted a clinical table, got none; give --clinical")
    if table is None:
        return
    for column in columns:
        if not table.has(column):
            raise InvalidOption(
                f"--{column}: wanted a column {column} in the clinical table, got none; add it"
            )
    _require_known_entities(options.entities, table)


def _require_known_entities(entities: Sequence[str], table: ClinicalTable) -> None:
    found = {one.entity for one in table.patients.values() if one.entity}
    for entity in entities:
        if entity.casefold() not in map(str.casefold, found):
            shown = ", ".join(sorted(found)[:SHOWN_ENTITIES])
            raise InvalidOption(f"--entity: wanted one of the table's ({shown}), got {entity!r}")


def window(word: str) -> tuple[int, int]:
    """``0:92`` as days. Raises `ValueError` for anything else."""
    match = WINDOW.match(word.replace("−", "-"))
    if match is None:
        raise ValueError(f"wanted FIRST:LAST in whole days, as -92:92, got {word!r}")
    return int(match[1]), int(match[2])

"""Lesions of which it is not sure that the PET was looked at there, taken one way and the other.

Where the registration is doubtful the PET was read where the liver may not lie. Its call is
uncertain, and what it says of each lesion and of each focus alone is no more certain: such
studies are left out of what is said of lesions, and their lesions are taken as found, as
detected and as missed beside the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lesionmatch.evaluation.groups import Group, group
from lesionmatch.evaluation.rows import LesionRow, StudyCalls
from lesionmatch.evaluation.summary import Options


@dataclass(frozen=True, slots=True)
class Doubted:
    """What was left out because the registration is doubtful, and what it could change."""

    studies: int
    foci: int
    """On the PET alone in these studies; none of them is counted."""
    as_found: Group
    """Their lesions."""
    with_found: Group
    """All lesions, theirs as found."""
    with_detected: Group
    with_missed: Group


def is_doubted(study: StudyCalls) -> bool:
    """Whether its PET may have been read beside the liver.

    Matched lesions that clear a doubtful registration leave no uncertain call. Where the table
    does not say for what a study is doubtful it is taken to be its registration.
    """
    whys = study.doubtful_for
    may_be = study.is_doubtful if whys is None else "registration" in whys
    return may_be and study.pet == "uncertain"


def sure_of(
    rows: Sequence[LesionRow], studies: Sequence[StudyCalls]
) -> tuple[tuple[LesionRow, ...], tuple[StudyCalls, ...]]:
    """`rows` and `studies` without those that are doubted."""
    doubted = {study.study_id for study in studies if is_doubted(study)}
    return (
        tuple(row for row in rows if row.study_id not in doubted),
        tuple(study for study in studies if study.study_id not in doubted),
    )


def doubted(rows: Sequence[LesionRow], studies: Sequence[StudyCalls], options: Options) -> Doubted:
    """The lesions that count of all studies, with those in doubt taken each way."""
    ids = {study.study_id for study in studies if is_doubted(study)}
    counting = [row for row in rows if row.source == "mri" and row.counts]
    sure = [row for row in counting if row.study_id not in ids]
    open_ = [row for row in counting if row.study_id in ids]

    def together(name: str, settled: Sequence[LesionRow]) -> Group:
        return group(name, [*sure, *settled], options)

    return Doubted(
        studies=len(ids),
        foci=sum(row.source == "pet" and row.study_id in ids for row in rows),
        as_found=group("these alone, as found", open_, options),
        with_found=together("with these as found", open_),
        with_detected=together("with these as detected", _settled(open_, "positive")),
        with_missed=together("with these as missed", _settled(open_, "negative")),
    )


def _settled(rows: Sequence[LesionRow], status: str) -> list[LesionRow]:
    """Rows with the same status for all that the PET covers."""
    return [
        row if row.pet_status == "not_covered" else replace(row, pet_status=status) for row in rows
    ]

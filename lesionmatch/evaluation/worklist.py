"""Studies a person should look at, and what persons have settled so far.

Decisions never touch the table: accuracy is that of the calls as they were made, as in
the paper. What was decided gives a table of its own beside it, and its reasons stand in
place of the program's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lesionmatch.evaluation.readers import Modality, Reading
from lesionmatch.evaluation.rows import Call, Decision, LesionRow, ReaderCall, StudyCalls


@dataclass(frozen=True, slots=True)
class Picture:
    """One lesion's or focus's picture, to look at."""

    lesion_id: str
    path: str
    """Relative to the study's own folder."""
    says: str


@dataclass(frozen=True, slots=True)
class Item:
    """A study to look at: why, what was said of it, and what was settled."""

    study: StudyCalls
    why: tuple[str, ...]
    readers: tuple[ReaderCall, ...]
    pictures: tuple[Picture, ...]
    decision: Decision | None


def worklist(
    studies: Sequence[StudyCalls],
    lesions: Sequence[LesionRow],
    calls: Sequence[ReaderCall],
    found: Reading | None,
    decisions: Sequence[Decision],
) -> tuple[Item, ...]:
    """Every discrepant, uncertain or missing study; those not settled yet come first."""
    by_study = _grouped(calls)
    pictures = _pictures(lesions)
    settled = standing(decisions)
    items = [
        Item(
            study,
            why,
            by_study.get(study.study_id, ()),
            pictures.get(study.study_id, ()),
            settled.get(study.study_id),
        )
        for study in studies
        if (why := tuple(_why(study, by_study.get(study.study_id, ()), found)))
    ]
    return tuple(sorted(items, key=_urgency))


def _urgency(item: Item) -> tuple[bool, bool]:
    return item.decision is not None, item.study.cell not in ("FN", "FP")


def standing(decisions: Sequence[Decision]) -> dict[str, Decision]:
    """The last decision on each study; `decisions` are oldest first."""
    return {decision.study_id: decision for decision in decisions}


def undecidable(studies: Sequence[StudyCalls], decisions: Sequence[Decision]) -> tuple[str, ...]:
    """Studies that were decided on and are not in the table, as of another batch."""
    known = {study.study_id for study in studies}
    return tuple(sorted({decision.study_id for decision in decisions} - known))


def as_decided(
    studies: Sequence[StudyCalls], decisions: Sequence[Decision]
) -> tuple[StudyCalls, ...]:
    """The studies with what was settled in place of what was called."""
    settled = standing(decisions)
    return tuple(_settled(study, settled.get(study.study_id)) for study in studies)


def with_reasons(
    studies: Sequence[StudyCalls], decisions: Sequence[Decision]
) -> tuple[StudyCalls, ...]:
    """The studies with their calls, and the reasons persons gave where they gave one."""
    settled = standing(decisions)
    return tuple(
        replace(study, reason=settled[study.study_id].reason or study.reason)
        if study.study_id in settled
        else study
        for study in studies
    )


def _settled(study: StudyCalls, decision: Decision | None) -> StudyCalls:
    if decision is None:
        return study
    return replace(
        study,
        pet=decision.pet or study.pet,
        mri=decision.mri or study.mri,
        reason=decision.reason or study.reason,
    )


def _why(study: StudyCalls, calls: Sequence[ReaderCall], found: Reading | None) -> Iterator[str]:
    if study.is_missing:
        yield "no call"
    if study.is_uncertain:
        yield "a call is uncertain"
    if study.cell == "FN":
        yield "on the MRI and not on the PET"
    if study.cell == "FP":
        yield "on the PET and not on the MRI"
    modalities: tuple[Modality, ...] = ("pet", "mri")
    for modality in modalities:
        said = {call for one in calls if (call := getattr(one, modality)) is not None}
        if len(said) > 1:
            yield f"readers differ on the {modality.upper()}"
        elif _differs(study, modality, found):
            (call,) = said
            yield f"readers say {call.replace('_', ' ')} on the {modality.upper()}"


def _differs(study: StudyCalls, modality: Modality, found: Reading | None) -> bool:
    if found is None:
        return False
    consensus: Call | None = found.consensus[modality].get(study.study_id)
    return consensus is not None and consensus != getattr(study, modality)


def _grouped(calls: Sequence[ReaderCall]) -> Mapping[str, tuple[ReaderCall, ...]]:
    found: dict[str, tuple[ReaderCall, ...]] = {}
    for call in sorted(calls, key=lambda call: call.reader):
        found[call.study_id] = (*found.get(call.study_id, ()), call)
    return found


def _pictures(lesions: Sequence[LesionRow]) -> Mapping[str, tuple[Picture, ...]]:
    """Discordant lesions first, the largest of them at the head."""
    found: dict[str, tuple[Picture, ...]] = {}
    # Only what PET and MRI disagree on has a reason, a haemangioma with uptake too.
    order = sorted(lesions, key=lambda row: (not row.reason, -(row.long_axis_mm or 0.0)))
    for row in order:
        if row.overlay:
            picture = Picture(row.lesion_id, row.overlay, _said(row))
            found[row.study_id] = (*found.get(row.study_id, ()), picture)
    return found


def _said(row: LesionRow) -> str:
    size = f"{row.long_axis_mm:.0f} mm" if row.long_axis_mm is not None else ""
    parts = (row.lesion_id, row.kind, size, row.relation, row.pet_status, row.reason)
    return ", ".join(part.replace("_", " ") for part in parts if part)

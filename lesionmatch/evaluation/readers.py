"""Readers against each other and against the table: who agrees with whom, and how well.

The consensus of a study is what more than half of its readers say; a tie is *uncertain*
until a person settles it. Agreement is about one modality at a time, over the studies both
sides are sure of, with patients as clusters.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from lesionmatch.accuracy import agreement
from lesionmatch.accuracy.values import Test, Undefined
from lesionmatch.evaluation.rows import CONSENSUS, TABLE, Call, ReaderCall, StudyCalls
from lesionmatch.evaluation.summary import (
    Options,
    Summary,
    counts_tests,
    summarise,
)

Modality = Literal["pet", "mri"]
Calls = Mapping[str, Call]
"""Study to call."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two sources of calls on one modality, over the studies both are sure of."""

    modality: Modality
    one: str
    other: str
    summary: Summary
    """`one` in the rows, `other` in the columns; no reference is meant."""
    marginal: Test | Undefined
    """Does one say involved oftener? Obuchowski's test."""
    discordant: tuple[str, ...]
    """Studies of which one says that the liver is involved and the other that it is not."""


@dataclass(frozen=True, slots=True, eq=False)
class Against:
    """One source of PET calls against the reference."""

    source: str
    reference: str
    summary: Summary


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """All that comes of readers' calls."""

    readers: tuple[str, ...]
    studies: int
    unknown: tuple[str, ...]
    """Studies the readers read that the table lacks; they are left out."""
    pairs: tuple[Pair, ...]
    fleiss: dict[Modality, float | Undefined]
    """Agreement of all readers at once, over studies all of them are sure of."""
    accuracy: tuple[Against, ...]
    consensus: dict[Modality, Calls]


def reading(
    studies: Sequence[StudyCalls], calls: Sequence[ReaderCall], options: Options
) -> Reading:
    """Compare the table's calls, each reader's and the readers' consensus."""
    known = {study.study_id for study in studies}
    readers = tuple(sorted({call.reader for call in calls}))
    held = [call for call in calls if call.study_id in known]
    consensus: dict[Modality, Calls] = {
        "pet": consensus_of(held, "pet"),
        "mri": consensus_of(held, "mri"),
    }
    return Reading(
        readers=readers,
        studies=len({call.study_id for call in held}),
        unknown=tuple(sorted({call.study_id for call in calls} - known)),
        pairs=tuple(_pairs(studies, held, readers, consensus, options)),
        fleiss={"pet": _fleiss(held, "pet", readers), "mri": _fleiss(held, "mri", readers)},
        accuracy=tuple(_against(studies, held, readers, consensus, options)),
        consensus=consensus,
    )


def consensus_of(calls: Sequence[ReaderCall], modality: Modality) -> dict[str, Call]:
    """What more than half of a study's readers of the modality say, else uncertain."""
    votes: dict[str, Counter[Call]] = {}
    for call in calls:
        if (said := getattr(call, modality)) is not None:
            votes.setdefault(call.study_id, Counter())[said] += 1
    return {study: _majority(count) for study, count in votes.items()}


def _majority(votes: Counter[Call]) -> Call:
    call, most = votes.most_common(1)[0]
    return call if 2 * most > votes.total() else "uncertain"


def _pairs(
    studies: Sequence[StudyCalls],
    calls: Sequence[ReaderCall],
    readers: Sequence[str],
    consensus: Mapping[Modality, Calls],
    options: Options,
) -> list[Pair]:
    found = []
    modalities: tuple[Modality, ...] = ("pet", "mri")
    for modality in modalities:
        sources = _sources(studies, calls, readers, consensus, modality)
        for one, other in combinations(sources, 2):
            # A reader against the consensus they are part of would flatter both.
            if sources[one] and sources[other] and (other != CONSENSUS or one == TABLE):
                found.append(_pair(modality, one, other, sources, studies, options))
    return found


def _sources(
    studies: Sequence[StudyCalls],
    calls: Sequence[ReaderCall],
    readers: Sequence[str],
    consensus: Mapping[Modality, Calls],
    modality: Modality,
) -> dict[str, Calls]:
    """What the table, each reader and the readers' consensus say."""
    return {
        TABLE: _table_calls(studies, modality),
        **{reader: _calls_of(reader, calls, modality) for reader in readers},
        CONSENSUS: consensus[modality],
    }


def _pair(
    modality: Modality,
    one: str,
    other: str,
    sources: Mapping[str, Calls],
    studies: Sequence[StudyCalls],
    options: Options,
) -> Pair:
    joined = _joined(studies, sources[one], sources[other])
    summary = summarise(joined, options)
    return Pair(
        modality=modality,
        one=one,
        other=other,
        summary=summary,
        marginal=counts_tests(summary.tables)["obuchowski"],
        discordant=tuple(study.study_id for study in joined if study.cell in ("FP", "FN")),
    )


def _against(
    studies: Sequence[StudyCalls],
    calls: Sequence[ReaderCall],
    readers: Sequence[str],
    consensus: Mapping[Modality, Calls],
    options: Options,
) -> list[Against]:
    """PET calls of each source against the readers' MRI, or the table's where none read it."""
    name = CONSENSUS if consensus["mri"] else TABLE
    reference = consensus["mri"] or _table_calls(studies, "mri")
    sources = _sources(studies, calls, readers, consensus, "pet")
    return [
        Against(source, name, summarise(_joined(studies, pet, reference), options))
        for source, pet in sources.items()
        if pet
    ]


def _joined(studies: Sequence[StudyCalls], pet: Calls, mri: Calls) -> list[StudyCalls]:
    return [
        StudyCalls(study.study_id, study.patient_id, pet[study.study_id], mri[study.study_id])
        for study in studies
        if study.study_id in pet and study.study_id in mri
    ]


def _fleiss(
    calls: Sequence[ReaderCall], modality: Modality, readers: Sequence[str]
) -> float | Undefined:
    by_reader = [_calls_of(reader, calls, modality) for reader in readers]
    by_reader = [one for one in by_reader if one]
    if len(by_reader) < 2:
        return Undefined("fewer than two readers")
    shared = set.intersection(*(set(one) for one in by_reader))
    rows = [
        [int(one[study] == "involved") for one in by_reader]
        for study in sorted(shared)
        if all(one[study] != "uncertain" for one in by_reader)
    ]
    return agreement.fleiss(rows)


def _calls_of(reader: str, calls: Sequence[ReaderCall], modality: Modality) -> Calls:
    return {
        call.study_id: said
        for call in calls
        if call.reader == reader and (said := getattr(call, modality)) is not None
    }


def _table_calls(studies: Sequence[StudyCalls], modality: Modality) -> dict[str, Call]:
    return {
        study.study_id: said for study in studies if (said := getattr(study, modality)) is not None
    }

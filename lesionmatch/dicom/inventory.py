"""What is in the folders: one pass over the headers, every series named, nothing dropped unsaid."""

import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lesionmatch.dicom import hbp
from lesionmatch.dicom.classify import ENHANCED, IMAGES, REFUSED_PET, Taken, describe
from lesionmatch.dicom.enhanced import planes_of
from lesionmatch.dicom.instance import Instance, read_instance
from lesionmatch.dicom.plane import Plane, plane_of
from lesionmatch.dicom.records import Inventory, SeriesRecord
from lesionmatch.dicom.sources import Refused, Source, sources
from lesionmatch.dicom.stack import Part, Stack, TooFewSlices, parts_of, stack_of
from lesionmatch.dicom.values import text
from lesionmatch.errors import InconsistentSeries, InvalidInput
from lesionmatch.protocol import Protocol


def scan(paths: Sequence[Path], protocol: Protocol | None = None) -> Inventory:
    """What is in `paths`: folders, zip archives or files.

    Raises `NothingFound` for a missing path and an empty folder, `InvalidInput` beyond the
    protocol's limits. Files that are no DICOM, or broken, are counted in `skipped`.
    """
    with _without_collection():
        return _scanned(paths, protocol or Protocol())


@contextmanager
def _without_collection() -> Iterator[None]:
    """No search for garbage while headers are read: all of them are kept, none is garbage, and
    looking through them again and again takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _scanned(paths: Sequence[Path], protocol: Protocol) -> Inventory:
    found: dict[str, list[Instance]] = defaultdict(list)
    skipped: Counter[str] = Counter()
    labels: list[Source] = []
    files = 0
    for source in sources(paths, protocol.input):
        files += 1
        if isinstance(source, Refused):
            skipped[source.why] += 1
        elif source.is_label_volume:
            labels.append(source)
        else:
            instance = read_instance(source, protocol.input)
            if isinstance(instance, str):
                skipped[instance] += 1
            else:
                found[text(instance.dataset, "SeriesInstanceUID")].append(instance)
    records = [record for uid in found for record in _records(uid, tuple(found[uid]), protocol)]
    scored = _with_scores(records, protocol.series.hbp_least_score)
    return Inventory(scored, tuple(labels), dict(sorted(skipped.items())), files)


def _records(uid: str, instances: tuple[Instance, ...], protocol: Protocol) -> list[SeriesRecord]:
    taken = describe(instances[0].dataset)
    modality = text(instances[0].dataset, "Modality") or "?"
    sop_class = text(instances[0].dataset, "SOPClassUID")
    if sop_class not in IMAGES:
        return [_record(uid, 0, modality, taken, instances)]
    what = f"{modality} series {uid}"
    if sop_class in REFUSED_PET:
        return [_record(uid, 0, modality, taken, instances)]
    try:
        unique, note = _without_copies(instances, what)
        parts = parts_of([plane for instance in unique for plane in _planes(instance, what)])
    except InvalidInput as error:
        return [_record(uid, 0, modality, taken, instances, refusal=error)]
    if note:
        taken = Taken(taken.role, (*taken.evidence, note), taken.set_aside)
    return [
        _checked(uid, 0 if len(parts) == 1 else number, modality, taken, part, protocol)
        for number, part in enumerate(parts, 1)
    ]


def _planes(instance: Instance, what: str) -> tuple[Plane, ...]:
    is_enhanced = text(instance.dataset, "SOPClassUID") in ENHANCED
    return planes_of(instance, what) if is_enhanced else (plane_of(instance),)


def _checked(
    uid: str, number: int, modality: str, taken: Taken, part: Part, protocol: Protocol
) -> SeriesRecord:
    key = f"{uid}#{number}" if number else uid
    instances = tuple({id(plane.instance): plane.instance for plane in part.planes}.values())
    own = describe(part.planes[0].header)
    notes = tuple(note for note in taken.evidence if note not in own.evidence)
    taken = Taken(own.role, (*own.evidence, *notes), own.set_aside)
    if part.split_by:
        note = f"parted from its series by {' and '.join(part.split_by)}"
        taken = Taken(taken.role, (*taken.evidence, note), taken.set_aside)
    try:
        stack = stack_of(part, protocol.series, f"{modality} series {key}")
    except InvalidInput as error:
        return _record(uid, number, modality, taken, instances, refusal=error)
    return _record(uid, number, modality, taken, instances, stack=stack)


def _record(
    uid: str,
    number: int,
    modality: str,
    taken: Taken,
    instances: tuple[Instance, ...],
    *,
    stack: Stack | None = None,
    refusal: InvalidInput | None = None,
) -> SeriesRecord:
    is_scout = isinstance(refusal, TooFewSlices)
    return SeriesRecord(
        uid=uid,
        part=number,
        modality=modality,
        role=taken.role,
        files=len(instances),
        evidence=taken.evidence,
        is_candidate=taken.set_aside is None and not is_scout,
        set_aside=taken.set_aside or (None if refusal is None else _reason(refusal)),
        score=None,
        instances=instances,
        stack=stack,
        refusal=refusal,
    )


def _reason(refusal: InvalidInput) -> str:
    """A refusal without the name of the series and the remedy: the record has its own."""
    said = str(refusal).split(": ", 1)[-1]
    return said.rsplit("; ", 1)[0]


def _without_copies(instances: tuple[Instance, ...], what: str) -> tuple[tuple[Instance, ...], str]:
    """The instances once each, and a note where some came twice.

    Raises `InconsistentSeries` where one UID stands for two different files.
    """
    first: dict[str, Instance] = {}
    copies = 0
    for instance in instances:
        known = first.setdefault(instance.uid, instance)
        if known is instance:
            continue
        if not _same_bytes(known.source, instance.source):
            raise InconsistentSeries(
                f"{what}: wanted one file for each SOP Instance UID, got two that differ for "
                f"{instance.uid}; remove one of them"
            )
        copies += 1
    note = f"{copies} copies of its files were passed over" if copies else ""
    return tuple(first.values()), note


def _same_bytes(one: Source, other: Source) -> bool:
    if one.size != other.size:
        return False
    with one.open() as a, other.open() as b:
        return a.read() == b.read()


def _with_scores(records: Sequence[SeriesRecord], least: float) -> tuple[SeriesRecord, ...]:
    """The records, MR images among them with their score for the hepatobiliary phase, for which
    they are taken with `least` points and more."""
    images = {r.key: r for r in records if r.role == "MR" and r.is_candidate}
    evidence = hbp.in_study({key: record.header for key, record in images.items()})
    return tuple(
        record.with_evidence(evidence[record.key], least) if record.key in evidence else record
        for record in records
    )

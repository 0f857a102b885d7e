"""What is in the folders: one pass over the headers, every series named, nothing dropped unsaid."""

import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lesionmatch.dicom.files.directory import FILE_NAME, is_index, listed
from lesionmatch.dicom.files.instance import Instance, read_instance
from lesionmatch.dicom.files.sources import MEGABYTE, Refused, Source, sources
from lesionmatch.dicom.files.unread import LIKE_DICOM, NO_DICOM, looks_like_dicom, shapes, unread
from lesionmatch.dicom.files.values import text
from lesionmatch.dicom.series import hbp
from lesionmatch.dicom.series.agreement import speaker
from lesionmatch.dicom.series.classify import ENHANCED, ENHANCED_PET, IMAGES, Taken, describe
from lesionmatch.dicom.series.enhanced import header_of, planes_of
from lesionmatch.dicom.series.plane import Plane, plane_of
from lesionmatch.dicom.series.records import BROKEN_INDEX, HARMLESS, Inventory, SeriesRecord
from lesionmatch.dicom.series.stack import Part, Stack, TooFewSlices, parts_of, stack_of
from lesionmatch.errors import InconsistentSeries, InvalidInput
from lesionmatch.protocol import Protocol

NAMELESS = "a DICOM file that names no series"


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


@dataclass(slots=True)
class _Read:
    """What is gathered while files are read."""

    files: int = 0
    by_series: dict[str, list[Instance]] = field(default_factory=lambda: defaultdict(list))
    strange: list[tuple[Source, str]] = field(default_factory=list)
    """Files that are not read, each with why."""
    labels: list[Source] = field(default_factory=list)


def _read(paths: Sequence[Path], protocol: Protocol) -> _Read:
    read, headers = _Read(), 0
    for source in sources(paths, protocol.input):
        read.files += 1
        if isinstance(source, Refused):
            read.strange.append((source.source, source.why))
        elif source.is_label_volume:
            read.labels.append(source)
        elif isinstance(instance := read_instance(source, protocol.input), str):
            read.strange.append((source, instance))
        else:
            headers += instance.pixel_offset
            _require_few(headers, protocol)
            read.by_series[text(instance.dataset, "SeriesInstanceUID")].append(instance)
    return read


def _scanned(paths: Sequence[Path], protocol: Protocol) -> Inventory:
    read = _read(paths, protocol)
    found = read.by_series
    nameless = found.pop("", [])
    indices = [one for one in nameless if is_index(one.dataset)]
    read.strange += [(one.source, NAMELESS) for one in nameless if one not in indices]
    passed = _passed_over(read.strange, found)
    skipped = Counter(why for _, why in passed)
    lost = tuple(unread(source, why) for source, why in passed if why not in HARMLESS)
    records = [record for uid in found for record in _records(uid, tuple(found[uid]), protocol)]
    scored = _with_scores(records, protocol.series.hbp_least_score)
    return Inventory(
        series=scored,
        label_files=tuple(read.labels),
        skipped=dict(sorted(skipped.items())),
        files=read.files,
        unread=lost,
        listed=_listed(indices),
    )


def _listed(indices: Sequence[Instance]) -> dict[str, dict[str, str]]:
    """What all DICOMDIR files list together."""
    together: dict[str, dict[str, str]] = defaultdict(dict)
    for index in indices:
        for uid, files in listed(index.dataset).items():
            together[uid] |= files
    return dict(together)


def _require_few(headers: int, protocol: Protocol) -> None:
    """Raise `InvalidInput` where headers, which are kept in memory, are more than allowed."""
    if headers > protocol.input.headers_mb * MEGABYTE:
        raise InvalidInput(
            f"DICOM: wanted at most {protocol.input.headers_mb:.0f} MB of headers, got more; "
            "name the folder of one study, or raise [input] headers_mb"
        )


def _passed_over(
    strange: Sequence[tuple[Source, str]], found: Mapping[str, Sequence[Instance]]
) -> list[tuple[Source, str]]:
    """Files that are not read, each with why; what only looks like DICOM is told from the rest."""
    strange = [(file, BROKEN_INDEX if file.name.upper() == FILE_NAME else y) for file, y in strange]
    if not any(why == NO_DICOM for _, why in strange):
        return strange
    beside = shapes(instance.source for instances in found.values() for instance in instances)
    return [
        (source, LIKE_DICOM if why == NO_DICOM and looks_like_dicom(source, beside) else why)
        for source, why in strange
    ]


def _records(uid: str, instances: tuple[Instance, ...], protocol: Protocol) -> list[SeriesRecord]:
    """The volumes of a series, or the one record of what makes none."""
    classes: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        classes[text(instance.dataset, "SOPClassUID")].append(instance)
    roles = [describe(some[0].dataset).role for some in classes.values()]
    if "other" in roles and len(roles) > 1:
        taken, modality = _taken(instances)
        refusal = InconsistentSeries(
            f"{modality} series {uid}: wanted files of SOP classes that are known, got some of "
            "another; a file is damaged, export it again"
        )
        return [_record(uid, 0, modality, taken, instances, refusal=refusal)]
    records: list[SeriesRecord] = []
    for some in classes.values():
        is_alone = len(classes) == 1
        records += _of_one_class(uid, tuple(some), protocol, 0 if is_alone else len(records) + 1)
    return records


def _taken(instances: Sequence[Instance]) -> tuple[Taken, str]:
    """What some files of a series are taken for, and their modality."""
    header = speaker([header_of(instance) for instance in instances])
    return describe(header), text(header, "Modality") or "?"


def _of_one_class(
    uid: str, instances: tuple[Instance, ...], protocol: Protocol, first: int
) -> list[SeriesRecord]:
    """The volumes of files of one SOP class, numbered from `first`, which is 0 for one alone."""
    taken, modality = _taken(instances)
    sop_class = text(instances[0].dataset, "SOPClassUID")
    what = f"{modality} series {uid}"
    try:
        unique, note = _without_copies(instances, what)
        if sop_class not in IMAGES or sop_class == ENHANCED_PET:
            return [_record(uid, first, modality, taken, unique)]
        parts = parts_of([plane for instance in unique for plane in _planes(instance, what)])
    except InvalidInput as error:
        return [_record(uid, first, modality, taken, instances, refusal=error)]
    if note:
        taken = Taken(taken.role, (*taken.evidence, note), taken.set_aside)
    if len(parts) == 1:
        return [_checked(uid, first, modality, taken, parts[0], protocol)]
    return [
        _checked(uid, number, modality, taken, part, protocol)
        for number, part in enumerate(parts, max(first, 1))
    ]


def _planes(instance: Instance, what: str) -> tuple[Plane, ...]:
    is_enhanced = text(instance.dataset, "SOPClassUID") in ENHANCED
    return planes_of(instance, what) if is_enhanced else (plane_of(instance),)


def _checked(
    uid: str, number: int, modality: str, taken: Taken, part: Part, protocol: Protocol
) -> SeriesRecord:
    key = f"{uid}#{number}" if number else uid
    instances = tuple({id(plane.instance): plane.instance for plane in part.planes}.values())
    own = describe(speaker([plane.header for plane in part.planes]))
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

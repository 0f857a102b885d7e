"""What was drawn: segments of every format, found among a study's files or given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from lesionmatch.dicom.drawn.between import completed
from lesionmatch.dicom.drawn.content import FromFile
from lesionmatch.dicom.drawn.doubles import drawn_once
from lesionmatch.dicom.drawn.label_files import Place, read_label_file
from lesionmatch.dicom.drawn.rtstruct import frame_uids, read_rtstruct
from lesionmatch.dicom.drawn.seg import read_seg
from lesionmatch.dicom.files.sources import Source
from lesionmatch.dicom.files.values import items, text
from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.series.inventory import scan
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.series.stack import Stack
from lesionmatch.errors import BrokenFile, InvalidInput, NothingFound
from lesionmatch.geometry import Frame, Grid
from lesionmatch.protocol import Protocol
from lesionmatch.segments import Segment, Structure
from lesionmatch.wording import enumerated, said_once


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What was drawn, and in which files."""

    segments: tuple[Segment, ...]
    series: tuple[SeriesRecord, ...]
    label_files: tuple[Source, ...]
    is_about_lesions: bool
    """Whether anything says which lesions there are, if only that there are none."""
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a segmentation may have been drawn on."""

    reference: Grid
    """Of the image the study is about; label files of other voxels are taken to lie there."""
    inventories: tuple[Inventory, ...]
    frames: tuple[Frame, ...]
    """Those in which a segmentation is of use, the study's own first."""
    protocol: Protocol

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Every volume at hand."""
        return tuple(record.stack for record in self._volumes if record.stack is not None)

    @property
    def places(self) -> tuple[Place, ...]:
        """The grids of every volume at hand."""
        return tuple(
            Place(record.stack.grid, record.modality == "MR")
            for record in self._volumes
            if record.stack is not None and record.frame_uid in self.frames
        )

    @property
    def _volumes(self) -> tuple[SeriesRecord, ...]:
        return tuple(record for inventory in self.inventories for record in inventory.series)

    @property
    def frame_uids(self) -> set[str]:
        """Of every volume at hand."""
        return {record.frame_uid for record in self._volumes if record.stack is not None}

    def frame_of_series(self, uid: str) -> str:
        """The frame of reference of a series at hand, empty where it is not at hand."""
        return next((r.frame_uid for r in self._volumes if r.uid == uid and r.frame_uid), "")


def read_lesions(inventory: Inventory, scene: Scene, options: ReadOptions) -> Drawn:
    """The segments of a study: those given by options, else those found in the MRI folder.

    Raises `NothingFound` where nothing says which lesions there are, `InvalidInput` where the
    only segmentations lie in a frame of reference that is neither the MRI's nor the PET's.
    """
    need = Need.NEEDED if options.lesions is None else Need.GIVEN
    source = _scanned(options.lesions, options) if options.lesions else inventory
    drawn = read_drawn(source, scene, need)
    if not drawn.is_about_lesions:
        raise _no_lesions(drawn, source, is_given=options.lesions is not None)
    if options.liver is None:
        return drawn
    liver = _liver(options.liver, scene, options)
    others = [s for s in drawn.segments if s.meaning is not Structure.LIVER]
    return replace(
        drawn,
        segments=(*others, *liver.segments),
        series=(*drawn.series, *liver.series),
        label_files=(*drawn.label_files, *liver.label_files),
        assumptions=(*drawn.assumptions, *liver.assumptions),
    )


def _no_lesions(drawn: Drawn, source: Inventory, *, is_given: bool) -> NothingFound:
    """The refusal of files that do not say which lesions there are, with what they are instead."""
    got = "only structures" if drawn.segments else "none"
    whys = drawn.assumptions or (_whys_none(source) if is_given else ())
    if whys:
        got += f" ({'; '.join(whys)})"
    remedy = "give another file" if is_given else "put it into the MRI folder or give --lesions"
    return NothingFound(
        f"{'--lesions' if is_given else 'lesions'}: wanted a segmentation of lesions (SEG, "
        f"RTSTRUCT, NIfTI or NRRD), got {got}; {remedy}, an empty one for no lesions"
    )


def _whys_none(source: Inventory) -> tuple[str, ...]:
    """What the files are that hold no segmentation."""
    roles = [*dict.fromkeys(record.role for record in source.series)]
    return (f"only {enumerated(roles)}",) if roles else tuple(source.skipped)


def _scanned(path: Path, options: ReadOptions) -> Inventory:
    return scan([path], options.protocol)


def _liver(path: Path, scene: Scene, options: ReadOptions) -> Drawn:
    """The liver of a given file: what is called so, or the one region there is."""
    drawn = read_drawn(_scanned(path, options), scene, Need.GIVEN)
    called = tuple(s for s in drawn.segments if s.meaning is Structure.LIVER)
    if called:
        return replace(drawn, segments=called)
    if len(drawn.segments) == 1:
        return replace(drawn, segments=(replace(drawn.segments[0], meaning=Structure.LIVER),))
    raise InvalidInput(
        f"--liver: wanted a segment called liver, or a single one, got {len(drawn.segments)} "
        "others; name it, or give a file of the liver alone"
    )


class Need(Enum):
    """How much a segmentation is wanted."""

    GIVEN = "given by the user: every file must be of use"
    NEEDED = "found: some file must be of use"
    WELCOME = "found beside the PET: context only"


def read_drawn(inventory: Inventory, scene: Scene, need: Need) -> Drawn:
    """Every segmentation of an inventory that lies in one of the scene's frames.

    What cannot be used is an assumption, or refused: by how much it is needed.
    """
    records = [record for record in inventory.series if record.role in ("SEG", "RTSTRUCT")]
    notes = _said_of_strange(records, inventory, scene, need)
    kept = [record for record in records if _frames(record, scene)]
    read, broken = _from_series(kept, scene, need)
    labels, more = _from_labels(inventory.label_files, scene, need)
    segments, doubles = drawn_once([*read, *labels], scene.protocol.drawn.same_lesion)
    return Drawn(
        segments=segments,
        series=tuple(kept),
        label_files=inventory.label_files,
        is_about_lesions=any(one.is_about_lesions for one in (*read, *labels)),
        assumptions=said_once(
            (*notes, *broken, *more, *(n for one in (*read, *labels) for n in one.notes), *doubles)
        ),
    )


def _said_of_strange(
    records: Sequence[SeriesRecord], inventory: Inventory, scene: Scene, need: Need
) -> list[str]:
    """A note for each segmentation drawn elsewhere. Raises `InvalidInput` where it is needed."""
    strange = [record for record in records if not _frames(record, scene)]
    alone = need is Need.NEEDED and len(strange) == len(records) and not inventory.label_files
    if strange and (need is Need.GIVEN or alone):
        wanted = " or ".join(scene.frames) or "of the images"
        raise InvalidInput(
            f"{strange[0].what}: wanted a segmentation in the frame of reference {wanted}, got "
            f"{strange[0].frame_uid or 'none'}; "
            "draw on this study, or map it first"
        )
    if need is Need.WELCOME:
        # What was drawn on another image of the folder is for whom that image is for.
        strange = [record for record in strange if not _named(record, scene) & scene.frame_uids]
    return [f"{r.what} is drawn in another frame of reference and was set aside" for r in strange]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFile:
    """What one file of an inventory has drawn, or why it is of no use."""

    form: str
    """``SEG``, ``RTSTRUCT`` or ``label file``."""
    series: str | None
    """Its series' key; a label file has none."""
    segments: tuple[Segment, ...]
    notes: tuple[str, ...]
    refusal: str | None


def drawn_files(inventory: Inventory, scene: Scene) -> tuple[DrawnFile, ...]:
    """Every file of an inventory in which something is drawn, each read by itself."""
    records = [record for record in inventory.series if record.role in ("SEG", "RTSTRUCT")]
    found = [_drawn_series(record, scene) for record in records]
    for source in inventory.label_files:
        try:
            read = _of_label_file(source, scene)
        except InvalidInput as error:
            found.append(DrawnFile("label file", None, (), (), str(error)))
        else:
            found.append(DrawnFile("label file", None, read.segments, read.notes, None))
    return tuple(found)


def _drawn_series(record: SeriesRecord, scene: Scene) -> DrawnFile:
    why = None if _frames(record, scene) else "drawn in a frame of reference of no image here"
    read: list[FromFile] = []
    try:
        read = [] if why else _of_series(record, scene)
    except InvalidInput as error:
        why = str(error).removeprefix(f"{record.what}: ")
    segments = tuple(segment for one in read for segment in one.segments)
    notes = tuple(note for one in read for note in one.notes)
    return DrawnFile(record.role, record.key, segments, notes, why)


def _named(record: SeriesRecord, scene: Scene) -> set[str]:
    """UIDs of the frames that a segmentation says it is drawn in."""
    header = record.instances[0].dataset
    named = set(frame_uids(header)) if record.role == "RTSTRUCT" else {record.frame_uid}
    if named <= {""}:
        series = items(header, "ReferencedSeriesSequence")
        named = {scene.frame_of_series(text(item, "SeriesInstanceUID")) for item in series} or {""}
    return named


def _frames(record: SeriesRecord, scene: Scene) -> tuple[Frame, ...]:
    """The scene's frames that a segmentation is drawn in."""
    named = _named(record, scene)
    return tuple(frame for frame in scene.frames if frame in named)


def _from_series(
    records: Sequence[SeriesRecord], scene: Scene, need: Need
) -> tuple[list[FromFile], list[str]]:
    found, notes = [], []
    for record in sorted(records, key=lambda record: record.role != "SEG"):
        try:
            found += _of_series(record, scene)
        except InvalidInput as error:
            if need is not Need.WELCOME:
                raise
            notes.append(f"what was drawn on the PET/CT was set aside ({error})")
    return found, notes


def _of_series(record: SeriesRecord, scene: Scene) -> list[FromFile]:
    """What each file of a series has drawn. Raises `InvalidInput` where one cannot be used."""
    if record.refusal is not None:
        raise record.refusal
    found, between_mm = [], scene.protocol.drawn.between_mm
    for instance in record.instances:
        if instance.fault:
            raise BrokenFile(
                f"{record.what}: wanted a whole file, got {instance.fault}; export it again"
            )
        frames = _frames(record, scene)
        if record.role == "SEG":
            grids = [stack.grid for stack in scene.stacks]
            read = read_seg(instance, frames[0], grids, scene.protocol, record.what)
            found.append(completed(read, between_mm))
        else:
            stacks = scene.stacks
            found.append(
                read_rtstruct(instance, stacks, frames, record.what, between_mm=between_mm)
            )
    return found


def _of_label_file(source: Source, scene: Scene) -> FromFile:
    """What a label file has drawn. Raises `InvalidInput`."""
    read = read_label_file(source, scene.reference, scene.places, scene.protocol.input)
    return completed(read, scene.protocol.drawn.between_mm)


def _from_labels(
    files: Sequence[Source], scene: Scene, need: Need
) -> tuple[list[FromFile], list[str]]:
    found, notes = [], []
    for source in files:
        try:
            found.append(_of_label_file(source, scene))
        except InvalidInput as error:
            # What is broken may have held lesions; what is no label map did not.
            if need is Need.GIVEN or (need is Need.NEEDED and isinstance(error, BrokenFile)):
                raise
            notes.append(f"a label file was set aside ({error})")
    return found, notes

"""What was drawn: segments of every format, found among a study's files or given."""

from collections.abc import Sequence
from dataclasses import dataclass

from lesionmatch.dicom.inventory import scan
from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.records import Inventory, SeriesRecord
from lesionmatch.dicom.seg import read_seg
from lesionmatch.dicom.study import PetStudy
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.geometry import Grid
from lesionmatch.image import Image
from lesionmatch.segments import Segment


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What was drawn, and in which series."""

    segments: tuple[Segment, ...]
    series: tuple[SeriesRecord, ...]
    """The segmentations that were read; none where there is none at all."""
    assumptions: tuple[str, ...]


def read_segmentations(
    inventory: Inventory, hbp: Image, options: ReadOptions, pet: PetStudy | None
) -> Drawn:
    """The segments of a study: those given by options, else those found in the MRI folder.

    Raises `NothingFound` where there is no segmentation, `InvalidInput` where the only ones
    are drawn in a frame of reference that is neither the MRI's nor the PET's.
    """
    where = _lesion_files(inventory, options)
    records = [record for record in where.series if record.role in ("SEG", "RTSTRUCT")]
    frames = {str(hbp.frame): "MRI"} | ({} if pet is None else {str(pet.frame): "PET/CT"})
    grids = [*_grids(inventory), *([] if pet is None else _grids(pet.inventory))]
    usable = [record for record in records if record.frame_uid in frames]
    strange = [record for record in records if record.frame_uid not in frames]
    if strange and not usable:
        raise InvalidInput(
            f"{strange[0].what}: wanted a segmentation in the MRI's frame of reference "
            f"{hbp.frame}, got {strange[0].frame_uid or 'none'}; draw on this MRI, or map it first"
        )
    if not usable:
        raise NothingFound(
            "lesions: wanted a segmentation (SEG, RTSTRUCT, NIfTI or NRRD) in the MRI folder, got "
            "none; give --lesions, or an empty SEG where there are none"
        )
    notes = [f"{r.what} is drawn in another frame of reference and was set aside" for r in strange]
    segments: list[Segment] = []
    for record in usable:
        for instance in record.instances:
            found, more = read_seg(instance, grids, record.what)
            segments += found
            notes += more
    return Drawn(tuple(segments), tuple(usable), tuple(notes))


def _lesion_files(inventory: Inventory, options: ReadOptions) -> Inventory:
    return inventory if options.lesions is None else scan([options.lesions], options.protocol)


def _grids(inventory: Inventory) -> Sequence[Grid]:
    return [record.stack.grid for record in inventory.series if record.stack is not None]

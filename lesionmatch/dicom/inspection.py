"""What is in some folders and what a comparison would take of it: all of it, refusals too.

The same functions choose here as in a comparison, so that what is shown is what happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionmatch.dicom.ct import choose_ct
from lesionmatch.dicom.drawn.segmentations import DrawnFile, Scene, drawn_files
from lesionmatch.dicom.hbp_signal import weighed
from lesionmatch.dicom.mri import choose_hbp
from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.pet import choose_pet
from lesionmatch.dicom.series.asked import require_dicom
from lesionmatch.dicom.series.inventory import scan
from lesionmatch.dicom.series.patient import IMAGE_ROLES, differences, identity
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.series.whole import require_whole
from lesionmatch.dicom.suv_study import SCHEMA, SeriesSuv, suv_of_each
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame
from lesionmatch.segments import Kind, Segment


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The series a comparison would take, or why there is none."""

    chosen: SeriesRecord | None
    notes: tuple[str, ...]
    refusal: str | None

    def to_json(self) -> dict[str, Any]:
        """The choice as JSON takes it."""
        key = self.chosen.key if self.chosen else None
        return {"series": key, "notes": list(self.notes), "refusal": self.refusal}


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """Everything found under some paths, and what would be made of it."""

    inventory: Inventory
    pet: Choice | None
    """None where there is no PET series at all."""
    ct: Choice | None
    mri: Choice | None
    suv: tuple[SeriesSuv, ...]
    """Of every PET series."""
    drawn: tuple[DrawnFile, ...]
    warnings: tuple[str, ...]

    @property
    def uses(self) -> dict[str, str]:
        """What series are used for, by their keys."""
        choices = {"PET": self.pet, "CT": self.ct, "HBP": self.mri}
        return {one.chosen.key: name for name, one in choices.items() if one and one.chosen}

    def to_json(self, *, phi: bool = False) -> dict[str, Any]:
        """Everything found, as JSON takes it."""
        suv = {one.record.key: one for one in self.suv}
        return {
            "schema": SCHEMA,
            "files": self.inventory.files,
            "series": [
                {
                    **(suv[r.key].to_json(phi=phi) if r.key in suv else r.to_json(phi=phi)),
                    "used_as": self.uses.get(r.key),
                }
                for r in self.inventory.series
            ],
            "pet": None if self.pet is None else self.pet.to_json(),
            "ct": None if self.ct is None else self.ct.to_json(),
            "hbp": None if self.mri is None else self.mri.to_json(),
            "drawn": [self._drawn_json(file) for file in self.drawn],
            "label_files": len(self.inventory.label_files),
            "skipped": dict(self.inventory.skipped),
            "warnings": list(self.warnings),
        }

    def _drawn_json(self, file: DrawnFile) -> dict[str, Any]:
        return {
            "form": file.form,
            "series": file.series,
            "segments": [
                {
                    "label": segment.label,
                    "meaning": segment.meaning.value,
                    "is_lesion": isinstance(segment.meaning, Kind),
                    "volume_ml": round(segment.mask.volume_ml, 4),
                    "voxels": int(segment.mask.array.sum()),
                    "from": segment.source,
                    "drawn_on": self.drawn_on(segment),
                }
                for segment in file.segments
            ],
            "notes": list(file.notes),
            "refusal": file.refusal,
        }

    def drawn_on(self, segment: Segment) -> str:
        """The modalities in whose frame of reference a segment lies, such as ``CT/PT``."""
        frame = segment.mask.frame
        return "/".join(
            sorted({r.modality for r in self.inventory.series if r.stack and r.frame_uid == frame})
        )


def inspect(paths: Sequence[Path], options: ReadOptions | None = None) -> Inspection:
    """What is in `paths`. Raises `NothingFound` where there is no DICOM at all."""
    options = options or ReadOptions()
    inventory = scan(paths, options.protocol)
    require_dicom(inventory, paths)
    inventory = weighed(inventory, options)
    pet = _pet(inventory, options)
    mri = _mri(inventory, options)
    ct = None
    if pet is not None and pet.chosen is not None and pet.chosen.stack is not None:
        ct = Choice(*choose_ct(inventory, pet.chosen), None)
    return Inspection(
        inventory=inventory,
        pet=pet,
        ct=ct,
        mri=mri,
        suv=suv_of_each(inventory, options),
        drawn=_drawn(inventory, [c.chosen for c in (mri, pet) if c and c.chosen], options),
        warnings=(*_patients(inventory), *inventory.broken),
    )


def _pet(inventory: Inventory, options: ReadOptions) -> Choice | None:
    if not inventory.of_modality("PT"):
        return None
    try:
        chosen, notes = choose_pet(inventory, options)
        return Choice(chosen, (*notes, *require_whole(chosen, inventory, with_drawn=False)), None)
    except InvalidInput as error:
        return Choice(None, (), str(error))


def _mri(inventory: Inventory, options: ReadOptions) -> Choice | None:
    if not inventory.of_modality("MR"):
        return None
    try:
        chosen = choose_hbp(inventory, options)
        return Choice(chosen, tuple(require_whole(chosen, inventory, with_drawn=True)), None)
    except InvalidInput as error:
        return Choice(None, (), str(error))


def _drawn(
    inventory: Inventory, chosen: Sequence[SeriesRecord], options: ReadOptions
) -> tuple[DrawnFile, ...]:
    """What is drawn in the frame of any volume; label files are placed as in a comparison."""
    volumes = [r for r in (*chosen, *inventory.series) if r.stack is not None]
    if not volumes:
        return ()
    frames = dict.fromkeys(Frame(r.frame_uid) for r in volumes)
    reference = volumes[0].usable_stack().grid
    return drawn_files(inventory, Scene(reference, (inventory,), tuple(frames), options.protocol))


def _patients(inventory: Inventory) -> tuple[str, ...]:
    """A sentence where the images are not of one patient."""
    records = [record for record in inventory.series if record.role in IMAGE_ROLES]
    for record in records[1:]:
        found = differences(identity(records[0].header), identity(record.header))
        if found:
            return (
                f"{record.what} has another {' and '.join(found)} than {records[0].what}; "
                "a comparison refuses a folder of several patients, and asks for --different-ids "
                "where PET and MRI differ",
            )
    return ()

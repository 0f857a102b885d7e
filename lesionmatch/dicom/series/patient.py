"""Whether files belong to one patient."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import text
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the patient is, to compare two studies by; it never leaves the program."""

    patient_id: str
    birth_date: str
    sex: str


def identity(dataset: Dataset) -> Identity:
    """Who the patient of a header is."""
    return Identity(
        patient_id=text(dataset, "PatientID"),
        birth_date=text(dataset, "PatientBirthDate"),
        sex=text(dataset, "PatientSex").upper(),
    )


def differences(one: Identity, other: Identity) -> tuple[str, ...]:
    """In which attributes two identities disagree; an empty one disagrees with none."""
    pairs = (
        ("PatientID", one.patient_id, other.patient_id),
        ("PatientBirthDate", one.birth_date, other.birth_date),
        ("PatientSex", one.sex, other.sex),
    )
    return tuple(name for name, a, b in pairs if a and b and a != b)


def of_one_patient(inventory: Inventory, series: str | None) -> tuple[Inventory, tuple[str, ...]]:
    """The inventory of one patient, with a note where files of others were passed over.

    Raises `InvalidInput` where the images of one folder are of several patients, unless the user
    names by its UID a `series` of one of them: then only what is of that patient is kept.
    """
    images = [record for record in inventory.series if record.role in IMAGE_ROLES]
    found = _in_several([identity(i.dataset) for record in images for i in record.instances])
    if not found:
        return inventory, ()
    named = [record for record in images if series in (record.key, record.uid)]
    if not named or _in_several([identity(i.dataset) for i in named[0].instances]):
        raise InvalidInput(
            f"{images[0].modality} folder: wanted files of one patient, got several "
            f"{' and '.join(found)}; take the other patient's files out, or name the series to use"
        )
    who = identity(named[0].header)
    kept = [r for r in inventory.series if r.role not in IMAGE_ROLES or _is_of(r, who)]
    count = len(inventory.series) - len(kept)
    note = f"{count} series of another patient in the folder were passed over"
    return replace(inventory, series=tuple(kept)), (note,)


def _in_several(everyone: Iterable[Identity]) -> tuple[str, ...]:
    """The attributes of which there are several values; an empty one is none."""
    known = list(dict.fromkeys(everyone))
    columns = (
        ("PatientID", {one.patient_id for one in known}),
        ("PatientBirthDate", {one.birth_date for one in known}),
        ("PatientSex", {one.sex for one in known}),
    )
    return tuple(name for name, values in columns if len(values - {""}) > 1)


def _is_of(record: SeriesRecord, who: Identity) -> bool:
    return not any(differences(who, identity(i.dataset)) for i in record.instances)


def same_patient_note(one: Identity, other: Identity, *, different_ids: bool) -> str | None:
    """A note where two studies disagree in identity and the user says they belong together.

    Raises `InvalidInput` where they disagree and the user does not say so.
    """
    found = differences(one, other)
    if not found:
        return None
    if different_ids:
        return f"PET and MRI differ in {', '.join(found)}; the user says they are of one patient"
    raise InvalidInput(
        f"PET and MRI: wanted studies of one patient, got another {' and '.join(found)}; "
        "check the folders, or give --different-ids"
    )


IMAGE_ROLES = frozenset({"AC PET", "NAC PET", "dynamic PET", "gated PET", "CT", "MR", "HBP"})


def listed(records: Iterable[SeriesRecord]) -> str:
    """Series keys for a message, sorted."""
    return ", ".join(sorted(record.key for record in records))

"""Whether files belong to one patient."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from lesionmatch.dicom.records import Inventory, SeriesRecord
from lesionmatch.dicom.values import text
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


def require_one_patient(inventory: Inventory, *, different_ids: bool) -> None:
    """Raise `InvalidInput` where the images of one folder are of several patients."""
    records = [record for record in inventory.series if record.role in IMAGE_ROLES]
    if different_ids or not records:
        return
    first = records[0]
    everyone = ((record, one) for record in records for one in record.instances)
    for record, instance in everyone:
        found = differences(identity(first.header), identity(instance.dataset))
        if found:
            raise InvalidInput(
                f"{record.what}: wanted files of one patient in a folder, got another "
                f"{' and '.join(found)} than {first.what}; take the other patient's files out, "
                "or give --different-ids"
            )


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

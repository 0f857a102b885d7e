"""Which MRI belongs to which PET/CT: the nearest within the window, and none twice.

Of all pairs of a patient that the window allows, the closest is taken first, then the
closest of what is left. So no PET and MRI that were not paired lie closer to each other
than each does to its partner. As many pairs as possible is not the aim: a pair of two days
is worth more than two pairs of three months.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Scan:
    """One study of one patient on one day."""

    uid: str
    patient: str
    day: date


@dataclass(frozen=True, slots=True)
class Pair:
    """A PET/CT and its MRI."""

    pet: Scan
    mri: Scan

    @property
    def days(self) -> int:
        """From the PET/CT to the MRI; negative where the MRI came first."""
        return (self.mri.day - self.pet.day).days


def allowed_pairs(
    pets: Sequence[Scan], mris: Sequence[Scan], window: tuple[int, int]
) -> list[Pair]:
    """Every pair of one patient whose days lie in the window, both ends included."""
    by_patient: dict[str, list[Scan]] = {}
    for mri in mris:
        by_patient.setdefault(mri.patient, []).append(mri)
    candidates = (Pair(pet, mri) for pet in pets for mri in by_patient.get(pet.patient, ()))
    return [pair for pair in candidates if window[0] <= pair.days <= window[1]]


def pairs(
    pets: Sequence[Scan],
    mris: Sequence[Scan],
    window: tuple[int, int],
    *,
    shared_mri: bool = False,
    keep: Callable[[Pair], bool] = lambda _: True,
) -> tuple[Pair, ...]:
    """The pairs, in the order of patients and days; only those that `keep` allows.

    A tie goes to the MRI after the PET, then to the earlier PET, then by UID, so that the
    order of the input never matters. With `shared_mri` each PET takes its nearest MRI.
    """
    taken_pets: set[str] = set()
    taken_mris: set[str] = set()
    chosen = []
    for pair in sorted(filter(keep, allowed_pairs(pets, mris, window)), key=_nearest):
        if pair.pet.uid in taken_pets or (pair.mri.uid in taken_mris and not shared_mri):
            continue
        taken_pets.add(pair.pet.uid)
        taken_mris.add(pair.mri.uid)
        chosen.append(pair)
    return tuple(sorted(chosen, key=lambda pair: (pair.pet.patient, pair.pet.day, pair.pet.uid)))


def _nearest(pair: Pair) -> tuple[int, bool, date, str, str]:
    return abs(pair.days), pair.days < 0, pair.pet.day, pair.pet.uid, pair.mri.uid

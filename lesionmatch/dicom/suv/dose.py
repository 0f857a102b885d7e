"""What the headers of a PET series say about dose and nuclide, made believable or refused.

Nothing is repaired in silence: what is taken other than as it stands is an assumption.
"""

from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import items, number
from lesionmatch.dicom.options import Override, ReadOptions
from lesionmatch.dicom.series.nuclide import nuclide_of
from lesionmatch.dicom.suv.body import body_of
from lesionmatch.dicom.suv.injected import injected
from lesionmatch.dicom.suv.said import Said, lenient
from lesionmatch.errors import InvalidInput, MissingAttribute
from lesionmatch.protocol import SuvRules
from lesionmatch.suv import HALF_LIFE_S, Body, Injection

MBQ = 1e6


@dataclass(frozen=True, slots=True)
class Administration:
    """Dose, body and what had to be assumed for them."""

    injection: Injection
    body: Body
    nuclide: str | None
    dose_from: str
    injected_from: str
    said: Said


def administration(
    dataset: Dataset, first_acquired: datetime | None, options: ReadOptions, what: str
) -> Administration:
    """Dose, time of injection, half-life and body of the patient of `dataset`.

    Raises `MissingAttribute` or `InvalidInput`, each with its remedy.
    """
    agents = items(dataset, "RadiopharmaceuticalInformationSequence")
    if len(agents) > 1:
        raise InvalidInput(
            f"{what}: wanted one radiopharmaceutical, got {len(agents)}; its SUV is not "
            "defined, choose another series"
        )
    agent = agents[0] if agents else Dataset()
    said = Said()
    nuclide, half_life_s = _half_life(agent, options, said, what)
    dose_bq, dose_from = _dose(agent, options, said, what)
    body = body_of(dataset, options, said, what)
    at, injected_from = injected(dataset, agent, first_acquired, options, said, what)
    injection = Injection(dose_bq, half_life_s, at)
    return Administration(injection, body, nuclide, dose_from, injected_from, said)


def _dose(agent: Dataset, options: ReadOptions, said: Said, what: str) -> tuple[float, str]:
    """In Bq, and where that is said."""
    rules = options.protocol.suv
    if options.dose_mbq is not None:
        stored = lenient(agent, "RadionuclideTotalDose")
        mbq = None if stored is None else stored / MBQ
        said.given("dose", Override("--dose-mbq", "MBq", options.dose_mbq, mbq))
        found, source = options.dose_mbq * MBQ, "given by the user"
    else:
        found, source = _stored_dose_bq(agent, rules, said, what), "RadionuclideTotalDose"
    if found <= 0.0:
        raise InvalidInput(f"{what}: wanted a positive dose, got {found:g} Bq; give --dose-mbq")
    if not rules.least_dose_mbq <= found / MBQ <= rules.most_dose_mbq:
        raise InvalidInput(
            f"{what}: wanted a dose of {rules.least_dose_mbq:g} to {rules.most_dose_mbq:g} MBq, "
            f"got {found:g} Bq, which is in the wrong unit or wrong; give --dose-mbq"
        )
    return found, source


def _stored_dose_bq(agent: Dataset, rules: SuvRules, said: Said, what: str) -> float:
    """As the header has it; some write it in MBq."""
    found = number(agent, "RadionuclideTotalDose")
    if found is None:
        raise MissingAttribute(
            f"{what}: wanted RadionuclideTotalDose, got nothing; give --dose-mbq"
        )
    if rules.least_dose_mbq <= found <= rules.most_dose_mbq:
        said.notes.append(
            f"RadionuclideTotalDose of {found:g} is too small for Bq and was taken as MBq"
        )
        return found * MBQ
    return found


def _half_life(
    agent: Dataset, options: ReadOptions, said: Said, what: str
) -> tuple[str | None, float]:
    """The nuclide, where it is said, and its half-life in seconds."""
    nuclide = nuclide_of(agent)
    if options.half_life_s is not None:
        stored = lenient(agent, "RadionuclideHalfLife")
        said.given("half-life", Override("--half-life-s", "s", options.half_life_s, stored))
        return nuclide, options.half_life_s
    return nuclide, _stored_half_life_s(agent, nuclide, options.protocol.suv, said, what)


def _stored_half_life_s(
    agent: Dataset, nuclide: str | None, rules: SuvRules, said: Said, what: str
) -> float:
    """As the header has it, held against the nuclide's own, which stands in where it is absent."""
    known = HALF_LIFE_S.get(nuclide or "")
    found = number(agent, "RadionuclideHalfLife")
    if found is None or found == 0.0:
        if known is None:
            raise MissingAttribute(
                f"{what}: wanted RadionuclideHalfLife or a nuclide's code, got neither; "
                "give --half-life-s"
            )
        said.notes.append(f"half-life is absent; that of {nuclide}, {known:g} s, was taken")
        return known
    if found < 0.0:
        raise InvalidInput(
            f"{what}: wanted a positive half-life, got {found:g} s; give --half-life-s"
        )
    off = 0.0 if known is None else abs(found / known - 1.0)
    if off > rules.half_life_refuse:
        raise InvalidInput(
            f"{what}: wanted the half-life of {nuclide}, {known:g} s, got {found:g} s; "
            "give --half-life-s"
        )
    if off > rules.half_life_warn:
        said.notes.append(f"half-life of {found:g} s differs by {off:.1%} from that of {nuclide}")
    return found

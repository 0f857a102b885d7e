"""Headers of very many files: a few attributes of each, and what one of each series shows.

An index of a hospital's tree touches every file once. `read_tag` therefore stops at the
series' UID, long before pixels and private groups; `series_facts` reads the whole header,
but of one file a series. Who a patient is never leaves here as it is written: `Tag` holds
it for the caller to turn into a pseudonym.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag

from lesionmatch.dicom.files.instance import BARE, DEFLATED, MAGIC, PARSER_FAULTS, read_instance
from lesionmatch.dicom.files.sources import Source
from lesionmatch.dicom.files.values import items, parse_date, tag_of, text
from lesionmatch.dicom.series import hbp
from lesionmatch.dicom.series.classify import describe, plain_words
from lesionmatch.dicom.series.enhanced import header_of
from lesionmatch.dicom.series.nuclide import nuclide_of
from lesionmatch.errors import InvalidInput
from lesionmatch.protocol import InputLimits

DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
"""A study's date is the first of these that can be read."""

WANTED = (
    *("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", *DATES),
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "PatientAge"),
)
WANTED_TAGS: list[BaseTag | int] = [
    tag_of(keyword) for keyword in (*WANTED, "SpecificCharacterSet")
]
LAST_TAG = tag_of("SeriesInstanceUID")

ZIP = b"PK\x03\x04"
AGE = re.compile(r"^(\d{1,3})([DWMY])$")
YEARS_OF = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1}

LIGANDS = (
    ("dotatate", r"dota ?tate|octreotate|oxodotreotide|netspot|detectnet"),
    ("dotatoc", r"dota ?toc|edotreotide|somakit"),
    ("dotanoc", r"dota ?noc"),
    ("sitate", r"si ?tate"),
    ("satoreotide", r"satoreotide|opz?s202|nodaga ?jr11"),
    ("ssr", r"somatostatin|\bsst(r\d?)?\b|octreotide|\blm3\b"),
)
"""Ligands of the somatostatin receptor, by how headers call them."""
OTHER_LIGANDS = re.compile(
    r"fdg|fluorodeoxy|psma|piflufolastat|fapi|choline|fluciclovine|dopa|\bfet\b|\bflt\b|fluoride"
    r"|\bnaf\b|methionine|exendin|pentixa|florbeta|flutemet|amyloid|\btau\b"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """What one file says of whose, which and when it is. Identities as they are written."""

    study: str
    series: str
    instance: str
    modality: str
    patient_id: str
    name: str
    birth_date: str
    sex: str
    study_date: date | None
    age_years: int | None
    """Completed at the study."""


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What a series is, by one of its headers."""

    role: str
    set_aside: str | None
    hbp_score: float | None
    """Points for the hepatobiliary phase among the series given; None for what is no MR."""
    ligand: str
    """dotatate, dotatoc, ...; other: a ligand of something else; empty: not said."""
    nuclide: str
    scanner: str
    """Manufacturer and model."""


def read_tag(path: Path) -> Tag | str:
    """The few attributes of a file, or why it has none."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
            is_bare = head[128:132] != MAGIC
            if head.startswith(ZIP):
                return "a zip, which an index does not unpack"
            if is_bare and not BARE.match(head):
                return "not DICOM"
            if not is_bare and DEFLATED.search(head):
                return "deflated as a whole, which an index does not unpack"
            file.seek(0)
            return _tag(
                read_partial(file, stop_when=_is_past, force=is_bare, specific_tags=WANTED_TAGS)
            )
    except PARSER_FAULTS as error:
        return f"cannot be read as DICOM ({type(error.__cause__ or error).__name__})"


def _is_past(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001 - pydicom's call
    return bool(tag > LAST_TAG)


def _tag(dataset: Dataset) -> Tag | str:
    study, series = text(dataset, "StudyInstanceUID"), text(dataset, "SeriesInstanceUID")
    if not study or not series:
        return "no study or series UID"
    birth = text(dataset, "PatientBirthDate")
    taken = next((day for name in DATES if (day := parse_date(text(dataset, name)))), None)
    return Tag(
        study=study,
        series=series,
        instance=text(dataset, "SOPInstanceUID"),
        modality=text(dataset, "Modality"),
        patient_id=text(dataset, "PatientID"),
        name=text(dataset, "PatientName").upper().rstrip("^ "),
        birth_date=birth,
        sex=text(dataset, "PatientSex").upper()[:1],
        study_date=taken,
        age_years=_age(birth, text(dataset, "PatientAge"), taken),
    )


def _age(birth: str, age: str, taken: date | None) -> int | None:
    born = parse_date(birth)
    if born is not None and taken is not None and born <= taken:
        return completed_years(born, taken)
    match = AGE.match(age)
    return int(int(match[1]) * YEARS_OF[match[2]]) if match else None


def completed_years(born: date, day: date) -> int:
    """Age in completed years, by the calendar: on the birthday, not a day before.

    >>> completed_years(date(2002, 3, 1), date(2020, 2, 29)), completed_years(
    ...     date(2002, 3, 1), date(2020, 3, 1)
    ... )
    (17, 18)
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def series_facts(files: Mapping[str, Path], limits: InputLimits) -> dict[str, SeriesFacts | str]:
    """What the series of one study are, by one file of each; or why that file is not read."""
    found: dict[str, SeriesFacts | str] = {}
    headers: dict[str, Dataset] = {}
    for series, path in files.items():
        header = _header(path, limits)
        if isinstance(header, str):
            found[series] = header
        else:
            headers[series] = header
    taken = {series: describe(header) for series, header in headers.items()}
    images = {k: headers[k] for k, one in taken.items() if one.role == "MR" and not one.set_aside}
    scores = hbp.in_study(images)
    for series, header in headers.items():
        ligand, nuclide = tracer(header)
        found[series] = SeriesFacts(
            role=taken[series].role,
            set_aside=taken[series].set_aside,
            hbp_score=hbp.total(scores[series]) if series in scores else None,
            ligand=ligand,
            nuclide=nuclide,
            scanner=" ".join(
                word
                for key in ("Manufacturer", "ManufacturerModelName")
                if (word := text(header, key))
            ),
        )
    return found


def _header(path: Path, limits: InputLimits) -> Dataset | str:
    try:
        size = path.stat().st_size
    except OSError:
        return "no longer there"
    instance = read_instance(Source(path, None, size), limits)
    return instance if isinstance(instance, str) else header_of(instance)


def tracer(header: Dataset) -> tuple[str, str]:
    """The ligand and the nuclide of a PET series in words of our own; empty where not said."""
    try:
        doses = items(header, "RadiopharmaceuticalInformationSequence")
    except InvalidInput:
        return "", ""
    said = " ".join(_said(dose) for dose in doses)
    ligand = next((name for name, pattern in LIGANDS if re.search(pattern, said)), "")
    if not ligand and OTHER_LIGANDS.search(said):
        ligand = "other"
    return ligand, next(filter(None, map(nuclide_of, doses)), "")


def _said(dose: Dataset) -> str:
    codes = items(dose, "RadiopharmaceuticalCodeSequence")
    meanings = [plain_words(item, "CodeMeaning", "CodeValue") for item in codes]
    return " ".join([plain_words(dose, "Radiopharmaceutical"), *meanings])

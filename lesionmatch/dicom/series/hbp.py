"""Which MR series is the hepatobiliary phase: a score, with the evidence in our own words.

No attribute of DICOM says so. What does: what the technologist called the series, the
contrast agent, the minutes after its injection, and the kind of sequence (a 3D gradient
echo with short times and fat saturation). Headers are often wrong in one of these, so none
alone decides. Points are a design, not a measurement.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import moment, number, parse_time, text, words
from lesionmatch.dicom.series.classify import plain_words
from lesionmatch.errors import InvalidInput

DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "SequenceName")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reason for or against, and what it weighs."""

    points: float
    says: str


DESCRIBED: tuple[tuple[str, float, str], ...] = (
    (r"\bhbp\b|h?[eé]pato ?bil|hepatocyt|\bhep(atic)? ?phase|\bhb ?phase|leber ?spez"
     r"|hepatospez",
     4, "description says hepatobiliary phase"),
    (r"\b(1[5-9]|2\d|30) ?(min|minutes?|mn|m|')(?![a-z])",
     3, "description says 15 to 30 minutes"),
    (r"\b1[0-4] ?(min|minutes?|')(?![a-z])", 1, "description says 10 to 14 minutes"),
    (r"\b[1-8] ?(min|minutes?|')(?![a-z])", -3, "description says 1 to 8 minutes"),
    (r"\blate\b|delay|\bspät|\bspaet|\btardi", 1, "description says late"),
    (r"arter|\bart\b|portal|\bpv\b|\bpvp\b|\bven(ous|ös)?\b|transit|equilib"
     r"|^(?!.*\b(1[5-9]|2\d|30) ?(min|mn)).*\bdyn",
     -4, "description says a dynamic phase"),
    (r"\bpre\b|\bnativ?e?\b|unenhanced|without contrast|\bohne km\b",
     -4, "description says before contrast"),
    (r"\bsub(tr(action)?)?\b|\bdiff?erence\b", -10, "description says subtraction"),
    (r"\bin ?phase|opp|out ?of ?phase|\bip\b|\bop\b|\boop\b|dixon[ _]?f\b",
     -8, "description says in or opposed phase"),
    (r"\bdwi?\b|\badc\b|diffusion|\bep2d|\btrace", -10, "description says diffusion"),
    (r"\bt2|haste|\bssfse|\btse\b|\bfse\b|stir|flair|mrcp|trufi|fiesta|\bbtfe|blade|propeller",
     -10, "description says T2 or fluid"),
    (r"\bloc(ali[sz]er)?\b|scout|survey", -10, "description says localizer"),
    (r"\bmip\b|\bmpr\b|\breformat", -4, "description says reformatted"),
)  # fmt: skip
SIGNAL_ONLY_FAT = re.compile(r"\b(fat|f) ?(only|image)\b")
FAT_SATURATION = re.compile(r"\bfs\b|fat ?sat|fatsat|\bspair|\bspir\b|\bwater\b|\bwfs\b")
THREE_D_NAMES = re.compile(r"vibe|lava|thrive|quick ?3d|\btigre|fame\b|efgre3d|\b3d\b")
LIVER_AGENT = re.compile(r"gadox|gd eob|primovist|eovist|eob")
HALF_LIVER_AGENT = re.compile(r"gadoben|multihance|bopta")
OTHER_AGENT = re.compile(
    r"gadobut|gad[ao]vist|gadoter|dotarem|clariscan|artirem|prohance|gadopicl|elucirem|vueway"
    r"|gadodiam|omniscan|gadopent|magnevist|gadovers|optimark|dota\b|dtpa\b"
)
"""By name; what technologists type else, as "contrast" or "KM 10 ml", names none."""
TYPED: tuple[tuple[frozenset[str], float, str], ...] = (
    (frozenset({"SUBTRACT", "SUBTRACTION", "SUB"}), -10, "image type says subtraction"),
    (frozenset({"MPR", "REFORMATTED", "CPR"}), -4, "image type says reformatted"),
    (frozenset({"WATER", "W"}), 1, "image type says water"),
    (frozenset({"IN_PHASE", "INPHASE", "IP", "OPP_PHASE", "OPPOSED_PHASE", "OUT_PHASE",
                "OUT_OF_PHASE", "OP"}),
     -8, "image type says in or opposed phase"),
    (frozenset({"FAT_FRACTION", "FF", "R2_STAR", "T2_STAR", "R2STAR", "T2STAR"}),
     -10, "image type says a map"),
)  # fmt: skip
"""Values of Image Type, of which those of Dixon's method are the makers' own."""
FAT_ONLY = {"FAT", "F"}
UNCORRECTED = "ND"
"""Siemens' word in Image Type for what is not corrected for distortion."""
LATE = timedelta(minutes=10)
EARLY = timedelta(minutes=8)


def score(dataset: Dataset) -> tuple[Evidence, ...]:
    """What one header of an MR series says for and against the hepatobiliary phase."""
    return (
        *_described(dataset),
        *_agent(dataset),
        *_after_contrast(dataset),
        *_sequence(dataset),
    )


def _described(dataset: Dataset) -> list[Evidence]:
    said = plain_words(dataset, *DESCRIPTIONS)
    found = [Evidence(points, says) for regex, points, says in DESCRIBED if re.search(regex, said)]
    kinds = _kinds(dataset)
    found += [Evidence(points, says) for values, points, says in TYPED if kinds & values]
    if SIGNAL_ONLY_FAT.search(said) or kinds & FAT_ONLY:
        found.append(Evidence(-5, "shows fat only"))
    return found


def _kinds(dataset: Dataset) -> set[str]:
    return {word.upper() for word in words(dataset, "ImageType")}


def _agent(dataset: Dataset) -> list[Evidence]:
    agent = plain_words(dataset, "ContrastBolusAgent")
    if LIVER_AGENT.search(agent):
        return [Evidence(2, "contrast agent is gadoxetate")]
    if HALF_LIVER_AGENT.search(agent):
        return [Evidence(1, "contrast agent is gadobenate")]
    if OTHER_AGENT.search(agent):
        return [Evidence(-3, "contrast agent is not one the liver takes up")]
    return []


def _after_contrast(dataset: Dataset) -> list[Evidence]:
    started = parse_time(text(dataset, "ContrastBolusStartTime"))
    taken = acquired(dataset)
    if started is None or taken is None:
        return []
    elapsed = taken - datetime.combine(taken.date(), started)
    if elapsed < -timedelta(hours=12):
        elapsed += timedelta(days=1)
    minutes = elapsed.total_seconds() / 60
    if elapsed >= LATE:
        return [Evidence(3, f"acquired {minutes:.0f} min after contrast")]
    if elapsed < EARLY:
        return [Evidence(-3, f"acquired {minutes:.0f} min after contrast")]
    return []


def _sequence(dataset: Dataset) -> list[Evidence]:
    kind = {word.upper() for word in words(dataset, "ScanningSequence")}
    said = plain_words(dataset, *DESCRIPTIONS)
    found = []
    if kind & {"SE", "EP", "IR"}:
        found.append(Evidence(-5, "not a gradient echo"))
    elif is_t1_3d(dataset):
        found.append(Evidence(1, "3D gradient echo"))
    elif text(dataset, "MRAcquisitionType").upper() == "2D":
        found.append(Evidence(-2, "2D"))
    options = plain_words(dataset, "ScanOptions").upper().split()
    if FAT_SATURATION.search(said) or {"FS", "SFS"} & set(options) or "SAT_GEMS" in options:
        found.append(Evidence(1, "fat saturation"))
    repetition, echo = _number(dataset, "RepetitionTime"), _number(dataset, "EchoTime")
    if repetition is not None and echo is not None:
        short = repetition < 10 and echo < 3
        found.append(Evidence(1, "short TR and TE") if short else Evidence(-2, "long TR or TE"))
    return found


def _number(dataset: Dataset, keyword: str) -> float | None:
    """A number that only supports: what is malformed says nothing."""
    try:
        return number(dataset, keyword)
    except InvalidInput:
        return None


def is_t1_3d(dataset: Dataset) -> bool:
    """Whether it is a 3D gradient echo, by its attributes or by its name."""
    kind = {word.upper() for word in words(dataset, "ScanningSequence")}
    named = THREE_D_NAMES.search(plain_words(dataset, *DESCRIPTIONS)) is not None
    three_d = text(dataset, "MRAcquisitionType").upper() == "3D"
    return not kind & {"SE", "EP", "IR"} and (named or (three_d and (not kind or "GR" in kind)))


def acquired(dataset: Dataset) -> datetime | None:
    """When the image was acquired; the series' time where the header has no other."""
    return (
        moment(dataset, "AcquisitionDate", "AcquisitionTime")
        or moment(dataset, "SeriesDate", "AcquisitionTime")
        or moment(dataset, "StudyDate", "AcquisitionTime")
        or moment(dataset, "SeriesDate", "SeriesTime")
    )


def _is_axial(dataset: Dataset) -> bool:
    try:
        axes = [float(word) for word in words(dataset, "ImageOrientationPatient")]
    except ValueError:
        return True
    return len(axes) != 6 or abs(axes[0] * axes[4] - axes[1] * axes[3]) > 0.8


def in_study(headers: Mapping[str, Dataset]) -> dict[str, tuple[Evidence, ...]]:
    """The score of every series of a study, by its key, with what only comparison tells:
    which was acquired last, and how long after the first phase with contrast."""
    found = {key: list(score(header)) for key, header in headers.items()}
    times = {key: acquired(header) for key, header in headers.items() if is_t1_3d(header)}
    known = {key: time for key, time in times.items() if time is not None}
    for key in _last(known):
        found[key].append(Evidence(1, "last of the 3D gradient echoes"))
    if known and max(known.values()) - min(known.values()) >= EARLY:
        for key, time in known.items():
            if time - min(known.values()) >= EARLY and not _has_minutes(found[key]):
                found[key].append(Evidence(2, "acquired 8 min or more after the first of them"))
    if any(_is_axial(headers[key]) for key in times):
        for key in headers:
            if not _is_axial(headers[key]):
                found[key].append(Evidence(-2, "not axial, where axial ones are"))
    uncorrected = {key for key in times if UNCORRECTED in _kinds(headers[key])}
    for key in uncorrected if uncorrected != times.keys() else ():
        found[key].append(Evidence(-1, "not corrected for distortion, where others are"))
    return {key: tuple(evidence) for key, evidence in found.items()}


def _last(times: Mapping[str, datetime]) -> Sequence[str]:
    if len(times) < 2 or len(set(times.values())) < 2:
        return ()
    return [key for key, time in times.items() if time == max(times.values())]


def _has_minutes(evidence: Sequence[Evidence]) -> bool:
    return any("min after contrast" in item.says for item in evidence)


def total(evidence: Sequence[Evidence]) -> float:
    """The score."""
    return sum(item.points for item in evidence)

"""Every threshold of the method, with its unit, its default and where it comes from.

A `Protocol` is made of sections, one for each part of the method; a section's fields are
made by `threshold`, so that what a number means is written once and the report, the
documentation and the checks of a protocol file all read it from here.

A protocol file is TOML with a table for each section to change, and in it the thresholds
to change; what it does not name keeps its default::

    [flags]
    subcapsular_mm = 10.0
"""

import hashlib
import json
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lesionmatch.errors import InvalidOption


def threshold(
    default: float, unit: str, says: str, source: str, *, least: float, most: float
) -> Any:  # noqa: ANN401 - a dataclass field has the type of its annotation
    """A field of a section: `default` in `unit`, what it `says`, where it comes from, its range."""
    meta = {"unit": unit, "says": says, "source": source, "least": least, "most": most}
    return field(default=default, metadata=meta)


@dataclass(frozen=True, slots=True)
class FlagRules:
    """When a lesion or focus is flagged; distances in mm come first, flags stand on them."""

    small_mm: float = threshold(
        6.0,
        "mm",
        "a long axis below this is small",
        "Grawe et al. 2023: 30 of 51 missed were below 0.6 cm",
        least=1.0,
        most=30.0,
    )
    subcentimetre_mm: float = threshold(
        10.0,
        "mm",
        "a long axis below this is subcentimetre",
        "RECIST 1.1: measurable from 10 mm",
        least=1.0,
        most=30.0,
    )
    subcapsular_mm: float = threshold(
        5.0,
        "mm",
        "a surface this near the capsule is subcapsular",
        "own choice; the paper names no distance, others use 3 to 10 mm",
        least=0.0,
        most=20.0,
    )
    perihilar_mm: float = threshold(
        20.0,
        "mm",
        "a centroid this near the hilum is perihilar",
        "own choice; 10 to 20 mm about the portal bifurcation is customary",
        least=0.0,
        most=60.0,
    )
    near_vessel_mm: float = threshold(
        5.0,
        "mm",
        "a surface this near a large vessel is near it",
        "Huang et al., Eur J Radiol 2014;83:552",
        least=0.0,
        most=20.0,
    )
    low_uptake: float = threshold(
        1.0,
        "ratio",
        "a tumour-to-liver ratio below this is low uptake",
        "Krenning: at or below the liver is no positive finding",
        least=0.1,
        most=5.0,
    )
    noisy_liver_cov: float = threshold(
        0.15,
        "ratio",
        "a coefficient of variation of the liver above this is noisy",
        "EJNMMI Res 2020 (10.1186/s13550-020-0601-y): acceptable at SNR 6.2",
        least=0.01,
        most=1.0,
    )
    uncertain_registration_mm: float = threshold(
        5.0,
        "mm",
        "a registration error above half the long axis, and above this, is uncertain",
        "own choice; half the axis moves a lesion off its own centre",
        least=0.0,
        most=30.0,
    )


@dataclass(frozen=True, slots=True)
class UptakeRules:
    """How uptake is scored against the liver."""

    none_ratio: float = threshold(
        0.1,
        "ratio",
        "uptake over the liver up to this is none (Krenning 0)",
        "own choice; blood and muscle already take up more",
        least=0.0,
        most=0.5,
    )
    faint_ratio: float = threshold(
        0.5,
        "ratio",
        "uptake over the liver up to this is much lower (Krenning 1)",
        "own choice; the scale names no number",
        least=0.1,
        most=0.95,
    )
    liver_band: float = threshold(
        0.1,
        "ratio",
        "uptake above the liver by no more than this share is equal to it (Krenning 2)",
        "own choice; what SUVpeak varies by in a noisy liver",
        least=0.0,
        most=1.0,
    )


@dataclass(frozen=True, slots=True)
class DetectabilityRules:
    """What a lesion of a given size and uptake is expected to show on the PET."""

    unprompted_cnr: float = threshold(
        5.0,
        "ratio",
        "a lesion of this contrast-to-noise is found without knowing where to look",
        "Rose criterion; a Gaussian field over 1.5 l gives 0.05 false peaks at this height",
        least=1.0,
        most=20.0,
    )
    prompted_cnr: float = threshold(
        3.0,
        "ratio",
        "a lesion of this contrast-to-noise is found once the MRI says where to look",
        "a Gaussian field within 10 mm of a lesion gives 0.13 false peaks at this height",
        least=0.5,
        most=20.0,
    )
    typical_ratio: float = threshold(
        3.4,
        "ratio",
        "the mean tumour-to-liver ratio of a liver metastasis",
        "Prasad and Baum 2010: 3.4 (SD 2.3) in 200 lesions",
        least=1.1,
        most=50.0,
    )
    typical_ratio_sd: float = threshold(
        2.3,
        "ratio",
        "the standard deviation of that ratio among metastases",
        "Prasad and Baum 2010: 3.4 (SD 2.3) in 200 lesions",
        least=0.1,
        most=50.0,
    )
    breathing_mm: float = threshold(
        10.0,
        "mm",
        "peak-to-peak breathing blur along the body where the study does not say",
        "own choice; the quiet liver moves 5 to 25 mm",
        least=0.0,
        most=40.0,
    )
    customary_cov: float = threshold(
        0.12,
        "ratio",
        "the coefficient of variation of a liver on a scan of customary quality",
        "own choice; 0.16 is just acceptable (EJNMMI Res 2020, 10.1186/s13550-020-0601-y)",
        least=0.01,
        most=1.0,
    )
    edge_cnr: float = threshold(
        1.5,
        "ratio",
        "contrast-to-noise that being found beside a colder neighbour costs on top of its deficit",
        "own simulations: 1 to 1.5 with the centre 3 to 6 mm deep",
        least=0.0,
        most=10.0,
    )
    outside_ratio: float = threshold(
        0.1,
        "ratio",
        "uptake of what lies beyond the capsule (fat, lung, muscle) over that of the liver",
        "own choice; fat, lung and muscle take up little beside the liver",
        least=0.0,
        most=1.0,
    )
    blood_ratio: float = threshold(
        0.4,
        "ratio",
        "uptake of a large vessel over that of the liver",
        "Prasad and Baum 2010: blood pool 2.6, liver 6.9",
        least=0.0,
        most=1.0,
    )


@dataclass(frozen=True, slots=True)
class RelationRules:
    """When a lesion and a focus are the same thing."""

    tolerance_most_mm: float = threshold(
        15.0,
        "mm",
        "no lesion and focus further apart than this are related",
        "own choice; twice the resolution of a PET of the liver",
        least=1.0,
        most=50.0,
    )
    ambiguous_cost: float = threshold(
        1.2,
        "ratio",
        "a relation is ambiguous where the second best costs less than this times the best",
        "own choice; a fifth is within what a registration error changes",
        least=1.0,
        most=5.0,
    )
    shared_overlap: float = threshold(
        0.5,
        "ratio",
        "a second lesion shares a focus that covers at least this much of it",
        "own choice; a neighbour of a hot lesion is touched by its blur, not covered",
        least=0.05,
        most=1.0,
    )
    considered_mm: float = threshold(
        30.0,
        "mm",
        "pairs with surfaces nearer than this are listed, related or not",
        "own choice; the range of displacements between breath holds",
        least=1.0,
        most=100.0,
    )


@dataclass(frozen=True, slots=True)
class ReasonRules:
    """What explains that the PET and the MRI disagree on a lesion or a focus."""

    small_size_mm: float = threshold(
        12.0,
        "mm",
        "up to this long axis size may explain a miss",
        "Grawe et al. 2023, Table 2: small lesions up to 1.2 cm",
        least=1.0,
        most=30.0,
    )
    retrospective_p: float = threshold(
        0.05,
        "ratio",
        "uptake rarer than this in lesion-free places is real uptake",
        "own choice; the customary level of a single test",
        least=0.0001,
        most=0.5,
    )
    misplaced_mm: float = threshold(
        30.0,
        "mm",
        "an unrelated focus this near a missed lesion suggests misregistration",
        "own choice; breath-hold MRI and PET differ by about 23 mm before alignment",
        least=1.0,
        most=100.0,
    )


@dataclass(frozen=True, slots=True)
class LandmarkRules:
    """When matched lesions correct the registration around them."""

    least_count: float = threshold(
        3.0,
        "lesions",
        "fewer landmarks than this around a lesion correct nothing",
        "own choice; the middle of three survives one wrong match",
        least=2.0,
        most=50.0,
    )
    reach_mm: float = threshold(
        60.0,
        "mm",
        "landmarks count by a Gaussian of this standard deviation of their distance",
        "own choice; the liver deforms smoothly over half of its width",
        least=5.0,
        most=500.0,
    )
    agreement_mm: float = threshold(
        4.0,
        "mm",
        "landmarks whose offsets scatter more than this about their middle disagree",
        "own choice; about half the width of the blur of the PET",
        least=0.5,
        most=30.0,
    )


@dataclass(frozen=True, slots=True)
class CallRules:
    """What a study is called, and when it cannot be called."""

    lesion_covered: float = threshold(
        0.5,
        "ratio",
        "a lesion of which less than this is inside the PET is not covered",
        "own choice; half a lesion can still be found",
        least=0.05,
        most=1.0,
    )
    edge_of_coverage_mm: float = threshold(
        10.0,
        "mm",
        "a lesion this near the first or last slice of the PET is at its edge",
        "own choice; the outer slices of a scan are the noisiest",
        least=0.0,
        most=50.0,
    )
    liver_covered: float = threshold(
        0.95,
        "ratio",
        "less of the liver than this on the PET leaves a call without a focus uncertain",
        "own choice; a twentieth is what masks of one liver differ by",
        least=0.1,
        most=1.0,
    )


@dataclass(frozen=True, slots=True)
class Protocol:
    """All thresholds a comparison uses.

    Raises `InvalidOption` where a threshold is no number or lies outside its range.
    """

    flags: FlagRules = field(default_factory=FlagRules)
    uptake: UptakeRules = field(default_factory=UptakeRules)
    detectability: DetectabilityRules = field(default_factory=DetectabilityRules)
    relations: RelationRules = field(default_factory=RelationRules)
    reasons: ReasonRules = field(default_factory=ReasonRules)
    landmarks: LandmarkRules = field(default_factory=LandmarkRules)
    calls: CallRules = field(default_factory=CallRules)

    def __post_init__(self) -> None:
        for section in fields(self):
            rules = getattr(self, section.name)
            for rule in fields(rules):
                _check(f"{section.name}.{rule.name}", getattr(rules, rule.name), rule)

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Every threshold by section and name, as a float however it was written."""
        return {
            section: {name: float(value) for name, value in rules.items()}
            for section, rules in asdict(self).items()
        }

    @property
    def sha256(self) -> str:
        """Hexadecimal hash of all thresholds: equal exactly where all of them are equal."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def load_protocol(path: Path) -> Protocol:
    """The defaults with what the TOML file at `path` changes.

    Raises `InvalidOption` where the file cannot be read, names a section or a threshold
    there is not, or gives a value that cannot be.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidOption(f"protocol file: wanted TOML that can be read, got {error}") from error
    return changed(Protocol(), tables)


def changed(protocol: Protocol, tables: Mapping[str, object]) -> Protocol:
    """`protocol` with the thresholds of `tables`, by section and name. Raises `InvalidOption`."""
    return replace(
        protocol,
        **{name: _section(protocol, name, values) for name, values in tables.items()},
    )


def _section(protocol: Protocol, name: str, values: object) -> object:
    known = [section.name for section in fields(protocol)]
    if name not in known:
        raise InvalidOption(f"protocol: wanted a section, got [{name}]; {_nearest(name, known)}")
    if not isinstance(values, Mapping):
        raise InvalidOption(f"protocol: wanted a table [{name}], got {name} = {values!r}")
    rules = getattr(protocol, name)
    for key in values:
        names = [rule.name for rule in fields(rules)]
        if key not in names:
            raise InvalidOption(
                f"protocol: wanted a threshold of [{name}], got {key}; {_nearest(key, names)}"
            )
    return replace(rules, **values)


def _nearest(got: str, known: Iterable[str]) -> str:
    """The remedy: the nearest of the `known` names, or all of them where none is near."""
    names = sorted(known)
    near = get_close_matches(got, names, n=1)
    return f"did you mean {near[0]}?" if near else f"choose from {', '.join(names)}"


def _check(name: str, value: object, rule: Field[Any]) -> None:
    """Raise `InvalidOption` unless `value` is a number in the range of the `rule`."""
    least, most, unit = (rule.metadata[key] for key in ("least", "most", "unit"))
    wanted = f"protocol: {name}: wanted a number from {least:g} to {most:g} {unit}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidOption(f"{wanted}, got {value!r}")
    if not math.isfinite(value) or not least <= value <= most:
        raise InvalidOption(f"{wanted}, got {value}")

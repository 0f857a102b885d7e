"""Every threshold of the method, with its unit, its default and where it comes from.

A `Protocol` is made of sections, one for each part of the method; a section's fields are
made by `threshold`, so that what a number means is written once and the report, the
documentation and the checks of a protocol file all read it from here.

A protocol file is TOML with a table for each section to change, and in it the thresholds
to change; what it does not name keeps its default::

    [flags]
    subcapsular_mm = 10.0

Each section has a module of its own, named as the part of the method it belongs to. Where a
section has many thresholds, those of one subject have a class and a module that it inherits.
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
from lesionmatch.protocol.cohort import CohortRules
from lesionmatch.protocol.concordance import CallRules, LandmarkRules, ReasonRules, RelationRules
from lesionmatch.protocol.detectability import DetectabilityRules
from lesionmatch.protocol.flags import FlagRules
from lesionmatch.protocol.foci import FociRules
from lesionmatch.protocol.lesions import LesionRules
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.protocol.neighbours import NeighbourRules
from lesionmatch.protocol.reading import DrawnRules, InputLimits, SeriesRules, SuvRules
from lesionmatch.protocol.registration import RegistrationRules
from lesionmatch.protocol.registration_bounds import RegistrationBounds
from lesionmatch.protocol.uptake import UptakeRules

__all__ = [
    "CallRules",
    "CohortRules",
    "DetectabilityRules",
    "DrawnRules",
    "FlagRules",
    "FociRules",
    "InputLimits",
    "LandmarkRules",
    "LesionRules",
    "LiverRules",
    "NeighbourRules",
    "Protocol",
    "ReasonRules",
    "RegistrationBounds",
    "RegistrationRules",
    "RelationRules",
    "SeriesRules",
    "SuvRules",
    "UptakeRules",
    "changed",
    "load_protocol",
]


@dataclass(frozen=True, slots=True)
class Protocol:
    """All thresholds a comparison uses.

    Raises `InvalidOption` where a threshold is no number or lies outside its range.
    """

    flags: FlagRules = field(default_factory=FlagRules)
    lesions: LesionRules = field(default_factory=LesionRules)
    uptake: UptakeRules = field(default_factory=UptakeRules)
    detectability: DetectabilityRules = field(default_factory=DetectabilityRules)
    relations: RelationRules = field(default_factory=RelationRules)
    reasons: ReasonRules = field(default_factory=ReasonRules)
    landmarks: LandmarkRules = field(default_factory=LandmarkRules)
    liver: LiverRules = field(default_factory=LiverRules)
    neighbours: NeighbourRules = field(default_factory=NeighbourRules)
    calls: CallRules = field(default_factory=CallRules)
    cohort: CohortRules = field(default_factory=CohortRules)
    foci: FociRules = field(default_factory=FociRules)
    input: InputLimits = field(default_factory=InputLimits)
    series: SeriesRules = field(default_factory=SeriesRules)
    drawn: DrawnRules = field(default_factory=DrawnRules)
    suv: SuvRules = field(default_factory=SuvRules)
    registration: RegistrationRules = field(default_factory=RegistrationRules)
    registration_bounds: RegistrationBounds = field(default_factory=RegistrationBounds)

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
    except OSError as error:
        raise InvalidOption(
            f"protocol file: wanted one that can be read, got {error.strerror}; check the path"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidOption(
            f"protocol file: wanted TOML, got what is none: {error}; mend it there"
        ) from error
    return changed(Protocol(), tables)


def changed(protocol: Protocol, tables: Mapping[str, object]) -> Protocol:
    """`protocol` with the thresholds of `tables`, by section and name. Raises `InvalidOption`."""
    sections: dict[str, Any] = {
        name: _section(protocol, name, values) for name, values in tables.items()
    }
    return replace(protocol, **sections)


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

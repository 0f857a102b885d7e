"""How a threshold is declared: a field of a section with its unit, reason and range."""

from dataclasses import field
from typing import Any


def threshold(
    default: float, unit: str, says: str, source: str, *, least: float, most: float
) -> Any:  # noqa: ANN401 - a dataclass field has the type of its annotation
    """A field of a section: `default` in `unit`, what it `says`, where it comes from, its range."""
    meta = {"unit": unit, "says": says, "source": source, "least": least, "most": most}
    return field(default=default, metadata=meta)

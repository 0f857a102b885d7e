"""Values as a person types them, on the command line or in a table.

Each function raises `ValueError` with what was wanted and what was got.
"""

import math
from datetime import datetime
from pathlib import Path

SHORTEST = len("2025-01-31T09")


def positive(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise ValueError(f"wanted a number above 0, got {text!r}")
    return value


def path(text: str) -> Path:
    """A path; an empty one, as of a variable that is not set, is not taken for where one is."""
    if not text:
        raise ValueError("wanted a path, got an empty one")
    return Path(text)


def unreachable(path: Path) -> str | None:
    """Why a path leads to nothing that can be opened, in the system's words; None where it does
    not: a folder above may be closed, the name too long, or nothing there."""
    try:
        path.stat()
    except OSError as error:
        return str(error.strerror)
    return None


def moment(text: str) -> datetime:
    """A day and a time, on the scanner's own clock."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or len(text) < SHORTEST:
        raise ValueError(
            f"wanted a day and a time without a zone, such as 2025-01-31T09:30, got {text!r}"
        )
    return found


def sex(text: str) -> str:
    """``M`` or ``F``."""
    found = text.upper()
    if found not in ("M", "F"):
        raise ValueError(f"wanted M or F, got {text!r}")
    return found

"""The paper's tables of why PET and MRI disagreed, and which of our reasons make each row.

Grawe et al., Cancer Imaging 2023;23(1): Table 2 has the 51 studies with involvement on the
MRI alone, Table 3 the 16 on the PET alone. A program cannot tell how a reader rated an
uptake, so the paper's two rows of low uptake are one reason here unless a reader says
which; what the paper has no row for is shown beneath its rows, never pressed into one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lesionmatch.wording import plain


@dataclass(frozen=True, slots=True)
class Cause:
    """A row of the paper's table, or one of ours that it lacks."""

    code: str
    reasons: tuple[str, ...]
    """Words of the reason column that count to this row."""
    mri: str
    pet: str
    printed: int | None = None
    """The paper's count; None for a row it does not have."""


MISSED = (
    Cause("small_size", ("small_size",), "small lesions, up to 1.2 cm", "no uptake", 36),
    Cause("subcapsular", ("subcapsular",), "low involvement, subcapsular", "no uptake", 6),
    Cause(
        "near_vessel",
        ("near_vessel",),
        "close to the large vessels",
        "uptake taken for vascular",
        3,
    ),
    Cause(
        "low_uptake_benign",
        ("low_uptake_benign",),
        "low involvement, small lesions",
        "low uptake taken for benign",
        2,
    ),
    Cause(
        "low_uptake_haemangioma",
        ("low_uptake_haemangioma",),
        "low involvement, small lesions",
        "low uptake taken for a haemangioma",
        1,
    ),
    Cause(
        "misregistration",
        ("misregistration",),
        "low involvement, small lesions, PET and CT apart",
        "no uptake",
        2,
    ),
    Cause("noisy_liver", ("noisy_liver",), "noisy liver", "no uptake", 1),
    Cause("low_uptake", ("low_uptake",), "any", "low uptake, rating not said"),
)
"""Table 2: involvement on the MRI and none on the PET."""

CALLED = (
    Cause("haemangioma", ("haemangioma",), "haemangioma", "low uptake", 4),
    Cause("cyst", ("cyst",), "cyst", "low or artificial uptake, PET and CT apart", 4),
    Cause(
        "vascular_or_biliary",
        ("vascular_or_biliary", "artefact_vascular"),
        "no hepatic finding",
        "artificial uptake, as along vessels or bile ducts",
        6,
    ),
    Cause(
        "extrahepatic_physiologic",
        ("extrahepatic_physiologic", "extrahepatic"),
        "no hepatic finding",
        "physiologic uptake just outside the liver",
        2,
    ),
    Cause("misregistration", ("misregistration",), "any", "PET and CT apart"),
)
"""Table 3: involvement on the PET and none on the MRI."""

UNEXPLAINED = ("unexplained", "")


def counted(causes: Sequence[Cause], reasons: Iterable[str]) -> dict[str, int]:
    """Studies by row of the table; words without a row keep their own, nothing is lost."""
    known = {reason for cause in causes for reason in cause.reasons} | {*UNEXPLAINED}
    words = Counter(plain(word) if plain(word) in known else word for word in reasons)
    found: dict[str, int] = {}
    for cause in causes:
        found[cause.code] = sum(words.pop(reason, 0) for reason in cause.reasons)
    found["unexplained"] = sum(words.pop(reason, 0) for reason in UNEXPLAINED)
    return found | dict(sorted(words.items()))

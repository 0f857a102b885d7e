"""What was injected, as the headers of a PET series tell it, and that they all tell the same."""

from collections.abc import Sequence

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import items, text
from lesionmatch.dicom.series.agreement import contradiction
from lesionmatch.suv import HALF_LIFE_S

NUCLIDES = {
    "C-131A1": "68Ga",
    "C-131A3": "68Ga",
    "35337001": "68Ga",
    "C-111A1": "18F",
    "77004003": "18F",
    "C-127A2": "64Cu",
    "3932008": "64Cu",
    "C-105A1": "11C",
    "40565002": "11C",
    "C-107A1": "13N",
    "21576001": "13N",
    "C-B1038": "15O",
    "C-159A2": "82Rb",
    "C-168A4": "89Zr",
    "C-114A5": "124I",
    "C-128A1": "68Ge",
}
"""Codes of Radionuclide Code Sequence, SRT and SNOMED CT (DICOM PS3.16 CID 4020)."""

AGENT = (
    "RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
)  # fmt: skip
"""Of the radiopharmaceutical."""


def require_one_agent(headers: Sequence[Dataset], what: str) -> None:
    """Raise `InconsistentSeries` where two slices differ in the dose and what belongs to it."""
    first = _agent(headers[0])
    for header in headers[1:]:
        for keyword, one, other in zip((*AGENT, "nuclide"), first, _agent(header), strict=True):
            if one != other:
                raise contradiction(keyword, what)


def _agent(header: Dataset) -> tuple[str | None, ...]:
    agents = items(header, "RadiopharmaceuticalInformationSequence")
    if not agents:
        return (None,) * (len(AGENT) + 1)
    return (*(text(agents[0], keyword) for keyword in AGENT), nuclide_of(agents[0]))


def nuclide_of(agent: Dataset) -> str | None:
    """The nuclide by its code, else by what code meaning and pharmaceutical call it."""
    for item in items(agent, "RadionuclideCodeSequence"):
        found = NUCLIDES.get(text(item, "CodeValue"))
        if found:
            return found
    coded = [text(item, "CodeMeaning") for item in items(agent, "RadionuclideCodeSequence")]
    return next((name for said in coded if (name := _named(said))), None)


def _named(said: str) -> str | None:
    """A nuclide in words such as ``^68^Gallium``, ``Ga-68`` or ``68Ga``."""
    plain = "".join(char for char in said.lower() if char.isalnum())
    elements = {"ga": "Ga", "gallium": "Ga", "f": "F", "fluorine": "F", "cu": "Cu", "copper": "Cu"}
    for name in HALF_LIFE_S:
        digits = "".join(char for char in name if char.isdigit())
        symbol = name[len(digits) :]
        for word, stands in elements.items():
            if stands == symbol and plain in (digits + word, word + digits):
                return name
    return None

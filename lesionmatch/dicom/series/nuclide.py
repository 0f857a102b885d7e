"""Which nuclide was injected: by its code, or by what it is called."""

import re
from string import ascii_letters, digits

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import items, text
from lesionmatch.dicom.series.classify import plain_words
from lesionmatch.suv import HALF_LIFE_S

ELEMENTS = {
    "Ga": "gallium", "F": "fluorine", "Cu": "copper", "C": "carbon", "N": "nitrogen", "O": "oxygen",
    "Rb": "rubidium", "Zr": "zirconium", "Sc": "scandium", "I": "iodine", "Ge": "germanium",
}  # fmt: skip
CODES = {
    "68Ga": ("35337001", "C-131A3"),
    "18F": ("77004003", "C-111A1"),
    "64Cu": ("3932008", "C-127A2"),
    "11C": ("40565003", "C-105A1"),
    "13N": ("21576001", "C-107A1"),
    "15O": ("129504001", "C-B1038"),
    "82Rb": ("79197006", "C-159A2"),
    "89Zr": ("63360001", "C-168A4"),
    "44Sc": ("126600",),
    "61Cu": ("71425003", "C-127A1"),
    "124I": ("40937006", "C-114A5"),
    "68Ge": ("53315004", "C-128A2"),
}
"""Of Radionuclide Code Sequence: SNOMED CT or DICOM's own, and SRT (PS3.16 CID 4020).

C-131A1 is 66Ga there, but is also written for 68Ga, so words decide where it stands.
"""
NUCLIDES = {code: name for name, codes in CODES.items() for code in codes}


def nuclide_of(agent: Dataset) -> str | None:
    """The nuclide by its code, else by what code meaning or pharmaceutical call it."""
    codes = items(agent, "RadionuclideCodeSequence")
    for item in codes:
        if found := NUCLIDES.get(text(item, "CodeValue")):
            return found
    said = [plain_words(item, "CodeMeaning") for item in codes]
    said += [plain_words(agent, "Radiopharmaceutical")]
    return next((name for words in said if (name := _named(words))), None)


def _named(said: str) -> str | None:
    """A nuclide in plain words such as ``68 gallium``, ``ga 68`` or ``68ga dotatoc``."""
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(said)), None)


def _pattern(name: str) -> re.Pattern[str]:
    """The mass number and the element, in either order."""
    mass, symbol = name.rstrip(ascii_letters), name.lstrip(digits)
    # A single letter is no element where a word goes on, as in "18 frames".
    end = "" if len(symbol) > 1 else "(?![a-z])"
    element = f"(?:{symbol.lower()}{end}|{ELEMENTS[symbol]})"
    return re.compile(rf"(?<!\d){mass} ?{element}|\b{element} ?{mass}(?!\d)")


_PATTERNS = {name: _pattern(name) for name in HALF_LIFE_S}

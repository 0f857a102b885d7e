"""Which nuclide was injected, by its codes and by what it is called."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from lesionmatch.dicom.series.nuclide import CODES, nuclide_of

IN_THE_STANDARD = {
    "68Ga": codes.cid4020._68Gallium, "18F": codes.cid4020._18Fluorine,
    "64Cu": codes.cid4020._64Copper, "11C": codes.cid4020._11Carbon,
    "13N": codes.cid4020._13Nitrogen, "15O": codes.cid4020._15Oxygen,
    "82Rb": codes.cid4020._82Rubidium, "89Zr": codes.cid4020._89Zirconium,
    "44Sc": codes.cid4020._44Scandium, "61Cu": codes.cid4020._61Copper,
    "124I": codes.cid4020._124Iodine, "68Ge": codes.cid4020._68Germanium,
}  # fmt: skip


def _agent(code: str = "", meaning: str = "", called: str = "") -> Dataset:
    agent, item = Dataset(), Dataset()
    item.CodeValue, item.CodeMeaning = code, meaning
    agent.RadionuclideCodeSequence = [item]
    agent.Radiopharmaceutical = called
    return agent


def test_codes_are_those_of_the_standard() -> None:
    assert {name: code.value for name, code in IN_THE_STANDARD.items()} == {
        name: values[0] for name, values in CODES.items()
    }


@pytest.mark.parametrize(("name", "values"), CODES.items())
def test_a_nuclide_is_known_by_each_of_its_codes(name: str, values: tuple[str, ...]) -> None:
    assert {nuclide_of(_agent(value)) for value in values} == {name}


@pytest.mark.parametrize(
    ("meaning", "expected"), [("^66^Gallium", None), ("^68^Gallium", "68Ga"), ("", None)]
)
def test_the_code_of_gallium_66_is_what_its_meaning_says(
    meaning: str, expected: str | None
) -> None:
    assert nuclide_of(_agent("C-131A1", meaning)) == expected


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ("[68Ga]Ga-DOTA-TATE", "68Ga"),
        ("DOTATOC Ga-68", "68Ga"),
        ("Cu64 dotatate", "64Cu"),
        ("44Sc-DOTATOC", "44Sc"),
        ("FDG F18", "18F"),
        ("Ga-67 citrate", None),
        ("18 frames", None),
        ("168 ga", None),
    ],
)
def test_a_nuclide_without_a_code_is_known_by_the_pharmaceutical(
    called: str, expected: str | None
) -> None:
    assert nuclide_of(_agent(called=called)) == expected

"""The resolution of a PET, from its header, its image or assumed."""

import pytest

from lesionmatch.errors import InvalidInput
from lesionmatch.foci import resolution_mm
from tests.foci_livers import PROTOCOL, liver_pet


def test_a_resolution_in_the_header_is_believed() -> None:
    resolution = resolution_mm(liver_pet()[0], 6.2, PROTOCOL)
    assert (resolution.fwhm_mm, resolution.source) == (6.2, "header: reconstruction")


def test_an_impossible_resolution_is_refused() -> None:
    with pytest.raises(InvalidInput, match="wanted 0 to 30 mm"):
        resolution_mm(liver_pet()[0], -1.0, PROTOCOL)


@pytest.mark.parametrize("fwhm_mm", [6.0, 9.0])
def test_the_resolution_is_read_off_the_livers_edge(fwhm_mm: float) -> None:
    image, liver = liver_pet(fwhm_mm=fwhm_mm)
    resolution = resolution_mm(image, None, PROTOCOL, liver_on_pet=liver)
    assert resolution.source == "measured: the liver's edge towards cold tissue"
    assert resolution.fwhm_mm == pytest.approx(fwhm_mm, abs=1.3)  # voxels of 4 mm widen it


def test_without_header_or_liver_the_resolution_is_assumed_and_said() -> None:
    resolution = resolution_mm(liver_pet()[0], None, PROTOCOL)
    assert (resolution.fwhm_mm, resolution.source[:8]) == (7.0, "assumed:")

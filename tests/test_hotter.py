"""What is hotter beside a lesion that the PET did not show."""

import numpy as np
import pytest

from lesionmatch.concordance import Evidence
from lesionmatch.concordance.hotter import Hotter, hotter_beside
from lesionmatch.detectability import Blur
from lesionmatch.image import Image, Quantity
from lesionmatch.lesions import Carried, measure
from lesionmatch.protocol import Protocol
from tests.concordance_scene import (
    FAR,
    PET_GRID,
    Place,
    Reference,
    Spot,
    carried,
    spot,
)

PLACE = (39.0, 39.0, 39.0)
(LESION,) = carried((PLACE, 10.0), error_mm=2.0)


def beside(
    *uptake: tuple[Place, float],
    foci: tuple[Spot, ...] = (),
    lesion: Carried = LESION,
    fwhm_mm: float = 7.0,
) -> Hotter | None:
    """With single voxels of so much SUV in a liver of 5."""
    array = np.full(PET_GRID.shape, 5.0, np.float32)
    for place, suv in uptake:
        array[tuple(np.rint(PET_GRID.voxels(np.array(place))).astype(int))] = suv
    evidence = Evidence(
        suv=Image(PET_GRID, array, Quantity.SUV_BW),
        background=Reference(),
        carried=(lesion,),
        foci=foci,
        around_lesions=(FAR,),
        around_foci=(FAR,) * len(foci),
        focus_error_mm=(4.0,) * len(foci),
        blur=Blur(fwhm_mm, 2.0 * fwhm_mm),
        registration_passed=True,
        null_p=lambda _: None,
    )
    assert lesion.search is not None
    seen = measure(evidence.suv, lesion.search, evidence.background, rules=Protocol().uptake)
    return hotter_beside(lesion, lesion.search, seen, evidence)


def test_an_even_liver_has_nothing_hotter() -> None:
    assert beside() is None


def test_the_lesion_s_own_peak_is_not_beside_it() -> None:
    assert beside((PLACE, 15.0), ((48.0, 39.0, 39.0), 15.0)) is None
    assert beside((PLACE, 15.0), ((48.0, 39.0, 39.0), 15.1)) is not None


def test_the_hottest_within_the_resolution_is_told_with_its_ratio_and_distance() -> None:
    found = beside((PLACE, 8.0), ((48.0, 39.0, 39.0), 20.0), ((39.0, 30.0, 39.0), 15.0))
    assert found is not None
    # 9 mm from the middle of a lesion whose outermost points there lie 4.25 mm from it.
    assert (found.name, found.tumour_to_liver) == ("uptake that is no focus", 4.0)
    assert found.apart_mm == pytest.approx(4.75, abs=0.02)


@pytest.mark.parametrize(
    ("away_mm", "fwhm_mm", "is_near"),
    # The search has voxels up to 3 mm from the middle along an axis.
    [(9.0, 7.0, True), (12.0, 7.0, False), (12.0, 9.0, True), (15.0, 9.0, False)],
)
def test_it_lies_within_the_resolution_across_the_body(
    away_mm: float, fwhm_mm: float, is_near: bool
) -> None:
    place = (39.0, 39.0, 39.0 + away_mm)
    assert (beside((place, 20.0), fwhm_mm=fwhm_mm) is not None) == is_near


def test_it_is_named_by_the_focus_in_whose_blur_it_lies() -> None:
    hot = ((48.0, 39.0, 39.0), 20.0)
    # A focus of 12 mm reaches 6 mm from its middle, and its blur half of 7 mm farther.
    for x, name in ((57.0, "focus F1"), (60.0, "uptake that is no focus")):
        found = beside(hot, foci=(spot(1, (x, 39.0, 39.0)),))
        assert found is not None
        assert found.name == name
    far = spot(3, (87.0, 39.0, 39.0))
    found = beside(hot, foci=(far, spot(1, (57.0, 39.0, 39.0))))
    assert found is not None
    assert found.name == "focus F1"
    near = (spot(1, (57.0, 39.0, 39.0)), spot(2, (54.0, 39.0, 39.0), 12.0, "stomach or bowel"))
    found = beside(hot, foci=near)
    assert found is not None
    assert found.name == "focus F2 (stomach or bowel)"

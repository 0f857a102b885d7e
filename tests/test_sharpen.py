"""Lesions moved by what the foci of others show, and registrations found out by them."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from lesionmatch.concordance import Sharpened, sharpen, shift_of
from lesionmatch.lesions import Carried
from lesionmatch.protocol import LandmarkRules, Protocol
from tests.concordance_scene import PET_GRID, WIDE, Spot, carried, spot

SHIFT = np.array([5.0, -3.0, 2.0])


class TestSharpen:
    def sharpened(self, lesions: Sequence[Carried], foci: Sequence[Spot]) -> Sharpened:
        return sharpen(lesions, foci, PET_GRID, fwhm_mm=7.0, protocol=Protocol())

    def test_lesions_move_by_what_the_others_show(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=8.0)
        foci = [spot(n, tuple(np.add(place, SHIFT))) for n, place in enumerate(WIDE)]
        got = self.sharpened(lesions, foci)
        assert got.agreement.applies
        for before, after in zip(lesions, got.carried, strict=True):
            left = SHIFT - (after.centroid_mm - before.centroid_mm)
            assert np.linalg.norm(left) < 2.5 < np.linalg.norm(SHIFT)
            assert after.error_mm < 0.7 * before.error_mm

    def test_a_lesion_has_no_part_in_its_own_correction(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=8.0)
        foci = [spot(n, place) for n, place in enumerate(WIDE[:3])]
        odd = spot(4, tuple(np.add(WIDE[3], (0, 7, 0))))
        got = self.sharpened(lesions, [*foci, odd])
        assert got.carried[3].centroid_mm[1] == pytest.approx(WIDE[3][1], abs=0.2)

    def test_a_lesion_without_a_focus_moves_too(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=8.0)
        foci = [spot(n, tuple(np.add(place, SHIFT))) for n, place in enumerate(WIDE[:3])]
        moved = self.sharpened(lesions, foci).carried[3].centroid_mm - lesions[3].centroid_mm
        assert moved @ SHIFT > 0.5 * SHIFT @ SHIFT

    def test_two_matches_move_nothing(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE[:2]], error_mm=8.0)
        got = self.sharpened(lesions, [spot(n, place) for n, place in enumerate(WIDE[:2])])
        assert got.carried == lesions
        assert not got.agreement.applies

    def test_an_error_is_no_less_than_how_far_off_its_own_focus_is_seen(self) -> None:
        lesions = carried((WIDE[0], 12), (WIDE[1], 12), error_mm=3.0)
        foci = [spot(1, tuple(np.add(WIDE[0], (0, 4.5, 0)))), spot(2, WIDE[1])]
        got = self.sharpened(lesions, foci)
        assert not got.agreement.applies
        off_mm = float(np.linalg.norm(foci[0].centroid_mm - lesions[0].centroid_mm))
        assert off_mm > 4.0
        assert got.carried[0].error_mm == pytest.approx(off_mm)
        widened, was = got.carried[0].search, lesions[0].search
        assert widened is not None
        assert was is not None
        assert widened.volume_ml > was.volume_ml
        assert got.carried[0].centroid_mm == pytest.approx(lesions[0].centroid_mm)
        assert got.carried[1] is lesions[1]

    def test_the_error_left_by_landmarks_is_no_less_than_its_own_focus_shows(self) -> None:
        lesions = carried(*[(place, 12) for place in WIDE], error_mm=8.0)
        shifts = [SHIFT, SHIFT, SHIFT, np.add(SHIFT, (0, 5, 0))]
        foci = [
            spot(n, tuple(np.add(p, d))) for n, (p, d) in enumerate(zip(WIDE, shifts, strict=True))
        ]
        got = self.sharpened(lesions, foci)
        assert got.agreement.applies
        off_mm = float(np.linalg.norm(foci[3].centroid_mm - got.carried[3].centroid_mm))
        assert got.carried[3].error_mm >= off_mm - 1e-9

    def test_a_focus_of_another_size_does_not_say_where_the_lesion_lies(self) -> None:
        lesions = carried((WIDE[0], 20), error_mm=3.0)
        small = spot(1, tuple(np.add(WIDE[0], (0, 6, 0))), diameter_mm=8.0)
        assert self.sharpened(lesions, [small]).carried == lesions

    def test_a_long_lesion_is_no_landmark(self) -> None:
        lesions = carried((WIDE[0], 10), (WIDE[1], 10), ((60, 60, 60), 48), error_mm=8.0)
        places = [*WIDE[:2], (60.0, 60.0, 60.0)]
        got = self.sharpened(lesions, [spot(n, place) for n, place in enumerate(places)])
        assert got.agreement.count == 2

    def test_what_was_drawn_on_the_pet_stays_and_moves_nothing(self) -> None:
        foci = [spot(n, tuple(np.add(place, SHIFT))) for n, place in enumerate(WIDE)]
        fixed = carried(*[(place, 10) for place in WIDE[:3]], error_mm=8.0, is_redrawn=True)
        assert self.sharpened(fixed, foci).agreement.count == 0
        free = carried(*[(place, 10) for place in WIDE], error_mm=8.0)
        got = self.sharpened([fixed[0], *free[1:]], foci)
        assert got.agreement.count == 3
        assert got.carried[0] is fixed[0]


class TestShiftOf:
    def shift(self, lesions: Sequence[Carried], foci: Sequence[Spot]) -> NDArray[np.float64] | None:
        return shift_of(lesions, foci, fwhm_mm=7.0, rules=LandmarkRules())

    def test_a_registration_off_by_more_than_it_knows_is_found_out(self) -> None:
        far = np.array([12.0, 9.0, -6.0])
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=4.0)
        got = self.shift(lesions, [spot(n, tuple(p + far)) for n, p in enumerate(WIDE)])
        assert got == pytest.approx(far, abs=0.2)

    def test_foci_that_normal_uptake_explains_show_no_shift(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=4.0)
        far = np.array([12.0, 9.0, -6.0])
        gut = [spot(n, tuple(p + far), neighbour="stomach") for n, p in enumerate(WIDE)]
        assert self.shift(lesions, gut) is None

    def test_lesions_drawn_on_the_pet_show_no_shift(self) -> None:
        far = np.array([12.0, 9.0, -6.0])
        lesions = carried(*[(place, 10) for place in WIDE], is_redrawn=True)
        assert self.shift(lesions, [spot(n, tuple(p + far)) for n, p in enumerate(WIDE)]) is None

    def test_one_lesion_shows_no_shift_and_two_do(self) -> None:
        far = np.array([12.0, 9.0, -6.0])
        foci = [spot(n, tuple(p + far)) for n, p in enumerate(WIDE)]
        assert self.shift(carried((WIDE[0], 10), error_mm=4.0), foci) is None
        two = carried(*[(place, 10) for place in WIDE[:2]], error_mm=4.0)
        assert self.shift(two, foci) == pytest.approx(far, abs=0.2)

    def test_lesions_that_lie_on_their_foci_stay(self) -> None:
        lesions = carried(*[(place, 10) for place in WIDE], error_mm=4.0)
        assert self.shift(lesions, [spot(n, p) for n, p in enumerate(WIDE)]) is None

"""How far a registration may be off: what its bound rests on."""

import numpy as np
import pytest

from lesionmatch.geometry import Frame, Grid
from lesionmatch.protocol import RegistrationBounds
from lesionmatch.registration.bound import LocalBound
from lesionmatch.registration.deform import Deformation

MRI = Frame("1.2.4")


def bound_with(
    offset_left_mm: float = 0.0,
    apart_mm: float = 1.0,
) -> LocalBound:
    """Of a map whose fits lie alike apart in a cube of 30 mm, but half as far in its first half."""
    apart = np.full((12, 12, 12), apart_mm, np.float32)
    apart[:, :, :6] /= 2
    bent = Deformation(field=np.zeros((3, 12, 12, 12), np.float32), apart_mm=apart)
    return LocalBound(
        bent=bent,
        grid=Grid.of(MRI, (12, 12, 12), spacing_mm=(2.5, 2.5, 2.5)),
        level=RegistrationBounds().ct_level,
        offset_left_mm=offset_left_mm,
        rules=RegistrationBounds(),
    )


PLACE = np.array([[25.0, 15.0, 15.0]])


def test_what_may_be_left_between_pet_and_ct_widens_the_bound() -> None:
    plain = bound_with(0.0)(PLACE)[0]
    assert bound_with(3.0)(PLACE)[0] == pytest.approx(np.hypot(plain, 3.0))


def test_the_bound_grows_where_the_two_fits_lie_apart() -> None:
    far = bound_with(apart_mm=8.0)
    near, away = far(np.array([[2.5, 15.0, 15.0], [25.0, 15.0, 15.0]]))
    assert away > 1.2 * near
    assert away > 1.5 * bound_with(apart_mm=2.0)(PLACE)[0]


def test_no_bound_is_below_the_least() -> None:
    rules = RegistrationBounds()
    assert bound_with(apart_mm=0.0)(PLACE)[0] == pytest.approx(rules.least_mm)


def test_the_bound_is_the_formula_of_its_module() -> None:
    rules = RegistrationBounds()
    logs = rules.ct_level + rules.apart_power * np.log(4.0 + 0.3)
    found = bound_with(apart_mm=4.0)(PLACE)[0]
    assert found == pytest.approx(np.exp(logs) - 0.1)

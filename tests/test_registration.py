"""One simulated study, registered as a user's would be."""

from pathlib import Path

import numpy as np
import pytest

from lesionmatch.errors import InvalidOption, RegistrationFailed
from lesionmatch.image import Mask
from lesionmatch.phantom import Recipe, Size, simulate
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Registration, given, identity, register
from lesionmatch.resample import write_transform

STUDY = simulate(
    Recipe(seed=90210, size=Size.SMALL, breathing_mm=14, deformation_mm=6, frame_offset_mm=250)
)


@pytest.fixture(scope="module")
def registration() -> Registration:
    return register(STUDY.hbp, STUDY.liver, ct=STUDY.ct, pet=STUDY.suv, protocol=Protocol())


def errors_mm(registration: Registration) -> np.ndarray:
    carried = registration.pet_from_mri.apply(STUDY.truth.liver_points_mri_mm)
    return np.asarray(np.linalg.norm(carried - STUDY.truth.liver_points_pet_mm, axis=1))


def test_the_liver_is_carried_to_where_it_is(registration: Registration) -> None:
    errors = errors_mm(registration)
    assert errors.mean() < 2.0
    assert errors.max() < 7.0


def test_a_good_pair_is_not_doubted(registration: Registration) -> None:
    assert registration.passed
    assert registration.doubts == ()
    assert (registration.method, registration.target) == ("deformable", "ct")


def test_there_and_back_is_where_it_began(registration: Registration) -> None:
    points = STUDY.truth.liver_points_mri_mm
    back = registration.mri_from_pet.apply(registration.pet_from_mri.apply(points))
    assert np.linalg.norm(back - points, axis=1).max() < 0.1


def test_the_bound_holds_for_most_of_the_liver(registration: Registration) -> None:
    bound = registration.error_mm(STUDY.truth.liver_points_mri_mm)
    assert (errors_mm(registration) <= bound).mean() > 0.9


def test_without_a_ct_the_pet_carries_the_registration() -> None:
    found = register(STUDY.hbp, STUDY.liver, ct=None, pet=STUDY.suv, protocol=Protocol())
    assert found.target == "pet"
    assert errors_mm(found).mean() < 6.0


def test_a_method_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidOption, match="wanted one of auto, rigid, affine, deformable"):
        register(
            STUDY.hbp,
            STUDY.liver,
            ct=STUDY.ct,
            pet=None,
            method="demons",  # type: ignore[arg-type]
            protocol=Protocol(),
        )


def test_a_liver_of_a_few_voxels_is_refused() -> None:
    array = np.zeros(STUDY.liver.grid.shape, bool)
    array[20, 50:53, 50:53] = True
    with pytest.raises(RegistrationFailed, match="wanted a liver of at least 50 ml, got 0 ml"):
        register(
            STUDY.hbp, Mask(STUDY.liver.grid, array), ct=STUDY.ct, pet=None, protocol=Protocol()
        )


def test_nothing_to_register_to_is_refused() -> None:
    with pytest.raises(RegistrationFailed, match="wanted a CT or a PET"):
        register(STUDY.hbp, STUDY.liver, ct=None, pet=None, protocol=Protocol())


def test_a_written_registration_is_given_back(registration: Registration, tmp_path: Path) -> None:
    path = tmp_path / "mri_from_pet.h5"
    write_transform(registration.mri_from_pet, path)
    read = given(path, STUDY.hbp.frame, STUDY.suv.frame)
    points = STUDY.truth.liver_points_mri_mm
    apart = read.pet_from_mri.apply(points) - registration.pet_from_mri.apply(points)
    assert np.linalg.norm(apart, axis=1).max() < 0.1
    assert (read.method, read.passed) == ("given", True)


def test_identity_leaves_coordinates_as_they_are() -> None:
    same = identity(STUDY.hbp.frame, STUDY.suv.frame)
    np.testing.assert_array_equal(same.pet_from_mri.apply([[1, 2, 3]]), [[1, 2, 3]])
    np.testing.assert_array_equal(same.error_mm([[1, 2, 3]]), [5.0])

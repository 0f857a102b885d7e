"""One simulated study, registered as a user's would be."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lesionmatch.errors import InvalidOption, RegistrationFailed
from lesionmatch.geometry import Grid, Points, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.phantom import Recipe, Size, simulate, wrong
from lesionmatch.protocol import Protocol, RegistrationRules
from lesionmatch.registration import (
    Method,
    Registration,
    given,
    identity,
    register,
    stages,
    threads,
)
from lesionmatch.registration.appearance import (
    CT_WINDOW_HU,
    ct_target,
    pet_target,
    without_bias,
)
from lesionmatch.registration.evidence import Gain, gain
from lesionmatch.registration.offset import pet_from_ct
from lesionmatch.registration.scene import grid_about
from lesionmatch.registration.witness import Seen, Witness, seen, witness
from lesionmatch.resample import PointMap, matrix_of, write_transform

STUDY = simulate(
    Recipe(seed=90210, size=Size.SMALL, breathing_mm=14, deformation_mm=6, frame_offset_mm=250)
)


@pytest.fixture(scope="module")
def registration() -> Registration:
    return registered()


def registered() -> Registration:
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


@pytest.fixture
def two_itk_threads() -> Iterator[None]:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    yield
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


@pytest.mark.usefixtures("two_itk_threads")
def test_the_number_of_threads_changes_no_byte(
    registration: Registration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    with monkeypatch.context() as patched:
        patched.setattr(threads, "THREADS", 1)
        one = registered()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    with threadpool_limits(limits=2):
        two = registered()
    for name, found in (("one.h5", one), ("two.h5", two)):
        write_transform(found.mri_from_pet, tmp_path / name)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    assert one.quality == two.quality == registration.quality


def stretched_ct() -> Image:
    """The CT with a seventh added along the body, which no rigid map can follow.

    Breath has shortened this liver by a twentieth: of less, little would be left to gain.
    """
    matrix = STUDY.ct.grid.world_from_voxel.copy()
    matrix[:3, 0] *= 1.15
    grid = Grid(STUDY.ct.frame, STUDY.ct.grid.shape, matrix)
    return Image(grid, STUDY.ct.array, STUDY.ct.quantity)


def test_a_deformation_that_squeezes_the_liver_gives_way_to_the_affine_map() -> None:
    rules = RegistrationRules(least_jacobian=1.0, least_sure_jacobian=1.0)
    found = register(
        STUDY.hbp, STUDY.liver, ct=stretched_ct(), pet=None, protocol=Protocol(registration=rules)
    )
    assert found.method == "affine"
    assert matrix_of(found.mri_from_pet) is not None
    assert "the deformation shrinks or stretches the liver" in found.doubts[-1]


def test_a_deformation_beyond_the_limits_is_kept_where_the_vessels_agree() -> None:
    rules = Protocol(registration=RegistrationRules(most_jacobian=1.0))
    found = register(STUDY.hbp, STUDY.liver, ct=STUDY.ct, pet=None, protocol=rules)
    assert found.quality.jacobian_max is not None
    assert found.quality.jacobian_max > 1.0
    assert (found.method, found.doubts) == ("deformable", ())


def test_stages_that_explain_nothing_more_leave_the_rigid_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stages, "gain", lambda *_: Gain(0.0, -0.5))
    found = register(STUDY.hbp, STUDY.liver, ct=STUDY.ct, pet=None, protocol=Protocol())
    assert found.method == "rigid"
    said = "the deformation explains unseen voxels better by only -0.5 standard errors (wanted 0)"
    assert (found.passed, found.remarks) == (True, (said,))
    assert found.error_mm([[0.0, 0.0, 0.0]])[0] == 6.5


def test_a_deformation_that_folds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "growth_of", lambda *_: np.full(100, -0.1))
    found = register(STUDY.hbp, STUDY.liver, ct=STUDY.ct, pet=None, protocol=Protocol())
    assert matrix_of(found.mri_from_pet) is not None
    assert found.doubts[-1] == "the deformation folds the liver onto itself"


def test_a_mirrored_liver_is_doubted_and_its_bound_is_wide() -> None:
    image, liver = wrong.mirrored(STUDY)
    found = register(image, liver, ct=STUDY.ct, pet=None, method="affine", protocol=Protocol())
    assert not found.passed
    assert found.error_mm(STUDY.truth.liver_points_mri_mm).min() >= 15.0


@pytest.mark.parametrize(("method", "bound_mm"), [("rigid", 6.5), ("affine", 6.0)])
def test_a_linear_method_stays_linear_with_its_own_bound(method: Method, bound_mm: float) -> None:
    found = register(
        STUDY.hbp, STUDY.liver, ct=STUDY.ct, pet=None, method=method, protocol=Protocol()
    )
    assert found.method == method
    assert matrix_of(found.mri_from_pet) is not None
    assert found.error_mm([[0.0, 0.0, 0.0]])[0] == bound_mm


def where_the_liver_lies(registration: Registration, change: NDArray[np.float64]) -> Points:
    """Liver points of the CT as found on the study's PET, every voxel of which is moved first."""
    grid = Grid(STUDY.suv.frame, STUDY.suv.grid.shape, change @ STUDY.suv.grid.world_from_voxel)
    pet = pet_target(Image(grid, STUDY.suv.array, STUDY.suv.quantity))
    rng = np.random.default_rng(0)
    found = pet_from_ct(
        STUDY.liver, registration.pet_from_mri, ct_target(STUDY.ct), pet, RegistrationRules(), rng
    )
    assert found is not None
    return found.apply(STUDY.truth.liver_points_ct_mm)


def test_a_pet_shifted_off_its_ct_is_measured(registration: Registration) -> None:
    change = np.eye(4)
    change[:3, 3] = (0.0, 0.0, 6.0)
    there = where_the_liver_lies(registration, np.eye(4))
    shifted = where_the_liver_lies(registration, change)
    off_mm = (there - STUDY.truth.liver_points_ct_mm).mean(0)
    np.testing.assert_allclose(off_mm, 0.0, atol=1.0)
    np.testing.assert_allclose((shifted - there).mean(0), [0.0, 0.0, 6.0], atol=0.4)


def test_a_pet_whose_liver_is_drawn_out_along_the_body_is_measured(
    registration: Registration,
) -> None:
    low, high = np.quantile(STUDY.truth.liver_points_ct_mm[:, 2], [0.1, 0.9])
    change = np.eye(4)
    change[2, 2:] = (1.05, -0.05 * low)
    there = where_the_liver_lies(registration, np.eye(4))[:, 2]
    drawn = where_the_liver_lies(registration, change)[:, 2]
    at_top = STUDY.truth.liver_points_ct_mm[:, 2] > high
    at_bottom = STUDY.truth.liver_points_ct_mm[:, 2] < low
    wanted_mm = 0.05 * (there[at_top].mean() - there[at_bottom].mean())
    found_mm = (drawn - there)[at_top].mean() - (drawn - there)[at_bottom].mean()
    assert wanted_mm > 5.0
    assert found_mm == pytest.approx(wanted_mm, abs=1.5)


@pytest.fixture(scope="module")
def judge() -> Witness:
    mri = without_bias(STUDY.hbp, STUDY.liver)
    return witness(mri, STUDY.liver, grid_about(STUDY.liver, 30.0, 2.5), RegistrationRules())


def off_and_right(judge: Witness, registration: Registration) -> tuple[Seen, Seen]:
    """What the CT shows under the map 6 mm off, and under the map."""
    target, frame, away = ct_target(STUDY.ct), STUDY.ct.frame, np.eye(4)
    away[:3, 3] = (6.0, 0.0, 0.0)
    off = PointMap.affine(Transform(frame, frame, away)).after(registration.pet_from_mri)
    return seen(judge, target, off), seen(judge, target, registration.pet_from_mri)


def test_unseen_voxels_prefer_the_better_map(judge: Witness, registration: Registration) -> None:
    off, right = off_and_right(judge, registration)
    assert gain(judge, off, right, CT_WINDOW_HU).errors > 5.0
    assert gain(judge, right, right, CT_WINDOW_HU).nats == 0.0


def test_what_slides_along_the_liver_says_nothing_of_its_map(
    judge: Witness, registration: Registration
) -> None:
    off, right = off_and_right(judge, registration)
    worse_beside = Seen(np.where(judge.is_liver, right.values, off.values))
    better_beside = Seen(np.where(judge.is_liver, off.values, right.values))
    told = gain(judge, better_beside, worse_beside, CT_WINDOW_HU)
    assert told == gain(judge, off, right, CT_WINDOW_HU)
    assert told.errors > 5.0

"""Whether vessels and lesions within a liver tell a right map from a wrong one."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.appearance import ct_target
from lesionmatch.registration.pattern import Pattern, pattern_of
from lesionmatch.registration.scene import grid_about
from lesionmatch.registration.witness import witness
from lesionmatch.resample import PointMap

MRI, CT = Frame("1.2.4"), Frame("1.2.5")
RULES = RegistrationRules()
SHAPE = (36, 46, 54)
POCKET_MM = (-30.0, -5.0, -5.0)


def grid_of(frame: Frame) -> Grid:
    return Grid.of(frame, SHAPE, origin_mm=(-79.5, -67.5, -52.5), spacing_mm=(3, 3, 3))


@cache
def places() -> NDArray[np.float64]:
    return grid_of(MRI).world(np.moveaxis(np.indices(SHAPE), 0, -1))


def ball(centre_mm: tuple[float, ...], radius_mm: float) -> NDArray[np.bool_]:
    return np.asarray(np.linalg.norm(places() - np.array(centre_mm), axis=-1) < radius_mm)


@cache
def liver() -> NDArray[np.bool_]:
    return np.asarray(((places() / (70.0, 60.0, 45.0)) ** 2).sum(-1) < 1.0)


@cache
def spots(seed: int) -> NDArray[np.bool_]:
    """Forty of a vessel's width: no two livers have them at the same places."""
    rng = np.random.default_rng(seed)
    found = np.zeros(SHAPE, np.bool_)
    for _ in range(40):
        found |= ball(tuple(rng.uniform(-1, 1, 3) * (50.0, 40.0, 30.0)), 5.0)
    return found & liver()


def mri_of(pattern: NDArray[np.bool_], fat: NDArray[np.bool_] | None = None) -> Image:
    rng = np.random.default_rng(1)
    bright = 0.2 + 0.8 * liver() - 0.4 * pattern + rng.normal(0.0, 0.03, SHAPE)
    if fat is not None:
        bright[fat] = 0.1
    return Image(grid_of(MRI), bright.astype(np.float32), Quantity.ARBITRARY)


def ct_of(
    pattern: NDArray[np.bool_],
    *,
    contrast_hu: float = 50.0,
    noise_hu: float = 8.0,
    fat: NDArray[np.bool_] | None = None,
) -> Image:
    rng = np.random.default_rng(2)
    hu = np.where(liver(), 110.0, -60.0) + contrast_hu * pattern
    if fat is not None:
        hu[fat] = -90.0
    noisy = hu + rng.normal(0.0, noise_hu, SHAPE)
    return Image(grid_of(CT), noisy.astype(np.float32), Quantity.HOUNSFIELD)


def pattern_under(mri: Image, ct: Image, *, off_mm: float = 0.0) -> Pattern | None:
    """Of a map that is right but for `off_mm`."""
    matrix = np.eye(4)
    matrix[0, 3] = off_mm
    there = PointMap.affine(Transform(CT, MRI, matrix))
    mask = Mask(mri.grid, liver())
    judge = witness(mri, mask, grid_about(mask, 30.0, 2.5), RULES)
    return pattern_of(judge, ct_target(ct), there, 110.0, RULES)


def known(mri: Image, ct: Image, *, off_mm: float = 0.0) -> Pattern:
    found = pattern_under(mri, ct, off_mm=off_mm)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("contrast_hu", "noise_hu"),
    [(50.0, 8.0), (50.0, 60.0), (-20.0, 30.0)],
    ids=["enhanced", "in noise", "unenhanced in noise"],
)
def test_vessels_that_meet_agree_and_those_of_another_liver_do_not(
    contrast_hu: float, noise_hu: float
) -> None:
    mri = mri_of(spots(0))
    right, wrong = (
        known(mri, ct_of(spots(n), contrast_hu=contrast_hu, noise_hu=noise_hu)) for n in (0, 1)
    )
    assert right.least_half_errors > RULES.sure_half_errors
    assert wrong.errors < RULES.least_pattern_errors


def test_vessels_agree_less_the_further_the_map_is_off() -> None:
    mri, ct = mri_of(spots(0)), ct_of(spots(0))
    right, near, far = (known(mri, ct, off_mm=off_mm) for off_mm in (0.0, 4.0, 9.0))
    assert right.errors > near.errors > far.errors
    assert far.errors < RULES.least_pattern_errors


def test_a_ct_that_shows_nothing_within_the_liver_agrees_with_no_pattern() -> None:
    blank = ct_of(np.zeros(SHAPE, np.bool_))
    assert known(mri_of(spots(0)), blank).errors < RULES.least_pattern_errors


def test_a_pocket_of_fat_laid_on_another_is_no_vessel_that_meets() -> None:
    fat = ball(POCKET_MM, 9.0)
    mri = mri_of(spots(0), fat)
    right, wrong = (known(mri, ct_of(spots(n), fat=fat)) for n in (0, 1))
    assert right.least_half_errors > RULES.sure_half_errors
    assert wrong.errors < RULES.least_pattern_errors


def test_too_little_liver_on_the_ct_says_nothing_of_its_vessels() -> None:
    corner = ct_of(spots(0)).crop((slice(0, 5), slice(0, 46), slice(0, 54)))
    assert pattern_under(mri_of(spots(0)), corner) is None


def test_fat_wherever_the_liver_should_be_says_nothing_of_its_vessels() -> None:
    fat = np.full(SHAPE, -90.0, np.float32)
    assert pattern_under(mri_of(spots(0)), Image(grid_of(CT), fat, Quantity.HOUNSFIELD)) is None


def test_two_lesions_that_happen_to_meet_settle_nothing() -> None:
    """One large lesion in either liver, laid on each other; no vessel meets."""
    lesion = ball((30.0, 10.0, 5.0), 16.0)
    found = known(mri_of(spots(0) | lesion), ct_of(spots(1) | lesion))
    assert found.errors > RULES.least_pattern_errors
    assert found.least_half_errors < RULES.sure_half_errors

"""The parts of registration on small scenes whose answers are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lesionmatch.errors import InvalidInput, RegistrationFailed, WrongQuantity
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration import given
from lesionmatch.registration.appearance import (
    Target,
    ct_target,
    pet_target,
    shrunk,
    without_bias,
)
from lesionmatch.registration.cut import Cut, Look, cut_of
from lesionmatch.registration.forces import smoothed_where
from lesionmatch.registration.given import inverse
from lesionmatch.registration.information import JointTable, Window, alignment_score
from lesionmatch.registration.inverse import inverse_shifts
from lesionmatch.registration.offset import is_a_breath, pet_from_ct
from lesionmatch.registration.scene import halves, reserved
from lesionmatch.registration.search import best_shifts
from lesionmatch.registration.spline import Spline
from lesionmatch.resample import PointMap

MRI, CT = Frame("1.2.4"), Frame("1.2.5")
CUBES = np.array([2.0, 2.0, 2.0])


def singles(values: list[float]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def quantiles(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    return rng.uniform(0, 31, count).astype(np.float32)


def test_independent_images_share_no_information() -> None:
    rng = np.random.default_rng(0)
    table = JointTable.of(quantiles(rng, 200_000), quantiles(rng, 200_000), np.ones(200_000, "f4"))
    assert table.mutual_information == pytest.approx(0.0, abs=5e-3)


def test_two_equal_halves_share_nearly_one_bit() -> None:
    bins = np.repeat(singles([8, 24]), 1000)
    table = JointTable.of(bins, 31 - bins, np.ones(2000, np.float32))
    assert table.mutual_information == pytest.approx(np.log(2), abs=0.02)


def test_samples_without_weight_do_not_count() -> None:
    bins = np.repeat(singles([8, 24]), 1000)
    with_noise = np.concatenate([bins, np.full(500, 8, np.float32)])
    moving = np.concatenate([bins, np.full(500, 24, np.float32)])
    weights = np.repeat(singles([1, 0]), [2000, 500])
    table = JointTable.of(with_noise, moving, weights)
    assert table.mutual_information == JointTable.of(bins, bins, weights[:2000]).mutual_information


def test_the_score_points_to_the_partner_intensity() -> None:
    window = Window(0.0, 31.0)
    fixed = np.repeat(singles([8, 24]), 1000)
    moving = fixed.copy()
    moving[0] = 9.0
    _, score, information = alignment_score(fixed, moving, window, np.ones(2000, np.float32))
    assert score[0] < 0.0
    assert (information >= 0.0).all()


def test_an_intensity_beyond_the_window_exerts_no_force() -> None:
    window = Window(0.0, 31.0)
    fixed = np.repeat(singles([8, 24]), 100)
    moving = np.where(np.arange(200) == 0, -5.0, fixed).astype(np.float32)
    _, score, information = alignment_score(fixed, moving, window, np.ones(200, np.float32))
    assert score[0] == information[0] == 0.0


def test_the_end_of_a_scan_is_no_edge() -> None:
    even = np.full((6, 7, 12), 40.0, np.float32)
    even[..., 8:] = np.nan
    smooth = smoothed_where(even, np.isfinite(even), np.ones(3))
    np.testing.assert_allclose(smooth[..., :9], 40.0, rtol=1e-5)


def test_what_is_known_alone_counts_in_a_mean() -> None:
    image = singles([0.0, 1.0, 2.0, 99.0]).reshape(1, 1, 4)
    known = np.array([True, True, True, False]).reshape(1, 1, 4)
    wide = smoothed_where(image, known, np.array([1.0, 1.0, 1000.0]))
    assert wide[0, 0, 1] == pytest.approx(1.0, abs=0.01)


SPLINE = Spline.over((13, 15, 17), CUBES, 10.0, 3)


def field_of(function: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.broadcast_to(function, (3, 13, 15, 17)).astype(np.float32)


def test_a_straight_field_does_not_bend() -> None:
    z, y, x = np.indices((13, 15, 17)) * 2.0
    coefficients = SPLINE.fitted(field_of(1 + 0.1 * x - 0.2 * y + 0.05 * z))
    np.testing.assert_allclose(
        SPLINE.field(coefficients)[0], 1 + 0.1 * x - 0.2 * y + 0.05 * z, atol=1e-3
    )
    assert float((coefficients * SPLINE.bending(coefficients)).sum()) == pytest.approx(0, abs=1e-2)


def test_the_bending_energy_of_a_parabola_is_four_a_volume() -> None:
    x = np.indices((13, 15, 17))[2] * 2.0 - 16.0
    coefficients = SPLINE.fitted(field_of(x**2))[:1]
    whole = np.concatenate([coefficients, 0 * coefficients, 0 * coefficients])
    spans_mm = [10.0 * (n - 3) for n in SPLINE.coefficients_shape[1:]]
    energy = float((whole * SPLINE.bending(whole)).sum())
    assert energy == pytest.approx(4.0 * np.prod(spans_mm), rel=0.02)


def test_gathering_is_the_transpose_of_the_cell_means() -> None:
    rng = np.random.default_rng(1)
    c = rng.normal(size=SPLINE.coefficients_shape).astype(np.float32)
    f = rng.normal(size=(3, *SPLINE.cells_shape)).astype(np.float32)
    left, right = (SPLINE.cell_means(c) * f).sum(), (c * SPLINE.gathered(f)).sum()
    assert left == pytest.approx(right, rel=1e-3)


def blob_scene(shift_mm: tuple[float, float, float]) -> tuple[Image, Mask, Image]:
    """An ellipsoid with two vessels on the MRI, and the same, `shift_mm` off, on a CT."""
    mri = Grid.of(MRI, (40, 60, 70), origin_mm=(-105, -90, -60), spacing_mm=(3, 3, 3))
    ct = Grid.of(CT, (60, 70, 80), origin_mm=(-100, -90, -70), spacing_mm=(3, 3, 3))
    liver, vessels = shape(mri.world(np.moveaxis(np.indices(mri.shape), 0, -1)))
    on_ct = ct.world(np.moveaxis(np.indices(ct.shape), 0, -1)) - shift_mm
    ct_liver, ct_vessels = shape(on_ct)
    rng = np.random.default_rng(3)
    bright = 100 + 300 * liver - 200 * vessels + rng.normal(0, 10, mri.shape)
    hu = -60 + 170 * ct_liver + 50 * ct_vessels + rng.normal(0, 8, ct.shape)
    return (
        Image(mri, bright.astype(np.float32), Quantity.ARBITRARY),
        Mask(mri, liver > 0.5),
        Image(ct, hu.astype(np.float32), Quantity.HOUNSFIELD),
    )


def shape(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y, z = np.moveaxis(points, -1, 0)
    liver = ((x / 70) ** 2 + ((y + 0.2 * x) / 50) ** 2 + (z / 40) ** 2 < 1) * 1.0
    vessels = ((y - 10) ** 2 + z**2 < 60) | ((x - 20) ** 2 + (z - 5) ** 2 < 40)
    return liver, vessels * liver


def test_the_search_finds_a_shift_without_a_start() -> None:
    mri, liver, ct = blob_scene((24.0, -16.0, 32.0))
    peaks = best_shifts(mri, liver, ct_target(ct))
    assert np.abs(peaks.shifts_mm[0] - [24.0, -16.0, 32.0]).max() <= 6.0


def test_a_target_that_misses_the_liver_is_refused() -> None:
    mri, liver, ct = blob_scene((0.0, 0.0, 0.0))
    box = (slice(0, 8), slice(0, 70), slice(0, 80))
    with pytest.raises(RegistrationFailed, match="check that both show the abdomen"):
        best_shifts(mri, liver, ct_target(ct.crop(box)))


def test_bias_is_divided_out() -> None:
    mri, liver, _ = blob_scene((0.0, 0.0, 0.0))
    x = np.linspace(-1, 1, 70)
    biased = Image(mri.grid, mri.array * np.exp(0.5 * x + 0.3 * x**2), mri.quantity)
    flat = without_bias(biased, liver).array[liver.array]
    assert np.median(flat) == pytest.approx(1.0, abs=0.02)
    left, right = flat[: len(flat) // 2], flat[len(flat) // 2 :]
    assert np.median(left) == pytest.approx(np.median(right), abs=0.03)


def test_a_dark_liver_is_refused() -> None:
    mri, liver, _ = blob_scene((0.0, 0.0, 0.0))
    dark = Image(mri.grid, np.zeros(mri.grid.shape, np.float32), mri.quantity)
    with pytest.raises(RegistrationFailed, match="got 0 bright places"):
        without_bias(dark, liver)


def test_a_pet_without_uptake_is_refused() -> None:
    grid = Grid.of(CT, (4, 4, 4))
    with pytest.raises(RegistrationFailed, match="wanted uptake on the PET"):
        pet_target(Image(grid, np.zeros(grid.shape, np.float32), Quantity.SUV_BW))


def test_a_target_of_another_quantity_is_refused() -> None:
    mri, _, ct = blob_scene((0.0, 0.0, 0.0))
    with pytest.raises(WrongQuantity, match="wanted HU"):
        ct_target(mri)
    with pytest.raises(WrongQuantity, match="wanted g/ml"):
        pet_target(ct)


def test_shrinking_averages_blocks_and_keeps_their_place() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    small = shrunk(Image(Grid.of(CT, (2, 3, 4)), array, Quantity.HOUNSFIELD), 2.0)
    assert small.array.tolist() == [[[8.5, 10.5]]]
    np.testing.assert_allclose(small.grid.origin_mm, [0.5, 0.5, 0.5])


@settings(max_examples=20)
@for_all(st.floats(-3.0, 3.0), st.floats(60.0, 90.0))
def test_the_inverse_of_a_field_undoes_it(height_mm: float, width_mm: float) -> None:
    grid = Grid.of(CT, (21, 22, 23), spacing_mm=(4, 4, 4))
    away = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1)) - grid.centre_mm
    hump = np.exp(-((away / width_mm * 2) ** 2).sum(-1))
    shifts = hump[..., None] * np.array([height_mm, -height_mm, 0.5 * height_mm])
    there = PointMap.displacement(CT, grid, shifts)
    back = PointMap.displacement(CT, grid, inverse_shifts(shifts, grid))
    points = grid.centre_mm + np.random.default_rng(0).uniform(-25, 25, (100, 3))
    assert np.linalg.norm(back(there(points)) - points, axis=1).max() < 0.1


def test_a_given_b_spline_is_inverted(tmp_path: Path) -> None:
    spline = sitk.BSplineTransform(3, 3)
    spline.SetTransformDomainOrigin((-100.0, -100.0, -100.0))
    spline.SetTransformDomainPhysicalDimensions((200.0, 200.0, 200.0))
    spline.SetTransformDomainMeshSize((4, 4, 4))
    rng = np.random.default_rng(2)
    spline.SetParameters(rng.normal(0, 3, len(spline.GetParameters())).tolist())
    sitk.WriteTransform(spline, str(tmp_path / "spline.h5"))
    found = given(tmp_path / "spline.h5", MRI, CT)
    points = rng.uniform(-60, 60, (50, 3))
    back = found.mri_from_pet.apply(found.pet_from_mri.apply(points))
    assert np.linalg.norm(back - points, axis=1).max() < 0.3


def test_a_given_composite_is_inverted_part_by_part() -> None:
    matrix = np.diag([1.1, 0.9, 1.0, 1.0])
    matrix[:3, 3] = (5, -3, 8)
    first = PointMap.affine(Transform(CT, CT, matrix))
    second = PointMap.affine(
        Transform(MRI, CT, np.array([[0.0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]))
    )
    both = second.after(first)
    np.testing.assert_allclose(inverse(both)(both([[1.0, 2, 3]])), [[1, 2, 3]], atol=1e-9)


def test_a_transform_without_an_inverse_is_refused() -> None:
    flat = sitk.ScaleTransform(3, (1.0, 1.0, 0.0))
    with pytest.raises(InvalidInput, match="got a singular one"):
        inverse(PointMap(MRI, CT, flat))


def cut_on_ct(liver: Mask, ct: Image, pet: Image | None = None) -> Cut:
    """Of a liver of 110 HU, and of SUV 4, with everything in one place."""
    same, rules = PointMap.identity(CT, MRI), RegistrationRules()
    looks = [Look.of(ct_target(ct), same, 110.0, rules)]
    if pet is not None:
        looks.append(Look.of(pet_target(pet), same, 2.0, rules))
    return cut_of(liver, tuple(looks), rules)


def test_a_liver_cut_by_the_scan_is_measured() -> None:
    _, liver, ct = blob_scene((0.0, 0.0, 0.0))
    assert cut_on_ct(liver, ct) == Cut(0.0, 0.0)
    upper = liver.crop((slice(20, 40), slice(0, 60), slice(0, 70)))
    lost = 1 - upper.volume_ml / liver.volume_ml
    found = cut_on_ct(upper, ct)
    # Columns that meet a vessel end there, so the estimate is a little low.
    assert lost - 0.1 < found.volume_share < lost + 0.02


@pytest.mark.parametrize(
    "shown",
    [
        (slice(20, 40), slice(0, 60), slice(0, 70)),
        (slice(0, 20), slice(0, 60), slice(0, 70)),
        (slice(0, 40), slice(0, 30), slice(0, 70)),
        (slice(0, 40), slice(0, 60), slice(35, 70)),
    ],
    ids=["lower", "upper", "back", "right"],
)
def test_half_a_liver_is_seen_through_the_noise_of_a_ct(shown: tuple[slice, slice, slice]) -> None:
    _, liver, ct = blob_scene((0.0, 0.0, 0.0))
    noise = np.random.default_rng(8).normal(0, 60, ct.array.shape)
    noisy = Image(ct.grid, (ct.array + noise).astype(np.float32), ct.quantity)
    found = cut_on_ct(liver.crop(shown), noisy)
    assert found.length_share > RegistrationRules().most_cut_length_share
    assert found.volume_share > RegistrationRules().least_doubted_cut_share


def test_an_organ_as_bright_beyond_the_liver_is_not_taken_for_much_of_it() -> None:
    """A cone of 100 mm, base 160 cm², cut at 60 mm below its tip, with a pillar 120 mm beyond."""
    grid = Grid.of(CT, (90, 60, 60), origin_mm=(0, 0, 0), spacing_mm=(4.0, 4.0, 4.0))
    z, y, x = np.indices(grid.shape) * 4.0
    cone = np.hypot(x - 100.0, y - 120.0) < 71.0 * (1.0 - (z - 100.0) / 100.0)
    cone &= (z >= 100.0) & (z < 200.0)
    pillar = (np.abs(x - 100.0) < 16.0) & (np.abs(y - 120.0) < 16.0) & (z >= 140.0) & (z < 320.0)
    ct = Image(grid, np.where(cone | pillar, 110.0, -100.0).astype(np.float32), Quantity.HOUNSFIELD)
    shown = (slice(0, 35), slice(0, 60), slice(0, 60))
    mri = replace(grid, frame=MRI).crop(shown)
    found = cut_on_ct(Mask(mri, cone[shown]), ct)
    assert 0.216 - 0.03 < found.volume_share < 0.216 + 0.05
    # Taken for a paraboloid, 40 of the 60 mm of the cone are found beyond the 40 that are shown.
    assert found.length_share == pytest.approx(40.0 / 80.0, abs=0.06)


def test_a_heart_beyond_the_end_of_the_mri_adds_nothing_to_the_liver() -> None:
    """The upper 16 of 80 mm are not shown, and as bright a heart stands on a fifth of the face."""
    _, liver, ct = blob_scene((0.0, 0.0, 0.0))
    x, y, z = np.moveaxis(ct.grid.world(np.moveaxis(np.indices(ct.grid.shape), 0, -1)), -1, 0)
    heart = (np.abs(x + 35.0) < 15.0) & (np.abs(y) < 25.0) & (z > 20.0)
    beside = Image(ct.grid, np.where(heart, np.float32(110.0), ct.array), ct.quantity)
    lower = liver.crop((slice(0, 28), slice(0, 60), slice(0, 70)))
    alone, with_heart = (cut_on_ct(lower, one).length_share for one in (ct, beside))
    assert alone == pytest.approx(16.0 / 80.0, abs=0.05)
    assert with_heart == pytest.approx(16.0 / 80.0, abs=0.05)


def test_the_pet_tells_a_liver_from_a_heart_as_dense_over_all_of_it() -> None:
    """The upper 16 of 80 mm are not shown, and all of them lie under a heart of SUV 1."""
    _, liver, ct = blob_scene((0.0, 0.0, 0.0))
    points = ct.grid.world(np.moveaxis(np.indices(ct.grid.shape), 0, -1))
    above = points[..., 2] > 16.0
    dense = Image(ct.grid, np.where(above, np.float32(110.0), ct.array), ct.quantity)
    suv = np.where(shape(points)[0] > 0.5, np.float32(4.0), np.float32(1.0))
    lower = liver.crop((slice(0, 28), slice(0, 60), slice(0, 70)))
    assert cut_on_ct(lower, dense).length_share > 0.5
    found = cut_on_ct(lower, dense, Image(ct.grid, suv, Quantity.SUV_BW))
    assert found.length_share == pytest.approx(16.0 / 80.0, abs=0.05)


def test_a_hot_lesion_beyond_the_end_of_the_mri_is_liver() -> None:
    _, liver, ct = blob_scene((0.0, 0.0, 0.0))
    points = ct.grid.world(np.moveaxis(np.indices(ct.grid.shape), 0, -1))
    is_liver = shape(points)[0] > 0.5
    is_lesion = is_liver & (np.hypot(points[..., 0], points[..., 1]) < 25.0)
    suv = np.where(is_lesion, 30.0, np.where(is_liver, 4.0, 0.5)).astype(np.float32)
    upper = liver.crop((slice(20, 40), slice(0, 60), slice(0, 70)))
    pet = Image(ct.grid, suv, Quantity.SUV_BW)
    alone, with_pet = cut_on_ct(upper, ct), cut_on_ct(upper, ct, pet)
    assert with_pet.volume_share == pytest.approx(alone.volume_share, abs=0.03)


@pytest.mark.parametrize(
    ("up_mm", "stretch", "is_one"), [(4.0, 1.02, True), (-4.0, 0.98, True), (-4.0, 1.02, False)]
)
def test_a_breath_moves_the_dome_further_than_the_rest(
    up_mm: float, stretch: float, is_one: bool
) -> None:
    shift, stretched = np.eye(4), np.diag([1.0, 1.0, stretch, 1.0])
    shift[2, 3] = up_mm
    assert is_a_breath(Transform(CT, CT, shift), Transform(CT, CT, stretched)) is is_one


def test_a_pet_that_misses_the_liver_has_no_offset() -> None:
    _, liver, ct = blob_scene((0.0, 0.0, 0.0))
    far = Grid.of(CT, (10, 10, 10), origin_mm=(0, 0, 400), spacing_mm=(4, 4, 4))
    pet = pet_target(Image(far, np.ones(far.shape, np.float32), Quantity.SUV_BW))
    assert shift_between(liver, ct, pet) is None


def shift_between(liver: Mask, ct: Image, pet: Target) -> Transform | None:
    """Of a liver that lies on the CT as it does on the MRI."""
    there, rules = PointMap.identity(CT, MRI), RegistrationRules()
    return pet_from_ct(liver, there, ct_target(ct), pet, rules, np.random.default_rng(0))


def test_a_dome_dimmed_under_the_lung_of_a_ct_in_deep_breath_hides_no_offset() -> None:
    """The PET's liver lies 12 mm higher; where the CT has lung, half of its uptake is lost."""
    _, liver, ct = blob_scene((0.0, 0.0, 0.0))
    points = ct.grid.world(np.moveaxis(np.indices(ct.grid.shape), 0, -1))
    on_ct, on_pet = (shape(points - (0.0, 0.0, up_mm))[0] > 0.5 for up_mm in (0.0, 12.0))
    is_lung = ~on_ct & (points[..., 2] > 0.0)
    breathed_in = Image(ct.grid, np.where(is_lung, np.float32(-800.0), ct.array), ct.quantity)
    suv = np.where(on_pet, 5.0, 0.8) * np.where(is_lung, 0.5, 1.0)
    suv += np.random.default_rng(4).normal(0.0, 0.2, suv.shape)
    pet = pet_target(Image(ct.grid, suv.astype(np.float32), Quantity.SUV_BW))
    found, as_if_none = (shift_between(liver, one, pet) for one in (breathed_in, ct))
    assert found is not None
    assert as_if_none is not None
    assert found.apply(np.zeros((1, 3)))[0] == pytest.approx((0.0, 0.0, 12.0), abs=1.5)
    assert as_if_none.apply(np.zeros((1, 3)))[0, 2] < 10.0


def test_two_fits_see_half_of_the_blocks_each_by_turns() -> None:
    grid = Grid.of(MRI, (20, 20, 20), spacing_mm=(2.5, 2.5, 2.5))
    second = halves(grid)
    assert second.mean() == 0.5
    assert not second[:5, :5, :5].any()
    assert second[5:10, :5, :5].all()
    assert second[:5, 5:10, :5].all()
    assert second[:5, :5, 5:10].all()
    assert 0 < (second & reserved(grid)).sum() < reserved(grid).sum()

"""Foci found on a liver made here: a ball of liver in soft tissue, grain, and bright spheres."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage, stats

from lesionmatch.errors import InvalidInput, WrongQuantity
from lesionmatch.foci import Field, Focus, field, field_of, find_foci, null_p, resolution_mm
from lesionmatch.foci.filters import robust_skew, sure_skew, unskewed
from lesionmatch.foci.liver_level import Level, liver_level
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.segments import Structure
from tests.foci_livers import COV, GRID, LEVEL, PROTOCOL, away_mm, liver_pet


@pytest.fixture(scope="module")
def quiet() -> Field:
    return field_of(*liver_pet())


def ball_mask(centre: tuple[float, float, float], radius_mm: float) -> Mask:
    return Mask(GRID, away_mm(centre) <= radius_mm).trimmed()


def test_a_liver_without_lesions_has_no_foci() -> None:
    assert find_foci(*liver_pet(), PROTOCOL) == ()


def test_a_bright_sphere_is_one_focus_where_it_is() -> None:
    (focus,) = find_foci(*liver_pet(((20, -10, 14), 14, 4.0)), PROTOCOL)
    assert np.linalg.norm(focus.centroid_mm - (20, -10, 14)) < 2.0
    assert focus.focus_id == "F1"
    assert focus.counts


def test_of_all_scales_the_height_that_is_rarest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is left out, and what is held against the edge, depends on all scales: without them.
    apart = {"left_out_z": 10.0, "capsule_near_mm": 0.0, "capsule_lift_sd": 0.0}
    rules = replace(PROTOCOL.foci, **apart)
    monkeypatch.setattr(field, "unskewed", lambda z, _: z)
    pet, needed, highest = liver_pet(), [], []
    for scale in field.scales(rules):
        with monkeypatch.context() as alone:
            alone.setattr(field, "scales", lambda _, only=(scale,): only)
            highest.append(field_of(*pet, rules).z)
            alone.setattr(field, "as_rare_by_sd", lambda *_: 0.0)
            needed.append(rules.least_z - float(np.median(highest[-1] - field_of(*pet, rules).z)))
    assert sorted(needed, reverse=True) == needed
    assert needed[0] - needed[-1] > 0.15
    np.testing.assert_array_equal(field_of(*pet, rules).z, np.max(highest, axis=0))


@pytest.mark.parametrize(("seed", "heights"), [(5, [5.3, 5.1]), (7, [5.7])])
def test_grain_that_is_log_normal_makes_no_focus(
    seed: int, heights: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pet = liver_pet(seed=seed, is_log_normal=True)
    assert find_foci(*pet, PROTOCOL) == ()
    monkeypatch.setattr(field, "unskewed", lambda z, _: z)
    assert [focus.z for focus in find_foci(*pet, PROTOCOL)] == pytest.approx(heights, abs=0.05)


def test_each_scale_is_as_skewed_as_its_own_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def record(z: np.ndarray, skew: float) -> np.ndarray:
        asked.append(skew)
        return z

    monkeypatch.setattr(field, "unskewed", record)
    field_of(*liver_pet(seed=5, is_log_normal=True))
    fine, wide = asked[-2:]
    # Smoothed so that fewer independent grains are in the mean, it is the less skewed.
    assert fine > 0.2
    assert 0.0 < wide < 0.7 * fine


def test_heights_in_log_normal_noise_are_as_rare_as_those_of_normal_noise() -> None:
    normal = np.linspace(-3.0, 6.0, 19, dtype=np.float32)
    spread = 0.15
    np.testing.assert_allclose(
        unskewed(np.expm1(spread * normal) / spread, 3 * spread)[6:], normal[6:], atol=1e-5
    )
    np.testing.assert_array_equal(unskewed(normal, -0.2), normal)
    # Below the median nothing is looked for, and nothing is changed.
    np.testing.assert_array_equal(unskewed(normal, 0.4)[:7], normal[:7])


def test_skewness_is_that_of_the_noise_and_not_of_a_few_lesions_in_it() -> None:
    normal = np.random.default_rng(0).standard_normal(40000)
    skewed = np.expm1(0.15 * normal) / 0.15
    lesions = np.where(np.arange(40000) < 800, 4.0, normal)
    assert robust_skew(normal) == pytest.approx(0.0, abs=0.03)
    assert robust_skew(skewed) == pytest.approx(stats.skew(skewed), abs=0.03)
    assert abs(robust_skew(lesions)) < stats.skew(lesions) / 3.0


@pytest.mark.parametrize(
    ("skew", "left"),
    [(-0.3, 0.0), (0.0, 0.0), (0.07, 0.0), (0.08, 0.0), (0.16, 0.12), (0.8, 0.792)],
)
def test_of_skewness_only_what_chance_does_not_make_counts(skew: float, left: float) -> None:
    # 0.8 over the root of 100 places: 0.08 is what chance makes.
    assert sure_skew(skew, 100.0) == pytest.approx(left, abs=1e-9)


def test_many_faint_lesions_are_not_taken_for_noise() -> None:
    corners = [(x, y, z) for x in (-35, 35) for y in (-35, 35) for z in (-35, 35)]
    pet, at = liver_pet(*((c, 14, 1.4) for c in corners)), away_mm(corners[0]) < 6
    at_first = replace(PROTOCOL.foci, left_out_z=10.0)
    assert float(field_of(*pet, at_first).z[at].max()) < 4.5
    assert float(field_of(*pet).z[at].max()) > 4.75


def test_the_noise_of_the_liver_is_measured(quiet: Field) -> None:
    assert quiet.cov == pytest.approx(0.12, rel=0.1)
    assert quiet.level == pytest.approx(6.0, rel=0.02)


def test_a_pet_without_noise_is_refused() -> None:
    uptake = np.where(away_mm((0, 0, 0)) < 75, LEVEL, 0.6)
    for suv in (uptake, ndimage.gaussian_filter(uptake, 0.75)):
        image = Image(GRID, suv.astype(np.float32), Quantity.SUV_BW)
        with pytest.raises(InvalidInput, match="wanted a PET with noise"):
            find_foci(image, liver_pet()[1], PROTOCOL)


def test_an_image_that_is_not_suv_is_refused() -> None:
    image, liver = liver_pet()
    with pytest.raises(WrongQuantity):
        field_of(Image(image.grid, image.array, Quantity.BQ_PER_ML), liver)


def test_a_liver_on_another_grid_is_refused() -> None:
    image, liver = liver_pet()
    with pytest.raises(InvalidInput, match="on the PET's grid"):
        field_of(image, liver.trimmed())


def test_an_empty_liver_is_refused() -> None:
    image, liver = liver_pet()
    with pytest.raises(InvalidInput, match="got none"):
        field_of(image, Mask(liver.grid, np.zeros(liver.grid.shape, bool)))


def test_a_liver_too_small_to_know_its_noise_is_refused() -> None:
    image, _ = liver_pet()
    with pytest.raises(InvalidInput, match="wanted 20 ml of liver deeper than 8 mm"):
        field_of(image, Mask(GRID, away_mm((0, 0, 0)) < 18))


def test_the_chance_of_bright_uptake_is_as_small_as_the_places_allow() -> None:
    field = field_of(*liver_pet(((0, 0, 0), 14, 4.0)))
    search = ball_mask((0, 0, 0), 12)
    assert null_p(field, search, PROTOCOL, avoid=search, rng=np.random.default_rng(1)) == 1 / 201


def test_the_same_generator_gives_the_same_chance(quiet: Field) -> None:
    search = ball_mask((10, 0, 0), 12)
    first, again = (
        null_p(quiet, search, PROTOCOL, avoid=None, rng=np.random.default_rng(5)) for _ in range(2)
    )
    assert first == again


def test_no_other_place_gives_no_chance(quiet: Field) -> None:
    everywhere = Mask(GRID, away_mm((0, 0, 0)) < 75)
    search = ball_mask((10, 0, 0), 12)
    rng = np.random.default_rng(0)
    assert null_p(quiet, search, PROTOCOL, avoid=everywhere, rng=rng) is None


def test_a_resolution_in_the_header_is_believed() -> None:
    resolution = resolution_mm(liver_pet()[0], 6.2, PROTOCOL)
    assert (resolution.fwhm_mm, resolution.source) == (6.2, "header: reconstruction")


def test_an_impossible_resolution_is_refused() -> None:
    with pytest.raises(InvalidInput, match="wanted 0 to 30 mm"):
        resolution_mm(liver_pet()[0], -1.0, PROTOCOL)


@pytest.mark.parametrize("diameter_mm", [15, 25, 40, 60])
def test_a_large_uniform_lesion_is_one_focus_of_its_own_size(diameter_mm: int) -> None:
    (focus,) = find_foci(*liver_pet(((0, 0, 0), diameter_mm, 3.0)), PROTOCOL)
    true_ml = np.pi / 6 * diameter_mm**3 / 1000
    assert 0.8 * true_ml < focus.extent.volume_ml < 1.45 * true_ml


def test_a_small_lesion_beside_a_large_one_is_found() -> None:
    large, small = ((-20, 0, 0), 45, 4.0), ((25, 0, 0), 12, 3.0)
    found = find_foci(*liver_pet(large, small), PROTOCOL)
    assert [np.rint(f.centroid_mm / 5).tolist() for f in found] == [[-4, 0, 0], [5, 0, 0]]


@pytest.mark.parametrize(
    ("large", "small", "gap_mm", "seed"),
    [((40, 3.0), (9, 3.0), 11.0, 0), ((16, 5.4), (10, 2.5), 8.5, 3)],
)
def test_a_small_lesion_on_the_skirt_of_a_hotter_one_is_found(
    large: tuple[float, float], small: tuple[float, float], gap_mm: float, seed: int
) -> None:
    x_mm = large[0] / 2 + gap_mm + small[0] / 2 - 20
    pet = liver_pet(((-20, 0, 0), *large), ((x_mm, 0, 0), *small), seed=seed, fwhm_mm=8.0)
    found = find_foci(*pet, PROTOCOL)
    assert any(np.linalg.norm(f.centroid_mm - [x_mm, 0, 0]) < 6.0 for f in found)


@pytest.mark.parametrize(
    ("ratio", "seed", "less"),
    # A hot one either threshold keeps whole, a faint one only the second.
    [(3.0, 0, {"dip_fraction": 0.95, "dip_sd": 1.5}), (1.4, 1, {"dip_sd": 1.5})],
)
def test_a_large_uniform_lesion_in_grain_is_one_focus_as_a_dip_is_deep(
    ratio: float, seed: int, less: dict[str, float]
) -> None:
    pet = liver_pet(((0, 0, 0), 60, ratio), seed=seed)
    assert len(find_foci(*pet, PROTOCOL)) == 1
    shallow = replace(PROTOCOL, foci=replace(PROTOCOL.foci, **less))
    assert len(find_foci(*pet, shallow)) > 1


@pytest.mark.parametrize(("outer_mm", "core_mm"), [(28, 14), (44, 28), (56, 40)])
def test_a_lesion_with_a_cold_core_is_one_focus(outer_mm: int, core_mm: int) -> None:
    ring = (((0, 0, 0), outer_mm, 4.0), ((1, 0, 0), core_mm, -2.0))
    assert len(find_foci(*liver_pet(*ring), PROTOCOL)) == 1


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_lesion_20_mm_beside_one_of_twice_its_height_has_a_focus_of_its_own(seed: int) -> None:
    pet = liver_pet(((0, 0, 0), 13, 4.0), ((20, 0, 0), 13, 2.2), seed=seed)
    assert [round(f.centroid_mm[0] / 20) for f in find_foci(*pet, PROTOCOL)] == [0, 1]


@pytest.mark.parametrize(("apart_mm", "count"), [(12, 1), (22, 2)])
def test_two_lesions_are_two_foci_where_a_dip_divides_them(apart_mm: float, count: int) -> None:
    pair = (((0, 0, 0), 14, 4.0), ((apart_mm, 0, 0), 14, 4.0))
    assert len(find_foci(*liver_pet(*pair), PROTOCOL)) == count


def test_the_extents_of_two_foci_share_no_voxel() -> None:
    pair = find_foci(*liver_pet(((0, 0, 0), 14, 4.0), ((20, 0, 0), 14, 4.0)), PROTOCOL)
    assert np.sum([f.extent.on(GRID).array for f in pair], axis=0).max() == 1


def test_the_level_is_the_livers_where_tumour_fills_most_of_it() -> None:
    rng = np.random.default_rng(0)
    calm = np.concatenate([np.full(3000, 6.0), rng.lognormal(3.0, 0.5, 7000)])
    level = liver_level(rng.normal(calm, 0.6), PROTOCOL.foci, calm=calm)
    assert level.suv == pytest.approx(6.0, rel=0.03)


def test_what_tumour_leaves_of_a_liver_is_lifted_by_its_blur() -> None:
    blurred = np.concatenate([np.linspace(5.0, 8.0, 4000), np.full(6000, 16.0)])
    level = liver_level(blurred, PROTOCOL.foci)
    assert level.is_seen
    assert level.suv == pytest.approx(5.4, abs=0.05)
    half = np.concatenate([np.linspace(5.0, 8.0, 8000), np.full(2000, 16.0)])
    assert liver_level(half, PROTOCOL.foci).suv == pytest.approx(6.4, abs=0.3)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_level_is_the_livers_where_little_of_it_is_left(share: float) -> None:
    rng = np.random.default_rng(0)
    calm = np.where(np.arange(10000) < 10000 * share, 6.0, 24.0)
    level = liver_level(rng.normal(calm, 0.1 * calm), PROTOCOL.foci, calm=calm)
    assert level.is_seen
    assert level.suv == pytest.approx(6.0, rel=0.03)


def test_cold_lesions_are_not_taken_for_the_liver() -> None:
    rng = np.random.default_rng(0)
    uptake = np.concatenate([rng.normal(7.0, 0.7, 8000), rng.normal(3.0, 0.4, 2000)])
    assert liver_level(uptake, PROTOCOL.foci).suv == pytest.approx(7.0, rel=0.03)


def test_uptake_that_spreads_both_ways_from_its_level_is_several_tumours() -> None:
    rng = np.random.default_rng(0)
    several = rng.lognormal(np.log(9.5), 0.35, 10000)
    assert liver_level(several, PROTOCOL.foci) == Level(5.0, is_seen=False)
    one_tissue = replace(PROTOCOL.foci, mixed_share=0.5)
    assert liver_level(several, one_tissue).suv == pytest.approx(9.0, abs=1.0)
    # Of less uptake than is usual, the least that is seen is nearer to the liver's.
    fainter = liver_level(several / 2.0, PROTOCOL.foci)
    assert not fainter.is_seen
    assert fainter.suv == pytest.approx(2.7, abs=0.1)


def test_a_liver_with_lesions_above_it_and_little_below_is_seen() -> None:
    rng = np.random.default_rng(0)
    liver, lesions, vessels = np.full(8000, 6.0), np.full(1400, 15.0), np.full(600, 4.0)
    calm = np.concatenate([liver, lesions, vessels])
    level = liver_level(rng.normal(calm, 0.9), PROTOCOL.foci, calm=calm)
    assert level.is_seen
    assert level.suv == pytest.approx(6.0, rel=0.03)


def test_without_any_liver_left_a_usual_one_is_taken_and_said() -> None:
    tumour = np.random.default_rng(0).normal(24.0, 2.0, 10000)
    assert liver_level(tumour, PROTOCOL.foci) == Level(5.0, is_seen=False)


def test_a_liver_that_is_tumour_throughout_is_one_focus() -> None:
    image, liver = liver_pet(((0, 0, 0), 150, 4.0))
    (focus,) = [f for f in find_foci(image, liver, PROTOCOL) if f.counts]
    assert not field_of(image, liver).level_is_seen
    assert focus.extent.volume_ml > 0.8 * liver.volume_ml


def test_tumour_that_runs_into_a_hotter_organ_is_found() -> None:
    tumour, spleen = ((10, 0, 0), 140, 4.0), ((96, 0, 0), 44, 9.0)
    found = [f for f in find_foci(*liver_pet(tumour, spleen), PROTOCOL) if f.counts]
    assert found
    held = np.any([f.extent.on(GRID).array for f in found], axis=0)
    assert held[away_mm((0, 0, 0)) < 50].mean() > 0.9


def test_a_fainter_lesion_that_leans_on_a_hot_one_belongs_to_its_focus() -> None:
    image, liver = liver_pet(((-24, 0, 0), 40, 9.0), ((18, 0, 0), 44, 3.0))
    (focus,) = find_foci(image, liver, PROTOCOL)
    extent = focus.extent.on(GRID).array
    assert extent[away_mm((22, 0, 0)) < 14].mean() > 0.95


def test_the_noise_is_the_livers_where_it_is_full_of_lesions() -> None:
    many = [((x, y, z), 24, 4.0) for x in (-32, 0, 32) for y in (-32, 0, 32) for z in (-32, 0, 32)]
    field = field_of(*liver_pet(*many))
    assert field.cov == pytest.approx(COV, rel=0.25)
    assert field.level == pytest.approx(LEVEL, rel=0.06)


def test_every_lesion_of_many_is_one_focus() -> None:
    many = [((x, y, z), 20, 4.0) for x in (-36, 0, 36) for y in (-36, 0, 36) for z in (-36, 0, 36)]
    found = find_foci(*liver_pet(*many), PROTOCOL)
    near = [sum(np.linalg.norm(f.centroid_mm - m[0]) < 4.0 for f in found) for m in many]
    assert near == [1] * 27


def test_a_hot_organ_inside_a_wrong_mask_is_told_from_a_focus() -> None:
    gut = ((93, 0, 0), 32, 3.5)
    found = find_foci(*liver_pet(gut, mask_shift_mm=5), PROTOCOL)
    assert [f for f in found if f.counts] == []


def test_uptake_that_no_dip_divides_from_brighter_uptake_outside_is_spill_in() -> None:
    organ, inside = ((81, 0, 0), 12, 6.0), ((67, 0, 0), 12, 4.0)
    bowel = Mask(GRID, away_mm((81, 0, 0)) < 7)
    (focus,) = find_foci(*liver_pet(organ, inside), PROTOCOL, structures={Structure.BOWEL: bowel})
    assert focus.physiologic_neighbour == "spill-in through the capsule from bowel"
    assert not focus.counts


def test_a_lesion_that_a_dip_divides_from_a_brighter_neighbour_counts() -> None:
    organ, lesion = ((83, 0, 0), 12, 7.0), ((67, 0, 0), 12, 5.0)
    (focus,) = find_foci(*liver_pet(organ, lesion), PROTOCOL)
    assert focus.counts


def test_a_lesion_that_a_small_dip_divides_from_an_organ_counts() -> None:
    pet = liver_pet(((90, 0, 0), 24, 5.0), ((68, 0, 0), 8, 4.5), seed=1)
    (focus,) = find_foci(*pet, PROTOCOL)
    assert focus.counts
    deeper = replace(PROTOCOL, foci=replace(PROTOCOL.foci, spill_dip_sd=4.0))
    (same,) = find_foci(*pet, deeper)
    assert not same.counts


@pytest.mark.parametrize(("inside_mm", "beyond_mm"), [(20, 36), (24, 44)])
def test_beyond_the_end_of_the_mri_uptake_is_no_neighbours(inside_mm: int, beyond_mm: int) -> None:
    image, liver = liver_pet(((0, 0, inside_mm), 10, 3.5), ((0, 0, beyond_mm), 14, 5.0))
    height_mm = GRID.world(np.argwhere(np.ones(GRID.shape, bool)))[:, 2].reshape(GRID.shape)
    cut, beyond = Mask(GRID, liver.array & (height_mm < 30)), Mask(GRID, height_mm > 30)
    (capsule,) = find_foci(image, cut, PROTOCOL)
    assert not capsule.counts
    (unseen,) = find_foci(image, cut, PROTOCOL, field=field_of(image, cut, beyond=beyond))
    assert unseen.counts


def test_what_only_rises_towards_an_organ_is_no_finding_even_14_mm_deep() -> None:
    pet = liver_pet(((0, 0, -86), 40, 6.0))
    (focus,) = find_foci(*pet, PROTOCOL)
    assert focus.depth_mm == pytest.approx(14.0, abs=0.1)
    assert not focus.counts
    near = replace(PROTOCOL, foci=replace(PROTOCOL.foci, neighbour_slope_mm=10.0))
    assert find_foci(*pet, near)[0].counts


def test_a_hot_organ_that_breathing_carries_over_the_capsule_is_no_finding() -> None:
    found = find_foci(*liver_pet(((0, 0, -98), 40, 5.0), breathing_mm=20.0), PROTOCOL)
    assert [f for f in found if f.counts] == []


def test_a_focus_at_the_edge_beside_a_drawn_organ_is_undecided_and_names_it() -> None:
    strict = replace(PROTOCOL, foci=replace(PROTOCOL.foci, undecided_mm=7.0))
    stomach = Mask(GRID, away_mm((95, 0, 0)) < 15)
    pet = liver_pet(((70, 0, 0), 8, 4.0), ((95, 0, 0), 30, 3.5))
    (focus,) = find_foci(*pet, strict, structures={Structure.STOMACH: stomach})
    assert focus.physiologic_neighbour == "at the capsule beside stomach"
    assert not focus.counts


def at_the_surface(*facing: float, ratio: float = 4.0) -> Focus:
    x, y, z = 74.0 * np.array(facing) / np.linalg.norm(facing)
    (focus,) = find_foci(*liver_pet(((x, y, z), 10, ratio)), PROTOCOL)
    return focus


def test_a_focus_at_the_surface_towards_the_right_adrenal_gland_is_taken_for_the_gland() -> None:
    gland = at_the_surface(0.7, 0.71, 0.0)
    assert gland.depth_mm < 3.0
    assert gland.physiologic_neighbour == "at the capsule where the right adrenal gland touches it"
    assert not gland.counts


@pytest.mark.parametrize("facing", [(-0.7, 0.71, 0.0), (0.7, -0.71, 0.0), (0.0, 0.71, 0.7)])
def test_elsewhere_at_the_surface_it_counts(facing: tuple[float, float, float]) -> None:
    assert at_the_surface(*facing).counts


def test_there_it_counts_where_it_is_too_hot_for_so_thin_a_gland() -> None:
    lesion = at_the_surface(0.7, 0.71, 0.0, ratio=6.0)
    assert lesion.depth_mm < 3.0
    assert lesion.counts


def test_a_lesion_under_the_capsule_with_no_hot_neighbour_counts() -> None:
    (focus,) = find_foci(*liver_pet(((0, 0, 66), 14, 4.0)), PROTOCOL)
    assert focus.counts


@pytest.fixture(scope="module")
def beside_gut() -> Field:
    return field_of(*liver_pet(((92, 0, 0), 30, 4.0), ((0, 90, 0), 26, 3.0), seed=3))


@pytest.mark.parametrize("radius_mm", [5.0, 12.0])
@pytest.mark.parametrize(("least_mm", "most_mm"), [(1.0, 5.0), (5.0, 12.0), (20.0, 80.0)])
@pytest.mark.parametrize("surroundings", ["quiet", "beside_gut"])
def test_chance_is_uniform_where_there_is_no_lesion(
    surroundings: str,
    least_mm: float,
    most_mm: float,
    radius_mm: float,
    request: pytest.FixtureRequest,
) -> None:
    field: Field = request.getfixturevalue(surroundings)
    rng = np.random.default_rng(2)
    places = rng.permutation(np.argwhere((field.depth > least_mm) & (field.depth < most_mm)))[:60]
    chances = []
    for x_mm, y_mm, z_mm in field.grid.world(places):
        search = ball_mask((x_mm, y_mm, z_mm), radius_mm)
        chances.append(null_p(field, search, PROTOCOL, avoid=search, rng=rng))
    known = [chance for chance in chances if chance is not None]
    assert len(known) > 40
    assert stats.kstest(known, "uniform").pvalue > 0.01


@pytest.mark.parametrize("fwhm_mm", [6.0, 9.0])
def test_the_resolution_is_read_off_the_livers_edge(fwhm_mm: float) -> None:
    image, liver = liver_pet(fwhm_mm=fwhm_mm)
    resolution = resolution_mm(image, None, PROTOCOL, liver_on_pet=liver)
    assert resolution.source == "measured: the liver's edge towards cold tissue"
    assert resolution.fwhm_mm == pytest.approx(fwhm_mm, abs=1.3)  # voxels of 4 mm widen it


def test_without_header_or_liver_the_resolution_is_assumed_and_said() -> None:
    resolution = resolution_mm(liver_pet()[0], None, PROTOCOL)
    assert (resolution.fwhm_mm, resolution.source[:8]) == (7.0, "assumed:")

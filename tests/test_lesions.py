"""Lesions as drawn: parts, axes, and the numbers of their uptake."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import binary_closing
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from lesionmatch.errors import FrameMismatch, InvalidGeometry, WrongQuantity
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.lesions import Lesion, carry, krenning, lesions_from, measure, widened
from lesionmatch.protocol import LesionRules, UptakeRules
from lesionmatch.segments import Kind, Segment, Structure

Floats = NDArray[np.float64]
MRI, PET = Frame("mri"), Frame("pet")
RULES = LesionRules()
GRID = Grid.of(MRI, (40, 60, 60), spacing_mm=(2.0, 1.0, 1.0))


@dataclass(frozen=True)
class Liver:
    """A reference uptake."""

    suv_mean: float = 5.0
    suv_sd: float = 0.5
    spleen_suv_mean: float | None = 20.0


def ellipsoid(
    centre_mm: tuple[float, float, float], radii_mm: tuple[float, float, float], grid: Grid = GRID
) -> Mask:
    points = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1).astype(np.float64))
    inside = (((points - centre_mm) / radii_mm) ** 2).sum(-1) <= 1.0
    return Mask(grid, inside)


def ball(x: float, y: float, z: float, diameter_mm: float, grid: Grid = GRID) -> Mask:
    return ellipsoid((x, y, z), (diameter_mm / 2.0,) * 3, grid)


def union(*masks: Mask) -> Mask:
    return Mask(masks[0].grid, np.any([m.array for m in masks], axis=0))


def segment(mask: Mask, meaning: Kind | Structure = Kind.METASTASIS, label: str = "x") -> Segment:
    return Segment(label, meaning, mask.trimmed(), "SEG segment 1")


def one(mask: Mask) -> Lesion:
    (lesion,) = lesions_from([segment(mask)], RULES)
    return lesion


class TestLesionsFrom:
    def test_one_segment_of_three_parts_is_three_lesions_the_largest_first(self) -> None:
        parts = [ball(10, 10, 20, 5), ball(40, 40, 40, 12), ball(10, 40, 60, 8)]
        lesions = lesions_from([segment(union(*parts))], RULES)
        assert [les.lesion_id for les in lesions] == ["L1", "L2", "L3"]
        assert [round(les.centroid_mm[2]) for les in lesions] == [40, 60, 20]

    def test_a_segment_for_each_lesion_is_one_lesion_each_even_in_two_parts(self) -> None:
        broken = union(ball(10, 10, 20, 5), ball(18, 10, 20, 5))
        segments = [segment(broken), segment(ball(40, 40, 40, 9)), segment(ball(40, 10, 40, 9))]
        assert len(lesions_from(segments, RULES)) == 3

    def test_segments_of_several_parts_each_are_taken_apart(self) -> None:
        right = union(ball(10, 10, 20, 5), ball(10, 40, 20, 5))
        left = union(ball(45, 10, 20, 5), ball(45, 40, 20, 5))
        assert len(lesions_from([segment(right), segment(left)], RULES)) == 4

    def test_a_segment_for_all_the_others_is_taken_apart(self) -> None:
        others = union(*[ball(10 + 9 * n, 50, 60, 5) for n in range(4)])
        segments = [segment(ball(40, 40, 40, 9)), segment(ball(40, 10, 40, 9)), segment(others)]
        assert len(lesions_from(segments, RULES)) == 6

    def test_kinds_are_judged_apart(self) -> None:
        many = union(ball(10, 10, 20, 5), ball(10, 40, 20, 5))
        cyst = segment(ball(40, 40, 40, 9), Kind.CYST)
        assert [les.kind for les in lesions_from([segment(many), cyst], RULES)] == [
            Kind.METASTASIS,
            Kind.METASTASIS,
            Kind.CYST,
        ]

    def test_structures_are_no_lesions_and_nothing_drawn_is_none(self) -> None:
        assert lesions_from([segment(ball(30, 30, 40, 30), Structure.LIVER)], RULES) == ()
        assert lesions_from([], RULES) == ()

    def test_voxels_that_touch_at_a_corner_are_one_lesion(self) -> None:
        array = np.zeros(GRID.shape, np.bool_)
        array[5, 5, 5] = array[6, 6, 6] = True
        assert len(lesions_from([segment(Mask(GRID, array))], RULES)) == 1


class TestSize:
    def test_axes_of_an_ellipsoid(self) -> None:
        lesion = one(ellipsoid((30, 30, 40), (12, 7, 10)))
        assert lesion.long_axis_mm == pytest.approx(24.0, abs=1.1)
        assert lesion.short_axis_mm == pytest.approx(14.0, abs=1.1)
        assert lesion.volume_ml == pytest.approx(4.0 / 3.0 * np.pi * 12 * 7 * 10 / 1000, rel=0.02)
        assert lesion.equivalent_diameter_mm == pytest.approx(
            2 * (12 * 7 * 10) ** (1 / 3), rel=0.01
        )
        assert lesion.centroid_mm == pytest.approx([30, 30, 40], abs=0.01)

    def test_the_long_axis_lies_in_a_slice(self) -> None:
        lesion = one(ellipsoid((30, 30, 40), (4, 4, 20)))
        assert lesion.long_axis_mm == pytest.approx(8.0, abs=1.1)

    def test_one_voxel_is_as_long_as_the_voxel(self) -> None:
        array = np.zeros(GRID.shape, np.bool_)
        array[5, 5, 5] = True
        lesion = one(Mask(GRID, array))
        assert (lesion.long_axis_mm, lesion.short_axis_mm) == pytest.approx((1.0, 1.0))

    def test_a_rectangle_of_voxels_has_its_diagonal(self) -> None:
        array = np.zeros(GRID.shape, np.bool_)
        array[5, 5:9, 5:8] = True
        # The outline's corners are cut: the farthest points are mid-edge, 3 by 3 or 4 by 2.
        assert one(Mask(GRID, array)).long_axis_mm == pytest.approx(np.hypot(4.0, 2.0))

    # Of a nearly round lesion of few voxels the grid decides which way is long.
    @given(st.floats(0.0, np.pi), st.floats(5.0, 12.0), st.floats(3.0, 4.0))
    def test_turning_a_lesion_in_its_plane_keeps_its_axes(
        self, angle: float, long_mm: float, short_mm: float
    ) -> None:
        x, y = np.meshgrid(np.arange(60) - 30.0, np.arange(60) - 30.0)
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        array = np.zeros(GRID.shape, np.bool_)
        array[20] = (u / long_mm) ** 2 + (v / short_mm) ** 2 <= 1.0
        lesion = one(Mask(GRID, array))
        assert lesion.long_axis_mm == pytest.approx(2 * long_mm, abs=1.3)
        assert lesion.short_axis_mm == pytest.approx(2 * short_mm, abs=1.3)


def half_filled(diameter_mm: float, spacing_mm: tuple[float, float, float], off: Floats) -> Mask:
    """The voxels that a ball fills by half, its centre off that of a voxel by shares of it."""
    grid = Grid.of(MRI, (9, 15, 15), spacing_mm=spacing_mm)
    parts = (np.arange(6) + 0.5) / 6.0 - 0.5
    offsets = np.stack(np.meshgrid(parts, parts, parts, indexing="ij"), -1).reshape(-1, 3)
    voxels = np.indices(grid.shape).reshape(3, -1).T
    away_mm = (voxels[:, None] + offsets - (4, 7, 7) - off) * spacing_mm
    filled = ((away_mm**2).sum(-1) <= (diameter_mm / 2.0) ** 2).mean(axis=1)
    return Mask(grid, filled.reshape(grid.shape) >= 0.5)


@pytest.mark.parametrize(
    ("diameter_mm", "spacing_mm", "lost_mm"),
    [(6.0, (4.0, 2.2, 2.2), 0.55), (9.0, (4.0, 2.2, 2.2), 0.35), (6.0, (3.0, 1.2, 1.2), 0.22)],
)
def test_the_likely_sphere_makes_up_for_what_coarse_voxels_take_from_a_ball(
    diameter_mm: float, spacing_mm: tuple[float, float, float], lost_mm: float
) -> None:
    places = np.random.default_rng(3).uniform(-0.5, 0.5, (60, 3))
    drawn = [one(half_filled(diameter_mm, spacing_mm, off)) for off in places]
    lost = diameter_mm - np.mean([lesion.equivalent_diameter_mm for lesion in drawn])
    assert lost == pytest.approx(lost_mm, abs=0.1)
    # What is lost times what is likely is 4/3 of the blur's variances: side^2 / 12 each.
    for lesion in drawn[:3]:
        size = lesion.likely_diameter_mm
        blur_mm2 = np.square(spacing_mm).sum() / 12.0
        assert size * (size - lesion.equivalent_diameter_mm) == pytest.approx(4 / 3 * blur_mm2)
    likely = np.mean([lesion.likely_diameter_mm for lesion in drawn])
    assert likely == pytest.approx(diameter_mm, abs=0.12)


PET_GRID = Grid.of(PET, (30, 30, 30), origin_mm=(100.0, 200.0, 0.0), spacing_mm=(3.0, 4.0, 4.0))
PET_FROM_MRI = Transform(
    PET, MRI, np.array([[1, 0, 0, 110.0], [0, 1, 0, 215.0], [0, 0, 1, 5.0], [0, 0, 0, 1]])
)


class TestCarry:
    def test_a_lesion_lands_where_the_map_says_with_its_volume(self) -> None:
        (carried,) = carry([one(ball(30, 30, 40, 20))], PET_FROM_MRI, [6.0], PET_GRID, RULES)
        assert carried.extent is not None
        assert carried.centroid_mm == pytest.approx([140, 245, 45], abs=0.01)
        assert carried.extent.points_mm().mean(axis=0) == pytest.approx([140, 245, 45], abs=0.5)
        assert carried.extent.volume_ml == pytest.approx(4.09, rel=0.1)
        assert carried.covered == 1.0

    def test_a_lesion_drawn_on_the_pet_s_own_voxels_has_these(self) -> None:
        mask = ball(30, 30, 40, 20, Grid.of(MRI, (30, 30, 30), spacing_mm=(3.0, 4.0, 4.0)))
        grid = Grid.of(PET, mask.grid.shape, spacing_mm=(3.0, 4.0, 4.0))
        same = Transform(PET, MRI, np.eye(4))
        (carried,) = carry([one(mask)], same, [0.0], grid, RULES)
        assert carried.extent is not None
        np.testing.assert_array_equal(carried.extent.on(grid).array, mask.array)

    def test_a_huge_lesion_is_sampled_no_finer_than_its_voxels_need(self) -> None:
        large = one(ball(30, 30, 40, 56))
        (carried,) = carry([large], PET_FROM_MRI, [0.0], PET_GRID, RULES)
        # 92 ml in 50,000 points, and in up to 8 times as many where voxels are halved.
        assert 50_000 <= len(carried.points_mm) <= 400_000

    def test_a_lesion_smaller_than_a_voxel_keeps_one(self) -> None:
        (carried,) = carry([one(ball(30, 30, 40, 2.5))], PET_FROM_MRI, [0.0], PET_GRID, RULES)
        assert carried.extent is not None
        assert np.count_nonzero(carried.extent.array) >= 1
        nearest = carried.extent.points_mm() - carried.centroid_mm
        assert np.abs(nearest).max() <= 4.0

    def test_the_search_is_the_extent_widened_by_the_error(self) -> None:
        (carried,) = carry([one(ball(30, 30, 40, 10))], PET_FROM_MRI, [8.0], PET_GRID, RULES)
        assert carried.search is not None
        assert carried.extent is not None
        reach = cdist(carried.search.points_mm(), carried.extent.points_mm()).min(axis=1)
        assert 7.0 < reach.max() <= 8.0
        assert carried.search.volume_ml > 5.0

    def test_an_offset_moves_it(self) -> None:
        lesion = one(ball(30, 30, 40, 10))
        (carried,) = carry([lesion], PET_FROM_MRI, [3.0], PET_GRID, RULES)
        moved = carried.moved((4.0, 0.0, -3.0), 2.0, PET_GRID, RULES)
        assert moved.centroid_mm == pytest.approx([144, 245, 42], abs=0.01)
        assert moved.extent is not None
        assert moved.extent.points_mm().mean(axis=0) == pytest.approx([144, 245, 42], abs=0.5)
        assert moved.error_mm == 2.0

    @pytest.mark.parametrize("diameter_mm", [12, 36, 60])
    def test_on_voxels_as_fine_as_its_points_it_has_no_hole(self, diameter_mm: float) -> None:
        grid = Grid.of(MRI, (26, 60, 60), spacing_mm=(3.0, 1.2, 1.2))
        turn = np.eye(4)
        turn[:3, :3] = Rotation.from_euler("xyz", [0.05, -0.08, 0.1]).as_matrix()
        bent = Transform(PET, MRI, PET_FROM_MRI.matrix @ turn)
        lesion = one(ball(35, 35, 37, diameter_mm, grid))
        (carried,) = carry([lesion], bent, [3.0], PET_GRID, RULES)
        fine = carried.moved((0.0, 0.0, 0.0), 0.0, PET_GRID.with_spacing(1.5), RULES)
        assert fine.extent is not None
        array = np.pad(fine.extent.array, 1)
        np.testing.assert_array_equal(array, binary_closing(array, np.ones((3, 3, 3), np.bool_)))
        assert fine.extent.volume_ml == pytest.approx(lesion.volume_ml, rel=0.05)

    def test_half_a_lesion_outside_is_half_covered(self) -> None:
        # The grid's first slice reaches down to z = -1.5, the map to z = 5 + z of the MRI.
        lesion = one(ball(30, 30, 40, 20))
        low = Transform(PET, MRI, PET_FROM_MRI.matrix - np.eye(4)[:, [2]] @ [[0, 0, 0, 46.5]])
        (carried,) = carry([lesion], low, [3.0], PET_GRID, RULES)
        assert carried.covered == pytest.approx(0.5, abs=0.03)
        assert carried.edge_mm == pytest.approx(-10.0, abs=1.5)

    def test_a_lesion_outside_has_no_extent(self) -> None:
        far = Transform(PET, MRI, PET_FROM_MRI.matrix + np.eye(4)[:, [2]] @ [[0, 0, 0, 500.0]])
        (carried,) = carry([one(ball(30, 30, 40, 20))], far, [3.0], PET_GRID, RULES)
        assert (carried.covered, carried.extent, carried.search) == (0.0, None, None)

    def test_a_map_of_other_frames_is_refused(self) -> None:
        lesion = one(ball(30, 30, 40, 20))
        with pytest.raises(FrameMismatch, match="carrying a lesion"):
            carry([lesion], PET_FROM_MRI.inverse, [3.0], PET_GRID, RULES)
        with pytest.raises(FrameMismatch, match="carrying a lesion"):
            carry([lesion], PET_FROM_MRI, [3.0], GRID, RULES)

    def test_widening_stops_at_the_edge_of_the_grid(self) -> None:
        corner = np.zeros(PET_GRID.shape, np.bool_)
        corner[0, 0, 0] = True
        wide = widened(Mask(PET_GRID, corner).trimmed(), 4.0, PET_GRID)
        assert np.count_nonzero(wide.array) == 4


# The digital phantom of the IBSI (theibsi/data_sets, CC BY 4.0), 2 mm voxels; -1 marks a voxel
# outside the region whose value is 1, -9 one whose value is 9.
IBSI = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [-1, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, -1, -1], [1, 1, 1, 1, 1], [1, 1, -9, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, -1, -1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)
IBSI_GRID = Grid.of(PET, (4, 4, 5), spacing_mm=(2.0, 2.0, 2.0))


class TestMeasure:
    def test_the_digital_phantom_of_the_ibsi(self) -> None:
        suv = Image(IBSI_GRID, np.abs(IBSI).astype(np.float32), Quantity.SUV_BW)
        region = Mask(IBSI_GRID, IBSI > 0)
        got = measure(suv, region, Liver(), rules=UptakeRules())
        assert np.count_nonzero(region.array) == 74
        assert region.volume_ml == pytest.approx(0.592)
        assert got.suv_max == 6.0
        assert round(got.suv_mean, 2) == 2.15
        assert round(got.suv_peak, 1) == 2.6

    def test_ratio_noise_and_score(self) -> None:
        suv = Image(PET_GRID, np.full(PET_GRID.shape, 5.0, np.float32), Quantity.SUV_BW)
        hot = suv.array.copy()
        hot[10:20, 10:20, 10:20] = 15.0
        region = ball(160, 260, 43.5, 12, PET_GRID)
        got = measure(Image(PET_GRID, hot, Quantity.SUV_BW), region, Liver(), rules=UptakeRules())
        assert (got.suv_max, got.suv_peak, got.suv_mean) == (15.0, 15.0, 15.0)
        assert (got.tumour_to_liver, got.contrast_to_noise, got.krenning) == (3.0, 20.0, 3)

    @pytest.mark.parametrize(
        ("suv", "score"), [(0.2, 0), (2.0, 1), (4.0, 2), (5.4, 2), (6.0, 3), (21.0, 4)]
    )
    def test_krenning_against_liver_5_and_spleen_20(self, suv: float, score: int) -> None:
        assert krenning(suv, Liver(), rules=UptakeRules()) == score

    def test_krenning_without_a_spleen_ends_at_3(self) -> None:
        assert krenning(90.0, Liver(spleen_suv_mean=None), rules=UptakeRules()) == 3

    def test_a_region_on_a_part_of_the_image_is_measured_where_it_lies(self) -> None:
        array = np.arange(27_000, dtype=np.float32).reshape(PET_GRID.shape)
        mask = np.zeros(PET_GRID.shape, np.bool_)
        mask[7, 11, 13:15] = True
        found = measure(
            Image(PET_GRID, array, Quantity.SUV_BW),
            Mask(PET_GRID, mask).trimmed(),
            Liver(),
            rules=UptakeRules(),
        )
        assert found.suv_max == 7 * 900 + 11 * 30 + 14
        assert found.suv_mean == 7 * 900 + 11 * 30 + 13.5

    def test_counts_are_refused(self) -> None:
        image = Image(PET_GRID, np.ones(PET_GRID.shape, np.float32), Quantity.BQ_PER_ML)
        with pytest.raises(WrongQuantity):
            measure(image, ball(160, 260, 43, 12, PET_GRID), Liver(), rules=UptakeRules())

    def test_other_voxels_are_refused(self) -> None:
        image = Image(PET_GRID, np.ones(PET_GRID.shape, np.float32), Quantity.SUV_BW)
        other = Grid.of(
            PET, (30, 30, 30), origin_mm=(101.0, 200.0, 0.0), spacing_mm=(3.0, 4.0, 4.0)
        )
        with pytest.raises(InvalidGeometry, match="wanted a grid that holds its voxels"):
            measure(image, ball(160, 260, 43, 12, other), Liver(), rules=UptakeRules())
        beside = Grid.of(
            PET, (30, 30, 30), origin_mm=(300.0, 200.0, 0.0), spacing_mm=(3.0, 4.0, 4.0)
        )
        with pytest.raises(InvalidGeometry, match="wanted a grid that holds its voxels"):
            measure(image, ball(360, 260, 43, 12, beside), Liver(), rules=UptakeRules())

    def test_an_empty_region_is_refused(self) -> None:
        image = Image(PET_GRID, np.ones(PET_GRID.shape, np.float32), Quantity.SUV_BW)
        empty = Mask(PET_GRID, np.zeros(PET_GRID.shape, np.bool_))
        with pytest.raises(InvalidGeometry, match="wanted a region"):
            measure(image, empty, Liver(), rules=UptakeRules())

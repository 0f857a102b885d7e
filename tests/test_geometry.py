"""Frames, grids and transforms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lesionmatch.errors import FrameMismatch, InvalidGeometry
from lesionmatch.geometry import Frame, Grid, Points, Transform, at_once

PET, MRI = Frame("1.2.3"), Frame("1.2.4")


def shift(x: float, y: float, z: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = (x, y, z)
    return matrix


MRI_FROM_PET = Transform(MRI, PET, shift(5, 0, -2))
OBLIQUE = Grid.of(
    MRI,
    (4, 6, 8),
    origin_mm=(10, -20, 30),
    spacing_mm=(3, 1, 2),
    directions=np.array([[0.0, 0.6, 0.8], [0.0, 0.8, -0.6], [1.0, 0.0, 0.0]]),
)
AXIAL = Grid.of(PET, (4, 6, 8), spacing_mm=(3, 1, 2))


def test_apply_shifts_a_known_point() -> None:
    moved = MRI_FROM_PET.apply([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(moved, [[6.0, 2.0, 1.0]])


def test_transforms_that_do_not_meet_are_refused() -> None:
    with pytest.raises(FrameMismatch, match=r"wanted frame of reference 1\.2\.3, got 1\.2\.4"):
        MRI_FROM_PET @ MRI_FROM_PET


def test_composition_applies_the_right_hand_first() -> None:
    turn = np.eye(4)
    turn[:2, :2] = [[0, -1], [1, 0]]
    both = Transform(PET, MRI, turn) @ MRI_FROM_PET
    np.testing.assert_array_equal(both.apply([[1.0, 2.0, 3.0]]), [[-2.0, 6.0, 1.0]])


@given(st.lists(st.tuples(*[st.floats(-500, 500)] * 3), min_size=1, max_size=5))
def test_inverse_undoes_apply(points_mm: list[tuple[float, float, float]]) -> None:
    back = MRI_FROM_PET.inverse.apply(MRI_FROM_PET.apply(points_mm))
    np.testing.assert_allclose(back, points_mm, atol=1e-9)


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (np.eye(3), r"wanted \(4, 4\) ending"),
        (np.zeros((4, 4)), r"wanted \(4, 4\) ending"),
        (np.diag([1, 1, np.nan, 1]), "wanted finite and invertible"),
        (np.diag([1.0, 1, 0, 1]), "wanted finite and invertible"),
        (np.diag([1.0, 1, 1e-310, 1]), "wanted finite and invertible"),
        (np.diag([1e200, 1e200, 1, 1]), "wanted finite and invertible"),
    ],
    ids=["3 x 3", "last row", "not a number", "singular", "nearly singular", "too far apart"],
)
def test_maps_that_cannot_exist_are_refused(matrix: np.ndarray, says: str) -> None:
    with pytest.raises(InvalidGeometry, match=says):
        Transform(MRI, PET, matrix)


@pytest.mark.parametrize("scale", [1e-12, 1e150])
def test_a_map_may_scale_all_axes_alike_as_much_as_it_likes(scale: float) -> None:
    matrix = np.diag([scale, scale, scale, 1.0])
    np.testing.assert_allclose(
        Transform(MRI, PET, matrix).inverse.apply([[scale, 0, 0]]), [[1, 0, 0]]
    )


def test_the_matrix_of_a_transform_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        MRI_FROM_PET.matrix[0, 0] = 2.0


def test_an_axial_grid_counts_slice_row_column_as_z_y_x() -> None:
    np.testing.assert_array_equal(AXIAL.world([[1, 2, 3]]), [[6.0, 2.0, 3.0]])


def test_an_oblique_grid_places_a_known_voxel() -> None:
    # One slice up z, one row along (.6, .8, 0), one column along (.8, -.6, 0).
    expected = [10 + 0.6 + 1.6, -20 + 0.8 - 1.2, 30 + 3]
    np.testing.assert_allclose(OBLIQUE.world([1, 1, 1]), expected)


@pytest.mark.parametrize("grid", [AXIAL, OBLIQUE])
def test_voxels_undoes_world(grid: Grid) -> None:
    voxels = [[0.0, 0.0, 0.0], [1.5, 2.0, 7.0]]
    np.testing.assert_allclose(grid.voxels(grid.world(voxels)), voxels, atol=1e-9)


def test_spacing_and_volume_of_a_voxel() -> None:
    np.testing.assert_allclose(OBLIQUE.spacing_mm, [3.0, 1.0, 2.0])
    assert OBLIQUE.voxel_ml == pytest.approx(0.006)


def test_a_point_half_a_voxel_out_is_contained_and_more_is_not() -> None:
    np.testing.assert_array_equal(AXIAL.contains([[-0.99, 0, 0], [-1.01, 0, 0]]), [True, False])
    np.testing.assert_array_equal(AXIAL.contains([[14.99, 0, 0], [15.01, 0, 0]]), [True, False])


def test_a_crop_keeps_the_place_of_its_voxels() -> None:
    part = OBLIQUE.crop((slice(1, 3), slice(2, 5), slice(0, 8)))
    assert part.shape == (2, 3, 8)
    np.testing.assert_allclose(part.world([0, 0, 0]), OBLIQUE.world([1, 2, 0]))


def test_matching_grids_differ_by_less_than_the_tolerance() -> None:
    def moved(by_mm: float) -> Grid:
        return Grid.of(PET, (4, 6, 8), origin_mm=(by_mm, 0, 0), spacing_mm=(3, 1, 2))

    assert AXIAL.matches(moved(0.009))
    assert not AXIAL.matches(moved(0.011))
    assert not AXIAL.matches(Grid(MRI, AXIAL.shape, AXIAL.world_from_voxel))


def test_a_box_around_points_has_its_margin_and_stays_on_the_grid() -> None:
    box = AXIAL.box_around([[4.0, 2.0, 3.0]], 2.0)
    assert box == (slice(0, 3), slice(0, 5), slice(1, 4))


def test_a_box_beside_the_grid_is_refused() -> None:
    with pytest.raises(InvalidGeometry, match="beside it"):
        AXIAL.box_around([[400.0, 2.0, 3.0]], 2.0)


def test_other_voxels_cover_the_same_extent() -> None:
    fine = AXIAL.with_spacing(1.0)
    assert fine.shape == (12, 6, 16)
    np.testing.assert_allclose(fine.world([0, 0, 0]), [-0.5, 0.0, -1.0])
    coarse = AXIAL.with_spacing(4.0)
    assert coarse.shape == (3, 2, 4)
    np.testing.assert_allclose(coarse.world([0, 0, 0]), [1.0, 1.5, 0.5])


@pytest.mark.parametrize("shape", [(0, 1, 1), (1, 1)])
def test_a_grid_without_voxels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidGeometry, match="wanted 3 sizes"):
        Grid(PET, shape, np.eye(4))  # type: ignore[arg-type]


def test_groups_asked_at_once_are_answered_as_if_each_alone() -> None:
    calls = []

    def lengths(points: Points) -> NDArray[np.float64]:
        calls.append(len(points))
        return np.asarray(np.linalg.norm(points, axis=1))

    groups = [np.array([[3.0, 4.0, 0.0]]), np.zeros((0, 3)), np.array([[1.0, 0, 0], [0, 2.0, 0]])]
    got = at_once(lengths, groups)
    assert [part.tolist() for part in got] == [[5.0], [], [1.0, 2.0]]
    assert calls == [3]
    assert at_once(lengths, []) == []

"""Maps of points, resampling, distances, and their files."""

import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.errors import FrameMismatch, InvalidGeometry, InvalidInput, UnusableOutput
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.resample import (
    PointMap,
    distance_mm,
    grid_of,
    matrix_of,
    read_transform,
    region_on,
    resample,
    resample_mask,
    smooth,
    write_transform,
)

PET, MRI, CT = Frame("1.2.3"), Frame("1.2.4"), Frame("1.2.5")


def shifted(x_mm: float, y_mm: float, z_mm: float) -> PointMap:
    matrix = np.eye(4)
    matrix[:3, 3] = (x_mm, y_mm, z_mm)
    return PointMap.affine(Transform(MRI, PET, matrix))


def turned(angle_deg: float = 90.0) -> PointMap:
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    matrix = np.array([[c, -s, 0, 5], [s, c, 0, 0], [0, 0, 1, -2], [0, 0, 0, 1.0]])
    return PointMap.affine(Transform(MRI, PET, matrix))


def bump() -> PointMap:
    """3 mm along x at the middle voxel of an oblique 3x3x3 field, nothing at its border."""
    axes = np.array([[0.0, 0.6, 0.8], [0.0, 0.8, -0.6], [1.0, 0.0, 0.0]])
    shifts = np.zeros((3, 3, 3, 3))
    shifts[1, 1, 1] = (3.0, 0.0, 0.0)
    grid = Grid.of(PET, (3, 3, 3), origin_mm=(10, 0, 0), spacing_mm=(4, 2, 2), directions=axes)
    return PointMap.displacement(MRI, grid, shifts)


def ramp(grid: Grid) -> Image:
    """An image whose value is x + 10 y + 100 z."""
    points = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1))
    return Image(grid, (points @ [1.0, 10.0, 100.0]).astype(np.float32), Quantity.ARBITRARY)


def test_identity_leaves_points_where_they_are() -> None:
    np.testing.assert_array_equal(PointMap.identity(MRI, PET).apply([[1, 2, 3]]), [[1, 2, 3]])


def test_an_affine_map_turns_then_shifts() -> None:
    np.testing.assert_allclose(turned()([[1.0, 2.0, 3.0]]), [[3.0, 1.0, 1.0]], atol=1e-12)


def test_a_field_moves_its_middle_and_leaves_points_beyond_it() -> None:
    middle = [10 + 2 * 0.6 + 2 * 0.8, 2 * 0.8 - 2 * 0.6, 4.0]
    moved = bump()([middle, [100.0, 0, 0]])
    expected = np.array([[middle[0] + 3, middle[1], middle[2]], [100.0, 0.0, 0.0]])
    np.testing.assert_allclose(moved, expected, atol=1e-9)


def test_composition_applies_the_first_map_first() -> None:
    ct_from_mri = PointMap.affine(Transform(CT, MRI, np.diag([2.0, 2.0, 2.0, 1.0])))
    np.testing.assert_allclose(ct_from_mri.after(shifted(1, 0, 0))([[1, 1, 1]]), [[4, 2, 2]])


def test_maps_that_do_not_meet_are_refused() -> None:
    with pytest.raises(FrameMismatch, match=r"wanted frame of reference 1\.2\.3, got 1\.2\.4"):
        shifted(0, 0, 0).after(shifted(0, 0, 0))


def test_a_flat_transform_is_refused() -> None:
    with pytest.raises(InvalidGeometry, match="wanted 3 dimensions, got 2"):
        PointMap(MRI, PET, sitk.Transform(2, sitk.sitkIdentity))


def test_displacements_of_another_shape_are_refused() -> None:
    with pytest.raises(InvalidGeometry, match=r"wanted shape \(3, 3, 3, 3\), got \(3, 3, 3\)"):
        PointMap.displacement(MRI, Grid.of(PET, (3, 3, 3)), np.zeros((3, 3, 3)))


@given(st.lists(st.tuples(*[st.floats(-15.0, 25.0)] * 3), min_size=1, max_size=20))
def test_points_move_as_itk_moves_them_one_by_one(points: list[tuple[float, ...]]) -> None:
    mapped = turned().itk
    composite = PointMap(MRI, PET, sitk.CompositeTransform([mapped, bump().itk]))
    one_by_one = np.array([composite.itk.TransformPoint(p) for p in points])
    np.testing.assert_allclose(composite(points), one_by_one, atol=1e-9)


def test_a_transform_we_do_not_know_is_applied_point_by_point() -> None:
    spline = sitk.BSplineTransform(3, 3)
    spline.SetTransformDomainPhysicalDimensions((10.0, 10.0, 10.0))
    spline.SetTransformDomainMeshSize((1, 1, 1))
    spline.SetParameters([2.0] * 64 + [0.0] * 128)
    np.testing.assert_allclose(PointMap(MRI, PET, spline)([[5, 5, 5]]), [[7, 5, 5]], atol=1e-9)


def test_the_grid_of_an_itk_image_is_where_its_voxels_are() -> None:
    field = bump().itk.Downcast().GetDisplacementField()
    grid = grid_of(field, PET)
    expected = field.TransformIndexToPhysicalPoint((2, 1, 0))
    np.testing.assert_allclose(grid.world([0, 1, 2]), expected, atol=1e-12)


def test_resampling_onto_an_oblique_grid_reads_the_ramp_there() -> None:
    image = ramp(Grid.of(PET, (9, 10, 11), spacing_mm=(2.0, 1.5, 1.0)))
    axes = np.array([[0.0, 0.6, 0.8], [0.0, 0.8, -0.6], [1.0, 0.0, 0.0]])
    grid = Grid.of(PET, (2, 2, 2), origin_mm=(3.0, 6.0, 5.0), directions=axes)
    for interpolation in ("linear", "cubic"):
        got = resample(image, grid, outside=-1.0, interpolation=interpolation)
        np.testing.assert_allclose(got.array[1, 1, 0], 3.6 + 10 * 6.8 + 100 * 6, rtol=2e-3)


def test_resampling_through_a_map_asks_where_the_voxel_lies_in_the_image() -> None:
    image = ramp(Grid.of(MRI, (4, 4, 4)))
    got = resample(image, Grid.of(PET, (1, 1, 1)), shifted(2, 1, 3), outside=-1.0)
    assert got.array[0, 0, 0] == 312.0
    assert got.frame == PET


def test_voxels_beyond_the_image_are_outside() -> None:
    image = ramp(Grid.of(PET, (2, 2, 2)))
    got = resample(image, Grid.of(PET, (1, 1, 1), origin_mm=(50, 0, 0)), outside=-1000.0)
    assert got.array.item() == -1000.0


def test_resampling_between_frames_needs_a_map_between_them() -> None:
    image = ramp(Grid.of(MRI, (2, 2, 2)))
    with pytest.raises(FrameMismatch, match=r"resampling: wanted .* 1\.2\.4, got 1\.2\.3"):
        resample(image, Grid.of(PET, (2, 2, 2)), outside=0.0)
    with pytest.raises(FrameMismatch, match="the map's target"):
        resample(image, image.grid, PointMap.identity(PET, MRI), outside=0.0)
    with pytest.raises(FrameMismatch, match="the map's source"):
        resample(image, Grid.of(CT, (2, 2, 2)), shifted(0, 0, 0), outside=0.0)


def test_a_mask_between_two_voxels_is_half_there() -> None:
    mask = Mask(Grid.of(PET, (1, 1, 3)), np.array([[[False, True, False]]]))
    got = resample_mask(mask, Grid.of(PET, (1, 1, 2), origin_mm=(0.5, 0, 0)))
    np.testing.assert_allclose(got, [[[0.5, 0.5]]])


def test_distances_agree_with_the_brute_force_on_anisotropic_voxels() -> None:
    array = np.random.default_rng(3).random((7, 9, 11)) > 0.98
    mask = Mask(Grid.of(PET, array.shape, spacing_mm=(3.0, 1.5, 1.0)), array)
    brute = ndimage.distance_transform_edt(~array, sampling=(3.0, 1.5, 1.0))
    np.testing.assert_allclose(distance_mm(mask), brute, atol=1e-4)


def test_distance_is_nothing_inside_and_infinite_from_nowhere() -> None:
    grid = Grid.of(PET, (5, 5, 5))
    assert (distance_mm(Mask(grid, np.ones(grid.shape, bool))) == 0.0).all()
    assert np.isinf(distance_mm(Mask(grid, np.zeros(grid.shape, bool)))).all()


def test_a_smoothed_point_has_the_width_asked_for_in_mm() -> None:
    grid = Grid.of(PET, (21, 41, 41), spacing_mm=(2.0, 1.0, 1.0))
    array = np.zeros(grid.shape, np.float32)
    array[10, 20, 20] = 1.0
    blurred = smooth(Image(grid, array, Quantity.SUV_BW), 8.0).array
    assert blurred.sum() == pytest.approx(1.0, abs=1e-3)
    assert blurred[10, 20, 24] / blurred[10, 20, 20] == pytest.approx(0.5, abs=0.01)
    assert blurred[12, 20, 20] / blurred[10, 20, 20] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name", ["map.h5", "map.tfm", "map.txt"])
def test_an_affine_map_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    write_transform(turned(8.0), tmp_path / name)
    read = read_transform(tmp_path / name, target=MRI, source=PET)
    points = np.array([[100.0, -200.0, 300.0], [0, 0, 0]])
    np.testing.assert_allclose(read(points), turned(8.0)(points), atol=1e-8)


def test_equal_maps_make_equal_files_whenever_they_are_written(tmp_path: Path) -> None:
    write_transform(bump(), tmp_path / "map.h5")
    time.sleep(1.1)  # a file's clock counts whole seconds
    write_transform(bump(), tmp_path / "later.h5")
    assert (tmp_path / "map.h5").read_bytes() == (tmp_path / "later.h5").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"map.h5", "later.h5"}


def test_a_deformation_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_transform(bump(), tmp_path / "map.h5")
    read = read_transform(tmp_path / "map.h5", target=MRI, source=PET)
    points = np.random.default_rng(0).uniform(0, 15, (50, 3))
    np.testing.assert_allclose(read(points), bump()(points), atol=1e-9)


def test_the_matrix_of_a_deformation_is_none() -> None:
    assert matrix_of(bump()) is None
    matrix = matrix_of(shifted(1, 2, 3))
    assert matrix is not None
    expected = np.array([[1.0, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]])
    np.testing.assert_allclose(matrix, expected, atol=1e-12)


def test_a_deformation_as_a_matrix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGeometry, match=r"got a deformation; write it as \.h5"):
        write_transform(bump(), tmp_path / "map.txt")


@pytest.mark.parametrize("name", ["map.h5", "map.txt"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableOutput, match="wanted a file that can be written"):
        write_transform(turned(), tmp_path / "missing" / name)


@pytest.mark.parametrize("text", ["1 2 3\n", "hello\n", "1 0 0 0\n" * 3, "1 0 0 0\n" * 3 + "0 1\n"])
def test_a_file_without_a_transform_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.txt").write_text(text)
    with pytest.raises(InvalidInput, match=r"map\.txt: wanted an ITK transform"):
        read_transform(tmp_path / "map.txt", target=MRI, source=PET)


def test_a_region_on_other_voxels_has_those_it_covers_by_half() -> None:
    # Two voxels of 1 mm at x = 0 and 1; at -0.4 it is covered by 0.6, at 1.6 by 0.4.
    mask = Mask(
        Grid.of(PET, (1, 1, 4), origin_mm=(-1, 0, 0)), np.array([[[False, True, True, False]]])
    )
    at = Grid.of(PET, (1, 1, 3), origin_mm=(-0.4, 0, 0), spacing_mm=(1, 1, 1.0))
    np.testing.assert_array_equal(region_on(at, mask).array, [[[True, True, False]]])
    half = Grid.of(PET, (1, 1, 2), origin_mm=(-0.5, 0, 0), spacing_mm=(1, 1, 2.0))
    np.testing.assert_array_equal(region_on(half, mask).array, [[[True, True]]])
    shift = PointMap.affine(Transform(PET, PET, np.eye(4) + np.eye(4)[:, [0]] @ [[0, 0, 0, 1.0]]))
    np.testing.assert_array_equal(region_on(at, mask, shift).array, [[[True, False, False]]])


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (np.full((4, 4), np.nan), "ending"),
        (np.zeros((4, 4)), "ending"),
        (np.diag([1.0, 1.0, 0.0, 1.0]), "finite and invertible"),
    ],
)
def test_a_matrix_that_is_no_transform_is_refused_by_its_file_s_name(
    tmp_path: Path, matrix: NDArray[np.float64], says: str
) -> None:
    np.savetxt(tmp_path / "map.txt", matrix)
    with pytest.raises(InvalidInput, match=rf"transform map\.txt: .*{says}.*; write it with"):
        read_transform(tmp_path / "map.txt", target=MRI, source=PET)


def test_a_transform_of_the_plane_is_refused_by_its_file_s_name(tmp_path: Path) -> None:
    sitk.WriteTransform(sitk.Euler2DTransform(), str(tmp_path / "map.tfm"))
    with pytest.raises(InvalidInput, match=r"transform map\.tfm: .*got 2; write it with"):
        read_transform(tmp_path / "map.tfm", target=MRI, source=PET)


def test_a_file_whose_name_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "M\udcfcller.tfm"
    path.write_text("#Insight Transform File V1.0\n")
    with pytest.raises(InvalidInput, match="wanted an ITK transform"):
        read_transform(path, target=Frame("a"), source=Frame("b"))

"""Images, masks and label maps."""

import numpy as np
import pytest

from lesionmatch.errors import InvalidGeometry, WrongQuantity
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, LabelMap, Mask, Quantity, union

GRID = Grid.of(Frame("1.2.3"), (3, 4, 5), spacing_mm=(2, 1, 1))
OTHER = Grid.of(Frame("1.2.3"), (3, 4, 5), origin_mm=(0.5, 0, 0), spacing_mm=(2, 1, 1))


def dot() -> Mask:
    array = np.zeros(GRID.shape, bool)
    array[1, 2, 3] = True
    return Mask(GRID, array)


def test_an_image_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidGeometry, match="wanted an array of shape"):
        Image(GRID, np.zeros((3, 4, 4), np.float32), Quantity.SUV_BW)


def test_another_quantity_is_refused() -> None:
    image = Image(GRID, np.zeros(GRID.shape, np.float32), Quantity.BQ_PER_ML)
    assert image.require(Quantity.BQ_PER_ML) is image
    with pytest.raises(WrongQuantity, match="wanted g/ml"):
        image.require(Quantity.SUV_BW)


def test_voxels_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        dot().array[0, 0, 0] = True


def test_a_mask_knows_its_volume_and_points() -> None:
    assert dot().volume_ml == pytest.approx(0.002)
    np.testing.assert_array_equal(dot().points_mm(), [[3.0, 2.0, 2.0]])


def test_a_mask_holds_points_up_to_the_outer_border_of_its_voxels() -> None:
    # Voxels of 2 mm along x at 0, 2, 4 and 6, of which the first and the last belong to it.
    grid = Grid.of(Frame("x"), (1, 1, 4), spacing_mm=(1, 1, 2))
    mask = Mask(grid, np.array([[[True, False, False, True]]]))
    x_mm = [-1.1, -1.0, 0.9, 1.1, 4.9, 5.1, 7.0, 7.1]
    held = mask.holds(np.array([[x, 0.0, 0.0] for x in x_mm]))
    assert held.tolist() == [False, True, True, False, False, True, True, False]


def test_a_trimmed_mask_goes_back_where_it_was() -> None:
    small = dot().trimmed()
    assert small.grid.shape == (1, 1, 1)
    np.testing.assert_array_equal(small.on(GRID).array, dot().array)


def test_an_empty_mask_has_no_place() -> None:
    with pytest.raises(InvalidGeometry, match="got none"):
        Mask(GRID, np.zeros(GRID.shape, bool)).trimmed()


def test_a_mask_does_not_go_onto_voxels_of_another_grid() -> None:
    with pytest.raises(InvalidGeometry, match="grid that holds its voxels"):
        dot().trimmed().on(OTHER)


def test_a_union_holds_the_voxels_of_all_its_parts() -> None:
    other = np.zeros(GRID.shape, bool)
    other[0, 0, 0] = other[1, 2, 3] = True
    got = union(GRID, [dot().trimmed(), Mask(GRID, other).trimmed()])
    np.testing.assert_array_equal(np.argwhere(got.array), [[0, 0, 0], [1, 2, 3]])
    assert union(GRID, []).is_empty


def test_a_part_of_another_grid_has_no_union() -> None:
    with pytest.raises(InvalidGeometry, match="grid that holds its voxels"):
        union(OTHER, [dot().trimmed()])


def test_a_label_is_a_mask() -> None:
    labels = np.zeros(GRID.shape, np.uint16)
    labels[0, 0, 0] = 2
    assert LabelMap(GRID, labels).mask(2).volume_ml == pytest.approx(0.002)
    assert LabelMap(GRID, labels).mask(1).is_empty

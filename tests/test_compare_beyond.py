"""What of the PET lies beside an MRI that ends within the liver."""

from dataclasses import replace

import numpy as np
import pytest

from lesionmatch.compare.drawn import BENT_MM, _beyond
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Mask
from lesionmatch.registration import Registration, identity
from lesionmatch.resample import PointMap

MRI, PET = Frame("mri"), Frame("pet")
MRI_GRID = Grid.of(MRI, (20, 40, 40), origin_mm=(10, 10, 10), spacing_mm=(3.0, 2.0, 2.0))
"""Its voxels reach from 9 to 89 mm in x and y, and from 8.5 to 68.5 mm in z."""
PET_GRID = Grid.of(PET, (50, 50, 50), origin_mm=(-50, -50, -50), spacing_mm=(4.0, 4.0, 4.0))


def shifted(shift_mm: tuple[float, float, float]) -> Registration:
    """The MRI lies so far along x, y and z on the PET."""
    matrix = np.eye(4)
    matrix[:3, 3] = shift_mm
    there = Transform(PET, MRI, matrix)
    return replace(
        identity(MRI, PET),
        pet_from_mri=PointMap.affine(there),
        mri_from_pet=PointMap.affine(there.inverse),
    )


def liver(slices: slice, rows: slice = slice(10, 30), columns: slice = slice(10, 30)) -> Mask:
    array = np.zeros(MRI_GRID.shape, np.bool_)
    array[slices, rows, columns] = True
    return Mask(MRI_GRID, array)


@pytest.mark.parametrize("shift_mm", [(0.0, 0.0, 0.0), (-12.0, 20.0, 8.0)])
def test_it_is_what_the_map_puts_outside_the_mri_within_reach_of_the_liver(
    shift_mm: tuple[float, float, float],
) -> None:
    found = _beyond(liver(slice(10, 20)), shifted(shift_mm), PET_GRID)
    assert found is not None
    assert found.grid is PET_GRID or found.grid.shape == PET_GRID.shape
    places = found.points_mm() - shift_mm
    # Every place of it lies beside the MRI, most above its last slice.
    inside = ((places > [9, 9, 8.5]) & (places < [89, 89, 68.5])).all(axis=1)
    assert not inside.any()
    over = PET_GRID.voxels(np.array([[50.0, 50.0, z] for z in (60.0, 67.0, 70.0, 90.0)]) + shift_mm)
    held = [bool(found.array[tuple(np.rint(v).astype(int))]) for v in over]
    assert held == [False, False, True, True]
    # The liver ends at 67 mm; what is more than its bend away is nobody's question.
    assert places[:, 2].max() <= 68.5 + BENT_MM + 4.0
    assert places[:, 2].max() >= 68.5 + BENT_MM - 4.0


@pytest.mark.parametrize(
    "whole",
    [
        liver(slice(1, 19)),
        liver(slice(1, 19), slice(1, 39), slice(1, 39)),
    ],
)
def test_a_liver_that_the_mri_holds_whole_ends_nowhere(whole: Mask) -> None:
    assert _beyond(whole, shifted((0.0, 0.0, 0.0)), PET_GRID) is None


@pytest.mark.parametrize(
    "cut",
    [
        liver(slice(0, 5)),
        liver(slice(15, 20)),
        liver(slice(5, 15), rows=slice(0, 10)),
        liver(slice(5, 15), rows=slice(30, 40)),
        liver(slice(5, 15), columns=slice(0, 10)),
        liver(slice(5, 15), columns=slice(30, 40)),
    ],
)
def test_a_liver_is_cut_by_any_of_the_six_sides(cut: Mask) -> None:
    found = _beyond(cut, shifted((0.0, 0.0, 0.0)), PET_GRID)
    assert found is not None
    assert not found.is_empty


def test_an_mri_of_two_slices_has_no_inner_one() -> None:
    grid = Grid.of(MRI, (2, 40, 40), origin_mm=(10, 10, 10), spacing_mm=(3.0, 2.0, 2.0))
    array = np.zeros(grid.shape, np.bool_)
    array[:, 10:30, 10:30] = True
    assert _beyond(Mask(grid, array), shifted((0.0, 0.0, 0.0)), PET_GRID) is not None


def test_a_liver_beside_the_pet_leaves_nothing_to_ask() -> None:
    assert _beyond(liver(slice(10, 20)), shifted((0.0, 0.0, 500.0)), PET_GRID) is None

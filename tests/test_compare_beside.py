"""Lesions that were drawn beside the liver."""

import numpy as np
import pytest

from lesionmatch.compare.beside import lesions_beside
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Mask, union
from lesionmatch.lesions import lesions_from
from lesionmatch.protocol import LesionRules
from lesionmatch.segments import Kind, Segment

GRID = Grid.of(Frame("mri"), (30, 60, 60), spacing_mm=(2.0, 1.0, 1.0))
LIVER = ((5, 25), (10, 40), (5, 35))
"""Slices, rows and columns: x from 5 to 35 mm."""


def block(*spans: tuple[int, int]) -> Mask:
    array = np.zeros(GRID.shape, np.bool_)
    array[tuple(slice(*span) for span in spans)] = True
    return Mask(GRID, array)


def cube(column: int, side: int = 6) -> Mask:
    return block((12, 15), (20, 20 + side), (column, column + side))


def said(*masks: Mask, kind: Kind = Kind.METASTASIS) -> tuple[str, ...]:
    lesions = lesions_from([Segment("x", kind, mask, "test") for mask in masks], LesionRules())
    return lesions_beside(union(GRID, [block(*LIVER), *masks]), lesions, LesionRules())


@pytest.mark.parametrize("column", [10, 32, 36, 44])
def test_a_lesion_in_the_liver_or_at_its_rim_is_none(column: int) -> None:
    # the last voxel of the liver is column 34: 44 is 10 mm away, which is not further
    assert said(cube(column)) == ()


def test_a_lesion_further_away_is_named_with_its_distance() -> None:
    assert said(cube(10), cube(45)) == ("L2 lies 11 mm outside the liver and counts as its lesion",)


def test_several_are_named_together() -> None:
    assert said(cube(46), cube(54)) == (
        "L1 and L2 lie 12 mm and more outside the liver and count as its lesions",
    )


def test_a_benign_lesion_may_lie_anywhere() -> None:
    assert said(cube(50), kind=Kind.CYST) == ()


def test_a_lesion_among_lesions_of_the_liver_lies_in_it() -> None:
    # a chain that leaves the liver's own tissue 15 mm behind, and hangs together with it
    assert said(cube(33), cube(39), cube(45), cube(51)) == ()

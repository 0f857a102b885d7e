"""Organs as bright as the liver that touch it, and a lobe of it behind a fissure."""

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Quantity
from lesionmatch.liver import find_liver
from lesionmatch.liver.bright_organs import is_left_lobe, is_organ
from lesionmatch.liver.regions import bright_near, scene_of
from lesionmatch.protocol import Protocol

GRID = Grid.of(Frame("mri"), (70, 76, 80), origin_mm=(-118, -112, -103), spacing_mm=(3, 3, 3))
X, Y, Z = np.moveaxis(GRID.world(np.indices(GRID.shape).reshape(3, -1).T), 1, 0).reshape(
    3, *GRID.shape
)
Voxels = NDArray[np.bool_]


def ellipsoid(centre_mm: tuple[float, float, float], half_mm: tuple[float, ...]) -> Voxels:
    offsets = ((a - c) / h for a, c, h in zip((X, Y, Z), centre_mm, half_mm, strict=True))
    return np.asarray(sum(offset**2 for offset in offsets) <= 1.0)


BODY = np.hypot(X / 114.0, Y / 108.0) < 1.0
LIVER = ellipsoid((-45.0, -5.0, -10.0), (58.0, 66.0, 60.0))
WAVES = np.sin(X / 9.0 + 1.0) + np.sin(Y / 8.0 + Z / 20.0) + np.sin(Z / 10.0 - X / 25.0)
LEFT_LOBE = ellipsoid((40.0, -40.0, 5.0), (40.0, 26.0, 24.0))


def share_found(
    organ: Voxels, liver: Voxels = LIVER, brightness: float = 100.0, unevenness: float = 0.0
) -> float:
    """How much of an organ is taken for liver, which is found itself."""
    values = np.where(BODY, 30.0, 0.0)
    values[organ] = brightness
    values[liver] = 100.0
    values[liver | organ] *= 1.0 + unevenness * WAVES[liver | organ]
    values += np.random.default_rng(2).normal(0.0, 3.0, values.shape)
    image = Image(GRID, np.abs(values).astype(np.float32), Quantity.ARBITRARY)
    found = find_liver(image, Protocol()).array
    assert (found & liver).sum() / liver.sum() > 0.95
    rest = organ & ~liver
    return float((found & rest).sum() / rest.sum())


def test_a_heart_as_bright_as_the_liver_stands_on_it_and_is_left_out() -> None:
    assert share_found(ellipsoid((5.0, -15.0, 62.0), (46.0, 40.0, 36.0))) < 0.1


def test_a_caval_vein_as_bright_as_the_liver_is_left_out() -> None:
    cava = np.hypot(X + 5.0, Y - 58.0) < 11.0
    assert share_found(cava) < 0.3


def test_a_gallbladder_is_left_out_whether_brighter_or_as_bright_as_the_liver() -> None:
    gallbladder = ellipsoid((-44.0, -42.0, -72.0), (13.0, 13.0, 26.0))
    fossa = LIVER & ~ellipsoid((-44.0, -42.0, -72.0), (16.0, 16.0, 29.0))
    assert share_found(gallbladder, fossa, 170.0) < 0.1
    assert share_found(gallbladder, fossa, 115.0) < 0.1
    assert share_found(gallbladder, fossa, 100.0) < 0.1


def test_the_wall_of_bowel_is_a_thin_shell_that_edges_part_from_the_liver() -> None:
    values = np.where(LIVER, 100.0, 30.0).astype(np.float32)
    nothing = np.zeros_like(LIVER)
    scene = scene_of(Image(GRID, values, Quantity.ARBITRARY), nothing, Protocol())
    bright = bright_near(LIVER, scene, scene.rules.bright_least)
    whole = ellipsoid((-45.0, -80.0, -10.0), (24.0, 24.0, 24.0)) & ~LIVER
    wall = whole & ~ellipsoid((-45.0, -80.0, -10.0), (18.0, 18.0, 18.0))
    assert is_organ(wall, LIVER, 0.1, scene, bright)
    assert not is_organ(wall, LIVER, 0.2, scene, bright)
    assert not is_organ(whole, LIVER, 0.1, scene, bright)


def test_bright_bile_sunk_into_the_liver_is_not_filled_with_it_and_a_bright_lesion_is() -> None:
    buried = ellipsoid((-40.0, -20.0, -62.0), (15.0, 18.0, 24.0))
    fossa = LIVER & ~ellipsoid((-40.0, -20.0, -62.0), (18.0, 21.0, 27.0))
    assert share_found(buried, fossa, 200.0) < 0.05
    within = ellipsoid((-50.0, 0.0, -10.0), (15.0, 15.0, 15.0))
    assert share_found(within, LIVER & ~within, 200.0) == 1.0


def test_a_left_lobe_behind_a_fissure_is_liver_and_a_darker_organ_there_is_not() -> None:
    around = ellipsoid((-45.0, -5.0, -10.0), (66.0, 74.0, 68.0))
    apart = LEFT_LOBE & ~around
    assert share_found(apart) > 0.9
    assert share_found(apart, brightness=86.0) < 0.1
    in_front = ellipsoid((0.0, -60.0, 5.0), (30.0, 26.0, 24.0)) & ~around
    assert share_found(in_front) > 0.9
    assert share_found(in_front[:, ::-1] & ~around) < 0.1


def test_a_left_lobe_behind_a_fissure_may_differ_by_what_the_liver_itself_does() -> None:
    apart = LEFT_LOBE & ~ellipsoid((-45.0, -5.0, -10.0), (66.0, 74.0, 68.0))
    assert share_found(apart, brightness=91.0) < 0.1
    assert share_found(apart, brightness=103.0, unevenness=0.1) > 0.9


def test_a_kidney_left_of_the_lower_end_of_a_right_lobe_is_no_left_lobe() -> None:
    lobe = ellipsoid((-78.0, 15.0, -25.0), (20.0, 50.0, 60.0))
    kidney, twin = (ellipsoid((x, 40.0, -66.0), (20.0, 20.0, 32.0)) for x in (-36.0, 36.0))
    kidney &= ~ellipsoid((-78.0, 15.0, -25.0), (28.0, 58.0, 68.0))
    are_lobes = []
    for bodies in (lobe | kidney, lobe | kidney | twin):
        values = np.where(bodies, 100.0, np.where(BODY, 30.0, 0.0)).astype(np.float32)
        image = Image(GRID, values, Quantity.ARBITRARY)
        scene = scene_of(image, np.zeros_like(lobe), Protocol())
        bright = bright_near(lobe, scene, scene.rules.bright_least)
        are_lobes.append(is_left_lobe(kidney, lobe, scene, bright))
    assert are_lobes == [True, False]

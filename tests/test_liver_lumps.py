"""What is too wide for the vessel it lies at is a lesion nobody drew; a branching is none."""

import numpy as np
import pytest

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Mask
from lesionmatch.liver import Liver, describe_liver
from lesionmatch.liver.lumps import lumps
from lesionmatch.protocol import LiverRules, Protocol, changed
from tests import liver_scene
from tests.liver_scene import BALL_80, TUBES, picture

GRID = Grid.of(Frame("mri"), (50, 60, 70), origin_mm=(-51, -43, -36), spacing_mm=(1.5, 1.5, 1.5))
POINTS = GRID.world(np.indices(GRID.shape).reshape(3, -1).T)
Voxels = liver_scene.Voxels


def tube(start: tuple[float, ...], stop: tuple[float, ...], radius_mm: float) -> Voxels:
    a, way = np.array(start), np.array(stop) - np.array(start)
    share = np.clip((POINTS - a) @ way / (way @ way), 0.0, 1.0)
    off = np.linalg.norm(POINTS - a - share[:, None] * way, axis=1)
    return np.asarray((off <= radius_mm).reshape(GRID.shape))


def ball(centre: tuple[float, ...], radius_mm: float) -> Voxels:
    return np.asarray((np.linalg.norm(POINTS - centre, axis=1) <= radius_mm).reshape(GRID.shape))


ALONG = tube((-60, 0, 0), (60, 0, 0), 3.0)


def lumps_of(dark: Voxels) -> Voxels:
    return lumps(Mask(GRID, dark), Mask(GRID, dark), LiverRules()).array


@pytest.mark.parametrize("aside_mm", [0.0, 4.0, 7.0])
@pytest.mark.parametrize("radius_mm", [5.5, 7.0])
def test_a_ball_in_a_tube_or_beside_it_is_a_lump_and_the_tube_none(
    aside_mm: float, radius_mm: float
) -> None:
    lesion = ball((0.0, aside_mm, 0.0), radius_mm)
    found = lumps_of(ALONG | lesion)
    assert (found & lesion).sum() / lesion.sum() > 0.85
    away = np.abs(POINTS[:, 0]).reshape(GRID.shape) > radius_mm + 3.0
    assert not (found & away).any()


VESSELS = {
    "straight": ALONG,
    "into two": tube((-60, 0, 0), (0, 0, 0), 6.0)
    | tube((0, 0, 0), (60, 30, 0), 4.2)
    | tube((0, 0, 0), (60, -30, 10), 4.2),
    "at right angles": ALONG | tube((0, 0, 0), (0, 60, 0), 3.0),
    "twigs of a trunk": tube((-60, 0, 0), (60, 0, 0), 6.0) | tube((0, 0, 0), (0, 60, 0), 2.0),
    "crossing": ALONG | tube((0, -60, 0), (0, 60, 0), 3.0) | tube((0, 0, -50), (0, 0, 50), 3.0),
    "tapering": np.any([tube((x, 0, 0), (x + 10, 0, 0), 4 - x / 20) for x in range(-60, 60, 3)], 0),
}


@pytest.mark.parametrize("name", VESSELS)
def test_no_branching_is_a_lump(name: str) -> None:
    assert not lumps_of(VESSELS[name]).any()


def test_a_trunk_that_leaves_the_liver_at_once_is_none() -> None:
    trunk = tube((-6, 0, 0), (6, 0, 0), 6.0) | tube((0, 0, 0), (60, 0, 0), 2.5)
    outside = (POINTS[:, 0] < -4.0).reshape(GRID.shape)
    lumen = Mask(GRID, trunk & ~outside)
    assert not lumps(lumen, lumen, LiverRules()).is_empty
    assert lumps(Mask(GRID, lumen.array | outside), lumen, LiverRules()).is_empty


def described(dark: Voxels, protocol: Protocol | None = None) -> Liver:
    return describe_liver(
        picture(BALL_80, dark),
        Mask(liver_scene.GRID, BALL_80),
        origin="given",
        lesions=(),
        structures={},
        protocol=protocol or Protocol(),
    )


VEIN = (np.hypot(liver_scene.Y - 10.0, liver_scene.Z) < 3.2) & (np.abs(liver_scene.X) < 60)
LESION = liver_scene.ball(6.0, (30.0, 12.0, 0.0))


def test_a_lesion_of_12_mm_in_a_vessel_is_told_from_it() -> None:
    liver = described(VEIN | LESION)
    lesion = LESION & ~VEIN
    assert (liver.vessels.array & lesion).sum() / lesion.sum() < 0.3
    assert (liver.lumps.array & LESION).sum() / LESION.sum() > 0.7
    vein = VEIN & ~liver_scene.ball(10.0, (30.0, 12.0, 0.0))
    assert (liver.vessels.array & vein).sum() / vein.sum() > 0.75
    assert described(TUBES).lumps.is_empty


def test_a_wider_limit_takes_it_for_a_part_of_the_vessel() -> None:
    wide = changed(Protocol(), {"liver": {"lump_widening": 5.0}})
    liver = described(VEIN | LESION, wide)
    assert (liver.vessels.array & LESION).sum() / LESION.sum() > 0.8
    assert liver.lumps.is_empty

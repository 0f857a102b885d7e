"""How far a registration may be off: what its bound rests on."""

import numpy as np
import pytest

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Quantity
from lesionmatch.protocol import RegistrationBounds
from lesionmatch.registration.bound import LocalBound
from lesionmatch.registration.deform import Deformation, bend_mm
from lesionmatch.registration.information import Window
from lesionmatch.registration.scene import Scene, structure_share

MRI = Frame("1.2.4")


def bound_with(
    offset_left_mm: float = 0.0, structure_share: float = 0.5, bend_mm: float = 2.0
) -> LocalBound:
    """Of a map held alike everywhere, from a cube of 30 mm."""
    bent = Deformation(
        field=np.zeros((3, 12, 12, 12), np.float32),
        hold=np.full((4, 4, 4), 2e-3, np.float32),
        cell_voxels=3,
    )
    grid = Grid.of(MRI, (12, 12, 12), spacing_mm=(2.5, 2.5, 2.5))
    return LocalBound(
        bent=bent,
        grid=grid,
        centre_mm=np.zeros(3),
        structure_share=structure_share,
        bend_mm=bend_mm,
        level=RegistrationBounds().ct_level,
        offset_left_mm=offset_left_mm,
        rules=RegistrationBounds(),
    )


def test_what_may_be_left_between_pet_and_ct_widens_the_bound() -> None:
    centre = np.zeros((1, 3))
    plain = bound_with(0.0)(centre)[0]
    assert bound_with(3.0)(centre)[0] == pytest.approx(np.hypot(plain, 3.0))


def test_the_bound_grows_away_from_the_middle_of_the_liver() -> None:
    near, far = bound_with()(np.array([[0.0, 0.0, 0.0], [100.0, 0.0, 0.0]]))
    assert far > 1.3 * near


def test_the_bound_grows_with_the_bend_and_with_the_noise() -> None:
    centre = np.zeros((1, 3))
    usual, bent = bound_with()(centre)[0], bound_with(bend_mm=4.0)(centre)[0]
    noisy = bound_with(structure_share=0.25)(centre)[0]
    assert bent > 1.3 * usual
    assert noisy > 1.3 * usual


def even_scene(noise: float, structure: float) -> Scene:
    """A cube of liver of waves 40 mm long, with white noise."""
    grid = Grid.of(MRI, (24, 24, 24), spacing_mm=(2.5, 2.5, 2.5))
    x = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1))[..., 0]
    rng = np.random.default_rng(5)
    values = structure * np.sqrt(2) * np.sin(2 * np.pi * x / 40) + rng.normal(0, noise, grid.shape)
    image = Image(grid, values.astype(np.float32), Quantity.ARBITRARY)
    inside = np.ones(grid.shape, bool)
    return Scene(grid, image, image, Window(-100, 100), inside, np.zeros(grid.shape, np.float32))


@pytest.mark.parametrize(
    ("noise", "structure", "share"), [(10.0, 30.0, 0.9), (20.0, 20.0, 0.5), (20.0, 1.0, 0.06)]
)
def test_the_share_of_structure_is_what_is_no_noise(
    noise: float, structure: float, share: float
) -> None:
    assert structure_share(even_scene(noise, structure)) == pytest.approx(share, abs=0.07)


def test_an_affine_field_has_no_bend_and_a_wave_has() -> None:
    ground = even_scene(1.0, 1.0)
    z, y, x = np.indices(ground.grid.shape).astype(np.float32)
    straight = np.stack([1 + 0.1 * x, 0.2 * y - 0.1 * z, z])
    wave = np.zeros_like(straight)
    wave[1] = 3.0 * np.sqrt(2.0) * np.sin(2 * np.pi * x / 6.0)
    assert bend_mm(ground, straight) == pytest.approx(0.0, abs=1e-4)
    assert bend_mm(ground, straight + wave) == pytest.approx(3.0, abs=0.05)

"""The liver's own deformation: what is found, how stiff it is, how far two fits part."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Quantity
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.deform import deformation
from lesionmatch.registration.information import Window
from lesionmatch.registration.scene import Scene
from lesionmatch.registration.stiffness import stiffness

MRI = Frame("1.2.4")


def wavy_scene(noise: float) -> tuple[Scene, NDArray[np.float32]]:
    """A round liver full of vessels, its target's dome moved by 4 mm and less below."""
    grid = Grid.of(MRI, (48, 48, 48), spacing_mm=(2.5, 2.5, 2.5))
    rng = np.random.default_rng(3)
    at = np.indices(grid.shape).astype(np.float32)
    away = np.linalg.norm((at - 23.5) * 2.5, axis=0)
    inside = away < 40.0
    texture = ndimage.gaussian_filter(rng.normal(size=grid.shape), 2.0)
    body = np.where(inside, 1.0, 0.3) - 0.5 * (texture > 0.08) * inside
    bend = np.zeros((3, *grid.shape), np.float32)
    bend[0] = 4.0 * np.sin(np.pi * at[0] / 96.0) ** 2
    carried = ndimage.map_coordinates(body, at - bend / 2.5, order=1, mode="nearest")
    shown = 100.0 * carried + rng.normal(0.0, noise, grid.shape)
    mri, target = (
        Image(grid, values.astype(np.float32), Quantity.ARBITRARY) for values in (body, shown)
    )
    distance = np.maximum(away - 40.0, 0.0).astype(np.float32)
    return Scene(grid, mri, target, Window(-50.0, 150.0), inside, distance), bend


def test_a_bend_is_found_and_the_two_fits_part_where_noise_hides_it() -> None:
    apart = []
    for noise in (5.0, 80.0):
        scene, bend = wavy_scene(noise)
        found = deformation(scene, stiffness("ct", RegistrationRules()), np.random.default_rng(1))
        off = np.linalg.norm(found.field - bend, axis=0)[scene.inside]
        apart.append(float(found.apart_mm[scene.inside].mean()))
        if noise == 5.0:
            assert off.mean() < 0.6
    assert apart[1] > 2.0 * apart[0]


def test_the_weight_of_bending_falls_with_the_curvature_found() -> None:
    how = stiffness("ct", RegistrationRules())
    assert how.learned_bending(1.5e-4) == pytest.approx(1.0)
    assert how.learned_bending(2.0e-4) == pytest.approx(0.75)


@pytest.mark.parametrize(("curvature", "weight"), [(0.0, 2.0), (1e-6, 2.0), (1e-2, 0.6)])
def test_no_liver_is_held_stiffer_or_softer_than_the_limits(
    curvature: float, weight: float
) -> None:
    assert stiffness("ct", RegistrationRules()).learned_bending(curvature) == weight


def test_a_pet_teaches_no_stiffness() -> None:
    assert stiffness("pet", RegistrationRules()).learned_bending(1e-2) == 1.5


def test_what_each_fit_trusts_is_the_protocols() -> None:
    rules = RegistrationRules(vessel_fit_surface_weight=0.3, pet_outside_weight=0.4)
    assert stiffness("ct", rules).opinions[1].surface_weight == 0.3
    assert {opinion.outside_weight for opinion in stiffness("pet", rules).opinions} == {0.4}

"""Shapes on one grid, and images of a liver of such a shape, whose answers are known."""

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Quantity
from lesionmatch.protocol import LiverRules

MRI = Frame("mri")
RULES = LiverRules()
GRID = Grid.of(MRI, (60, 100, 100), origin_mm=(-99, -99, -88.5), spacing_mm=(3.0, 2.0, 2.0))
X, Y, Z = np.moveaxis(GRID.world(np.indices(GRID.shape).reshape(3, -1).T), 1, 0).reshape(
    3, *GRID.shape
)
Voxels = NDArray[np.bool_]


def ball(radius_mm: float, centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Voxels:
    x, y, z = centre_mm
    return np.asarray((X - x) ** 2 + (Y - y) ** 2 + (Z - z) ** 2 <= radius_mm**2)


def picture(liver: Voxels, dark: Voxels | None = None, noise: float = 0.03) -> Image:
    """A liver of brightness 100 in a body of 30, with dark places of 40."""
    values = np.where(liver, 100.0, 30.0)
    if dark is not None:
        values[dark & liver] = 40.0
    values += np.random.default_rng(1).normal(0.0, 100.0 * noise, values.shape)
    return Image(GRID, np.abs(values).astype(np.float32), Quantity.ARBITRARY)


BALL_80 = ball(80.0)
RIGHT = ball(58.0, (-35.0, 0.0, 0.0))
TUBES = (np.hypot(Y - 10.0, Z) < 5.0) & (np.abs(X) < 60) | (np.hypot(X - 1.0, Z) < 4.0) & (
    np.abs(Y) < 55
)

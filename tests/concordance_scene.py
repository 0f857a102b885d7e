"""Lesions and foci on grids small enough to reckon by hand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.concordance import Surroundings
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Mask
from lesionmatch.lesions import Carried, carry, lesions_from
from lesionmatch.protocol import LesionRules
from lesionmatch.segments import Kind, Segment

MRI, PET = Frame("mri"), Frame("pet")
MRI_GRID = Grid.of(MRI, (50, 100, 100), spacing_mm=(2.0, 1.0, 1.0))
PET_GRID = Grid.of(PET, (34, 34, 34), spacing_mm=(3.0, 3.0, 3.0))
SAME_PLACE = Transform(PET, MRI, np.eye(4))
FAR = Surroundings(capsule_mm=40.0, hilum_mm=60.0, vessel_mm=30.0)

Place = tuple[float, float, float]

WIDE: list[Place] = [(25, 30, 30), (45, 30, 40), (30, 60, 50), (60, 60, 60)]


@dataclass(frozen=True)
class Reference:
    suv_mean: float = 5.0
    suv_sd: float = 0.5
    spleen_suv_mean: float | None = 20.0


@dataclass(frozen=True)
class Spot:
    """A focus as the detector would report it."""

    focus_id: str
    centroid_mm: NDArray[np.float64]
    extent: Mask
    physiologic_neighbour: str | None = None
    suv_max: float = 15.0
    z: float = 6.0

    @property
    def peak_mm(self) -> NDArray[np.float64]:
        return self.centroid_mm


def ball(centre_mm: Place, diameter_mm: float, grid: Grid) -> Mask:
    part = grid.crop(grid.box_around([centre_mm], diameter_mm / 2.0))
    points = part.world(np.moveaxis(np.indices(part.shape), 0, -1).astype(np.float64))
    inside = ((points - centre_mm) ** 2).sum(-1) <= (diameter_mm / 2.0) ** 2
    return Mask(part, inside).trimmed()


def carried(
    *balls: tuple[Place, float],
    error_mm: float = 4.0,
    kind: Kind = Kind.METASTASIS,
    is_redrawn: bool = False,
) -> tuple[Carried, ...]:
    segments = [
        Segment("x", kind, ball(place, d, MRI_GRID), "test", is_redrawn=is_redrawn)
        for place, d in balls
    ]
    drawn = lesions_from(segments, LesionRules())
    return carry(drawn, SAME_PLACE, [error_mm] * len(drawn), PET_GRID, LesionRules())


def spot(n: int, place: Place, diameter_mm: float = 12.0, neighbour: str | None = None) -> Spot:
    extent = ball(place, diameter_mm, PET_GRID)
    return Spot(f"F{n}", np.array(place), extent, neighbour)

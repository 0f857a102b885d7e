"""Body wall, ribs, spine, great vessels, lungs and heart."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from lesionmatch.phantom.body import Organ, Tissue
from lesionmatch.phantom.shapes import (
    Coords,
    Ellipsoid,
    Field,
    Triple,
    common,
    rotation,
    triple,
    turned,
    union,
    without,
)

EVERYWHERE_MM: Triple = (1000.0, 1000.0, 1000.0)
VERTEBRA_MM = 31.0
"""Height of a vertebra with its disc."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """Sizes of the trunk."""

    half_width_mm: float
    half_depth_mm: float
    fat_mm: float
    wall_mm: float
    cavity_a_mm: float
    cavity_b_mm: float
    cavity_y_mm: float
    spine_y_mm: float
    spine_radius_mm: float
    rib_phase_mm: float
    rib_spacing_mm: float


def random_trunk(rng: np.random.Generator, build: float) -> Trunk:
    """A trunk for a build from 0, thin, to 1, large."""
    fat = 6.0 + 28.0 * build * float(rng.uniform(0.7, 1.2))
    wall = float(rng.uniform(13, 18))
    a = 126.0 + 16.0 * build + float(rng.uniform(-5, 5))
    b = 84.0 + 20.0 * build + float(rng.uniform(-4, 4))
    spine_y = float(rng.uniform(50, 56))
    return Trunk(
        half_width_mm=a + wall + fat,
        half_depth_mm=b + wall + 0.8 * fat,
        fat_mm=fat,
        wall_mm=wall,
        cavity_a_mm=a,
        cavity_b_mm=b,
        cavity_y_mm=80.0 - b,
        spine_y_mm=spine_y,
        spine_radius_mm=float(rng.uniform(19, 23)),
        rib_phase_mm=float(rng.uniform(0, 30)),
        rib_spacing_mm=float(rng.uniform(26, 31)),
    )


def _oval(at: Coords, y_mm: float, a_mm: float, b_mm: float, power: float = 2.4) -> Field:
    """A tube along the body with a rounded-rectangle section."""
    u, v = np.abs(at[0]) / a_mm, np.abs(at[1] - y_mm) / b_mm
    level = (u**power + v**power) ** (1.0 / power)
    steep = np.hypot(u / a_mm, v / b_mm) / np.maximum(np.hypot(u, v), 1e-6)
    return np.asarray((level - 1.0) / np.maximum(steep, 1e-6))


def _skin(trunk: Trunk, at: Coords) -> Field:
    y = trunk.cavity_y_mm + 0.2 * trunk.fat_mm
    return _oval(at, y, trunk.half_width_mm, trunk.half_depth_mm + 5.0, 2.3)


def _muscle(trunk: Trunk, at: Coords) -> Field:
    wall = _oval(
        at,
        trunk.cavity_y_mm,
        trunk.cavity_a_mm + trunk.wall_mm,
        trunk.cavity_b_mm + trunk.wall_mm,
    )
    sides = np.abs(at[0]) - 32.0
    back = np.hypot(sides / 30.0, (at[1] - trunk.spine_y_mm - 36.0) / 22.0) - 1.0
    return union(wall, np.asarray(22.0 * back), 10.0)


def cavity(trunk: Trunk, at: Coords) -> Field:
    """The room for the viscera: an oval tube less the spine and its muscles."""
    room = _oval(at, trunk.cavity_y_mm, trunk.cavity_a_mm, trunk.cavity_b_mm)
    spine = np.hypot(at[0], at[1] - trunk.spine_y_mm) - (trunk.spine_radius_mm + 2.0)
    psoas = np.hypot(np.abs(at[0]) - 26.0, at[1] - trunk.spine_y_mm - 16.0) - 14.0
    return without(room, union(spine, psoas, 12.0), 14.0)


def _rib(trunk: Trunk, at: Coords) -> Field:
    """Rings in the wall that fall to the front, ending at the costal arch."""
    middle = _oval(
        at,
        trunk.cavity_y_mm,
        trunk.cavity_a_mm + 0.42 * trunk.wall_mm,
        trunk.cavity_b_mm + 0.42 * trunk.wall_mm,
    )
    height = at[2] + trunk.rib_phase_mm - 0.55 * (at[1] - trunk.cavity_y_mm)
    spacing = trunk.rib_spacing_mm
    across = height - spacing * np.round(height / spacing)
    ring = np.hypot(1.35 * middle, 0.75 * across) - 4.6
    front = trunk.cavity_y_mm - 0.62 * trunk.cavity_b_mm - at[1]
    arch = -70.0 - at[2] - 1.2 * (at[1] - trunk.cavity_y_mm)
    spine = np.where(at[1] > trunk.spine_y_mm, 30.0 - np.abs(at[0]), -30.0)
    return common(common(common(ring, front), arch), spine)


def outer_parts(trunk: Trunk) -> list[Organ]:
    """Fat, muscle, ribs and the fat-filled cavity."""
    return [
        _static(Tissue.SKIN_FAT, partial(_skin, trunk)),
        _static(Tissue.MUSCLE, partial(_muscle, trunk)),
        _static(Tissue.CORTEX, partial(_rib, trunk)),
        Organ(
            Tissue.CAVITY_FAT,
            partial(cavity, trunk),
            (0.0, 0.0, 0.0),
            EVERYWHERE_MM,
            is_static=True,
        ),
    ]


def _static(tissue: Tissue, distance: "partial[Field]") -> Organ:
    return Organ(
        tissue, distance, (0.0, 0.0, 0.0), EVERYWHERE_MM, is_static=True, is_in_cavity=False
    )


def _vertebra(trunk: Trunk, at: Coords) -> Field:
    column = np.hypot(at[0], 1.25 * (at[1] - trunk.spine_y_mm)) - trunk.spine_radius_mm
    pedicle = np.hypot(np.abs(at[0]) - 15.0, 0.5 * (at[1] - trunk.spine_y_mm - 24.0)) - 6.0
    process = np.maximum(np.abs(at[0]) - 4.0, np.abs(at[1] - trunk.spine_y_mm - 45.0) - 13.0)
    return union(union(column, pedicle, 4.0), process, 4.0)


def _disc(trunk: Trunk, at: Coords) -> Field:
    column = np.hypot(at[0], 1.25 * (at[1] - trunk.spine_y_mm)) - trunk.spine_radius_mm
    height = at[2] + trunk.rib_phase_mm
    across = np.abs(height - VERTEBRA_MM * np.round(height / VERTEBRA_MM)) - 4.0
    return common(column, across)


def _marrow(trunk: Trunk, at: Coords) -> Field:
    return np.asarray(_vertebra(trunk, at) + 2.0)


def _canal(trunk: Trunk, at: Coords) -> Field:
    return np.asarray(np.hypot(at[0], at[1] - trunk.spine_y_mm - 23.0) - 8.5)


def _aorta(trunk: Trunk, at: Coords) -> Field:
    y = trunk.spine_y_mm - trunk.spine_radius_mm - 8.0
    return np.asarray(np.hypot(at[0] - 9.0, at[1] - y) - 10.0)


def inner_parts(trunk: Trunk) -> list[Organ]:
    """Spine and aorta, which cover whatever came before."""
    return [
        _static(Tissue.CORTEX, partial(_vertebra, trunk)),
        _static(Tissue.MARROW, partial(_marrow, trunk)),
        _static(Tissue.DISC, partial(_disc, trunk)),
        _static(Tissue.CORD, partial(_canal, trunk)),
        _static(Tissue.AORTA, partial(_aorta, trunk)),
    ]


def _lung(trunk: Trunk, domes: tuple[Ellipsoid, ...], base_mm: float, at: Coords) -> Field:
    recess = base_mm - 0.35 * (at[1] - trunk.cavity_y_mm)
    room = common(cavity(trunk, at) + 3.0, recess - at[2])
    for dome in domes:
        room = without(room, dome(at), 6.0)
    middle = np.hypot(at[0], at[1] - 25.0) - 30.0
    return without(room, middle, 6.0)


def chest(rng: np.random.Generator, trunk: Trunk, dome: Ellipsoid) -> list[Organ]:
    """Lungs above the two domes of the diaphragm, and the heart on it."""
    left = Ellipsoid(
        (rng.uniform(52, 64), rng.uniform(-5, 5), rng.uniform(-12, 0)),
        (82.0, 92.0, rng.uniform(82, 94)),
    )
    base = float(rng.uniform(12, 30))
    lung = partial(_lung, trunk, (dome, left), base)
    height = dome.centre_mm[2] + dome.radii_mm[2]
    heart = turned(
        (22.0, -34.0, height + rng.uniform(18, 30)),
        (58.0, 42.0, 44.0),
        rotation([0, 1, 0], 0.3),
    )
    half: Triple = (trunk.cavity_a_mm + 5, trunk.cavity_b_mm + 5, 400.0)
    return [
        Organ(Tissue.LUNG, lung, (0.0, trunk.cavity_y_mm, 400.0 + base - 40.0), half),
        Organ(Tissue.HEART, heart, triple(heart.centre_mm), triple(heart.half_mm)),
        Organ(Tissue.OESOPHAGUS, _oesophagus, (4.0, 14.0, 260.0), (12.0, 12.0, 220.0)),
    ]


def _oesophagus(at: Coords) -> Field:
    return np.asarray(np.maximum(np.hypot(at[0] - 4.0, at[1] - 14.0) - 8.0, 40.0 - at[2]))

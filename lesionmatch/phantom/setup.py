"""Where the scanners' grids lie and how the body lies in each scanner."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Frame, Grid, Points, Transform
from lesionmatch.phantom.body import Body
from lesionmatch.phantom.motion import Breath, Deformation, Pose, Shear, deformation, shear
from lesionmatch.phantom.recipe import Plane, Recipe, Size, Stream
from lesionmatch.phantom.shapes import rotation

LIVER_POINTS = 1500
"""Points of the liver on which deformations are scaled and registrations are judged."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """A scanner's voxels: spacing and size as (slice, row, column)."""

    spacing_mm: tuple[float, float, float]
    shape: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scanners:
    """The three samplings of one study size."""

    ct: Sampling
    pet: Sampling
    hbp: Sampling


SCANNERS = {
    Size.DEMO: Scanners(
        Sampling((3.0, 3.0, 3.0), (84, 104, 136)),
        Sampling((4.0, 4.0, 4.0), (63, 78, 102)),
        Sampling((3.5, 1.8, 1.8), (60, 160, 208)),
    ),
    Size.SMALL: Scanners(
        Sampling((3.0, 3.0, 3.0), (88, 104, 136)),
        Sampling((4.0, 4.0, 4.0), (66, 78, 102)),
        Sampling((4.0, 2.2, 2.2), (56, 132, 172)),
    ),
    Size.CLINICAL: Scanners(
        Sampling((2.0, 0.88, 0.88), (160, 512, 512)),
        Sampling((3.0, 4.07283, 4.07283), (110, 200, 200)),
        Sampling((2.5, 1.2, 1.2), (88, 260, 320)),
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The body in the three scanners, and their grids."""

    ct_pose: Pose
    pet_pose: Pose
    mri_pose: Pose
    ct_grid: Grid
    pet_grid: Grid
    hbp_grid: Grid
    liver_points_mm: NDArray[np.float64]
    """(N, 3) points of the liver in body coordinates."""


def scene(recipe: Recipe, body: Body) -> Scene:
    """Poses and grids of a recipe."""
    rng = recipe.rng(Stream.SCENE)
    points = body.liver_points_mm(rng, LIVER_POINTS)
    pet_frame, mri_frame = (
        Frame(recipe.uid("pet frame")),
        Frame(recipe.uid("mri frame")),
    )
    offset = rng.normal(0, 0.3, 3) + np.array([0, 0, rng.choice([-1.0, 1.0])])
    offset *= recipe.frame_offset_mm / np.linalg.norm(offset)
    isocentre = rng.uniform(-10, 10, 3)
    upright = _placed(pet_frame, isocentre + offset, np.eye(3))
    turn = rotation(rng.normal(size=3), np.deg2rad(recipe.rotation_deg))
    lying = _placed(mri_frame, isocentre, turn)
    bent = _bent(rng, recipe, points)
    ct = Pose(upright, body.cavity)
    pet = Pose(upright, body.cavity, _breath(body, recipe.pet_ct_offset_mm))
    breath = _breath(body, recipe.breathing_mm, recipe.breathing_ap_share)
    mri = Pose(lying, body.cavity, breath, bent, recipe.deformation_in_wall)
    scanners = SCANNERS[recipe.size]
    return Scene(
        ct, pet, mri,
        _upright_grid(ct, body, scanners.ct, recipe.pet_missing_mm),
        _upright_grid(pet, body, scanners.pet, recipe.pet_missing_mm),
        _mri_grid(rng, mri, body, scanners.hbp, recipe),
        points,
    )  # fmt: skip


def _placed(frame: Frame, origin_mm: NDArray[np.float64], turn: NDArray[np.float64]) -> Transform:
    """body_from_world for a body turned and put with its origin at a point of the frame."""
    world_from_body = np.eye(4)
    world_from_body[:3, :3] = turn
    world_from_body[:3, 3] = origin_mm
    return Transform(frame, Frame("body"), world_from_body).inverse


def _breath(body: Body, shift_mm: float, ap_share: float = 0.0) -> Breath | None:
    return Breath(shift_mm, body.top_mm, ap_share) if shift_mm else None


def _bent(
    rng: np.random.Generator, recipe: Recipe, points_mm: Points
) -> Deformation | Shear | None:
    if recipe.deformation_mm == 0.0:
        return None
    wavelengths = recipe.deformation_wavelengths_mm
    bend = shear if recipe.deformation_keeps_volume else deformation
    return bend(rng, recipe.deformation_mm, wavelengths, points_mm)


def _centred(
    frame: Frame, sampling: Sampling, centre_mm: NDArray[np.float64], axes: NDArray[np.float64]
) -> Grid:
    spacing, shape = np.array(sampling.spacing_mm), np.array(sampling.shape)
    origin = centre_mm - axes @ (spacing * (shape - 1) / 2)
    return Grid.of(frame, sampling.shape, origin_mm=origin, spacing_mm=spacing, directions=axes)


AXIAL = np.eye(3)[:, ::-1]
CORONAL = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Slices from front to back, rows from head to foot, columns from right to left."""


def _upright_grid(
    pose: Pose, body: Body, sampling: Sampling, missing_mm: tuple[float, float]
) -> Grid:
    """Axial slices over the liver and what lies below and above it."""
    middle = (body.top_mm + body.bottom_mm) / 2
    y = 10.0
    centre = pose.body_from_world.inverse.apply(np.array([[0.0, y, middle]]))[0]
    grid = _centred(pose.frame, sampling, centre, AXIAL)
    return _without_ends(grid, pose, body, missing_mm)


def _without_ends(grid: Grid, pose: Pose, body: Body, missing_mm: tuple[float, float]) -> Grid:
    """The part that remains when the ends of the liver are not covered."""
    if missing_mm == (0.0, 0.0):
        return grid
    axis = int(np.abs(grid.directions[2]).argmax())
    middle = (np.array(grid.shape) - 1.0) / 2.0
    line = np.tile(middle, (grid.shape[axis], 1))
    line[:, axis] = np.arange(grid.shape[axis])
    z = pose.body_from_world.apply(grid.world(line))[:, 2]
    low = body.bottom_mm + missing_mm[0] if missing_mm[0] else -np.inf
    high = body.top_mm - missing_mm[1] if missing_mm[1] else np.inf
    kept = np.flatnonzero((z >= low) & (z <= high))
    parts = [slice(0, n) for n in grid.shape]
    parts[axis] = slice(int(kept[0]), int(kept[-1]) + 1)
    return grid.crop((parts[0], parts[1], parts[2]))


def _mri_grid(
    rng: np.random.Generator, pose: Pose, body: Body, sampling: Sampling, recipe: Recipe
) -> Grid:
    """Slices over the liver, tilted or coronal where the recipe says so."""
    anatomy = np.array([[0.0, 4.0, (body.top_mm + body.bottom_mm) / 2]])
    centre = pose.world_mm(anatomy)[0] + rng.uniform(-4, 4, 3)
    if recipe.mri_plane is Plane.CORONAL:
        axes = CORONAL
        sampling = Sampling(sampling.spacing_mm, (sampling.shape[0], *_swapped(sampling)))
    else:
        axes = AXIAL
    tilt = rotation([1.0, 0.4, 0.0], np.deg2rad(recipe.mri_tilt_deg))
    grid = _centred(pose.frame, sampling, centre, tilt @ axes)
    return _without_ends(grid, pose, body, recipe.mri_missing_mm)


def _swapped(sampling: Sampling) -> tuple[int, int]:
    """Rows along the body need as many as columns across it."""
    return sampling.shape[2], sampling.shape[2]

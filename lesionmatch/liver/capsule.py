"""The capsule of the liver, and how far a place lies from it.

*Definition.* The capsule is the outer convex surface of the filled liver. A surface point
belongs to it when a ball of `capsule_ball_mm` rolled around the outside comes within
`capsule_reach_mm` of the point. The ball passes over fissures, the hilum, the gallbladder
fossa and the grooves of vessels, which are narrower than it is, so their walls are not
capsule; broad impressions of kidney, stomach or heart are wider, and stay. Where the liver
ends only because the image does, it is taken to go on, and the cut is not capsule.

*Surface.* The surface lies where the smoothed mask is one half, between voxel centres, so a
distance from it is surface to surface, not voxel centre to voxel centre.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Mask
from lesionmatch.liver.morphology import padded
from lesionmatch.liver.work import work_mask
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm

SMOOTHING_VOXELS = 0.8
"""Width of the Gaussian that turns the steps of a voxel mask into a surface: less leaves
steps of half a voxel, more pulls the surface of thin lobes inwards."""

ENVELOPE_SPACING_MM = 3.0
"""Grid the ball is rolled on; the ball's reach is larger, so its steps do not matter."""

SURFACE_MARGIN_MM = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Capsule:
    """The capsule as points, and the space outside the envelope it spans."""

    surface_mm: Points
    """(N, 3) points of the liver's whole surface."""
    points_mm: Points
    """(N, 3) those that are capsule, closer together than the voxels they were found on."""
    tree: cKDTree | None
    """None when no part of the liver's surface is capsule, e.g. in a narrow slab."""
    ball_distance_mm: NDArray[np.float32]
    """On `grid`: distance to the nearest place where the ball's centre can be."""
    grid: Grid
    ball_mm: float

    def distance_mm(self, points_mm: Points) -> NDArray[np.float64]:
        """Distance of points, (N, 3), from the capsule; 0 outside the envelope, inf without one."""
        points = np.asarray(points_mm, np.float64).reshape(-1, 3)
        if self.tree is None:
            return np.full(len(points), np.inf)
        distance = np.asarray(self.tree.query(points)[0], np.float64)
        outside = self.depth_mm(points) < -ENVELOPE_SPACING_MM
        return np.where(outside, 0.0, distance)

    def depth_mm(self, points_mm: Points) -> NDArray[np.float64]:
        """How far points, (N, 3), lie within the envelope; negative outside it."""
        return self._ball_distance_mm(points_mm) - self.ball_mm

    def _ball_distance_mm(self, points_mm: Points) -> NDArray[np.float64]:
        voxels = self.grid.voxels(points_mm)
        sampled = ndimage.map_coordinates(
            self.ball_distance_mm, voxels.T, order=1, mode="constant", cval=0.0
        )
        return np.asarray(sampled, np.float64)


def find_capsule(liver: Mask, rules: LiverRules) -> Capsule:
    """The capsule of a filled liver, by the definition at the head of this module."""
    surface = surface_points_mm(liver)
    grid, ball_distance = _ball_distance(liver, rules.capsule_ball_mm)
    capsule = Capsule(surface, surface, None, ball_distance, grid, rules.capsule_ball_mm)
    points = surface[capsule.depth_mm(surface) <= rules.capsule_reach_mm]
    tree = cKDTree(points) if len(points) else None
    return Capsule(surface, points, tree, ball_distance, grid, rules.capsule_ball_mm)


def surface_points_mm(mask: Mask, smoothing_voxels: float = SMOOTHING_VOXELS) -> Points:
    """(N, 3) points on the surface of a mask: corners and middles of its triangles.

    The surface is open where the mask reaches the edge of its grid. A mask that fills its
    grid, or that smoothing makes vanish, has no surface: (0, 3).
    """
    if mask.is_empty:
        return np.empty((0, 3))
    part = mask.trimmed(SURFACE_MARGIN_MM)
    soft = ndimage.gaussian_filter(part.array.astype(np.float32), smoothing_voxels, mode="nearest")
    if min(soft.shape) < 2 or soft.max() <= 0.5 or soft.min() >= 0.5:
        return np.empty((0, 3))
    corners, triangles, _, _ = marching_cubes(soft, 0.5)
    voxels = np.concatenate([corners, corners[triangles].mean(1)])
    return part.grid.world(voxels)


def _ball_distance(liver: Mask, ball_mm: float) -> tuple[Grid, NDArray[np.float32]]:
    """Distance to the nearest place where a ball outside `liver` can have its centre."""
    coarse = work_mask(liver.trimmed(SURFACE_MARGIN_MM), ENVELOPE_SPACING_MM)
    pad = np.ceil(ball_mm / coarse.grid.spacing_mm).astype(int) + 2
    solid = np.pad(coarse.array, [(n, n) for n in pad], mode="edge")
    grid = padded(coarse.grid, pad)
    # Distances run from voxel centres; the surface lies half a voxel before them.
    centres = distance_mm(Mask(grid, solid)) >= ball_mm + ENVELOPE_SPACING_MM / 2.0
    return grid, distance_mm(Mask(grid, centres))

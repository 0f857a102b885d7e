"""The hilum: where the portal vein enters the liver, found on the liver's own surface.

The hilum is the deepest cleft of the visceral side, below and towards the patient's middle,
where the largest vessels reach the surface. Every point of the surface that the capsule's
rolling ball cannot reach votes with its depth under the ball's envelope; vessels near by
raise the vote; the densest 20 mm win.
"""

import numpy as np
from scipy.spatial import cKDTree

from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.liver.capsule import Capsule, surface_points_mm

LEAST_DEPTH_MM = 6.0
VOTE_MM = 20.0
VESSEL_MM = 8.0
MOST_POINTS = 4000


def find_hilum(liver: Mask, capsule: Capsule, vessels: Mask) -> Points | None:
    """(3,) the hilum in the frame of `liver`; None where the surface has no cleft."""
    surface = surface_points_mm(liver)
    depth = capsule.depth_mm(surface)
    is_cleft = (depth > LEAST_DEPTH_MM) & (_height(surface) < 0.65)
    points, depth = surface[is_cleft], depth[is_cleft]
    step = max(1, len(points) // MOST_POINTS)
    points, depth = points[::step], depth[::step]
    if not len(points):
        return None
    weight = np.minimum(depth, 40.0)
    if not vessels.is_empty:
        lumen = vessels.points_mm()
        near = cKDTree(lumen[:: max(1, len(lumen) // 20000)]).query(points)[0] < VESSEL_MM
        weight = weight * np.where(near, 3.0, 1.0)
    tree = cKDTree(points)
    votes = np.array([weight[i].sum() for i in tree.query_ball_point(points, VOTE_MM)])
    around = tree.query_ball_point(points[int(np.argmax(votes))], VOTE_MM)
    return np.asarray(np.average(points[around], axis=0, weights=weight[around]))


def _height(points: Points) -> Points:
    """0 at the foot end of the points, 1 at the head end."""
    low, high = points[:, 2].min(), points[:, 2].max()
    return np.asarray((points[:, 2] - low) / max(high - low, 1.0))

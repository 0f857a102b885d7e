"""The hilum: where the portal vein enters the liver and divides, found on the liver's surface.

Three things are known of it. It lies in a cleft of the visceral side, which the capsule's
rolling ball does not reach. The largest vessels of the lower liver come together in front of
it. And it lies to the patient's left of the liver's middle, behind and below it, by a few
centimetres in any body. Every point of the clefts is weighted by all three, and the hilum is
where the weights are densest. With drawn portal veins the same vote is taken of their place
alone; without any vessel the clefts and the place decide.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.liver.capsule import Capsule, surface_points_mm
from lesionmatch.resample import distance_mm

LEAST_DEPTH_MM = 3.0
FROM_MIDDLE_MM = (30.0, 12.0, -15.0)
"""Left of, behind and below the middle of a liver of 1500 ml (own choice, from anatomy)."""
PLACE_SD_MM = (22.0, 22.0, 35.0)
"""Widest along the body, where a liver that the image cuts has its middle elsewhere."""
MIDDLE_ML = 1500.0
VESSEL_REACH_MM = 30.0
VOTE_MM = 12.0
MOST_POINTS = 4000
NO_VESSEL = 0.3
"""Weight of a place without vessels, as a share of the place with most."""


def find_hilum(liver: Mask, capsule: Capsule, vessels: Mask) -> Points | None:
    """(3,) the hilum in the frame of `liver`; None where its surface has no cleft."""
    surface = surface_points_mm(liver)
    depth = capsule.depth_mm(surface)
    is_cleft = depth > LEAST_DEPTH_MM
    points, depth = _some(surface[is_cleft]), _some(depth[is_cleft])
    if not len(points):
        return None
    weight = _place_weight(points, liver) * np.minimum(depth, 15.0)
    weight *= NO_VESSEL + _vessel_share(points, vessels)
    tree = cKDTree(points)
    votes = np.array([weight[i].sum() for i in tree.query_ball_point(points, VOTE_MM)])
    around = tree.query_ball_point(points[int(np.argmax(votes))], VOTE_MM)
    return np.asarray(np.average(points[around], axis=0, weights=weight[around]))


def _some(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows[:: max(1, len(rows) // MOST_POINTS)]


def _place_weight(points: Points, liver: Mask) -> NDArray[np.float64]:
    """How well points fit the hilum's usual place in a liver of this size."""
    scale = (liver.volume_ml / MIDDLE_ML) ** (1.0 / 3.0)
    usual = liver.points_mm().mean(0) + scale * np.array(FROM_MIDDLE_MM)
    off = np.linalg.norm((points - usual) / np.array(PLACE_SD_MM), axis=1) / scale
    return np.asarray(np.exp(-0.5 * off**2))


def _vessel_share(points: Points, vessels: Mask) -> NDArray[np.float64]:
    """Lumen near each point, thick vessels counting more, relative to the most of any."""
    if vessels.is_empty:
        return np.zeros(len(points))
    part = vessels.trimmed(10.0)
    radius = distance_mm(Mask(part.grid, ~part.array))[part.array]
    lumen = part.points_mm()
    near = cKDTree(lumen).query_ball_point(points, VESSEL_REACH_MM)
    share = np.array([float((radius[i] ** 2).sum()) for i in near])
    return share / max(float(share.max()), 1e-9)

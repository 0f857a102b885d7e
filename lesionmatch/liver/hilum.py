"""The hilum: where the portal vein enters the liver and divides, found on the liver's surface.

Four things are known of it. It lies in a cleft of the visceral side, which the capsule's
rolling ball does not reach. The largest vessels of the lower liver come together in front of
it. The bile ducts, bright in this phase, leave the liver there. And it lies a few centimetres
to the right of the body's midline, whatever is left of the liver, and below the liver's middle.
Every point of the clefts is weighted by all four, and the hilum is where the weights are
densest. Where the portal vein was drawn, the hilum is where it meets the clefts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lesionmatch.geometry import Points
from lesionmatch.image import Image, Mask
from lesionmatch.liver.capsule import Capsule
from lesionmatch.liver.ducts import find_bile
from lesionmatch.liver.mirror import midline_mm
from lesionmatch.liver.work import work_image, work_mask
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm

LEAST_DEPTH_MM = 3.0
MOST_DEPTH_MM = 10.0
"""Deeper clefts count no more."""
FROM_MIDDLE_MM, MIDDLE_SD_MM = (6.0, -16.0), (14.0, 18.0)
"""Behind and below the middle of a liver of 1500 ml (own choice, from anatomy)."""
MIDDLE_ML = 1500.0
VESSEL_REACH_MM = 30.0
DUCT_REACH_MM = 15.0
PORTAL_REACH_MM = 6.0
VOTE_MM = 12.0
MOST_POINTS = 1500
MOST_LUMEN = 5000
NO_VESSEL, NO_DUCT = 0.1, 0.1
"""Weight of a place without vessels or ducts, as a share of the place with most."""
FOSSA_MM, IN_FOSSA = 8.0, 0.1
"""The gallbladder's fossa is a deep cleft too; weight of what lies so near to bile in it."""
COARSE_MM = 4.0
BODY_SPACING_MM = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Hilum:
    """A place and how it was found."""

    point_mm: Points
    """(3,)"""
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class _UsualPlace:
    """A Gaussian of places."""

    centre_mm: Points
    sd_mm: NDArray[np.float64]

    def weight(self, points: Points) -> NDArray[np.float64]:
        """How well points fit it, 1 at its centre."""
        off = (points - self.centre_mm) / self.sd_mm
        return np.asarray(np.exp(-0.5 * np.sum(off**2, axis=1)))


def find_hilum(
    hbp: Image,
    liver: Mask,
    capsule: Capsule,
    vessels: Mask,
    rules: LiverRules,
    portal: Mask | None = None,
) -> Hilum:
    """The hilum of `liver`; `portal` is the portal vein where a reader drew it."""
    middle = work_mask(liver.trimmed(COARSE_MM), COARSE_MM).points_mm().mean(0)
    depth = capsule.depth_mm(capsule.surface_mm)
    is_cleft = depth > LEAST_DEPTH_MM
    points, depth = _some(capsule.surface_mm[is_cleft]), _some(depth[is_cleft])
    if not len(points):
        return Hilum(middle, "the liver's middle, because its surface shows no cleft")
    midline = midline_mm(work_image(hbp, BODY_SPACING_MM))
    usual = _usual_place(middle, liver.volume_ml, midline, rules)
    weight = usual.weight(points) * np.minimum(depth, MOST_DEPTH_MM)
    if portal is not None and not portal.is_empty:
        lumen, _ = _lumen(portal)
        weight *= 1e-3 + _share(points, lumen, np.ones(len(lumen)), PORTAL_REACH_MM)
        return Hilum(_densest(points, weight), "where the drawn portal vein meets a cleft")
    weight *= NO_VESSEL + _share(points, *_lumen(vessels), VESSEL_REACH_MM)
    bile = find_bile(hbp, liver, rules)
    weight *= np.where(_far(points, bile.gallbladder_mm, FOSSA_MM), 1.0, IN_FOSSA)
    ducts = _some(bile.ducts_mm, MOST_LUMEN)
    weight *= NO_DUCT + _share(points, ducts, np.ones(len(ducts)), DUCT_REACH_MM)
    seen = " and bile ducts" if len(ducts) else ", without bile ducts to confirm it"
    return Hilum(_densest(points, weight), f"cleft of the liver near large vessels{seen}")


def _some(rows: NDArray[np.float64], most: int = MOST_POINTS) -> NDArray[np.float64]:
    return rows[:: max(1, len(rows) // most)]


def _usual_place(
    middle_mm: Points, volume_ml: float, midline_mm: float, rules: LiverRules
) -> _UsualPlace:
    """Where the hilum of a liver of this size usually lies."""
    scale = (volume_ml / MIDDLE_ML) ** (1.0 / 3.0)
    y, z = middle_mm[1:] + scale * np.array(FROM_MIDDLE_MM)
    centre = np.array((midline_mm + rules.hilum_from_midline_mm, y, z))
    return _UsualPlace(
        centre, np.array((rules.hilum_midline_sd_mm, *scale * np.array(MIDDLE_SD_MM)))
    )


def _lumen(vessels: Mask) -> tuple[Points, NDArray[np.float64]]:
    """Points of the vessels and their weights: the square of the depth in the lumen."""
    if vessels.is_empty:
        return np.empty((0, 3)), np.empty(0)
    part = vessels.trimmed(COARSE_MM)
    depth = distance_mm(Mask(part.grid, ~part.array))[part.array].astype(np.float64)
    return _some(part.points_mm(), MOST_LUMEN), _some(depth, MOST_LUMEN) ** 2


def _share(
    points: Points, near: Points, weight: NDArray[np.float64], reach_mm: float
) -> NDArray[np.float64]:
    """Weight of `near` within reach of each point, relative to the most of any; 0 without."""
    if not len(near):
        return np.zeros(len(points))
    within = cKDTree(near).query_ball_point(points, reach_mm)
    share = np.array([float(weight[i].sum()) for i in within])
    return share / max(float(share.max()), 1e-9)


def _far(points: Points, from_mm: Points, least_mm: float) -> NDArray[np.bool_]:
    """Which points lie at least so far from all of the others."""
    if not len(from_mm):
        return np.ones(len(points), np.bool_)
    return np.asarray(cKDTree(from_mm).query(points)[0] >= least_mm)


def _densest(points: Points, weight: NDArray[np.float64]) -> Points:
    """(3,) the middle of the points around the one with most weight near it."""
    tree = cKDTree(points)
    votes = np.array([weight[i].sum() for i in tree.query_ball_point(points, VOTE_MM)])
    around = tree.query_ball_point(points[int(np.argmax(votes))], VOTE_MM)
    return np.asarray(np.average(points[around], axis=0, weights=weight[around]))

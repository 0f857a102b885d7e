"""The hilum: where the portal vein enters the liver and divides, found on the liver's surface.

Four things are known of it. It lies in a cleft of the visceral side, which the capsule's
rolling ball does not reach. It lies a few centimetres to the right of the body's midline,
whatever is left of the liver, and below the liver's middle. The largest vessels come together
in front of it. And the bile ducts, bright in this phase, leave the liver there.
Every point of the clefts is weighted by all four, and the hilum is where the weights are
densest. Where the portal vein was drawn, it is where that meets the clefts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lesionmatch.geometry import Points
from lesionmatch.image import Image, Mask
from lesionmatch.liver.capsule import Capsule
from lesionmatch.liver.ducts import find_ducts
from lesionmatch.liver.mirror import midline_mm
from lesionmatch.liver.work import COARSE_MM, work_image, work_mask
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm

LEAST_DEPTH_MM = 3.0
MOST_DEPTH_MM = 10.0
"""Deeper clefts count no more."""
FROM_MIDDLE_MM, MIDDLE_SD_MM = (12.0, -12.0), (18.0, 18.0)
"""Behind and below the middle of a liver of 1500 ml (own choice, from anatomy)."""
MIDDLE_ML = 1500.0
PORTAL_REACH_MM, DUCT_REACH_MM, VESSEL_REACH_MM = 6.0, 15.0, 30.0
"""How near to a cleft what passes through it lies."""
NO_SIGN = 0.1
"""Weight of a place near none of it, where that near most has 1."""
VOTE_MM = 15.0
MOST_POINTS, MOST_LUMEN = 1500, 5000
CLEFT_MM = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Hilum:
    """A place and how it was found."""

    point_mm: Points
    """(3,)"""
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class _Sign:
    """What passes through the hilum."""

    points_mm: Points
    weight: NDArray[np.float64]
    reach_mm: float


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
    middle = work_mask(liver.trimmed(CLEFT_MM), CLEFT_MM).points_mm().mean(0)
    depth = capsule.depth_mm(capsule.surface_mm)
    is_cleft = depth > LEAST_DEPTH_MM
    points, depth = _some(capsule.surface_mm[is_cleft]), _some(depth[is_cleft])
    if not len(points):
        return Hilum(middle, "the liver's middle, because its surface shows no cleft")
    midline = midline_mm(work_image(hbp, COARSE_MM))
    usual = _usual_place(middle, liver.volume_ml, midline, rules)
    weight = usual.weight(points) * np.minimum(depth, MOST_DEPTH_MM)
    signs, source = _signs(hbp, liver, vessels, rules, portal)
    for sign in signs:
        weight *= NO_SIGN + (1.0 - NO_SIGN) * _share(points, sign)
    return Hilum(_densest(points, weight), source)


def _signs(
    hbp: Image, liver: Mask, vessels: Mask, rules: LiverRules, portal: Mask | None
) -> tuple[list[_Sign], str]:
    """What passes through the hilum, the portal vein alone where it was drawn; and in words."""
    if portal is not None and not portal.is_empty:
        lumen, _ = _lumen(portal)
        alone = _Sign(lumen, np.ones(len(lumen)), PORTAL_REACH_MM)
        return [alone], "where the drawn portal vein meets a cleft"
    large = _Sign(*_lumen(vessels), VESSEL_REACH_MM)
    points = _some(find_ducts(hbp, liver, rules), MOST_LUMEN)
    ducts = _Sign(points, np.ones(len(points)), DUCT_REACH_MM)
    seen = " and bile ducts" if len(points) else ", without bile ducts to confirm it"
    return [large, ducts], f"cleft of the liver near large vessels{seen}"


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
    part = vessels.trimmed(CLEFT_MM)
    depth = distance_mm(Mask(part.grid, ~part.array))[part.array].astype(np.float64)
    return _some(part.points_mm(), MOST_LUMEN), _some(depth, MOST_LUMEN) ** 2


def _share(points: Points, sign: _Sign) -> NDArray[np.float64]:
    """Weight of the sign within its reach of each point, relative to the most of any."""
    if not len(sign.points_mm):
        return np.zeros(len(points))
    within = cKDTree(sign.points_mm).query_ball_point(points, sign.reach_mm)
    share = np.array([float(sign.weight[i].sum()) for i in within])
    return share / max(float(share.max()), 1e-9)


def _densest(points: Points, weight: NDArray[np.float64]) -> Points:
    """(3,) the middle of the points around the one with most weight near it."""
    tree = cKDTree(points)
    votes = np.array([weight[i].sum() for i in tree.query_ball_point(points, VOTE_MM)])
    around = tree.query_ball_point(points[int(np.argmax(votes))], VOTE_MM)
    return np.asarray(np.average(points[around], axis=0, weights=weight[around]))

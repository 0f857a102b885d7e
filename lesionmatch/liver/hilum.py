"""The hilum: the pocket of fat through which portal vein and bile ducts enter the liver.

*Clefts* are what is not liver within the envelope that the capsule's rolling ball spans:
fissures, grooves, the gallbladder's bed, and fat that the filled liver encloses, as it may
enclose the hilum. Every place in them is weighted by three things known of the hilum: it lies
near its usual place, which is told from the body's midline and the liver's middle; large
vessels come together beside it; and bile ducts, where this phase shows them, pass through it.
The place whose walls have most weight around it is the hilum, and its point the middle of the
pocket there. Walls decide and not volumes, as a wide pocket is no likelier than a narrow one.
Where the portal vein was drawn, it counts in place of vessels and ducts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask
from lesionmatch.liver.capsule import Capsule
from lesionmatch.liver.ducts import find_ducts
from lesionmatch.liver.level import parenchyma_ratio
from lesionmatch.liver.mirror import midline_mm
from lesionmatch.liver.morphology import dilated
from lesionmatch.liver.work import COARSE_MM, work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm, region_on, resample_mask

SPACING_MM = 3.0
MARGIN_MM = 45.0
"""Around the liver; the envelope reaches no further."""
NO_SIGN = 0.1
"""Weight of a place near none of a sign, where that nearest to it has 1."""
DRAWN = "cleft that the drawn portal vein meets"
FOUND = "cleft of the liver near large vessels"
MOST_POINTS = 8000
"""Of a sign; more tell nothing more."""


@dataclass(frozen=True, slots=True, eq=False)
class Hilum:
    """A place and how it was found."""

    point_mm: Points
    """(3,)"""
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class _Clefts:
    """Places in the clefts, (N, 3), and which of them lie on a wall, (N,)."""

    points_mm: Points
    is_wall: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Sign:
    """What passes through the hilum: points, (N, 3), and how much each counts, (N,)."""

    points_mm: Points
    weight: NDArray[np.float64]


def find_hilum(
    hbp: Image,
    liver: Mask,
    lesions: Mask,
    capsule: Capsule,
    vessels: Mask,
    rules: LiverRules,
    portal: Mask | None = None,
) -> Hilum:
    """The hilum of `liver`; `portal` is the portal vein where a reader drew it.

    All masks lie on the grid of `hbp`; `lesions` are drawn and no fat.
    """
    middle = liver.trimmed().points_mm().mean(0)
    clefts = _clefts(hbp, liver, lesions, capsule, rules)
    if not clefts.is_wall.any():
        return Hilum(middle, "the liver's middle, because its surface shows no cleft")
    if portal is None or portal.is_empty:
        signs = [_lumen(vessels), _evenly(find_ducts(hbp, liver, rules))]
    else:
        signs = [_evenly(portal.points_mm())]
    weight = _usual(clefts.points_mm, middle, midline_mm(work_image(hbp, COARSE_MM)), rules)
    for sign in signs:
        weight *= NO_SIGN + (1.0 - NO_SIGN) * _share(clefts.points_mm, sign, rules)
    point, rival_mm = _densest(clefts, weight, rules)
    source = DRAWN if len(signs) == 1 else FOUND + _confirmed(point, signs[-1], rules)
    unsure = "" if rival_mm is None else f"; unsure, another place {rival_mm:.0f} mm away fits too"
    return Hilum(point, source + unsure)


def _clefts(hbp: Image, liver: Mask, lesions: Mask, capsule: Capsule, rules: LiverRules) -> _Clefts:
    box = liver.box(MARGIN_MM)
    image = work_image(hbp.crop(box), SPACING_MM)
    grid, inside = image.grid, region_on(image.grid, liver.crop(box))
    is_fat = parenchyma_ratio(image, inside) < 1.0 - rules.vessel_darkness_most
    is_fat &= resample_mask(lesions.crop(box), grid) == 0.0
    tissue = inside.array & ~is_fat
    cleft = ~tissue & (_depth_mm(grid, capsule) > rules.capsule_reach_mm)
    wall = dilated(tissue, grid, 1.2 * float(grid.spacing_mm.max()))
    return _Clefts(grid.world(np.argwhere(cleft)), wall[cleft])


def _depth_mm(grid: Grid, capsule: Capsule) -> NDArray[np.float64]:
    """How deep each voxel lies in the envelope."""
    points = grid.world(np.indices(grid.shape).reshape(3, -1).T)
    return capsule.depth_mm(points).reshape(grid.shape)


def _usual(
    points: Points, middle_mm: Points, midline_mm: float, rules: LiverRules
) -> NDArray[np.float64]:
    """How well points fit where the hilum usually lies, 1 at its centre."""
    origin = np.array((midline_mm, *middle_mm[1:]))
    there = (rules.hilum_from_midline_mm, rules.hilum_behind_mm, rules.hilum_above_mm)
    off = (points - origin - there) / rules.hilum_sd_mm
    return np.asarray(np.exp(-0.5 * np.sum(off**2, axis=1)))


def _evenly(points_mm: Points) -> _Sign:
    """A sign whose places all count alike."""
    points = _some(points_mm)
    return _Sign(points, np.ones(len(points)))


def _confirmed(point: Points, ducts: _Sign, rules: LiverRules) -> str:
    """Whether bile ducts pass by the hilum that was found, in words."""
    away = np.linalg.norm(ducts.points_mm - point, axis=1)
    is_seen = away.min(initial=np.inf) < rules.hilum_reach_mm
    return " and bile ducts" if is_seen else ", without bile ducts to confirm it"


def _lumen(vessels: Mask) -> _Sign:
    """The lumen; its wide parts count most, by the square of the depth in it."""
    if vessels.is_empty:
        return _Sign(np.empty((0, 3)), np.empty(0))
    part = vessels.trimmed(SPACING_MM)
    depth = distance_mm(Mask(part.grid, ~part.array))[part.array].astype(np.float64)
    return _Sign(_some(part.points_mm()), _some(depth) ** 2)


def _some(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows[:: max(1, len(rows) // MOST_POINTS)]


def _share(points: Points, sign: _Sign, rules: LiverRules) -> NDArray[np.float64]:
    """Weight of a sign within reach of each point, relative to the most of any."""
    if not len(sign.points_mm):
        return np.zeros(len(points))
    within = cKDTree(sign.points_mm).query_ball_point(points, rules.hilum_reach_mm)
    share = np.array([float(sign.weight[i].sum()) for i in within])
    return share / max(float(share.max()), 1e-9)


def _densest(
    clefts: _Clefts, weight: NDArray[np.float64], rules: LiverRules
) -> tuple[Points, float | None]:
    """(3,) the middle of the densest pocket, and how far away one nearly as dense lies."""
    walls, reach = clefts.points_mm[clefts.is_wall], rules.hilum_reach_mm
    of_walls = weight[clefts.is_wall]
    tree = cKDTree(walls)
    around = tree.query_ball_point(walls, reach)
    votes = np.array([float(of_walls[i].sum()) for i in around])
    best = int(np.argmax(votes))
    peak = np.average(walls[around[best]], axis=0, weights=of_walls[around[best]])
    away = np.linalg.norm(walls - walls[best], axis=1)
    second = int(np.argmax(np.where(away > 1.5 * reach, votes, 0.0)))
    is_rival = away[second] > 1.5 * reach and votes[second] > rules.hilum_rival_share * votes[best]
    near = np.linalg.norm(clefts.points_mm - peak, axis=1) < reach
    middle = np.average(clefts.points_mm[near], axis=0, weights=weight[near])
    return middle, float(away[second]) if is_rival else None

"""The liver: lobes, fissures, hilum, gallbladder, and the trees of vessels and ducts in it."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lesionmatch.phantom import trunk, vessels
from lesionmatch.phantom.body import Organ, Tissue, Tree
from lesionmatch.phantom.recipe import Recipe, Resection
from lesionmatch.phantom.shapes import (
    Coords,
    Ellipsoid,
    Field,
    Ripple,
    Segment,
    Triple,
    common,
    coords_of,
    distance_to_segments,
    ripple,
    rotation,
    triple,
    tube,
    turned,
    union,
    without,
)
from lesionmatch.phantom.trunk import Trunk

CAPSULE_GAP_MM = 3.0
DOME_GAP_MM = 4.5
CUT_BLEND_MM = 20.0
"""How round the edge of a resection has grown."""
SHARE_LEFT = 0.75
"""Of the liver's volume after a resection, when it has grown again in part."""
"""Diaphragm and fat between the liver and the wall it slides along."""


@dataclass(frozen=True, slots=True, eq=False)
class Liver:
    """The solids a liver is made of and carved by."""

    trunk: Trunk
    right: Ellipsoid
    left: Ellipsoid
    viscera: Ellipsoid
    """Stomach, bowel and kidney below carve the concave under surface."""
    kidney: Ellipsoid
    pocket: Ellipsoid
    gallbladder: Ellipsoid
    fissure_x_mm: float
    surface: Ripple
    roughness_mm: float
    hilum_mm: Triple
    cava: tuple[Segment, ...]
    resection: Resection
    dome: Ellipsoid
    """The diaphragm's right dome, on which the lung lies."""

    def __call__(self, at: Coords) -> Field:
        """Signed distance to the surface; vessels and lesions belong to the liver."""
        whole = without(self.capsule(at), self.kidney(at), 8.0)
        whole = without(whole, self.pocket(at), 6.0)
        whole = without(whole, self._fissure(at), 5.0)
        whole = without(whole, self.gallbladder(at) - 1.5, 4.0)
        return without(whole, distance_to_segments(self.cava, at) - 0.8)

    def capsule(self, at: Coords) -> Field:
        """Signed distance to the outer surface: no fissure, hilum, fossa or groove."""
        whole = union(self.right(at), self.left(at), 25.0)
        whole = whole + self.surface(at) * self.roughness_mm
        whole = common(whole, trunk.cavity(self.trunk, at) + CAPSULE_GAP_MM, 8.0)
        whole = without(whole, self.viscera(at), 16.0)
        if self.resection is Resection.NONE:
            return whole
        return common(whole, self._kept(at), CUT_BLEND_MM)

    def _kept(self, at: Coords) -> Field:
        """The side of the surgeon's cut that stayed."""
        if self.resection is Resection.LEFT_LATERAL:
            return np.asarray(at[0] - self.fissure_x_mm)
        x, y, _ = self.right.centre_mm
        return np.asarray(0.7 * (x - at[0]) + 0.7 * (at[1] - y) - 14.0)

    def _fissure(self, at: Coords) -> Field:
        """The cleft of the round ligament, from below and in front."""
        _, y, z = self.hilum_mm
        slab = np.abs(at[0] - self.fissure_x_mm - 0.15 * (at[1] - y)) - 2.2
        deep = (at[2] - z - 16.0) + 0.5 * (at[1] - y + 25.0)
        return common(common(slab, deep), np.asarray(at[1] - y - 5.0))

    @property
    def top_mm(self) -> float:
        """Height of the dome."""
        return self.right.centre_mm[2] + self.right.radii_mm[2]

    @property
    def bottom_mm(self) -> float:
        """Height of the right lobe's tip."""
        return self.right.centre_mm[2] - self.right.radii_mm[2]


def random_liver(
    rng: np.random.Generator, frame: Trunk, right_kidney: Ellipsoid, recipe: Recipe
) -> Liver:
    """A liver of an ordinary volume, times a scale, that fits into a trunk."""
    liver = _drawn(rng, frame, right_kidney)
    left = 1.0 if recipe.resection is Resection.NONE else SHARE_LEFT
    wanted_ml = float(rng.uniform(1150, 1900)) * recipe.liver_ml_scale * left
    liver = replace(liver, resection=recipe.resection)
    for _ in range(3):
        # Wall and viscera cut it, so its volume grows more slowly than a free solid's.
        factor = (wanted_ml / volume_ml(organ(liver))) ** (1 / 2.2)
        liver = _resized(liver, float(np.clip(factor, 0.8, 1.25)))
    return liver


def volume_ml(solid: Organ, step_mm: float = 6.0) -> float:
    """Volume of an organ, counted on a lattice."""
    centre, half = np.array(solid.centre_mm), np.array(solid.half_mm)
    x, y, z = (
        np.arange(float(c - h), float(c + h), step_mm) for c, h in zip(centre, half, strict=True)
    )
    at = np.meshgrid(x, y, z, indexing="ij", sparse=True)
    inside = solid.distance((at[0], at[1], at[2])) < 0
    return float(np.count_nonzero(inside) * step_mm**3 / 1000.0)


def _resized(liver: Liver, factor: float) -> Liver:
    right, left = (
        replace(lobe, radii_mm=triple(np.array(lobe.radii_mm) * factor))
        for lobe in (liver.right, liver.left)
    )
    return replace(liver, right=right, left=left, dome=right.grown(DOME_GAP_MM))


def _drawn(rng: np.random.Generator, frame: Trunk, right_kidney: Ellipsoid) -> Liver:
    """A liver of random shape, whatever its volume."""
    right, left = _lobes(rng, frame)
    viscera = Ellipsoid(
        triple((28 + rng.uniform(-8, 8), 22 + rng.uniform(-6, 6), -72 + rng.uniform(-8, 8))),
        triple(np.array([88.0, 78.0, 84.0]) * rng.uniform(0.94, 1.06, 3)),
    )
    hilum = _on_surface(viscera, (-0.62, -0.32, 0.72))
    return Liver(
        trunk=frame,
        right=right,
        left=left,
        viscera=viscera,
        kidney=right_kidney.grown(4.0),
        pocket=turned(hilum, (24, 9, 10), rotation([0, 1, 0], -0.5)),
        gallbladder=_gallbladder(rng, viscera, frame.cavity_y_mm - frame.cavity_b_mm),
        fissure_x_mm=float(hilum[0] + rng.uniform(18, 26)),
        surface=ripple(rng, 5, (60.0, 140.0)),
        roughness_mm=float(rng.uniform(1.0, 2.5)),
        hilum_mm=triple(hilum),
        cava=_cava(frame, rng),
        resection=Resection.NONE,
        dome=right.grown(DOME_GAP_MM),
    )


def _lobes(rng: np.random.Generator, frame: Trunk) -> tuple[Ellipsoid, Ellipsoid]:
    """The right and the left lobe, before anything carves them."""
    a, b, y = frame.cavity_a_mm, frame.cavity_b_mm, frame.cavity_y_mm
    right = Ellipsoid(
        triple((-0.53 * a, y + 4 + rng.uniform(-5, 5), rng.uniform(-12, 2))),
        triple(np.array([0.62 * a, 0.98 * b, 88.0]) * rng.uniform(0.95, 1.05, 3)),
    )
    reach = float(rng.uniform(0.8, 1.25))
    left = turned(
        (4.0 + 12 * reach, y - 0.42 * b, 30 + rng.uniform(-6, 8)),
        (80.0 * reach, 40.0, 44.0),
        rotation([0, 1, 0], rng.uniform(-0.25, 0.1)),
    )
    return right, left


def _on_surface(shape: Ellipsoid, direction: Triple) -> NDArray[np.float64]:
    """Where a ray from an ellipsoid's centre leaves it."""
    unit = np.array(direction) / np.linalg.norm(direction)
    reach = 1.0 / np.linalg.norm(unit / np.array(shape.radii_mm))
    return np.asarray(np.array(shape.centre_mm) + unit * reach)


def _gallbladder(rng: np.random.Generator, viscera: Ellipsoid, front_mm: float) -> Ellipsoid:
    neck = _on_surface(viscera, (-0.72, -0.45, 0.45))
    fundus = np.array([neck[0] - 18, max(neck[1] - 38, front_mm + 24), neck[2] - 40])
    along = (fundus - neck) / np.linalg.norm(fundus - neck)
    side = np.cross(along, (0.0, 0.0, 1.0))
    side /= np.linalg.norm(side)
    turn = np.stack([along, side, np.cross(along, side)], 1)
    radii = np.array([30.0, 13.0, 13.0]) * rng.uniform(0.8, 1.15)
    return turned((neck + fundus) / 2 + (-2, 0, 2), radii, turn)


def _cava(frame: Trunk, rng: np.random.Generator) -> tuple[Segment, ...]:
    y = frame.spine_y_mm - frame.spine_radius_mm - 6.0
    path = np.array(
        [(-20, y + 3, -260), (-22, y, -60), (-23, y - 3, 20), (-16, y - 8, 62), (-8, y - 16, 130)]
    )
    return tuple(tube(path + rng.normal(0, 1.5, 3), 11.0, 12.0))


def organ(liver: Liver) -> Organ:
    """The liver as an organ with its box."""
    left = max(liver.left.centre_mm[0] + liver.left.half_mm[0], 40.0)
    right = -liver.trunk.cavity_a_mm
    low = min(liver.bottom_mm, -70.0)
    high = max(liver.top_mm, liver.left.centre_mm[2] + liver.left.half_mm[2])
    centre = ((left + right) / 2, liver.trunk.cavity_y_mm, (low + high) / 2)
    half = ((left - right) / 2 + 4, liver.trunk.cavity_b_mm, (high - low) / 2 + 6)
    return Organ(Tissue.LIVER, liver, centre, half)


def parts(rng: np.random.Generator, liver: Liver) -> list[Organ | Tree]:
    """The liver and what lies in it, inner parts later."""
    roots = vessels.Roots(
        liver.hilum_mm,
        _mouth(liver),
        liver.right.centre_mm,
        liver.left.centre_mm,
        liver.gallbladder,
    )
    trees = vessels.grow(rng, partial(_depth, liver), roots)
    gallbladder = liver.gallbladder
    return [
        organ(liver),
        Tree(Tissue.CAVA, liver.cava),
        Organ(
            Tissue.GALLBLADDER,
            gallbladder,
            triple(gallbladder.centre_mm),
            triple(gallbladder.half_mm),
        ),
        Tree(Tissue.HEPATIC_VEIN, trees.hepatic),
        Tree(Tissue.PORTAL_VEIN, trees.portal),
        Tree(Tissue.BILE_DUCT, trees.ducts),
    ]


def _mouth(liver: Liver) -> Triple:
    """Where the hepatic veins meet the cava, below the dome."""
    wanted = liver.top_mm - 32.0
    for segment in liver.cava:
        low, high = segment.start_mm[2], segment.stop_mm[2]
        if low <= wanted <= high:
            share = (wanted - low) / (high - low)
            start, stop = np.array(segment.start_mm), np.array(segment.stop_mm)
            return triple(start + share * (stop - start) + (-6.0, -7.0, 0.0))
    return liver.cava[-1].start_mm


def _depth(liver: Liver, points_mm: NDArray[np.float64]) -> Field:
    """How deep points, (N, 3), lie under the surface; negative outside."""
    return np.asarray(-liver(coords_of(points_mm)))

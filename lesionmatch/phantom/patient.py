"""Bodies from a real patient's organs, warped by the seed so that each is another one.

Liver, spleen, kidneys, lungs, bones and wall have the patient's own shape; vessels, ducts
and gallbladder, which the map does not hold, are added as in the mathematical bodies.
"""

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import NothingFound
from lesionmatch.phantom import labels, vessels
from lesionmatch.phantom.body import Body, Organ, Tissue, Tree
from lesionmatch.phantom.labels import Lattice, Organs
from lesionmatch.phantom.recipe import PATIENT_LABELS_VARIABLE, Recipe, Stream
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
    triple,
    tube,
    without,
)

BEND_MM = 5.0
"""Standard deviation of the warp's smooth part along each axis."""
MARROW_MM = 3.0


@dataclass(frozen=True, slots=True)
class Warp:
    """Takes points of a warped body back to the patient's own."""

    scale: Triple
    bends: tuple[Ripple, Ripple, Ripple]

    def __call__(self, at: Coords) -> Coords:
        """Coordinates in the patient."""
        x, y, z = (
            a * s + BEND_MM * bend(at)
            for a, s, bend in zip(at, self.scale, self.bends, strict=True)
        )
        return x, y, z

    def forward(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points of the patient, (N, 3), lie in the warped body."""
        points = points_mm / np.array(self.scale)
        for _ in range(30):
            back = np.stack(self((points[:, 0], points[:, 1], points[:, 2])), -1)
            points = points + (points_mm - back) / np.array(self.scale)
        return np.asarray(points)


def _warp(rng: np.random.Generator, ml_scale: float) -> Warp:
    size = rng.uniform(0.90, 1.12, 3) * ml_scale ** (1 / 3)
    bends = (ripple(rng, 3, (170.0, 320.0)), ripple(rng, 3, (170.0, 320.0)),
             ripple(rng, 3, (170.0, 320.0)))  # fmt: skip
    return Warp(triple(1.0 / size), bends)


def folder_of(recipe: Recipe) -> Path:
    """Where the label maps are. Raises `NothingFound` where neither place names a folder."""
    named = recipe.patient_labels or os.environ.get(PATIENT_LABELS_VARIABLE)
    if not named:
        raise NothingFound(
            "patient anatomy: wanted a folder of label maps, got none; set "
            f"{PATIENT_LABELS_VARIABLE} or the recipe's patient_labels"
        )
    return Path(named)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """The warped solids and points a body is built from."""

    shapes: Organs
    hilum: Triple
    cava: tuple[Segment, ...]
    aorta: tuple[Segment, ...]
    gallbladder: Ellipsoid
    liver: Organ


def body(recipe: Recipe) -> Body:
    """The body of a recipe's seed. Raises `NothingFound` where the maps are not at hand."""
    rng = recipe.rng(Stream.BODY)
    warp = _warp(rng, recipe.liver_ml_scale)
    parts = _parts(rng, labels.organs(folder_of(recipe)), warp)
    capsule, liver = parts.shapes.capsule, parts.liver
    z = liver.centre_mm[2]
    return Body(
        cavity=parts.shapes.cavity,
        parts=(*_outer(parts), *_inner(rng, parts)),
        liver=liver,
        capsule=capsule,
        hilum_mm=parts.hilum,
        top_mm=z + liver.half_mm[2] - 5.0,
        bottom_mm=z - liver.half_mm[2] + 5.0,
        half_width_mm=170.0 / warp.scale[0],
        half_depth_mm=115.0 / warp.scale[1],
    )


def _parts(rng: np.random.Generator, patient: Organs, warp: Warp) -> _Parts:
    shapes = _warped(patient, warp)
    hilum, *cava = warp.forward(labels.body_mm(np.array([labels.HILUM, *labels.CAVA])))
    aorta = warp.forward(labels.body_mm(np.array(labels.AORTA)))
    bladder = Ellipsoid(triple(hilum + np.array([-22.0, -24.0, -30.0])), (12.0, 13.0, 24.0))
    veins = tuple(tube(np.array(cava) + rng.normal(0, 1, 3), 10.5, 11.5))
    distance = partial(_liver, shapes.liver, bladder, veins)
    return _Parts(
        shapes, triple(hilum), veins, tuple(tube(aorta, 9.5, 11.0)), bladder,
        _boxed(Tissue.LIVER, distance),
    )  # fmt: skip


def _warped(patient: Organs, warp: Warp) -> Organs:
    """Every solid on the same lattice, seen through the warp."""
    voxels = np.indices(labels.SHAPE).reshape(3, -1).T.astype(np.float64)
    points = labels.body_mm(voxels)
    at = warp((points[:, 0], points[:, 1], points[:, 2]))
    stretch = float(np.prod(warp.scale)) ** (-1 / 3)
    seen = {
        name: Lattice((getattr(patient, name)(at) * stretch).reshape(labels.SHAPE))
        for name in Organs.__dataclass_fields__
    }
    return replace(patient, **seen)


def _liver(whole: Lattice, bladder: Ellipsoid, cava: tuple[Segment, ...], at: Coords) -> Field:
    carved = without(whole(at), bladder(at) - 1.5, 4.0)
    return without(carved, distance_to_segments(cava, at) - 0.8)


def _boxed(tissue: Tissue, distance: "partial[Field] | Lattice") -> Organ:
    """An organ with a box around it, found on the lattice."""
    points = labels.body_mm(np.indices(labels.SHAPE).reshape(3, -1).T.astype(np.float64))
    inside = points[np.asarray(distance(coords_of(points))) < 0]
    low, high = inside.min(0) - 5.0, inside.max(0) + 5.0
    return Organ(tissue, distance, triple((low + high) / 2), triple((high - low) / 2))


EVERYWHERE: Triple = (1000.0, 1000.0, 1000.0)


def _wide(tissue: Tissue, distance: "partial[Field] | Lattice", *, is_static: bool) -> Organ:
    return Organ(
        tissue, distance, (0.0, 0.0, 0.0), EVERYWHERE,
        is_static=is_static, is_in_cavity=not is_static,
    )  # fmt: skip


def _both(first: Lattice, second: Lattice, at: Coords) -> Field:
    return common(first(at), second(at))


def _shrunk(shape: Lattice, by_mm: float, at: Coords) -> Field:
    return np.asarray(shape(at) + by_mm)


def _outer(parts: _Parts) -> list[Organ | Tree]:
    """Wall, cavity and the soft organs that have no label."""
    shapes = parts.shapes
    cavity = Organ(Tissue.CAVITY_FAT, shapes.cavity, (0.0, 0.0, 0.0), EVERYWHERE, is_static=True)
    return [
        _wide(Tissue.SKIN_FAT, shapes.skin, is_static=True),
        _wide(Tissue.MUSCLE, partial(_both, shapes.soft, shapes.skin), is_static=True),
        cavity,
        _wide(Tissue.SOFT, shapes.soft, is_static=False),
        _wide(Tissue.LUNG, shapes.lung, is_static=False),
        _wide(Tissue.GAS, shapes.gas, is_static=False),
        _boxed(Tissue.SPLEEN, shapes.spleen),
        _boxed(Tissue.KIDNEY_CORTEX, shapes.kidneys),
        parts.liver,
        Tree(Tissue.CAVA, parts.cava),
    ]


def _inner(rng: np.random.Generator, parts: _Parts) -> list[Organ | Tree]:
    """What lies in the liver, then the bones, which cover what they cut."""
    bladder, bone = parts.gallbladder, parts.shapes.bone
    trees = vessels.grow(rng, partial(_depth, parts.liver), _roots(parts))
    return [
        Organ(Tissue.GALLBLADDER, bladder, bladder.centre_mm, bladder.half_mm),
        Tree(Tissue.HEPATIC_VEIN, trees.hepatic),
        Tree(Tissue.PORTAL_VEIN, trees.portal),
        Tree(Tissue.BILE_DUCT, trees.ducts),
        _wide(Tissue.AORTA, partial(distance_to_segments, parts.aorta), is_static=True),
        _wide(Tissue.CORTEX, bone, is_static=True),
        _wide(Tissue.MARROW, partial(_shrunk, bone, MARROW_MM), is_static=True),
    ]


def _depth(liver: Organ, points_mm: NDArray[np.float64]) -> Field:
    return np.asarray(-liver.distance(coords_of(points_mm)))


def _roots(parts: _Parts) -> vessels.Roots:
    x, y, z = parts.liver.centre_mm
    half = parts.liver.half_mm
    mouth = np.array(parts.cava[-2].stop_mm) + np.array([-6.0, -7.0, -8.0])
    return vessels.Roots(
        parts.hilum,
        triple(mouth),
        (x - 0.35 * half[0], y, z + 0.1 * half[2]),
        (x + 0.45 * half[0], y - 0.4 * half[1], z + 0.25 * half[2]),
        parts.gallbladder,
    )

"""Livers and what lies around them, as activity on a fine grid, for the bench of the foci.

Two anatomies (one of ellipsoids, one from a patient's label map where it is at hand), warped
anew for every seed; hot neighbours and gut loops that touch the capsule, cold vessels and
cysts, slow inhomogeneity. Axes of the grid are z up, y back, x left.
"""

import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]
Where = NDArray[np.bool_]
Points = NDArray[np.floating] | NDArray[np.intp]

FINE_MM = 2.0
LABELS = os.environ.get("LESIONMATCH_PATIENT_LABELS", "")
PATIENT = Path(LABELS) / "patient15_LuDOTATATE_src.i33"
"""Label map of a patient (BenAuer2021/Phantoms-For-Nuclear-Medicine-Imaging-Simulation, MIT)."""


@dataclass(frozen=True)
class Organ:
    """A hot organ in contact with the underside of the liver."""

    name: str
    radius_mm: float
    half_length_mm: float
    times_liver: tuple[float, float]
    """Least and most uptake."""
    sunk: float
    """Share of its radius that it lies within the liver's outline, which gives way to it."""


GALLBLADDER = Organ("gallbladder", 13.0, 18.0, (1.5, 8.0), 0.6)
ADRENAL = Organ("adrenal gland", 5.5, 8.0, (1.5, 4.0), 0.0)


@dataclass(frozen=True)
class Body:
    """A liver and its neighbours on the fine grid."""

    liver: Where
    depth: Array
    """Signed distance to the liver's border in mm, positive inside."""
    activity: Array
    """SUV before blur, with the liver at its level."""
    hot: Where
    """Organs hotter than the liver."""
    anatomy: str


def interpolated(array: Array, places: tuple[NDArray[np.float64], ...]) -> Array:
    """`array` at all combinations of fractional indices along its axes, linearly; edges repeat."""
    for axis, at in enumerate(places):
        last = array.shape[axis] - 1
        low = np.clip(np.floor(at), 0, max(last - 1, 0)).astype(int)
        share = np.clip(at - low, 0.0, 1.0).astype(np.float32)
        share = share.reshape([-1 if n == axis else 1 for n in range(array.ndim)])
        high = np.minimum(low + 1, last)
        array = array.take(low, axis) * (1 - share) + array.take(high, axis) * share
    return array


def body_of(rng: np.random.Generator, seed: int) -> tuple[float, Body]:
    """SUV and body of a seed's liver; of odd seeds a patient's, where the label map is at hand."""
    level = float(rng.uniform(3.5, 9.0))
    is_patient = seed % 2 == 1 and PATIENT.exists()
    return level, (patient_body if is_patient else ellipsoid_body)(rng, level)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], sd_mm: float) -> Array:
    """Unit noise that is smooth over `sd_mm`, made on a coarser grid."""
    step = max(1, int(sd_mm / FINE_MM / 2.0))
    small = [int(np.ceil(n / step)) + 2 for n in shape]
    noise = ndimage.gaussian_filter(rng.standard_normal(small), sd_mm / FINE_MM / step, mode="wrap")
    noise = (noise / noise.std()).astype(np.float32)
    return interpolated(noise, tuple(np.arange(n) / step for n in shape))


def signed_distance_mm(region: Where) -> Array:
    inside = ndimage.distance_transform_edt(region, sampling=FINE_MM)
    outside = ndimage.distance_transform_edt(~region, sampling=FINE_MM)
    return np.asarray(inside - outside, np.float32)


def ellipsoid_body(rng: np.random.Generator, level: float) -> Body:
    at = _coordinates(rng, (140.0, 130.0, 160.0))
    at /= np.float32(rng.uniform(0.88, 1.1))
    at /= rng.uniform(0.95, 1.05, 3).astype(np.float32)[:, None, None, None]
    u = rng.uniform
    right = _ellipsoid(at, (-45, 10, 0), (72 + u(-6, 6), 72, 82 + u(-8, 8)))
    left = _ellipsoid(at, (30 + u(-8, 8), -25, 28), (75, 42, 40 + u(-8, 8)))
    liver = _soft_union(right, left)
    kidney = _ellipsoid(at, (-55, 62, -62 + u(-8, 8)), (29, 27, 52))
    stomach = _ellipsoid(at, (78, 0, 10 + u(-10, 10)), (42, 45, 60))
    gallbladder = _ellipsoid(at, (-15, -30, -48 + u(-5, 5)), (14, 17, 32))
    spine = _ellipsoid(at, (18, 75, 0), (28, 26, 400))
    fissure = 3.0 - np.abs(at[2] - 2 - 0.2 * at[0] + u(-6, 6))
    fissure = np.minimum(fissure, np.minimum(10 - at[0], -at[1] + 10))
    visceral = _ellipsoid(at, (25, 20, -60), (60, 55, 58))
    for other in (kidney, stomach, gallbladder, spine, fissure, visceral):
        liver = np.minimum(liver, -other)
    inside = _largest(liver > 0)
    depth = signed_distance_mm(inside)
    activity = _outside(rng, at, depth)
    organs = (
        (kidney, u(9, 18)), (stomach, u(1.5, 9)), (gallbladder, u(0.5, 7)), (spine, u(0.8, 1.6)),
        (_ellipsoid(at, (125, 40, 25), (34, 45, 55)), u(15, 30)),
        (_ellipsoid(at, (-18, 52, -5 + u(-6, 6)), (7, 11, 9)), u(8, 15)),
        (_ellipsoid(at, (-8, 40, 0), (13, 11, 400)), u(1.2, 2.4)),
    )  # fmt: skip
    for shape, suv in organs:
        activity[(shape > 0) & ~inside] = suv
    return _finished(rng, depth, activity, level, "ellipsoids")


def patient_body(rng: np.random.Generator, level: float) -> Body:
    labels = _patient_labels()
    spacing = np.array((4.4196, 3.9063, 3.9063), np.float32)
    centre = np.argwhere(labels == 15000).mean(0).astype(np.float32)
    at = _coordinates(rng, (130.0, 120.0, 150.0))
    size = (rng.uniform(0.99, 1.2) * rng.uniform(0.95, 1.05, 3) * spacing).astype(np.float32)
    voxels = at / size[:, None, None, None] + centre[:, None, None, None]

    def warped(region: Where) -> Where:
        soft = ndimage.gaussian_filter(region.astype(np.float32), 0.7)
        return ndimage.map_coordinates(soft, voxels, order=1, mode="nearest", prefilter=False) > 0.5

    u = rng.uniform
    inside = _largest(warped(labels == 15000))
    depth = signed_distance_mm(inside)
    activity = np.full(inside.shape, u(0.5, 1.1), np.float32)
    activity[warped(labels < 500)] = u(0.3, 0.5)
    for label, suv in ((16000, u(15, 30)), (17000, u(9, 18)), (18000, u(9, 18))):
        activity[warped(labels == label) & ~inside] = suv
    return _finished(rng, depth, activity, level, "patient")


@cache
def _patient_labels() -> NDArray[np.uint16]:
    raw = np.fromfile(PATIENT, "<u2").reshape(90, 70, 108)
    return np.ascontiguousarray(raw[::-1, ::-1])


def _coordinates(rng: np.random.Generator, half_mm: tuple[float, float, float]) -> Array:
    axes = [np.arange(-h, h, FINE_MM, dtype=np.float32) for h in half_mm]
    at = np.stack(np.meshgrid(*axes, indexing="ij"))
    for part in at:
        part += np.float32(5.0) * smooth_noise(rng, part.shape, 35.0)
    return at


def _ellipsoid(at: Array, centre: tuple[float, ...], semi: tuple[float, ...]) -> Array:
    """Roughly the signed distance in mm, positive inside; centre and semi-axes as (x, y, z)."""
    squares = np.zeros(at.shape[1:], np.float32)
    for axis, (middle, half) in enumerate(zip(centre[::-1], semi[::-1], strict=True)):
        squares += ((at[axis] - np.float32(middle)) / np.float32(half)) ** 2
    return (1 - np.sqrt(squares)) * np.float32(min(semi))


def _soft_union(a: Array, b: Array, mm: float = 6.0) -> Array:
    return np.asarray(np.maximum(a, b) + mm / 4 * np.exp(-np.abs(a - b) / mm), np.float32)


def _outside(rng: np.random.Generator, at: Array, depth: Array) -> Array:
    """Soft tissue, and lung above the dome."""
    activity = np.full(depth.shape, rng.uniform(0.4, 1.1), np.float32)
    above = at[0] > 15 + 0.25 * np.abs(at[2] + 40)
    activity[above & (depth < -5)] = rng.uniform(0.2, 0.5)
    return activity


def _largest(region: Where) -> Where:
    labels, _ = ndimage.label(region)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(ndimage.binary_fill_holes(labels == np.argmax(sizes)), bool)


def _finished(
    rng: np.random.Generator, depth: Array, activity: Array, level: float, anatomy: str
) -> Body:
    """Gut loops on the capsule, vessels, cysts, slow inhomogeneity."""
    inside = depth > 0
    surface = np.argwhere((depth > 0) & (depth <= FINE_MM))
    low = surface[surface[:, 0] < np.quantile(surface[:, 0], 0.6)]
    for _ in range(rng.integers(1, 4)):
        box, loop = _loop(rng, low[rng.integers(len(low))], depth)
        here = loop & (-depth[box] > rng.uniform(0, 4))
        suv = rng.uniform(14, 18) if rng.random() < 0.6 else rng.uniform(3, 12)
        activity[box][here] = suv
    hot = ~inside & (activity > level)
    slow = 1 + rng.uniform(0.02, 0.05) * smooth_noise(rng, inside.shape, rng.uniform(20, 40))
    activity = np.where(inside, level * slow, activity).astype(np.float32)
    _vessels(rng, inside, activity, surface)
    _cysts(rng, inside, activity)
    return Body(inside, depth, activity, hot, anatomy)


def with_organ(rng: np.random.Generator, body: Body, level: float, organ: Organ) -> Body:
    """The body with the organ somewhere on the lower half of the liver's surface."""
    surface = np.argwhere((body.depth > 0) & (body.depth <= FINE_MM))
    low = surface[surface[:, 0] < np.quantile(surface[:, 0], 0.5)]
    size_mm = organ.radius_mm, organ.half_length_mm
    on = low[rng.integers(len(low))]
    box, here = _sausage(rng, on, body.depth, *size_mm, off_mm=organ.radius_mm * (1 - organ.sunk))
    liver, activity = body.liver.copy(), body.activity.copy()
    if organ.sunk:
        liver[box] &= ~here
    activity[box][here & ~liver[box]] = level * rng.uniform(*organ.times_liver)
    depth = signed_distance_mm(liver) if organ.sunk else body.depth
    return replace(body, liver=liver, depth=depth, activity=activity)


def _loop(
    rng: np.random.Generator, on: NDArray[np.intp], depth: Array
) -> tuple[tuple[slice, ...], Where]:
    """A sausage outside the liver that touches its surface at `on`, in the box that holds it."""
    radius_mm = rng.uniform(9, 14)
    return _sausage(rng, on, depth, radius_mm, None, off_mm=radius_mm)


def _sausage(
    rng: np.random.Generator,
    on: NDArray[np.intp],
    depth: Array,
    radius_mm: float,
    half_length_mm: float | None,
    *,
    off_mm: float,
) -> tuple[tuple[slice, ...], Where]:
    """One whose axis lies `off_mm` outside the surface at `on`, and the box that holds it."""
    radius = radius_mm / FINE_MM
    near = _box(on, 8, depth.shape)
    out = -np.array([slope.mean() for slope in np.gradient(np.minimum(depth[near], 0.0))])
    out /= np.linalg.norm(out) + 1e-6
    along = np.cross(out, rng.standard_normal(3))
    along /= np.linalg.norm(along)
    middle = on + out * (off_mm / FINE_MM)
    length = (rng.uniform(8, 30) if half_length_mm is None else half_length_mm) / FINE_MM
    box = _box(middle, radius + length + 1, depth.shape)
    off = _indices(box) - middle
    t = np.clip(off @ along, -length, length)
    return box, np.linalg.norm(off - t[..., None] * along, axis=-1) < radius


def _box(centre: Points, reach: float, shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(
        slice(max(0, int(c - reach)), min(n, int(c + reach) + 2))
        for c, n in zip(centre, shape, strict=True)
    )


def ball_at(
    centre: Points, radius_mm: float, shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], Where]:
    """The voxels of a ball about a fine voxel, in the box that holds them."""
    radius = radius_mm / FINE_MM
    box = _box(centre, radius + 1, shape)
    return box, np.linalg.norm(_indices(box) - centre, axis=-1) < radius


def _indices(box: tuple[slice, ...]) -> NDArray[np.intp]:
    ticks = [np.arange(s.start, s.stop) for s in box]
    return np.stack(np.meshgrid(*ticks, indexing="ij"), -1)


def _tube(shape: tuple[int, ...], ends: tuple[Points, Points], radius: float) -> Where:
    """A bent tube that tapers to half its radius."""
    a, b = ends
    into = np.zeros(shape, bool)
    bend = np.random.default_rng(int(a.sum() * 7 + b.sum())).normal(0, 4, 3)
    for t in np.linspace(0, 1, int(np.linalg.norm(b - a)) + 1):
        middle = a + t * (b - a) + bend * np.sin(np.pi * t)
        here = radius * (1 - 0.5 * t)
        box = _box(middle, here + 1, shape)
        into[box] |= np.linalg.norm(_indices(box) - middle, axis=-1) < here
    return into


def _vessels(
    rng: np.random.Generator, inside: Where, activity: Array, surface: NDArray[np.intp]
) -> None:
    middle = np.argwhere(inside).mean(0)
    vessels = np.zeros(inside.shape, bool)
    for _ in range(rng.integers(4, 9)):
        root = middle + rng.normal(0, 6, 3)
        end = root + rng.uniform(0.5, 0.9) * (surface[rng.integers(len(surface))] - root)
        vessels |= _tube(inside.shape, (root, end), rng.uniform(3, 7) / FINE_MM)
    activity[vessels & inside] = rng.uniform(1.0, 2.4)


def _cysts(rng: np.random.Generator, inside: Where, activity: Array) -> None:
    places = np.argwhere(inside)
    for _ in range(rng.integers(0, 4)):
        centre = places[rng.integers(len(places))]
        radius = rng.uniform(4, 12) / FINE_MM
        box, near = ball_at(centre, radius * FINE_MM, inside.shape)
        activity[box][near & inside[box]] = 0.3

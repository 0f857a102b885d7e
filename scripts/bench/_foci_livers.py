"""Simulated livers as a PET shows them: no DICOM, no MRI, only what foci are found on.

Two anatomies (one of ellipsoids, one from a patient's label map where it is at hand), warped
anew for every seed; hot neighbours and gut loops that touch the capsule, cold vessels and
cysts, slow inhomogeneity, breathing, a scanner's blur, correlated noise that grows with the
square root of the activity, and a liver mask that is wrong by some millimetres and shifted.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity

Array = NDArray[np.float32]
Where = NDArray[np.bool_]

FINE_MM = 2.0
SD_FROM_FWHM = 1.0 / 2.354820045
LABELS = os.environ.get("LESIONMATCH_PATIENT_LABELS", "")
PATIENT = Path(LABELS) / "patient15_LuDOTATATE_src.i33"
"""Label map of a patient (BenAuer2021/Phantoms-For-Nuclear-Medicine-Imaging-Simulation, MIT)."""
SPACINGS_MM = (
    (3.0, 4.07, 4.07),
    (5.0, 4.07, 4.07),
    (3.27, 2.73, 2.73),
    (3.0, 3.18, 3.18),
    (2.0, 2.04, 2.04),
)


@dataclass(frozen=True)
class Scanner:
    """How the PET blurs, breathes and is noisy."""

    fwhm_mm: float
    cov: float
    noise_fwhm_mm: float
    breathing_mm: float
    overshoot: float
    """0: Gaussian; above: weight of a wider Gaussian taken off, as resolution modelling rings."""
    spacing_mm: tuple[float, float, float]

    @classmethod
    def usual(cls, rng: np.random.Generator) -> "Scanner":
        return cls(
            rng.uniform(5, 9),
            rng.uniform(0.06, 0.20),
            rng.uniform(4, 6),
            rng.uniform(0, 8),
            0.0,
            SPACINGS_MM[rng.choice(5, p=(0.25, 0.2, 0.2, 0.25, 0.1))],
        )

    @classmethod
    def other(cls, rng: np.random.Generator) -> "Scanner":
        """Deep breathing and a reconstruction that models resolution, and so overshoots."""
        return cls(
            rng.uniform(4.5, 7),
            rng.uniform(0.06, 0.20),
            rng.uniform(5, 8),
            rng.uniform(10, 22),
            rng.uniform(0.3, 0.8),
            SPACINGS_MM[rng.choice(5, p=(0.25, 0.2, 0.2, 0.25, 0.1))],
        )

    def blurred(self, fine: Array) -> Array:
        sd = self.fwhm_mm * SD_FROM_FWHM / FINE_MM
        once = ndimage.gaussian_filter(fine, sd, mode="nearest")
        if self.overshoot > 0:
            wide = ndimage.gaussian_filter(fine, sd * 1.7, mode="nearest")
            once = (1 + self.overshoot) * once - self.overshoot * wide
        return self._breathed(once)

    def _breathed(self, fine: Array) -> Array:
        if self.breathing_mm <= 0:
            return fine
        phase = (np.arange(400) + 0.5) / 400 * np.pi
        moved = self.breathing_mm / 2 * np.cos(phase) / FINE_MM
        reach = int(np.ceil(np.abs(moved).max())) + 1
        low = np.floor(moved).astype(int)
        kernel = np.zeros(2 * reach + 1)
        np.add.at(kernel, low + reach, 1 - (moved - low))
        np.add.at(kernel, low + reach + 1, moved - low)
        return ndimage.convolve1d(fine, kernel / kernel.sum(), axis=0, mode="nearest")


@dataclass(frozen=True)
class Sphere:
    """A lesion with a contrast-to-noise asked for."""

    diameter_mm: float
    cnr: float
    place: str
    """'deep', 'subcapsular' (surface within 5 mm of the capsule), 'edge' (centre 3-6 mm deep),
    'near_hot' (subcapsular beside a hot organ)."""


@dataclass(frozen=True)
class Placed:
    sphere: Sphere
    centre_mm: NDArray[np.float64]
    tumour_to_liver: float
    ideal_z: float
    """Expected z of the ideal observer, who knows size, place and background."""
    depth_mm: float


@dataclass(frozen=True)
class Liver:
    """One study."""

    suv: Image
    mask: Mask
    truth: Mask
    """The liver as it is, on the PET grid."""
    lesions: tuple[Placed, ...]
    scanner: Scanner
    level: float
    anatomy: str
    hot: Where = field(repr=False)
    """Organs hotter than the liver, on the PET grid."""


# --- anatomy on the fine grid; axes (z up, y back, x left), millimetres -------------------


def _noise(rng: np.random.Generator, shape: tuple[int, ...], sd_mm: float) -> Array:
    step = max(1, int(sd_mm / FINE_MM / 2.0))
    small = [int(np.ceil(n / step)) + 2 for n in shape]
    noise = ndimage.gaussian_filter(rng.standard_normal(small), sd_mm / FINE_MM / step, mode="wrap")
    noise /= noise.std()
    if step == 1:
        return noise[: shape[0], : shape[1], : shape[2]].astype(np.float32)
    zoomed = ndimage.zoom(noise, step, order=1)[: shape[0], : shape[1], : shape[2]]
    return zoomed.astype(np.float32)


def _ellipsoid(at: Array, centre: tuple[float, ...], semi: tuple[float, ...]) -> Array:
    """Roughly the signed distance in mm, positive inside; centre and semi-axes as (x, y, z)."""
    away = [(at[2 - i] - centre[i]) / semi[i] for i in range(3)]
    return (1 - np.sqrt(sum(a * a for a in away))) * min(semi)


def _soft_union(a: Array, b: Array, mm: float = 6.0) -> Array:
    return np.maximum(a, b) + mm / 4 * np.exp(-np.abs(a - b) / mm)


@dataclass
class Body:
    liver: Where
    activity: Array
    """SUV with the liver at `level`, before blur."""
    hot: Where


def _coordinates(rng: np.random.Generator, half_mm: tuple[float, float, float]) -> Array:
    axes = [np.arange(-h, h, FINE_MM) for h in half_mm]
    at = np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)
    warp = np.stack([_noise(rng, at.shape[1:], 35.0) for _ in range(3)])
    return at + 5.0 * warp


def ellipsoid_body(rng: np.random.Generator, level: float) -> Body:
    at = _coordinates(rng, (140.0, 130.0, 160.0))
    at = at / rng.uniform(0.88, 1.1) / rng.uniform(0.95, 1.05, 3)[:, None, None, None]
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
    activity = _outside(rng, at, inside)
    hot = np.zeros(inside.shape, bool)
    organs = (
        (kidney, u(9, 18)), (stomach, u(1.5, 9)), (gallbladder, u(0.5, 7)), (spine, u(0.8, 1.6)),
        (_ellipsoid(at, (125, 40, 25), (34, 45, 55)), u(15, 30)),
        (_ellipsoid(at, (-18, 52, -5 + u(-6, 6)), (7, 11, 9)), u(8, 15)),
        (_ellipsoid(at, (-8, 40, 0), (13, 11, 400)), u(1.2, 2.4)),
    )  # fmt: skip
    for shape, suv in organs:
        here = (shape > 0) & ~inside
        activity[here] = suv
        hot |= here & (suv > level)
    return _finished(rng, inside, activity, hot, level)


@cache
def _patient_labels() -> NDArray[np.uint16]:
    raw = np.fromfile(PATIENT, "<u2").reshape(90, 70, 108)
    return np.ascontiguousarray(raw[::-1, ::-1])


def patient_body(rng: np.random.Generator, level: float) -> Body:
    labels = _patient_labels()
    spacing = np.array((4.4196, 3.9063, 3.9063))
    liver = labels == 15000
    centre = np.argwhere(liver).mean(0) * spacing
    at = _coordinates(rng, (130.0, 120.0, 150.0))
    size = rng.uniform(0.99, 1.2) * rng.uniform(0.95, 1.05, 3)
    voxels = (at / size[:, None, None, None] + centre[:, None, None, None]) / spacing[
        :, None, None, None
    ]

    def warped(region: Where, smooth: float = 0.7) -> Where:
        soft = ndimage.gaussian_filter(region.astype(np.float32), smooth)
        return ndimage.map_coordinates(soft, voxels, order=1, mode="nearest") > 0.5

    u = rng.uniform
    inside = _largest(warped(liver))
    activity = np.full(inside.shape, u(0.5, 1.1), np.float32)
    activity[warped(labels < 500)] = u(0.3, 0.5)
    hot = np.zeros(inside.shape, bool)
    for label, suv in ((16000, u(15, 30)), (17000, u(9, 18)), (18000, u(9, 18))):
        here = warped(labels == label) & ~inside
        activity[here] = suv
        hot |= here & (suv > level)
    return _finished(rng, inside, activity, hot, level)


def _outside(rng: np.random.Generator, at: Array, inside: Where) -> Array:
    activity = np.full(inside.shape, rng.uniform(0.4, 1.1), np.float32)
    dome = ndimage.distance_transform_edt(~inside, sampling=FINE_MM)
    above = at[0] > 15 + 0.25 * np.abs(at[2] + 40)
    activity[above & (dome > 5)] = rng.uniform(0.2, 0.5)
    return activity


def _largest(region: Where) -> Where:
    labels, count = ndimage.label(region)
    sizes = ndimage.sum_labels(region, labels, np.arange(1, count + 1))
    return ndimage.binary_fill_holes(labels == 1 + int(np.argmax(sizes)))


def _finished(
    rng: np.random.Generator, inside: Where, activity: Array, hot: Where, level: float
) -> Body:
    """Gut loops on the capsule, vessels, cysts, slow inhomogeneity."""
    surface = np.argwhere(inside & ~ndimage.binary_erosion(inside))
    away = np.asarray(ndimage.distance_transform_edt(~inside, sampling=FINE_MM), np.float32)
    low = surface[surface[:, 0] < np.quantile(surface[:, 0], 0.6)]
    grid = np.stack(np.indices(inside.shape), -1).astype(np.float32)
    for _ in range(rng.integers(1, 4)):
        loop = _loop(rng, low[rng.integers(len(low))], away, grid)
        here = loop & ~inside & (away > rng.uniform(0, 4))
        suv = rng.uniform(14, 18) if rng.random() < 0.6 else rng.uniform(3, 12)
        activity[here] = suv
        hot |= here & (suv > level)
    slow = 1 + rng.uniform(0.02, 0.05) * _noise(rng, inside.shape, rng.uniform(20, 40))
    activity = np.where(inside, level * slow, activity).astype(np.float32)
    _vessels(rng, inside, activity, surface)
    _cysts(rng, inside, activity)
    return Body(inside, activity, hot)


def _loop(rng: np.random.Generator, on: NDArray[np.intp], away: Array, grid: Array) -> Where:
    """A sausage outside the liver that touches its surface at `on`."""
    radius = rng.uniform(9, 14) / FINE_MM
    box = tuple(slice(max(0, c - 8), c + 9) for c in on)
    out = np.array([np.gradient(away[box])[i].mean() for i in range(3)])
    out /= np.linalg.norm(out) + 1e-6
    along = np.cross(out, rng.standard_normal(3))
    along /= np.linalg.norm(along)
    middle = on + out * radius
    length = rng.uniform(8, 30) / FINE_MM
    off = grid - middle.astype(np.float32)
    t = np.clip(off @ along.astype(np.float32), -length, length)
    return np.linalg.norm(off - t[..., None] * along.astype(np.float32), axis=-1) < radius


def _tube(shape: tuple[int, ...], a: NDArray, b: NDArray, radius: float, into: Where) -> None:
    steps = int(np.linalg.norm(b - a)) + 1
    bend = np.random.default_rng(int(a.sum() * 7 + b.sum())).normal(0, 4, 3)
    for t in np.linspace(0, 1, steps):
        c = a + t * (b - a) + bend * np.sin(np.pi * t)
        r = radius * (1 - 0.5 * t)
        low = np.maximum(np.floor(c - r - 1), 0).astype(int)
        high = np.minimum(np.ceil(c + r + 2), shape).astype(int)
        if (low >= high).any():
            continue
        g = np.stack(
            np.meshgrid(*(np.arange(i, j) for i, j in zip(low, high, strict=True)), indexing="ij"),
            -1,
        )
        into[low[0] : high[0], low[1] : high[1], low[2] : high[2]] |= (
            np.linalg.norm(g - c, axis=-1) < r
        )


def _vessels(rng: np.random.Generator, inside: Where, activity: Array, surface: NDArray) -> None:
    middle = np.argwhere(inside).mean(0)
    vessels = np.zeros(inside.shape, bool)
    for _ in range(rng.integers(4, 9)):
        root = middle + rng.normal(0, 6, 3)
        end = root + rng.uniform(0.5, 0.9) * (surface[rng.integers(len(surface))] - root)
        _tube(inside.shape, root, end, rng.uniform(3, 7) / FINE_MM, vessels)
    activity[vessels & inside] = rng.uniform(1.0, 2.4)


def _cysts(rng: np.random.Generator, inside: Where, activity: Array) -> None:
    places = np.argwhere(inside)
    for _ in range(rng.integers(0, 4)):
        c = places[rng.integers(len(places))]
        r = rng.uniform(4, 12) / FINE_MM
        box = tuple(slice(max(0, int(i - r - 1)), int(i + r + 2)) for i in c)
        g = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), -1)
        part = activity[box]
        g = g[: part.shape[0], : part.shape[1], : part.shape[2]]
        part[(np.linalg.norm(g - c, axis=-1) < r) & inside[box]] = 0.3


# --- the study ----------------------------------------------------------------------------


def _sphere(shape: tuple[int, ...], centre: NDArray, diameter_mm: float) -> Array:
    """Fraction of each fine voxel in the sphere; its volume is exact."""
    r = diameter_mm / 2 / FINE_MM
    low = np.maximum(np.floor(centre - r - 2), 0).astype(int)
    high = np.minimum(np.ceil(centre + r + 3), shape).astype(int)
    fine = 5
    ticks = [
        np.arange(i * fine, j * fine) / fine + (0.5 / fine - 0.5)
        for i, j in zip(low, high, strict=True)
    ]
    g = np.stack(np.meshgrid(*ticks, indexing="ij"), -1) - centre
    part = (np.einsum("...i,...i", g, g) < r * r).astype(np.float32)
    n = high - low
    part = part.reshape(n[0], fine, n[1], fine, n[2], fine).mean((1, 3, 5))
    whole = np.zeros(shape, np.float32)
    whole[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = part * (
        4 / 3 * np.pi * r**3 / part.sum()
    )
    return whole


def _ideal_z(unit: Array, amplitude: float, scanner: Scanner, sd: float) -> float:
    """Signal-to-noise of the prewhitening matched filter for `unit` x `amplitude` on PET voxels."""
    centre = np.unravel_index(np.argmax(unit), unit.shape)
    reach = np.ceil(30 / np.array(scanner.spacing_mm)).astype(int)
    box = tuple(slice(max(0, c - r), c + r + 1) for c, r in zip(centre, reach, strict=True))
    part = unit[box]
    spectrum = np.abs(np.fft.fftn(part * amplitude)) ** 2
    white = np.zeros(part.shape)
    white[tuple(n // 2 for n in part.shape)] = 1
    width = scanner.noise_fwhm_mm * SD_FROM_FWHM / np.array(scanner.spacing_mm)
    kernel = ndimage.gaussian_filter(white, width)
    power = np.abs(np.fft.fftn(kernel)) ** 2
    power *= sd**2 / power.mean()
    return float(np.sqrt((spectrum / np.maximum(power, power.max() * 1e-4)).mean()))


def simulate(
    seed: int,
    *,
    spheres: tuple[Sphere, ...] = (),
    other: bool = False,
    scanner: Scanner | None = None,
) -> Liver:
    """The liver of `seed`: the same seed, the same liver."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(3.5, 9.0)
    anatomy = "patient" if seed % 2 and PATIENT.exists() else "ellipsoids"
    body = (patient_body if anatomy == "patient" else ellipsoid_body)(rng, level)
    drawn = Scanner.other(rng) if other else Scanner.usual(rng)
    scanner = scanner or drawn
    grid, to_pet = _pet(rng, body.liver.shape, scanner)
    clean = to_pet(scanner.blurred(body.activity))
    placed: list[Placed] = []
    room = _Room.of(body, level) if spheres else None
    for sphere in spheres:
        centre = room.centre(rng, sphere, placed) if room else None
        if room is None or centre is None:
            continue
        unit = scanner.blurred(_sphere(body.liver.shape, centre, sphere.diameter_mm))
        sd = scanner.cov * level
        amplitude = sphere.cnr * sd / float(unit.max())
        signal = to_pet(unit)
        placed.append(
            Placed(
                sphere,
                centre[::-1] * FINE_MM,
                1 + amplitude / level,
                _ideal_z(signal, amplitude, scanner, sd),
                float(room.depth[tuple(np.rint(centre).astype(int))]),
            )
        )
        clean = clean + signal * amplitude
    clean = np.maximum(clean, 0.01)
    suv = clean + _grain(rng, scanner, grid) * scanner.cov * np.sqrt(clean * level)
    truth = to_pet(body.liver.astype(np.float32)) > 0.5
    return Liver(
        Image(grid, np.maximum(suv, 0).astype(np.float32), Quantity.SUV_BW),
        Mask(grid, _wrong_mask(rng, body.liver, to_pet)),
        Mask(grid, truth),
        tuple(placed),
        scanner,
        level,
        anatomy,
        to_pet(body.hot.astype(np.float32)) > 0.5,
    )


def _pet(
    rng: np.random.Generator, shape: tuple[int, ...], scanner: Scanner
) -> tuple[Grid, Callable[[Array], Array]]:
    spacing = np.array(scanner.spacing_mm)
    first = rng.uniform(0, 1, 3) * spacing
    count = np.floor((np.array(shape) * FINE_MM - FINE_MM - first) / spacing).astype(int)
    grid = Grid.of(Frame("1.2.3"), count, origin_mm=first[::-1], spacing_mm=spacing)

    def to_pet(fine: Array) -> Array:
        out = ndimage.affine_transform(
            fine,
            spacing / FINE_MM,
            first / FINE_MM,
            output_shape=tuple(count),
            order=1,
            mode="nearest",
        )
        return out.astype(np.float32)

    return grid, to_pet


def _grain(rng: np.random.Generator, scanner: Scanner, grid: Grid) -> Array:
    white = rng.standard_normal(grid.shape).astype(np.float32)
    width = scanner.noise_fwhm_mm * SD_FROM_FWHM / grid.spacing_mm
    grain = ndimage.gaussian_filter(white, width, mode="wrap")
    return grain / grain.std()


def _wrong_mask(rng: np.random.Generator, liver: Where, to_pet: Callable[[Array], Array]) -> Where:
    depth = ndimage.distance_transform_edt(
        liver, sampling=FINE_MM
    ) - ndimage.distance_transform_edt(~liver, sampling=FINE_MM)
    depth += rng.uniform(2, 4) * 0.7 * _noise(rng, liver.shape, rng.uniform(8, 15))
    toward = rng.standard_normal(3)
    shift = rng.uniform(0, 5) * toward / np.linalg.norm(toward) / FINE_MM
    return to_pet(ndimage.shift(depth, shift, order=1, mode="nearest").astype(np.float32)) > 0


@dataclass(frozen=True)
class _Room:
    """Where lesions may go: depth under the capsule, distance to hot organs, warm liver around."""

    depth: Array
    to_hot: Array
    warm: Where

    @classmethod
    def of(cls, body: Body, level: float) -> "_Room":
        cold = body.liver & (body.activity < 0.7 * level)
        return cls(
            ndimage.distance_transform_edt(body.liver, sampling=FINE_MM).astype(np.float32),
            ndimage.distance_transform_edt(~body.hot, sampling=FINE_MM).astype(np.float32),
            ~ndimage.maximum_filter(cold, 5),
        )

    def centre(
        self, rng: np.random.Generator, sphere: Sphere, others: list[Placed]
    ) -> NDArray[np.float64] | None:
        """A place on the fine grid, 40 mm from the others; None where there is none."""
        r, depth = sphere.diameter_mm / 2, self.depth
        want = {
            "deep": depth > r + 12,
            "subcapsular": (depth > r) & (depth < r + 5),
            "edge": (depth > 3) & (depth < 6),
            "near_hot": (depth > r) & (depth < r + 5) & (self.to_hot < r + 12),
        }[sphere.place]
        there = np.argwhere(want & self.warm)
        for p in others:
            off = there * FINE_MM - p.centre_mm[::-1]
            there = there[np.einsum("ij,ij->i", off, off) > 40.0**2]
        if not len(there):
            return None
        return there[rng.integers(len(there))] + rng.uniform(-0.4, 0.4, 3)

"""Simulated livers as a PET shows them: no DICOM, no MRI, only what foci are found on.

A body of `_liver_bodies` under breathing, a scanner's blur, correlated noise that grows with
the square root of the activity, and a liver mask that is wrong by some millimetres and shifted.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from _liver_bodies import (
    FINE_MM,
    Array,
    Body,
    Organ,
    Where,
    body_of,
    interpolated,
    smooth_noise,
    with_organ,
)
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity

SD_FROM_FWHM = 1.0 / 2.354820045
Grain = Literal["normal", "log-normal", "two gamma"]
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

    @property
    def reach_mm(self) -> float:
        """Further than this nothing of a point is seen."""
        return 4.0 * 1.7 * self.fwhm_mm * SD_FROM_FWHM + self.breathing_mm / 2 + 2 * FINE_MM

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
class Raster:
    """The PET's voxels on the fine grid."""

    grid: Grid
    places: tuple[NDArray[np.float64], ...]
    """Fractional fine indices of the planes, rows and columns."""

    @classmethod
    def drawn(cls, rng: np.random.Generator, shape: tuple[int, ...], scanner: Scanner) -> "Raster":
        spacing = np.array(scanner.spacing_mm)
        first = rng.uniform(0, 1, 3) * spacing
        count = np.floor((np.array(shape) * FINE_MM - FINE_MM - first) / spacing).astype(int)
        grid = Grid.of(Frame("1.2.3"), count, origin_mm=first[::-1], spacing_mm=spacing)
        axes = zip(first, spacing, count, strict=True)
        return cls(grid, tuple((f + s * np.arange(n)) / FINE_MM for f, s, n in axes))

    def image(self, suv: Array) -> Image:
        return Image(self.grid, suv.astype(np.float32), Quantity.SUV_BW)

    def of(self, fine: Array, shift: NDArray[np.float64] | float = 0.0) -> Array:
        """`fine`, moved by `shift` fine voxels, on the PET's voxels."""
        shifts = np.broadcast_to(shift, 3)
        return interpolated(fine, tuple(p - s for p, s in zip(self.places, shifts, strict=True)))


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
    ideal_z: float
    """Expected z of the ideal observer, who knows size, place and background."""


@dataclass(frozen=True)
class Liver:
    """One study."""

    suv: Image
    mask: Mask
    lesions: tuple[Placed, ...]
    scanner: Scanner
    anatomy: str


def simulate(
    seed: int,
    *,
    spheres: tuple[Sphere, ...] = (),
    other: bool = False,
    grain: Grain = "normal",
    organ: Organ | None = None,
) -> Liver:
    """The liver of `seed`, with `organ` beside it: the same seed, the same liver."""
    rng = np.random.default_rng(seed)
    level, body = body_of(rng, seed)
    if organ is not None:
        body = with_organ(rng, body, level, organ)
    scanner = Scanner.other(rng) if other else Scanner.usual(rng)
    raster = Raster.drawn(rng, body.liver.shape, scanner)
    clean = raster.of(scanner.blurred(body.activity))
    placed: list[Placed] = []
    room = _Room.of(body, level) if spheres else None
    for sphere in spheres:
        centre = room.centre(rng, sphere, placed) if room else None
        if centre is not None:
            lesion, signal = _lesion(sphere, centre, scanner, raster, scanner.cov * level)
            placed.append(lesion)
            clean = clean + signal
    suv = noisy(rng, clean, scanner, level, grain=grain)
    return Liver(
        raster.image(suv),
        Mask(raster.grid, wrong_mask(rng, body, raster)),
        tuple(placed),
        scanner,
        body.anatomy,
    )


def noisy(
    rng: np.random.Generator,
    clean: Array,
    scanner: Scanner,
    level: float,
    *,
    grain: Grain = "normal",
) -> Array:
    """A clean image with the scanner's grain, which grows with the root of the activity.

    Reconstructed activity cannot fall below 0: grain may be log-normal, or of a gamma
    distribution (Wilson and Hilferty 1931) and of two widths.
    """
    clean = np.maximum(clean, 0.01)
    unit, cov = _grain(rng, scanner, clean.shape), scanner.cov * np.sqrt(level / clean)
    if grain == "log-normal":
        width = np.sqrt(np.log1p(cov**2))
        return np.asarray(clean * np.exp(width * unit - width**2 / 2), np.float32)
    if grain == "two gamma":
        share = rng.uniform(0.15, 0.6)
        coarse = replace(scanner, noise_fwhm_mm=rng.uniform(8, 14))
        unit = np.sqrt(1 - share) * unit + np.sqrt(share) * _grain(rng, coarse, clean.shape)
        root = np.maximum(1 - cov**2 / 9 + unit * cov / 3, 0.0)
        return np.asarray(clean * root**3, np.float32)
    return np.asarray(np.maximum(clean * (1 + unit * cov), 0.0), np.float32)


def _lesion(
    sphere: Sphere, centre: NDArray[np.float64], scanner: Scanner, raster: Raster, sd: float
) -> tuple[Placed, Array]:
    """A sphere of the contrast asked for in noise of `sd`, and its uptake on the PET."""
    reach = np.ceil((sphere.diameter_mm / 2 + scanner.reach_mm) / FINE_MM)
    low = np.floor(centre) - reach
    unit = scanner.blurred(_ball((int(2 * reach) + 2,) * 3, centre - low, sphere.diameter_mm))
    amplitude = sphere.cnr * sd / float(unit.max())
    signal = _within(raster, unit * np.float32(amplitude), low)
    return Placed(sphere, centre[::-1] * FINE_MM, _ideal_z(signal, scanner, sd)), signal


def _within(raster: Raster, part: Array, low: NDArray[np.float64]) -> Array:
    """The fine `part` that begins at `low` on the PET's voxels, nothing around it."""
    padded = np.pad(part, 1)
    places = tuple(p - start + 1 for p, start in zip(raster.places, low, strict=True))
    return interpolated(padded, places)


def _ball(shape: tuple[int, ...], centre: NDArray[np.float64], diameter_mm: float) -> Array:
    """Fraction of each fine voxel in the sphere; its volume is exact."""
    r, fine = diameter_mm / 2 / FINE_MM, 5
    ticks = [
        (np.arange(n * fine) + 0.5) / fine - 0.5 - c for n, c in zip(shape, centre, strict=True)
    ]
    z, y, x = np.meshgrid(*(t.astype(np.float32) for t in ticks), indexing="ij", sparse=True)
    inside = (z * z + y * y + x * x < r * r).astype(np.float32)
    n = shape
    part = inside.reshape(n[0], fine, n[1], fine, n[2], fine).mean((1, 3, 5))
    return np.asarray(part * (4 / 3 * np.pi * r**3 / part.sum()), np.float32)


def _ideal_z(signal: Array, scanner: Scanner, sd: float) -> float:
    """Signal-to-noise of the prewhitening matched filter on PET voxels."""
    centre = np.unravel_index(np.argmax(signal), signal.shape)
    reach = np.ceil(30 / np.array(scanner.spacing_mm)).astype(int)
    part = signal[
        tuple(slice(max(0, c - r), c + r + 1) for c, r in zip(centre, reach, strict=True))
    ]
    spectrum = np.abs(np.fft.fftn(part)) ** 2
    white = np.zeros(part.shape)
    white[tuple(n // 2 for n in part.shape)] = 1
    width = scanner.noise_fwhm_mm * SD_FROM_FWHM / np.array(scanner.spacing_mm)
    power = np.abs(np.fft.fftn(ndimage.gaussian_filter(white, width))) ** 2
    power *= sd**2 / power.mean()
    return float(np.sqrt((spectrum / np.maximum(power, power.max() * 1e-4)).mean()))


def _grain(rng: np.random.Generator, scanner: Scanner, shape: tuple[int, ...]) -> Array:
    white = rng.standard_normal(shape).astype(np.float32)
    width = scanner.noise_fwhm_mm * SD_FROM_FWHM / np.array(scanner.spacing_mm)
    grain = ndimage.gaussian_filter(white, width, mode="wrap")
    return np.asarray(grain / grain.std(), np.float32)


def wrong_mask(rng: np.random.Generator, body: Body, raster: Raster) -> Where:
    """The liver's border moved by 2 to 4 mm here and there, and all of it by up to 5 mm."""
    rough = smooth_noise(rng, body.liver.shape, rng.uniform(8, 15))
    wrong = body.depth + np.float32(rng.uniform(2, 4) * 0.7) * rough
    toward = rng.standard_normal(3)
    shift = rng.uniform(0, 5) * toward / np.linalg.norm(toward) / FINE_MM
    return raster.of(wrong, shift) > 0


@dataclass(frozen=True)
class _Room:
    """Where lesions may go: depth under the capsule, distance to hot organs, warm liver around."""

    depth: Array
    to_hot: Array
    warm: Where

    @classmethod
    def of(cls, body: Body, level: float) -> "_Room":
        cold = body.liver & (body.activity < 0.7 * level)
        to_hot = ndimage.distance_transform_edt(~body.hot, sampling=FINE_MM)
        return cls(body.depth, to_hot.astype(np.float32), ~ndimage.maximum_filter(cold, 5))

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
        return np.asarray(there[rng.integers(len(there))] + rng.uniform(-0.4, 0.4, 3))

"""Livers that confluent tumour replaces in good part, and what foci hold of it."""

from dataclasses import dataclass

import numpy as np
from _foci_livers import Raster, Scanner, noisy, wrong_mask
from _liver_bodies import Array, Body, ball_at, body_of
from numpy.typing import NDArray

from lesionmatch.foci import Focus
from lesionmatch.image import Image, Mask

CLEAR_CNR = 6.0
LEAST_ML = 1.0


@dataclass(frozen=True)
class Tumour:
    """One sphere of many that overlap; where they do, the first keeps the place."""

    diameter_mm: float
    ratio: float


@dataclass(frozen=True)
class FilledLiver:
    """A study, and the number of the tumour at each voxel, from 1."""

    suv: Image
    mask: Mask
    tumours: tuple[Tumour, ...]
    which: NDArray[np.int32]
    cov: float

    def clear(self) -> list[NDArray[np.bool_]]:
        """Where each tumour is that is well seen and not mostly hidden under others."""
        regions = []
        for n, tumour in enumerate(self.tumours, start=1):
            here = self.which == n
            volume_ml = np.count_nonzero(here) * self.suv.grid.voxel_ml
            whole_ml = np.pi / 6 * tumour.diameter_mm**3 / 1000
            is_clear = (tumour.ratio - 1) / self.cov >= CLEAR_CNR
            if is_clear and volume_ml >= max(LEAST_ML, whole_ml / 2):
                regions.append(here)
        return regions


def filled(seed: int, share: float) -> FilledLiver:
    """A liver of which tumour fills this `share`; all as hot as each other in every third."""
    rng = np.random.default_rng(seed)
    level, body = body_of(rng, seed)
    scanner = Scanner.usual(rng)
    raster = Raster.drawn(rng, body.liver.shape, scanner)
    typical, spread = rng.uniform(2.0, 5.0), 0.0 if seed % 3 == 0 else 0.4
    which = np.zeros(body.liver.shape, np.int32)
    tumours: list[Tumour] = []
    places = np.argwhere(body.liver)
    while np.count_nonzero(which) < share * len(places):
        diameter = float(np.exp(rng.normal(np.log(35.0), 0.5)))
        ratio = max(1.3, float(typical * np.exp(rng.normal(0.0, spread))))
        tumours.append(Tumour(diameter, ratio))
        box, near = ball_at(places[rng.integers(len(places))], diameter / 2, body.liver.shape)
        new = near & body.liver[box] & (which[box] == 0)
        which[box][new] = len(tumours)
    suv = noisy(
        rng, raster.of(scanner.blurred(_activity(body, which, tumours, level))), scanner, level
    )
    nearest = np.ix_(*(np.rint(place).astype(int) for place in raster.places))
    mask = Mask(raster.grid, wrong_mask(rng, body, raster))
    return FilledLiver(raster.image(suv), mask, tuple(tumours), which[nearest], scanner.cov)


def _activity(body: Body, which: NDArray[np.int32], tumours: list[Tumour], level: float) -> Array:
    ratios = np.array([1.0, *(tumour.ratio for tumour in tumours)], np.float32)
    return np.where(which > 0, level * ratios[which], body.activity).astype(np.float32)


def held(liver: FilledLiver, foci: list[Focus]) -> tuple[int, int]:
    """Of the clear tumours, those a finding holds a quarter of, and all."""
    covered = np.zeros(liver.suv.grid.shape, bool)
    for focus in foci:
        covered |= focus.extent.on(liver.suv.grid).array
    shares = [float(covered[here].mean()) for here in liver.clear()]
    return sum(share >= 0.25 for share in shares), len(shares)

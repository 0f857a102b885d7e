"""Whether two sources beside each other become two foci, and one large or hollow source one.

    python scripts/bench apart [--first 50000] [--pairs 20] [--singles 40]

A ball of liver, by turns with six pairs and with one or six single sources. Centres of a pair
lie 0.8 to 3 widths (FWHM) of the scan's blur apart, one is 1 to 4 times as high as the other,
whose contrast-to-noise is 5 to 20. Single ones are spheres and rings of 10 to 60 mm.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from _foci_livers import Raster, Scanner, noisy
from _liver_bodies import FINE_MM, Array
from numpy.typing import NDArray

from lesionmatch.foci import find_foci
from lesionmatch.image import Mask
from lesionmatch.protocol import Protocol

PROTOCOL = Protocol()
LEVEL, OUTSIDE, RADIUS_MM, SIDE = 6.0, 0.6, 80.0, 91
MIDDLE = np.full(3, (SIDE - 1) / 2 * FINE_MM)
PLACES_MM = tuple(MIDDLE + 42.0 * sign * axis for axis in np.eye(3) for sign in (1, -1))
STEPS = (0.8, 1.5, 2.0, 2.5, 3.0)
Point = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """A sphere, hollow where `wall_mm` says how thick it is; (z, y, x) in mm of the fine grid."""

    centre_mm: Point
    diameter_mm: float
    cnr: float
    wall_mm: float | None = None

    def shape(self) -> Array:
        """The share of each fine voxel that it fills."""
        ticks = np.arange(SIDE, dtype=np.float32) * np.float32(FINE_MM)
        grid = np.meshgrid(*(ticks - np.float32(c) for c in self.centre_mm), indexing="ij")
        away_mm = np.sqrt(sum(part**2 for part in grid))
        radius_mm = self.diameter_mm / 2
        solid = np.clip((radius_mm - away_mm) / FINE_MM + 0.5, 0, 1)
        if self.wall_mm is not None:
            solid -= np.clip((radius_mm - self.wall_mm - away_mm) / FINE_MM + 0.5, 0, 1)
        return np.asarray(solid, np.float32)

    def activity(self, scanner: Scanner) -> Array:
        """Of the contrast asked for once it is blurred."""
        shape = self.shape()
        reach = (self.diameter_mm / 2 + scanner.reach_mm) / FINE_MM
        low = np.maximum(self.centre_mm / FINE_MM - reach, 0).astype(int)
        high = np.ceil(self.centre_mm / FINE_MM + reach).astype(int)
        near = tuple(slice(*ends) for ends in zip(low, high, strict=True))
        height = self.cnr * scanner.cov * LEVEL / scanner.blurred(shape[near]).max()
        return np.asarray(shape * np.float32(height), np.float32)


def pair(rng: np.random.Generator, near: Point, fwhm_mm: float) -> tuple[float, list[Source]]:
    """How many widths of the blur two sources lie apart, and the two."""
    way = rng.standard_normal(3)
    apart = rng.uniform(STEPS[0], STEPS[-1])
    half_mm = way / np.linalg.norm(way) * apart * fwhm_mm / 2
    cnr = rng.uniform(5, 20)
    sizes_mm = rng.uniform(5, 16, 2)
    fainter = Source(near - half_mm, sizes_mm[0], cnr)
    return apart, [fainter, Source(near + half_mm, sizes_mm[1], cnr * rng.uniform(1, 4))]


def single(rng: np.random.Generator, near: Point, *, is_large: bool) -> Source:
    size_mm = rng.uniform(36, 60) if is_large else rng.uniform(10, 36)
    wall_mm = rng.uniform(5, 9) if rng.random() < 0.5 and size_mm > 20 else None
    return Source(near, size_mm, rng.uniform(5, 20), wall_mm)


def foci_of(seed: int, scanner: Scanner, sources: list[Source]) -> NDArray[np.float64]:
    """(N, 3) centroids (z, y, x) of the foci that count, in a ball of liver with the sources."""
    rng = np.random.default_rng(seed + 10**6)
    ball = Source(MIDDLE, 2 * RADIUS_MM, 0.0).shape()
    raster = Raster.drawn(rng, ball.shape, scanner)
    added = np.max([source.activity(scanner) for source in sources], axis=0)
    clean = raster.of(scanner.blurred(OUTSIDE + (LEVEL - OUTSIDE) * ball + added))
    image = raster.image(noisy(rng, clean, scanner, LEVEL))
    found = find_foci(image, Mask(raster.grid, raster.of(ball) > 0.5), PROTOCOL)
    return np.array([f.centroid_mm[::-1] for f in found if f.counts]).reshape(-1, 3)


def is_near(foci: NDArray[np.float64], place_mm: Point, reach_mm: float) -> NDArray[np.bool_]:
    return np.asarray(np.linalg.norm(foci - place_mm, axis=1) < reach_mm)


def pairs(first: int, scans: int) -> None:
    """Count the pairs of which both have a focus, by how far they lie apart."""
    told: dict[float, list[bool]] = defaultdict(list)
    for seed in range(first, first + scans):
        rng = np.random.default_rng(seed)
        scanner = Scanner.usual(rng)
        drawn = [pair(rng, place_mm, scanner.fwhm_mm) for place_mm in PLACES_MM]
        foci = foci_of(seed, scanner, [one for _, both in drawn for one in both])
        for apart, both in drawn:
            reach_mm = min(7.0, apart * scanner.fwhm_mm / 2)
            step = max(step for step in STEPS if step <= apart)
            told[step].append(all(is_near(foci, one.centre_mm, reach_mm).any() for one in both))
    for step, end in pairwise(STEPS):
        print(f"pairs {step} to {end} widths apart: {sum(told[step])} of {len(told[step])} told")
    print(f"pairs: {sum(map(sum, told.values()))} of {6 * scans} told", flush=True)


def singles(first: int, scans: int) -> None:
    """Count the single sources that become several foci, solid and hollow."""
    split: dict[bool, list[bool]] = defaultdict(list)
    for seed in range(first, first + scans):
        rng = np.random.default_rng(seed)
        scanner, is_large = Scanner.usual(rng), seed % 2 == 1
        sources = [
            single(rng, at, is_large=is_large) for at in ([MIDDLE] if is_large else PLACES_MM)
        ]
        foci = foci_of(seed, scanner, sources)
        for one in sources:
            count = np.count_nonzero(is_near(foci, one.centre_mm, one.diameter_mm / 2 + 8.0))
            split[one.wall_mm is not None].append(bool(count > 1))
    for is_hollow, name in ((False, "solid"), (True, "hollow")):
        print(
            f"{name} sources: {sum(split[is_hollow])} of {len(split[is_hollow])} split", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=50000)
    parser.add_argument("--pairs", type=int, default=20, help="scans of six pairs")
    parser.add_argument("--singles", type=int, default=40, help="scans of one or six sources")
    args = parser.parse_args()
    pairs(args.first, args.pairs)
    singles(args.first + 1000, args.singles)


if __name__ == "__main__":
    main()

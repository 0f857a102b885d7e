"""False foci in lesion-free livers, and the share of lesions found beside the ideal observer.

    python scripts/bench foci [--free 300] [--other 100] [--lesions 90] [--filled 10]
                              [--deep 0] [--skewed 0] [--grains 0] [--neighbours 0]

Seeds begin at `--first`; the default was not used for tuning. With LESIONMATCH_PATIENT_LABELS
set every second body is a patient's.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from _filled_livers import filled, held
from _foci_livers import Grain, Liver, Placed, Sphere, simulate
from _liver_bodies import ADRENAL, GALLBLADDER, Organ
from scipy.stats import binomtest, chi2, norm

from lesionmatch.foci import Focus, find_foci
from lesionmatch.protocol import Protocol

PROTOCOL = Protocol()
CRITERION = 5.0
"""The ideal observer's threshold: 0.05 false peaks in 1.5 l, by the Gaussian-field count."""
PLACES = ("near_hot", "edge", "subcapsular", "deep", "edge", "subcapsular", "deep", "deep")
SHARES = (0.5, 0.75, 0.9, 0.98)
DIAMETERS_MM, CNRS = (6, 8, 10, 12, 15), (3, 4, 5, 6, 8)
Cell = list[tuple[bool, float]]


def found_in(liver: Liver) -> tuple[list[Focus], list[Focus]]:
    """Findings, and candidates a neighbour explains."""
    foci = find_foci(liver.suv, liver.mask, PROTOCOL)
    return [f for f in foci if f.counts], [f for f in foci if not f.counts]


def false_foci(
    first: int,
    livers: int,
    *,
    other: bool = False,
    grain: Grain = "normal",
    organ: Organ | None = None,
) -> None:
    """Count findings in livers without lesions."""
    total = explained = hit = 0
    for seed in range(first, first + livers):
        liver = simulate(seed, other=other, grain=grain, organ=organ)
        findings, beside = found_in(liver)
        total, explained, hit = total + len(findings), explained + len(beside), hit + bool(findings)
        for focus in findings:
            print(f"  seed {seed} {liver.anatomy}: z {focus.z:.1f}, depth {focus.depth_mm:.0f} mm")
    low = chi2.ppf(0.025, 2 * total) / 2 if total else 0.0
    high = chi2.ppf(0.975, 2 * total + 2) / 2
    name = "other breathing and reconstruction" if other else "usual"
    name = f"{grain} grain" if grain != "normal" else name
    name = f"hot {organ.name} beside the liver" if organ else name
    print(
        f"{name}: {total} false foci (95 % {low:.1f} to {high:.1f}) in {hit} of {livers} livers; "
        f"{explained} more explained by a neighbour",
        flush=True,
    )


def spheres_of(seed: int) -> tuple[Sphere, ...]:
    rng = np.random.default_rng(seed + 10**6)
    return tuple(
        Sphere(float(rng.choice(DIAMETERS_MM)), float(rng.choice(CNRS)), place) for place in PLACES
    )


def deep_spheres_of(seed: int) -> tuple[Sphere, ...]:
    """Mostly deep lesions of the contrasts that are found or missed."""
    rng = np.random.default_rng(seed + 10**6)
    places = ("deep",) * 6 + ("subcapsular", "edge")
    return tuple(
        Sphere(float(rng.choice(DIAMETERS_MM)), float(rng.choice((4, 5, 5, 6))), place)
        for place in places
    )


def is_hit(lesion: Placed, foci: list[Focus]) -> bool:
    reach = max(8.0, lesion.sphere.diameter_mm / 2 + 4)
    return any(np.linalg.norm(f.centroid_mm - lesion.centre_mm) < reach for f in foci)


def sensitivity(
    first: int, livers: int, spheres: Callable[[int], tuple[Sphere, ...]] = spheres_of
) -> None:
    """Share of spheres found by place and contrast-to-noise; the ideal observer's beside it."""
    cells: dict[tuple[str, float], Cell] = defaultdict(list)
    for seed in range(first, first + livers):
        liver = simulate(seed, spheres=spheres(seed))
        foci = found_in(liver)[0]
        for lesion in liver.lesions:
            ideal = float(norm.cdf(lesion.ideal_z - CRITERION))
            cells[lesion.sphere.place, lesion.sphere.cnr].append((is_hit(lesion, foci), ideal))
    for place in dict.fromkeys(PLACES):
        whole: Cell = [entry for cnr in CNRS for entry in cells[place, cnr]]
        print(f"{place:12s} all: {_cell(whole)}")
        for cnr in CNRS:
            print(f"{'':12s} CNR {cnr}: {_cell(cells[place, cnr])}", flush=True)


def replaced(first: int, livers: int) -> None:
    """Clear tumours that findings hold where tumour fills the liver."""
    for share in SHARES:
        hits = whole = none = 0
        for seed in range(first, first + livers):
            liver = filled(seed, share)
            foci = [f for f in find_foci(liver.suv, liver.mask, PROTOCOL) if f.counts]
            held_here, clear = held(liver, foci)
            hits, whole, none = hits + held_here, whole + clear, none + (not foci)
        print(
            f"{share:.0%} replaced: findings hold {hits} of {whole} clear tumours "
            f"in {livers} livers; {none} livers without a finding",
            flush=True,
        )


def _cell(cell: Cell) -> str:
    if not cell:
        return "none"
    hits = sum(hit for hit, _ in cell)
    interval = binomtest(hits, len(cell)).proportion_ci()
    ideal = np.mean([expected for _, expected in cell])
    missed = np.array([hit - expected for hit, expected in cell])
    return (
        f"{100 * hits / len(cell):3.0f} % ({100 * interval.low:.0f} to {100 * interval.high:.0f}, "
        f"n {len(cell)}), ideal observer {100 * ideal:.0f} %, "
        f"difference {100 * missed.mean():+.1f} ± {100 * missed.std() / len(cell) ** 0.5:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--free", type=int, default=300)
    parser.add_argument("--other", type=int, default=100)
    parser.add_argument("--lesions", type=int, default=90)
    parser.add_argument("--filled", type=int, default=10)
    parser.add_argument(
        "--neighbours",
        type=int,
        default=0,
        help="livers with a hot gallbladder sunk into them, and with a hot adrenal gland on them",
    )
    parser.add_argument("--deep", type=int, default=0, help="livers of mostly deep lesions")
    parser.add_argument("--skewed", type=int, default=0, help="livers whose grain is log-normal")
    parser.add_argument("--grains", type=int, default=0, help="livers of gamma grain of two widths")
    parser.add_argument("--first", type=int, default=40000)
    args = parser.parse_args()
    if args.free:
        false_foci(args.first, args.free, other=False)
    if args.other:
        false_foci(args.first + 1000, args.other, other=True)
    if args.skewed:
        false_foci(args.first + 5000, args.skewed, grain="log-normal")
    if args.grains:
        false_foci(args.first + 7000, args.grains, grain="two gamma")
    if args.lesions:
        sensitivity(args.first + 2000, args.lesions)
    if args.deep:
        sensitivity(args.first + 6000, args.deep, deep_spheres_of)
    for organ in (GALLBLADDER, ADRENAL) if args.neighbours else ():
        false_foci(args.first + 4000, args.neighbours, organ=organ)
    if args.filled:
        replaced(args.first + 3000, args.filled)


if __name__ == "__main__":
    main()

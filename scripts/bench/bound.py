"""The bound of the registration's error, fitted anew and tried on studies left out.

``python scripts/bench bound`` registers simulated studies, usual, hard and foreign ones
(`recipe_of` and `foreign_recipe_of` of the registration's bench), and fits the numbers of the
formula in ``lesionmatch/registration/bound.py`` by quantile regression on the errors of up to
200 points of each liver, every study weighing the same. It prints the numbers, and for each
kind of study how many points lie within a bound fitted on the other four fifths.

    --first N --studies N    seeds of usual and hard studies (default 6000 and 36)
    --foreign N              as many foreign ones, from seed first + 100 (default 24)
    --no-ct N                the first N of each also without their CT, whose level is fitted apart
    --patients DIR           folder of the patient label maps
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from registration import foreign_recipe_of, is_seen, made
from statsmodels.regression.quantile_regression import QuantReg

from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.protocol import Protocol
from lesionmatch.registration import register
from lesionmatch.registration.bound import SLACK_MM, LocalBound

QUANTILE = 0.975
POINTS = 200
FOLDS = 5
NAMES = ("level", "apart_power", "growth_power")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Errors of one study, and what its bound rests on."""

    kind: str
    errors: Floats
    terms: Floats
    """(N, terms) of `LocalBound.terms`."""
    offset_left_mm: float

    @property
    def logs(self) -> Floats:
        """What the formula is fitted to."""
        without = np.sqrt(np.maximum(self.errors**2 - self.offset_left_mm**2, 0.0))
        return np.asarray(np.log(without + SLACK_MM))

    def bounds(self, level: float, powers: Floats) -> Floats:
        """(N,) bounds by other numbers than the protocol's."""
        fitted = np.exp(level + self.terms @ powers) - SLACK_MM
        least = Protocol().registration_bounds.least_mm
        return np.asarray(np.hypot(np.maximum(fitted, least), self.offset_left_mm))


def found(study: SimulatedStudy, kind: str, *, has_ct: bool = True) -> Found | None:
    """A study registered; nothing where a linear map or a doubtful one was kept."""
    ct = study.ct if has_ct else None
    made = register(study.hbp, study.liver, ct=ct, pet=study.suv, protocol=Protocol())
    if not isinstance(made.bound_mm, LocalBound):
        return None
    truth, seen = study.truth, np.flatnonzero(is_seen(study))
    chosen = np.random.default_rng(study.recipe.seed).permutation(seen)[:POINTS]
    points = truth.liver_points_mri_mm[chosen]
    off = made.pet_from_mri.apply(points) - truth.liver_points_pet_mm[chosen]
    bound = made.bound_mm
    return Found(kind, np.linalg.norm(off, axis=1), bound.terms(points), bound.offset_left_mm)


def fitted(studies: list[Found]) -> tuple[float, Floats]:
    """a of the formula, and the powers of its terms."""
    terms = np.concatenate([study.terms for study in studies])
    columns = np.column_stack([np.ones(len(terms)), terms])
    logs = np.concatenate([study.logs for study in studies])
    numbers = QuantReg(logs, columns).fit(q=QUANTILE, max_iter=2000).params
    return float(numbers[0]), np.asarray(numbers[1:], np.float64)


def level_of(studies: list[Found], powers: Floats) -> float:
    """a alone, the powers being known."""
    return float(
        np.quantile(np.concatenate([s.logs - s.terms @ powers for s in studies]), QUANTILE)
    )


def tried(studies: list[Found]) -> None:
    """Print how many points lie within bounds fitted without their study, by kind."""
    within: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for fold in range(FOLDS):
        level, powers = fitted([s for n, s in enumerate(studies) if n % FOLDS != fold])
        for study in studies[fold::FOLDS]:
            bounds = study.bounds(level, powers)
            within.setdefault(study.kind, []).append(float((study.errors <= bounds).mean()))
            sizes.setdefault(study.kind, []).append(float(np.median(bounds)))
    for kind, shares in within.items():
        print(
            f"{kind:8s} {len(shares):3d} studies: {np.mean(shares):.1%} of points within, least "
            f"{min(shares):.0%} of a study, bounds {np.median(sizes[kind]):.1f} mm in the median"
        )


def collected(options: argparse.Namespace, *, has_ct: bool) -> Iterator[Found]:
    """All studies that were registered deformably and not doubted."""
    first = options.first
    many = (options.studies, options.foreign) if has_ct else (options.no_ct, options.no_ct)
    for study in made(range(first, first + many[0]), options.patients):
        kind = "hard" if study.recipe.ct_noise_hu >= 20.0 else "usual"
        if one := found(study, kind, has_ct=has_ct):
            yield one
    far = range(first + 100, first + 100 + many[1])
    for study in made(far, options.patients, foreign_recipe_of):
        if one := found(study, "foreign", has_ct=has_ct):
            yield one


def main() -> None:
    """Register, fit and try."""
    parser = argparse.ArgumentParser(prog="bench bound")
    for name, default in (("first", 6000), ("studies", 36), ("foreign", 24), ("no-ct", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--patients", type=Path, default=None)
    options = parser.parse_args()
    studies = list(collected(options, has_ct=True))
    level, powers = fitted(studies)
    for name, value in zip(NAMES, (level, *powers), strict=True):
        print(f"{name:16s} {value:6.2f}")
    tried(studies)
    if options.no_ct:
        without = list(collected(options, has_ct=False))
        print(f"level without CT {level_of(without, powers):6.2f} ({len(without)} studies)")


if __name__ == "__main__":
    main()

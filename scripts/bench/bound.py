"""The bound of the registration's error, fitted anew and tried on studies left out.

``python scripts/bench bound`` registers simulated studies of coarse voxels, usual, hard and
foreign ones in turn (`recipe_of` and `foreign_recipe_of` of the registration's bench), and fits
the numbers of the formula in ``lesionmatch/registration/bound.py`` by quantile regression on the
errors of up to 200 points of each liver, every study weighing the same. First it says how
well the distance of the two fits ranks the errors of lesions. Then, for several percentiles, it
prints the numbers, and for each kind of study how many points and lesions lie within a bound
fitted on the other four fifths; last the same for the numbers of the protocol. With ``--keep``
it may be stopped and go on later.

    --first N --studies N    seeds of usual and hard studies (default 6000 and 28)
    --foreign N              as many foreign ones, from seed first + 100 (default 12)
    --no-ct N                the first N of each also without their CT, whose level is fitted apart
    --patients DIR           folder of the patient label maps
    --keep DIR               a file for each study registered, read instead where it is there
"""

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from registration import foreign_recipe_of, is_seen, recipe_of
from scipy.stats import spearmanr
from statsmodels.regression.quantile_regression import QuantReg

from lesionmatch.errors import InvalidOption
from lesionmatch.phantom import Recipe, Size, simulate
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.protocol import Protocol
from lesionmatch.registration import register
from lesionmatch.registration.bound import SLACK_MM, LocalBound

QUANTILES = (0.90, 0.925, 0.95, 0.965, 0.975)
POINTS = 200
FOLDS = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Errors of one study, at points of the liver and then at its lesions."""

    kind: str
    errors: Floats
    ln_apart: Floats
    """(N,) of `LocalBound.ln_apart`."""
    is_lesion: NDArray[np.bool_]
    offset_left_mm: float

    @property
    def logs(self) -> Floats:
        """What the formula is fitted to."""
        without = np.sqrt(np.maximum(self.errors**2 - self.offset_left_mm**2, 0.0))
        return np.asarray(np.log(without + SLACK_MM))

    def bounds(self, level: float, power: float) -> Floats:
        """(N,) bounds by other numbers than the protocol's."""
        fitted = np.exp(level + power * self.ln_apart) - SLACK_MM
        least = Protocol().registration_bounds.least_mm
        return np.asarray(np.hypot(np.maximum(fitted, least), self.offset_left_mm))


def found(study: SimulatedStudy, kind: str, *, has_ct: bool) -> Found | None:
    """A study registered; nothing where a linear map or a doubtful one was kept."""
    ct = study.ct if has_ct else None
    made = register(study.hbp, study.liver, ct=ct, pet=study.suv, protocol=Protocol())
    bound, truth = made.bound_mm, study.truth
    if not isinstance(bound, LocalBound):
        return None
    seen = np.flatnonzero(is_seen(study))
    chosen = np.random.default_rng(study.recipe.seed).permutation(seen)[:POINTS]
    lesions = np.array([lesion.mri_mm for lesion in truth.lesions])
    lesions_pet = np.array([lesion.pet_mm for lesion in truth.lesions])
    points = np.concatenate([truth.liver_points_mri_mm[chosen], lesions])
    places = np.concatenate([truth.liver_points_pet_mm[chosen], lesions_pet])
    errors = np.linalg.norm(made.pet_from_mri.apply(points) - places, axis=1)
    is_lesion = np.arange(len(points)) >= len(chosen)
    return Found(kind, errors, bound.ln_apart(points), is_lesion, bound.offset_left_mm)


def written(path: Path, one: Found | None) -> None:
    """What was found, or that nothing was."""
    np.savez(path, **({} if one is None else dataclasses.asdict(one)))


def kept(path: Path) -> Found | None:
    """What `written` wrote."""
    with np.load(path) as read:
        if not read.files:
            return None
        return Found(
            str(read["kind"]),
            read["errors"],
            read["ln_apart"],
            read["is_lesion"],
            float(read["offset_left_mm"]),
        )


def fitted(studies: Sequence[Found], quantile: float) -> tuple[float, float]:
    """a and b of the formula."""
    ln_apart = np.concatenate([study.ln_apart[~study.is_lesion] for study in studies])
    columns = np.column_stack([np.ones(len(ln_apart)), ln_apart])
    logs = np.concatenate([study.logs[~study.is_lesion] for study in studies])
    level, power = QuantReg(logs, columns).fit(q=quantile, max_iter=5000).params
    return float(level), float(power)


def level_of(studies: Sequence[Found], power: float, quantile: float) -> float:
    """a alone, b being known."""
    logs = [(s.logs - power * s.ln_apart)[~s.is_lesion] for s in studies]
    return float(np.quantile(np.concatenate(logs), quantile))


def left_out(studies: Sequence[Found], quantile: float) -> list[Floats]:
    """The bounds of each study, by numbers fitted without its fold."""
    bounds: list[Floats] = [np.zeros(0)] * len(studies)
    for fold in range(FOLDS):
        level, power = fitted([s for n, s in enumerate(studies) if n % FOLDS != fold], quantile)
        for n in range(fold, len(studies), FOLDS):
            bounds[n] = studies[n].bounds(level, power)
    return bounds


def tried(studies: Sequence[Found], bounds: Sequence[Floats]) -> None:
    """Print how many points and lesions lie within their bounds, by kind."""
    for kind in dict.fromkeys(study.kind for study in studies):
        pairs = [(s, b) for s, b in zip(studies, bounds, strict=True) if s.kind == kind]
        within = np.concatenate([s.errors <= b for s, b in pairs])
        is_lesion = np.concatenate([s.is_lesion for s, _ in pairs])
        middle = np.median([np.median(b) for _, b in pairs])
        print(
            f"  {kind:8s} {len(pairs):3d} studies: {within[~is_lesion].mean():.1%} of points and "
            f"{within[is_lesion].mean():.1%} of {is_lesion.sum()} lesions within, "
            f"bounds {middle:.1f} mm in the median study"
        )


def ranked(studies: Sequence[Found]) -> float:
    """Rank correlation, at lesions, of how far the fits lie apart with the error."""
    errors = np.concatenate([s.errors[s.is_lesion] for s in studies])
    apart = np.concatenate([s.ln_apart[s.is_lesion] for s in studies])
    return float(spearmanr(errors, apart).statistic)


def recipes(options: argparse.Namespace, many: tuple[int, int]) -> Iterator[tuple[str, Recipe]]:
    """Kind and recipe of each study, kinds in turn, so that a run cut short has some of each."""
    first, patients = options.first, options.patients
    for n in range(max(many)):
        if n < many[0]:
            recipe = dataclasses.replace(recipe_of(first + n, patients), size=Size.SMALL)
            yield "hard" if recipe.ct_noise_hu >= 20.0 else "usual", recipe
        if n < many[1]:
            yield "foreign", foreign_recipe_of(first + 100 + n, patients)


def collected(options: argparse.Namespace, *, has_ct: bool) -> Iterator[Found]:
    """All studies that were registered deformably."""
    many = (options.studies, options.foreign) if has_ct else (options.no_ct, options.no_ct)
    for kind, recipe in recipes(options, many):
        one = one_of(recipe, kind, options.keep, has_ct=has_ct)
        if one is not None:
            print(f"{recipe.seed:5d} {kind:8s} {one.errors.mean():5.2f} mm", flush=True)
            yield one


def one_of(recipe: Recipe, kind: str, keep: Path | None, *, has_ct: bool) -> Found | None:
    """One study, from its file where there is one."""
    path = keep / f"{kind}_{recipe.seed}_{'ct' if has_ct else 'pet'}.npz" if keep else None
    if path and path.exists():
        return kept(path)
    try:
        one = found(simulate(recipe), kind, has_ct=has_ct)
    except InvalidOption as error:
        print(f"{recipe.seed:5d} left out: {error}")
        one = None
    if path:
        written(path, one)
    return one


def asked() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench bound")
    for name, default in (("first", 6000), ("studies", 28), ("foreign", 12), ("no-ct", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("patients", "keep"):
        parser.add_argument(f"--{name}", type=Path, default=None)
    return parser.parse_args()


def main() -> None:
    """Register, fit and try."""
    options = asked()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    studies = list(collected(options, has_ct=True))
    print(f"\nrank correlation {ranked(studies):.2f}")
    for quantile in QUANTILES:
        level, power = fitted(studies, quantile)
        print(f"{quantile:.1%}: level {level:.2f}, apart_power {power:.2f}")
        tried(studies, left_out(studies, quantile))
    rules = Protocol().registration_bounds
    print("the protocol's:")
    tried(studies, [s.bounds(rules.ct_level, rules.apart_power) for s in studies])
    if options.no_ct:
        without = list(collected(options, has_ct=False))
        for quantile in QUANTILES:
            level = level_of(without, rules.apart_power, quantile)
            print(f"{quantile:.1%}: level without CT {level:.2f} ({len(without)} studies)")
        tried(without, [s.bounds(rules.pet_level, rules.apart_power) for s in without])


if __name__ == "__main__":
    main()

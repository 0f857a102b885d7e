"""Pairs that do not belong together: how many are doubted.

``python scripts/bench wrong_pairs`` makes wrong pairs of simulated studies of coarse voxels
(`recipe_of` of the registration's bench), kinds in turn, registers each as a user would and
prints what was said: the MRI mirrored, upside down, of thighs, of another body examined the same
way, of the study after (with lesions of its own), or cut off half way through the liver, along
any of its axes and keeping either side. How many good pairs are doubted, `bench registration`
says.

    --first N --studies N    seeds (default 8000 and 30)
    --pairs N                wrong pairs made of each (default 3)
    --patients DIR           folder of the patient label maps; every third study is one
"""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

from registration import made, recipe_of, share

from lesionmatch.errors import RegistrationFailed
from lesionmatch.image import Image, Mask
from lesionmatch.phantom import Recipe, Size, simulate, wrong
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.protocol import Protocol
from lesionmatch.registration import register

Pair = tuple[Image, Mask]


def coarse(seed: int, patients: Path | None) -> Recipe:
    """The study of a seed on coarse voxels."""
    return dataclasses.replace(recipe_of(seed, patients), size=Size.SMALL)


def half(study: SimulatedStudy, patients: Path | None) -> Pair:  # noqa: ARG001
    """Half a liver: its upper half every other time, else another one."""
    axis, keeps_last = ((0, True), (0, False), (0, True), (1, True), (0, True), (2, False))[
        study.recipe.seed // 6 % 6
    ]
    return wrong.half_liver(study, axis, keeps_last=keeps_last)


def next_one(study: SimulatedStudy, patients: Path | None) -> Pair:
    """The MRI of the study of the next seed."""
    return wrong.mixed_up(study, simulate(coarse(study.recipe.seed + 1, patients)))


KINDS: dict[str, Callable[[SimulatedStudy, Path | None], Pair]] = {
    "mirrored": lambda study, _: wrong.mirrored(study),
    "half a liver": half,
    "another": lambda study, _: wrong.another_patient(study),
    "upside down": lambda study, _: wrong.upside_down(study),
    "mixed up": next_one,
    "thighs": lambda study, _: wrong.thighs(study),
}


def said_of(study: SimulatedStudy, mri: Image, liver: Mask) -> tuple[bool, str]:
    """Whether a pair is doubted, and by what."""
    try:
        found = register(mri, liver, ct=study.ct, pet=study.suv, protocol=Protocol())
    except RegistrationFailed as error:
        return True, str(error)
    if found.doubts:
        return True, "; ".join(found.doubts)
    return False, f"NOT DOUBTED {found.quality}"


def main() -> None:
    """Make the pairs, register and count."""
    parser = argparse.ArgumentParser(prog="bench wrong_pairs")
    for name, default in (("first", 8000), ("studies", 30), ("pairs", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--patients", type=Path, default=None)
    options = parser.parse_args()
    doubted: dict[str, list[bool]] = {name: [] for name in KINDS}
    seeds = range(options.first, options.first + options.studies)
    for study in made(seeds, options.patients, coarse):
        for number in range(options.pairs):
            name = list(KINDS)[(study.recipe.seed + number) % len(KINDS)]
            is_doubted, said = said_of(study, *KINDS[name](study, options.patients))
            doubted[name].append(is_doubted)
            print(f"{study.recipe.seed:5d} {name:12s} {said}", flush=True)
    for name, were in doubted.items():
        if were:
            print(f"{name:12s}: {share(were)} doubted")
    print(f"wrong pairs : {share([d for were in doubted.values() for d in were])} doubted")


if __name__ == "__main__":
    main()

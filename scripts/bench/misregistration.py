"""Does moving the registration to where lesions and foci agree make the reading prompted?

    python scripts/bench misregistration --studies 160 --first-seed 20000

Studies with at least two metastases that the PET must show are given a registration that
is off by 12 to 20 mm. What is found after the move stands beside what is found where the
liver truly lies, without the move, and with lesions moved but the PET left as it was read.
The same foci are shown to lesions flipped in a plane through the middle of the liver, along
each axis in turn, which no shift can lay right. (Flipped along all three at once, any two
lesions would fit each other's foci.) With the right registration nothing must move.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _cohort import DrawnRegistration, Study, studies
from _outcome import PROTOCOL, found_by
from numpy.typing import NDArray

from lesionmatch.concordance import relate, sharpen, shift_of
from lesionmatch.foci import Focus
from lesionmatch.lesions import Carried

LEAST_VISIBLE = 2
"""Studies with fewer metastases that the PET must show cannot be moved."""

SURELY_VISIBLE_CNR = 6.0
OFF_MM = (12.0, 20.0)
KEPT_MM = 8.0
"""A drawn error larger than this was gross already, and is left out of the true place."""


@dataclass(frozen=True)
class Found:
    """What a reading of one study found."""

    lesions: int
    positive: int
    alone: int
    """Findings of the PET that belong to no lesion."""


@dataclass(frozen=True)
class Outcome:
    """One study, read four ways."""

    flips_moved: int
    """Of three."""
    is_right_moved: bool
    left_mm: float
    """Of the registration's gross error, once it was moved."""
    readings: dict[str, Found] | None
    """None where no shift was found."""


def shift(
    study: Study, carried: Sequence[Carried], foci: Sequence[Focus]
) -> NDArray[np.float64] | None:
    """(3,) as `compare` looks for it, or None."""
    fwhm_mm = study.recipe.pet_fwhm_mm
    return shift_of(carried, foci, fwhm_mm=fwhm_mm, rules=PROTOCOL.landmarks)


def counted(study: Study, carried: Sequence[Carried], foci: Sequence[Focus]) -> Found:
    """Metastases with a focus, and findings without a lesion."""
    fwhm_mm = study.recipe.pet_fwhm_mm
    grid = study.suv.grid
    lesions = sharpen(carried, foci, grid, fwhm_mm=fwhm_mm, protocol=PROTOCOL).carried
    related = relate(lesions, foci, fwhm_mm=fwhm_mm, rules=PROTOCOL.relations)
    ids = [one.lesion.lesion_id for one in lesions if one.lesion.kind.counts]
    alone = [f for f in foci if f.counts and related.of_focus(f.focus_id) == "pet_only"]
    return Found(len(ids), sum(bool(related.foci_of(name)) for name in ids), len(alone))


def flipped(study: Study, carried: Sequence[Carried], axis: int) -> list[Carried]:
    """Every lesion on the other side of a plane through the middle of the liver."""
    middle, along = study.truth.liver_points_pet_mm.mean(axis=0), 2.0 * np.eye(3)[axis]
    grid, rules = study.suv.grid, PROTOCOL.lesions
    return [c.moved(along * (middle - c.centroid_mm), c.error_mm, grid, rules) for c in carried]


def true_place(study: Study) -> DrawnRegistration:
    """The study's registration with its small error only."""
    drawn = study.registration
    is_gross = np.linalg.norm(drawn.shift_mm) > KEPT_MM
    return replace(drawn, shift_mm=np.zeros(3) if is_gross else drawn.shift_mm, passed=True)


def outcome(study: Study) -> Outcome:
    """Read one study by a wrong registration, with and without what is done about it."""
    rng = np.random.default_rng([study.seed, 77])
    way = rng.normal(size=3)
    off_mm: NDArray[np.float64] = way / np.linalg.norm(way) * rng.uniform(*OFF_MM)
    right, wrong = true_place(study), true_place(study).moved(off_mm)
    ideal, off = found_by(study, right), found_by(study, wrong)
    flips = [shift(study, flipped(study, ideal.carried, axis), ideal.foci) for axis in range(3)]
    flips_moved = sum(found is not None for found in flips)
    is_right_moved = shift(study, ideal.carried, ideal.foci) is not None
    shift_mm = shift(study, off.carried, off.foci)
    if shift_mm is None:
        return Outcome(flips_moved, is_right_moved, float(np.linalg.norm(off_mm)), None)
    left_mm = float(np.linalg.norm(off_mm + shift_mm))
    again = found_by(study, wrong.moved(shift_mm))
    grid, rules = study.suv.grid, PROTOCOL.lesions
    only = [one.moved(shift_mm, one.error_mm, grid, rules) for one in off.carried]
    readings = {
        "where the liver truly lies": counted(study, ideal.carried, ideal.foci),
        "moved, and the PET read again": counted(study, again.carried, again.foci),
        "lesions moved, the PET as read before": counted(study, only, off.foci),
        "not moved": counted(study, off.carried, off.foci),
    }
    return Outcome(flips_moved, is_right_moved, left_mm, readings)


def main() -> None:
    """Run the studies and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=160)
    parser.add_argument("--first-seed", type=int, default=20000)
    parser.add_argument("--cache", type=Path, default=Path("bench-cache"))
    options = parser.parse_args()
    done = [
        outcome(study)
        for study in studies(options.first_seed, options.studies, options.cache)
        if sum(row.contrast_to_noise > SURELY_VISIBLE_CNR for row in study.truth.lesions)
        >= LEAST_VISIBLE
    ]
    read = [one.readings for one in done if one.readings is not None]
    most_left_mm = max((one.left_mm for one in done if one.readings is not None), default=0.0)
    print(
        f"{len(done)} studies off by 12 to 20 mm, the shift found in {len(read)}, "
        f"to within {most_left_mm:.1f} mm"
    )
    print(f"flipped lesions moved in {sum(one.flips_moved for one in done)} of {3 * len(done)}")
    print(f"right registrations moved: {sum(one.is_right_moved for one in done)} of {len(done)}")
    for name in read[0] if read else {}:
        found = [readings[name] for readings in read]
        print(
            f"{name:>40}: {sum(f.positive for f in found)} of {sum(f.lesions for f in found)} "
            f"metastases positive, {sum(f.alone for f in found)} findings of the PET alone"
        )


if __name__ == "__main__":
    main()

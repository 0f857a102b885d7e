"""Whether the image's own signal tells the hepatobiliary phase from the others.

    python scripts/bench hbp [SEEDS] [KIND...]

For simulated examinations whose headers say nothing at all: how often the evidence of the
images takes the right phase, none, or a wrong one; with the hepatobiliary phase among the
candidates, and without it. The phases differ in gain, coil, noise and breath-hold.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import ndimage

from lesionmatch.dicom.hbp_signal import STEP_MM, Field, said_of, signals_of
from lesionmatch.dicom.series.hbp import total
from lesionmatch.phantom import decoys, simulate
from lesionmatch.phantom.recipe import Anatomy, Plane, Recipe, Size
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.phantom.typical import Scenario, scenario_recipe, typical_recipe
from lesionmatch.phantom.visit import visits
from lesionmatch.protocol import Protocol

BREATH_MM = 4.0
LESION = 0.6
"""Signal of a lesion over the liver's before it takes up the agent."""
PROTOCOL = Protocol()
RULES = PROTOCOL.series
HEADER_POINTS = 3.0
"""Of every phase: a 3D gradient echo with fat saturation and short times."""
KINDS: dict[str, Callable[[int], Recipe]] = {
    "typical": typical_recipe,
    "poor uptake": lambda seed: replace(typical_recipe(seed), hbp_vessel_contrast=0.3),
    "many lesions": lambda seed: scenario_recipe(Scenario.BURDEN, seed),
    "coronal": lambda seed: replace(typical_recipe(seed), mri_plane=Plane.CORONAL),
    "patient maps": lambda seed: replace(typical_recipe(seed), anatomy=Anatomy.PATIENT),
}


def fields_of(study: SimulatedStudy) -> tuple[dict[str, Field], float]:
    """Every phase at the places that are looked at, and the volume of each in ml."""
    rng = np.random.default_rng(study.recipe.seed)
    grid = study.hbp.grid
    arrays = {"hepatobiliary": study.hbp.array}
    for phase in decoys.phases(study, visits(study.recipe)):
        array = decoys.picture(study, phase.contrast, phase.number, grid).array.copy()
        for segment in study.segments:
            array[segment.mask.on(grid).array] *= LESION
        shift = rng.normal(0.0, BREATH_MM, 3) / grid.spacing_mm
        arrays[phase.kind] = ndimage.shift(array, shift, order=1, mode="nearest")
    stride = np.maximum(1, np.rint(STEP_MM / grid.spacing_mm)).astype(int)
    every = tuple(slice(n // 2, None, n) for n in stride)
    fields = {
        kind: (ndimage.uniform_filter(array, tuple(stride)) * np.exp(rng.uniform(-1, 1)))[every]
        for kind, array in arrays.items()
    }
    return fields, float(np.prod(grid.spacing_mm * stride) / 1000.0)


def taken(fields: dict[str, Field], voxel_ml: float) -> str:
    """The phase that would be taken by the images alone; none where no one is clear."""
    said = said_of(signals_of(fields, voxel_ml, PROTOCOL), RULES)
    points = {kind: HEADER_POINTS + total(said.get(kind, ())) for kind in fields}
    first, second = sorted(points, key=lambda kind: -points[kind])[:2]
    clear = points[first] - points[second] >= RULES.hbp_margin
    return first if clear and points[first] >= RULES.hbp_least_score else "none"


def main() -> None:
    """Print a line for each kind of examination."""
    wanted = argparse.ArgumentParser(prog="bench hbp", description=__doc__)
    wanted.add_argument("seeds", type=int, nargs="?", default=10)
    wanted.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    options = wanted.parse_args()
    print("examination     among them       without it")
    for name in options.kinds or KINDS:
        make = KINDS[name]
        among: Counter[str] = Counter()
        without: Counter[str] = Counter()
        for seed in range(700, 700 + options.seeds):
            fields, voxel_ml = fields_of(simulate(replace(make(seed), size=Size.SMALL)))
            among[taken(fields, voxel_ml)] += 1
            fields.pop("hepatobiliary")
            without[taken(fields, voxel_ml)] += 1
        print(f"{name:14}  {dict(among)}  {dict(without)}", flush=True)


if __name__ == "__main__":
    main()

"""Small dark lesions beside vessels that nobody drew: are they taken for vessels?

``python scripts/bench lumps --first 4700 --count 4 [--patient DIR] [--varied]`` puts six
metastases of 7 to 15 mm beside vessels of the studies of ``scripts/bench liver``. The rows say
how many of them lie in the vessels found, how many are known as lumps, and what ``liver`` says
of vessels and hilum; the same, with lumps, where they are drawn. The liver's mask is the true one.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from liver import recipe, varied, vessel_scores

from lesionmatch.image import Mask, union
from lesionmatch.liver import Liver, describe_liver
from lesionmatch.phantom import LesionRecipe, Place, Recipe, SimulatedStudy, Size, simulate
from lesionmatch.protocol import Protocol
from lesionmatch.segments import Kind

LESIONS = 6


def with_lesions(study: Recipe) -> Recipe:
    """The study with small metastases beside vessels, after its own lesions."""
    rng = np.random.default_rng([study.seed, 17])
    sizes = rng.uniform(7.0, 15.0, LESIONS)
    small = (LesionRecipe(float(d), 2.0, Kind.METASTASIS, Place.NEAR_VESSEL) for d in sizes)
    return replace(study, lesions=(*study.lesions, *small))


def described(study: SimulatedStudy, drawn: Sequence[Mask]) -> Liver:
    """The true liver, with these lesions drawn."""
    grid = study.hbp.grid
    lesions = union(grid, [segment.mask for segment in study.segments])
    return describe_liver(
        study.hbp,
        Mask(grid, study.liver.array | lesions.array),
        origin="true",
        lesions=drawn,
        structures={},
        protocol=Protocol(),
    )


def said(study: SimulatedStudy, liver: Liver, small: Sequence[Mask]) -> str:
    """In vessels and in lumps, of the small lesions; recall, precision, hilum; lumps."""
    points = [mask.points_mm() for mask in small]
    taken, known = (
        sum(float(found.holds(p).mean()) > 0.5 for p in points)
        for found in (liver.vessels, liver.lumps)
    )
    recall, precision = vessel_scores(study, liver)
    off_mm = float(np.linalg.norm(liver.hilum_mm - np.array(study.truth.hilum_mri_mm)))
    scores = f"recall {recall:.3f} precision {precision:.3f} hilum {off_mm:.1f} mm"
    lumps = f"lumps {liver.lumps.volume_ml:.1f} ml"
    return f"in vessels {taken} known {known} of {len(small)}; {scores}; {lumps}"


def main() -> None:
    """Print two rows for each seed: undrawn and drawn."""
    parser = argparse.ArgumentParser(prog="lumps", description=__doc__)
    parser.add_argument("--first", type=int, default=4700)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--varied", action="store_true", help="less ordinary livers")
    parser.add_argument("--patient", type=Path, help="folder of a patient's label maps")
    options = parser.parse_args()
    of_seed = varied if options.varied else recipe
    for seed in range(options.first, options.first + options.count):
        study = simulate(with_lesions(of_seed(seed, Size.SMALL, options.patient)))
        masks = [segment.mask for segment in study.segments]
        on_mri = [lesion.is_on_mri for lesion in study.truth.lesions]
        own = sum(on_mri[:-LESIONS])
        print(seed, "undrawn:", said(study, described(study, masks[:own]), masks[own:]))
        print(seed, "drawn:  ", said(study, described(study, masks), masks[own:]), flush=True)


if __name__ == "__main__":
    main()

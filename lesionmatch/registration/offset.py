"""Where the liver lies on the PET, from where it lies on the PET's own CT.

The CT is taken in one breath, the PET over many minutes of breathing: both share a frame of
reference, and the liver may still lie several millimetres off. The MRI's liver, carried
onto the CT, says how deep in the liver or how far from it each point is; the shift is the
one that best explains the PET by this depth: the mutual information of depth and uptake,
maximised by Gauss-Newton (see `linear`) over translations.
"""

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Transform
from lesionmatch.image import Mask
from lesionmatch.registration.appearance import Target
from lesionmatch.registration.information import Window
from lesionmatch.registration.linear import Samples, fitted, volume_about
from lesionmatch.resample import PointMap, distance_mm, resample_mask

SPACING_MM = 3.0
DEPTHS_MM = (15.0, 6.0)
"""Places within the first of the liver's surface find the shift, those within the second settle
it: further out lie organs that do not move with the liver, and deeper in nothing changes."""
LEAST_ON_PET = 0.5
ITERATIONS = 12
DRAWN = 20_000


def pet_ct_offset_mm(
    liver: Mask, ct_from_mri: PointMap, pet: Target, rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """(3,) where the liver on `pet` lies from where `ct_from_mri` takes `liver`, in mm.

    None where less than half of the liver's surroundings was scanned on the PET.
    """
    box = liver.grid.box_around(liver.points_mm(), DEPTHS_MM[0] + 5.0)
    grid = liver.grid.crop(box).with_spacing(SPACING_MM)
    inside = Mask(grid, resample_mask(liver, grid) >= 0.5)
    depth = distance_mm(inside) - distance_mm(Mask(grid, ~inside.array))
    shift = Transform(pet.image.frame, pet.image.frame, np.eye(4))
    for reach_mm in DEPTHS_MM:
        near = np.abs(depth) < reach_mm
        places = ct_from_mri.apply(grid.world(np.argwhere(near)))
        if pet.image.grid.contains(places).mean() < LEAST_ON_PET:
            return None
        samples = Samples(places, Window(-reach_mm, reach_mm).bins(depth[near]))
        around = np.concatenate([places.min(0)[None] - 25.0, places.max(0)[None] + 25.0])
        volume = volume_about(pet, around, spacing_mm=SPACING_MM)
        shift = fitted(shift, samples, volume, "shift", iterations=ITERATIONS, drawn=DRAWN, rng=rng)
    return shift.matrix[:3, 3].copy()

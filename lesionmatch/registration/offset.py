"""Where the liver lies on the PET, from where it lies on the PET's own CT.

The CT is taken in one breath, the PET over many minutes of breathing: both share a frame of
reference, and the liver may still lie several millimetres off. The MRI's liver, carried
onto the CT, says how deep in the liver or how far from it each point is. Sought is the shift
that best explains the PET by this depth: the mutual information of depth and uptake, maximised
by Gauss-Newton (see `linear`) over translations; then with a stretch along the body, because
breathing moves the dome more than what lies below; a stretch that says otherwise is dropped.

A PET is corrected for attenuation by its CT. Where a CT in deep breath shows lung and the PET had
liver, too little was corrected for, and the liver's top on the PET seems to end where the CT's
does. So what the PET shows where its CT has lung is left out.
"""

from dataclasses import replace

import numpy as np

from lesionmatch.geometry import Points, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.appearance import Target, averaged
from lesionmatch.registration.information import Window
from lesionmatch.registration.linear import Kind, Samples, fitted, volume_about
from lesionmatch.resample import PointMap, distance_mm, resample, resample_mask

SPACING_MM = 3.0
STAGES: tuple[tuple[float, Kind], ...] = ((15.0, "shift"), (6.0, "shift"), (6.0, "stretch"))
"""How near the liver's surface places are asked, in mm, and for what. The nearer settle it:
further out lie organs that do not move with the liver, and deeper in nothing changes."""
MARGIN_MM = 5.0
AROUND_MM = 60.0
"""So far about the liver the PET is asked: more than a shift, and what is smoothed, reach."""
SHIFT_MM = 25.0
"""So far places are carried at most."""
LEAST_ON_PET = 0.5
ITERATIONS = 12
DRAWN = 20_000


def pet_from_ct(
    liver: Mask,
    ct_from_mri: PointMap,
    ct: Target,
    pet: Target,
    rules: RegistrationRules,
    rng: np.random.Generator,
) -> Transform | None:
    """Where on `pet` the liver lies that `ct_from_mri` takes `liver` to, within their one frame.

    None where less than half of the liver's surroundings was scanned on the PET.
    """
    landed = ct_from_mri.apply(liver.points_mm())
    if pet.image.grid.contains(landed).mean() < LEAST_ON_PET:
        return None
    pet = _clear_of_lung(pet, ct, landed, rules)
    box = liver.grid.box_around(liver.points_mm(), STAGES[0][0] + MARGIN_MM)
    grid = liver.grid.crop(box).with_spacing(SPACING_MM)
    inside = Mask(grid, resample_mask(liver, grid) >= 0.5)
    depth = distance_mm(inside) - distance_mm(Mask(grid, ~inside.array))
    before = found = Transform(pet.image.frame, pet.image.frame, np.eye(4))
    reach = STAGES[0][0] + SHIFT_MM
    around = np.stack([landed.min(0) - reach, landed.max(0) + reach])
    volume = volume_about(pet, around, spacing_mm=SPACING_MM)
    for reach_mm, kind in STAGES:
        near = np.abs(depth) < reach_mm
        places = ct_from_mri.apply(grid.world(np.argwhere(near)))
        if pet.image.grid.contains(places).mean() < LEAST_ON_PET:
            return None
        samples = Samples(places, Window(-reach_mm, reach_mm).bins(depth[near]))
        before = found
        found = fitted(before, samples, volume, kind, iterations=ITERATIONS, most=DRAWN, rng=rng)
    return found if is_a_breath(before, found) else before


def _clear_of_lung(pet: Target, ct: Target, around: Points, rules: RegistrationRules) -> Target:
    """`pet` around points, and none of it where its CT, averaged, shows lung (see the module)."""
    part = pet.image.crop(pet.image.grid.box_around(around, AROUND_MM))
    dark = replace(ct, window=Window(ct.outside, ct.window.high))
    width_mm = rules.lung_averaged_mm
    density = averaged(dark, part.grid.corners_mm(), width_mm, margin_mm=2.0 * width_mm).image
    is_lung = resample(density, part.grid, outside=np.nan).array < rules.lung_hu
    kept = np.where(is_lung, np.float32(np.nan), part.array)
    return replace(pet, image=Image(part.grid, kept, part.quantity))


def is_a_breath(shift: Transform, stretched: Transform) -> bool:
    """Whether the liver's top moves further than the rest, as breathing makes it.

    A stretch the other way comes of hot or cold neighbours at one end, and is not believed.
    """
    return float(shift.matrix[2, 3] * (stretched.matrix[2, 2] - 1.0)) > 0.0

"""The liver found on a hepatobiliary-phase image, without a trained network.

The liver is the largest thing in the upper abdomen that is bright and even.

    seed           the surest part of it: bright, even, large, on the right, without a twin
    level          how bright liver would be at each place, from the liver known so far
    regions        what is as bright as that, divided at its edges
    bile           far brighter than liver: gallbladder and duodenum, left out with their edges
    joining        those regions that the liver goes on into; with them `level` is taken again
    bright_organs  other organs as bright as the liver, and a lobe apart, by where they lie
    hollows        what lies within it is filled, and dark lesions at its surface belong to it
    surface        half way between the liver's brightness and that outside, on the image's voxels
    plausible      what speaks against the result, whoever drew it

All but the surface is found on voxels of 3 mm.
"""

from dataclasses import replace

import numpy as np

from lesionmatch.errors import InvalidInput
from lesionmatch.image import Image, Mask
from lesionmatch.liver.bile import bile_beside
from lesionmatch.liver.hollows import with_hollows
from lesionmatch.liver.joining import joined
from lesionmatch.liver.level import parenchyma_level
from lesionmatch.liver.morphology import Voxels, dilated, filled
from lesionmatch.liver.regions import Scene, bright_near, divided, scene_of
from lesionmatch.liver.seed import find_seed
from lesionmatch.liver.surface import Coarse, on_image
from lesionmatch.liver.work import work_image
from lesionmatch.protocol import LiverRules, Protocol
from lesionmatch.resample import resample_mask

SPACING_MM = 3.0
MOST_ROUNDS, LEAST_GROWTH = 8, 0.01
"""Of growth; each goes on from where the last one knew the liver's level, until one adds less."""
MARGIN_MM = 20.0
LEAST_PATCH = 0.01
"""Of the liver's brightness; so dark is no patch, however coarse."""


def find_liver(hbp: Image, protocol: Protocol, *, lesions: Mask | None = None) -> Mask:
    """The liver on `hbp`, filled, on its grid; drawn `lesions` on that grid belong to it.

    Raises `InvalidInput` where nothing in the image is bright, even and large enough.
    """
    seed = find_seed(hbp, lesions)
    if seed is None:
        raise _not_found("none")
    image, rules = work_image(hbp, SPACING_MM), protocol.liver
    drawn = np.zeros(image.grid.shape, np.bool_)
    if lesions is not None:
        drawn = resample_mask(lesions, image.grid) >= 0.5
    start = resample_mask(seed, image.grid) >= 0.5
    bright, calm = _grown(scene_of(image, drawn, protocol), start)
    liver = on_image(hbp, _whole(image, bright, calm, rules), lesions, rules)
    if liver.volume_ml < rules.found_least_share * rules.volume_least_ml:
        raise _not_found(f"one of {liver.volume_ml:.0f} ml")
    return liver


def _grown(scene: Scene, seed: Voxels) -> tuple[Voxels, Voxels]:
    """Bright liver around `seed` with drawn lesions, and the calm part of it."""
    liver = calm = seed
    for _ in range(MOST_ROUNDS):
        size = np.count_nonzero(liver)
        bright = bright_near(calm, scene, scene.rules.bright_least)
        liver = joined(divided(bright, scene), calm, scene, bright)
        calm = liver & bright.calm
        if np.count_nonzero(liver) < (1.0 + LEAST_GROWTH) * size:
            break
    least = max(1.0 - scene.rules.bright_spreads * bright.spread, LEAST_PATCH)
    if least >= scene.rules.bright_least:
        return liver, calm
    return _with_patches(liver, calm, scene, least)


def _with_patches(liver: Voxels, calm: Voxels, scene: Scene, least: float) -> tuple[Voxels, Voxels]:
    """A coarse liver with the patches beside it that are darker than most livers' border.

    Once, at the end, and near by: liver grown by them would run on along large vessels, which
    are as dark.
    """
    beside = dilated(liver, scene.grid, scene.rules.bright_patch_mm)
    bright = bright_near(calm, scene, least)
    bright = replace(bright, all=bright.all & beside, calm=bright.calm & beside)
    liver = liver | joined(divided(bright, scene), calm, scene, bright)
    return liver, liver & bright.calm


def _whole(image: Image, bright: Voxels, calm: Voxels, rules: LiverRules) -> Coarse:
    """The liver with vessels, clefts and lesions within it, and lesions at its surface."""
    box = Mask(image.grid, bright).box(MARGIN_MM)
    part, bright = image.crop(box), bright[box]
    level = parenchyma_level(part, Mask(part.grid, calm[box]))
    ratio = np.asarray(part.array / level, np.float32)
    whole = filled(with_hollows(filled(bright), ratio, part.grid, rules))
    bile = bile_beside(ratio > rules.bile_brightness, whole, part.grid) & ~bright
    return Coarse(part.grid, whole & ~bile, bright, level, ratio, bile)


def _not_found(got: str) -> InvalidInput:
    return InvalidInput(
        f"liver: wanted a large bright, even region on the hepatobiliary phase, got {got}; "
        "give a mask with --liver"
    )

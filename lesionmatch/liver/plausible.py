"""What speaks against a liver mask, in sentences: its volume, pieces, brightness and side."""

import numpy as np
from scipy import ndimage

from lesionmatch.image import Image, Mask
from lesionmatch.liver.morphology import dilated
from lesionmatch.liver.work import work_grid, work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import resample_mask

WORK_SPACING_MM = 4.0
LEAST_MAIN_SHARE = 0.9
NEAR_MM, FAR_MM = 3.0, 10.0
"""The shell around the liver whose brightness is compared with it."""
BODY_SHARE = 0.1
"""Of the brightest voxels; air is darker."""


def doubts_about(hbp: Image, liver: Mask, lesions: Mask, rules: LiverRules) -> tuple[str, ...]:
    """Sentences that each give a reason to look at the mask; empty when there is none.

    `liver`, not empty, and `lesions` lie on the grid of `hbp`.
    """
    found = (
        _about_volume(liver, rules),
        _about_pieces(liver),
        _about_brightness(hbp, liver, lesions, rules),
        _about_side(hbp, liver),
    )
    return tuple(doubt for doubt in found if doubt is not None)


def is_cut(liver: Mask) -> bool:
    """Whether the liver reaches the edge of its grid, so that part of it may be missing."""
    array = liver.array
    return any(bool(np.take(array, end, axis).any()) for axis in range(3) for end in (0, -1))


def _about_volume(liver: Mask, rules: LiverRules) -> str | None:
    volume = liver.volume_ml
    if volume > rules.volume_most_ml:
        return f"the liver has {volume:.0f} ml, above {rules.volume_most_ml:.0f} ml"
    if volume < rules.volume_least_ml:
        where = "in the part the MRI covers" if is_cut(liver) else "though the MRI covers all of it"
        return f"the liver has {volume:.0f} ml, below {rules.volume_least_ml:.0f} ml, {where}"
    return None


def _about_pieces(liver: Mask) -> str | None:
    labels, _ = ndimage.label(liver.array)
    sizes = np.bincount(labels.ravel())[1:]
    share = float(sizes.max() / sizes.sum())
    if share >= LEAST_MAIN_SHARE:
        return None
    return f"the liver falls into pieces, the largest {share:.0%} of it"


def _about_brightness(hbp: Image, liver: Mask, lesions: Mask, rules: LiverRules) -> str | None:
    image = work_image(hbp, WORK_SPACING_MM)
    inside = resample_mask(liver, image.grid) >= 0.5
    drawn = resample_mask(lesions, image.grid) > 0.0
    shell = dilated(inside, image.grid, FAR_MM) & ~dilated(inside, image.grid, NEAR_MM)
    parenchyma = inside & ~drawn
    if not parenchyma.any() or not shell.any():
        return None
    bright = float(np.median(image.array[parenchyma]))
    around = float(np.median(image.array[shell]))
    if bright > rules.brightness_least * around:
        return None
    ratio = bright / around if around > 0.0 else 0.0
    return (
        f"the liver is {ratio:.2f} times as bright as its surroundings, below "
        f"{rules.brightness_least:g}, which no hepatobiliary phase shows"
    )


def _about_side(hbp: Image, liver: Mask) -> str | None:
    image = work_image(hbp, WORK_SPACING_MM)
    body = Mask(image.grid, image.array > BODY_SHARE * float(np.percentile(image.array, 99.5)))
    if body.is_empty:
        return None
    midline = float(np.percentile(body.points_mm()[:, 0], [1.0, 99.0]).mean())
    side = float(_coarse(liver).points_mm()[:, 0].mean()) - midline
    if side <= 0.0:
        return None
    return f"the liver's middle lies {side:.0f} mm to the left of the body's"


def _coarse(liver: Mask) -> Mask:
    grid = work_grid(liver.grid, WORK_SPACING_MM)
    coarse = Mask(grid, resample_mask(liver, grid) >= 0.5)
    return liver if coarse.is_empty else coarse

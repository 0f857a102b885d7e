"""What speaks against a liver mask, in sentences.

Its volume, unless somebody drew it, who may know of a child or a resection: then it is remarked.
Its pieces, thickness and side; whether it is brighter than the tissue around it, and
everywhere: where a wide piece of its surface lies on no border, a lobe was lost or it leaked,
unless a kidney lies there, which has a twin.
And, where no lesion was drawn, whether one may have been left out of it, as a dark, round hollow
in its surface: a reader who drew lesions drew the large ones, and stomach leaves such hollows.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lesionmatch.image import Image, Mask
from lesionmatch.liver.hollows import largest_hollow_ml
from lesionmatch.liver.level import parenchyma_ratio
from lesionmatch.liver.mirror import has_twin, midline_mm
from lesionmatch.liver.morphology import Values, Voxels, ball_radius_mm, dilated, large_pieces
from lesionmatch.liver.surface import OUTSIDE_MM
from lesionmatch.liver.work import work_image
from lesionmatch.protocol.liver import LiverRules
from lesionmatch.resample import distance_mm, region_on, resample_mask

WORK_SPACING_MM = 4.0
AROUND_QUANTILE = 0.75
"""Of the brightness around the liver: muscle and organs, which fat is darker than."""
HOLLOW_SPACING_MM, HOLLOW_MARGIN_MM = 3.0, 20.0
"""As the liver is found on."""


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """Image and mask on the working grid."""

    image: Image
    inside: Mask
    drawn: Voxels
    """Lesions, wherever they fill part of a voxel."""
    shell: Voxels
    ratio: Values
    """Smoothed brightness over that of the parenchyma."""


def doubts_about(
    hbp: Image, liver: Mask, lesions: Mask, rules: LiverRules, *, is_drawn: bool = False
) -> tuple[str, ...]:
    """Sentences that each give a reason to look at the mask; empty when there is none.

    `liver`, not empty, and `lesions` lie on the grid of `hbp`.
    """
    found = [] if is_drawn else [_about_volume(liver, rules)]
    view = _view(hbp, liver, lesions)
    if not view.inside.is_empty:
        found += [
            _about_pieces(view, rules),
            _about_thickness(view, rules),
            _about_brightness(view, rules),
            _about_border(view, rules),
            _about_hollows(hbp, liver, rules) if lesions.is_empty else None,
            _about_side(view, rules),
        ]
    return tuple(doubt for doubt in found if doubt is not None)


def remarks_about(drawn: Mask, rules: LiverRules) -> tuple[str, ...]:
    """What is unusual about a liver that somebody drew, without being a reason to doubt it."""
    volume = _about_volume(drawn, rules)
    return () if volume is None else (volume,)


def _view(hbp: Image, liver: Mask, lesions: Mask) -> _View:
    image = work_image(hbp, WORK_SPACING_MM)
    inside = region_on(image.grid, liver)
    near, far = (dilated(inside.array, image.grid, mm) for mm in OUTSIDE_MM)
    ratio = ndimage.gaussian_filter(parenchyma_ratio(image, inside), 3.0 / image.grid.spacing_mm)
    drawn = resample_mask(lesions, image.grid) > 0.0
    return _View(image, inside, drawn, far & ~near, ratio)


def is_cut(liver: Mask) -> bool:
    """Whether the liver reaches the edge of its grid, so that part of it may be missing."""
    array = liver.array
    return any(bool(np.take(array, end, axis).any()) for axis in range(3) for end in (0, -1))


def _about_volume(liver: Mask, rules: LiverRules) -> str | None:
    volume = liver.volume_ml
    if volume > rules.volume_most_ml:
        return f"the liver has {volume:.0f} ml, above {rules.volume_most_ml:.0f} ml"
    least, where = rules.volume_least_ml, "though the MRI covers all of it"
    if is_cut(liver):
        least, where = rules.volume_cut_least_ml, "in the part the MRI covers"
    if volume < least:
        return f"the liver has {volume:.0f} ml, below {least:.0f} ml, {where}"
    return None


def _about_pieces(view: _View, rules: LiverRules) -> str | None:
    main = large_pieces(view.inside.array)
    share = np.count_nonzero(main) / np.count_nonzero(view.inside.array)
    if share >= rules.pieces_main_least:
        return None
    return f"the liver falls into pieces, the largest {share:.0%} of it"


def _about_thickness(view: _View, rules: LiverRules) -> str | None:
    depth_mm = distance_mm(Mask(view.image.grid, ~view.inside.array))
    thickest_mm = float(depth_mm[np.isfinite(depth_mm)].max(initial=0.0))
    ball_mm = ball_radius_mm(view.inside.volume_ml)
    if thickest_mm >= rules.thickness_least * ball_mm:
        return None
    return (
        f"the liver is at most {2.0 * thickest_mm:.0f} mm thick, {thickest_mm / ball_mm:.2f} times "
        f"a ball of its volume, below {rules.thickness_least:g}; fat under the skin is so thin"
    )


def _about_brightness(view: _View, rules: LiverRules) -> str | None:
    """Fat is dark everywhere; what is as bright as muscle ends where no border tells."""
    parenchyma = view.inside.array & ~view.drawn
    if not parenchyma.any() or not view.shell.any():
        return None
    bright = float(np.median(view.ratio[parenchyma]))
    around = float(np.quantile(view.ratio[view.shell], AROUND_QUANTILE))
    if bright > rules.brightness_least * around:
        return None
    ratio = bright / around if around > 0.0 else 0.0
    return (
        f"the liver is only {ratio:.2f} times as bright as the brightest quarter of what lies "
        f"around it, below {rules.brightness_least:g}: it took up little contrast agent or holds "
        "iron, and its outline may run on into its neighbours, or this is no hepatobiliary phase"
    )


def _about_border(view: _View, rules: LiverRules) -> str | None:
    """The largest piece without a border: an organ that touches the liver somewhere is small.

    What has a twin across the midline, below and behind the liver's middle, is a kidney.
    """
    if not view.shell.any():
        return None
    grid = view.image.grid
    as_bright = (view.ratio > rules.bright_least) & (view.ratio < rules.bile_brightness)
    as_bright &= ~_kidneys(view)
    patch = large_pieces(view.shell & as_bright)
    share = np.count_nonzero(patch) / np.count_nonzero(view.shell)
    if share <= rules.border_open_most:
        return None
    there = side_of(view.inside, Mask(grid, patch))
    return (
        f"{share:.0%} of what lies around the liver, in one place {there} its middle, is as bright "
        f"as the liver itself, above {rules.border_open_most:.1%}: part of it may be missing, or "
        "it leaks there"
    )


def _kidneys(view: _View) -> Voxels:
    """Places below and behind the liver's middle that have a twin across the midline."""
    grid, inside = view.image.grid, view.inside
    elsewhere = np.where(inside.array, np.float32(0.0), view.ratio)
    twins = has_twin(view.ratio, grid, midline_mm(view.image), elsewhere)
    behind, above = (grid.world(np.argwhere(twins)) - inside.points_mm().mean(0))[:, 1:].T
    twins[twins] = (behind > 0.0) & (above < 0.0)
    return twins


def side_of(liver: Mask, place: Mask) -> str:
    """Where a place lies from the liver's middle, in the two directions it lies furthest."""
    off_mm = place.points_mm().mean(0) - liver.points_mm().mean(0)
    names = (("right of", "left of"), ("in front of", "behind"), ("below", "above"))
    furthest = sorted(np.argsort(-np.abs(off_mm))[:2], reverse=True)
    return " and ".join(names[axis][int(off_mm[axis] > 0.0)] for axis in furthest)


def _about_hollows(hbp: Image, liver: Mask, rules: LiverRules) -> str | None:
    box = liver.box(HOLLOW_MARGIN_MM)
    image = work_image(hbp.crop(box), HOLLOW_SPACING_MM)
    inside = region_on(image.grid, liver.crop(box))
    ratio = parenchyma_ratio(image, inside)
    hollow_ml = largest_hollow_ml(inside.array, ratio, image.grid, rules)
    if hollow_ml < rules.hollow_doubt_ml:
        return None
    return (
        f"a round dark hollow of {hollow_ml:.0f} ml in the liver's surface, above "
        f"{rules.hollow_doubt_ml:.0f} ml, may be a lesion that was left out"
    )


def _about_side(view: _View, rules: LiverRules) -> str | None:
    side = float(view.inside.points_mm()[:, 0].mean()) - midline_mm(view.image)
    if side <= rules.side_left_most_mm:
        return None
    return f"the liver's middle lies {side:.0f} mm to the left of the body's"

"""Pictures by which a person judges the registration and the liver's mask.

Five planes through the liver, always the same ones: three axial, one coronal, one
sagittal. HBP and CT for flicker, the carried outline of the liver on the PET and on the whole
MRI, a checkerboard of both before and after, and the map of the estimated error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from lesionmatch.report import palette, strokes
from lesionmatch.report.case import Images
from lesionmatch.report.overlays import Scene, suv_top
from lesionmatch.report.palette import CT_WINDOW, Rgb, Window
from lesionmatch.report.volume import Pixels, Plane, View, Volume

TILE = 232
GAP = 3
BAR = 34
MARGIN_MM = 15.0
SQUARE_MM = 18.0
"""Side of the checkerboard's squares: several to a liver, each wide enough to show an edge."""

HEIGHTS = (0.75, 0.5, 0.25)
"""Axial planes, as shares of the liver's height."""


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One strip of pictures and what it shows."""

    name: str
    title: str
    says: str
    picture: Rgb


def checks(scene: Scene) -> tuple[Check, ...]:
    """The strips that can be drawn from the images there are; none without liver or MRI."""
    images = scene.images
    if scene.liver is None or images.liver is None or images.mri is None:
        return ()
    planes = _planes(images.liver)
    pairs = [_hbp(scene, planes), *_partner(scene, planes), *_around(scene, planes)]
    return tuple(check for check in [*pairs, *_boards(scene, planes), *_error(scene, planes)])


def _planes(liver: Volume) -> list[Plane]:
    spans = []
    for axis in range(3):
        other = tuple(a for a in range(3) if a != 2 - axis)
        used = liver.axis_mm(axis)[(liver.array > 0).any(axis=other)]
        spans.append((float(used[0]), float(used[-1])))
    low, high = (np.array(side) for side in zip(*spans, strict=True))
    field = float((high - low).max() + 2 * MARGIN_MM)
    middle = (low + high) / 2
    axial = [np.array([*middle[:2], low[2] + share * (high - low)[2]]) for share in HEIGHTS]
    views = [View.AXIAL] * len(axial) + [View.CORONAL, View.SAGITTAL]
    return [
        Plane(view, centre, field, TILE)
        for view, centre in zip(views, [*axial, middle, middle], strict=True)
    ]


def _hbp(scene: Scene, planes: Sequence[Plane]) -> Check:
    return Check(
        "hbp",
        "HBP MRI",
        "The hepatobiliary MRI carried onto the PET/CT, with the outline of the liver's mask.",
        _strip(scene, planes, lambda plane: _mri(scene, plane)),
    )


def _partner(scene: Scene, planes: Sequence[Plane]) -> list[Check]:
    """What the MRI is laid on: the CT and the PET."""
    images = scene.images
    found = []
    if images.ct is not None:
        says = "The CT of the PET/CT with the same outline: does it follow the liver's edge?"
        found.append(
            Check("ct", "CT", says, _strip(scene, planes, lambda plane: _ct(images, plane)))
        )
    if images.suv is not None:
        says = "The PET with the same outline: does it follow the edge of the liver's uptake?"
        found.append(
            Check("pet", "PET", says, _strip(scene, planes, lambda plane: _pet(scene, plane)))
        )
    return found


def _around(scene: Scene, planes: Sequence[Plane]) -> list[Check]:
    """Pictures as wide as the MRI: what an outline lacks is seen beyond it alone."""
    whole = scene.images.whole_mri
    if whole is None or not whole.array.any():
        return []
    used = np.argwhere(whole.array > 0)[:, ::-1]
    low, high = (whole.first_mm + side * whole.spacing_mm for side in (used.min(0), used.max(0)))
    field = float((high - low)[:2].max()) + 2 * MARGIN_MM

    def widened(plane: Plane) -> Plane:
        centre = np.array([*(low + high)[:2] / 2, plane.centre_mm[2]])
        centre[plane.view.across] = plane.centre_mm[plane.view.across]
        return Plane(plane.view, centre, field, TILE)

    def drawn(plane: Plane) -> Rgb:
        return palette.grey(whole.cut(plane), scene.mri_window)

    says = (
        "The whole MRI as it lies on the PET/CT, coarser, with the same outline: does it lack a "
        "part of the liver, or hold what is none?"
    )
    return [Check("around", "HBP, all of it", says, _strip(scene, [*map(widened, planes)], drawn))]


def _boards(scene: Scene, planes: Sequence[Plane]) -> list[Check]:
    images = scene.images
    other, named = (_ct, "CT") if images.ct is not None else (None, "PET")

    def board(mri: Volume) -> Rgb:
        def drawn(plane: Plane) -> Rgb:
            below = other(images, plane) if other else _pet(scene, plane)
            return _checkered(palette.grey(mri.cut(plane), scene.mri_window), below, plane)

        return _strip(scene, planes, drawn, is_outlined=False)

    found = []
    if images.mri_start is not None:
        says = f"HBP and {named} in turn, the MRI only shifted as a whole: edges break."
        found.append(Check("before", "Before registration", says, board(images.mri_start)))
    if images.mri is not None:
        says = f"HBP and {named} in turn after registration: edges and vessels should go on."
        found.append(Check("after", "After registration", says, board(images.mri)))
    return found


def _error(scene: Scene, planes: Sequence[Plane]) -> list[Check]:
    error, liver = scene.images.error, scene.images.liver
    if error is None or liver is None or scene.liver is None:
        return []
    inside = liver.array > 0
    at_voxels = error.on_grid_of(liver).array
    top = float(np.ceil(max(float(at_voxels[inside].max(initial=0.0)), 1.0)))
    window = Window(0.0, top)
    field = scene.liver.field

    def drawn(plane: Plane) -> Rgb:
        values = error.cut(plane)
        within = field.cut(plane, outside=0.0) >= 0.5
        return palette.heat(_mri(scene, plane), np.where(within, values, np.nan), window)

    says = (
        "The estimated 95 % bound of the registration error inside the liver, on the HBP. "
        "Lesions lie as well or as badly as this map says."
    )
    picture = _with_bar(_strip(scene, planes, drawn), window)
    return [Check("error", "Estimated registration error", says, picture)]


def _mri(scene: Scene, plane: Plane) -> Rgb:
    mri = scene.images.mri
    values = _missing(plane) if mri is None else mri.cut(plane)
    return palette.grey(values, scene.mri_window)


def _ct(images: Images, plane: Plane) -> Rgb:
    values = _missing(plane) if images.ct is None else images.ct.cut(plane)
    return palette.grey(values, CT_WINDOW)


def _pet(scene: Scene, plane: Plane) -> Rgb:
    suv = scene.images.suv
    values = _missing(plane) if suv is None else suv.cut(plane)
    return palette.grey(values, Window(0.0, suv_top(scene.liver_suv)), is_inverse=True)


def _missing(plane: Plane) -> Pixels:
    return np.full((plane.pixels, plane.pixels), np.nan, np.float32)


def _checkered(one: Rgb, other: Rgb, plane: Plane) -> Rgb:
    """Two pictures in turn, in squares of the same size in every plane."""
    turn = np.floor(np.arange(plane.pixels) * plane.pixel_mm / SQUARE_MM).astype(int)
    is_one = (turn[:, None] + turn[None, :]) % 2 == 0
    return np.where(is_one[..., None], one, other).astype(np.uint8)


def _strip(
    scene: Scene,
    planes: Sequence[Plane],
    drawn: Callable[[Plane], Rgb],
    *,
    is_outlined: bool = True,
) -> Rgb:
    """The planes beside each other, annotated, with the liver's outline if wanted."""
    tiles = []
    for plane in planes:
        lines = scene.liver.lines(plane) if is_outlined and scene.liver else []
        ink = strokes.ink([(lines, strokes.LIVER_EDGE)], plane)
        tiles += [strokes.titled(ink.over(drawn(plane)), _title(plane)), _gap()]
    return np.concatenate(tiles[:-1], axis=1)


def _title(plane: Plane) -> str:
    axis = plane.view.across
    return f"{plane.view.value}, {'xyz'[axis]} {plane.centre_mm[axis]:.0f}"


def _gap() -> Rgb:
    return np.full((TILE, GAP, 3), palette.PAPER, np.uint8)


def _with_bar(strip: Rgb, window: Window) -> Rgb:
    """The strip with a scale of the map's colours below."""
    page = Picture.new("RGB", (strip.shape[1], strip.shape[0] + BAR), palette.PAPER)
    page.paste(Picture.fromarray(strip), (0, 0))
    bar = np.broadcast_to(palette.viridis()[None, :, :], (10, 256, 3))
    page.paste(Picture.fromarray(np.ascontiguousarray(bar)), (8, strip.shape[0] + 5))
    draw = ImageDraw.Draw(page)
    font = palette.font(11)
    for place, text in ((8, "0"), (264, f"{window.high:.0f} mm")):
        draw.text(
            (place, strip.shape[0] + 17),
            text,
            palette.INK,
            font,
            anchor="ma" if place > 8 else "la",
        )
    return np.asarray(page)

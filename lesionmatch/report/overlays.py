"""The picture of a lesion: HBP, PET, CT and PET on HBP, in three planes through it.

All twelve panels show one field at one scale, so that the eye compares and never
converts. The outlines are the same in every panel: the lesion carried onto the PET, the
foci, the edge of the liver. Returns arrays; nothing here writes a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from lesionmatch.columns import Row
from lesionmatch.report import palette, strokes, words
from lesionmatch.report.case import Case, Images
from lesionmatch.report.outline import Region, regions
from lesionmatch.report.palette import CT_WINDOW, Rgb, Window
from lesionmatch.report.strokes import Ink, Stroke
from lesionmatch.report.volume import Pixels, Plane, View, Volume

PANEL = 256
GAP = 3
HEAD = 74
FOOT = 22

LEAST_FIELD_MM = 60.0
MOST_FIELD_MM = 180.0
AXES_IN_FIELD = 4.0
"""Long axes across the field: the lesion fills a quarter, its surroundings the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is the same for all lesions of a case: images, windows, regions."""

    images: Images
    mri_window: Window
    liver_suv: float
    liver: Region | None
    lesions: Mapping[str, Region]
    foci: Mapping[str, Region]


def scene(case: Case) -> Scene:
    """Prepare a case for drawing."""
    images = case.images
    liver = {} if images.liver is None else regions(images.liver)
    return Scene(
        images,
        mri_window(images),
        float(case.comparison["liver"].get("suv_mean") or 5.0),
        liver.get(1),
        _named(images.lesions, case.label_of_lesion),
        _named(images.foci, case.label_of_focus),
    )


def _named(labels: Volume | None, label_of: Mapping[str, int]) -> dict[str, Region]:
    found = {} if labels is None else regions(labels)
    return {name: found[label] for name, label in label_of.items() if label in found}


def mri_window(images: Images) -> Window:
    """From the darkest vessels and lesions to the brightest parenchyma of this liver."""
    if images.mri is None:
        return Window(0.0, 1.0)
    values = images.mri.array[images.mri.array > 0]
    if images.liver is not None:
        inside = images.liver.on_grid_of(images.mri).array > 0.5
        values = images.mri.array[inside] if inside.any() else values
    if not values.size:
        return Window(0.0, 1.0)
    median, high = np.percentile(values, [50, 99])
    top = float(max(1.35 * median, 1.08 * high))
    return Window(0.0, top if top > 0 else 1.0)


def suv_window(row: Row, liver_suv: float) -> Window:
    """From nothing to what shows both the liver and the lesion: at least twice the liver."""
    suv_max = row["suv_max"]
    top = float(suv_max) if isinstance(suv_max, int | float) else 0.0
    # Above five livers a hotter lesion only dims the rest; it is black either way.
    top = min(max(2.0 * liver_suv, top), 5.0 * liver_suv)
    return Window(0.0, float(np.ceil(top)))


def suv_top(liver_suv: float) -> float:
    """The SUV drawn darkest where no lesion sets it: thrice the liver, which is mid-grey."""
    return float(np.ceil(3.0 * liver_suv))


def field_mm(row: Row) -> float:
    """The side of the panels: it follows the lesion, between 6 and 18 cm."""
    axis = row["long_axis_mm"]
    size = AXES_IN_FIELD * float(axis) if isinstance(axis, int | float) else LEAST_FIELD_MM
    return float(np.clip(np.ceil(size / 10) * 10, LEAST_FIELD_MM, MOST_FIELD_MM))


def centre_mm(row: Row) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Where a lesion or focus lies on the PET; None where it was not carried there."""
    place = [row["pet_x_mm"], row["pet_y_mm"], row["pet_z_mm"]]
    return None if None in place else np.array(place, dtype=np.float64)


def overlay(scene: Scene, row: Row) -> Rgb | None:
    """The picture of one lesion or PET-only focus.

    None where it has no place on the PET, or where there are no images.
    """
    centre = centre_mm(row)
    if centre is None or (scene.images.suv is None and scene.images.mri is None):
        return None
    window = suv_window(row, scene.liver_suv)
    drawn = _outlines(scene, row)
    planes = [Plane(view, centre, field_mm(row), PANEL) for view in View]
    rows = [_row_of_panels(scene, plane, window, drawn) for plane in planes]
    body = _stacked([_stacked(panels, axis=1) for panels in rows], axis=0)
    return _framed(body, row, _foot(scene, window))


Outlines = Sequence[tuple[Sequence[Region], Stroke]]


def _outlines(scene: Scene, row: Row) -> Outlines:
    """The lesion and its foci in strong strokes, over all others in thin ones."""
    related = row["focus_ids"] if isinstance(row["focus_ids"], list | tuple) else []
    strong = {str(row["lesion_id"]), *related}
    groups = [
        (scene.foci, strokes.OTHER_FOCUS, strokes.FOCUS),
        (scene.lesions, strokes.OTHER_LESION, strokes.LESION),
    ]
    liver = [] if scene.liver is None else [scene.liver]
    others = [
        ([found for name, found in group.items() if name not in strong], thin)
        for group, thin, _ in groups
    ]
    own = [
        ([found for name, found in group.items() if name in strong], thick)
        for group, _, thick in groups
    ]
    return [(liver, strokes.LIVER), *others, *own]


def _row_of_panels(scene: Scene, plane: Plane, window: Window, drawn: Outlines) -> list[Rgb]:
    images, view = scene.images, plane.view.value
    suv, mri, ct = (_cut(v, plane) for v in (images.suv, images.mri, images.ct))
    below, below_window = (ct, CT_WINDOW) if images.mri is None else (mri, scene.mri_window)
    pictures = {
        f"HBP {view}": palette.grey(mri, scene.mri_window),
        f"PET {view}": palette.grey(suv, window, is_inverse=True),
        f"CT {view}": palette.grey(ct, CT_WINDOW),
        f"PET on {'CT' if images.mri is None else 'HBP'}": palette.fused(
            below, below_window, suv, window
        ),
    }
    ink = _ink(plane, drawn)
    return [strokes.titled(ink.over(picture), title) for title, picture in pictures.items()]


def _cut(volume: Volume | None, plane: Plane) -> Pixels:
    if volume is None:
        return np.full((plane.pixels, plane.pixels), np.nan, np.float32)
    return volume.cut(plane)


def _ink(plane: Plane, drawn: Outlines) -> Ink:
    """The outlines in a plane, the strongest last, and the crosshair."""
    lines = [([line for one in group for line in one.lines(plane)], how) for group, how in drawn]
    hairs = strokes.crosshair(plane, plane.centre_mm, gap_mm=plane.field_mm / 5)
    return strokes.ink([*lines, (hairs, strokes.CROSSHAIR)], plane)


def _stacked(pictures: Sequence[Rgb], axis: int) -> Rgb:
    """Pictures beside or below each other with a gap between."""
    shape = list(pictures[0].shape)
    shape[axis] = GAP
    gap = np.full(shape, palette.PAPER, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis=axis)


def _foot(scene: Scene, window: Window) -> tuple[str, ...]:
    mri, top = scene.mri_window, words.number(window.high)
    return (
        f"HBP {words.number(mri.low)} to {words.number(mri.high)}",
        f"SUV 0 to {top}, dark is high",
        f"CT {CT_WINDOW.low:.0f} to {CT_WINDOW.high:.0f} HU",
        f"SUV 0 to {top} in colour",
    )


def _framed(body: Rgb, row: Row, foot: Sequence[str]) -> Rgb:
    """The panels with what was measured above and the windows below."""
    height, width, _ = body.shape
    page = Picture.new("RGB", (width, height + HEAD + FOOT), palette.PAPER)
    page.paste(Picture.fromarray(body), (0, HEAD))
    draw = ImageDraw.Draw(page)
    draw.text((8, 5), words.headline(row), palette.INK, palette.font(17, is_bold=True))
    draw.text((8, 29), words.measures(row), palette.INK, palette.font(14))
    draw.text((8, 50), words.because(row), palette.MUTED, palette.font(14))
    _legend(draw, width)
    for column, text in enumerate(foot):
        left = column * (PANEL + GAP) + 6
        draw.text((left, height + HEAD + 4), text, palette.MUTED, palette.font(12))
    return np.asarray(page)


def _legend(draw: ImageDraw.ImageDraw, width: int) -> None:
    """Which line is what, told by stroke as well as by colour."""
    for row, (name, stroke) in enumerate(
        [("lesion", strokes.LESION), ("focus", strokes.FOCUS), ("liver", strokes.LIVER)]
    ):
        y, x = 14 + 19 * row, width - 96
        on, off = stroke.dash or (40.0, 0.0)
        for start in np.arange(0.0, 40.0, on + off):
            end = min(start + on, 40.0)
            draw.line([(x + start, y), (x + end, y)], fill=stroke.colour, width=2)
        draw.text((x + 48, y), name, palette.INK, palette.font(13), anchor="lm")

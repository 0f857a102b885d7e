"""Antialiased lines on pictures: outlines, crosshair, scale bar, letters.

Pillow draws hard-edged lines, so lines are drawn three times as large and averaged down
into a coverage, which is then blended over any number of pictures of the same plane.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw

from lesionmatch.report import palette
from lesionmatch.report.outline import Line
from lesionmatch.report.palette import Rgb
from lesionmatch.report.volume import Plane

FINER = 3

CASING_PIXELS = 1.6
"""How much wider the dark casing is than its line."""

CASING_OPACITY = 0.7

Coverage = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stroke:
    """How a line looks."""

    colour: tuple[int, int, int]
    width: float
    dash: tuple[float, float] | None = None
    """Pixels drawn and pixels left out, or None for a solid line."""


LESION = Stroke(palette.LESION, 1.6)
OTHER_LESION = Stroke(palette.LESION, 0.9)
FOCUS = Stroke(palette.FOCUS, 1.6, (6.0, 4.0))
OTHER_FOCUS = Stroke(palette.FOCUS, 0.9, (6.0, 4.0))
LIVER = Stroke(palette.LIVER, 1.1, (2.0, 3.5))
LIVER_EDGE = Stroke(palette.LESION, 1.2)
"""In pictures that show nothing but the liver."""
CROSSHAIR = Stroke(palette.LIVER, 0.7)


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """All that is drawn over the pictures of one plane, as one blend."""

    keep: Coverage
    """How much of the picture stays, pixel by pixel."""
    add: NDArray[np.float32]
    """What is added to it, (rows, columns, 3)."""

    def over(self, picture: Rgb) -> Rgb:
        """The picture with the ink on it."""
        blended = picture * self.keep[..., None] + self.add
        return np.asarray(np.rint(blended), dtype=np.uint8)


def ink(groups: Sequence[tuple[Sequence[Line], Stroke]], plane: Plane) -> Ink:
    """Lines, the last on top, and the plane's letters and scale bar as one blend."""
    pixels = plane.pixels
    drawn = [(_dashed(lines, stroke), stroke) for lines, stroke in groups if len(lines)]
    keep, add = np.ones((pixels, pixels), np.float32), np.zeros((pixels, pixels, 3), np.float32)
    casing = _coverage([(lines, stroke.width + CASING_PIXELS) for lines, stroke in drawn], pixels)
    keep *= 1 - np.float32(CASING_OPACITY) * casing
    for lines, stroke in drawn:
        line = _coverage([(lines, stroke.width)], pixels)
        keep *= 1 - line
        add += line[..., None] * (np.array(stroke.colour, np.float32) - add)
    marks = np.asarray(_marks(plane), dtype=np.float32)
    share = marks[..., 3] / np.float32(255)
    return Ink(keep * (1 - share), add + share[..., None] * (marks[..., :3] - add))


def _dashed(lines: Sequence[Line], stroke: Stroke) -> list[Line]:
    return [part for line in lines for part in _dashes(line, stroke.dash)]


def _coverage(groups: Sequence[tuple[Sequence[Line], float]], pixels: int) -> Coverage:
    """How much of each pixel lies under lines of some widths."""
    large = Picture.new("L", (pixels * FINER, pixels * FINER))
    draw = ImageDraw.Draw(large)
    for lines, width in groups:
        for line in lines:
            corners = (line * FINER).ravel().tolist()
            draw.line(corners, fill=255, width=max(1, round(width * FINER)), joint="curve")
    return np.asarray(large.reduce(FINER), dtype=np.float32) / np.float32(255)


def _dashes(line: Line, dash: tuple[float, float] | None) -> list[Line]:
    """The line cut into dashes along its length."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    if dash is None or length[-1] == 0:
        return [line]
    # A whole number of dashes closes the outline without a seam.
    period = length[-1] / max(1, round(length[-1] / sum(dash)))
    drawn = period * dash[0] / sum(dash)
    starts = np.arange(0.0, length[-1] - 1e-9, period)
    return [_between(line, length, start, start + drawn) for start in starts]


def _between(line: Line, length: NDArray[np.float64], start: float, stop: float) -> Line:
    inner = length[(length > start) & (length < stop)]
    places = np.concatenate([[start], inner, [min(stop, length[-1])]])
    return np.column_stack([np.interp(places, length, line[:, axis]) for axis in (0, 1)])


def crosshair(plane: Plane, point_mm: NDArray[np.float64], gap_mm: float) -> list[Line]:
    """Four hairs that point at a place and leave it free, out to the picture's edge."""
    x, y = plane.pixel_of(point_mm)
    gap, end, far = gap_mm / plane.pixel_mm, 14.0, float(plane.pixels)
    spans = [
        ((x - gap - end, y), (x - gap, y)),
        ((x + gap, y), (x + gap + end, y)),
        ((x, y - gap - end), (x, y - gap)),
        ((x, y + gap), (x, y + gap + end)),
    ]
    return [np.clip(np.array(span), -far, 2 * far) for span in spans]


def _marks(plane: Plane) -> Picture.Image:
    """The letters of the picture's sides and a scale bar, on nothing."""
    image = Picture.new("RGBA", (plane.pixels, plane.pixels))
    draw = ImageDraw.Draw(image)
    size, (left, right, top, bottom) = plane.pixels, plane.view.letters
    text(draw, (5, size / 2), left, 12, "lm")
    text(draw, (size - 5, size / 2), right, 12, "rm")
    text(draw, (size / 2, 5), top, 12, "ma")
    text(draw, (size / 2, size - 4), bottom, 12, "mb")
    _scale_bar(draw, plane)
    return image


def titled(picture: Rgb, title: str) -> Rgb:
    """The picture with a title in its top left corner."""
    image = Picture.fromarray(picture)
    text(ImageDraw.Draw(image), (6, 4), title, 12, "la")
    return np.asarray(image)


def _scale_bar(draw: ImageDraw.ImageDraw, plane: Plane) -> None:
    length_mm = next(mm for mm in (50, 20, 10, 5, 2, 1) if mm <= plane.field_mm / 3)
    right, low = plane.pixels - 8.0, plane.pixels - 8.0
    left = right - length_mm / plane.pixel_mm
    draw.line([(left - 1, low), (right + 1, low)], fill=palette.CASING, width=5)
    draw.line([(left, low), (right, low)], fill=palette.INK, width=2)
    text(draw, ((left + right) / 2, low - 4), f"{length_mm} mm", 10, "mb")


def text(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], words: str, size: int, anchor: str
) -> None:
    """Words with a casing, legible on black and on white."""
    draw.text(
        place,
        words,
        font=palette.font(size),
        fill=palette.INK,
        anchor=anchor,
        stroke_width=2,
        stroke_fill=palette.CASING,
    )

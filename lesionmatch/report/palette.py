"""Colours, windows and letters of the pictures.

Lines are told apart by stroke as well as by colour (solid, dashed, dotted), each with a
dark casing, so that they stand on black, on white and for any colour vision. The two
hues differ in blue against yellow, which every common deficiency keeps apart.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

Rgb = NDArray[np.uint8]

INK = (238, 240, 242)
MUTED = (168, 176, 184)
PAPER = (18, 20, 23)
OUTSIDE = (58, 62, 68)
"""Where an image has no voxels: neither black nor white, which would be values."""

LESION = (64, 214, 255)
FOCUS = (255, 214, 51)
LIVER = (255, 255, 255)
CASING = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Window:
    """The values drawn from black to white."""

    low: float
    high: float

    def share(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where in the window values lie, 0 to 1; not a number stays so."""
        share = (values - np.float32(self.low)) / np.float32(self.high - self.low)
        return np.asarray(np.clip(share, 0, 1), dtype=np.float32)


CT_WINDOW = Window(-110.0, 190.0)
"""HU; narrow enough to tell the liver from its surroundings without contrast medium."""


@cache
def inferno() -> NDArray[np.uint8]:
    """(256, 3) black, purple, orange, pale yellow: even in lightness, fit for all eyes."""
    colours = mpl.colormaps["inferno"](np.arange(256))[:, :3]
    return np.asarray(np.rint(colours * 255), dtype=np.uint8)


@cache
def viridis() -> NDArray[np.uint8]:
    """(256, 3) for the map of errors."""
    colours = mpl.colormaps["viridis"](np.arange(256))[:, :3]
    return np.asarray(np.rint(colours * 255), dtype=np.uint8)


def grey(values: NDArray[np.float32], window: Window, *, is_inverse: bool = False) -> Rgb:
    """Grey levels, or with `is_inverse` dark where values are high."""
    share = window.share(values)
    level = np.rint(255 * np.nan_to_num(1 - share if is_inverse else share)).astype(np.uint8)
    return _with_outside(np.repeat(level[..., None], 3, axis=2), values)


def fused(
    below: NDArray[np.float32], window: Window, suv: NDArray[np.float32], suv_window: Window
) -> Rgb:
    """Uptake in colour over the grey anatomy; the more of it, the less shows through."""
    share = np.nan_to_num(suv_window.share(suv))
    colours = inferno()[np.rint(255 * share).astype(np.uint8)].astype(np.float32)
    opacity = (0.9 * share**1.2)[..., None]
    base = grey(below, window).astype(np.float32)
    mixed = base * (1 - opacity) + colours * opacity
    return np.asarray(np.where(np.isnan(suv)[..., None], base, mixed), dtype=np.uint8)


def heat(below: Rgb, values: NDArray[np.float32], window: Window) -> Rgb:
    """A map of values in viridis over a picture; where there is none, the picture alone."""
    share = np.nan_to_num(window.share(values))
    colours = viridis()[np.rint(255 * share).astype(np.uint8)]
    mixed = below * 0.4 + colours * 0.6
    return np.asarray(np.where(np.isnan(values)[..., None], below, mixed), dtype=np.uint8)


def _with_outside(picture: Rgb, values: NDArray[np.float32]) -> Rgb:
    picture[np.isnan(values)] = OUTSIDE
    return picture


@cache
def font(size: int, *, is_bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings along on every system."""
    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)

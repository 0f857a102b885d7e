"""What all figures share: a look that stands in print and in grey, and files that compare equal.

Figures are vector drawings with their letters as shapes, so that they look the same
anywhere; the same numbers give the same bytes.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lesionmatch.output import write_bytes
from lesionmatch.report.page import data_uri

INK, SOFT, LINE, FILL = "#15191e", "#4b5560", "#9aa4ae", "#e6eaee"
"""Black for what is measured, greys for the rest: told apart without colour."""

ACCENT = "#0b5cad"
"""Second series; darker than `LINE` in grey, and drawn with another stroke besides."""

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.hashsalt": "lesionmatch",
    "svg.fonttype": "path",
}


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of this size in inches, its style in force while the block runs."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def svg(figure: Figure) -> bytes:
    """The figure as SVG, without a date."""
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def svg_address(figure: Figure) -> str:
    """The figure as the address of an image that stands in a page."""
    return data_uri("image/svg+xml", svg(figure))


def write_svg(path: Path, figure: Figure) -> None:
    """Write the figure; the whole of it or the old one."""
    write_bytes(path, svg(figure))

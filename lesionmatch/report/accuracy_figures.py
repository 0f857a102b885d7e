"""Figures of an accuracy report: measures with both intervals, detection by size, false foci."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from lesionmatch.accuracy.curve import Curve
from lesionmatch.accuracy.values import Interval
from lesionmatch.evaluation.groups import Group
from lesionmatch.evaluation.lesionwise import FalseFoci, Lesionwise
from lesionmatch.evaluation.study_sheets import NAMES
from lesionmatch.evaluation.summary import Estimate
from lesionmatch.report.figures import ACCENT, FILL, INK, LINE, SOFT, drawing

APART = 0.13
"""Half the distance between the two intervals of a measure, in rows."""


def forest(estimates: dict[str, Estimate], title: str) -> Figure:
    """Each measure with its exact interval above and the one by patient below."""
    shown = [(NAMES[name], one) for name, one in estimates.items()]
    with drawing(7.2, 0.52 * len(shown) + 1.3) as (figure, axes):
        for row, (name, one) in enumerate(shown):
            _measure(axes, row, one, is_share=name != NAMES["kappa"])
        axes.set_yticks(range(len(shown)), [name for name, _ in shown])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(*_forest_limits([one for _, one in shown]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
        axes.grid(axis="x", color=FILL, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_xlabel("kappa is shown on the same scale, 100 % being 1")
        axes.set_title(title)
        figure.legend(handles=_interval_handles(), loc="outside lower center", ncols=2)
        return figure


def _interval_handles() -> list[Line2D]:
    labels = ("exact, each study its own patient", "by patient")
    return [
        Line2D([], [], label=label, **_look(is_solid=is_solid))
        for label, is_solid in zip(labels, (True, False), strict=True)
    ]


def _look(*, is_solid: bool) -> dict[str, Any]:
    """Told apart by stroke and marker as well as by colour."""
    if is_solid:
        return {"color": INK, "ls": "-", "lw": 1.6, "marker": "o", "mfc": INK, "ms": 5}
    look = {"color": ACCENT, "ls": (0, (3, 1.5)), "lw": 1.6, "marker": "s", "mfc": "white"}
    return {**look, "ms": 5, "mew": 1.3}


def _measure(axes: Axes, row: int, one: Estimate, *, is_share: bool) -> None:
    if not isinstance(one.value, float):
        axes.text(0.02, row, str(one.value), transform=axes.get_yaxis_transform(), va="center")
        return
    _whisker(axes, row - APART, one.value, one.exact, is_solid=True)
    _whisker(axes, row + APART, one.value, one.clustered, is_solid=False)
    across = axes.get_yaxis_transform()
    axes.text(1.01, row, _said(one, is_share=is_share), transform=across, va="center", fontsize=7.5)


def _whisker(axes: Axes, y: float, value: float, bounds: object, *, is_solid: bool) -> None:
    look = _look(is_solid=is_solid)
    if isinstance(bounds, Interval):
        line = {key: look[key] for key in ("color", "ls", "lw")}
        axes.plot([bounds.lower, bounds.upper], [y, y], **line)
        for end in (bounds.lower, bounds.upper):
            axes.plot([end, end], [y - 0.07, y + 0.07], color=look["color"], lw=1.2)
    axes.plot([value], [y], zorder=3, **{**look, "ls": "none"})


def _said(one: Estimate, *, is_share: bool) -> str:
    """The numbers beside the whiskers: the estimate, then its two intervals."""

    def number(value: float) -> str:
        return f"{100 * value:.1f}" if is_share else f"{value:.2f}"

    def span(bounds: object) -> str:
        if not isinstance(bounds, Interval):
            return "no interval"
        return f"{number(bounds.lower)}–{number(bounds.upper)}"

    value = number(one.value) if isinstance(one.value, float) else ""
    unit = " %" if is_share else ""
    return f"{value}{unit}\n({span(one.exact)}; {span(one.clustered)})"


def _forest_limits(estimates: Sequence[Estimate]) -> tuple[float, float]:
    """From a round number below every bound to the end of the scale; only kappa is below 0."""
    ends = [one.value for one in estimates if isinstance(one.value, float)]
    for one in estimates:
        for bounds in (one.exact, one.clustered):
            ends += [bounds.lower] if isinstance(bounds, Interval) else []
    lowest = min(ends, default=0.0)
    step = 0.05 if lowest > 0.7 else 0.2
    start = math.floor(lowest / step - 0.2) * step
    return max(start, 0.0 if lowest >= 0.0 else -1.0), 1.0 + 0.02 * step / 0.05


def detection_by_size(found: Lesionwise) -> Figure:
    """Share of lesions detected by long axis: bins, fitted curve, and what physics expects."""
    with drawing(7.2, 4.3) as (figure, axes):
        sizes = [size for size, _ in found.prediction]
        points = [one for one in found.by_size if isinstance(one.median_mm, float)]
        sizes += [one.median_mm for one in points if isinstance(one.median_mm, float)]
        low, high = min(sizes, default=3.0), max(sizes, default=30.0)
        _band(axes, found.curve, low, high)
        _expectation(axes, found.prediction)
        for place, one in enumerate(points):
            # Neighbours stand on two lines: their sizes may lie close.
            _bin(axes, one, below=place % 2)
        _size_axis(axes, low, high)
        axes.set_title("Lesions the PET shows unprompted, by size on the MRI")
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside lower center", ncols=3)
        return figure


def _band(axes: Axes, curve: object, low: float, high: float) -> None:
    if not isinstance(curve, Curve):
        return
    size = np.geomspace(low, high, 200)
    lower, upper = curve.band(size)
    axes.fill_between(size, lower, upper, color=FILL, lw=0)
    axes.plot(size, curve.at(size), color=SOFT, lw=1.6, label="fitted, with its band by patient")


def _expectation(axes: Axes, prediction: Sequence[tuple[float, float]]) -> None:
    """The mean expected chance of the lesions about a size (a Gaussian window on log size)."""
    if len(prediction) < 3:
        return
    size, chance = (np.array(column) for column in zip(*prediction, strict=True))
    at = np.geomspace(size.min(), size.max(), 120)
    weight = np.exp(-0.5 * (np.log(at[:, None] / size[None, :]) / 0.12) ** 2)
    expected = (weight * chance).sum(axis=1) / weight.sum(axis=1)
    axes.plot(at, expected, color=ACCENT, lw=1.8, ls=(0, (5, 2)), label="expected by the physics")


def _bin(axes: Axes, one: Group, *, below: int) -> None:
    value, bounds = one.detection.value, one.detection.clustered
    if not isinstance(value, float) or not isinstance(one.median_mm, float):
        return
    if isinstance(bounds, Interval):
        axes.plot([one.median_mm] * 2, [bounds.lower, bounds.upper], color=INK, lw=1.4, zorder=3)
    axes.plot([one.median_mm], [value], "o", color=INK, ms=6, zorder=4, label=_once(axes))
    axes.annotate(
        f"{one.name}\n{one.detected}/{one.lesions}",
        (one.median_mm, -0.02),
        xycoords=("data", "axes fraction"),
        xytext=(0, -16 - 20 * below),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=7,
        color=SOFT,
    )


def _once(axes: Axes) -> str | None:
    label = "measured, interval by patient"
    return None if label in axes.get_legend_handles_labels()[1] else label


def _size_axis(axes: Axes, low: float, high: float) -> None:
    axes.set_xscale("log")
    axes.set_xlim(low / 1.12, high * 1.12)
    ticks = [size for size in (2, 3, 4, 6, 8, 10, 12, 15, 20, 30, 50, 100) if low <= size <= high]
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("long axis, mm (log scale)", labelpad=44)
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("detected")
    axes.grid(axis="y", color=FILL, linewidth=0.8)
    axes.set_axisbelow(True)


def free_response(found: FalseFoci) -> Figure:
    """Lesions detected against false foci a liver, as the threshold on contrast rises."""
    with drawing(7.2, 3.6) as (figure, axes):
        points = found.operating
        false = [point.false_foci_per_liver for point in points]
        share = [point.detection for point in points]
        axes.step(false, share, where="post", color=INK, lw=1.6)
        axes.plot(false[:1], share[:1], "o", color=INK, ms=6)
        axes.annotate(
            "in use", (false[0], share[0]), xytext=(6, -10), textcoords="offset points", fontsize=8
        )
        axes.set_xlabel("foci on PET alone, for each liver")
        axes.set_ylabel("lesions detected")
        axes.set_xlim(left=0.0)
        axes.set_ylim(0.0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(color=FILL, linewidth=0.8)
        axes.set_title("Detection against false foci, by contrast-to-noise")
        for spine in ("left", "bottom"):
            axes.spines[spine].set_color(LINE)
        return figure

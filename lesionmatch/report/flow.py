"""The flow diagram: boxes down the page, what left beside them, the ends at the foot."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lesionmatch.evaluation.flow import Excluded, Flow, Leaf, Step
from lesionmatch.report.figures import FILL, INK, LINE, drawing
from lesionmatch.wording import number_of

LINE_HEIGHT = 0.19
"""Inches of a line of letters."""
GAP = 0.32
"""Inches between a box and the next."""
MAIN, SIDE = (0.1, 3.0), (3.5, 3.9)
"""Left edge and width, in inches, of the boxes of the flow and of those beside them."""


def flow_diagram(flow: Flow) -> Figure:
    """Draw the flow; its size follows from its text."""
    heights = [max(_height(_step_lines(one)), _height(_left_lines(one))) for one in flow.steps]
    leaves = [_leaf_lines(leaf) for leaf in flow.leaves]
    foot = max((_height(lines) for lines in leaves), default=-GAP)
    total = sum(heights) + GAP * len(heights) + foot + 0.2
    with drawing(7.5, total) as (figure, axes):
        figure.set_layout_engine("none")
        axes.set_position((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, 7.5)
        axes.set_ylim(total, 0.0)
        axes.axis("off")
        y = 0.1
        for step, height in zip(flow.steps, heights, strict=True):
            _step(axes, y, height, step, is_last=step is flow.steps[-1] and not leaves)
            y += height + GAP
        _leaves(axes, y, foot, leaves)
        return figure


def _step(axes: Axes, y: float, height: float, step: Step, *, is_last: bool) -> None:
    _box(axes, MAIN, y, height, _step_lines(step), is_main=True)
    middle = MAIN[0] + MAIN[1] / 2
    if not is_last:
        _arrow(axes, (middle, y + height), (middle, y + height + GAP))
    if lines := _left_lines(step):
        _box(axes, SIDE, y, height, lines, is_main=False)
        _arrow(axes, (MAIN[0] + MAIN[1], y + height / 2), (SIDE[0], y + height / 2))


def _leaves(axes: Axes, y: float, height: float, leaves: Sequence[list[str]]) -> None:
    if not leaves:
        return
    width = 3.0
    lefts = [MAIN[0] + k * (width + 0.5) for k in range(len(leaves))]
    for left, lines in zip(lefts, leaves, strict=True):
        _box(axes, (left, width), y, height, lines, is_main=True)
    start = MAIN[0] + MAIN[1] / 2
    for left in lefts[1:]:
        end = left + width / 2
        axes.plot([start, end], [y - GAP / 2] * 2, color=INK, lw=1.0)
        _arrow(axes, (end, y - GAP / 2), (end, y))


def _box(
    axes: Axes,
    across: tuple[float, float],
    y: float,
    height: float,
    lines: Sequence[str],
    *,
    is_main: bool,
) -> None:
    left, width = across
    colour = "white" if is_main else FILL
    axes.fill(
        [left, left + width, left + width, left],
        [y, y, y + height, y + height],
        facecolor=colour,
        edgecolor=INK if is_main else LINE,
        lw=1.1,
    )
    top = y + (height - LINE_HEIGHT * len(lines)) / 2
    for k, line in enumerate(lines):
        axes.text(
            left + 0.12,
            top + LINE_HEIGHT * (k + 0.5),
            line,
            va="center",
            fontsize=8.5,
            fontweight="bold" if k == 0 else "normal",
        )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.0})


def _step_lines(step: Step) -> list[str]:
    whose = "" if step.patients is None else f" of {number_of(step.patients, 'patient')}"
    return [step.title, f"{number_of(step.count, step.noun)}{whose}"]


def _left_lines(step: Step) -> list[str]:
    left = [one for one in step.excluded if one.count]
    if not left:
        return []
    return [f"Left out: {sum(one.count for one in left):,}", *(_reason(one) for one in left)]


def _reason(one: Excluded) -> str:
    return f"{one.count:,}  {one.reason}"


def _leaf_lines(leaf: Leaf) -> list[str]:
    return [f"{leaf.title}: {leaf.count:,}", *(f"{count:,}  {name}" for name, count in leaf.parts)]


def _height(lines: Sequence[str]) -> float:
    return LINE_HEIGHT * (len(lines) + 0.8) if lines else 0.0

"""The page of a cohort: the flow, why studies left, what to look at, STARD."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lesionmatch
from lesionmatch.evaluation.flow import Flow
from lesionmatch.evaluation.sheet import Sheet
from lesionmatch.evaluation.stard import FOR_PEOPLE, Item
from lesionmatch.output import write_text
from lesionmatch.report.figures import svg_address, write_svg
from lesionmatch.report.flow import flow_diagram
from lesionmatch.report.page import rendered
from lesionmatch.report.sheets import shown


@dataclass(frozen=True, slots=True)
class CohortPage:
    """What the page shows."""

    headline: Sequence[str]
    flow: Flow
    sheets: Sequence[Sheet]
    items: Sequence[Item]


def write_page(out: Path, page: CohortPage) -> None:
    """Write flow.svg and cohort.html to the folder `out`."""
    figure = flow_diagram(page.flow)
    write_svg(out / "flow.svg", figure)
    text = rendered(
        "cohort.html.j2",
        styles=("style.css", "accuracy.css"),
        title="The cohort",
        version=lesionmatch.__version__,
        headline=page.headline,
        figure=svg_address(figure),
        sheets=[shown(sheet) for sheet in page.sheets if sheet.rows],
        items=page.items,
        for_people=FOR_PEOPLE,
    )
    write_text(out / "cohort.html", text)

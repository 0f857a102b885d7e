"""The page of a study, put together from its words and its pictures."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image as Picture

from lesionmatch.columns import LESIONS, RELATIONS, Row
from lesionmatch.report import context, facts, words
from lesionmatch.report.case import Case
from lesionmatch.report.checks import Check
from lesionmatch.report.page import data_uri, rendered
from lesionmatch.report.palette import Rgb
from lesionmatch.report.projection import Projection

WEBP_QUALITY = 76

FLICKERED = ("hbp", "ct", "pet")
"""The first two of these that there are lie on one another."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture: where it was written (empty: nowhere), and as it stands in the page."""

    file: str
    image: str
    width: int
    height: int


def drawn_from(file: str, picture: Rgb) -> Drawn:
    """A picture as it stands in the page."""
    image = Picture.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=WEBP_QUALITY, method=1)
    return Drawn(file, data_uri("image/webp", buffer.getvalue()), *image.size)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What was drawn of a study; whatever is missing is left out of the page."""

    overlays: Mapping[str, Drawn]
    """By lesion."""
    projection: Projection | None
    checks: Sequence[Check]
    viewer: Mapping[str, Any] | None


def study_page(case: Case, rows: Sequence[Row], parts: Parts, *, phi: bool) -> str:
    """The whole page as text."""
    comparison = case.comparison
    identity = comparison.get("phi") or {} if phi else {}
    return rendered(
        "report.html.j2",
        styles=("style.css", "study.css"),
        scripts=("table.js", "study.js", "flicker.js", "viewer.js"),
        identity=list(identity.items()),
        call=context.call(comparison),
        doubts=context.doubts(comparison),
        summary=context.summary(comparison),
        listed=context.disagreements(rows),
        agreement=context.agreement(rows),
        other_foci=context.other_foci(comparison),
        columns=context.columns(LESIONS),
        choices=context.choices(rows),
        rows=context.lesion_rows(rows),
        panels=_panels(rows, parts.overlays),
        assumptions=comparison.get("assumptions") or [],
        facts=facts.facts(case),
        relations={
            "columns": context.columns(RELATIONS),
            "rows": context.relation_rows(comparison["relations"]),
        },
        protocol=facts.protocol(comparison),
        series=facts.series(case.run),
        provenance=facts.provenance(case),
        projection=_shown_projection(parts.projection),
        viewer=None if parts.viewer is None else {"data": parts.viewer},
        **_shown_checks(parts.checks),
    )


def _shown_projection(made: Projection | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {
        "image": drawn_from("", made.picture).image,
        "width_mm": made.width_mm,
        "height_mm": made.height_mm,
        "suv_top": made.suv_top,
        "marks": made.marks,
    }


def _shown_checks(checks: Sequence[Check]) -> dict[str, Any]:
    shown = []
    for check in checks:
        drawn = drawn_from("", check.picture)
        about = {"name": check.name, "title": check.title, "says": check.says}
        shown.append({**about, "image": drawn.image, "width": drawn.width, "height": drawn.height})
    flicker = [check for check in shown if check["name"] in FLICKERED][:2]
    if len(flicker) < 2:
        return {"flicker": [], "checks": shown}
    return {"flicker": flicker, "checks": [check for check in shown if check not in flicker]}


def _panels(rows: Sequence[Row], drawn: Mapping[str, Drawn]) -> list[dict[str, Any]]:
    names = [str(row["lesion_id"]) for row in rows]
    return [
        {
            "id": name,
            "headline": words.headline(row),
            "measures": words.measures(row),
            "because": words.because(row),
            "evidence": context.evidence(row),
            "previous": names[n - 1] if n else None,
            "next": names[n + 1] if n + 1 < len(names) else None,
            "drawn": drawn.get(name),
            "alt": _alternative(row),
        }
        for n, (name, row) in enumerate(zip(names, rows, strict=True))
    ]


def _alternative(row: Row) -> str:
    return (
        "HBP, PET, CT and PET on HBP in axial, coronal and sagittal planes through "
        f"{words.headline(row)}; {words.measures(row)}"
    )

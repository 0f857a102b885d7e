"""One study's folder: lesions.csv, relations.csv, overlays/ and report.html from disk.

The pictures are written as PNG, without loss, and stand in the page as WebP, which is a
tenth of the size; a page of 100 lesions stays below 15 MB.
"""

import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from PIL import Image as Picture

from lesionmatch.columns import LESIONS, RELATIONS, Row
from lesionmatch.report import context, words
from lesionmatch.report.case import Case, read_case
from lesionmatch.report.overlays import Scene, overlay, scene
from lesionmatch.report.page import asset, data_uri, environment, policy, write_page
from lesionmatch.report.palette import Rgb
from lesionmatch.report.projection import Projection, projection
from lesionmatch.report.tables import write_table

WEBP_QUALITY = 76

THUMBNAIL = "thumbnail.webp"
THUMBNAIL_PIXELS = 160

SCRIPTS = ("table.js", "study.js")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A lesion's picture: where it was written, and as it stands in the page."""

    file: str
    image: str
    width: int
    height: int


def render(out: Path, *, overlays: bool = True, phi: bool = False) -> None:
    """Make a study's tables, pictures and page from what is on disk in `out`.

    Without `overlays` no picture of a lesion is drawn. Names and the like are shown only
    with `phi`, and only where the comparison was told to keep them. Raises
    `NothingFound` and `InvalidInput` where `out` holds no comparison of this schema.
    """
    case = read_case(out)
    shutil.rmtree(out / "overlays", ignore_errors=True)
    drawn = _draw(case, scene(case)) if overlays else {}
    rows = [_with_overlay(row, drawn.get(str(row["lesion_id"]))) for row in case.lesions]
    write_table(out / "lesions.csv", LESIONS, rows)
    write_table(out / "relations.csv", RELATIONS, case.comparison["relations"])
    made = _projection(case)
    _write_thumbnail(out / THUMBNAIL, made)
    write_page(out / "report.html", _page(case, rows, drawn, made, phi=phi))


def _write_thumbnail(path: Path, made: Projection | None) -> None:
    """A small projection, by which a study is recognised among many."""
    path.unlink(missing_ok=True)
    if made is not None:
        small = Picture.fromarray(made.picture)
        small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
        small.convert("L").save(path, "WEBP", quality=60)


def _draw(case: Case, prepared: Scene) -> dict[str, Drawn]:
    folder = case.out / "overlays"
    folder.mkdir(exist_ok=True)
    drawn = {}
    for row in case.lesions:
        picture = overlay(prepared, row)
        if picture is not None:
            name = str(row["lesion_id"])
            image = Picture.fromarray(picture)
            image.save(folder / f"{name}.png", compress_level=1)
            drawn[name] = Drawn(f"overlays/{name}.png", webp(picture), *image.size)
    return drawn


def webp(picture: Rgb) -> str:
    """A picture as the address of an image that stands in the page."""
    buffer = io.BytesIO()
    Picture.fromarray(picture).save(buffer, "WEBP", quality=WEBP_QUALITY, method=1)
    return data_uri("image/webp", buffer.getvalue())


def _with_overlay(row: Row, drawn: Drawn | None) -> Row:
    return {**row, "overlay": None if drawn is None else drawn.file}


def _page(
    case: Case,
    rows: Sequence[Row],
    drawn: Mapping[str, Drawn],
    made: Projection | None,
    *,
    phi: bool,
) -> str:
    comparison = case.comparison
    templates = environment()
    style = (
        templates.get_template("style.css").render() + templates.get_template("study.css").render()
    )
    script = asset(*SCRIPTS)
    identity = comparison.get("phi") or {} if phi else {}
    return templates.get_template("report.html.j2").render(
        title="Liver: PET/CT against MRI",
        policy=policy(style=style, script=script),
        style=Markup(style),
        script=script,
        identity=list(identity.items()),
        call=context.call(comparison),
        doubts=context.doubts(comparison),
        summary=context.summary(comparison),
        listed=context.disagreements(rows),
        projection=_shown_projection(made),
        columns=context.columns(LESIONS),
        choices=context.choices(rows),
        rows=context.lesion_rows(rows),
        panels=_panels(rows, drawn),
        viewer=None,
        checks=None,
        assumptions=comparison.get("assumptions") or [],
        facts=context.facts(case),
        relations={
            "columns": context.columns(RELATIONS),
            "rows": context.relation_rows(comparison["relations"]),
        },
        protocol=context.protocol(comparison),
        series=context.series(case.run),
        provenance=context.provenance(case),
    )


def _projection(case: Case) -> Projection | None:
    suv = case.images.whole_suv
    if suv is None:
        return None
    liver_suv = float(case.comparison["liver"].get("suv_mean") or 5.0)
    return projection(suv, case.images.liver, case.lesions, liver_suv)


def _shown_projection(made: Projection | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {
        "image": webp(made.picture),
        "width_mm": made.width_mm,
        "height_mm": made.height_mm,
        "suv_top": made.suv_top,
        "marks": made.marks,
    }


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
            **_image(row, drawn.get(name)),
        }
        for n, (name, row) in enumerate(zip(names, rows, strict=True))
    ]


def _image(row: Row, drawn: Drawn | None) -> dict[str, Any]:
    if drawn is None:
        return {"image": None}
    alt = (
        f"HBP, PET, CT and PET on HBP in axial, coronal and sagittal planes through "
        f"{words.headline(row)}; {words.measures(row)}"
    )
    return {
        "image": drawn.image,
        "file": drawn.file,
        "width": drawn.width,
        "height": drawn.height,
        "alt": alt,
    }

"""One study's folder: lesions.csv, relations.csv, overlays/ and report.html from disk.

The pictures are written as PNG, without loss, and stand in the page as WebP, which is a
tenth of the size; a page of 100 lesions stays below 15 MB.
"""

import shutil
from pathlib import Path

from PIL import Image as Picture

from lesionmatch.columns import LESIONS, RELATIONS, Row
from lesionmatch.output import write_text
from lesionmatch.report.case import Case, read_case
from lesionmatch.report.checks import checks
from lesionmatch.report.overlays import HEAD, Scene, overlay, scene
from lesionmatch.report.projection import Projection, projection
from lesionmatch.report.study_page import Drawn, Parts, drawn_from, study_page
from lesionmatch.report.tables import write_table
from lesionmatch.report.viewer import viewer_data

THUMBNAIL = "thumbnail.webp"
THUMBNAIL_PIXELS = 160


def render_study(out: Path, *, overlays: bool, phi: bool) -> None:
    """See `lesionmatch.report.render`."""
    case = read_case(out)
    prepared = scene(case)
    shutil.rmtree(out / "overlays", ignore_errors=True)
    drawn = _draw(case, prepared) if overlays else {}
    rows = [_with_overlay(row, drawn.get(str(row["lesion_id"]))) for row in case.lesions]
    write_table(out / "lesions.csv", LESIONS, rows)
    write_table(out / "relations.csv", RELATIONS, case.comparison["relations"])
    made = _projection(case)
    _write_thumbnail(out / THUMBNAIL, made)
    parts = Parts(drawn, made, checks(prepared), viewer_data(case, prepared))
    write_text(out / "report.html", study_page(case, rows, parts, phi=phi))


def _draw(case: Case, prepared: Scene) -> dict[str, Drawn]:
    folder = case.out / "overlays"
    folder.mkdir(exist_ok=True)
    drawn = {}
    for row in case.lesions:
        picture = overlay(prepared, row)
        if picture is not None:
            name = str(row["lesion_id"])
            Picture.fromarray(picture).save(folder / f"{name}.png", compress_level=1)
            # The page says above the picture, as text, what the file says in its head.
            drawn[name] = drawn_from(f"overlays/{name}.png", picture[HEAD:])
    return drawn


def _with_overlay(row: Row, drawn: Drawn | None) -> Row:
    return {**row, "overlay": None if drawn is None else drawn.file}


def _projection(case: Case) -> Projection | None:
    suv = case.images.whole_suv
    if suv is None:
        return None
    liver_suv = float(case.comparison["liver"].get("suv_mean") or 5.0)
    return projection(suv, case.images.liver, case.lesions, liver_suv)


def _write_thumbnail(path: Path, made: Projection | None) -> None:
    """A small projection, by which a study is recognised among many."""
    path.unlink(missing_ok=True)
    if made is not None:
        small = Picture.fromarray(made.picture)
        small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
        small.convert("L").save(path, "WEBP", quality=60)

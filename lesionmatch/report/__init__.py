"""From what a comparison left on disk to tables, pictures and pages.

`render` makes a study's tables, pictures and page; `index` the overview of a batch;
`render_again` all of it, for whichever of the two a folder holds. Nothing here computes a
result.

What draws is imported where it is called, so that the pages of statistics load no images.
"""

from pathlib import Path

from lesionmatch.errors import NothingFound


def render(out: Path, *, overlays: bool = True, phi: bool = False) -> None:
    """Make a study's tables, pictures and page from what is on disk in `out`.

    Without `overlays` no picture of a lesion is drawn. Names and the like are shown only
    with `phi`, and only where the comparison was told to keep them. Raises
    `NothingFound` and `InvalidInput` where `out` holds no comparison of this schema.
    """
    from lesionmatch.report.study import render_study

    render_study(out, overlays=overlays, phi=phi)


def index(out: Path) -> None:
    """Write OUT/index.html of a batch from calls.csv, failures.csv and the case folders."""
    from lesionmatch.report.overview import write_index

    write_index(out)


def render_again(out: Path, *, overlays: bool = True, phi: bool = False) -> None:
    """Make all tables, pictures and pages of a study or of a batch from what is on disk.

    Raises `NothingFound` where `out` holds neither.
    """
    if (out / "comparison.json").is_file():
        render(out, overlays=overlays, phi=phi)
        return
    cases = sorted(path.parent for path in out.glob("studies/*/comparison.json"))
    if not cases and not (out / "calls.csv").is_file():
        raise NothingFound(
            f"{out.name}: wanted a comparison.json or a batch's studies, got neither; "
            "give the folder that compare or batch wrote"
        )
    for case in cases:
        render(case, overlays=overlays, phi=phi)
    index(out)

"""From what a comparison left on disk to tables, pictures and pages.

`render` makes a study's tables, pictures and page; `index` the overview of a batch;
`render_again` all of it, for whichever of the two a folder holds. Nothing here computes a
result.

What draws is imported where it is called, so that the pages of statistics load no images.
"""

from pathlib import Path

from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.progress import Tally


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


def render_again(
    out: Path, *, overlays: bool = True, phi: bool = False, is_quiet: bool = True
) -> Path:
    """Make all tables, pictures and pages of a study or of a batch from what is on disk.

    Returns the page to open. A study that cannot be read does not stop the others. Raises
    `NothingFound` where `out` holds neither, and `InvalidInput` where some could not be read.
    """
    if (out / "comparison.json").is_file():
        render(out, overlays=overlays, phi=phi)
        return out / "report.html"
    cases = sorted(path.parent for path in out.glob("studies/*/comparison.json"))
    if not cases and not (out / "calls.csv").is_file():
        raise NothingFound(
            f"{out.name}: wanted a comparison.json or a batch's studies, got neither; "
            "give the folder that compare or batch wrote"
        )
    tally = Tally(len(cases), is_quiet=is_quiet)
    with tally.shown():
        for case in cases:
            tally.add(case.name, _error(case, overlays=overlays, phi=phi))
    index(out)
    if tally.failed:
        raise InvalidInput(
            f"{out.name}: wanted studies that can be read, got {tally.failed} of {len(cases)} that "
            "cannot; run the batch again"
        )
    return out / "index.html"


def _error(case: Path, *, overlays: bool, phi: bool) -> str | None:
    """Render a study; what its comparison lacks, in a sentence, where it cannot be."""
    try:
        render(case, overlays=overlays, phi=phi)
    except InvalidInput as error:
        return str(error)
    return None

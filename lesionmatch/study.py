"""One study from two folders to a finished output folder: compare, record, draw."""

import os
from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from lesionmatch import record, report
from lesionmatch.compare import Options, compare
from lesionmatch.errors import UnusableOutput
from lesionmatch.output import make_folders, replaced, require_apart
from lesionmatch.progress import Progress
from lesionmatch.resample import is_utf8

OURS = ("images", "overlays", "transforms")
"""Folders of an earlier comparison that do not outlive it where this one makes none."""
WRITTEN = (*OURS, "lesions.csv", "relations.csv", "report.html", "run.json", "thumbnail.webp")
"""What takes the place of what is called so; of an earlier comparison alone."""


def run_study(
    pet: Sequence[Path], mri: Sequence[Path], out: Path, options: Options, progress: Progress
) -> int:
    """Compare one study and write all of design's outputs to `out`.

    Returns 0, or 1 where a quality gate asks for a person's eye. Raises a
    `LesionMatchError` where the input or the output cannot be used; nothing of an earlier
    result in `out` is lost by that.
    """
    _require_usable(out, [*pet, *mri])
    # Linear algebra adds in another order on other numbers of threads; what is large here
    # runs in ITK's, which does not.
    with threadpool_limits(1):
        comparison = compare(pet, mri, options, progress)
    with replaced(out, OURS) as draft:
        with progress.stage("writing"):
            record.write(comparison, draft)
            record.write_run(comparison, draft, progress.seconds)
        with progress.stage("drawing"):
            report.render(draft, overlays=options.overlays, phi=options.phi)
        record.write_run(comparison, draft, progress.seconds)
    return 0 if comparison.is_trusted else 1


def _require_usable(out: Path, inputs: Sequence[Path]) -> None:
    """Make `out`.

    Raises `UnusableOutput` where it lies in an input, cannot be written, or holds what is not
    ours, and for a name that is no UTF-8, at which ITK ends the process.
    """
    require_apart(out, inputs)
    if not is_utf8(out):
        raise UnusableOutput(
            f"-o {out}: wanted a path in UTF-8, got one in another encoding; choose another"
        )
    make_folders(out)
    if not os.access(out, os.W_OK | os.X_OK):
        raise UnusableOutput(f"-o {out}: wanted a folder that can be written, got one that cannot")
    others = [name for name in WRITTEN if (out / name).exists()]
    if others and not (out / "comparison.json").exists():
        raise UnusableOutput(
            f"-o {out}: wanted an empty folder or that of an earlier comparison, got one with "
            f"{', '.join(others)} of something else; choose another"
        )

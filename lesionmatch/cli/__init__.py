"""The command line: `parser` knows the words, `verbs` calls the library."""

import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper

from lesionmatch.cli.parser import parser
from lesionmatch.errors import LesionMatchError

DEFECT = 70
"""Exit status of an error in the program itself, as systems number it (EX_SOFTWARE)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``lesionmatch``.

    Returns 0 when done; 1 when done and a quality gate asks for a person's eye; 2 when the
    input cannot be used; 3 when a batch finished with some studies failed; `DEFECT` after what
    nobody foresaw, so that no script takes it for a doubt, which Python's own status is.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What a terminal's alphabet lacks is written by its number, and stops nothing.
            stream.reconfigure(errors="backslashreplace")
    args = parser().parse_args(argv)
    # Loaded after parsing, so that --help and a mistyped option answer at once.
    from lesionmatch.cli import verbs

    try:
        return int(getattr(verbs, args.verb)(args))
    except (Exception, KeyboardInterrupt) as error:
        return _told(error)


def _told(error: BaseException) -> int:
    """Say on stderr what stopped a verb; its exit status."""
    match error:
        case LesionMatchError():
            said, status = str(error), 2
        case KeyboardInterrupt():
            said, status = "stopped", 130
        case BrokenPipeError():
            # The reader of our output has left, as `| head` does; there is nobody to tell.
            sys.stderr.close()
            return 141
        case OSError():
            # A path that is closed to us or too long, or a disk that went away.
            said, status = (
                (
                    f"{error.filename or 'a file'}: wanted a path that can be used, got "
                    f"{error.strerror}; check it and the rights to it"
                ),
                2,
            )
        case _:
            traceback.print_exception(error)
            said, status = f"a defect, not your input: {type(error).__name__}", DEFECT
    print(f"lesionmatch: {said}", file=sys.stderr)
    return status

"""Everything lesionmatch refuses, and why.

LesionMatchError              caught by the command line; anything else is our bug
├── InvalidInput              the files: mend them or choose others          (ValueError)
│   ├── MissingAttribute      a DICOM attribute the method needs
│   ├── BrokenFile            a file that is cut short or damaged
│   ├── InconsistentSeries    slices that do not make one volume
│   ├── AmbiguousSeries       several series would do, and a person must choose
│   └── NothingFound          a folder without what was looked for
├── InvalidOption             an option or protocol value that cannot be     (ValueError)
├── UnusableOutput            the place to write to                          (OSError)
├── FrameMismatch             points of different frames met                 (ValueError)
├── InvalidGeometry           a grid or transform that cannot exist          (ValueError)
├── WrongQuantity             e.g. counts where SUV is wanted                (ValueError)
└── RegistrationFailed        no alignment could be had at all               (RuntimeError)

A message is one line: ``what: wanted this, got that; remedy``. It carries UIDs and
values, never a name, a date of birth or a patient's identifier.
"""


class LesionMatchError(Exception):
    """What lesionmatch refuses; the message says what, wanted, got, remedy."""


class InvalidInput(LesionMatchError, ValueError):
    """Files that cannot be used as they are."""


class MissingAttribute(InvalidInput):
    """A DICOM attribute the method needs is absent or empty."""


class BrokenFile(InvalidInput):
    """A file that is cut short or damaged."""


class InconsistentSeries(InvalidInput):
    """Slices that do not make one volume."""


class AmbiguousSeries(InvalidInput):
    """Several series would do, and a person must choose."""


class NothingFound(InvalidInput):
    """A folder without what was looked for."""


class InvalidOption(LesionMatchError, ValueError):
    """An option or a protocol value that cannot be."""


class UnusableOutput(LesionMatchError, OSError):
    """The output folder cannot be written, or lies where it must not."""


class FrameMismatch(LesionMatchError, ValueError):
    """Points of different frames of reference met."""

    def __init__(self, where: str, wanted: str, got: str) -> None:
        super().__init__(
            f"{where}: wanted frame of reference {wanted}, got {got}; "
            "map the points with a registration first"
        )
        self.wanted = wanted
        self.got = got


class InvalidGeometry(LesionMatchError, ValueError):
    """A grid or a transform that cannot exist."""


class WrongQuantity(LesionMatchError, ValueError):
    """An image of one quantity where another is wanted."""


class RegistrationFailed(LesionMatchError, RuntimeError):
    """No alignment of the two studies could be had at all."""

"""One image plane: where it lies, and what tells it from others at the same place."""

from dataclasses import dataclass

from lesionmatch.dicom.instance import Instance
from lesionmatch.dicom.values import numbers, tag_of, words
from lesionmatch.errors import InvalidInput

POSITION = tag_of("ImagePositionPatient")
ORIENTATION = tag_of("ImageOrientationPatient")
SPACING = tag_of("PixelSpacing")
ROWS, COLUMNS = tag_of("Rows"), tag_of("Columns")
FRAME = tag_of("FrameOfReferenceUID")

SPLITTERS = (
    "ImageType",
    "EchoTime",
    "EchoNumbers",
    "TemporalPositionIdentifier",
    "AcquisitionNumber",
    "DiffusionBValue",
    "ComplexImageComponent",
    "TriggerTime",
    "InversionTime",
    "FlipAngle",
    "ContrastBolusAgent",
    "AcquisitionTime",
    "FrameReferenceTime",
    "ContentTime",
    "SeriesTime",
)
"""Attributes that may tell volumes of one series apart, the most telling first."""
SPLITTER_TAGS = tuple((name, tag_of(name)) for name in SPLITTERS)


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A two-dimensional image: an instance, or a frame of one."""

    instance: Instance
    index: int
    """Number of the frame in the instance, from 0."""
    shape: tuple[int, int]
    """(rows, columns)."""
    position_mm: tuple[float, ...] | None
    """Centre of the first pixel, LPS; None where the header has none."""
    orientation: tuple[float, ...] | None
    """Direction in which the column index grows, then the row index; unit vectors."""
    spacing_mm: tuple[float, ...] | None
    """Between rows, between columns."""
    frame_uid: str
    splitters: tuple[tuple[str, str], ...] | None = None
    """For frames of an enhanced file; None: in the header of the instance."""
    slope: float | None = None
    intercept: float | None = None

    def splitter(self, name: str) -> str:
        """The value of one of `SPLITTERS`, empty where it is absent."""
        if self.splitters is not None:
            return dict(self.splitters).get(name, "")
        return "\\".join(words(self.instance.dataset, name))


def plane_of(instance: Instance) -> Plane:
    """The plane of a single-frame instance. Raises `InvalidInput` where numbers are malformed."""
    dataset = instance.dataset
    return Plane(
        instance=instance,
        index=0,
        shape=pixel_shape(instance),
        position_mm=_several(instance, POSITION, 3),
        orientation=_several(instance, ORIENTATION, 6),
        spacing_mm=_several(instance, SPACING, 2),
        frame_uid="\\".join(words(dataset, FRAME)),
    )


def pixel_shape(instance: Instance) -> tuple[int, int]:
    """(rows, columns) of an instance; zeros where the header has none."""
    rows = numbers(instance.dataset, ROWS)
    columns = numbers(instance.dataset, COLUMNS)
    return (int(rows[0]) if rows else 0, int(columns[0]) if columns else 0)


def _several(instance: Instance, tag: object, count: int) -> tuple[float, ...] | None:
    found = numbers(instance.dataset, tag)  # type: ignore[arg-type]
    if found is not None and len(found) != count:
        raise InvalidInput(
            f"series {'/'.join(words(instance.dataset, 'SeriesInstanceUID'))}: wanted {count} "
            f"numbers in {tag}, got {len(found)}; mend the header or leave the series out"
        )
    return found

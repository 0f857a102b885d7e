"""One image plane: where it lies, and what tells it from others at the same place."""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.values import number, numbers, text, where, words
from lesionmatch.errors import InvalidInput

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

FARTHEST_MM = 5000.0
"""No scanner's frame of reference reaches farther."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A two-dimensional image: an instance, or a frame of one."""

    instance: Instance
    header: Dataset
    """Of the instance, or of the frame as a classic image would have it."""
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

    def splitter(self, name: str) -> str:
        """The value of one of `SPLITTERS`, empty where it is absent."""
        return "\\".join(words(self.header, name))


def plane_of(instance: Instance, header: Dataset | None = None, index: int = 0) -> Plane:
    """A plane from the header of its instance, or of its own; without a place where the file ends
    before its pixels. Raises `InvalidInput`."""
    header = instance.dataset if header is None else header
    if not instance.has_pixels:
        return Plane(instance, header, index, (0, 0), None, None, None, "")
    return Plane(
        instance=instance,
        header=header,
        index=index,
        shape=pixel_shape(header),
        position_mm=_several(header, "ImagePositionPatient", 3),
        orientation=_several(header, "ImageOrientationPatient", 6),
        spacing_mm=_several(header, "PixelSpacing", 2),
        frame_uid=text(header, "FrameOfReferenceUID"),
    )


def pixel_shape(header: Dataset) -> tuple[int, int]:
    """(rows, columns); zeros where the header has none."""
    return int(number(header, "Rows") or 0), int(number(header, "Columns") or 0)


def _several(header: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    found = numbers(header, keyword)
    if found is not None and len(found) != count:
        raise InvalidInput(
            f"{where(header)}: wanted {count} numbers in {keyword}, got {len(found)}; "
            "mend the header or leave the series out"
        )
    return found

"""What the slices of one series must say alike, and which of their headers speaks for them.

A file that was damaged or does not belong contradicts its neighbours. A series is described
by a header that another slice bears out; one that is used is refused where any two slices
disagree in what its numbers depend on.
"""

from collections import Counter
from collections.abc import Sequence

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import number, text
from lesionmatch.errors import InconsistentSeries, InvalidInput

PIXELS = (
    "SOPClassUID", "Modality", "StudyInstanceUID", "SamplesPerPixel", "PhotometricInterpretation",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PatientID", "PatientBirthDate", "PatientSex",
)  # fmt: skip
"""Of every image."""
CT = ("RescaleSlope", "RescaleIntercept", "RescaleType")
TELLING = (
    "SOPClassUID", "Modality", "SeriesDescription", "ProtocolName", "SequenceName", "SeriesNumber",
    "ImageType", "BurnedInAnnotation", "FrameOfReferenceUID", "PatientID", "PatientBirthDate",
    "PatientSex", "SeriesType", "CorrectedImage", "AttenuationCorrected", "NumberOfTimeSlices",
    "ConvolutionKernel", "ReconstructionMethod", "ScanningSequence", "MRAcquisitionType",
    "ScanOptions", "ContrastBolusAgent", "ContrastBolusStartTime", "RepetitionTime", "EchoTime",
)  # fmt: skip
"""What decides what a series is taken for."""
FEWEST_TO_TELL = 4
"""Of fewer slices none is odd."""


def speaker(headers: Sequence[Dataset]) -> Dataset:
    """The header that a series is described by: the first, unless two others outvote it."""
    first, middle, last = headers[0], headers[len(headers) // 2], headers[-1]
    if len(headers) < 3 or _said(first) in (_said(middle), _said(last)):
        return first
    return middle if _said(middle) == _said(last) else first


def _said(header: Dataset) -> tuple[str, ...]:
    return tuple(text(header, keyword) for keyword in TELLING)


def require_agreement(headers: Sequence[Dataset], keywords: Sequence[str], what: str) -> None:
    """Raise `InconsistentSeries`, naming the attribute, where two slices differ in one."""
    for keyword in keywords:
        if len({text(header, keyword) for header in headers}) > 1:
            raise contradiction(keyword, what)


def contradiction(keyword: str, what: str) -> InconsistentSeries:
    """The refusal of slices that differ in an attribute."""
    return InconsistentSeries(
        f"{what}: wanted one value of {keyword} in all slices, got several; a file is damaged or "
        "of another study, export the series again"
    )


def require_sane_slopes(headers: Sequence[Dataset], what: str) -> None:
    """Raise `InconsistentSeries` where a slope is not positive, missing in some slices, or alone
    in differing from all others: slopes are one for all slices or each slice's own."""
    slopes = [number(header, "RescaleSlope") for header in headers]
    found = [slope for slope in slopes if slope is not None]
    if found and (len(found) < len(slopes) or min(found) <= 0.0):
        got = f"{min(found):g}" if min(found) <= 0.0 else f"{len(slopes) - len(found)} without"
        raise InconsistentSeries(
            f"{what}: wanted a positive RescaleSlope in every slice, got {got}; "
            "export the series again"
        )
    if _has_one_odd(slopes):
        raise contradiction("RescaleSlope", what)


def _has_one_odd(values: Sequence[float | None]) -> bool:
    """Whether one value alone differs from all others, which are the same."""
    counts = Counter(values)
    return len(values) >= FEWEST_TO_TELL and len(counts) == 2 and min(counts.values()) == 1


def require_sane_intercepts(headers: Sequence[Dataset], what: str) -> None:
    """Raise `InvalidInput` where an intercept is beyond all that stored values can reach, or alone
    in differing from all others."""
    if _has_one_odd([number(header, "RescaleIntercept") for header in headers]):
        raise contradiction("RescaleIntercept", what)
    for header in headers:
        intercept = number(header, "RescaleIntercept") or 0.0
        bits = min(number(header, "BitsAllocated") or 16.0, 32.0)
        reach = (number(header, "RescaleSlope") or 1.0) * 2.0**bits
        if abs(intercept) > reach:
            raise InvalidInput(
                f"{what}: wanted a RescaleIntercept within the range of the pixels, {reach:g}, got "
                f"{intercept:g}; export the series again"
            )

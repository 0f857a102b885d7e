"""What was injected, as the headers of a PET series tell it, and that they all tell the same."""

from collections.abc import Sequence

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import items, text
from lesionmatch.dicom.series.agreement import contradiction
from lesionmatch.dicom.series.nuclide import nuclide_of

AGENT = (
    "RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
)  # fmt: skip
"""Of the radiopharmaceutical."""


def require_one_agent(headers: Sequence[Dataset], what: str) -> None:
    """Raise `InconsistentSeries` where two slices differ in the dose and what belongs to it."""
    first = _agent(headers[0])
    for header in headers[1:]:
        for keyword, one, other in zip((*AGENT, "nuclide"), first, _agent(header), strict=True):
            if one != other:
                raise contradiction(keyword, what)


def _agent(header: Dataset) -> tuple[str | None, ...]:
    agents = items(header, "RadiopharmaceuticalInformationSequence")
    if not agents:
        return (None,) * (len(AGENT) + 1)
    return (*(text(agents[0], keyword) for keyword in AGENT), nuclide_of(agents[0]))

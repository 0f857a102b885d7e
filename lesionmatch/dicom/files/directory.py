"""What a DICOMDIR lists: which files make each series.

Files are found by looking, not by the index, so moved and renamed ones are found too. The
index is only asked what should be there.
"""

from collections.abc import Iterator, Mapping

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import items, number, text

FILE_NAME = "DICOMDIR"
Listed = Mapping[str, Mapping[str, str]]
"""By series UID, the file ID of each SOP Instance UID."""


def is_index(dataset: Dataset) -> bool:
    """Whether a file is a DICOMDIR, whatever it is called."""
    return "DirectoryRecordSequence" in dataset


def listed(dataset: Dataset) -> dict[str, dict[str, str]]:
    """The files of each series by a DICOMDIR; what its links do not lead to is left out."""
    at = {
        int(place): item
        for item in items(dataset, "DirectoryRecordSequence")
        if (place := getattr(item, "seq_item_tell", None)) is not None
    }
    found: dict[str, dict[str, str]] = {}
    for record in at.values():
        uid = text(record, "SeriesInstanceUID")
        if text(record, "DirectoryRecordType").upper() != "SERIES" or not uid:
            continue
        files = found.setdefault(uid, {})
        for image in _chain(record, at):
            instance = text(image, "ReferencedSOPInstanceUIDInFile")
            if instance:
                files[instance] = text(image, "ReferencedFileID").replace("\\", "/")
    return found


def _chain(record: Dataset, at: Mapping[int, Dataset]) -> Iterator[Dataset]:
    """The records below one, by its link to the first and theirs to the next."""
    seen: set[int] = set()
    place = _link(record, "OffsetOfReferencedLowerLevelDirectoryEntity")
    while place in at and place not in seen:
        seen.add(place)
        yield at[place]
        place = _link(at[place], "OffsetOfTheNextDirectoryRecord")


def _link(record: Dataset, keyword: str) -> int:
    return int(number(record, keyword) or 0)

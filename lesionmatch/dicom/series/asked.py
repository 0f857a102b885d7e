"""What a person named, held against what there is; and what there is instead."""

from collections.abc import Sequence
from pathlib import Path

from lesionmatch.dicom.series.classify import IMAGES
from lesionmatch.dicom.series.patient import listed
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.errors import AmbiguousSeries, NothingFound
from lesionmatch.wording import enumerated


def require_dicom(inventory: Inventory, paths: Sequence[Path]) -> None:
    """Raise `NothingFound` where there is no DICOM file at all."""
    if not inventory.series:
        reasons = ", ".join(f"{count} {why}" for why, count in inventory.skipped.items())
        shown = " ".join(str(path) for path in paths)
        raise NothingFound(
            f"{shown}: wanted DICOM files, got none ({reasons or 'an index or label files only'}); "
            "name the folder the PACS exported"
        )


def asked_for(series: Sequence[SeriesRecord], key: str, option: str) -> SeriesRecord:
    """The record that an option names. Raises `NothingFound` or `AmbiguousSeries`."""
    found = [record for record in series if key in (record.key, record.uid)]
    if not found:
        raise NothingFound(
            f"{option} {key}: wanted one of {listed(series) or 'no series at all'}, got another"
        )
    if len(found) > 1:
        raise AmbiguousSeries(f"{option} {key}: wanted one volume, got several: {listed(found)}")
    return found[0]


def instead(inventory: Inventory) -> str:
    """The kinds of images there are, for a message that misses one: folders may be swapped."""
    kinds = {record.modality for record in inventory.series} & set(IMAGES.values())
    return f"only {enumerated(sorted(kinds))}" if kinds else "none"

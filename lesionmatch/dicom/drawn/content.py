"""What one file of a segmentation yields."""

from collections.abc import Sequence
from dataclasses import dataclass

from lesionmatch.segments import Kind, Segment, Structure


@dataclass(frozen=True, slots=True, eq=False)
class FromFile:
    """The segments of one file that hold a voxel, and what there is to say about the rest."""

    segments: tuple[Segment, ...]
    notes: tuple[str, ...]
    is_about_lesions: bool
    """Whether the file says which lesions there are, if only that there are none."""


def is_about_lesions(meanings: Sequence[Kind | Structure]) -> bool:
    """Whether segments of these meanings, empty ones too, speak of lesions; none at all do."""
    return not meanings or any(isinstance(meaning, Kind) for meaning in meanings)

"""NIfTI and NRRD label maps as segments.

Such a file has no frame of reference. It belongs to the series whose voxels are its own; a
file of other voxels is taken for one of the MRI's frame if it lies where the MRI lies, and
for one of the PET/CT's if it lies there and nowhere on the MRI.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lesionmatch import nifti
from lesionmatch.dicom.drawn.content import FromFile, is_about_lesions
from lesionmatch.dicom.files.sources import LABEL_SUFFIXES, Source
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import LabelMap, Mask
from lesionmatch.nifti import LabelName, LabelVolume
from lesionmatch.protocol import InputLimits
from lesionmatch.segments import (
    TOTAL_SEGMENTATOR_CT,
    TOTAL_SEGMENTATOR_MR,
    Kind,
    Segment,
    Structure,
    meaning_of,
)

MOST_LABELS = 256
"""More different values make an image, not labels; TotalSegmentator has 117."""
MANY_LABELS = 20
"""From here on, unnamed labels with 5 among them are TotalSegmentator's."""
SAME_GRID_MM = 0.1
"""NIfTI keeps places in 32 bits: 1 m is then right to 0.1 um, but tools round more."""
LEAST_SHARED = 0.5
"""A file of other voxels has at least this share of its extent where the images are."""
TOTAL = re.compile(r"total ?seg|\btotal\b")


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A grid that a label file may belong to."""

    grid: Grid
    is_mr: bool


def read_label_file(
    source: Source, hbp: Grid, places: Sequence[Place], limits: InputLimits
) -> FromFile:
    """The labels of a file as segments in the frame it belongs to. Raises `InvalidInput`."""
    with source.open() as file:
        volume = nifti.read_label_volume(file, source.name, limits=limits)
    found = np.unique(np.concatenate([np.unique(layer.array) for layer in volume.layers]))
    if len(found) > MOST_LABELS:
        raise InvalidInput(
            f"label file: wanted at most {MOST_LABELS} labels, got {len(found)} different values; "
            "is it an image?"
        )
    place, notes = _place(volume.layers[0].grid, hbp, places)
    meanings, segments = [], []
    for n, layer in enumerate(volume.layers):
        for label in np.unique(layer.array)[np.unique(layer.array) > 0]:
            named = _named(volume, n, int(label), source, is_mr=place.is_mr, count=len(found))
            meanings.append(named[1])
            segments.append(_segment(layer, int(label), named, place.grid.frame))
    if not segments:
        meanings = [_meaning_of_stem(stem_of(source))]
        notes = [*notes, "a label file is empty: nothing was drawn"]
    return FromFile(tuple(segments), tuple(notes), is_about_lesions(meanings))


def stem_of(source: Source) -> str:
    """A file's name without what says its format."""
    name = source.name
    suffixes = sorted(LABEL_SUFFIXES, key=len, reverse=True)
    found = next((suffix for suffix in suffixes if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(found)]


def _meaning_of_stem(stem: str) -> Kind | Structure:
    return meaning_of(stem)


def _segment(
    layer: LabelMap, label: int, named: tuple[str, Kind | Structure], frame: Frame
) -> Segment:
    grid = Grid(frame, layer.grid.shape, layer.grid.world_from_voxel)
    mask = Mask(grid, layer.array == label).trimmed()
    return Segment(named[0], named[1], mask, f"label {label}")


def _named(
    volume: LabelVolume, layer: int, label: int, source: Source, *, is_mr: bool, count: int
) -> tuple[str, Kind | Structure]:
    """What a label is called and depicts: by the file's own name for it, by TotalSegmentator's
    numbers, or by the name of the file."""
    name = volume.names.get((layer, label), LabelName(""))
    if name.name or name.codes:
        return name.name or str(label), meaning_of(name.name, name.codes)
    stem = stem_of(source)
    plain = " ".join(re.sub(r"[_\-.]+", " ", stem.lower()).split())
    if TOTAL.search(plain) or (not volume.names and count > MANY_LABELS):
        table = TOTAL_SEGMENTATOR_MR if is_mr or "mr" in plain.split() else TOTAL_SEGMENTATOR_CT
        found = table.get(label, Structure.OTHER)
        return f"{found.value} {label}", found
    return f"label {label}", _meaning_of_stem(stem)


def _place(grid: Grid, hbp: Grid, places: Sequence[Place]) -> tuple[Place, list[str]]:
    """The series a file belongs to. Raises `InvalidInput` where it lies elsewhere."""
    for place in (Place(hbp, True), *places):
        if same_voxels(grid, place.grid):
            return place, []
    if any(same_voxels(_mirrored(grid), place.grid) for place in (Place(hbp, True), *places)):
        raise InvalidInput(
            "label file: wanted one where its images lie, got the voxels of a series mirrored in "
            "x and y, as of a matrix in DICOM's LPS that was saved as RAS; save it with RAS"
        )
    shared = _shared(grid, hbp)
    if shared >= LEAST_SHARED:
        return Place(hbp, True), [_taken_for("MRI")]
    others = [place for place in places if place.grid.frame != hbp.frame]
    found = next((one for one in others if _shared(grid, one.grid) >= LEAST_SHARED), None)
    if found is None or shared > 0.0:
        raise InvalidInput(
            f"label file: wanted one on the voxels of a series, or where the MRI lies, got one "
            f"of which {shared:.0%} does; save it on the voxels of the images it was drawn on"
        )
    return found, [_taken_for("PET/CT")]


def _taken_for(images: str) -> str:
    return (
        "a label file has voxels of its own; it was taken to be in the frame of reference of "
        f"the {images}"
    )


def _mirrored(grid: Grid) -> Grid:
    """With x and y the other way round: RAS taken for LPS."""
    return Grid(grid.frame, grid.shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.world_from_voxel)


def same_voxels(one: Grid, other: Grid) -> bool:
    """Whether both have the same voxels, in any order and direction of the axes."""
    if sorted(one.shape) != sorted(other.shape):
        return False
    corners = other.corners_mm()
    apart = np.linalg.norm(one.corners_mm()[:, None] - corners[None], axis=2)
    return bool((apart.min(1) < SAME_GRID_MM).all() and (apart.min(0) < SAME_GRID_MM).all())


def _shared(grid: Grid, other: Grid) -> float:
    """The share of a grid's extent that lies in another."""
    steps = np.stack(np.meshgrid(*[np.linspace(0, n - 1, 12) for n in grid.shape]), -1)
    return float(other.contains(grid.world(steps.reshape(-1, 3))).mean())

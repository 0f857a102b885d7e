"""RT Structure Set: contours in the patient's own coordinates, made into voxels.

References to images are hints: where they dangle, the frame of reference and the places of
the contours say where these belong. Nothing drawn is lost in silence: what has no area is
the voxel that holds it, and a note says so. See `between` for slices without a contour.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lesionmatch.dicom.drawn import between
from lesionmatch.dicom.drawn.content import FromFile, is_about_lesions
from lesionmatch.dicom.drawn.contours import Region, pixels, region
from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.values import items, number, numbers, text
from lesionmatch.dicom.series.plane import FARTHEST_MM
from lesionmatch.dicom.series.stack import Stack
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Mask
from lesionmatch.segments import Code, Kind, Segment, Structure, meaning_of, names_lesion
from lesionmatch.wording import number_of, was_or_were

ON_SLICE = 0.1
"""Contours this fraction of a slice off are on it: systems round positions."""
PLANE_TOL_MM = 0.1
OWN_PIXEL_MM = 1.0
"""Of a grid of our own, where contours lie on no image."""
AREA_TYPES = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
NO_LESION = frozenset({
    "EXTERNAL", "PTV", "TREATED_VOLUME", "IRRAD_VOLUME", "BOLUS", "AVOIDANCE", "MARKER",
    "REGISTRATION", "ISOCENTER", "CONTRAST_AGENT", "CAVITY", "BRACHY_CHANNEL", "BRACHY_ACCESSORY",
    "BRACHY_SRC_APP", "BRACHY_CHNL_SHLD", "SUPPORT", "FIXATION", "DOSE_REGION", "CONTROL",
    "DOSE_MEASUREMENT",
})  # fmt: skip
"""Purposes for which nobody draws a lesion. ORGAN is not one: some systems write it for all."""
OF_POINTS = "contours of one or two points were taken as the voxel that holds them"
OF_PIXELS = "contours smaller than a voxel were taken as the voxel that holds them"
DOUBLES = "contours are drawn twice and were taken once"
OPEN_TYPES = ("OPEN_PLANAR", "OPEN_NONPLANAR")
TYPES = (*AREA_TYPES, *OPEN_TYPES, "POINT")


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """A curve or a point of a region of interest."""

    kind: str
    points_mm: NDArray[np.float64]
    images: frozenset[str]
    """SOP Instance UIDs of the images it was drawn on."""


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """A region of interest as the file has it."""

    number: int
    name: str
    frame: Frame
    codes: tuple[Code, ...]
    purpose: str
    """RT ROI Interpreted Type, such as ``GTV`` or ``EXTERNAL``; often empty or a default."""
    contours: tuple[Contour, ...]

    @property
    def meaning(self) -> Kind | Structure:
        """What it depicts: what its purpose rules out is no lesion, unless it is named one."""
        found = meaning_of(self.name, self.codes)
        is_guess = found is Kind.UNSPECIFIED and not names_lesion(self.name)
        return Structure.OTHER if is_guess and self.purpose in NO_LESION else found


def rois(dataset: Dataset, what: str) -> tuple[Roi, ...]:
    """The regions of an RTSTRUCT, those without contours too. Raises `InvalidInput`."""
    drawn = _contours(dataset)
    listed = items(dataset, "StructureSetROISequence")
    _require_described(drawn, [int(number(item, "ROINumber") or 0) for item in listed], what)
    if listed and "ROIContourSequence" not in dataset:
        raise InvalidInput(f"{what}: wanted contours of its regions, got none; export it again")
    observed = _by_roi(dataset, "RTROIObservationsSequence")
    only = frame_uids(dataset)
    found = []
    for item in listed:
        roi_number = int(number(item, "ROINumber") or 0)
        uid = text(item, "ReferencedFrameOfReferenceUID") or (only[0] if only else "")
        contours = drawn.get(roi_number, [])
        observation = observed.get(roi_number, Dataset())
        found.append(
            Roi(
                number=roi_number,
                name=text(item, "ROIName"),
                frame=Frame(uid),
                codes=_codes(observation),
                purpose=text(observation, "RTROIInterpretedType").upper(),
                contours=tuple(_contour(contour, what) for contour in contours),
            )
        )
    return tuple(found)


def _contours(dataset: Dataset) -> dict[int, list[Dataset]]:
    """All contours of each region, by its number, however often it is listed."""
    found: dict[int, list[Dataset]] = defaultdict(list)
    for item in items(dataset, "ROIContourSequence"):
        found[int(number(item, "ReferencedROINumber") or 0)] += items(item, "ContourSequence")
    return found


def _require_described(
    drawn: Mapping[int, Sequence[Dataset]], listed: Sequence[int], what: str
) -> None:
    """Raise `InvalidInput` where something is drawn of no region, or a number is of several."""
    strange = sorted(n for n, contours in drawn.items() if contours and n not in listed)
    if strange or len(set(listed)) < len(listed):
        raise InvalidInput(
            f"{what}: wanted all that is drawn to belong to one of the regions {sorted(listed)}, "
            f"got {strange or 'a number twice'}; export it again"
        )


def _by_roi(dataset: Dataset, keyword: str) -> dict[int, Dataset]:
    """The items of a sequence by the number of the region they are about."""
    return {int(number(i, "ReferencedROINumber") or 0): i for i in items(dataset, keyword)}


def frame_uids(dataset: Dataset) -> tuple[str, ...]:
    """Every frame of reference an RTSTRUCT names."""
    named = [text(dataset, "FrameOfReferenceUID")]
    named += [
        text(i, "FrameOfReferenceUID") for i in items(dataset, "ReferencedFrameOfReferenceSequence")
    ]
    named += [
        text(i, "ReferencedFrameOfReferenceUID") for i in items(dataset, "StructureSetROISequence")
    ]
    return tuple(dict.fromkeys(uid for uid in named if uid))


def _codes(observation: Dataset) -> tuple[Code, ...]:
    return tuple(
        Code(text(code, "CodingSchemeDesignator"), text(code, "CodeValue"))
        for code in items(observation, "RTROIIdentificationCodeSequence")
    )


def _contour(item: Dataset, what: str) -> Contour:
    values = numbers(item, "ContourData") or ()
    if max(map(abs, values), default=0.0) > FARTHEST_MM:
        raise InvalidInput(
            f"{what}: wanted points within {FARTHEST_MM:g} mm, got one at "
            f"{max(map(abs, values)):g} mm; export it again"
        )
    if len(values) % 3:
        raise InvalidInput(f"{what}: wanted three numbers a point in a contour, got {len(values)}")
    count, kind = number(item, "NumberOfContourPoints"), text(item, "ContourGeometricType").upper()
    if (count is None and not values) or (count is not None and 3 * int(count) != len(values)):
        raise InvalidInput(
            f"{what}: wanted a contour of {'points' if count is None else f'{count:g} points'}, "
            f"got {len(values) // 3}; the file is truncated or damaged, export it again"
        )
    if kind not in TYPES:
        raise InvalidInput(
            f"{what}: wanted contours that are one of {', '.join(TYPES)}, "
            f"got {kind or 'one of no type'}; export it again"
        )
    images = [text(i, "ReferencedSOPInstanceUID") for i in items(item, "ContourImageSequence")]
    return Contour(
        kind=kind,
        points_mm=np.array(values, np.float64).reshape(-1, 3),
        images=frozenset(uid for uid in images if uid),
    )


def read_rtstruct(
    instance: Instance,
    stacks: Sequence[Stack],
    frames: Sequence[Frame],
    what: str,
    *,
    between_mm: float,
) -> FromFile:
    """The regions of an RTSTRUCT drawn in one of `frames`, and notes on what else there is.

    Contours at most `between_mm` apart may be filled in between. Raises `InvalidInput` where the
    file is malformed.
    """
    found, notes = [], []
    every = rois(instance.dataset, what)
    for roi in every:
        name = f"{what} ROI {roi.number}"
        if roi.frame not in frames:
            notes.append(f"{name} is drawn in another frame of reference and was set aside")
            continue
        near = [stack for stack in stacks if stack.grid.frame == roi.frame]
        segment, more = _segment(roi, near, name, between_mm)
        notes += more
        found += [] if segment is None else [segment]
    if not every:
        notes.append(f"{what} holds no region: nothing was drawn")
    about = is_about_lesions([roi.meaning for roi in every])
    return FromFile(tuple(found), tuple(notes), about)


def _segment(
    roi: Roi, stacks: Sequence[Stack], name: str, between_mm: float
) -> tuple[Segment | None, list[str]]:
    drawn = [contour for contour in roi.contours if len(contour.points_mm)]
    contours = [contour for contour in drawn if contour.kind not in OPEN_TYPES]
    open_ones = len(drawn) - len(contours)
    said = f"{name}: {number_of(open_ones, 'open contour')} {was_or_were(open_ones)} left out"
    notes = [said] if open_ones else []
    if not contours:
        return None, [*notes, f"{name} holds no contour"]
    grid = _grid(contours, stacks, roi.frame, name, between_mm)
    mask, more = _mask(contours, grid, name, between_mm)
    return Segment(roi.name, roi.meaning, mask, f"RTSTRUCT ROI {roi.number}"), [*notes, *more]


def _grid(
    contours: Sequence[Contour],
    stacks: Sequence[Stack],
    frame: Frame,
    name: str,
    between_mm: float,
) -> Grid:
    """The grid the contours lie on: of the images they refer to, else of images whose slices
    they lie in, else one of our own through them."""
    images = frozenset[str]().union(*(contour.images for contour in contours))
    referred = [s for s in stacks if any(plane.instance.uid in images for plane in s.planes)]
    for stack in (*referred, *stacks):
        if _lie_on(contours, stack.grid):
            return stack.grid
    return _own_grid(contours, stacks, frame, name, between_mm)


def _lie_on(contours: Sequence[Contour], grid: Grid) -> bool:
    along = [grid.voxels(contour.points_mm)[:, 0] for contour in contours]
    return all(
        np.ptp(slices) < 2 * ON_SLICE
        and abs(slices.mean() - round(float(slices.mean()))) < ON_SLICE
        for slices in along
    )


def _own_grid(
    contours: Sequence[Contour],
    stacks: Sequence[Stack],
    frame: Frame,
    name: str,
    between_mm: float,
) -> Grid:
    """A grid of small pixels in the contours' own planes, as far apart as these are."""
    normal = _normal(contours, name)
    places = np.unique(np.round([float((c.points_mm @ normal).mean()) for c in contours], 2))
    gaps = np.diff(places)
    # Of contours of one slice some may lie a little off, and lesions far apart.
    usual = gaps[(gaps > PLANE_TOL_MM) & (gaps <= between_mm)]
    depth = float(np.median(usual)) if len(usual) else _depth(stacks, normal)
    side = np.cross(normal, [0.0, 0.0, 1.0] if abs(normal[2]) < 0.9 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(normal, side)
    axes = np.column_stack([normal, other, side])
    points = np.concatenate([contour.points_mm for contour in contours]) @ axes
    low = np.array([places[0], *points[:, 1:].min(0) - OWN_PIXEL_MM])
    spacing = (depth, OWN_PIXEL_MM, OWN_PIXEL_MM)
    size = np.ceil((points.max(0) - low) / spacing).astype(int) + 2
    return Grid.of(
        frame, [int(n) for n in size], origin_mm=axes @ low, spacing_mm=spacing, directions=axes
    )


def _normal(contours: Sequence[Contour], name: str) -> NDArray[np.float64]:
    """Of the planes of the contours. Raises `InvalidInput` where they have no common one."""
    flat = [c.points_mm - c.points_mm.mean(0) for c in contours if len(c.points_mm) >= 3]
    if not flat:
        return np.array([0.0, 0.0, 1.0])
    _, sizes, axes = np.linalg.svd(np.concatenate(flat), full_matrices=False)
    normal = np.asarray(axes[2])
    off = max(float(np.ptp(points @ normal)) for points in flat)
    if off > PLANE_TOL_MM or sizes[1] == 0.0:
        raise InvalidInput(
            f"{name}: wanted contours in parallel planes, got points {off:.1f} mm out of them; "
            "export it again"
        )
    return normal if normal[np.abs(normal).argmax()] > 0 else -normal


def _depth(stacks: Sequence[Stack], normal: NDArray[np.float64]) -> float:
    """The distance of slices of the images along `normal`, for a region in a single plane."""
    steps = [abs(normal @ s.grid.world_from_voxel[:3, :3]).max() for s in stacks]
    return float(min(steps)) if steps else OWN_PIXEL_MM


def _mask(
    contours: Sequence[Contour], grid: Grid, name: str, between_mm: float
) -> tuple[Mask, list[str]]:
    by_slice: dict[int, list[tuple[Contour, NDArray[np.float64]]]] = defaultdict(list)
    for contour in contours:
        voxels = grid.voxels(contour.points_mm)
        by_slice[int(np.rint(voxels[:, 0].mean()))].append((contour, voxels[:, 1:]))
    drawn = [(place, *_slice(curves)) for place, curves in sorted(by_slice.items())]
    whole = _assembled([(z, found) for z, found, _ in drawn], grid)
    mask, filled, gaps = between.filled(whole, between_mm)
    dots = [(place, row, column) for place, _, few in drawn for row, column in few]
    mask, added = _with_dots(mask, dots, grid)
    regions = [found for _, found, _ in drawn if found is not None]
    said = (
        (sum(len(c.points_mm) < 3 or c.kind == "POINT" for c in contours), OF_POINTS),
        (added, OF_PIXELS),
        (sum(found.overlaps for found in regions), "pairs of contours overlap and were united"),
        (sum(found.doubles for found in regions), DOUBLES),
        (filled, "slices between contours were filled in"),
        (gaps, "gaps between contours one above the other were left open"),
    )
    return mask.trimmed(), [f"{name}: {count} {what}" for count, what in said if count]


def _slice(
    curves: Sequence[tuple[Contour, NDArray[np.float64]]],
) -> tuple[Region | None, list[tuple[float, float]]]:
    """What the curves of a slice enclose, and the middles of those that may enclose no pixel."""
    areas = [curve for contour, curve in curves if contour.kind in AREA_TYPES and len(curve) > 2]
    is_xor = any(contour.kind == "CLOSEDPLANAR_XOR" for contour, _ in curves)
    found = region(areas, all_xor=is_xor) if areas else None
    middles = [curve.mean(0) for _, curve in curves if np.ptp(curve, axis=0).min() < 1.5]
    return found, [(float(row), float(column)) for row, column in middles]


def _assembled(drawn: Sequence[tuple[int, Region | None]], grid: Grid) -> Mask:
    """Regions of slices on a grid, widened where they reach beyond it."""
    kept = [(place, found, pixels(found)) for place, found in drawn if found is not None]
    first = min((place for place, _ in drawn), default=0)
    last = max((place for place, _ in drawn), default=0)
    corners = np.array([found.corner for _, found, _ in kept] or [(0, 0)])
    ends = np.array([np.add(f.corner, f.shares.shape) for _, f, _ in kept] or [(1, 1)])
    low = np.array([min(first, 0), *np.minimum(corners.min(0), 0)])
    high = np.maximum([last + 1, *ends.max(0)], grid.shape)
    matrix = grid.world_from_voxel.copy()
    matrix[:3, 3] = grid.world(low.astype(np.float64))
    size = high - low
    array = np.zeros(size, np.bool_)
    for place, found, inside in kept:
        row, column = found.corner[0] - low[1], found.corner[1] - low[2]
        rows, columns = inside.shape
        array[place - low[0], row : row + rows, column : column + columns] |= inside
    return Mask(Grid(grid.frame, (int(size[0]), int(size[1]), int(size[2])), matrix), array)


def _with_dots(
    mask: Mask, dots: Sequence[tuple[int, float, float]], grid: Grid
) -> tuple[Mask, int]:
    """The mask with the voxel of every dot that has no voxel beside it, and how many these are."""
    array = mask.array.copy()
    added = 0
    for dot in dots:
        place = np.rint(mask.grid.voxels(grid.world(dot))).astype(int)
        place = np.clip(place, 0, np.array(array.shape) - 1)
        box = tuple(slice(max(n - 1, 0), n + 2) for n in place)
        if not array[box].any():
            array[tuple(place)] = True
            added += 1
    return Mask(mask.grid, array), added

"""The images of a comparison: on the PET's own grid, and finer around the liver.

SUV values stand on the grid they were measured on, so that a maximum read from the file is
the maximum of the scan. Pictures need finer anatomy; that lies on a grid of its own.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from lesionmatch.compare import Comparison
from lesionmatch.errors import InvalidGeometry
from lesionmatch.geometry import Grid, Transform
from lesionmatch.image import Image, LabelMap, Mask, Quantity
from lesionmatch.lesions import Carried
from lesionmatch.protocol import LesionRules
from lesionmatch.resample import PointMap, region_on, resample

DETAIL_MM = 1.5
"""Voxels of the images that pictures are drawn from: half the smallest lesion of interest."""

DETAIL_MARGIN_MM = 25.0
"""How far those images reach beyond the liver: enough to recognise the neighbours."""

DETAIL_LEVELS = 4000.0
"""Steps from nothing to the brightest voxel of an image that only pictures are drawn from."""

START_MM = 3.0
"""Voxels of the MRI before registration, which only shows what registration changed."""

ERROR_GRID_MM = 10.0
"""Spacing of the map of the registration error, which varies slowly."""


def images_of(comparison: Comparison) -> Iterator[tuple[str, Image | Mask | LabelMap]]:
    """Every image by its file name: on the PET's grid, and finer around the liver."""
    grid = comparison.pet.suv.grid
    yield "suv.nii.gz", comparison.pet.suv
    yield "liver_on_pet.nii.gz", comparison.liver_on_pet
    extents = [finding.carried.extent for finding in comparison.concordance.lesions]
    yield "lesions_on_pet.nii.gz", _labels(grid, extents)
    foci = [finding.focus.extent for finding in comparison.concordance.foci]
    yield "foci_on_pet.nii.gz", _labels(grid, foci)
    yield from _anatomy(comparison, grid, "", "_on_pet")
    if comparison.options.overlays:
        yield "registration_error.nii.gz", _error_map(comparison)
        yield from _detail(comparison, foci)


def _anatomy(
    comparison: Comparison, grid: Grid, folder: str, suffix: str
) -> Iterator[tuple[str, Image]]:
    """CT and MRI as they lie on a grid of the PET's frame."""
    ct, hbp = comparison.pet.ct, comparison.mri.hbp
    if ct is not None:
        yield f"{folder}ct.nii.gz", resample(ct, grid, outside=-1000.0)
    mri_from_pet = comparison.registration.mri_from_pet
    yield f"{folder}mri{suffix}.nii.gz", resample(hbp, grid, mri_from_pet, outside=0.0)


def _detail(
    comparison: Comparison, foci: list[Mask]
) -> Iterator[tuple[str, Image | Mask | LabelMap]]:
    """The same things on one finer grid around the liver, for pictures."""
    grid = _detail_grid(comparison)
    findings = comparison.concordance.lesions
    yield from _anatomy(comparison, grid, "detail/", "")
    hbp, start = comparison.mri.hbp, _mean_shift(comparison)
    coarse = grid.with_spacing(START_MM)
    yield "detail/mri_start.nii.gz", resample(hbp, coarse, start, outside=0.0)
    yield (
        "detail/suv.nii.gz",
        resample(comparison.pet.suv, grid, outside=0.0, interpolation="cubic"),
    )
    liver = region_on(grid, comparison.liver.mask, comparison.registration.mri_from_pet)
    yield "detail/liver.nii.gz", liver
    rules = comparison.options.protocol.lesions
    drawn = [_drawn(finding.carried, grid, rules) for finding in findings]
    yield "detail/lesions.nii.gz", _labels(grid, drawn)
    yield "detail/foci.nii.gz", _labels(grid, [_finer(focus, grid) for focus in foci])


def _drawn(carried: Carried, grid: Grid, rules: LesionRules) -> Mask | None:
    """A lesion on the finer grid, where it was carried to, landmarks and all."""
    return carried.moved((0.0, 0.0, 0.0), 0.0, grid, rules).extent


def _finer(focus: Mask, grid: Grid) -> Mask | None:
    """A focus on the finer grid, as far as that reaches."""
    try:
        part = grid.crop(grid.box_around(focus.grid.corners_mm(), focus.grid.spacing_mm.max()))
    except InvalidGeometry:
        return None
    return region_on(part, focus)


def _labels(grid: Grid, regions: Sequence[Mask | None]) -> LabelMap:
    """The regions as labels 1, 2, ...; where two overlap the smaller stands in front."""
    array = np.zeros(grid.shape, np.uint16)
    numbered = [(n, region) for n, region in enumerate(regions, start=1) if region is not None]
    for n, region in sorted(numbered, key=lambda pair: -pair[1].volume_ml):
        array[region.on(grid).array] = n
    return LabelMap(grid, array)


def _detail_grid(comparison: Comparison) -> Grid:
    mask = comparison.liver_on_pet
    box = mask.grid.box_around(mask.points_mm(), DETAIL_MARGIN_MM)
    return mask.grid.crop(box).with_spacing(DETAIL_MM)


def _mean_shift(comparison: Comparison) -> PointMap:
    """The MRI moved as a whole: how the two would lie without the rest of the registration."""
    points_mm = comparison.liver.mask.points_mm()[::97]
    maps = comparison.registration
    matrix = np.eye(4)
    matrix[:3, 3] = (points_mm - maps.pet_from_mri.apply(points_mm)).mean(axis=0)
    frames = maps.mri_from_pet.target, maps.mri_from_pet.source
    return PointMap.affine(Transform(*frames, matrix))


def _error_map(comparison: Comparison) -> Image:
    """The 95 % bound of the registration error, mm, on a coarse grid around the liver."""
    grid = _detail_grid(comparison).with_spacing(ERROR_GRID_MM)
    points_mm = grid.world(np.indices(grid.shape).reshape(3, -1).T)
    registration = comparison.registration
    error_mm = registration.error_mm(registration.mri_from_pet.apply(points_mm))
    return Image(grid, error_mm.reshape(grid.shape).astype(np.float32), Quantity.ARBITRARY)


def step_of(name: str, image: Image | Mask | LabelMap) -> float | None:
    """The fineness with which an image is stored; None keeps every bit.

    What is measured from (the SUV) and what others may compute with keeps every bit; CT is
    whole HU by nature; what only pictures are drawn from is stored as finely as eyes see.
    """
    if not isinstance(image, Image):
        return None
    if image.quantity is Quantity.HOUNSFIELD:
        return 1.0
    if not name.startswith("detail/"):
        return None
    return max(float(np.abs(image.array).max()) / DETAIL_LEVELS, 1e-6)

"""Registrations that someone else made: a file, or a frame of reference both share."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from lesionmatch.dicom.spatial import SpatialRegistration, read_spatial_registration
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.protocol import InputLimits
from lesionmatch.registration.bound import EvenBound
from lesionmatch.registration.inverse import inverse_shifts
from lesionmatch.registration.result import Quality, Registration
from lesionmatch.resample import PointMap, grid_of, matrix_of, parts, read_transform

GIVEN_ERROR_MM = 5.0
"""What is assumed of a map whose making we did not see: TG-132 allows deformable maps 5 mm."""

KNOT_SAMPLES = 8
"""Voxels between two knots: a cubic spline is nearly straight between them."""

SAME_MM = 1e-3
"""Matrices that differ by less are the same, written twice."""

EDGE_VOXELS = 8
"""A field is inverted on a grid this much wider, for points its border sends outwards."""


def given(
    path: Path, mri_frame: Frame, pet_frame: Frame, limits: InputLimits | None = None
) -> Registration:
    """The registration of a file.

    ITK transforms (linear, displacement field, B-spline, composites of them) and a 4x4 text
    matrix are taken to map PET/CT points to MRI points; a DICOM registration says what it maps.
    Raises `InvalidInput` for what has no inverse, or is about other frames of reference.
    """
    found = read_spatial_registration(path, limits or InputLimits())
    if found is not None:
        there, back = _between(found, mri_frame, pet_frame), _between(found, pet_frame, mri_frame)
        return _trusted("given", there, back)
    mri_from_pet = read_transform(path, target=mri_frame, source=pet_frame)
    return _trusted("given", mri_from_pet, inverse(mri_from_pet))


def _between(found: SpatialRegistration, target: Frame, source: Frame) -> PointMap:
    """The map between two frames by way of the one a DICOM registration establishes."""
    for frame in (target, source):
        _require_named_once(found, frame)
    there, back = _leg(found, target), _leg(found, source)
    to_target = there if there.source == found.frame else inverse(there)
    from_source = back if back.target == found.frame else inverse(back)
    return to_target.after(from_source)


def _leg(found: SpatialRegistration, frame: Frame) -> PointMap:
    """What relates a frame and the registered one, in the direction in which the file has it."""
    if frame == found.frame:
        return PointMap.identity(frame, frame)
    return next(one for one in found.maps if frame in (one.source, one.target))


def _require_named_once(found: SpatialRegistration, frame: Frame) -> None:
    """Raise `InvalidInput` unless a registration relates a frame to the registered one, in one
    way alone."""
    about = [one for one in found.maps if _other(one, found.frame) == frame]
    if frame != found.frame and not about:
        named = [found.frame, *(_other(one, found.frame) for one in found.maps)]
        raise InvalidInput(
            f"{found.what}: wanted the frames of reference of PET and MRI, got none of {frame}, "
            f"but {', '.join(dict.fromkeys(named))}; choose another file, or give a matrix"
        )
    ways = [np.eye(4)] * (frame == found.frame) + [matrix_of(one) for one in about]
    if len(ways) > 1 and not _are_same(ways):
        raise InvalidInput(
            f"{found.what}: wanted one registration of frame {frame}, got {len(ways)} that "
            "differ; save the one that is meant"
        )


def _are_same(matrices: Sequence[NDArray[np.float64] | None]) -> bool:
    """Whether all are matrices, and the same."""
    found = [matrix for matrix in matrices if matrix is not None]
    return len(found) == len(matrices) and bool(np.ptp(found, axis=0).max() <= SAME_MM)


def _other(point_map: PointMap, frame: Frame) -> Frame:
    """The frame that a map relates to `frame`."""
    return point_map.source if point_map.target == frame else point_map.target


def identity(mri_frame: Frame, pet_frame: Frame) -> Registration:
    """For studies whose coordinates already agree, because the user says so."""
    there = PointMap.identity(mri_frame, pet_frame)
    return _trusted("identity", there, PointMap.identity(pet_frame, mri_frame))


def _trusted(method: str, mri_from_pet: PointMap, pet_from_mri: PointMap) -> Registration:
    return Registration(
        mri_from_pet=mri_from_pet,
        pet_from_mri=pet_from_mri,
        method=method,
        target="ct",
        quality=Quality(),
        doubts=(),
        bound_mm=EvenBound(GIVEN_ERROR_MM),
    )


def inverse(point_map: PointMap) -> PointMap:
    """The map back, part by part, each on its own. Raises `InvalidInput` where there is none."""
    back = PointMap.identity(point_map.source, point_map.source)
    for part in parts(point_map.itk):
        step = _inverse_part(PointMap(point_map.source, point_map.source, part))
        back = back.after(step)
    return PointMap(point_map.source, point_map.target, back.itk)


def _inverse_part(part: PointMap) -> PointMap:
    matrix = matrix_of(part)
    if matrix is not None:
        if abs(np.linalg.det(matrix)) < 1e-9:
            raise InvalidInput("transform: wanted one that can be inverted, got a singular one")
        return PointMap.affine(Transform(part.source, part.target, matrix).inverse)
    field = _as_field(part.itk)
    grid = _wide(grid_of(field, part.source))
    margin = [(EDGE_VOXELS, EDGE_VOXELS)] * 3 + [(0, 0)]
    shifts = np.pad(np.asarray(sitk.GetArrayFromImage(field), np.float64), margin)
    return PointMap.displacement(part.source, grid, inverse_shifts(shifts, grid))


def _as_field(itk: sitk.Transform) -> sitk.Image:
    """The displacement of a deformation at voxels of about its own resolution."""
    if isinstance(itk, sitk.DisplacementFieldTransform):
        own: sitk.Image = itk.GetDisplacementField()
        return own
    if not isinstance(itk, sitk.BSplineTransform):
        raise InvalidInput(
            f"transform: wanted linear maps, displacement fields or B-splines, got {itk.GetName()}"
        )
    knots = np.array(itk.GetTransformDomainMeshSize())
    extent = np.array(itk.GetTransformDomainPhysicalDimensions())
    size = knots * KNOT_SAMPLES + 1
    field: sitk.Image = sitk.TransformToDisplacementField(
        itk,
        sitk.sitkVectorFloat64,
        size.tolist(),
        itk.GetTransformDomainOrigin(),
        (extent / (size - 1)).tolist(),
        itk.GetTransformDomainDirection(),
    )
    return field


def _wide(grid: Grid) -> Grid:
    """`grid` with `EDGE_VOXELS` more on every side."""
    return Grid.of(
        grid.frame,
        tuple(n + 2 * EDGE_VOXELS for n in grid.shape),
        origin_mm=grid.world([-EDGE_VOXELS] * 3),
        spacing_mm=grid.spacing_mm,
        directions=grid.directions,
    )

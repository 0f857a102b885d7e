"""Points carried between frames of reference, and images resampled onto other grids.

A `PointMap` ``b_from_a`` maps points of frame ``a`` to points of frame ``b``. To resample
an image of ``b`` onto a grid in ``a``, every voxel of the grid asks where it lies in ``b``:
that is ``b_from_a`` again, which is why transforms are written in this sense. The module
and `registration` are the only ones that know SimpleITK, whose index order is (x, y, z)
where ours is (slice, row, column).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from lesionmatch.errors import FrameMismatch, InvalidGeometry, InvalidInput, UnusableOutput
from lesionmatch.geometry import Frame, Grid, Points, Transform, require_same_frame
from lesionmatch.image import Image, Mask

FWHM_PER_SIGMA = float(2.0 * np.sqrt(2.0 * np.log(2.0)))
"""Full width at half maximum of a Gaussian of standard deviation 1."""

HDF5 = b"\x89HDF\r\n\x1a\n"
"""How such a file begins."""

Interpolation = Literal["linear", "cubic"]

_INTERPOLATORS = {"linear": sitk.sitkLinear, "cubic": sitk.sitkBSpline}


@dataclass(frozen=True, slots=True, eq=False)
class PointMap:
    """A map of the points of `source` to points of `target`, rigid to deformable."""

    target: Frame
    source: Frame
    itk: sitk.Transform

    def __post_init__(self) -> None:
        if self.itk.GetDimension() != 3:
            raise InvalidGeometry(f"point map: wanted 3 dimensions, got {self.itk.GetDimension()}")

    @classmethod
    def identity(cls, target: Frame, source: Frame) -> "PointMap":
        """The map that leaves coordinates as they are, between frames that coincide."""
        return cls(target, source, sitk.Transform(3, sitk.sitkIdentity))

    @classmethod
    def affine(cls, transform: Transform) -> "PointMap":
        """The map of a matrix."""
        itk = sitk.AffineTransform(3)
        itk.SetMatrix(transform.matrix[:3, :3].ravel().tolist())
        itk.SetTranslation(transform.matrix[:3, 3].tolist())
        return cls(transform.target, transform.source, itk)

    @classmethod
    def displacement(cls, target: Frame, grid: Grid, shifts_mm: ArrayLike) -> "PointMap":
        """The map ``p + shift(p)``, linear between the voxels of `grid` and p itself beyond it.

        `shifts_mm` has the grid's shape and (x, y, z) last. To be continuous it has to be
        zero at the border of the grid.
        """
        shifts = np.ascontiguousarray(shifts_mm, np.float64)
        if shifts.shape != (*grid.shape, 3):
            raise InvalidGeometry(
                f"displacements: wanted shape {(*grid.shape, 3)}, got {shifts.shape}"
            )
        field = _placed(sitk.GetImageFromArray(shifts, isVector=True), grid)
        return cls(target, grid.frame, sitk.DisplacementFieldTransform(field))

    def after(self, first: "PointMap") -> "PointMap":
        """`first`, then this. Raises `FrameMismatch` unless they meet."""
        if first.target != self.source:
            raise FrameMismatch("composing point maps", self.source, first.target)
        return PointMap(self.target, first.source, _composite(self.itk, first.itk))

    def apply(self, points_mm: ArrayLike) -> Points:
        """Map points, shape (N, 3), to shape (N, 3); a million take about a second."""
        points = np.array(points_mm, np.float64)
        for part in parts(self.itk):
            points = _apply_part(part, points)
        return points

    def __call__(self, points_mm: ArrayLike) -> Points:
        """The same as `apply`."""
        return self.apply(points_mm)


def _composite(*transforms: sitk.Transform) -> sitk.CompositeTransform:
    """The last first, then those before; without composites in it, which no file can hold."""
    chain = sitk.CompositeTransform(list(transforms))
    chain.FlattenTransform()
    return chain


def parts(itk: sitk.Transform) -> Iterator[sitk.Transform]:
    """The transforms of a composite, in the order in which a point meets them."""
    itk = itk.Downcast()
    if isinstance(itk, sitk.CompositeTransform):
        for n in reversed(range(itk.GetNumberOfTransforms())):
            yield from parts(itk.GetNthTransform(n))
    else:
        yield itk


def _apply_part(itk: sitk.Transform, points: Points) -> Points:
    if itk.IsLinear():
        return _apply_linear(itk, points)
    if isinstance(itk, sitk.DisplacementFieldTransform):
        return points + _shifts(itk, points)
    return np.array([itk.TransformPoint(p) for p in points.tolist()]).reshape(-1, 3)


def _apply_linear(itk: sitk.Transform, points: Points) -> Points:
    """Any linear transform, read off where it takes the origin and the unit vectors."""
    origin = np.array(itk.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.array(itk.TransformPoint(unit)) - origin for unit in np.eye(3).tolist()]
    return np.asarray(points @ np.array(columns) + origin)


def _shifts(itk: sitk.DisplacementFieldTransform, points: Points) -> Points:
    """(N, 3) displacement: linear inside the field and zero beyond it, as ITK has it."""
    field = itk.GetDisplacementField()
    grid = grid_of(field, Frame("field"))
    voxels = grid.voxels(points).T
    array = sitk.GetArrayViewFromImage(field)
    shifts = [
        ndimage.map_coordinates(array[..., axis], voxels, order=1, mode="nearest")
        for axis in range(3)
    ]
    return np.stack(shifts, -1) * grid.contains(points)[:, None]


def _placed(itk_image: sitk.Image, grid: Grid) -> sitk.Image:
    """`itk_image` with the place of `grid` written into it."""
    itk_image.SetSpacing(grid.spacing_mm[::-1].tolist())
    itk_image.SetOrigin(grid.origin_mm.tolist())
    itk_image.SetDirection(grid.directions[:, ::-1].ravel().tolist())
    return itk_image


def grid_of(itk_image: sitk.Image, frame: Frame) -> Grid:
    """The grid of a SimpleITK image."""
    return Grid.of(
        frame,
        itk_image.GetSize()[::-1],
        origin_mm=itk_image.GetOrigin(),
        spacing_mm=itk_image.GetSpacing()[::-1],
        directions=np.array(itk_image.GetDirection()).reshape(3, 3)[:, ::-1],
    )


def _resampled(
    array: NDArray[np.float32],
    source: Grid,
    grid: Grid,
    source_from_grid: PointMap | None,
    outside: float,
    interpolation: Interpolation,
) -> NDArray[np.float32]:
    if source_from_grid is None:
        require_same_frame("resampling", source.frame, grid.frame)
    else:
        require_same_frame("resampling: the map's target", source.frame, source_from_grid.target)
        require_same_frame("resampling: the map's source", grid.frame, source_from_grid.source)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(grid.shape[::-1])
    resampler.SetOutputSpacing(grid.spacing_mm[::-1].tolist())
    resampler.SetOutputOrigin(grid.origin_mm.tolist())
    resampler.SetOutputDirection(grid.directions[:, ::-1].ravel().tolist())
    resampler.SetDefaultPixelValue(float(outside))
    resampler.SetInterpolator(_INTERPOLATORS[interpolation])
    if source_from_grid is not None:
        resampler.SetTransform(source_from_grid.itk)
    image = _placed(sitk.GetImageFromArray(array), source)
    return np.asarray(sitk.GetArrayFromImage(resampler.Execute(image)), np.float32)


def resample(
    image: Image,
    grid: Grid,
    source_from_grid: PointMap | None = None,
    *,
    outside: float,
    interpolation: Interpolation = "linear",
) -> Image:
    """`image` as seen at the voxels of `grid`; `outside` where the image has no voxels.

    Without `source_from_grid` both must share a frame of reference (`FrameMismatch`).
    Nothing is smoothed: before going to much larger voxels use `smooth`.
    """
    array = _resampled(image.array, image.grid, grid, source_from_grid, outside, interpolation)
    return Image(grid, array, image.quantity)


def resample_mask(
    mask: Mask, grid: Grid, mask_from_grid: PointMap | None = None
) -> NDArray[np.float32]:
    """The share of `mask` at each voxel of `grid`, 0 to 1: its indicator, linearly interpolated.

    The region itself is where this is at least 0.5, see `region_on`. Beyond the mask's grid it
    is 0.
    """
    indicator = mask.array.astype(np.float32)
    return _resampled(indicator, mask.grid, grid, mask_from_grid, 0.0, "linear")


def region_on(grid: Grid, mask: Mask, mask_from_grid: PointMap | None = None) -> Mask:
    """`mask` as a region of other voxels: those of which it covers half at their centre.

    A region narrower than the voxels may vanish; without `mask_from_grid` both must share a
    frame of reference (`FrameMismatch`).
    """
    return Mask(grid, resample_mask(mask, grid, mask_from_grid) >= 0.5)


def distance_mm(mask: Mask) -> NDArray[np.float32]:
    """Euclidean distance of every voxel's centre to the nearest voxel of `mask`, in mm.

    0 inside; infinite everywhere when no voxel belongs to it. Exact for anisotropic voxels
    with perpendicular axes (Maurer, Qi and Raghavan 2003, doi 10.1109/TPAMI.2003.1177156).
    """
    if mask.is_empty:
        return np.full(mask.grid.shape, np.inf, np.float32)
    itk = _placed(sitk.GetImageFromArray(mask.array.astype(np.uint8)), mask.grid)
    signed = sitk.SignedMaurerDistanceMap(
        itk, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    return np.maximum(np.asarray(sitk.GetArrayFromImage(signed), np.float32), np.float32(0.0))


def smooth(image: Image, fwhm_mm: ArrayLike) -> Image:
    """`image` blurred by a Gaussian of `fwhm_mm`: one number, or one each for slice, row, column.

    Cut off at four standard deviations; beyond the image its border values are repeated.
    """
    sigmas = np.broadcast_to(np.asarray(fwhm_mm, np.float64), 3) / FWHM_PER_SIGMA
    voxels = sigmas / image.grid.spacing_mm
    array = ndimage.gaussian_filter(image.array, voxels, mode="nearest", output=np.float32)
    return Image(image.grid, array, image.quantity)


def matrix_of(point_map: PointMap) -> NDArray[np.float64] | None:
    """The (4, 4) matrix of a linear map; None where it deforms."""
    if not all(part.IsLinear() for part in parts(point_map.itk)):
        return None
    origin, *units = point_map.apply(np.vstack([np.zeros(3), np.eye(3)]))
    matrix = np.eye(4)
    matrix[:3, :3] = (np.array(units) - origin).T
    matrix[:3, 3] = origin
    return matrix


def write_transform(point_map: PointMap, path: Path) -> None:
    """Write to `path`: ``.txt`` a 4x4 matrix of millimetres, else an ITK transform (``.h5``).

    Equal maps make equal bytes. Raises `InvalidGeometry` for a deformation asked for as a
    matrix, `UnusableOutput` where the file cannot be written.
    """
    try:
        if path.suffix == ".txt":
            np.savetxt(path, _required_matrix(point_map), fmt="%.12g")
        else:
            sitk.WriteTransform(_composite(point_map.itk), str(path))
            if path.suffix == ".h5":
                _forget_when(path)
    except (OSError, RuntimeError) as error:
        raise UnusableOutput(
            f"transform {path.name}: wanted a file that can be written, got none; "
            "choose another folder"
        ) from error


def _forget_when(path: Path) -> None:
    """Write the transforms of an ITK file again without the times and the machine ITK notes."""
    draft = path.with_name(f".{path.name}")
    with h5py.File(path) as written, h5py.File(draft, "w") as kept:
        _copy(written["TransformGroup"], kept.create_group("TransformGroup"))
    draft.replace(path)


def _copy(source: h5py.Group, target: h5py.Group) -> None:
    """The same groups and arrays; h5py notes no times."""
    for name, entry in sorted(source.items()):
        if isinstance(entry, h5py.Group):
            _copy(entry, target.create_group(name))
        else:
            target.create_dataset(name, data=entry[()], dtype=entry.dtype)


def _required_matrix(point_map: PointMap) -> NDArray[np.float64]:
    matrix = matrix_of(point_map)
    if matrix is None:
        raise InvalidGeometry(
            "writing a 4x4 matrix: wanted a linear map, got a deformation; write it as .h5"
        )
    return matrix


def read_transform(path: Path, *, target: Frame, source: Frame) -> PointMap:
    """The map of points of `source` to `target` in a file: an ITK transform or a 4x4 text matrix.

    Raises `InvalidInput` for anything else.
    """
    matrix = _text_matrix(path)
    try:
        if matrix is not None:
            return PointMap.affine(Transform(target, source, matrix))
        _require_whole(path)
        return PointMap(target, source, sitk.ReadTransform(str(path)))
    except (OSError, RuntimeError, InvalidGeometry) as error:
        got = str(error) if isinstance(error, InvalidGeometry) else "neither"
        raise InvalidInput(
            f"transform {path.name}: wanted an ITK transform of 3 dimensions or a 4x4 matrix "
            f"as text, got {got}; write it with SimpleITK.WriteTransform or numpy.savetxt"
        ) from error


def is_utf8(path: Path) -> bool:
    """Whether ITK can take a path: any other encoding of its name ends the process."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _require_whole(path: Path) -> None:
    """Raise `OSError` for a file that ITK cannot read, or that is cut short, of which it writes
    pages."""
    if not is_utf8(path):
        raise OSError("a path in another encoding than UTF-8")
    with path.open("rb") as file:
        is_hdf5 = file.read(len(HDF5)) == HDF5
    if is_hdf5:
        h5py.File(path).close()


def _text_matrix(path: Path) -> NDArray[np.float64] | None:
    """The 16 numbers of a text file in four rows; None where it holds anything else."""
    try:
        rows = [line.split() for line in path.read_text("ascii").splitlines() if line.strip()]
        numbers = [[float(word) for word in row] for row in rows if not row[0].startswith("#")]
    except (OSError, ValueError):
        return None
    is_matrix = len(numbers) == 4 and all(len(row) == 4 for row in numbers)
    return np.array(numbers) if is_matrix else None

"""Other engines on the studies of the registration bench, from the start our affine map gives.

None is a dependency: elastix takes part where its wheel (itk-elastix) is installed.
"""

import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.image import Image, Mask
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.registration import Registration
from lesionmatch.resample import distance_mm, resample

Errors = NDArray[np.float64]

KNOT_MM = 40.0
REGION_MM = 20.0
"""Both engines look at the liver and this far about it, as ours does."""


def simpleitk_errors(study: SimulatedStudy, affine: Registration) -> Errors:
    """SimpleITK's own B-spline: Mattes information, LBFGSB, after our affine map."""
    fixed, moving, region = (_itk(image) for image in (study.hbp, study.ct, _region(study)))
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(region)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.05, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetMovingInitialTransform(affine.pet_from_mri.itk)
    size = np.array(fixed.GetSize()) * np.array(fixed.GetSpacing())
    knots = np.maximum(np.rint(size / KNOT_MM), 1).astype(int).tolist()
    spline = sitk.BSplineTransformInitializer(fixed, knots, 3)
    method.SetInitialTransform(spline, inPlace=True)
    method.SetOptimizerAsLBFGSB(numberOfIterations=20)
    method.Execute(fixed, moving)
    whole = sitk.CompositeTransform([affine.pet_from_mri.itk, spline])
    points = study.truth.liver_points_mri_mm
    landed = np.array([whole.TransformPoint(p) for p in points.tolist()])
    return np.asarray(np.linalg.norm(landed - study.truth.liver_points_ct_mm, axis=1))


def elastix_errors(study: SimulatedStudy, affine: Registration) -> Errors:
    """elastix's B-spline, new random samples at every iteration, after our affine map."""
    itk = import_module("itk")
    grid = study.hbp.grid
    carried = resample(study.ct, grid, affine.pet_from_mri, outside=-1000.0)
    parameters = itk.ParameterObject.New()
    chosen = itk.ParameterObject.GetDefaultParameterMap("bspline", 3, KNOT_MM)
    for name, value in ELASTIX.items():
        chosen[name] = [value]
    parameters.AddParameterMap(chosen)
    fixed, moving = _elastix_image(itk, study.hbp), _elastix_image(itk, carried)
    region = _elastix_image(itk, _region(study))
    result, found = itk.elastix_registration_method(
        fixed, moving, parameter_object=parameters, fixed_mask=region, log_to_console=False
    )
    del result
    with TemporaryDirectory() as folder:  # where transformix leaves a copy
        carried_by = itk.transformix_deformation_field(moving, found, output_directory=folder)
        field = itk.array_from_image(carried_by)
    points = study.truth.liver_points_mri_mm
    voxels = grid.voxels(points).T
    along = [ndimage.map_coordinates(field[..., axis], voxels, order=1) for axis in range(3)]
    shifts = np.stack(along, -1) @ grid.directions[:, ::-1].T
    landed = affine.pet_from_mri.apply(points + shifts)
    return np.asarray(np.linalg.norm(landed - study.truth.liver_points_ct_mm, axis=1))


ELASTIX = {
    "Metric": "AdvancedMattesMutualInformation",
    "Registration": "MultiResolutionRegistration",
    "NumberOfHistogramBins": "32",
    "ImageSampler": "RandomCoordinate",
    "NumberOfSpatialSamples": "2048",
    "NewSamplesEveryIteration": "true",
    "MaximumNumberOfIterations": "200",
}
"""Of the bspline parameter map, with knots of `KNOT_MM` and three resolutions."""


def engine_rows(study: SimulatedStudy, affine: Registration) -> dict[str, tuple[Errors, float]]:
    """Errors in mm and CPU seconds of every engine that is installed."""
    rows = {"SimpleITK B-spline": _timed(simpleitk_errors, study, affine)}
    if has_elastix():
        rows["elastix B-spline"] = _timed(elastix_errors, study, affine)
    return rows


def has_elastix() -> bool:
    """Whether elastix's wheel is installed."""
    try:
        return bool(version("itk-elastix"))
    except PackageNotFoundError:
        return False


def _timed(
    engine: Callable[[SimulatedStudy, Registration], Errors],
    study: SimulatedStudy,
    affine: Registration,
) -> tuple[Errors, float]:
    started = time.process_time()
    return engine(study, affine), time.process_time() - started


def _region(study: SimulatedStudy) -> Mask:
    return Mask(study.liver.grid, distance_mm(study.liver) <= REGION_MM)


def _array_of(image: Image | Mask) -> NDArray[np.float32] | NDArray[np.uint8]:
    if isinstance(image, Mask):
        return image.array.astype(np.uint8)
    return image.array.astype(np.float32)


def _itk(image: Image | Mask) -> sitk.Image:
    made = sitk.GetImageFromArray(_array_of(image))
    made.SetSpacing(image.grid.spacing_mm[::-1].tolist())
    made.SetOrigin(image.grid.origin_mm.tolist())
    made.SetDirection(image.grid.directions[:, ::-1].ravel().tolist())
    return made


def _elastix_image(itk: Any, image: Image | Mask) -> Any:  # noqa: ANN401 - itk has no types
    """An image along its grid's own axes: its sampler misses masks that lie obliquely."""
    made = itk.image_from_array(np.ascontiguousarray(_array_of(image)))
    made.SetSpacing(image.grid.spacing_mm[::-1].tolist())
    return made

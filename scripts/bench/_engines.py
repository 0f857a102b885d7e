"""Other engines on the studies of the registration bench, from the start our affine map gives.

They see what our own deformation sees: the MRI without its bias and the CT, carried by the
affine map and clipped to the liver's window, on cubes of 2.5 mm about the liver; and they draw
their samples from the liver and 20 mm about it, as ours does. None is a dependency: elastix
takes part where its wheel (itk-elastix) is installed. Run with
ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1 where the machine has other work.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.errors import InvalidOption
from lesionmatch.geometry import Points, Transform
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration import Registration
from lesionmatch.registration.appearance import ct_target, without_bias
from lesionmatch.registration.scene import Scene, scene
from lesionmatch.registration.stiffness import stiffness
from lesionmatch.resample import PointMap, matrix_of

Errors = NDArray[np.float64]
HOW = stiffness("ct", RegistrationRules())
Landing = Callable[[Points], Points]
"""Points of the MRI to where they land on the CT."""
Shift = Callable[[Points], Points]
"""Points in mm along the scene's own axes (x first) to their displacement there."""

KNOT_MM = 40.0
STEP_MM = 2.0
"""Of the differences a Jacobian is taken from."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One engine on one study."""

    errors: Errors
    """At the truth's places the MRI covers, mm."""
    least_jacobian: float
    """There, of the whole map; 0 or less is a fold."""
    seconds: float
    """CPU time of the engine alone; loading its library is left out."""


def engine_rows(study: SimulatedStudy, affine: Registration) -> dict[str, Judged]:
    """Every engine that is installed, after our affine map."""
    ground = _ground(study, affine)
    engines = {"SimpleITK B-spline": _simpleitk}
    if has_elastix():
        engines["elastix B-spline"] = _elastix
        import_module("itk").ParameterObject.New()
    rows = {}
    for name, engine in engines.items():
        started = time.process_time()
        shift = engine(ground)
        seconds = time.process_time() - started
        rows[name] = judged(study, _landing(ground, shift, affine.pet_from_mri), seconds)
    return rows


def has_elastix() -> bool:
    """Whether elastix's wheel is installed."""
    try:
        return bool(version("itk-elastix"))
    except PackageNotFoundError:
        return False


def judged(study: SimulatedStudy, landing: Landing, seconds: float) -> Judged:
    """How far off a map is on a study, and whether it folds."""
    truth = study.truth
    scanned = study.hbp.grid.contains(truth.liver_points_mri_mm)
    points = truth.liver_points_mri_mm[scanned]
    off = np.linalg.norm(landing(points) - truth.liver_points_ct_mm[scanned], axis=1)
    slopes = [
        (landing(points + step) - landing(points - step)) / (2 * STEP_MM)
        for step in STEP_MM * np.eye(3)
    ]
    growth = np.linalg.det(np.stack(slopes, -1))
    return Judged(np.asarray(off), float(growth.min()), seconds)


def _ground(study: SimulatedStudy, affine: Registration) -> Scene:
    start = matrix_of(affine.pet_from_mri)
    if start is None:
        raise InvalidOption("engines: wanted a linear map to start from, got a deformable one")
    return scene(
        without_bias(study.hbp, study.liver),
        study.liver,
        ct_target(study.ct),
        Transform(study.ct.frame, study.hbp.frame, start),
        margin_mm=HOW.margin_mm,
        spacing_mm=HOW.spacing_mm,
    )


def _landing(ground: Scene, shift: Shift, affine: PointMap) -> Landing:
    axes = ground.grid.directions[:, ::-1]

    def landing(points: Points) -> Points:
        own = (points - ground.grid.origin_mm) @ axes
        return affine.apply(points + shift(own) @ axes.T)

    return landing


def _simpleitk(ground: Scene) -> Shift:
    """SimpleITK's own B-spline: Mattes information, LBFGSB."""
    fixed, moving = (sitk.GetImageFromArray(array) for array in _arrays(ground))
    region = sitk.GetImageFromArray(_region(ground))
    for image in (fixed, moving, region):
        image.SetSpacing(ground.grid.spacing_mm[::-1].tolist())
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(region)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.05, 1)
    method.SetInterpolator(sitk.sitkLinear)
    size = np.array(fixed.GetSize()) * np.array(fixed.GetSpacing())
    knots = np.maximum(np.rint(size / KNOT_MM), 1).astype(int).tolist()
    spline = sitk.BSplineTransformInitializer(fixed, knots, 3)
    method.SetInitialTransform(spline, inPlace=True)
    method.SetOptimizerAsLBFGSB(numberOfIterations=20)
    method.Execute(fixed, moving)
    return lambda own: np.array([spline.TransformPoint(p) for p in own.tolist()]) - own


def _elastix(ground: Scene) -> Shift:
    """elastix's B-spline, with new random samples at every iteration."""
    itk = import_module("itk")
    parameters = itk.ParameterObject.New()
    chosen = itk.ParameterObject.GetDefaultParameterMap("bspline", 3, KNOT_MM)
    for name, value in ELASTIX.items():
        chosen[name] = [value]
    parameters.AddParameterMap(chosen)
    fixed, moving = (_itk(itk, ground, array) for array in _arrays(ground))
    region = _itk(itk, ground, _region(ground))
    result, found = itk.elastix_registration_method(
        fixed, moving, parameter_object=parameters, fixed_mask=region, log_to_console=False
    )
    del result
    with TemporaryDirectory() as folder:  # where transformix leaves a copy
        field = itk.array_from_image(
            itk.transformix_deformation_field(moving, found, output_directory=folder)
        )

    def shift(own: Points) -> Points:
        voxels = own[:, ::-1].T / ground.grid.spacing_mm[:, None]
        along = [ndimage.map_coordinates(f, voxels, order=1) for f in np.moveaxis(field, -1, 0)]
        return np.stack(along, -1)

    return shift


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


def _arrays(ground: Scene) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The MRI and the CT, without holes."""
    low, high = ground.window.low, ground.window.high
    ct = np.clip(np.nan_to_num(ground.target.array, nan=low), low, high)
    mri = np.nan_to_num(ground.mri.array, nan=0.0)
    top = np.quantile(mri[ground.distance_mm <= HOW.region_mm], 0.995)
    return np.clip(mri, 0.0, top).astype(np.float32), ct.astype(np.float32)


def _region(ground: Scene) -> NDArray[np.uint8]:
    near = ground.distance_mm <= HOW.region_mm
    return (near & np.isfinite(ground.mri.array)).astype(np.uint8)


def _itk(itk: Any, ground: Scene, array: NDArray[Any]) -> Any:  # noqa: ANN401 - itk has no types
    made = itk.image_from_array(np.ascontiguousarray(array))
    made.SetSpacing(ground.grid.spacing_mm[::-1].tolist())
    return made

"""Rigid and affine alignment by Gauss-Newton on mutual information.

With ``y = A x`` and a small change of the map moving y by ``J(y) d`` (d: translation, stretch
along the body, rotation, or the nine entries of a matrix), the score s and Fisher information w
of each sample (see `information`) and the target's gradient g give the normal equations

    (sum w Jᵀg gᵀJ) d = sum s Jᵀg,

solved at every iteration for new random samples: no step size, no schedule.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lesionmatch.geometry import Grid, Points, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.registration.appearance import Target, shrunk
from lesionmatch.registration.information import JointTable, Window, alignment_score
from lesionmatch.registration.sampling import drawn, interpolation, read, with_gradients
from lesionmatch.resample import FWHM_PER_SIGMA, distance_mm, resample, resample_mask, smooth

Floats = NDArray[np.float32]

Kind = Literal["shift", "stretch", "rigid", "affine"]

REACH_MM = 100.0
"""Rotations and strains are counted as displacement at this distance, so that one unit of
every parameter moves the liver by about as much."""
LARGEST_STEP_MM = 12.0
SMALLEST_STEP_MM = 0.05
RIDGE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """MRI points about the liver and their brightness in bins."""

    points_mm: Points
    bins: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """The target on upright voxels, ready to be read with its gradient."""

    grid: Grid
    stacked: Floats
    """(voxels, 5): intensity and its gradient, and whether scanned (1 or 0)."""
    window: Window


def samples_about(mri: Image, liver: Mask, *, spacing_mm: float, margin_mm: float) -> Samples:
    """The MRI, smoothed to `spacing_mm`, at a lattice of points within `margin_mm` of the liver."""
    grid = mri.grid.with_spacing(spacing_mm)
    inside = Mask(grid, resample_mask(liver, grid) >= 0.5)
    near = (distance_mm(inside) <= margin_mm) & (grid_margin(grid) > 0)
    values = resample(smooth(mri, spacing_mm * 0.8 * FWHM_PER_SIGMA), grid, outside=0.0).array[near]
    window = Window(0.0, float(np.quantile(values, 0.995)))
    return Samples(grid.world(np.argwhere(near)), window.bins(values))


def grid_margin(grid: Grid) -> NDArray[np.int32]:
    """How many voxels each voxel is from the border of its grid."""
    axes = [np.minimum(np.arange(n), n - 1 - np.arange(n)) for n in grid.shape]
    z, y, x = np.ix_(*axes)
    return np.minimum(np.minimum(z, y), x).astype(np.int32)


def volume_about(target: Target, around_mm: Points, *, spacing_mm: float) -> Volume:
    """The target, smoothed to `spacing_mm`, where it may meet `around_mm` (target frame)."""
    box = target.image.grid.box_around(around_mm, 3 * spacing_mm)
    image = shrunk(target.part(box), spacing_mm / 1.5)
    low = np.maximum(around_mm.min(0), image.grid.corners_mm().min(0))
    high = np.minimum(around_mm.max(0), image.grid.corners_mm().max(0))
    shape = np.maximum(((high - low) / spacing_mm).astype(int) + 1, 2)[::-1]
    grid = Grid.of(image.frame, tuple(shape.tolist()), origin_mm=low, spacing_mm=(spacing_mm,) * 3)
    blurred = smooth(image, spacing_mm * 0.8 * FWHM_PER_SIGMA)
    values = resample(blurred, grid, outside=np.nan).array
    scanned = np.isfinite(values)
    clipped = np.clip(np.nan_to_num(values), target.window.low, target.window.high)
    stacked = with_gradients([clipped.astype(np.float32)], scanned, grid.spacing_mm)
    return Volume(grid, stacked, target.window)


def _columns(y: Points, kind: Kind, slopes: Points) -> NDArray[np.float64]:
    """(N, 3, 4, 6 or 12) derivative of the intensity at y by the parameters of the change."""
    if kind == "shift":
        return slopes
    if kind == "stretch":
        return np.concatenate([slopes, slopes[:, [2]] * y[:, [2]]], 1)
    if kind == "rigid":
        return np.concatenate([slopes, np.cross(y, slopes)], 1)
    return np.concatenate([slopes, *(slopes * y[:, [axis]] for axis in range(3))], 1)


def _moved(matrix: NDArray[np.float64], points: Points) -> Points:
    """einsum, not a matrix product: its order of additions is always the same."""
    turned = np.einsum("ij,nj->ni", matrix[:3, :3], points, optimize=False)
    return np.asarray(turned + matrix[:3, 3])


def fitted(
    start: Transform,
    samples: Samples,
    volume: Volume,
    kind: Kind,
    *,
    iterations: int,
    most: int,
    rng: np.random.Generator,
) -> Transform:
    """`start` (target from MRI) improved, by `most` samples at a time, until steps are small."""
    matrix = start.matrix.copy()
    for _ in range(iterations):
        chosen = drawn(rng, most, len(samples.bins))
        step, centre = _gauss_newton(
            _moved(matrix, samples.points_mm[chosen]), samples.bins[chosen], volume, kind
        )
        matrix = _change_matrix(step, kind, centre) @ matrix
        if np.abs(step).max() < SMALLEST_STEP_MM:
            break
    return Transform(start.target, start.source, matrix)


def _gauss_newton(
    y: Points, bins: Floats, volume: Volume, kind: Kind
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One step of the parameters, and the centre they are about."""
    voxels = volume.grid.voxels(y)
    found, scanned = read(interpolation(voxels, volume.grid.shape), volume.stacked)
    intensity, slopes = found[0, 0], found[0, :0:-1].T.astype(np.float64)
    weights = _on_target(voxels, volume.grid, scanned)
    _, score, information = alignment_score(bins, intensity, volume.window, weights)
    centre = y.mean(0)
    columns = _columns((y - centre) / REACH_MM, kind, slopes)
    pull = np.einsum("n,ni->i", score.astype(np.float64), columns)
    weighted = columns * information[:, None]
    curvature = np.einsum("ni,nj->ij", weighted, columns, optimize=False)
    curvature += np.diag(np.diag(curvature)) * RIDGE + np.eye(len(pull)) * 1e-9
    step = np.linalg.solve(curvature, pull)
    return step * min(1.0, LARGEST_STEP_MM / max(np.abs(step).max(), 1e-9)), centre


def _on_target(voxels: Points, grid: Grid, scanned: Floats) -> Floats:
    inside = ((voxels >= 0) & (voxels <= np.array(grid.shape) - 1)).all(1)
    return (inside & (scanned > 0.999)).astype(np.float32)


def _change_matrix(
    step: NDArray[np.float64], kind: Kind, centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(4, 4): the parameters' change of y, about `centre`."""
    if kind == "shift":
        turn = np.eye(3)
    elif kind == "stretch":
        turn = np.diag([1.0, 1.0, 1.0 + step[3] / REACH_MM])
    elif kind == "rigid":
        turn = Rotation.from_rotvec(step[3:] / REACH_MM).as_matrix()
    else:
        turn = np.eye(3) + step[3:].reshape(3, 3).T / REACH_MM
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre - turn @ centre + step[:3]
    return matrix


def mutual_information(map_: Transform, samples: Samples, volume: Volume) -> float:
    """Of all samples, in nats."""
    voxels = volume.grid.voxels(_moved(map_.matrix, samples.points_mm))
    found, scanned = read(interpolation(voxels, volume.grid.shape), volume.stacked)
    weights = _on_target(voxels, volume.grid, scanned)
    bins = volume.window.bins(found[0, 0])
    return JointTable.of(samples.bins, bins, weights).mutual_information

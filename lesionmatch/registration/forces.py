"""What pulls the deformation: mutual information and edges, sample by sample.

See `deform` for the mathematics. Samples are the voxels of the liver and its surroundings; each
gives a force and a curvature, along slice, row and column, in mm. Outside the liver only what
acts along the surface's normal is left, and each of the two fits weighs what it trusts.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.image import Mask
from lesionmatch.registration.information import Window, alignment_score
from lesionmatch.registration.sampling import gradient, interpolation, read, with_gradients
from lesionmatch.registration.scene import Scene, halves, reserved
from lesionmatch.registration.stiffness import Opinion, Stiffness
from lesionmatch.registration.threads import both
from lesionmatch.resample import distance_mm

Floats = NDArray[np.float32]

SURFACE_MM = 10.0
"""So deep the surface, blurred, is no longer seen."""

LEAST_KNOWN = 1e-3
"""Share of the Gaussian within the scan below which a mean is let go to nothing."""

PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Components of a symmetric tensor, by axis."""
TIMES = np.array([1, 1, 1, 2, 2, 2], np.float32)
"""How often each stands in the whole tensor."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The places forces come from."""

    voxels: NDArray[np.float32]
    """(N, 3) on the grid."""
    flat: NDArray[np.intp]
    """(N,) the same as numbers of voxels, ascending."""
    cell: NDArray[np.intp]
    """Which cell of the spline's cells each lies in."""
    normals: Floats
    """(N, 3) unit normals of the liver's surface, along slice, row and column."""
    is_inside: NDArray[np.bool_]
    """(N,) whether in the liver."""
    depth_share: Floats
    """(N,) depth in the liver, in `SURFACE_MM`, at most 1."""
    half: NDArray[np.bool_]
    """(N,) which of the two fits sees it."""


def samples_of(scene: Scene, how: Stiffness) -> Samples:
    scanned = ndimage.binary_erosion(np.isfinite(scene.mri.array))
    region = (scene.distance_mm <= how.region_mm) & ~reserved(scene.grid) & scanned
    voxels = np.argwhere(region)
    cells = -(-np.array(scene.grid.shape) // how.cell_voxels)
    z, y, x = (voxels // how.cell_voxels).T
    cell = (z * cells[1] + y) * cells[2] + x
    depth = _depth(scene)
    signed = scene.distance_mm - depth
    rounded = ndimage.gaussian_filter(signed, 2.0)
    slopes = gradient(rounded, scene.grid.spacing_mm)[:, region].T
    normals = slopes / (np.linalg.norm(slopes, axis=1, keepdims=True) + 1e-6)
    share = np.minimum(depth[region] / np.float32(SURFACE_MM), np.float32(1.0))
    half = halves(scene.grid)[region]
    flat = np.flatnonzero(region)
    return Samples(
        voxels.astype(np.float32), flat, cell, normals, scene.inside[region], share, half
    )


def _depth(scene: Scene) -> Floats:
    return distance_mm(Mask(scene.grid, ~scene.inside))


def edge_tensor(image: Floats, spacing_mm: NDArray[np.float64], edge_per_mm: float) -> list[Floats]:
    """Six components of ``n nᵀ``; those off the diagonal times sqrt 2, so that squares add up."""
    slopes = gradient(image, spacing_mm)
    normal = slopes / np.sqrt((slopes**2).sum(0) + np.float32(edge_per_mm) ** 2)
    root = np.float32(np.sqrt(2.0))
    return [
        (normal[i] * normal[j] * (root if i != j else np.float32(1.0))).astype(np.float32)
        for i, j in PAIRS
    ]


def smoothed_where(image: Floats, known: NDArray[np.bool_], sigma: NDArray[np.float64]) -> Floats:
    """The Gaussian mean of what is `known` about each voxel; `sigma` in voxels along each axis.

    The end of a scan is no edge. Smoothed as if there were air beyond, it would be a strong one.
    """
    share = ndimage.gaussian_filter(known.astype(np.float32), sigma)
    total = ndimage.gaussian_filter(np.where(known, image, np.float32(0.0)), sigma)
    return np.asarray(total / np.maximum(share, np.float32(LEAST_KNOWN)), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Both images at one smoothing, as the forces see them."""

    fixed_bins: Floats
    """(N,) of the samples."""
    fixed_edges: Floats
    """(6, N)."""
    stacked: Floats
    """(voxels, 29): the target's intensity and its edge tensor, each with its gradient, and
    whether scanned."""


def contrast_of(scene: Scene, samples: Samples, smoothing_mm: float, how: Stiffness) -> Contrast:
    (fixed_bins, fixed_edges), stacked = both(
        partial(_of_mri, scene, samples, smoothing_mm, how),
        partial(_of_target, scene, smoothing_mm, how),
    )
    return Contrast(fixed_bins, fixed_edges, stacked)


def _of_mri(
    scene: Scene, samples: Samples, smoothing_mm: float, how: Stiffness
) -> tuple[Floats, Floats]:
    """(N,) bins and (6, N) edges of the samples."""
    image, spacing = scene.mri.array, scene.grid.spacing_mm
    fixed = smoothed_where(image, np.isfinite(image), smoothing_mm / spacing)
    values = fixed.ravel()[samples.flat]
    top = float(np.quantile(values, 0.995))
    edges = edge_tensor(fixed / np.float32(top), spacing, how.edge_per_mm)
    return Window(0.0, top).bins(values), np.stack([e.ravel()[samples.flat] for e in edges])


def _of_target(scene: Scene, smoothing_mm: float, how: Stiffness) -> Floats:
    """(voxels, 29), as `Contrast.stacked`."""
    image, spacing, window = scene.target.array, scene.grid.spacing_mm, scene.window
    on_target = np.isfinite(image)
    held = np.clip(image, window.low, window.high)
    moving = smoothed_where(held, on_target, smoothing_mm / spacing)
    edges = edge_tensor(moving / np.float32(window.high - window.low), spacing, how.edge_per_mm)
    scanned = ndimage.binary_erosion(on_target, border_value=1)
    return with_gradients([moving, *edges], scanned, spacing)


def forces_of(
    contrast: Contrast,
    samples: Samples,
    chosen: NDArray[np.intp],
    moved: Floats,
    scene: Scene,
    how: Stiffness,
    opinion: Opinion,
) -> tuple[Floats, Floats]:
    """(3, n) force and (6, n) curvature, by `PAIRS`, of each chosen sample."""
    found, share = read(interpolation(moved, scene.grid.shape), contrast.stacked)
    scanned = (share > 0.999).astype(np.float32)
    is_inside = samples.is_inside[chosen]
    score, information = np.zeros((2, len(chosen)), np.float32)
    for part in (is_inside, ~is_inside):
        _, score[part], information[part] = alignment_score(
            contrast.fixed_bins[chosen][part], found[0, 0, part], scene.window, scanned[part]
        )
    weight = np.float32(2.0 * how.edge_weight) * scanned
    residual = (contrast.fixed_edges[:, chosen] - found[1:, 0]) * weight
    slopes, edges = found[0, 1:], found[1:, 1:]
    force = score * slopes + np.einsum("cn,cin->in", residual, edges)
    curvature = np.stack(
        [
            information * slopes[i] * slopes[j]
            + weight * np.einsum("cn,cn->n", edges[:, i], edges[:, j])
            for i, j in PAIRS
        ]
    )
    outside = np.flatnonzero(~is_inside)
    _project(force, curvature, outside, samples.normals[chosen[outside]].T, opinion.outside_weight)
    _weigh(force, curvature, is_inside, samples.depth_share[chosen], opinion.surface_weight)
    return force, curvature


def _weigh(
    force: Floats, curvature: Floats, is_inside: NDArray[np.bool_], share: Floats, weight: float
) -> None:
    """Let what lies in the liver near its surface count for less."""
    if weight == 1.0:
        return
    factor = np.where(is_inside, weight + (1.0 - weight) * share, 1.0).astype(np.float32)
    force *= factor
    curvature *= factor


def _project(
    force: Floats, curvature: Floats, rows: NDArray[np.intp], normals: Floats, weight: float
) -> None:
    """Leave of some samples only what acts along their normals, weighted (see the module)."""
    share = np.float32(weight)
    products = np.stack([normals[i] * normals[j] for i, j in PAIRS])
    along = share * (normals * force[:, rows]).sum(0)
    stiff = share * (TIMES[:, None] * products * curvature[:, rows]).sum(0)
    force[:, rows] = along * normals
    curvature[:, rows] = stiff * products

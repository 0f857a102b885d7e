r"""The liver's own deformation: mutual information and edges, bent as little as they allow.

After the affine map A a point x of the MRI lies at ``A(x + u(x))``; u is a cubic B-spline
(see `spline`) on a grid along the MRI's axes about the liver. It maximises

    sum over samples of  MI(f, m)  -  w |E_f - E_m|²   -  b * bending(u)

where m is the target read at the displaced point, MI is mutual information (see
`information`), and E is the edge tensor ``n nᵀ`` with ``n = grad I / sqrt(|grad I|² + e²)``:
it says where edges are and which way they face, not which side is bright, so that vessels
dark on the MRI and bright on the CT agree (Haber and Modersitzki 2006,
doi 10.1007/978-3-540-44707-8_87, in Gauss-Newton form). Every iteration draws new samples,
sums their forces and curvatures over cells of a few voxels, and solves the normal equations
for the coefficients with conjugate gradients.

**Sliding.** The liver glides along wall, ribs and spine, which do not move with it: a smooth
field over both cannot follow. But wall and liver stay in touch, so what lies beyond the
capsule still tells how far the surface has moved along its normal, and nothing else. So
outside the liver forces act along the normal only: with n the direction of the distance to
the liver and t falling from 1 inside to 0 a few millimetres out, force and curvature are
projected by ``P = n nᵀ + t (1 - n nᵀ)``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.geometry import Grid, Transform
from lesionmatch.image import Image, Mask
from lesionmatch.registration.appearance import Target, shrunk
from lesionmatch.registration.information import Window, alignment_score
from lesionmatch.registration.sampling import gradient, interpolation, read, with_gradients
from lesionmatch.registration.spline import Spline
from lesionmatch.resample import (
    PointMap,
    distance_mm,
    resample,
    resample_mask,
    smooth,
)

Floats = NDArray[np.float32]

RESERVED_MM = 12.0
"""Width of a block kept from the fit."""

_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, slots=True)
class Level:
    """One pass, coarse to fine."""

    knot_mm: float
    smoothing_mm: float
    """Standard deviation of the Gaussian both images are smoothed by."""
    iterations: int


@dataclass(frozen=True, slots=True)
class Stiffness:
    """How the deformation is found; defaults chosen on simulated studies not reported on."""

    levels: tuple[Level, ...] = (Level(60.0, 3.0, 5), Level(40.0, 0.7, 9))
    spacing_mm: float = 2.5
    cell_voxels: int = 3
    region_mm: float = 20.0
    """Samples come from the liver and this far around it."""
    margin_mm: float = 30.0
    """The grid reaches this far beyond the liver; u fades to nothing over its last part."""
    drawn: float = 0.35
    """Share of the region's voxels drawn at each iteration."""
    edge_weight: float = 2.0
    edge_per_mm: float = 0.01
    """Slopes well below this, in windows per mm, are noise and no edge."""
    bending: float = 1.0
    glide_mm: float = 6.0
    """Beyond this distance from the liver forces act along its normal only."""
    conjugate_steps: int = 30
    largest_step_mm: float = 6.0
    smallest_step_mm: float = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What does not change while the field is fitted."""

    grid: Grid
    mri: Image
    target: Image
    """The target carried onto the grid by the affine map; nan where not scanned."""
    window: Window
    inside: NDArray[np.bool_]
    distance_mm: Floats
    """To the liver; 0 inside."""


def scene(mri: Image, liver: Mask, target: Target, affine: Transform, how: Stiffness) -> Scene:
    """Both images on one grid about the liver, along the MRI's axes."""
    box = mri.grid.box_around(liver.points_mm(), how.margin_mm)
    grid = mri.grid.crop(box).with_spacing(how.spacing_mm)
    inside = Mask(grid, resample_mask(liver, grid) >= 0.5)
    carried = PointMap.affine(affine)
    around = carried.apply(grid.corners_mm())
    image = shrunk(target.image, how.spacing_mm / 1.2)
    image = image.crop(image.grid.box_around(around, 10.0))
    on_grid = resample(image, grid, carried, outside=np.nan)
    return Scene(
        grid,
        resample(smoothed_down(mri.crop(box), grid), grid, outside=0.0),
        on_grid,
        target.window,
        inside.array,
        distance_mm(inside),
    )


def smoothed_down(image: Image, grid: Grid) -> Image:
    """`image` without detail finer than the voxels of `grid` can hold."""
    ratio = grid.spacing_mm[0] / image.grid.spacing_mm
    fwhm = np.where(ratio > 1.2, np.sqrt(np.maximum(ratio**2 - 1, 0)), 0) * image.grid.spacing_mm
    return smooth(image, fwhm)


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """The places forces come from."""

    voxels: NDArray[np.float32]
    """(N, 3) on the grid."""
    cell: NDArray[np.intp]
    """Which cell of the spline's cells each lies in."""
    normals: Floats
    """(N, 3) unit normals of the liver's surface, along slice, row and column."""
    tangential: Floats
    """(N,) share of a force across the normal that counts."""


def _samples(scene: Scene, how: Stiffness, cells: tuple[int, int, int]) -> _Samples:
    region = (scene.distance_mm <= how.region_mm) & ~reserved(scene.grid)
    voxels = np.argwhere(region)
    z, y, x = (voxels // how.cell_voxels).T
    cell = (z * cells[1] + y) * cells[2] + x
    signed = scene.distance_mm - _depth(scene)
    rounded = ndimage.gaussian_filter(signed, 2.0)
    slopes = gradient(rounded, scene.grid.spacing_mm)[:, region].T
    normals = slopes / (np.linalg.norm(slopes, axis=1, keepdims=True) + 1e-6)
    tangential = np.clip(1 - scene.distance_mm[region] / max(how.glide_mm, 1e-3), 0, 1)
    return _Samples(voxels.astype(np.float32), cell, normals, tangential.astype(np.float32))


def reserved(grid: Grid) -> NDArray[np.bool_]:
    """Blocks of a grid, one in seven and none beside another, that no force comes from.

    What the fit never saw is what it is judged by (see `evidence`).
    """
    blocks = np.maximum(np.rint(RESERVED_MM / grid.spacing_mm), 1).astype(int)
    z, y, x = np.ix_(*(np.arange(n) // b for n, b in zip(grid.shape, blocks, strict=True)))
    return np.asarray((z + 2 * y + 4 * x) % 7 == 0)


def _depth(scene: Scene) -> Floats:
    return distance_mm(Mask(scene.grid, ~scene.inside))


def edge_tensor(image: Floats, spacing_mm: NDArray[np.float64], edge_per_mm: float) -> list[Floats]:
    """Six components of ``n nᵀ``; those off the diagonal times sqrt 2, so that squares add up."""
    slopes = gradient(image, spacing_mm)
    normal = slopes / np.sqrt((slopes**2).sum(0) + np.float32(edge_per_mm) ** 2)
    root = np.float32(np.sqrt(2.0))
    return [
        (normal[i] * normal[j] * (root if i != j else np.float32(1.0))).astype(np.float32)
        for i, j in _PAIRS
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Contrast:
    """Both images at one smoothing, as the forces see them."""

    fixed_bins: Floats
    """(N,) of the samples."""
    fixed_edges: Floats
    """(N, 6)."""
    stacked: Floats
    """(voxels, 8, 4): target's intensity, its edge tensor, whether scanned; with gradients."""


def _contrast(scene: Scene, samples: _Samples, smoothing_mm: float, how: Stiffness) -> _Contrast:
    spacing = scene.grid.spacing_mm
    scanned = ndimage.binary_erosion(np.isfinite(scene.target.array), border_value=1)
    held = np.clip(
        np.nan_to_num(scene.target.array, nan=scene.window.low),
        scene.window.low,
        scene.window.high,
    )
    sigma = smoothing_mm / spacing
    moving = ndimage.gaussian_filter(held, sigma, output=np.float32)
    fixed = ndimage.gaussian_filter(scene.mri.array, sigma, output=np.float32)
    where = tuple(samples.voxels.astype(np.intp).T)
    top = float(np.quantile(fixed[where], 0.995))
    unit = np.float32(scene.window.high - scene.window.low)
    edges = edge_tensor(moving / unit, spacing, how.edge_per_mm)
    fixed_edges = edge_tensor(fixed / np.float32(top), spacing, how.edge_per_mm)
    channels = [moving, *edges, scanned.astype(np.float32)]
    return _Contrast(
        Window(0.0, top).bins(fixed[where]),
        np.stack([e[where] for e in fixed_edges], -1),
        with_gradients(channels, spacing),
    )


def _forces(
    contrast: _Contrast,
    samples: _Samples,
    chosen: NDArray[np.intp],
    moved: Floats,
    scene: Scene,
    how: Stiffness,
) -> tuple[Floats, Floats]:
    """(n, 3) force and (n, 3, 3) curvature of each chosen sample."""
    found = read(interpolation(moved, scene.grid.shape), contrast.stacked)
    scanned = (found[:, 7, 0] > 0.999).astype(np.float32)
    _, score, information = alignment_score(
        contrast.fixed_bins[chosen], found[:, 0, 0], scene.window, scanned
    )
    slopes = found[:, 0, 1:]
    force = score[:, None] * slopes
    curvature = information[:, None, None] * slopes[:, :, None] * slopes[:, None, :]
    residual = (contrast.fixed_edges[chosen] - found[:, 1:7, 0]) * scanned[:, None]
    weight = np.float32(2.0 * how.edge_weight)
    edges = found[:, 1:7, 1:] * scanned[:, None, None]
    force += weight * np.einsum("nc,nci->ni", residual, edges)
    curvature += weight * np.einsum("nci,ncj->nij", edges, edges, optimize=False)
    return _along_normals(force, curvature, samples, chosen)


def _along_normals(
    force: Floats, curvature: Floats, samples: _Samples, chosen: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Force and curvature without what gliding makes meaningless (see the module)."""
    normals = samples.normals[chosen]
    share = samples.tangential[chosen][:, None, None]
    projection = normals[:, :, None] * normals[:, None, :] * (1 - share)
    projection += share * np.eye(3, dtype=np.float32)
    force = np.einsum("nij,nj->ni", projection, force)
    curvature = np.einsum("nij,njk,nkl->nil", projection, curvature, projection)
    return np.asarray(force, np.float32), np.asarray(curvature, np.float32)


def _per_cell(values: Floats, cell: NDArray[np.intp], shape: tuple[int, int, int]) -> Floats:
    count = int(np.prod(shape))
    return np.asarray(np.bincount(cell, values, count), np.float32).reshape(shape)


def _step(
    spline: Spline,
    coefficients: Floats,
    forces: Floats,
    curvatures: Floats,
    bend: float,
    steps: int,
) -> Floats:
    """Change of the coefficients that solves the normal equations, by conjugate gradients."""

    def curved(c: Floats) -> Floats:
        moved = spline.cell_means(c)
        pulled = np.einsum("ijzyx,jzyx->izyx", curvatures, moved)
        bent = np.float32(bend) * spline.bending(c) + ridge * c
        return np.asarray(spline.gathered(pulled) + bent, np.float32)

    ridge = np.float32(1e-4 * np.mean([curvatures[i, i].mean() for i in range(3)]))
    residual = spline.gathered(forces) - np.float32(bend) * spline.bending(coefficients)
    change: Floats = np.zeros_like(coefficients)
    direction: Floats = residual.copy()
    size = first = float((residual**2).sum())
    for _ in range(steps):
        if size < 1e-4 * first or size == 0.0:
            break
        bent = curved(direction)
        length = np.float32(size / float((direction * bent).sum()))
        change += length * direction
        residual -= length * bent
        smaller = float((residual**2).sum())
        direction = residual + np.float32(smaller / size) * direction
        size = smaller
    return change


def _level(
    scene: Scene, before: Floats, level: Level, how: Stiffness, rng: np.random.Generator
) -> Floats:
    """The field (3, grid) in mm along the grid's axes, improved from `before`."""
    spacing = scene.grid.spacing_mm.astype(np.float32)
    spline = Spline.over(scene.grid.shape, scene.grid.spacing_mm, level.knot_mm, how.cell_voxels)
    samples = _samples(scene, how, spline.cells_shape)
    contrast = _contrast(scene, samples, level.smoothing_mm, how)
    coefficients = spline.fitted(before)
    drawn = int(how.drawn * len(samples.voxels))
    volume_mm3 = float(np.prod(scene.grid.shape) * np.prod(scene.grid.spacing_mm))
    bend = 1000.0 * how.bending * drawn / volume_mm3
    for _ in range(level.iterations):
        chosen = rng.permutation(len(samples.voxels))[:drawn]
        where = samples.voxels[chosen].astype(np.intp)
        shift = spline.field(coefficients)[:, where[:, 0], where[:, 1], where[:, 2]].T
        force, curvature = _forces(
            contrast, samples, chosen, samples.voxels[chosen] + shift / spacing, scene, how
        )
        cell = samples.cell[chosen]
        forces = np.stack([_per_cell(f, cell, spline.cells_shape) for f in force.T])
        curvatures = np.empty((3, 3, *spline.cells_shape), np.float32)
        for i, j in _PAIRS:
            curvatures[i, j] = _per_cell(curvature[:, i, j], cell, spline.cells_shape)
            curvatures[j, i] = curvatures[i, j]
        change = _step(spline, coefficients, forces, curvatures, bend, how.conjugate_steps)
        moved = float(np.abs(spline.cell_means(change)).max())
        coefficients += change * np.float32(min(1.0, how.largest_step_mm / max(moved, 1e-6)))
        if moved < how.smallest_step_mm:
            break
    return spline.field(coefficients)


def deformation(scene: Scene, how: Stiffness, rng: np.random.Generator) -> Floats:
    """u: (3, grid) displacement in mm along the grid's slice, row and column axes."""
    field = np.zeros((3, *scene.grid.shape), np.float32)
    for level in how.levels:
        field = _level(scene, field, level, how, rng)
    return field

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
outside the liver force and curvature are projected onto the normal n, the direction in which
the distance to the liver grows, by ``P = n nᵀ``; they count for less, because neighbours move
on their own; and inside and outside have a table of intensities each, since what is dark
within (a vessel) is another thing than what is dark without (air, fat).

**Two opinions.** The field is fitted twice and the mean of both is taken. One fit sees half of
the blocks of voxels, the other the other half (`scene.halves`), so neither knows the noise the
other met. And each trusts another witness (`OPINIONS`): the first the liver's surface and what
lies beyond it, the second the vessels and lesions within. Where both tell the same, the two
meet; where there is little to see, or a surface is not the tissue's, they part. So how far they
lie apart is what the images themselves say of the error at a place (see `bound`). Their mean is
better than one fit to everything (simulated studies). Each has a thread and random numbers of
its own, so that the result does not depend on who is first.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.image import Mask
from lesionmatch.registration.information import Window, alignment_score
from lesionmatch.registration.sampling import gradient, interpolation, read, with_gradients
from lesionmatch.registration.scene import Scene, halves, reserved
from lesionmatch.registration.spline import Spline
from lesionmatch.resample import distance_mm

Floats = NDArray[np.float32]

CG_TOL = 1e-4
"""Squared residual, as a share of the first, at which conjugate gradients stop."""

BENDING_UNIT = 1000.0
"""Scales the bending energy so that a weight near 1 is about right, whatever the grid."""

SURFACE_MM = 10.0
"""So deep the surface, blurred, is no longer seen."""

NEAR_MM = 10.0
"""Standard deviation of the neighbourhood two fits are compared in: at a single place they may
cross by chance."""

LEAST_KNOWN = 1e-3
"""Share of the Gaussian within the scan below which a mean is let go to nothing."""

_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, slots=True)
class Level:
    """One pass, coarse to fine."""

    knot_mm: float
    smoothing_mm: float
    """Standard deviation of the Gaussian both images are smoothed by."""
    iterations: int
    drawn: float
    """Share of the region's voxels drawn at each iteration."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one of the two fits trusts."""

    outside_weight: float
    """What a voxel outside the liver counts for, where one deep inside counts for 1."""
    surface_weight: float
    """What a voxel at the liver's surface counts for; it rises to 1 at `SURFACE_MM`."""


OPINIONS = (
    Opinion(outside_weight=0.5, surface_weight=1.0),
    Opinion(outside_weight=0.05, surface_weight=0.1),
)


@dataclass(frozen=True, slots=True)
class Stiffness:
    """How the deformation is found; defaults chosen on simulated studies not reported on."""

    levels: tuple[Level, ...] = (
        Level(60.0, 4.0, 4, 0.20),
        Level(60.0, 2.0, 5, 0.25),
        Level(50.0, 1.2, 5, 0.30),
        Level(40.0, 0.7, 7, 0.35),
    )
    """An edge pulls from no further than its smoothing, so each level halves it."""
    spacing_mm: float = 2.5
    cell_voxels: int = 3
    region_mm: float = 20.0
    """Samples come from the liver and this far around it."""
    margin_mm: float = 30.0
    """The grid reaches this far beyond the liver; u fades to nothing over its last part."""
    edge_weight: float = 5.0
    edge_per_mm: float = 0.014
    """Slopes well below this, in windows per mm, are noise and no edge."""
    bending: float = 1.5
    opinions: tuple[Opinion, Opinion] = OPINIONS
    conjugate_steps: int = 30
    largest_step_mm: float = 6.0
    smallest_step_mm: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """The places forces come from."""

    voxels: NDArray[np.float32]
    """(N, 3) on the grid."""
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


def _samples(scene: Scene, how: Stiffness) -> _Samples:
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
    return _Samples(voxels.astype(np.float32), cell, normals, scene.inside[region], share, half)


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


def smoothed_where(image: Floats, known: NDArray[np.bool_], sigma: NDArray[np.float64]) -> Floats:
    """The Gaussian mean of what is `known` about each voxel; `sigma` in voxels along each axis.

    The end of a scan is no edge. Smoothed as if there were air beyond, it would be a strong one.
    """
    share = ndimage.gaussian_filter(known.astype(np.float32), sigma)
    total = ndimage.gaussian_filter(np.where(known, image, np.float32(0.0)), sigma)
    return np.asarray(total / np.maximum(share, np.float32(LEAST_KNOWN)), np.float32)


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
    on_target, on_mri = np.isfinite(scene.target.array), np.isfinite(scene.mri.array)
    scanned = ndimage.binary_erosion(on_target, border_value=1)
    held = np.clip(scene.target.array, scene.window.low, scene.window.high)
    moving = smoothed_where(held, on_target, smoothing_mm / spacing)
    fixed = smoothed_where(scene.mri.array, on_mri, smoothing_mm / spacing)
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
    opinion: Opinion,
) -> tuple[Floats, Floats]:
    """(n, 3) force and (n, 3, 3) curvature of each chosen sample."""
    found = read(interpolation(moved, scene.grid.shape), contrast.stacked)
    scanned = (found[:, 7, 0] > 0.999).astype(np.float32)
    is_inside = samples.is_inside[chosen]
    score, information = np.zeros((2, len(chosen)), np.float32)
    for part in (is_inside, ~is_inside):
        _, score[part], information[part] = alignment_score(
            contrast.fixed_bins[chosen][part], found[part, 0, 0], scene.window, scanned[part]
        )
    slopes = found[:, 0, 1:]
    force = score[:, None] * slopes
    curvature = information[:, None, None] * slopes[:, :, None] * slopes[:, None, :]
    residual = (contrast.fixed_edges[chosen] - found[:, 1:7, 0]) * scanned[:, None]
    weight = np.float32(2.0 * how.edge_weight)
    edges = found[:, 1:7, 1:] * scanned[:, None, None]
    force += weight * np.einsum("nc,nci->ni", residual, edges)
    curvature += weight * np.einsum("nci,ncj->nij", edges, edges, optimize=False)
    outside = np.flatnonzero(~is_inside)
    _project(force, curvature, outside, samples.normals[chosen[outside]], opinion.outside_weight)
    _weigh(force, curvature, is_inside, samples.depth_share[chosen], opinion.surface_weight)
    return force, curvature


def _weigh(
    force: Floats, curvature: Floats, is_inside: NDArray[np.bool_], share: Floats, weight: float
) -> None:
    """Let what lies in the liver near its surface count for less."""
    if weight == 1.0:
        return
    factor = np.where(is_inside, weight + (1.0 - weight) * share, 1.0).astype(np.float32)
    force *= factor[:, None]
    curvature *= factor[:, None, None]


def _project(
    force: Floats, curvature: Floats, rows: NDArray[np.intp], normals: Floats, weight: float
) -> None:
    """Leave of some rows only what acts along their normals, weighted (see the module)."""
    share = np.float32(weight)
    along = share * np.einsum("ni,ni->n", normals, force[rows])
    stiff = share * np.einsum("ni,nij,nj->n", normals, curvature[rows], normals)
    force[rows] = along[:, None] * normals
    curvature[rows] = stiff[:, None, None] * normals[:, :, None] * normals[:, None, :]


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
        if size < CG_TOL * first or size == 0.0:
            break
        bent = curved(direction)
        length = np.float32(size / float((direction * bent).sum()))
        change += length * direction
        residual -= length * bent
        smaller = float((residual**2).sum())
        direction = residual + np.float32(smaller / size) * direction
        size = smaller
    return change


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """A fitted field, and how far the two fits it is the mean of lie apart."""

    field: Floats
    """u: (3, grid) displacement in mm along the grid's slice, row and column axes."""
    apart_mm: Floats
    """(grid) distance of the two fits, as the root mean square over `NEAR_MM` about."""


def _per_cells(
    force: Floats, curvature: Floats, cell: NDArray[np.intp], shape: tuple[int, int, int]
) -> tuple[Floats, Floats]:
    """(3, cells) and (3, 3, cells): the sums over each cell's samples."""
    forces = np.stack([_per_cell(f, cell, shape) for f in force.T])
    curvatures = np.empty((3, 3, *shape), np.float32)
    for i, j in _PAIRS:
        curvatures[i, j] = _per_cell(curvature[:, i, j], cell, shape)
        curvatures[j, i] = curvatures[i, j]
    return forces, curvatures


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What both fits of a level share."""

    scene: Scene
    how: Stiffness
    level: Level
    spline: Spline
    samples: _Samples
    contrast: _Contrast


def _improved(ground: _Ground, number: int, before: Floats, rng: np.random.Generator) -> Floats:
    """The field (3, grid) of one of the two fits, improved from `before`."""
    scene, how, spline, samples = ground.scene, ground.how, ground.spline, ground.samples
    opinion, spacing = how.opinions[number], scene.grid.spacing_mm.astype(np.float32)
    own = np.flatnonzero(samples.half == bool(number))
    drawn = int(ground.level.drawn * len(own))
    bend = how.bending * BENDING_UNIT * drawn / scene.volume_mm3
    coefficients = spline.fitted(before)
    for _ in range(ground.level.iterations):
        chosen = own[rng.permutation(len(own))[:drawn]]
        where = samples.voxels[chosen].astype(np.intp)
        shift = spline.field(coefficients)[:, where[:, 0], where[:, 1], where[:, 2]].T
        moved = samples.voxels[chosen] + shift / spacing
        force, curvature = _forces(ground.contrast, samples, chosen, moved, scene, how, opinion)
        forces, curvatures = _per_cells(force, curvature, samples.cell[chosen], spline.cells_shape)
        change = _step(spline, coefficients, forces, curvatures, bend, how.conjugate_steps)
        step_mm = float(np.abs(spline.cell_means(change)).max())
        coefficients += change * np.float32(min(1.0, how.largest_step_mm / max(step_mm, 1e-6)))
        if step_mm < how.smallest_step_mm:
            break
    return spline.field(coefficients)


def deformation(scene: Scene, how: Stiffness, rng: np.random.Generator) -> Deformation:
    """The deformation that aligns a scene, level by level."""
    grid, samples, own_rng = scene.grid, _samples(scene, how), rng.spawn(2)
    first = second = np.zeros((3, *grid.shape), np.float32)
    with ThreadPoolExecutor(2) as threads:
        for level in how.levels:
            spline = Spline.over(grid.shape, grid.spacing_mm, level.knot_mm, how.cell_voxels)
            contrast = _contrast(scene, samples, level.smoothing_mm, how)
            ground = _Ground(scene, how, level, spline, samples, contrast)
            fits = [
                threads.submit(_improved, ground, n, before, own_rng[n])
                for n, before in enumerate((first, second))
            ]
            first, second = (fit.result() for fit in fits)
    squared = ((first - second) ** 2).sum(0)
    near = ndimage.gaussian_filter(squared, NEAR_MM / grid.spacing_mm)
    return Deformation((first + second) / np.float32(2.0), np.sqrt(near))

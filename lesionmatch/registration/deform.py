r"""The liver's own deformation: mutual information and edges, bent as little as they allow.

After the affine map A a point x of the MRI lies at ``A(x + u(x))``; u is a cubic B-spline
(see `spline`) on a grid along the MRI's axes about the liver. It maximises

    sum over samples of  MI(f, m)  -  w |E_f - E_m|²   -  b * bending(u)

where m is the target read at the displaced point, MI is mutual information (see
`information`), and E is the edge tensor ``n nᵀ`` with ``n = grad I / sqrt(|grad I|² + e²)``:
it says where edges are and which way they face, not which side is bright, so that vessels
dark on the MRI and bright on the CT agree (Haber and Modersitzki 2006,
doi 10.1007/978-3-540-44707-8_87, in Gauss-Newton form). Grain would be edges too, so it is taken
off both images first (see `grain`). Every iteration draws new samples,
sums their forces and curvatures over cells of a few voxels, and solves the normal equations
for the coefficients with conjugate gradients.

**How stiff.** A bending energy is the logarithm of a Gaussian prior of the field's curvature, and
its weight b is one over the variance. How strongly a liver is bent differs from patient to
patient, so the variance is learned from the study (MacKay 1992, doi 10.1162/neco.1992.4.3.415):
from the second level on, b is `Stiffness.curvature_per_mm2` over the mean squared curvature of
what was found, within limits.

**Sliding.** The liver glides along wall, ribs and spine, which do not move with it: a smooth
field over both cannot follow. But wall and liver stay in touch, so what lies beyond the
capsule still tells how far the surface has moved along its normal, and nothing else. So
outside the liver force and curvature are projected onto the normal n, the direction in which
the distance to the liver grows, by ``P = n nᵀ``; they count for less, because neighbours move
on their own; and inside and outside have a table of intensities each, since what is dark
within (a vessel) is another thing than what is dark without (air, fat).

**Two opinions.** The field is fitted twice and the mean of both is taken. One fit sees half of
the blocks of voxels, the other the other half (`scene.halves`), so neither knows the noise the
other met. And each trusts another witness (`stiffness`): the first the liver's surface and what
lies beyond it, the second the vessels and lesions within. Where both tell the same, the two
meet; where there is little to see, or a surface is not the tissue's, they part. So how far they
lie apart is what the images themselves say of the error at a place (see `bound`). Their mean is
better than one fit to everything (simulated studies). Each has a thread and random numbers of
its own, so that the result does not depend on who is first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.image import Image
from lesionmatch.registration.forces import (
    PAIRS,
    Contrast,
    Samples,
    contrast_of,
    forces_of,
    samples_of,
)
from lesionmatch.registration.grain import without_grain
from lesionmatch.registration.sampling import drawn
from lesionmatch.registration.scene import Scene
from lesionmatch.registration.spline import Spline
from lesionmatch.registration.stiffness import Level, Stiffness
from lesionmatch.registration.threads import both

Floats = NDArray[np.float32]

CG_TOL = 1e-4
"""Squared residual, as a share of the first, at which conjugate gradients stop."""

BENDING_UNIT = 1000.0
"""Scales the bending energy so that a weight near 1 is about right, whatever the grid."""

NEAR_MM = 10.0
"""Standard deviation of the neighbourhood two fits are compared in: at a single place they may
cross by chance."""


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
    forces = np.stack([_per_cell(f, cell, shape) for f in force])
    curvatures = np.empty((3, 3, *shape), np.float32)
    for (i, j), component in zip(PAIRS, curvature, strict=True):
        curvatures[i, j] = curvatures[j, i] = _per_cell(component, cell, shape)
    return forces, curvatures


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What both fits of a level share."""

    scene: Scene
    how: Stiffness
    level: Level
    spline: Spline
    samples: Samples
    contrast: Contrast
    bending: float


def _improved(ground: _Ground, number: int, before: Floats, rng: np.random.Generator) -> Floats:
    """The field (3, grid) of one of the two fits, improved from `before`."""
    scene, how, spline, samples = ground.scene, ground.how, ground.spline, ground.samples
    opinion, spacing = how.opinions[number], scene.grid.spacing_mm.astype(np.float32)
    own = np.flatnonzero(samples.half == bool(number))
    most = int(ground.level.drawn * len(own))
    bend = ground.bending * BENDING_UNIT * most / scene.volume_mm3
    coefficients = spline.fitted(before)
    for _ in range(ground.level.iterations):
        chosen = own[drawn(rng, most, len(own))]
        shift = spline.field(coefficients).reshape(3, -1)[:, samples.flat[chosen]].T
        moved = samples.voxels[chosen] + shift / spacing
        force, curvature = forces_of(ground.contrast, samples, chosen, moved, scene, how, opinion)
        forces, curvatures = _per_cells(force, curvature, samples.cell[chosen], spline.cells_shape)
        change = _step(spline, coefficients, forces, curvatures, bend, how.conjugate_steps)
        step_mm = float(np.abs(spline.cell_means(change)).max())
        coefficients += change * np.float32(min(1.0, how.largest_step_mm / max(step_mm, 1e-6)))
        if step_mm < how.smallest_step_mm:
            break
    return spline.field(coefficients)


def _curvature(scene: Scene, spline: Spline, field: Floats) -> float:
    """Bending energy of a field over the liver's volume: its mean squared curvature, 1/mm²."""
    coefficients = spline.fitted(field)
    energy = float((coefficients * spline.bending(coefficients)).sum())
    return energy / float(scene.inside.sum() * np.prod(scene.grid.spacing_mm))


def _quiet(scene: Scene, how: Stiffness) -> Scene:
    """The scene without the grain of its images."""

    def image(noisy: Image, slope_per_mm: float | None) -> Image:
        return noisy if slope_per_mm is None else without_grain(noisy, scene.inside, slope_per_mm)

    mri, target = both(
        partial(image, scene.mri, how.mri_slope_per_mm),
        partial(image, scene.target, how.target_slope_per_mm),
    )
    return replace(scene, mri=mri, target=target)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Both fits so far, and how stiff the next level is."""

    first: Floats
    second: Floats
    bending: float

    @property
    def mean(self) -> Floats:
        """(3, grid)."""
        return (self.first + self.second) / np.float32(2.0)


def _refined(
    scene: Scene,
    how: Stiffness,
    samples: Samples,
    smoothing_mm: float,
    levels: Iterable[Level],
    found: _Found,
    rngs: list[np.random.Generator],
) -> _Found:
    """Both fits after the levels of one smoothing, whose images are gone when it returns."""
    contrast = contrast_of(scene, samples, smoothing_mm, how)
    for level in levels:
        spline = Spline.over(
            scene.grid.shape, scene.grid.spacing_mm, level.knot_mm, how.cell_voxels
        )
        ground = _Ground(scene, how, level, spline, samples, contrast, found.bending)
        first, second = both(
            partial(_improved, ground, 0, found.first, rngs[0]),
            partial(_improved, ground, 1, found.second, rngs[1]),
        )
        found = _Found(first, second, found.bending)
        if level is not how.levels[0]:
            bending = how.learned_bending(_curvature(scene, spline, found.mean))
            found = replace(found, bending=bending)
    return found


def deformation(scene: Scene, how: Stiffness, rng: np.random.Generator) -> Deformation:
    """The deformation that aligns a scene, level by level."""
    scene = _quiet(scene, how)
    grid, samples, rngs = scene.grid, samples_of(scene, how), rng.spawn(2)
    none = np.zeros((3, *grid.shape), np.float32)
    found = _Found(none, none, how.bending)
    for smoothing_mm, levels in groupby(how.levels, key=lambda level: level.smoothing_mm):
        found = _refined(scene, how, samples, smoothing_mm, levels, found, rngs)
    squared = ((found.first - found.second) ** 2).sum(0)
    near = ndimage.gaussian_filter(squared, NEAR_MM / grid.spacing_mm)
    return Deformation(found.mean, np.sqrt(near))

"""The liver found on a hepatobiliary-phase image, without a trained network.

The liver is the largest thing in the upper abdomen that is bright and even. Where a ball
fits into brightness the longest is liver; its own brightness gives the coil's sensitivity,
and with that divided out, whatever is as bright and hangs together with it by more than a
thin bridge is liver too. Vessels, lesions and clefts are then closed and filled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask
from lesionmatch.liver.work import work_image
from lesionmatch.protocol import Protocol
from lesionmatch.resample import distance_mm, resample_mask

SEED_SPACING_MM = 5.0
SEED_BALL_MM = 15.0
SEED_ML = 150.0
WORK_SPACING_MM = 2.5
BODY_SHARE = 0.1
"""Of the 99th percentile; air is darker."""

Voxels = NDArray[np.bool_]
Values = NDArray[np.float32]


def find_liver(hbp: Image, protocol: Protocol, *, lesions: Mask | None = None) -> Mask:
    """The liver on `hbp`, filled, on its grid; drawn `lesions` on that grid belong to it.

    Raises `InvalidInput` where nothing in the image is bright, even and large enough.
    """
    seed = _seed(hbp)
    image = work_image(hbp, WORK_SPACING_MM)
    core = resample_mask(seed, image.grid) >= 0.5
    ratio = image.array / _level(image, core)
    for _ in range(3):
        core = _grown(ratio, core, image.grid)
        ratio = image.array / _level(image, core)
    liver = _filled(core, image.grid)
    fine = resample_mask(Mask(image.grid, liver), hbp.grid) >= 0.5
    if lesions is not None:
        fine |= lesions.array
    return Mask(hbp.grid, fine)


def ball(radius_mm: float, grid: Grid) -> Voxels:
    """The voxels of `grid` within a radius of one voxel's centre."""
    reach = np.floor(radius_mm / grid.spacing_mm).astype(int)
    axes = [np.arange(-n, n + 1) * mm for n, mm in zip(reach, grid.spacing_mm, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return np.asarray(x * x + y * y + z * z <= radius_mm**2)


def eroded(voxels: Voxels, grid: Grid, radius_mm: float) -> Voxels:
    return distance_mm(Mask(grid, ~voxels)) > radius_mm


def dilated(voxels: Voxels, grid: Grid, radius_mm: float) -> Voxels:
    return distance_mm(Mask(grid, voxels)) <= radius_mm


def _seed(hbp: Image) -> Mask:
    """Where a ball fits into the brightest large volume."""
    image = work_image(hbp, SEED_SPACING_MM)
    fits = ndimage.grey_erosion(image.array, footprint=ball(SEED_BALL_MM, image.grid))
    top = float(np.percentile(fits, 99.9))
    least = int(SEED_ML / image.grid.voxel_ml / 4)
    for share in np.arange(0.95, 0.3, -0.05):
        labels, _ = ndimage.label(fits > share * top)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        if sizes.max() >= least:
            seed = labels == int(np.argmax(sizes))
            return Mask(image.grid, dilated(seed, image.grid, SEED_BALL_MM - 5.0))
    raise InvalidInput(
        f"liver: wanted a bright, even region of {SEED_ML:.0f} ml on the hepatobiliary phase, "
        "got none; give a mask with --liver"
    )


def _level(image: Image, core: Voxels) -> Values:
    """Sensitivity of the coil: a quadratic of the logarithm of the core's brightness."""
    places = np.argwhere(core)
    step = max(1, len(places) // 20000)
    places = places[::step]
    values = np.log(np.maximum(image.array[tuple(places.T)], 1e-6))
    middle, scale = places.mean(0), 100.0 / image.grid.spacing_mm
    keep = np.ones(len(values), np.bool_)
    for _ in range(4):
        terms = _terms((places - middle) / scale)
        ridge = np.diag([0.0, *[1e-3] * 3, *[3e-2] * 6]) * keep.sum()
        a, b = terms[keep], values[keep]
        fit = np.linalg.solve(a.T @ a + ridge, a.T @ b)
        rest = values - terms @ fit
        sd = 1.4826 * float(np.median(np.abs(rest[keep])))
        keep = np.abs(rest) < 2.5 * sd
    return _evaluated(fit, image.grid.shape, middle, scale)


def _evaluated(
    fit: NDArray[np.float64],
    shape: tuple[int, int, int],
    middle: NDArray[np.float64],
    scale: NDArray[np.float64],
) -> Values:
    axes = [
        ((np.arange(n) - m) / s).clip(-2.0, 2.0)
        for n, m, s in zip(shape, middle, scale, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    log = (
        fit[0] + fit[1] * z + fit[2] * y + fit[3] * x
        + fit[4] * z * z + fit[5] * y * y + fit[6] * x * x
        + fit[7] * z * y + fit[8] * z * x + fit[9] * y * x
    )  # fmt: skip
    return np.exp(log).astype(np.float32)


def _terms(p: NDArray[np.float64]) -> NDArray[np.float64]:
    z, y, x = p.T
    return np.stack([np.ones(len(p)), z, y, x, z * z, y * y, x * x, z * y, z * x, y * x], 1)


def _grown(ratio: Values, core: Voxels, grid: Grid) -> Voxels:
    """What is as bright as the core and hangs together with it."""
    smooth = ndimage.gaussian_filter(ratio, 2.0 / grid.spacing_mm)
    bright = (smooth > 0.72) & (smooth < 1.25)
    thick = eroded(bright, grid, 5.0)
    labels, _ = ndimage.label(thick)
    sizes = np.bincount(labels[core & thick], minlength=2)
    sizes[0] = 0
    main = labels == int(np.argmax(sizes))
    return dilated(main, grid, 6.0) & bright


def _filled(core: Voxels, grid: Grid) -> Voxels:
    pad = 6
    room = np.pad(core, pad)
    big = Grid(grid.frame, tuple(int(n) for n in room.shape), grid.world_from_voxel)
    closed = eroded(dilated(room, big, 8.0), big, 8.0)
    closed = ndimage.binary_fill_holes(closed)
    return closed[pad:-pad, pad:-pad, pad:-pad]

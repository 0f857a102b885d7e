"""The two images made ready to be compared: bias divided out, the target's contrast chosen.

Coil sensitivity is a smooth factor. Inside the liver, whose tissue is one, its logarithm
is fitted by a polynomial of second order, robustly, because lesions and vessels are dark
and ducts bright; divided out everywhere, parenchyma becomes 1.
"""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import median_abs_deviation

from lesionmatch.errors import RegistrationFailed
from lesionmatch.geometry import Grid, Points
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.registration.information import Window
from lesionmatch.resample import smooth

FIT_SPACING_MM = 4.0
"""The bias is smooth: one voxel in every so many millimetres is enough to fit it."""

CLAMP = 1.6
"""Beyond this many half-widths of the liver the polynomial is held, where it knows nothing."""

CT_WINDOW_HU = Window(-160.0, 240.0)
CT_SEARCH_EDGES_HU = (-400.0, -160.0, -20.0, 80.0, 140.0)
"""Air, lung's edge, fat, fluid, soft tissue, enhanced tissue and bone."""
CT_OUTSIDE_HU = -1000.0

PET_SEARCH_QUANTILES = (0.30, 0.60, 0.80, 0.90, 0.96)
"""Of the body's voxels: liver, spleen and kidneys are its avid few."""
PET_BODY_SUV = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What the MRI is registered to."""

    name: str
    """'ct' or 'pet'."""
    image: Image
    window: Window
    """Intensities that tell tissues of the liver and about it apart."""
    search_edges: tuple[float, ...]
    """Where the coarse search divides them."""
    outside: float
    """The intensity of what was not scanned."""

    def part(self, box: tuple[slice, slice, slice]) -> Image:
        """A box of the image, held within the window.

        Held before it is smoothed: lung is so dark that half way to it lies within the liver,
        and the dome would seem to be millimetres lower.
        """
        image = self.image.crop(box)
        held = np.clip(image.array, self.window.low, self.window.high)
        return Image(image.grid, held, image.quantity)


def ct_target(ct: Image) -> Target:
    """The CT as target."""
    image = ct.require(Quantity.HOUNSFIELD)
    return Target("ct", image, CT_WINDOW_HU, CT_SEARCH_EDGES_HU, CT_OUTSIDE_HU)


def pet_target(pet: Image) -> Target:
    """The PET as target: the square root of its SUV, whose noise does not grow with uptake."""
    root = np.sqrt(np.maximum(pet.require(Quantity.SUV_BW).array, 0.0))
    body = root[root > np.sqrt(PET_BODY_SUV)]
    if body.size == 0:
        raise RegistrationFailed("registration: wanted uptake on the PET, got none")
    edges = tuple(float(e) for e in np.quantile(body, PET_SEARCH_QUANTILES))
    top = float(np.quantile(body, 0.995))
    return Target("pet", Image(pet.grid, root, Quantity.ARBITRARY), Window(0.0, top), edges, -1.0)


def shrunk(image: Image, spacing_mm: float) -> Image:
    """`image` averaged over blocks of whole voxels, no wider than `spacing_mm`.

    Averaging is smoothing at no cost; a last incomplete block is dropped.
    """
    factors = np.maximum(np.floor(spacing_mm / image.grid.spacing_mm + 1e-6), 1).astype(int)
    factors = np.minimum(factors, image.grid.shape)
    if (factors == 1).all():
        return image
    counts = np.array(image.grid.shape) // factors
    kept = image.array[tuple(slice(0, n * f) for n, f in zip(counts, factors, strict=True))]
    mean = kept
    for axis, factor in enumerate(factors):
        parts = [mean[(slice(None),) * axis + (slice(n, None, factor),)] for n in range(factor)]
        mean = reduce(np.add, parts)
    mean = mean / np.float32(factors.prod())
    matrix = image.grid.world_from_voxel.copy()
    matrix[:3, 3] = image.grid.world((factors - 1) / 2)
    matrix[:3, :3] *= factors
    return Image(Grid(image.frame, mean.shape, matrix), mean, image.quantity)


def averaged(target: Target, points: Points, width_mm: float, *, margin_mm: float) -> Target:
    """The target around points of its frame, averaged over a full width at half maximum."""
    around = target.part(target.image.grid.box_around(points, margin_mm))
    return replace(target, image=smooth(shrunk(around, width_mm / 2.0), width_mm))


def without_bias(mri: Image, liver: Mask) -> Image:
    """`mri` divided by its bias as seen in `liver` (on the same grid): parenchyma is 1.

    Raises `RegistrationFailed` where the liver has no bright voxel to fit.
    """
    step = np.maximum(np.rint(FIT_SPACING_MM / mri.grid.spacing_mm), 1).astype(int)
    thin = tuple(slice(None, None, int(s)) for s in step)
    inside = ndimage.binary_erosion(liver.array[thin])
    inside = (inside if inside.sum() > 100 else liver.array[thin]) & (mri.array[thin] > 0)
    if inside.sum() < 20:
        raise RegistrationFailed(
            f"registration: wanted signal in the MRI's liver mask, got {inside.sum()} bright places"
        )
    where = np.argwhere(inside) * step
    centre, width = where.mean(0), 2 * where.std(0) + 1e-3
    logs = np.log(mri.array[thin][inside])
    coefficients = _robust_fit(_powers(((where - centre) / width).T), logs)
    field = _field(coefficients, centre, width, mri.grid.shape)
    return Image(mri.grid, mri.array * np.exp(-field), mri.quantity)


_ORDERS = [(i, j, k) for i in range(3) for j in range(3) for k in range(3) if i + j + k <= 2]


def _powers(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 10) monomials up to second order of coordinates (3, N)."""
    return np.stack([q[0] ** i * q[1] ** j * q[2] ** k for i, j, k in _ORDERS], -1)


def _robust_fit(powers: NDArray[np.float64], logs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Least squares, repeated without what lies far off; dark tissue is dropped sooner."""
    kept = logs > np.median(logs) - 0.5
    for _ in range(4):
        fit = np.linalg.lstsq(powers[kept], logs[kept], rcond=None)[0]
        residual = logs - powers @ fit
        sd = median_abs_deviation(residual[kept], scale="normal") + 1e-6
        kept = (residual > -2 * sd) & (residual < 3 * sd)
    return np.asarray(fit)


def _field(
    fit: NDArray[np.float64],
    centre: NDArray[np.float64],
    width: NDArray[np.float64],
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    axes = [
        np.clip((np.arange(n) - c) / w, -CLAMP, CLAMP).astype(np.float32)
        for n, c, w in zip(shape, centre, width, strict=True)
    ]
    z, y, x = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    total = np.zeros(shape, np.float32)
    for value, (i, j, k) in zip(fit.astype(np.float32), _ORDERS, strict=True):
        total += value * z**i * y**j * x**k
    return total

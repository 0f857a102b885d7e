"""Where the liver lies on the target: mutual information at every translation at once.

On a coarse grid the MRI about the liver is cut into bins of equal count and the target into
bins of tissue. How often bin i meets bin j when the MRI is shifted by t is a correlation of
two indicator images, so one FFT product a pair of bins gives the joint counts n_ij(t) for
all t, and with N = sum of n_ij

    MI(t) = (sum n_ij ln n_ij - sum n_i. ln n_i. - sum n_.j ln n_.j + N ln N) / N.

Nothing is assumed of a common origin, and no start can be wrong. Rotation is left to the
stage after: eight degrees do not hide the peak.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from lesionmatch.errors import RegistrationFailed
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask
from lesionmatch.registration.appearance import Target, shrunk
from lesionmatch.resample import distance_mm, resample, resample_mask

Floats = NDArray[np.float32]

STEP_MM = 8.0
MRI_BINS = 6
AROUND_LIVER_MM = 20.0
"""Wall, lung and neighbours within this of the liver help to place it."""
LEAST_OVERLAP = 0.75
"""Share of the region that has to fall on the target."""
PEAKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """The best translations, best first."""

    shifts_mm: NDArray[np.float64]
    """(peaks, 3): added to an MRI point gives a target point."""
    mutual_information: NDArray[np.float64]
    """(peaks,) in nats."""


def _isotropic(image: Image, outside: float, box_of: Grid) -> Image:
    """`image` on upright voxels of `STEP_MM` that cover `box_of`."""
    corners = box_of.corners_mm()
    low, high = corners.min(0), corners.max(0)
    shape = np.maximum(((high - low) / STEP_MM).astype(int) + 1, 1)[::-1]
    grid = Grid.of(image.frame, tuple(shape.tolist()), origin_mm=low, spacing_mm=(STEP_MM,) * 3)
    return resample(shrunk(image, STEP_MM), grid, outside=outside)


def _xlogx(counts: Floats) -> Floats:
    return counts * np.log(np.maximum(counts, np.float32(1.0)))


def _indicators(bins: NDArray[np.intp], region: NDArray[np.bool_], count: int) -> list[Floats]:
    return [(region & (bins == n)).astype(np.float32) for n in range(count)]


def _mutual_information(fixed: list[Floats], moving: list[Floats]) -> tuple[Floats, Floats]:
    """MI and sample count for every circular shift of the fixed indicators over the moving."""
    shape = [
        fft.next_fast_len(a + b - 1, real=True)
        for a, b in zip(fixed[0].shape, moving[0].shape, strict=True)
    ]
    spectra = [np.conj(fft.rfftn(f, shape)) for f in fixed]
    moving_spectra = [fft.rfftn(m, shape) for m in moving]
    joint: Floats = np.zeros(shape, np.float32)
    columns = [np.zeros(shape, np.float32) for _ in moving]
    for spectrum in spectra:
        row = np.zeros(shape, np.float32)
        for column, other in zip(columns, moving_spectra, strict=True):
            counts = np.maximum(fft.irfftn(spectrum * other, shape), np.float32(0.0))
            joint += _xlogx(counts)
            row += counts
            column += counts
        joint -= _xlogx(row)
    total = np.asarray(np.sum(columns, axis=0), np.float32)
    for column in columns:
        joint -= _xlogx(column)
    information = (joint + _xlogx(total)) / np.maximum(total, np.float32(1.0))
    return np.asarray(information, np.float32), total


def best_shifts(mri: Image, liver: Mask, target: Target) -> Peaks:
    """The translations that explain the images best, of all there are.

    Raises `RegistrationFailed` where the liver's surroundings fit nowhere on the target.
    """
    fixed = _isotropic(mri, -1.0, mri.grid)
    moving = _isotropic(target.image, np.nan, target.image.grid)
    inside = Mask(fixed.grid, resample_mask(liver, fixed.grid) >= 0.25)
    region = (distance_mm(inside) <= AROUND_LIVER_MM) & (fixed.array >= 0)
    box = fixed.grid.box_around(fixed.grid.world(np.argwhere(region)), 0.0)
    region, values = region[box], fixed.array[box]
    quantiles = np.quantile(values[region], np.arange(1, MRI_BINS) / MRI_BINS)
    fixed_bins = _indicators(np.digitize(values, quantiles), region, MRI_BINS)
    edges = np.array(target.search_edges)
    scanned = np.isfinite(moving.array)
    moving_bins = _indicators(np.digitize(moving.array, edges), scanned, len(edges) + 1)
    information, overlap = _mutual_information(fixed_bins, moving_bins)
    information[overlap < LEAST_OVERLAP * region.sum()] = -1.0
    return _peaks(information, fixed.grid.crop(box), moving.grid)


def _peaks(information: Floats, fixed: Grid, moving: Grid) -> Peaks:
    summits = (information == ndimage.maximum_filter(information, 5, mode="wrap")) & (
        information > 0
    )
    places = np.argwhere(summits)
    if len(places) == 0:
        raise RegistrationFailed(
            "registration: wanted three quarters of the liver's surroundings on the "
            "target, got a target too small; check that both show the abdomen"
        )
    values = information[tuple(places.T)].astype(np.float64)
    order = np.argsort(-values, kind="stable")[:PEAKS]
    steps = places[order]
    steps = np.where(steps >= np.array(moving.shape), steps - np.array(information.shape), steps)
    shifts = moving.origin_mm - fixed.origin_mm + steps[:, ::-1] * STEP_MM
    return Peaks(shifts, values[order])

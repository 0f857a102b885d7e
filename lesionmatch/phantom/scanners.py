"""What each scanner makes of the anatomy: blur, noise, bias and scale."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.phantom import render
from lesionmatch.phantom.body import Body, Tissue
from lesionmatch.phantom.motion import Pose
from lesionmatch.phantom.placing import Placed, PlacedSpot
from lesionmatch.phantom.recipe import Recipe, Stream
from lesionmatch.phantom.render import Box
from lesionmatch.phantom.shapes import Field, coords_of, ripple
from lesionmatch.phantom.tissues import AIR_HU, LESION_HBP, LESION_HU, Tissues
from lesionmatch.segments import Kind

FWHM_PER_SD = float(2 * np.sqrt(2 * np.log(2)))
PET_NOISE_FWHM_MM = 5.0
CT_NOISE_FWHM_MM = 2.0
PET_UNEVENNESS = 0.04
"""Slow inhomogeneity of the liver's own uptake, as a share."""
CYST_HU = 6.0


def _rendered(
    body: Body,
    grid: Grid,
    pose: Pose,
    values: dict[Tissue, float],
    texture: float,
    rng: np.random.Generator,
) -> tuple[Field, Field]:
    """The body without lesions, its parenchyma slightly uneven; and the liver's share."""
    array = np.empty(grid.shape, np.float32)
    liver = np.zeros(grid.shape, np.float32)
    waves = ripple(rng, 6, (25.0, 90.0))
    # Without its mean over the liver, so that the liver's value stays what the recipe says.
    level = float(waves(coords_of(body.liver_points_mm(np.random.default_rng(0), 2000))).mean())
    for part, view in render.slabs(grid, pose):
        (array[part],) = render.paint(body, view, [values])
        found = render.organ_share(view, body.liver)
        if found is None:
            continue
        box, share = found
        liver[part][box] = share
        if texture:
            wave = waves(render.cut(view.visceral, box)) - level
            array[part][box] *= 1.0 + texture * share * wave
    return array, liver


def _sd(fwhm_mm: float, grid: Grid) -> list[float]:
    return [float(fwhm_mm / FWHM_PER_SD / s) for s in grid.spacing_mm]


def noise(rng: np.random.Generator, grid: Grid, fwhm_mm: float) -> Field:
    """Correlated noise of standard deviation 1."""
    white = rng.standard_normal(grid.shape, dtype=np.float32)
    soft = ndimage.gaussian_filter(white, _sd(fwhm_mm, grid), mode="wrap", truncate=3.0)
    return np.asarray(soft / soft.std())


def ct_image(
    recipe: Recipe,
    body: Body,
    tissues: Tissues,
    lesions: tuple[Placed, ...],
    grid: Grid,
    pose: Pose,
) -> Image:
    """A venous-phase CT in HU."""
    relative = {tissue: hu - AIR_HU for tissue, hu in tissues.hu.items()}
    array, _ = _rendered(body, grid, pose, relative, 0.004, recipe.rng(Stream.CT_TEXTURE))
    array += AIR_HU
    liver = tissues.hu[Tissue.LIVER]
    for lesion in lesions:
        kind = lesion.recipe.kind
        hu = CYST_HU if kind is Kind.CYST else liver + LESION_HU[kind]
        _cover(array, grid, pose, lesion, hu)
    rng = recipe.rng(Stream.CT_NOISE)
    array += recipe.ct_noise_hu * noise(rng, grid, CT_NOISE_FWHM_MM)
    return Image(grid, np.clip(np.rint(array), -1024, 3071), Quantity.HOUNSFIELD)


def _cover(
    array: Field, grid: Grid, pose: Pose, lesion: Placed | PlacedSpot, value: float
) -> tuple[Box, Field] | None:
    found = render.fine_share(grid, pose, lesion.shape, lesion.bounds)
    if found is not None:
        render.fill(array, *found, value)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Pet:
    """A PET image, and where the liver lies on it."""

    suv: Image
    liver_share: Field


def pet_image(
    recipe: Recipe,
    body: Body,
    tissues: Tissues,
    hot: tuple[Placed | PlacedSpot, ...],
    grid: Grid,
    pose: Pose,
) -> Pet:
    """SUV: activity, blurred by resolution and breathing, with noise like its square root."""
    liver_suv = tissues.suv[Tissue.LIVER]
    array, share = _rendered(
        body, grid, pose, dict(tissues.suv), PET_UNEVENNESS, recipe.rng(Stream.PET_TEXTURE)
    )
    for lesion in hot:
        _cover(array, grid, pose, lesion, lesion.recipe.tumour_to_liver * liver_suv)
    clean = _blurred(array, recipe, grid)
    rng = recipe.rng(Stream.PET_NOISE)
    grain = noise(rng, grid, PET_NOISE_FWHM_MM)
    noisy = clean + recipe.liver_cov * np.sqrt(np.maximum(clean, 0.0) * liver_suv) * grain
    suv = np.maximum(noisy, 0.0)
    return Pet(Image(grid, suv, Quantity.SUV_BW), share)


def _blurred(array: Field, recipe: Recipe, grid: Grid) -> Field:
    """The activity at the scanner's resolution, sharpened where its reconstruction does so."""
    clean = ndimage.gaussian_filter(array, pet_sd(recipe, grid), truncate=4.0)
    if recipe.pet_sharpening == 0.0:
        return np.asarray(clean)
    softer = ndimage.gaussian_filter(clean, _sd(recipe.pet_fwhm_mm, grid), truncate=4.0)
    return np.asarray(clean + recipe.pet_sharpening * (clean - softer))


def breathing_sd_mm(recipe: Recipe) -> float:
    """Standard deviation of a sinusoid of the recipe's peak-to-peak excursion."""
    return recipe.pet_breathing_mm / float(2.0 * np.sqrt(2.0))


def pet_sd(recipe: Recipe, grid: Grid) -> list[float]:
    """Blur along each axis of the grid, in voxels.

    A voxel's own extent blurs as well, so what it adds is taken off: the image as a whole
    has the recipe's resolution.
    """
    direction = np.abs(grid.directions[2])
    motion = breathing_sd_mm(recipe) * direction
    intrinsic = recipe.pet_fwhm_mm / FWHM_PER_SD
    variance = intrinsic**2 + motion**2 - grid.spacing_mm**2 / 12.0
    return [float(v) for v in np.sqrt(np.maximum(variance, 0.0)) / grid.spacing_mm]


@dataclass(frozen=True, slots=True, eq=False)
class Hbp:
    """A hepatobiliary image with the true outlines on it."""

    image: Image
    liver: Mask
    lesions: tuple[Mask | None, ...]
    """One for each lesion; None where the image does not cover it."""


def hbp_image(
    recipe: Recipe,
    body: Body,
    tissues: Tissues,
    lesions: tuple[Placed, ...],
    grid: Grid,
    pose: Pose,
) -> Hbp:
    """A hepatobiliary-phase image: relative signal, coil bias, Rician noise, any scale."""
    array, liver = _rendered(
        body, grid, pose, dict(tissues.hbp), recipe.hbp_texture, recipe.rng(Stream.HBP_TEXTURE)
    )
    shares = tuple(_cover(array, grid, pose, one, LESION_HBP[one.recipe.kind]) for one in lesions)
    rng = recipe.rng(Stream.HBP_NOISE)
    signal = array * _coil(rng, grid, recipe.hbp_bias)
    real = signal + recipe.hbp_noise * noise(rng, grid, 1.0)
    imaginary = recipe.hbp_noise * noise(rng, grid, 1.0)
    scale = float(np.exp(rng.uniform(np.log(180.0), np.log(1500.0))))
    magnitude = np.rint(scale * np.hypot(real, imaginary))
    drawn = shares if recipe.outline_error_mm == 0.0 else _drawn(recipe, lesions, grid, pose)
    return Hbp(
        Image(grid, magnitude, Quantity.ARBITRARY),
        Mask(grid, liver >= 0.5),
        tuple(_mask(grid, found) for found in drawn),
    )


def _drawn(
    recipe: Recipe, lesions: tuple[Placed, ...], grid: Grid, pose: Pose
) -> tuple[tuple[Box, Field] | None, ...]:
    """Lesions as a reader draws them who draws all too wide, or too tight."""
    margin = recipe.outline_error_mm
    shapes = [one.shape.grown(max(margin, 0.3 - min(one.shape.radii_mm))) for one in lesions]
    return tuple(
        render.fine_share(grid, pose, shape, one.bounds)
        for shape, one in zip(shapes, lesions, strict=True)
    )


def _coil(rng: np.random.Generator, grid: Grid, strength: float) -> Field:
    """Smooth sensitivity, of logarithm within about +-strength."""
    s, r, c = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in grid.shape),
                          indexing="ij", sparse=True)  # fmt: skip
    w = rng.normal(0, 1, 6)
    shape = w[0] * s + w[1] * r + w[2] * c + w[3] * r * r + w[4] * c * c + w[5] * s * s
    shape = shape - shape.mean()
    return np.asarray(np.exp(strength * shape / np.abs(shape).max()), np.float32)


def _mask(grid: Grid, found: tuple[Box, Field] | None) -> Mask | None:
    """Voxels at least half filled; the fullest one when none is."""
    if found is None or found[1].max() <= 0.0:
        return None
    box, share = found
    inside = share >= min(0.5, float(share.max()))
    return Mask(grid.crop(box), inside).trimmed()

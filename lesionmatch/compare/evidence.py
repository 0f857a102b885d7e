"""What the concordance of a study rests on, measured: places, distances, blur and noise."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lesionmatch import dicom
from lesionmatch.compare.sight import Seen
from lesionmatch.concordance import Evidence, Surroundings, occupied
from lesionmatch.detectability import Blur
from lesionmatch.foci import null_p
from lesionmatch.geometry import Grid, Points, at_once
from lesionmatch.liver import Liver
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Registration

NULL_SEED = 20231
"""Seed of the draw of lesion-free places, so that the same study gives the same answer."""


def evidence_of(
    pet: dicom.PetStudy,
    liver: Liver,
    registration: Registration,
    seen: Seen,
    rules: Protocol,
) -> Evidence:
    """All that `concord` needs to know of a study."""
    carried, foci, reading = seen.sharpened.carried, seen.foci, seen.reading
    avoid = occupied(carried, foci, pet.suv.grid, rules.reasons.lesion_free_mm)
    rng = np.random.default_rng(NULL_SEED)
    on_mri = at_once(registration.mri_from_pet.apply, [f.extent.points_mm() for f in foci])
    centres = [points.mean(axis=0, keepdims=True) for points in on_mri]
    return Evidence(
        suv=pet.suv,
        background=seen.reference,
        carried=carried,
        foci=foci,
        around_lesions=surroundings(
            liver,
            [one.lesion.surface_mm() for one in carried],
            [one.lesion.centroid_mm[None] for one in carried],
        ),
        around_foci=surroundings(liver, on_mri, centres),
        focus_error_mm=tuple(float(e[0]) for e in at_once(registration.error_mm, centres)),
        blur=Blur.breathing(reading.resolution.fwhm_mm, rules.detectability.breathing_mm),
        registration_passed=registration.passed,
        null_p=lambda search: null_p(reading.noise, search, rules, avoid=avoid, rng=rng),
    )


def surroundings(
    liver: Liver, surfaces_mm: Sequence[Points], centres_mm: Sequence[Points]
) -> tuple[Surroundings, ...]:
    """What lies in and around regions of the MRI, given by points of theirs and centroids.

    The points are those of a surface, or of all of a region.
    """
    capsule = at_once(liver.capsule_distance_mm, surfaces_mm)
    vessel = at_once(liver.vessel_distance_mm, surfaces_mm)
    hilum = at_once(liver.hilum_distance_mm, centres_mm)
    return tuple(
        Surroundings(
            _least(c),
            _least(h),
            _least(v),
            is_cut=_is_cut(points, liver.mask.grid),
            holds_lump=bool(liver.lumps.holds(points).any()),
        )
        for c, h, v, points in zip(capsule, hilum, vessel, surfaces_mm, strict=True)
    )


def _is_cut(points_mm: Points, mri: Grid) -> bool:
    """Whether a region reaches an outermost voxel of the MRI."""
    voxels = mri.voxels(points_mm)
    return bool(((voxels < 0.5) | (voxels > np.array(mri.shape) - 1.5)).any())


def _least(distances_mm: NDArray[np.float64]) -> float | None:
    """The smallest, or None where there is nothing to be distant from."""
    nearest = float(distances_mm.min())
    return nearest if np.isfinite(nearest) else None

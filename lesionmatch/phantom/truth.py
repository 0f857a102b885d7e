"""What is true of a simulated study, in the words and frames of its images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesionmatch.geometry import Points
from lesionmatch.image import Mask
from lesionmatch.output import write_json
from lesionmatch.phantom import hepatic, scanners
from lesionmatch.phantom.body import Body, Tissue
from lesionmatch.phantom.motion import Pose
from lesionmatch.phantom.placing import Placed, PlacedSpot
from lesionmatch.phantom.recipe import Place, Recipe, Spot
from lesionmatch.phantom.scanners import FWHM_PER_SD, Hbp
from lesionmatch.phantom.setup import Scene
from lesionmatch.phantom.shapes import Ellipsoid, Segment, Triple, coords_of, triple
from lesionmatch.phantom.tissues import Tissues
from lesionmatch.segments import Kind

POSITIVE_CNR = 6.0
"""Uptake with more contrast than this is found by any reader."""
NEGATIVE_CNR = 2.0
"""Uptake with less contrast than this is found by none."""


@dataclass(frozen=True, slots=True, eq=False)
class LesionTruth:
    """One lesion of the MRI."""

    lesion_id: str
    """As the lesion is numbered in the SEG: L1 is segment 1; empty where the MRI misses it."""
    kind: Kind
    place: Place
    diameter_mm: float
    tumour_to_liver: float
    """True, before any blur."""
    recovery: float
    """Share of its contrast that resolution and breathing leave at its middle."""
    contrast_to_noise: float
    """(tumour_to_liver - 1) recovery / liver_cov; negative for a cold lesion."""
    pet_status: str
    """positive, negative, or uncertain where readers would differ."""
    mri_mm: Triple
    ct_mm: Triple
    pet_mm: Triple
    """Where it lies on the PET, which may lie off its CT."""
    is_on_mri: bool
    is_on_pet: bool
    capsule_distance_mm: float
    hilum_distance_mm: float
    vessel_distance_mm: float
    """Surface to surface; the hilum from the centroid."""
    voxels: int
    """Of its outline on the MRI."""


@dataclass(frozen=True, slots=True, eq=False)
class SpotTruth:
    """Uptake that only the PET shows."""

    place: Spot
    diameter_mm: float
    tumour_to_liver: float
    recovery: float
    contrast_to_noise: float
    pet_mm: Triple
    is_in_liver: bool


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Everything a comparison of the study should find."""

    seed: int
    lesions: tuple[LesionTruth, ...]
    spots: tuple[SpotTruth, ...]
    liver_suv: float
    liver_cov: float
    liver_ml: float
    """In body coordinates, so before the MRI deforms it."""
    hilum_mri_mm: Triple
    hilum_pet_mm: Triple
    vessels: tuple[Segment, ...]
    """Portal and hepatic veins and cava: centrelines with radii, on the MRI."""
    liver_points_mri_mm: NDArray[np.float64]
    """(N, 3) points of the liver on the MRI."""
    liver_points_ct_mm: NDArray[np.float64]
    """(N, 3) the same points on the CT."""
    liver_points_pet_mm: NDArray[np.float64]
    """(N, 3) the same points on the PET, which may lie off its CT."""
    mri: str
    """involved or not_involved."""
    pet: str
    """involved, not_involved, or uncertain where only doubtful uptake exists."""
    mri_pose: Pose
    ct_pose: Pose
    pet_pose: Pose

    @property
    def cell(self) -> str | None:
        """TP, FP, FN or TN; None where the PET is uncertain."""
        if self.pet == "uncertain":
            return None
        if self.mri == "involved":
            return "TP" if self.pet == "involved" else "FN"
        return "FP" if self.pet == "involved" else "TN"

    def ct_from_mri(self, points_mm: ArrayLike) -> Points:
        """Where visceral points of the MRI, (N, 3), lie on the CT."""
        return self.ct_pose.world_mm(self.mri_pose.anatomy_mm(points_mm))

    def pet_from_mri(self, points_mm: ArrayLike) -> Points:
        """Where visceral points of the MRI, (N, 3), lie on the PET."""
        return self.pet_pose.world_mm(self.mri_pose.anatomy_mm(points_mm))

    def mri_from_ct(self, points_mm: ArrayLike) -> Points:
        """Where visceral points of the CT, (N, 3), lie on the MRI."""
        return self.mri_pose.world_mm(self.ct_pose.anatomy_mm(points_mm))

    def as_dict(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        return {
            "seed": self.seed,
            "calls": {"mri": self.mri, "pet": self.pet, "cell": self.cell},
            "liver": {
                "suv_mean": self.liver_suv,
                "cov": self.liver_cov,
                "volume_ml": self.liver_ml,
            },
            "hilum_mri_mm": self.hilum_mri_mm,
            "hilum_pet_mm": self.hilum_pet_mm,
            "lesions": [_plain(lesion) for lesion in self.lesions],
            "spots": [_plain(spot) for spot in self.spots],
            "liver_points_mri_mm": _listed(self.liver_points_mri_mm),
            "liver_points_ct_mm": _listed(self.liver_points_ct_mm),
            "liver_points_pet_mm": _listed(self.liver_points_pet_mm),
        }

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, self.as_dict())


def _listed(points_mm: Points, count: int = 300) -> list[list[float]]:
    """Enough of the points for a file that people open."""
    rows: list[list[float]] = np.round(points_mm[:count], 3).tolist()
    return rows


def _plain(row: LesionTruth | SpotTruth) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in row.__dataclass_fields__}
    return {
        name: value.value if isinstance(value, (Kind, Place, Spot)) else _rounded(value)
        for name, value in values.items()
    }


def _rounded(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    if isinstance(value, float):
        return round(value, 4)
    return [round(v, 3) for v in value] if isinstance(value, tuple) else value


def describe(
    recipe: Recipe,
    body: Body,
    scene: Scene,
    values: Tissues,
    placed: tuple[Placed, ...],
    spots: tuple[PlacedSpot, ...],
    hbp: Hbp,
) -> Truth:
    """The truth of a rendered study."""
    lesions = _lesions(recipe, body, scene, placed, hbp)
    spot_truths = tuple(_spot(recipe, body, scene, spot) for spot in spots)
    contrasts = [row.contrast_to_noise for row in lesions if row.is_on_pet]
    contrasts += [s.contrast_to_noise for s in spot_truths if s.is_in_liver]
    points = scene.liver_points_mm
    hilum = np.array([body.hilum_mm])
    return Truth(
        seed=recipe.seed,
        lesions=lesions,
        spots=spot_truths,
        liver_suv=values.suv[Tissue.LIVER],
        liver_cov=recipe.liver_cov,
        liver_ml=hepatic.volume_ml(body.liver),
        hilum_mri_mm=triple(scene.mri_pose.world_mm(hilum)[0]),
        hilum_pet_mm=triple(scene.pet_pose.world_mm(hilum)[0]),
        vessels=_on_mri(body, scene.mri_pose),
        liver_points_mri_mm=scene.mri_pose.world_mm(points),
        liver_points_ct_mm=scene.ct_pose.world_mm(points),
        liver_points_pet_mm=scene.pet_pose.world_mm(points),
        mri=_mri_call(lesions),
        pet=_pet_call(contrasts),
        mri_pose=scene.mri_pose,
        ct_pose=scene.ct_pose,
        pet_pose=scene.pet_pose,
    )


def _mri_call(lesions: tuple[LesionTruth, ...]) -> str:
    involved = any(row.kind.counts and row.is_on_mri for row in lesions)
    return "involved" if involved else "not_involved"


def _on_mri(body: Body, pose: Pose) -> tuple[Segment, ...]:
    """The large veins as tubes on the MRI."""
    veins = body.trees(Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN, Tissue.CAVA)
    starts = pose.world_mm(np.array([s.start_mm for s in veins]))
    stops = pose.world_mm(np.array([s.stop_mm for s in veins]))
    return tuple(
        Segment(triple(a), triple(b), s.start_radius_mm, s.stop_radius_mm)
        for s, a, b in zip(veins, starts, stops, strict=True)
    )


def _pet_call(contrasts: list[float]) -> str:
    """What an unprompted reader of the PET must say, whatever the lesions are."""
    if any(c > POSITIVE_CNR for c in contrasts):
        return "involved"
    return "not_involved" if all(c < NEGATIVE_CNR for c in contrasts) else "uncertain"


def _status(contrast: float) -> str:
    if contrast > POSITIVE_CNR:
        return "positive"
    return "negative" if contrast < NEGATIVE_CNR else "uncertain"


def _lesions(
    recipe: Recipe, body: Body, scene: Scene, placed: tuple[Placed, ...], hbp: Hbp
) -> tuple[LesionTruth, ...]:
    drawn = 0
    rows = []
    for lesion, mask in zip(placed, hbp.lesions, strict=True):
        drawn += mask is not None
        lesion_id = f"L{drawn}" if mask is not None else ""
        rows.append(_lesion(recipe, body, scene, lesion, mask, lesion_id))
    return tuple(rows)


def _lesion(
    recipe: Recipe, body: Body, scene: Scene, lesion: Placed, mask: Mask | None, lesion_id: str
) -> LesionTruth:
    centre = np.array([lesion.shape.centre_mm])
    at = {p: triple(pose.world_mm(centre)[0]) for p, pose in _poses(scene).items()}
    share = recovery(recipe, lesion.shape)
    contrast = _contrast(recipe, lesion.recipe.tumour_to_liver, share)
    points = lesion.shape.surface_mm()
    return LesionTruth(
        lesion_id=lesion_id,
        kind=lesion.recipe.kind,
        place=lesion.recipe.place,
        diameter_mm=lesion.recipe.diameter_mm,
        tumour_to_liver=lesion.recipe.tumour_to_liver,
        recovery=share,
        contrast_to_noise=contrast,
        pet_status=_status(contrast),
        mri_mm=at["mri"],
        ct_mm=at["ct"],
        pet_mm=at["pet"],
        is_on_mri=mask is not None,
        is_on_pet=bool(scene.pet_grid.contains(np.array(at["pet"]))),
        capsule_distance_mm=capsule_distance_mm(body, lesion.shape),
        hilum_distance_mm=float(np.linalg.norm(centre[0] - body.hilum_mm)),
        vessel_distance_mm=max(float(body.vessel_mm(points).min()), 0.0),
        voxels=0 if mask is None else int(np.count_nonzero(mask.array)),
    )


def _poses(scene: Scene) -> dict[str, Pose]:
    return {"mri": scene.mri_pose, "ct": scene.ct_pose, "pet": scene.pet_pose}


def _contrast(recipe: Recipe, tumour_to_liver: float, share: float) -> float:
    return (tumour_to_liver - 1.0) * share / max(recipe.liver_cov, 1e-3)


def _spot(recipe: Recipe, body: Body, scene: Scene, spot: PlacedSpot) -> SpotTruth:
    share = recovery(recipe, spot.shape)
    centre = np.array([spot.shape.centre_mm])
    return SpotTruth(
        place=spot.recipe.place,
        diameter_mm=spot.recipe.diameter_mm,
        tumour_to_liver=spot.recipe.tumour_to_liver,
        recovery=share,
        contrast_to_noise=_contrast(recipe, spot.recipe.tumour_to_liver, share),
        pet_mm=triple(scene.pet_pose.world_mm(centre)[0]),
        is_in_liver=bool(body.inside_liver_mm(centre)[0] < 0),
    )


def capsule_distance_mm(body: Body, shape: Ellipsoid) -> float:
    """Distance of a lesion's surface to the capsule, by marching rays from its middle.

    The liver's signed distance is not exact far from the surface, so it is only asked where
    it changes sign. Steps of half a millimetre.
    """
    centre = np.array(shape.centre_mm)
    away = Ellipsoid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)).surface_mm(400)
    steps = np.arange(0.5, 110.0, 0.5)
    points = centre + away[:, None, :] * steps[None, :, None]
    outside = body.capsule(coords_of(points)) > 0
    leaves = outside.any(1)
    exits = centre + away[leaves] * steps[outside.argmax(1)][leaves, None]
    surface = shape.surface_mm()
    gaps = np.linalg.norm(surface[:, None] - exits[None], axis=-1)
    return 0.0 if bool((body.capsule(coords_of(surface)) > 0).any()) else float(gaps.min())


def recovery(recipe: Recipe, shape: Ellipsoid) -> float:
    """Share of a lesion's contrast left at its middle by resolution and breathing."""
    sd = recipe.pet_fwhm_mm / FWHM_PER_SD
    motion, sharpening = scanners.breathing_sd_mm(recipe), recipe.pet_sharpening
    plain = _centre_share(shape, sd, float(np.hypot(sd, motion)))
    if sharpening == 0.0:
        return plain
    wide = float(np.sqrt(2.0)) * sd
    softer = _centre_share(shape, wide, float(np.hypot(wide, motion)))
    return (1.0 + sharpening) * plain - sharpening * softer


def _centre_share(shape: Ellipsoid, sd: float, sd_z: float) -> float:
    """What a Gaussian blur, wider along the body, leaves of a solid at its middle."""
    fine = 0.75
    reach = np.array([max(shape.half_mm) + 3.5 * s for s in (sd_z, sd, sd)])
    half = np.ceil(reach / fine).astype(int)
    z, y, x = np.ogrid[tuple(slice(-n, n + 1) for n in half)]
    at = tuple((a * fine).astype(np.float32) for a in (x, y, z))
    centred = Ellipsoid((0.0, 0.0, 0.0), shape.radii_mm, shape.axes)
    share = np.clip(0.5 - centred((at[0], at[1], at[2])) / fine, 0.0, 1.0)
    weights = [np.exp(-0.5 * (a * fine / s) ** 2) for a, s in ((z, sd_z), (y, sd), (x, sd))]
    kernel = weights[0] * weights[1] * weights[2]
    return float((share * kernel).sum() / kernel.sum())

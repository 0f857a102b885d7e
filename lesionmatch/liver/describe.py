"""One liver with what lesions are measured against: capsule, vessels, hilum, and doubts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Points, require_same_frame
from lesionmatch.image import Image, Mask, union
from lesionmatch.liver.capsule import Capsule, find_capsule, surface_points_mm
from lesionmatch.liver.hilum import find_hilum
from lesionmatch.liver.plausible import doubts_about, remarks_about
from lesionmatch.liver.vessels import find_vessels, large_vessels
from lesionmatch.protocol import LiverRules, Protocol
from lesionmatch.segments import Structure

VESSEL_STRUCTURES = (Structure.PORTAL_VEIN, Structure.HEPATIC_VEIN, Structure.LIVER_VESSEL)


@dataclass(frozen=True, slots=True, eq=False)
class Liver:
    """A liver on the hepatobiliary phase; all in the MRI's frame."""

    mask: Mask
    """On the image's grid; drawn lesions and holes belong to it."""
    origin: str
    """Where the mask comes from, e.g. ``given: SEG`` or ``found on the HBP image``."""
    capsule: Capsule
    hilum_mm: Points
    """(3,)"""
    hilum_source: str
    vessels: Mask
    """Lumen of the large intrahepatic vessels, on the image's grid; may be empty."""
    vessel_source: str
    large_vessels: Mask
    """Those of them that are large, on a grid of their own; drawn ones all are."""
    vessel_tree: cKDTree | None
    """Of the large vessels' surface; None where there are none."""
    lumps: Mask
    """Dark places in the vessels found that are too wide for these: lesions that nobody drew."""
    doubts: tuple[str, ...]
    """Sentences; empty when the liver is plausible."""
    remarks: tuple[str, ...]
    """What is unusual about a drawn liver, and no reason to doubt it."""

    @property
    def is_plausible(self) -> bool:
        """Whether nothing speaks against the mask."""
        return not self.doubts

    @property
    def volume_ml(self) -> float:
        """Volume with lesions and vessels."""
        return self.mask.volume_ml

    def capsule_distance_mm(self, points_mm: Points) -> NDArray[np.float64]:
        """Distance of points, (N, 3), from the capsule; see `capsule` for its definition.

        A lesion's distance is the least over its surface; 0 outside the liver's envelope,
        infinite where the image shows no capsule.
        """
        return self.capsule.distance_mm(points_mm)

    def vessel_distance_mm(self, points_mm: Points) -> NDArray[np.float64]:
        """Distance of points, (N, 3), from the lumen of a large vessel; 0 in it, inf without one.

        A lesion's distance is the least over its surface.
        """
        points = np.asarray(points_mm, np.float64).reshape(-1, 3)
        if self.vessel_tree is None:
            return np.full(len(points), np.inf)
        distance = np.asarray(self.vessel_tree.query(points)[0], np.float64)
        return np.where(self.large_vessels.holds(points), 0.0, distance)

    def hilum_distance_mm(self, points_mm: Points) -> NDArray[np.float64]:
        """Distance of points, (N, 3), from the hilum; a lesion's is that of its centroid."""
        points = np.asarray(points_mm, np.float64).reshape(-1, 3)
        return np.asarray(np.linalg.norm(points - self.hilum_mm, axis=1))


def describe_liver(
    hbp: Image,
    mask: Mask,
    *,
    origin: str,
    lesions: Sequence[Mask],
    structures: Mapping[Structure, Mask],
    protocol: Protocol,
    is_drawn: bool = False,
) -> Liver:
    """The liver of `mask`, which somebody drew or which was found, with capsule, vessels, hilum.

    `mask` lies on the grid of `hbp`; `lesions` and `structures` on any part of it. Drawn
    portal and hepatic veins take precedence over what the image shows. Raises
    `InvalidInput` for an empty mask and `FrameMismatch` for another frame of reference.
    """
    drawn, rules = union(hbp.grid, lesions), protocol.liver
    filled = _filled(hbp, mask, drawn)
    capsule = find_capsule(filled, rules)
    vessels = _vessels(hbp, filled, drawn, structures, rules)
    hilum = find_hilum(
        hbp, filled, drawn, capsule, vessels.lumen, rules, structures.get(Structure.PORTAL_VEIN)
    )
    surface = surface_points_mm(vessels.large, 0.0)
    return Liver(
        mask=filled,
        origin=origin,
        capsule=capsule,
        hilum_mm=hilum.point_mm,
        hilum_source=hilum.source,
        vessels=vessels.lumen,
        vessel_source=vessels.source,
        large_vessels=vessels.large,
        vessel_tree=cKDTree(surface) if len(surface) else None,
        lumps=vessels.lumps,
        doubts=doubts_about(hbp, filled, drawn, rules, is_drawn=is_drawn),
        remarks=remarks_about(filled, rules) if is_drawn else (),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Vessels:
    lumen: Mask
    large: Mask
    lumps: Mask
    source: str


def _vessels(
    hbp: Image,
    liver: Mask,
    lesions: Mask,
    structures: Mapping[Structure, Mask],
    rules: LiverRules,
) -> _Vessels:
    """Those a reader drew, all of them large, or else those the image shows."""
    given = [structures[s] for s in VESSEL_STRUCTURES if s in structures]
    if given:
        lumen = union(hbp.grid, given)
        return _Vessels(lumen, lumen, union(hbp.grid, []), "given")
    found = find_vessels(hbp, liver, lesions, rules)
    large = large_vessels(found.lumen, rules)
    return _Vessels(found.lumen, large, found.lumps, "found on the HBP image")


def _filled(hbp: Image, mask: Mask, lesions: Mask) -> Mask:
    """The mask with the lesions drawn on it and without holes."""
    require_same_frame("liver mask", hbp.frame, mask.frame)
    if mask.is_empty:
        raise InvalidInput("liver mask: wanted a voxel that belongs to it, got none; draw it again")
    part = Mask(hbp.grid, mask.array | lesions.array).trimmed()
    return Mask(part.grid, ndimage.binary_fill_holes(part.array)).on(hbp.grid)

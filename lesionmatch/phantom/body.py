"""The parts a simulated body consists of, in the order in which they cover each other."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from lesionmatch.geometry import Points
from lesionmatch.phantom.shapes import (
    Distance,
    Field,
    Segment,
    Triple,
    coords_of,
    distance_to_segments,
)

LARGE_RADIUS_MM = 2.0
"""Of vessels that the truth calls large."""

SLOPE_STEP_MM = 2.0


class Tissue(Enum):
    """What a part is made of; `tissues.py` has how each scanner sees it."""

    SKIN_FAT = "subcutaneous fat"
    MUSCLE = "muscle"
    CAVITY_FAT = "visceral fat"
    CORTEX = "cortical bone"
    MARROW = "marrow"
    DISC = "intervertebral disc"
    CORD = "spinal canal"
    LUNG = "lung"
    HEART = "heart"
    LIVER = "liver"
    SPLEEN = "spleen"
    KIDNEY_CORTEX = "kidney cortex"
    KIDNEY_PELVIS = "kidney pelvis"
    ADRENAL = "adrenal"
    PANCREAS = "pancreas"
    STOMACH_WALL = "stomach wall"
    STOMACH_FLUID = "stomach content"
    BOWEL_WALL = "bowel wall"
    BOWEL_CONTENT = "bowel content"
    GAS = "gas"
    GALLBLADDER = "gallbladder"
    BILE_DUCT = "bile duct"
    PORTAL_VEIN = "portal vein"
    HEPATIC_VEIN = "hepatic vein"
    CAVA = "inferior vena cava"
    AORTA = "aorta"
    OESOPHAGUS = "oesophagus"
    SOFT = "other soft tissue"


@dataclass(frozen=True, slots=True)
class Organ:
    """One solid of one tissue."""

    tissue: Tissue
    distance: Distance
    centre_mm: Triple
    half_mm: Triple
    """Half the size of a box that holds it."""
    is_static: bool = False
    """Whether it stays when the body breathes."""
    is_in_cavity: bool = True
    """Whether wall and spine cut it off."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Branching tubes of one tissue."""

    tissue: Tissue
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A whole simulated anatomy, in body coordinates at the breath of the CT."""

    cavity: Distance
    """Room within wall and spine; it does not change along the body where organs slide."""
    parts: tuple[Organ | Tree, ...]
    """Later ones cover earlier ones; the liver is among them."""
    liver: Organ
    capsule: Distance
    """The liver's outer surface, without fissures, hilum, fossa and grooves."""
    hilum_mm: Triple
    top_mm: float
    bottom_mm: float
    """Craniocaudal extent of the liver."""
    half_width_mm: float
    half_depth_mm: float
    """Half the body's size from side to side and from front to back."""

    def trees(self, *tissues: Tissue) -> tuple[Segment, ...]:
        """All tube segments of some tissues."""
        trees = (p for p in self.parts if isinstance(p, Tree) and p.tissue in tissues)
        return tuple(s for tree in trees for s in tree.segments)

    def inside_liver_mm(self, points_mm: Points) -> Field:
        """Signed distance of points, (N, 3), to the liver's surface, which fills lesions."""
        return self.liver.distance(coords_of(points_mm))

    def capsule_depth_mm(self, points_mm: Points) -> Field:
        """How deep points, (N, 3), lie under the outer surface, corrected for the slope there.

        Near the surface this is the distance to it; far below, an estimate.
        """
        level = self.capsule(coords_of(points_mm))
        steps = np.eye(3) * SLOPE_STEP_MM
        slopes = [
            self.capsule(coords_of(points_mm + s)) - self.capsule(coords_of(points_mm - s))
            for s in steps
        ]
        steepness = np.sqrt(sum(s * s for s in slopes)) / (2 * SLOPE_STEP_MM)
        return np.asarray(-level / np.maximum(steepness, 0.3))

    def vessel_mm(self, points_mm: Points, least_radius_mm: float = LARGE_RADIUS_MM) -> Field:
        """Distance of points to the lumen of a portal or hepatic vein, or the cava, 4 mm wide."""
        wanted = (Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN, Tissue.CAVA)
        large = [s for s in self.trees(*wanted) if s.stop_radius_mm >= least_radius_mm]
        return distance_to_segments(large, coords_of(points_mm))

    def liver_points_mm(self, rng: np.random.Generator, count: int) -> Points:
        """Random points within the liver, at most `count`, (N, 3)."""
        box = np.array(self.liver.centre_mm), np.array(self.liver.half_mm)
        points = box[0] + rng.uniform(-1, 1, (8 * count, 3)) * box[1]
        return np.asarray(points[self.inside_liver_mm(points) < 0][:count])

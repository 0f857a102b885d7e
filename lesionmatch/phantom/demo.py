"""The study that `lesionmatch demo` and the fixture show."""

from lesionmatch.phantom.recipe import LesionRecipe, Place, Recipe, Size
from lesionmatch.segments import Kind

DEMO_LESIONS = (
    LesionRecipe(24.0, 4.2, Kind.METASTASIS, Place.DEEP),
    LesionRecipe(16.0, 3.4, Kind.METASTASIS, Place.SUBCAPSULAR),
    LesionRecipe(12.0, 5.0, Kind.METASTASIS, Place.NEAR_VESSEL),
    LesionRecipe(10.0, 3.6, Kind.METASTASIS, Place.ANYWHERE),
    LesionRecipe(5.0, 2.0, Kind.METASTASIS, Place.DEEP),
    LesionRecipe(14.0, 0.6, Kind.HAEMANGIOMA, Place.DEEP),
    LesionRecipe(20.0, 0.1, Kind.CYST, Place.ANYWHERE),
)
"""Clearly avid metastases, one too small for the PET, and two findings that do not count."""


def demo_recipe(seed: int = 12) -> Recipe:
    """A study with one of everything; each seed is another body."""
    return Recipe(
        seed=seed,
        lesions=DEMO_LESIONS,
        size=Size.DEMO,
        breathing_mm=11.0,
        deformation_mm=5.0,
        rotation_deg=3.0,
        frame_offset_mm=180.0,
        liver_suv=5.2,
        liver_cov=0.10,
    )

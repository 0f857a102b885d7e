"""Simulated studies with a truth: a body, three scanners, and what a comparison should find.

`simulate` goes from a `Recipe` straight to images; `write_study` writes them as DICOM.
"""

from lesionmatch.dicom.write.pet import Storage
from lesionmatch.phantom.demo import demo_recipe
from lesionmatch.phantom.export import Export, Layout, Outlines, write_study
from lesionmatch.phantom.recipe import (
    Anatomy,
    LesionRecipe,
    Place,
    Plane,
    Recipe,
    Resection,
    Size,
    Spot,
    SpotRecipe,
)
from lesionmatch.phantom.study import SimulatedStudy, simulate, vessels_on_mri
from lesionmatch.phantom.truth import LesionTruth, SpotTruth, Truth
from lesionmatch.phantom.typical import Scenario, scenario_of, scenario_recipe, typical_recipe

__all__ = [
    "Anatomy",
    "Export",
    "Layout",
    "LesionRecipe",
    "LesionTruth",
    "Outlines",
    "Place",
    "Plane",
    "Recipe",
    "Resection",
    "Scenario",
    "SimulatedStudy",
    "Size",
    "Spot",
    "SpotRecipe",
    "SpotTruth",
    "Storage",
    "Truth",
    "demo_recipe",
    "scenario_of",
    "scenario_recipe",
    "simulate",
    "typical_recipe",
    "vessels_on_mri",
    "write_study",
]

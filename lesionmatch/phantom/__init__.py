"""Simulated studies with a truth: a body, three scanners, and what a comparison should find.

`simulate` goes from a `Recipe` straight to images; `write_study` writes them as DICOM.
"""

from lesionmatch.phantom.demo import demo_recipe
from lesionmatch.phantom.export import Export, Outlines, write_study
from lesionmatch.phantom.recipe import (
    Anatomy,
    LesionRecipe,
    Place,
    Plane,
    Recipe,
    Size,
    Spot,
    SpotRecipe,
)
from lesionmatch.phantom.study import SimulatedStudy, simulate
from lesionmatch.phantom.truth import LesionTruth, SpotTruth, Truth

__all__ = [
    "Anatomy",
    "Export",
    "LesionRecipe",
    "LesionTruth",
    "Outlines",
    "Place",
    "Plane",
    "Recipe",
    "SimulatedStudy",
    "Size",
    "Spot",
    "SpotRecipe",
    "SpotTruth",
    "Truth",
    "demo_recipe",
    "simulate",
    "write_study",
]

"""Simulated studies with a truth: a body, three scanners, and what a comparison should find.

`simulate` goes from a `Recipe` straight to images.
"""

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
    "LesionRecipe",
    "LesionTruth",
    "Place",
    "Plane",
    "Recipe",
    "SimulatedStudy",
    "Size",
    "Spot",
    "SpotRecipe",
    "SpotTruth",
    "Truth",
    "simulate",
]

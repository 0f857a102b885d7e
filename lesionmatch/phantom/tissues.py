"""How each scanner sees each tissue.

Uptake of 68Ga-DOTATATE: medians and ranges of Werner et al. and others as published (liver
SUVmean 2.3-12.4, spleen 5.4-34, kidney and adrenal SUVmax about 14, blood about 1-2.6).
CT numbers are a portal-venous phase. Hepatobiliary signal is relative to the liver's: bright
liver and bile, dark vessels, fat suppressed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lesionmatch.phantom.body import Tissue
from lesionmatch.phantom.recipe import Recipe, Stream
from lesionmatch.segments import Kind

AIR_HU = -1000.0
Values = Mapping[Tissue, float]

HU = {
    Tissue.SKIN_FAT: -105.0, Tissue.MUSCLE: 62.0, Tissue.CAVITY_FAT: -98.0,
    Tissue.CORTEX: 520.0, Tissue.MARROW: 190.0, Tissue.DISC: 85.0, Tissue.CORD: 40.0,
    Tissue.LUNG: -840.0, Tissue.HEART: 130.0, Tissue.LIVER: 110.0, Tissue.SPLEEN: 122.0,
    Tissue.KIDNEY_CORTEX: 185.0, Tissue.KIDNEY_PELVIS: 20.0, Tissue.ADRENAL: 85.0,
    Tissue.PANCREAS: 98.0, Tissue.STOMACH_WALL: 80.0, Tissue.STOMACH_FLUID: 15.0,
    Tissue.BOWEL_WALL: 88.0, Tissue.BOWEL_CONTENT: 25.0, Tissue.GAS: -920.0,
    Tissue.GALLBLADDER: 8.0, Tissue.BILE_DUCT: 10.0, Tissue.PORTAL_VEIN: 168.0,
    Tissue.HEPATIC_VEIN: 160.0, Tissue.CAVA: 135.0, Tissue.AORTA: 150.0,
    Tissue.OESOPHAGUS: 60.0,
}  # fmt: skip

SUV = {
    Tissue.SKIN_FAT: 0.25, Tissue.MUSCLE: 0.6, Tissue.CAVITY_FAT: 0.35,
    Tissue.CORTEX: 0.6, Tissue.MARROW: 1.0, Tissue.DISC: 0.5, Tissue.CORD: 0.5,
    Tissue.LUNG: 0.45, Tissue.HEART: 1.3, Tissue.LIVER: 5.0, Tissue.SPLEEN: 17.0,
    Tissue.KIDNEY_CORTEX: 12.0, Tissue.KIDNEY_PELVIS: 9.0, Tissue.ADRENAL: 8.0,
    Tissue.PANCREAS: 3.0, Tissue.STOMACH_WALL: 3.5, Tissue.STOMACH_FLUID: 0.6,
    Tissue.BOWEL_WALL: 3.0, Tissue.BOWEL_CONTENT: 1.2, Tissue.GAS: 0.3,
    Tissue.GALLBLADDER: 1.2, Tissue.BILE_DUCT: 3.0, Tissue.PORTAL_VEIN: 1.4,
    Tissue.HEPATIC_VEIN: 1.4, Tissue.CAVA: 1.4, Tissue.AORTA: 1.4,
    Tissue.OESOPHAGUS: 1.2,
}  # fmt: skip

HBP = {
    Tissue.SKIN_FAT: 0.20, Tissue.MUSCLE: 0.42, Tissue.CAVITY_FAT: 0.15,
    Tissue.CORTEX: 0.10, Tissue.MARROW: 0.26, Tissue.DISC: 0.22, Tissue.CORD: 0.20,
    Tissue.LUNG: 0.03, Tissue.HEART: 0.42, Tissue.LIVER: 1.0, Tissue.SPLEEN: 0.50,
    Tissue.KIDNEY_CORTEX: 0.82, Tissue.KIDNEY_PELVIS: 1.25, Tissue.ADRENAL: 0.45,
    Tissue.PANCREAS: 0.52, Tissue.STOMACH_WALL: 0.45, Tissue.STOMACH_FLUID: 0.20,
    Tissue.BOWEL_WALL: 0.46, Tissue.BOWEL_CONTENT: 0.28, Tissue.GAS: 0.02,
    Tissue.GALLBLADDER: 1.3, Tissue.BILE_DUCT: 1.7, Tissue.PORTAL_VEIN: 0.42,
    Tissue.HEPATIC_VEIN: 0.42, Tissue.CAVA: 0.42, Tissue.AORTA: 0.40,
    Tissue.OESOPHAGUS: 0.38,
}  # fmt: skip

_VESSELS = (Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN, Tissue.CAVA, Tissue.AORTA, Tissue.HEART)

LESION_HU = {
    Kind.METASTASIS: -42.0,
    Kind.HAEMANGIOMA: 18.0,
    Kind.CYST: -104.0,
    Kind.OTHER_BENIGN: 12.0,
    Kind.UNSPECIFIED: -38.0,
}
"""Difference to the liver in the venous phase; a cyst is water, whatever the liver."""

LESION_HBP = {
    Kind.METASTASIS: 0.42,
    Kind.HAEMANGIOMA: 0.36,
    Kind.CYST: 0.14,
    Kind.OTHER_BENIGN: 0.60,
    Kind.UNSPECIFIED: 0.45,
}


@dataclass(frozen=True, slots=True, eq=False)
class Tissues:
    """The values of one body."""

    hu: Values
    suv: Values
    hbp: Values


def _varied(rng: np.random.Generator, values: Values, spread: float) -> dict[Tissue, float]:
    return {t: v * float(np.exp(rng.normal(0, spread))) for t, v in values.items()}


def tissues(recipe: Recipe) -> Tissues:
    """Values for a recipe's seed; what the recipe names is as it says."""
    rng = recipe.rng(Stream.TISSUES)
    return Tissues(_hu(rng, recipe), _suv(rng, recipe), _hbp(rng, recipe))


def _hu(rng: np.random.Generator, recipe: Recipe) -> dict[Tissue, float]:
    hu = _varied(rng, HU, 0.06)
    for tissue in (Tissue.LUNG, Tissue.GAS, Tissue.SKIN_FAT, Tissue.CAVITY_FAT):
        hu[tissue] = HU[tissue]
    liver = float(rng.uniform(95, 125))
    hu[Tissue.SOFT] = 58.0
    hu[Tissue.LIVER] = liver if recipe.liver_hu is None else recipe.liver_hu
    return hu


def _suv(rng: np.random.Generator, recipe: Recipe) -> dict[Tissue, float]:
    suv = _varied(rng, SUV, 0.18)
    liver = float(np.clip(5.0 * np.exp(rng.normal(0, 0.28)), 2.8, 8.0))
    suv[Tissue.LIVER] = liver if recipe.liver_suv is None else recipe.liver_suv
    suv[Tissue.SOFT] = 1.3
    # Blood and bile stay below the liver, so that vessels are cold as they are in patients.
    for tissue in (*_VESSELS, Tissue.GALLBLADDER):
        suv[tissue] = min(suv[tissue], 0.5 * suv[Tissue.LIVER])
    suv[Tissue.BILE_DUCT] = min(suv[Tissue.BILE_DUCT], 0.9 * suv[Tissue.LIVER])
    if recipe.gut_suv is not None:
        suv[Tissue.STOMACH_WALL] = suv[Tissue.BOWEL_WALL] = recipe.gut_suv
    return suv


def _hbp(rng: np.random.Generator, recipe: Recipe) -> dict[Tissue, float]:
    hbp = _varied(rng, HBP, 0.08)
    hbp[Tissue.LIVER] = 1.0
    hbp[Tissue.SOFT] = 0.42
    hbp[Tissue.GALLBLADDER] = float(rng.uniform(0.3, 2.0))
    hbp[Tissue.BILE_DUCT] = float(rng.uniform(1.2, 2.2))
    hbp[Tissue.SPLEEN] = float(np.clip(hbp[Tissue.SPLEEN], 0.40, 0.62))
    for tissue in (*_VESSELS, Tissue.SPLEEN):
        hbp[tissue] = 1.0 - (1.0 - hbp[tissue]) * recipe.hbp_vessel_contrast
    return hbp

"""Recipes for cohorts: what a clinic sees, with the paper's reasons for disagreement.

Grawe et al., Cancer Imaging 2023;23(1), Tables 2 and 3, name why PET and MRI disagree; a
`Scenario` simulates each reason. `typical_recipe` draws one for a seed. Discordant studies
are more frequent than in the paper (2.8 per cent), so that a few hundred simulated studies
hold enough of each.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np

from lesionmatch.phantom.recipe import (
    LesionRecipe,
    Place,
    Plane,
    Recipe,
    Resection,
    Size,
    Spot,
    SpotRecipe,
    Stream,
)
from lesionmatch.segments import Kind

Rng = np.random.Generator

LARGEST_AT_A_PLACE_MM = 22.0
"""A larger metastasis is not deep, or beside a vessel, but all of these."""


class Scenario(Enum):
    """Why a study turns out as it does."""

    AVID = "avid metastases of all sizes"
    CLEAN = "no lesion at all"
    BENIGN = "cysts and cold haemangiomas only"
    BURDEN = "a liver full of metastases"
    SMALL = "metastases below the resolution only"
    SUBCAPSULAR = "small metastases under the capsule"
    NEAR_VESSEL = "faint metastases beside a vessel"
    LOW_UPTAKE = "metastases with less uptake than the liver"
    NOISY = "a faint metastasis in a noisy liver"
    MISREGISTERED = "a small metastasis, the PET well off its CT"
    AVID_HAEMANGIOMA = "a haemangioma with uptake, no metastasis"
    BILIARY = "uptake in a bile duct, no lesion"
    VASCULAR = "uptake along a portal vein, no lesion"
    GUT = "hot gut on the capsule, no lesion"


ENRICHED: Mapping[Scenario, float] = MappingProxyType(
    {
        Scenario.AVID: 0.36,
        Scenario.CLEAN: 0.14,
        Scenario.BENIGN: 0.08,
        Scenario.BURDEN: 0.04,
        Scenario.SMALL: 0.12,
        Scenario.SUBCAPSULAR: 0.04,
        Scenario.NEAR_VESSEL: 0.03,
        Scenario.LOW_UPTAKE: 0.04,
        Scenario.NOISY: 0.02,
        Scenario.MISREGISTERED: 0.03,
        Scenario.AVID_HAEMANGIOMA: 0.03,
        Scenario.BILIARY: 0.03,
        Scenario.VASCULAR: 0.02,
        Scenario.GUT: 0.02,
    }
)
"""How often each occurs in a simulated cohort."""


def scenario_of(seed: int) -> Scenario:
    """The scenario that `typical_recipe` draws for a seed."""
    shares = np.array(list(ENRICHED.values()))
    chosen = Recipe(seed=seed).rng(Stream.SCENARIO).choice(len(shares), p=shares / shares.sum())
    return list(ENRICHED)[int(chosen)]


def typical_recipe(seed: int, size: Size = Size.SMALL) -> Recipe:
    """A study as it might come: another body, scanner, breath and disease for each seed."""
    return scenario_recipe(scenario_of(seed), seed, size)


def scenario_recipe(scenario: Scenario, seed: int, size: Size = Size.SMALL) -> Recipe:
    """A typical study of one scenario."""
    base = Recipe(seed=seed, size=size)
    base = replace(base, **_ordinary(base.rng(Stream.ORDINARY)))
    return replace(base, **_CHANGES[scenario](base.rng(Stream.DISEASE)))


def _ordinary(rng: Rng) -> dict[str, Any]:
    """Body, breath, positioning and scanners of an ordinary study, without lesions."""
    is_fatty = rng.random() < 0.15
    is_cirrhotic = rng.random() < 0.08
    is_tilted = rng.random() < 0.2
    return {
        "breathing_mm": float(rng.choice([-1, 1], p=[0.3, 0.7]) * rng.uniform(2, 20)),
        "deformation_mm": float(rng.uniform(2, 8)),
        "rotation_deg": float(rng.uniform(0, 6)),
        "frame_offset_mm": float(rng.uniform(0, 300)),
        "mri_tilt_deg": float(rng.uniform(-12, 12)) if is_tilted else 0.0,
        "mri_plane": Plane.CORONAL if rng.random() < 0.03 else Plane.AXIAL,
        "gut_differs": True,
        "pet_ct_offset_mm": float(np.clip(rng.normal(0, 3), -7, 7)),
        "liver_cov": float(np.clip(0.105 * np.exp(rng.normal(0, 0.25)), 0.06, 0.17)),
        "pet_fwhm_mm": float(rng.uniform(5.0, 8.0)),
        "pet_breathing_mm": float(rng.uniform(3, 14)),
        "liver_hu": float(rng.uniform(40, 72)) if is_fatty else None,
        "hbp_texture": 0.09 if is_cirrhotic else float(rng.uniform(0.015, 0.04)),
        "hbp_vessel_contrast": float(rng.uniform(0.5, 0.75)) if is_cirrhotic else 1.0,
        "hbp_noise": float(rng.uniform(0.02, 0.05)),
        "hbp_bias": float(rng.uniform(0.1, 0.4)),
        "ct_noise_hu": float(rng.uniform(9, 20)),
        "pet_sharpening": float(rng.uniform(0.2, 1.0)) if rng.random() < 0.3 else 0.0,
        "outline_error_mm": float(np.clip(rng.normal(0, 0.4), -1, 1)),
        "breathing_ap_share": float(rng.uniform(0.0, 0.35)),
        "deformation_wavelengths_mm": (float(rng.uniform(100, 170)), 300.0),
        "deformation_keeps_volume": True,
        "resection": Resection.LEFT_LATERAL if rng.random() < 0.05 else Resection.NONE,
    }


def _lognormal(rng: Rng, median: float, spread: float, low: float, high: float) -> float:
    return float(np.clip(median * np.exp(rng.normal(0, spread)), low, high))


def _metastasis(rng: Rng) -> LesionRecipe:
    """Sizes and uptake as published: median 14 mm, tumour-to-liver ratio 3.4."""
    places = list(Place)
    place = places[int(rng.choice(len(places), p=[0.5, 0.2, 0.12, 0.06, 0.12]))]
    largest = 55.0 if place is Place.ANYWHERE else LARGEST_AT_A_PLACE_MM
    diameter = _lognormal(rng, 14.0, 0.5, 4.0, largest)
    return LesionRecipe(diameter, _lognormal(rng, 3.4, 0.5, 1.3, 14.0), place=place)


def _bystanders(rng: Rng) -> tuple[LesionRecipe, ...]:
    """Cysts and haemangiomas, which a third of livers have."""
    if rng.random() > 0.33:
        return ()
    kinds = [
        Kind.CYST if rng.random() < 0.5 else Kind.HAEMANGIOMA for _ in range(rng.integers(1, 4))
    ]
    return tuple(
        LesionRecipe(_lognormal(rng, 11.0, 0.5, 4.0, 45.0), 0.1 if kind is Kind.CYST else 0.7, kind)
        for kind in kinds
    )


def _some(rng: Rng, most: int, make: Callable[[Rng], LesionRecipe]) -> dict[str, Any]:
    count = int(rng.integers(1, most + 1))
    return {"lesions": tuple(make(rng) for _ in range(count)) + _bystanders(rng)}


def _avid(rng: Rng) -> dict[str, Any]:
    return _some(rng, 12, _metastasis)


def _benign(rng: Rng) -> dict[str, Any]:
    cyst = LesionRecipe(_lognormal(rng, 12.0, 0.5, 4.0, 50.0), 0.1, Kind.CYST)
    return {"lesions": (cyst, *_bystanders(rng))}


def _burden(rng: Rng) -> dict[str, Any]:
    """Metastases until they fill 15 to 60 per cent of a liver of at least 1500 ml."""
    wanted_ml, filled_ml = float(rng.uniform(225, 900)), 0.0
    lesions: list[LesionRecipe] = []
    while filled_ml < wanted_ml and len(lesions) < 60:
        lesion = LesionRecipe(_lognormal(rng, 34.0, 0.45, 6.0, 100.0), float(rng.uniform(2, 6)))
        filled_ml += np.pi / 6 * lesion.diameter_mm**3 / 1000
        lesions.append(lesion)
    # Tumours enlarge the liver, and take the tracer that it would have had.
    suv = float(rng.uniform(2.0, 4.5))
    return {"lesions": tuple(lesions), "liver_suv": suv, "liver_ml_scale": 1.3}


def _small(rng: Rng) -> dict[str, Any]:
    return _some(
        rng, 3, lambda r: LesionRecipe(float(r.uniform(3, 5.5)), float(r.uniform(1.2, 2.2)))
    )


def _subcapsular(rng: Rng) -> dict[str, Any]:
    return _some(
        rng, 2,
        lambda r: LesionRecipe(
            float(r.uniform(5, 8)), float(r.uniform(1.1, 1.6)), place=Place.SUBCAPSULAR
        ),
    )  # fmt: skip


def _near_vessel(rng: Rng) -> dict[str, Any]:
    return _some(
        rng, 2,
        lambda r: LesionRecipe(
            float(r.uniform(6, 10)), float(r.uniform(1.05, 1.3)), place=Place.NEAR_VESSEL
        ),
    )  # fmt: skip


def _low_uptake(rng: Rng) -> dict[str, Any]:
    return _some(
        rng, 4, lambda r: LesionRecipe(float(r.uniform(8, 25)), float(r.uniform(0.4, 1.05)))
    )


def _noisy(rng: Rng) -> dict[str, Any]:
    lesion = LesionRecipe(float(rng.uniform(9, 15)), float(rng.uniform(1.2, 1.5)))
    return {"lesions": (lesion,), "liver_cov": float(rng.uniform(0.2, 0.3))}


def _misregistered(rng: Rng) -> dict[str, Any]:
    lesion = LesionRecipe(float(rng.uniform(8, 12)), float(rng.uniform(3, 6)))
    return {"lesions": (lesion,), "pet_ct_offset_mm": float(rng.choice([-1, 1]) * 10.0)}


def _avid_haemangioma(rng: Rng) -> dict[str, Any]:
    size, ratio = float(rng.uniform(12, 25)), float(rng.uniform(2.0, 3.0))
    return {"lesions": (LesionRecipe(size, ratio, Kind.HAEMANGIOMA),)}


def _spot(rng: Rng, place: Spot) -> dict[str, Any]:
    return {"spots": (SpotRecipe(float(rng.uniform(9, 13)), float(rng.uniform(2.5, 4.5)), place),)}


def _biliary(rng: Rng) -> dict[str, Any]:
    return _spot(rng, Spot.BILE_DUCT)


def _vascular(rng: Rng) -> dict[str, Any]:
    return _spot(rng, Spot.PORTAL_VEIN)


def _gut(rng: Rng) -> dict[str, Any]:
    return {"gut_suv": float(rng.uniform(10, 18)), **_spot(rng, Spot.GUT_AT_CAPSULE)}


def _clean(_: Rng) -> dict[str, Any]:
    return {}


_CHANGES: Mapping[Scenario, Callable[[Rng], dict[str, Any]]] = {
    Scenario.AVID: _avid,
    Scenario.CLEAN: _clean,
    Scenario.BENIGN: _benign,
    Scenario.BURDEN: _burden,
    Scenario.SMALL: _small,
    Scenario.SUBCAPSULAR: _subcapsular,
    Scenario.NEAR_VESSEL: _near_vessel,
    Scenario.LOW_UPTAKE: _low_uptake,
    Scenario.NOISY: _noisy,
    Scenario.MISREGISTERED: _misregistered,
    Scenario.AVID_HAEMANGIOMA: _avid_haemangioma,
    Scenario.BILIARY: _biliary,
    Scenario.VASCULAR: _vascular,
    Scenario.GUT: _gut,
}

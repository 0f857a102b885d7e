"""The rows of lesions.csv and relations.csv, typed, with the keys of `columns`."""

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from lesionmatch.compare import Comparison
from lesionmatch.concordance import FocusFinding, LesionFinding, Pair, Surroundings
from lesionmatch.lesions import Uptake, equivalent_diameter_mm


def lesion_row(comparison: Comparison, finding: LesionFinding) -> dict[str, object]:
    """A row of lesions.csv for a lesion drawn on the MRI, and what its reason stands on."""
    lesion, carried = finding.lesion, finding.carried
    return {
        "lesion_id": lesion.lesion_id,
        "source": "mri",
        "kind": lesion.kind.value,
        "label": lesion.label,
        "relation": finding.relation,
        "focus_ids": list(finding.focus_ids),
        **_point("mri", lesion.centroid_mm),
        **_point("pet", carried.centroid_mm),
        "long_axis_mm": lesion.long_axis_mm,
        "short_axis_mm": lesion.short_axis_mm,
        "equivalent_diameter_mm": lesion.equivalent_diameter_mm,
        "volume_ml": lesion.volume_ml,
        **_uptake(finding.uptake),
        "pet_status": finding.status,
        "null_p": finding.null_p,
        "expected_recovery": finding.expected.recovery,
        "least_visible_ratio": finding.expected.least_visible_ratio,
        "visibility": finding.expected.visibility,
        **_distances(finding.surroundings),
        "registration_error_mm": carried.error_mm,
        "flags": list(finding.flags),
        "reason": finding.reason,
        "overlay": _overlay(comparison, lesion.lesion_id),
        "evidence": {"why": finding.evidence} if finding.evidence else {},
    }


def focus_row(comparison: Comparison, finding: FocusFinding) -> dict[str, object]:
    """A row of lesions.csv for a focus that only the PET shows."""
    focus = finding.focus
    on_mri_mm = comparison.registration.mri_from_pet.apply(focus.centroid_mm[None])[0]
    return {
        "lesion_id": focus.focus_id,
        "source": "pet",
        "kind": None,
        "label": None,
        "relation": finding.relation,
        "focus_ids": [focus.focus_id],
        **_point("mri", on_mri_mm),
        **_point("pet", focus.centroid_mm),
        "long_axis_mm": finding.long_axis_mm,
        "short_axis_mm": finding.short_axis_mm,
        "equivalent_diameter_mm": equivalent_diameter_mm(focus.extent.volume_ml),
        "volume_ml": focus.extent.volume_ml,
        **_uptake(finding.uptake),
        "pet_status": "positive",
        "null_p": None,
        "expected_recovery": None,
        "least_visible_ratio": None,
        "visibility": None,
        **_distances(finding.surroundings),
        "registration_error_mm": finding.error_mm,
        "flags": list(finding.flags),
        "reason": finding.reason,
        "overlay": _overlay(comparison, focus.focus_id),
        "evidence": {"why": finding.evidence} if finding.evidence else {},
    }


def _point(where: str, point_mm: NDArray[np.float64]) -> dict[str, float]:
    return {f"{where}_{axis}_mm": float(v) for axis, v in zip("xyz", point_mm, strict=True)}


def _uptake(uptake: Uptake | None) -> dict[str, float | None]:
    names = [field.name for field in fields(Uptake)]
    return {name: None if uptake is None else getattr(uptake, name) for name in names}


def _distances(around: Surroundings) -> dict[str, float | None]:
    return {
        "capsule_distance_mm": around.capsule_mm,
        "hilum_distance_mm": around.hilum_mm,
        "vessel_distance_mm": around.vessel_mm,
    }


def _overlay(comparison: Comparison, lesion_id: str) -> str | None:
    return f"overlays/{lesion_id}.png" if comparison.options.overlays else None


def relation_row(pair: Pair) -> dict[str, object]:
    """A row of relations.csv, by column."""
    return {
        "lesion_id": pair.lesion_id,
        "focus_id": pair.focus_id,
        "distance_mm": pair.distance_mm,
        "surface_distance_mm": pair.surface_distance_mm,
        "overlap": pair.overlap,
        "tolerance_mm": pair.tolerance_mm,
        "relation": pair.relation or "none",
        "is_ambiguous": pair.is_ambiguous,
    }

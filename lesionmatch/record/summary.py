"""comparison.json: all of a comparison but its images."""

from collections.abc import Iterator
from dataclasses import asdict, fields

import numpy as np
from numpy.typing import NDArray

import lesionmatch
from lesionmatch.compare import Comparison
from lesionmatch.concordance import FocusFinding
from lesionmatch.protocol import Protocol
from lesionmatch.record.rows import focus_row, lesion_row, relation_row

SCHEMA = 1


def summary(comparison: Comparison) -> dict[str, object]:
    """All of a comparison but its images, as JSON takes it; `schema` counts its versions."""
    concordance = comparison.concordance
    return {
        "schema": SCHEMA,
        "version": lesionmatch.__version__,
        "calls": asdict(comparison.calls),
        "liver": _liver_json(comparison),
        "registration": _registration_json(comparison),
        "lesions": [
            *(lesion_row(comparison, finding) for finding in concordance.lesions),
            *(
                focus_row(comparison, finding)
                for finding in concordance.foci
                if finding.relation == "pet_only" and finding.counts
            ),
        ],
        "foci": [_focus_json(n, finding) for n, finding in enumerate(concordance.foci, start=1)],
        "relations": [relation_row(pair) for pair in concordance.relations.pairs],
        "assumptions": list(comparison.assumptions),
        "options": comparison.options.to_json(),
        "protocol": list(_protocol_rows(comparison.options.protocol)),
        "study": _study_json(comparison),
    }


def _liver_json(comparison: Comparison) -> dict[str, object]:
    liver, reference = comparison.liver, comparison.seen.reference
    return {
        "volume_ml": liver.volume_ml,
        "suv_mean": reference.suv_mean,
        "suv_sd": reference.suv_sd,
        "cov": reference.cov,
        "reference": reference.text,
        "spleen_suv_mean": reference.spleen_suv_mean,
        "mask_origin": liver.origin,
        "hilum_source": liver.hilum_source,
        "hilum_mm": _pet_point(comparison, liver.hilum_mm),
        "vessel_source": liver.vessel_source,
        "is_plausible": liver.is_plausible,
        "doubts": list(liver.doubts),
    }


def _registration_json(comparison: Comparison) -> dict[str, object]:
    found = comparison.registration
    is_cleared = bool(found.doubts) and comparison.concordance.confirms_registration
    return {
        "method": found.method,
        "target": found.target,
        "passed": found.passed,
        "doubts": list(found.doubts),
        "cleared_by_lesions": is_cleared,
        "quality": asdict(found.quality) | _landmarks(comparison),
    }


def _landmarks(comparison: Comparison) -> dict[str, object]:
    """What matched lesions say of the registration, before and after they corrected it."""
    agreement = comparison.seen.sharpened.agreement
    return {
        "landmarks": agreement.count,
        "landmarks_before_mm": agreement.before_mm,
        "landmarks_after_mm": agreement.after_mm,
        "landmarks_text": agreement.text,
    }


def _focus_json(label: int, finding: FocusFinding) -> dict[str, object]:
    focus = finding.focus
    return {
        "focus_id": focus.focus_id,
        "label": label,
        "peak_mm": focus.peak_mm.tolist(),
        "centroid_mm": focus.centroid_mm.tolist(),
        "suv_max": focus.suv_max,
        "volume_ml": focus.extent.volume_ml,
        "z": focus.z,
        "relation": finding.relation,
        "lesion_ids": list(finding.lesion_ids),
        "physiologic_neighbour": focus.physiologic_neighbour,
        "reason": finding.reason,
        "why": finding.evidence,
    }


def _protocol_rows(protocol: Protocol) -> Iterator[dict[str, object]]:
    """Every threshold with its unit and reason, as the page shows them."""
    for section in fields(protocol):
        rules = getattr(protocol, section.name)
        for rule in fields(rules):
            yield {
                "section": section.name,
                "name": rule.name,
                "value": getattr(rules, rule.name),
                "default": rule.default,
                **{key: rule.metadata[key] for key in ("unit", "says", "source")},
            }


def _pet_point(comparison: Comparison, point_mm: NDArray[np.float64]) -> list[float]:
    mapped: list[float] = comparison.registration.pet_from_mri.apply(point_mm[None])[0].tolist()
    return mapped


def _study_json(comparison: Comparison) -> dict[str, dict[str, object]]:
    """What the scans were, in words for the page."""
    known, pet = comparison.seen.reading.resolution, comparison.pet
    resolution = f"{known.fwhm_mm:.1f} mm ({known.source})"
    images = {"pet": pet.suv, "mri": comparison.mri.hbp}
    if pet.ct is not None:
        images["ct"] = pet.ct
    facts: dict[str, dict[str, object]] = {"suv": dict(pet.facts)}
    for name, image in images.items():
        sizes = " x ".join(f"{mm:.2f}" for mm in image.grid.spacing_mm[::-1])
        shape = " x ".join(str(n) for n in image.grid.shape[::-1])
        facts[name] = {"voxel": f"{sizes} mm", "matrix": shape}
    facts["pet"]["resolution (FWHM)"] = resolution
    return facts

"""What stands on disk after a comparison: comparison.json, run.json, images, transform.

Everything else in the output folder (tables, pictures, pages) is made from these again.
"""

import json
import platform
import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import lesionmatch
from lesionmatch import nifti
from lesionmatch.compare import Comparison
from lesionmatch.concordance import FocusFinding, LesionFinding, Pair, Surroundings
from lesionmatch.errors import InvalidGeometry
from lesionmatch.geometry import Grid, Transform
from lesionmatch.image import Image, LabelMap, Mask, Quantity
from lesionmatch.lesions import Uptake, carry, equivalent_diameter_mm
from lesionmatch.protocol import Protocol
from lesionmatch.resample import PointMap, resample, resample_mask, write_transform

SCHEMA = 1

DETAIL_MM = 1.5
"""Voxels of the images that pictures are drawn from: half the smallest lesion of interest."""

DETAIL_MARGIN_MM = 25.0
"""How far those images reach beyond the liver: enough to recognise the neighbours."""

ERROR_GRID_MM = 10.0
"""Spacing of the map of the registration error, which varies slowly."""

LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "pydicom", "highdicom", "nibabel")


def write(comparison: Comparison, out: Path) -> None:
    """Write comparison.json, ``images/`` and ``transforms/`` to the folder `out`."""
    for folder in ("images/detail", "transforms"):
        (out / folder).mkdir(parents=True)
    write_transform(comparison.registration.mri_from_pet, out / "transforms" / "mri_from_pet.h5")
    images = dict(_images(comparison))
    # Compression releases the interpreter, so two files are packed at a time.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: nifti.write(images[name], out / "images" / name), images))
    _write_json(out / "comparison.json", _comparison_json(comparison))


def write_run(comparison: Comparison, out: Path, seconds: Mapping[str, float]) -> None:
    """Write run.json: what ran on what, and what it took."""
    record = {
        "schema": SCHEMA,
        "versions": {
            "lesionmatch": lesionmatch.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "options": comparison.options.to_json(),
        "inputs": {"pet": comparison.pet.inputs, "mri": comparison.mri.inputs},
        "series": [
            series.to_json(phi=comparison.options.phi)
            for series in (*comparison.pet.series, *comparison.mri.series)
        ],
        "assumptions": list(comparison.assumptions),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "peak_memory_mb": round(_peak_memory_mb(), 1),
    }
    _write_json(out / "run.json", record)


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def _write_json(path: Path, record: Mapping[str, object]) -> None:
    text = json.dumps(record, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _images(comparison: Comparison) -> Iterator[tuple[str, Image | Mask | LabelMap]]:
    """Every image by its file name: on the PET's grid, and finer around the liver."""
    grid = comparison.pet.suv.grid
    yield "suv.nii.gz", comparison.pet.suv
    yield "liver_on_pet.nii.gz", comparison.liver_on_pet
    extents = [finding.carried.extent for finding in comparison.concordance.lesions]
    yield "lesions_on_pet.nii.gz", _labels(grid, extents)
    foci = [finding.focus.extent for finding in comparison.concordance.foci]
    yield "foci_on_pet.nii.gz", _labels(grid, foci)
    yield from _anatomy(comparison, grid, "", "_on_pet")
    if comparison.options.overlays:
        yield "registration_error.nii.gz", _error_map(comparison)
        yield from _detail(comparison, foci)


def _anatomy(
    comparison: Comparison, grid: Grid, folder: str, suffix: str
) -> Iterator[tuple[str, Image]]:
    """CT and MRI as they lie on a grid of the PET's frame."""
    ct, hbp = comparison.pet.ct, comparison.mri.hbp
    if ct is not None:
        yield f"{folder}ct.nii.gz", resample(ct, grid, outside=-1000.0)
    mri_from_pet = comparison.registration.mri_from_pet
    yield f"{folder}mri{suffix}.nii.gz", resample(hbp, grid, mri_from_pet, outside=0.0)


def _detail(
    comparison: Comparison, foci: list[Mask]
) -> Iterator[tuple[str, Image | Mask | LabelMap]]:
    """The same things on one finer grid around the liver, for pictures."""
    grid = _detail_grid(comparison)
    registration = comparison.registration
    yield from _anatomy(comparison, grid, "detail/", "")
    hbp, start = comparison.mri.hbp, _mean_shift(comparison)
    yield "detail/mri_start.nii.gz", resample(hbp, grid, start, outside=0.0)
    yield (
        "detail/suv.nii.gz",
        resample(comparison.pet.suv, grid, outside=0.0, interpolation="cubic"),
    )
    liver = resample_mask(comparison.liver.mask, grid, registration.mri_from_pet)
    yield "detail/liver.nii.gz", Mask(grid, liver >= 0.5)
    drawn = [
        carry(finding.lesion, registration.pet_from_mri, 0.0, grid).extent
        for finding in comparison.concordance.lesions
    ]
    yield "detail/lesions.nii.gz", _labels(grid, drawn)
    yield "detail/foci.nii.gz", _labels(grid, [_finer(focus, grid) for focus in foci])


def _finer(focus: Mask, grid: Grid) -> Mask | None:
    """A focus on the finer grid, as far as that reaches."""
    try:
        part = grid.crop(grid.box_around(focus.grid.corners_mm(), focus.grid.spacing_mm.max()))
    except InvalidGeometry:
        return None
    return Mask(part, resample_mask(focus, part) >= 0.5)


def _labels(grid: Grid, regions: Sequence[Mask | None]) -> LabelMap:
    """The regions as labels 1, 2, ...; where two overlap the smaller stands in front."""
    array = np.zeros(grid.shape, np.uint16)
    numbered = [(n, region) for n, region in enumerate(regions, start=1) if region is not None]
    for n, region in sorted(numbered, key=lambda pair: -pair[1].volume_ml):
        array[region.on(grid).array] = n
    return LabelMap(grid, array)


def _detail_grid(comparison: Comparison) -> Grid:
    mask = comparison.liver_on_pet
    box = mask.grid.box_around(mask.points_mm(), DETAIL_MARGIN_MM)
    return mask.grid.crop(box).with_spacing(DETAIL_MM)


def _mean_shift(comparison: Comparison) -> PointMap:
    """The MRI moved as a whole: how the two would lie without the rest of the registration."""
    points_mm = comparison.liver.mask.points_mm()[::97]
    maps = comparison.registration
    matrix = np.eye(4)
    matrix[:3, 3] = (points_mm - maps.pet_from_mri.apply(points_mm)).mean(axis=0)
    frames = maps.mri_from_pet.target, maps.mri_from_pet.source
    return PointMap.affine(Transform(*frames, matrix))


def _error_map(comparison: Comparison) -> Image:
    """The 95 % bound of the registration error, mm, on a coarse grid around the liver."""
    grid = _detail_grid(comparison).with_spacing(ERROR_GRID_MM)
    points_mm = grid.world(np.indices(grid.shape).reshape(3, -1).T)
    registration = comparison.registration
    error_mm = registration.error_mm(registration.mri_from_pet.apply(points_mm))
    return Image(grid, error_mm.reshape(grid.shape).astype(np.float32), Quantity.ARBITRARY)


def _comparison_json(comparison: Comparison) -> dict[str, object]:
    liver, registration = comparison.liver, comparison.registration
    concordance, reference = comparison.concordance, comparison.seen.reference
    return {
        "schema": SCHEMA,
        "version": lesionmatch.__version__,
        "calls": asdict(comparison.calls),
        "liver": {
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
        },
        "registration": {
            "method": registration.method,
            "target": registration.target,
            "passed": registration.passed,
            "doubts": list(registration.doubts),
            "quality": asdict(registration.quality),
        },
        "lesions": [
            *(_lesion_row(comparison, finding) for finding in concordance.lesions),
            *(
                _focus_row(comparison, finding)
                for finding in concordance.foci
                if finding.relation == "pet_only"
            ),
        ],
        "foci": [_focus_json(n, finding) for n, finding in enumerate(concordance.foci, start=1)],
        "relations": [_relation_row(pair) for pair in concordance.relations.pairs],
        "assumptions": list(comparison.assumptions),
        "options": comparison.options.to_json(),
        "protocol": list(_protocol_rows(comparison.options.protocol)),
        "study": _study_json(comparison),
    }


def _lesion_row(comparison: Comparison, finding: LesionFinding) -> dict[str, object]:
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


def _focus_row(comparison: Comparison, finding: FocusFinding) -> dict[str, object]:
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


def _relation_row(pair: Pair) -> dict[str, object]:
    return {
        "lesion_id": pair.lesion_id,
        "focus_id": pair.focus_id,
        "distance_mm": pair.distance_mm,
        "surface_distance_mm": pair.gap_mm,
        "overlap": pair.overlap,
        "tolerance_mm": pair.tolerance_mm,
        "relation": pair.relation or "none",
        "is_ambiguous": pair.is_ambiguous,
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
    seen, pet = comparison.seen, comparison.pet
    resolution = f"{seen.resolution.fwhm_mm:.1f} mm ({seen.resolution.source})"
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

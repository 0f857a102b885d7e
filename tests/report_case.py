"""Builds an output folder as `compare` leaves it, without the pipeline."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionmatch import nifti
from lesionmatch.columns import LESIONS
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, LabelMap, Mask, Quantity

PET = Frame("1.2.3")
LIVER_MM = np.array([-40.0, 0.0, 0.0])
LIVER_RADII_MM = np.array([75.0, 55.0, 55.0])

Array = NDArray[Any]


def lesion_row(lesion_id: str, place_mm: Sequence[float], **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A row with every column; a matched metastasis of 12 mm unless told otherwise."""
    row: dict[str, Any] = {column.name: None for column in LESIONS}
    x, y, z = (float(value) for value in place_mm)
    row |= {
        "lesion_id": lesion_id, "source": "mri", "kind": "metastasis", "label": f"Met {lesion_id}",
        "relation": "matched", "focus_ids": ["F1"], 
        "mri_x_mm": x + 100, "mri_y_mm": y, "mri_z_mm": z,
        "pet_x_mm": x, "pet_y_mm": y, "pet_z_mm": z, "long_axis_mm": 12.0, "short_axis_mm": 10.5,
        "equivalent_diameter_mm": 11.0, "volume_ml": 0.7, "suv_max": 15.25, "suv_peak": 11.0,
        "suv_mean": 8.0, "tumour_to_liver": 3.05, "contrast_to_noise": 14.0, "krenning": 3,
        "pet_status": "positive", "null_p": 0.004975, "expected_recovery": 0.62,
        "least_visible_ratio": 1.9, "visibility": "expected", "capsule_distance_mm": 14.0,
        "hilum_distance_mm": 40.0, "vessel_distance_mm": 9.0, "registration_error_mm": 3.4,
        "flags": [], "reason": None, "overlay": f"overlays/{lesion_id}.png",
    }  # fmt: skip
    return row | changes


def default_rows() -> list[dict[str, Any]]:
    """A matched lesion, a missed small one, a cyst and a focus seen on PET alone."""
    return [
        lesion_row("L1", (-50, 0, 10)),
        lesion_row("L2", (-80, 20, -12), relation="mri_only", focus_ids=[], long_axis_mm=5.0,
                   short_axis_mm=4.5, suv_max=5.6, tumour_to_liver=1.1, contrast_to_noise=1.2,
                   pet_status="negative", flags=["small", "subcentimetre"], reason="small_size"),
        lesion_row("L3", (-10, -10, 5), kind="cyst", relation="mri_only", focus_ids=[], suv_max=2.5,
                   pet_status="negative", flags=["low_uptake"], reason="cyst", long_axis_mm=16.0),
        lesion_row("F2", (-30, 40, -25), source="pet", kind="unspecified", label=None,
                   relation="pet_only", focus_ids=["F2"],
                   flags=["subcapsular"], reason="unexplained", suv_max=9.0, long_axis_mm=9.0),
    ]  # fmt: skip


def default_comparison(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A comparison.json with every key."""
    return {
        "schema": 1,
        "version": "0.1.0",
        "calls": {"mri": "involved", "pet": "involved", "cell": "TP", "reason": None,
                  "why": "MRI: 2 metastases; PET: 2 foci above the liver."},
        "liver": {"volume_ml": 950.0, "suv_mean": 5.0, "suv_sd": 0.6, "cov": 0.12,
                  "reference": "robust mean of 812 ml", "mask_origin": "given: SEG",
                  "is_plausible": True, "doubts": []},
        "registration": {"method": "deformable", "target": "ct", "passed": True, "doubts": [],
                         "quality": {"mutual_information": 0.41, "jacobian_min": 0.81}},
        "lesions": list(rows),
        "foci": [{"focus_id": name, "label": n, "peak_mm": place, "centroid_mm": place,
                  "suv_max": 15.25, "volume_ml": 0.8, "z": 7.5, "relation": relation,
                  "lesion_ids": lesions, "physiologic_neighbour": None}
                 for n, (name, place, relation, lesions) in enumerate(
                     [("F1", [-50.0, 0.0, 10.0], "matched", ["L1"]),
                      ("F2", [-30.0, 40.0, -25.0], "pet_only", [])], start=1)],
        "relations": [{"lesion_id": "L1", "focus_id": "F1", "distance_mm": 1.5,
                       "surface_distance_mm": 0.0, "overlap": 0.8, "tolerance_mm": 5.1,
                       "relation": "matched", "is_ambiguous": False}],
        "assumptions": ["The injection is taken to be on the day before the scan."],
        "options": {"registration": "auto"},
        "protocol": [{"section": "flags", "name": "small_mm", "value": 6.0, "default": 6.0,
                      "unit": "mm", "says": "a long axis below this is small",
                      "source": "Grawe et al. 2023"}],
        "study": {"suv": {"injected dose": "150 MBq"}, "pet": {"resolution": "6 mm"}},
    }  # fmt: skip


def run_record() -> dict[str, Any]:
    """A run.json."""
    return {
        "schema": 1, "versions": {"lesionmatch": "0.1.0", "SimpleITK": "2.5.7"},
        "started": "2026-11-21T04:00:00Z", "seconds": {"registration": 7.5}, "peak_memory_mb": 900,
        "inputs": {"pet": "1.2.3.4"},
        "series": [{"series": "1.2.3.4", "modality": "PT", "role": "AC PET", "evidence": ["ATTN"],
                    "set_aside": None, "files": 40}],
    }  # fmt: skip


def build(
    out: Path,
    rows: Sequence[dict[str, Any]] | None = None,
    *,
    comparison: dict[str, Any] | None = None,
    with_images: bool = True,
) -> Path:
    """Write comparison.json, run.json and, if wanted, images to `out`."""
    rows = default_rows() if rows is None else rows
    record = default_comparison(rows) | (comparison or {})
    out.mkdir(parents=True, exist_ok=True)
    (out / "comparison.json").write_text(json.dumps(record, allow_nan=False))
    (out / "run.json").write_text(json.dumps(run_record()))
    if not with_images:
        return out
    images = out / "images"
    (images / "detail").mkdir(parents=True, exist_ok=True)
    _write_images(images, _grid(4.0, margin_mm=60.0), rows, ("suv", "ct", "mri_on_pet"), "_on_pet")
    fine = _grid(2.0, margin_mm=20.0)
    _write_images(images / "detail", fine, rows, ("suv", "ct", "mri"), "")
    coarse = _grid(10.0, margin_mm=20.0)
    error_mm = 2.0 + 0.02 * _distance(coarse, LIVER_MM)
    error = Image(coarse, error_mm.astype(np.float32), Quantity.ARBITRARY)
    nifti.write(error, images / "registration_error.nii.gz")
    return out


def _grid(step_mm: float, margin_mm: float) -> Grid:
    low, high = LIVER_MM - LIVER_RADII_MM - margin_mm, LIVER_MM + LIVER_RADII_MM + margin_mm
    shape = np.ceil((high - low) / step_mm).astype(int)[::-1]
    return Grid.of(PET, tuple(shape.tolist()), origin_mm=low, spacing_mm=np.full(3, step_mm))


def _distance(grid: Grid, place_mm: Array) -> Array:
    points = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1))
    return np.asarray(np.linalg.norm(points - place_mm, axis=-1), dtype=np.float32)


def _write_images(
    folder: Path, grid: Grid, rows: Sequence[dict[str, Any]], names: Sequence[str], suffix: str
) -> None:
    points = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1))
    depth = np.linalg.norm((points - LIVER_MM) / LIVER_RADII_MM, axis=-1)
    body = np.linalg.norm((points - LIVER_MM) / (LIVER_RADII_MM + 40), axis=-1) < 1
    liver = depth < 1
    noise = np.random.default_rng(7).normal(0, 1, (3, *grid.shape)).astype(np.float32)
    suv = np.where(liver, 5.0, np.where(body, 1.0, 0.05)) + 0.4 * noise[0]
    ct = np.where(liver, 60.0, np.where(body, -80.0, -1000.0)) + 12 * noise[1]
    mri = np.where(liver, 900.0, np.where(body, 250.0, 0.0)) + 25 * noise[2]
    lesions = np.zeros(grid.shape, np.uint16)
    foci = np.zeros(grid.shape, np.uint16)
    drawn = focus = 0
    for row in rows:
        if row["pet_x_mm"] is None:
            continue
        place = np.array([row["pet_x_mm"], row["pet_y_mm"], row["pet_z_mm"]])
        box = grid.box_around(place, 30.0)
        distance = np.linalg.norm(points[box] - place, axis=-1)
        inside = distance <= row["long_axis_mm"] / 2
        if row["source"] == "mri":
            drawn += 1
            lesions[box][inside] = drawn
            mri[box][inside] = 350.0
        if row["focus_ids"]:
            focus = min(focus + 1, 2)
            foci[box][distance < 8] = focus
            suv[box] += 10 * np.exp(-((distance / 6) ** 2))
    _write(folder / f"{names[0]}.nii.gz", Image(grid, suv, Quantity.SUV_BW))
    _write(folder / f"{names[1]}.nii.gz", Image(grid, ct, Quantity.HOUNSFIELD))
    _write(folder / f"{names[2]}.nii.gz", Image(grid, mri, Quantity.ARBITRARY))
    if not suffix:
        start = np.roll(mri, (3, 4), axis=(0, 2))
        _write(folder / "mri_start.nii.gz", Image(grid, start, Quantity.ARBITRARY))
    _write(folder / f"lesions{suffix}.nii.gz", LabelMap(grid, lesions))
    _write(folder / f"liver{suffix}.nii.gz", Mask(grid, liver))
    _write(folder / f"foci{suffix}.nii.gz", LabelMap(grid, foci))


def _write(path: Path, value: Image | LabelMap | Mask) -> None:
    nifti.write(value, path)

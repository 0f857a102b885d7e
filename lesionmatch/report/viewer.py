"""The study's volumes at reduced size, to stand in the page and be scrolled there.

The viewer is a few hundred lines of canvas and no WebGL: three planes of three images at
2 mm need neither a graphics card nor a megabyte of library in every page of a batch, it
runs under the page's strict policy, and the outlines stay sharp vectors. Values are
stored in 8 bits over a stated range; outlines as how much of a voxel lies in a region.
"""

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionmatch.report.case import Case
from lesionmatch.report.outline import Region
from lesionmatch.report.overlays import Scene, centre_mm, suv_top
from lesionmatch.report.palette import Window, inferno
from lesionmatch.report.volume import Volume

STEP_MM = 2.0
MOST_VOXELS = 900_000
"""Of each volume; three of them then take some 3 MB of the page."""

MARGIN_MM = 15.0


def viewer_data(case: Case, scene: Scene) -> dict[str, Any] | None:
    """All the viewer needs, ready for JSON; None without a PET."""
    images = scene.images
    if images.suv is None:
        return None
    axes = _axes(images.suv, images.liver)
    shape = [len(places) for places in axes[::-1]]
    windows = {
        "hbp": (images.mri, Window(0.0, 1.3 * scene.mri_window.high), "HBP", ""),
        "pet": (images.suv, _suv_range(images.suv, scene.liver_suv), "PET", "SUV"),
        "ct": (images.ct, Window(-210.0, 300.0), "CT", "HU"),
    }
    return {
        "shape": shape,
        "first_mm": [float(places[0]) for places in axes],
        "step_mm": float(axes[0][1] - axes[0][0]),
        "images": [
            _image(name, volume, window, title, unit, axes)
            for name, (volume, window, title, unit) in windows.items()
            if volume is not None
        ],
        "regions": {
            "liver": _packed(_share({"liver": scene.liver} if scene.liver else {}, axes)),
            "focus": _packed(_share(scene.foci, axes)),
            "lesion": _packed(_share(scene.lesions, axes)),
        },
        "suv_top": suv_top(scene.liver_suv),
        "hbp_top": scene.mri_window.high,
        "colours": base64.b64encode(inferno().tobytes()).decode("ascii"),
        "places": _places(case),
    }


def _axes(suv: Volume, liver: Volume | None) -> list[NDArray[np.float64]]:
    """Evenly spaced x, y and z around the liver, as fine as the limit allows."""
    low, high = suv.first_mm, suv.last_mm
    if liver is not None and liver.array.any():
        used = np.argwhere(liver.array > 0)[:, ::-1]
        low = np.maximum(low, liver.first_mm + used.min(0) * liver.spacing_mm - MARGIN_MM)
        high = np.minimum(high, liver.first_mm + used.max(0) * liver.spacing_mm + MARGIN_MM)
    size = np.maximum(high - low, 1.0)
    step = max(STEP_MM, float(np.cbrt(size.prod() / MOST_VOXELS)))
    return [
        start + np.arange(max(2, int(n / step) + 1)) * step
        for start, n in zip(low, size, strict=True)
    ]


def _suv_range(suv: Volume, liver_suv: float) -> Window:
    """Up to the hottest voxel, but not so far that the liver has too few steps left."""
    return Window(0.0, float(min(suv.array.max(), 12.0 * liver_suv)) or 1.0)


def _image(
    name: str,
    volume: Volume,
    window: Window,
    title: str,
    unit: str,
    axes: list[NDArray[np.float64]],
) -> dict[str, Any]:
    values = volume.at(axes[0], axes[1], axes[2]).array
    steps = np.rint(255 * window.share(values)).astype(np.uint8)
    about = {"name": name, "title": title, "unit": unit, "low": window.low, "high": window.high}
    return {**about, "data": _packed(steps)}


def _share(regions: Mapping[str, Region], axes: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
    """How deep in any of the regions each voxel lies; 128 is the surface."""
    shape = tuple(len(places) for places in axes[::-1])
    depth = np.zeros(shape, np.float32)
    for found in regions.values():
        box, places = _covered(found.field, axes)
        if all(len(part) > 1 for part in places):
            values = found.field.at(places[0], places[1], places[2]).array
            # Every region's surface is brought to one half, whatever its own level.
            scaled = np.where(
                values < found.level,
                0.5 * values / found.level,
                0.5 + 0.5 * (values - found.level) / max(1.0 - found.level, 1e-6),
            )
            depth[box] = np.maximum(depth[box], scaled)
    return np.rint(np.clip(depth, 0, 1) * 255).astype(np.uint8)


def _covered(
    field: Volume, axes: list[NDArray[np.float64]]
) -> tuple[tuple[slice, ...], list[NDArray[np.float64]]]:
    """The part of the grid that a field covers."""
    spans = []
    for axis, places in enumerate(axes):
        inside = np.flatnonzero((places >= field.first_mm[axis]) & (places <= field.last_mm[axis]))
        spans.append(slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0))
    return tuple(spans[::-1]), [places[span] for places, span in zip(axes, spans, strict=True)]


def _packed(values: NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 6)).decode("ascii")


def _places(case: Case) -> list[dict[str, Any]]:
    places = []
    for row in case.lesions:
        centre = centre_mm(row)
        if centre is not None:
            axis = row["long_axis_mm"]
            radius = float(axis) / 2 if isinstance(axis, int | float) else 4.0
            place = [round(value, 2) for value in centre.tolist()]
            places.append({"id": row["lesion_id"], "place_mm": place, "radius_mm": radius})
    return places

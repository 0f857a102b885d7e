"""The image's own signal as evidence for the hepatobiliary phase.

Twenty minutes after gadoxetate the liver has taken it up and the blood has lost it, so among
the phases of one examination the liver is brightest against the rest of the body, and its
vessels are dark; in the portal venous phase they are bright. Only series that the headers
leave within a few points of the best are read. The liver need not be outlined: it is the
largest bright organ of the candidates' mean. What is said is of the same order as what a
header says, so that neither decides against several others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.pixels.volume import rescale, volume
from lesionmatch.dicom.series.hbp import Evidence
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Points
from lesionmatch.protocol import Protocol, SeriesRules

STEP_MM = 4.0
"""Between the places looked at: hepatic veins are twice as wide."""
MOST_READ = 6
"""Series; an examination has about five phases."""
LEAST_SHARED = 0.5
"""A candidate covers at least this share of the best one's extent, or is not compared."""
BODY = 0.12
"""Of the bright end of an image; air is darker."""
LEVEL_VOXELS = 6.0
"""Width over which a vessel's surroundings are averaged, in steps."""
PASSES = 2
"""In which what stands out is left out of the level of its surroundings."""

Field = NDArray[np.float32]
Inside = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Signal:
    """What one image shows of the liver."""

    level: float
    """Of the liver over the median of the rest of the body."""
    dark: float
    bright: float
    """Shares of the liver that are darker, or brighter, than what is around them."""


def weighed(inventory: Inventory, options: ReadOptions) -> Inventory:
    """The inventory with what the images of near candidates say added to their scores."""
    rules = options.protocol.series
    found = evidence_of(_near(inventory, rules), options)
    series = tuple(
        record.with_evidence(found[record.key], rules.hbp_least_score)
        if record.key in found
        else record
        for record in inventory.series
    )
    return replace(inventory, series=series)


def _near(inventory: Inventory, rules: SeriesRules) -> list[SeriesRecord]:
    """The series whose headers leave them near the best one, best first, in its frame."""
    usable = [r for r in inventory.series if r.score is not None and r.is_usable]
    ranked = sorted(usable, key=lambda record: (-(record.score or 0.0), record.key))
    least = (ranked[0].score or 0.0) - rules.hbp_near if ranked else 0.0
    near = [record for record in ranked if (record.score or 0.0) >= least]
    return [record for record in near if record.frame_uid == near[0].frame_uid][:MOST_READ]


def evidence_of(
    candidates: Sequence[SeriesRecord], options: ReadOptions
) -> dict[str, tuple[Evidence, ...]]:
    """Evidence by series key; none for a single candidate, where the headers have decided."""
    if len(candidates) < 2:
        return {}
    places = _places(candidates[0])
    fields = {}
    for record in candidates:
        field = _field(record, places, options)
        if field is not None:
            fields[record.key] = field
    voxel_ml = float(np.prod(_spacing_mm(candidates[0])) / 1000.0)
    signals = signals_of(fields, voxel_ml, options.protocol)
    return said_of(signals, options.protocol.series)


def _stride(record: SeriesRecord) -> NDArray[np.int64]:
    spacing = record.usable_stack().grid.spacing_mm
    return np.maximum(1, np.rint(STEP_MM / spacing)).astype(np.int64)


def _spacing_mm(record: SeriesRecord) -> NDArray[np.float64]:
    return np.asarray(record.usable_stack().grid.spacing_mm * _stride(record))


def _places(record: SeriesRecord) -> tuple[tuple[int, int, int], Points]:
    """Shape and world points of the places looked at: the series' own voxels, a few mm apart."""
    grid, stride = record.usable_stack().grid, _stride(record)
    axes = [np.arange(s // 2, n, s) for n, s in zip(grid.shape, stride, strict=True)]
    voxels = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    shape = (len(axes[0]), len(axes[1]), len(axes[2]))
    return shape, grid.world(voxels.reshape(-1, 3))


def _field(
    record: SeriesRecord, places: tuple[tuple[int, int, int], Points], options: ReadOptions
) -> Field | None:
    """A candidate's signal at the places; NaN beyond it, None where it cannot be compared."""
    shape, points = places
    grid = record.usable_stack().grid
    inside = grid.contains(points)
    if inside.mean() < LEAST_SHARED:
        return None
    try:
        array = volume(record.usable_stack(), rescale, options.protocol.input, record.what)
    except InvalidInput:
        return None
    smooth = ndimage.uniform_filter(array, tuple(int(n) for n in _stride(record)))
    voxels = np.clip(np.rint(grid.voxels(points[inside])).astype(int), 0, np.array(grid.shape) - 1)
    field = np.full(len(points), np.nan, np.float32)
    field[inside] = smooth[tuple(voxels.T)]
    return field.reshape(shape)


def signals_of(
    fields: Mapping[str, Field], voxel_ml: float, protocol: Protocol
) -> dict[str, Signal]:
    """What each image shows of the liver that all of them show; none without such a liver."""
    if len(fields) < 2:
        return {}
    body = np.logical_and.reduce([_body(field) for field in fields.values()])
    if not body.any():
        return {}
    norm = {key: field / np.median(field[body]) for key, field in fields.items()}
    least_voxels = protocol.liver.volume_cut_least_ml / voxel_ml
    liver = _liver(list(norm.values()), body, least_voxels)
    if liver is None:
        return {}
    rest = body & ~ndimage.binary_dilation(liver, iterations=2)
    inner = ndimage.binary_erosion(liver, iterations=2)
    if not rest.any() or not inner.any():
        return {}
    contrast = protocol.series.hbp_vessel_contrast
    return {key: _signal(field, inner, rest, contrast) for key, field in norm.items()}


def _body(field: Field) -> Inside:
    known = np.isfinite(field)
    bright = np.percentile(field[known], 99.0)
    return known & (np.nan_to_num(field) > BODY * bright)


def _liver(images: Sequence[Field], body: Inside, least_voxels: float) -> Inside | None:
    """The largest bright organ of the images' mean, its vessels filled in."""
    capped = [np.minimum(image, np.percentile(image[body], 99.0)) for image in images]
    mean = np.where(body, np.nan_to_num(np.mean(capped, axis=0)), 0.0)
    middle, top = np.median(mean[body]), np.percentile(mean[body], 97.0)
    core = ndimage.binary_erosion(mean > 0.5 * (middle + top), iterations=2)
    parts, count = ndimage.label(core)
    if count == 0:
        return None
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    if sizes.max() < least_voxels:
        return None
    grown = ndimage.binary_dilation(parts == sizes.argmax())
    return np.asarray(ndimage.binary_closing(np.pad(grown, 4), iterations=4)[4:-4, 4:-4, 4:-4])


def _signal(field: Field, inner: Inside, rest: Inside, contrast: float) -> Signal:
    """`inner` is the liver without its rim."""
    even = inner
    local = _local(field, inner, even)
    for _ in range(PASSES):
        # What stands out is left out of its surroundings: a liver may be full of lesions.
        even = np.zeros_like(inner)
        even[inner] = np.abs(local - 1.0) <= contrast
        if not even.any():
            even = inner
        local = _local(field, inner, even)
    return Signal(
        level=float(np.median(field[even]) / np.median(field[rest])),
        dark=float((local < 1.0 - contrast).mean()),
        bright=float((local > 1.0 + contrast).mean()),
    )


def _local(field: Field, inner: Inside, even: Inside) -> Field:
    """The signal inside over the mean of the even places around it."""
    weight = ndimage.gaussian_filter(even.astype(np.float32), LEVEL_VOXELS)
    summed = ndimage.gaussian_filter(np.where(even, np.nan_to_num(field), 0.0), LEVEL_VOXELS)
    return np.asarray(field[inner] * weight[inner] / np.maximum(summed[inner], 1e-6))


def said_of(signals: Mapping[str, Signal], rules: SeriesRules) -> dict[str, tuple[Evidence, ...]]:
    """What the images say for and against each candidate, by comparison with the others."""
    found: dict[str, tuple[Evidence, ...]] = {}
    for key, signal in signals.items():
        others = [other for name, other in signals.items() if name != key]
        ratio = signal.level / max(other.level for other in others)
        # Lesions are dark in every phase; what is dark in this one alone are vessels.
        vessels = signal.dark - max(other.dark for other in others)
        has_dark_vessels = vessels >= rules.hbp_vessels and signal.dark > 2.0 * signal.bright
        has_bright_vessels = signal.bright >= rules.hbp_vessels and signal.bright > signal.dark
        items = []
        if ratio >= 1.0 + rules.hbp_brighter and has_dark_vessels:
            items.append(Evidence(3, "image: liver brightest of the candidates, its vessels dark"))
        if ratio <= 1.0 - rules.hbp_darker:
            items.append(Evidence(-2, "image: liver darker than in another candidate"))
        if has_bright_vessels:
            items.append(Evidence(-2, "image: vessels brighter than the liver"))
        found[key] = tuple(items)
    return found

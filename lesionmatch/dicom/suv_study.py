"""The PET series of a folder, what SUV each would give, and the SUV map of one of them.

Only what SUV needs is read: no CT, nothing that was drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lesionmatch.dicom.options import Override, ReadOptions
from lesionmatch.dicom.pet import read_suv, reconstruction, scale_of, the_pet
from lesionmatch.dicom.series.asked import require_dicom
from lesionmatch.dicom.series.inventory import scan
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.study import Reconstruction
from lesionmatch.dicom.suv.body import body_of
from lesionmatch.dicom.suv.facts import SuvFacts, SuvScale
from lesionmatch.dicom.suv.said import Said
from lesionmatch.dicom.suv.scale import MEAN_OF_BOTH
from lesionmatch.errors import InvalidInput
from lesionmatch.image import Image, Quantity
from lesionmatch.suv import BodySize, body_size, to_body_weight

SCHEMA = 1


@dataclass(frozen=True, slots=True, eq=False)
class SeriesSuv:
    """A PET series, and the SUV it would give or why it gives none."""

    record: SeriesRecord
    scale: SuvScale | None
    refusal: str | None
    """Without the series' name; None where there is a scale."""

    def to_json(self, *, phi: bool = False) -> dict[str, Any]:
        """The series as `inspect` shows it, with its SUV."""
        return {
            **self.record.to_json(phi=phi),
            "suv": None if self.scale is None else asdict(self.scale.facts),
            "suv_assumptions": [] if self.scale is None else list(self.scale.assumptions),
            "suv_refusal": self.refusal,
        }


@dataclass(frozen=True, slots=True, eq=False)
class SuvMap:
    """An SUV image by some body size, and how it came about."""

    image: Image
    size: BodySize
    size_value: float
    """In kg, or cm2 for the surface; of what the user gave, where that was the case."""
    used: SeriesRecord
    facts: SuvFacts
    reconstruction: Reconstruction
    series: tuple[SeriesSuv, ...]
    """Every PET series found, the used one among them."""
    overrides: tuple[Override, ...]
    assumptions: tuple[str, ...]

    @property
    def values(self) -> Mapping[str, float | int]:
        """The image in a few numbers."""
        array = self.image.array
        return {
            "least": float(array.min()),
            "most": float(array.max()),
            "negative_voxels": int((array < 0.0).sum()),
        }

    def to_json(self, *, phi: bool = False) -> dict[str, Any]:
        """All but the voxels. Without `phi` there is no date and no name in it."""
        grid = self.image.grid
        return {
            "schema": SCHEMA,
            "used": self.used.key,
            "by": self.size.value,
            "unit": self.size.unit,
            "body_size": self.size_value,
            **asdict(self.facts),
            "overrides": [asdict(override) for override in self.overrides],
            "reconstruction": asdict(self.reconstruction),
            "shape": list(grid.shape),
            "spacing_mm": [round(float(mm), 4) for mm in grid.spacing_mm],
            **self.values,
            "assumptions": list(self.assumptions),
            "series": [one.to_json(phi=phi) for one in self.series],
        }


def read_suv_map(
    paths: Sequence[Path], options: ReadOptions | None = None, size: BodySize = BodySize.WEIGHT
) -> SuvMap:
    """The SUV of the PET in `paths` by a body size.

    Raises `NothingFound` without PET, `AmbiguousSeries` where a person must choose, and
    `InvalidInput` where SUV, or the body's size, cannot be had.
    """
    options = options or ReadOptions()
    inventory = scan(paths, options.protocol)
    require_dicom(inventory, paths)
    inventory, used, notes = the_pet(inventory, options)
    by_weight, scale = read_suv(used, options)
    said = Said()
    image, value = _by_size(by_weight, used, scale, size, options, said)
    first = {override.option: override for override in (*scale.facts.overrides, *said.overrides)}
    more = [note for note in said.notes if note not in scale.assumptions]
    return SuvMap(
        image=image,
        size=size,
        size_value=value,
        used=used,
        facts=scale.facts,
        reconstruction=reconstruction(used.header),
        series=suv_of_each(inventory, options),
        overrides=tuple(first.values()),
        assumptions=(*inventory.broken, *notes, *scale.assumptions, *more),
    )


def _by_size(
    by_weight: Image,
    used: SeriesRecord,
    scale: SuvScale,
    size: BodySize,
    options: ReadOptions,
    said: Said,
) -> tuple[Image, float]:
    """The image by another size, and that size.

    The weight in SUVbw is taken out as it went in, which for a scanner's own SUV is the
    header's and not the user's.
    """
    if size is BodySize.WEIGHT:
        return by_weight, scale.facts.weight_kg or 0.0
    body = body_of(used.header, options, said, used.what)
    if body.sex not in ("M", "F") and size is not BodySize.SURFACE:
        said.notes.append(MEAN_OF_BOTH)
    went_in = scale.facts.weight_kg or body.weight_kg
    factor = body.weight_kg / went_in / to_body_weight(body, size)
    array = by_weight.array * np.float32(factor)
    return Image(by_weight.grid, array, Quantity.SUV_OTHER), body_size(body, size)


def suv_of_each(inventory: Inventory, options: ReadOptions) -> tuple[SeriesSuv, ...]:
    """Every PET series of an inventory with its SUV, or why it has none; pixels are not read."""
    return tuple(_suv_of(record, options) for record in inventory.of_modality("PT"))


def _suv_of(record: SeriesRecord, options: ReadOptions) -> SeriesSuv:
    if record.set_aside is not None:
        return SeriesSuv(record, None, f"set aside: {record.set_aside}")
    try:
        return SeriesSuv(record, scale_of(record, options), None)
    except InvalidInput as error:
        return SeriesSuv(record, None, str(error).removeprefix(f"{record.what}: "))

"""A finished comparison as it stands on disk: numbers, provenance and images."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lesionmatch import nifti
from lesionmatch.columns import Row
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.image import Quantity
from lesionmatch.report.volume import Volume, volume_of

SCHEMA = 1

SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
"""What may name a picture's file and an element of the page."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What `compare` left in a folder."""

    out: Path
    comparison: Json
    run: Json
    """Empty where there is no run.json yet."""
    images: "Images"

    @property
    def lesions(self) -> Sequence[Row]:
        """Lesion rows, then the rows of PET-only foci."""
        rows: Sequence[Row] = self.comparison["lesions"]
        return rows

    @property
    def label_of_lesion(self) -> Mapping[str, int]:
        """The label of each lesion on the label maps."""
        drawn = [row for row in self.lesions if row["source"] == "mri"]
        return {str(row["lesion_id"]): n for n, row in enumerate(drawn, start=1)}

    @property
    def label_of_focus(self) -> Mapping[str, int]:
        """The label of each focus on the label map."""
        foci = self.comparison.get("foci", [])
        return {focus["focus_id"]: int(focus.get("label", n)) for n, focus in enumerate(foci, 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """The images of a case, all in the PET's frame; None for one that is not there."""

    suv: Volume | None
    ct: Volume | None
    mri: Volume | None
    mri_start: Volume | None
    """The MRI moved by the mean translation of its registration only."""
    liver: Volume | None
    lesions: Volume | None
    foci: Volume | None
    error: Volume | None
    """Registration error, mm, on a coarse grid."""
    whole_suv: Volume | None
    """The PET on its own grid, beyond the liver."""
    whole_mri: Volume | None
    """The MRI as far as it reaches, on the PET's grid."""


def read_case(out: Path) -> Case:
    """Read a folder that `compare` wrote. Raises as `read_comparison` does."""
    run = out / "run.json"
    return Case(
        out,
        read_comparison(out),
        _read_json(run) if run.is_file() else {},
        _images(out / "images"),
    )


def read_comparison(out: Path) -> Json:
    """The numbers of a folder that `compare` wrote.

    Raises `NothingFound` where there is no comparison, and `InvalidInput` where it is not
    of a schema this version reads.
    """
    path = out / "comparison.json"
    if not path.is_file():
        raise NothingFound(
            f"{out.name}: wanted a comparison.json, got none; run lesionmatch compare first"
        )
    comparison = _read_json(path)
    if comparison.get("schema") != SCHEMA:
        raise InvalidInput(
            f"{path.name}: wanted schema {SCHEMA}, got {comparison.get('schema')}; "
            "compare again with this version"
        )
    for row in comparison["lesions"]:
        if not SAFE_ID.fullmatch(str(row["lesion_id"])):
            raise InvalidInput(
                f"{path.name}: wanted a lesion_id of letters and digits, "
                f"got {row['lesion_id']!r}; compare again"
            )
    return comparison


def _read_json(path: Path) -> Json:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidInput(f"{path.name}: wanted JSON, got {error}; compare again") from error
    if not isinstance(value, dict):
        raise InvalidInput(f"{path.name}: wanted an object, got another value; compare again")
    return value


def _images(folder: Path) -> Images:
    """Each from the fine grid around the liver where it is there, else from the PET's grid."""
    detail = folder / "detail"
    return Images(
        suv=_first(Quantity.SUV_BW, detail / "suv.nii.gz", folder / "suv.nii.gz"),
        ct=_first(Quantity.HOUNSFIELD, detail / "ct.nii.gz", folder / "ct.nii.gz"),
        mri=_first(Quantity.ARBITRARY, detail / "mri.nii.gz", folder / "mri_on_pet.nii.gz"),
        mri_start=_first(Quantity.ARBITRARY, detail / "mri_start.nii.gz"),
        liver=_labels(detail / "liver.nii.gz", folder / "liver_on_pet.nii.gz"),
        lesions=_labels(detail / "lesions.nii.gz", folder / "lesions_on_pet.nii.gz"),
        # Foci were found on the PET's own grid; a finer copy only has finer stairs.
        foci=_labels(folder / "foci_on_pet.nii.gz", detail / "foci.nii.gz"),
        error=_first(Quantity.ARBITRARY, folder / "registration_error.nii.gz"),
        whole_suv=_first(Quantity.SUV_BW, folder / "suv.nii.gz"),
        whole_mri=_first(Quantity.ARBITRARY, folder / "mri_on_pet.nii.gz"),
    )


def _first(quantity: Quantity, *paths: Path) -> Volume | None:
    for path in paths:
        if path.is_file():
            image = nifti.read_image(path, quantity)
            return volume_of(image.grid, np.nan_to_num(image.array))
    return None


def _labels(*paths: Path) -> Volume | None:
    for path in paths:
        if path.is_file():
            labels = nifti.read_labels(path)
            return volume_of(labels.grid, labels.array, is_label=True)
    return None

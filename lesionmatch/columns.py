"""The columns of lesions.csv and relations.csv: names, order, types, units and meanings.

This is the one place that names them. The record writes JSON rows with these keys, the
report writes the tables and explains the headings of its page, and the documentation is
made from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lesionmatch.errors import InvalidInput

Value = str | float | int | bool | None | tuple[str, ...] | list[str]
"""What a cell may hold; None where the column does not apply."""

Row = Mapping[str, Value]

ColumnType = Literal["text", "number", "boolean", "list"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: ColumnType
    unit: str
    """Empty for words and for numbers without one."""
    says: str
    """What it means, in a line."""

    def cell(self, value: Value) -> str:
        """The value as the table writes it: empty, true/false, ``;`` between a list's items.

        Raises `InvalidInput` for a value of another type.
        """
        if value is None:
            return ""
        is_boolean = isinstance(value, bool)
        if self.type == "list" and isinstance(value, tuple | list):
            return ";".join(value)
        if self.type == "boolean" and is_boolean:
            return "true" if value else "false"
        if self.type == "number" and isinstance(value, int | float) and not is_boolean:
            return _number(value)
        if self.type == "text" and isinstance(value, str):
            return value
        raise InvalidInput(f"{self.name}: wanted {self.type}, got {value!r}; compare again")


def _number(value: float) -> str:
    """Six significant digits: finer than any measurement, and the same in page and table."""
    return f"{value:.6g}" if abs(value) < 1e6 else repr(value)


def cells(columns: Sequence[Column], row: Row) -> list[str]:
    """A row as the table writes it. Raises `InvalidInput` where a column is missing."""
    missing = [column.name for column in columns if column.name not in row]
    if missing:
        raise InvalidInput(f"row: wanted every column, got no {', '.join(missing)}; compare again")
    return [column.cell(row[column.name]) for column in columns]


LESIONS: tuple[Column, ...] = (
    Column("lesion_id", "text", "", "L1, L2, ... for a lesion; the focus's own F1, F2, ... else"),
    Column("source", "text", "", "mri: a lesion drawn on the MRI; pet: a focus seen on PET only"),
    Column("kind", "text", "", "metastasis, haemangioma, cyst, other_benign or unspecified"),
    Column("label", "text", "", "the reader's own name of the segment"),
    Column("relation", "text", "", "matched, split, merged, mri_only or pet_only"),
    Column("focus_ids", "list", "", "the PET foci it is related to"),
    Column("mri_x_mm", "number", "mm", "centroid on the MRI, towards the patient's left"),
    Column("mri_y_mm", "number", "mm", "centroid on the MRI, towards the patient's back"),
    Column("mri_z_mm", "number", "mm", "centroid on the MRI, towards the patient's head"),
    Column("pet_x_mm", "number", "mm", "the lesion carried onto the PET, or the focus, left"),
    Column("pet_y_mm", "number", "mm", "the lesion carried onto the PET, or the focus, back"),
    Column("pet_z_mm", "number", "mm", "the lesion carried onto the PET, or the focus, head"),
    Column("long_axis_mm", "number", "mm", "longest diameter in a slice; of a focus, on the PET"),
    Column("short_axis_mm", "number", "mm", "longest diameter across it in the same slice"),
    Column("equivalent_diameter_mm", "number", "mm", "diameter of a ball of the same volume"),
    Column("volume_ml", "number", "ml", "volume; of a focus, on the PET"),
    Column(
        "suv_max",
        "number",
        "g/ml",
        "highest SUV within the lesion widened by its registration error",
    ),
    Column("suv_peak", "number", "g/ml", "mean SUV of the 1 ml ball around the highest voxel"),
    Column(
        "suv_mean", "number", "g/ml", "mean SUV within the lesion widened by its registration error"
    ),
    Column("tumour_to_liver", "number", "", "SUVmax over the mean of the reference liver"),
    Column("contrast_to_noise", "number", "", "SUVmax above the liver, in the liver's own SDs"),
    Column("krenning", "number", "", "Krenning score by SUV, 0 to 4"),
    Column("pet_status", "text", "", "positive, retrospective, negative or not_covered by the PET"),
    Column("null_p", "number", "", "chance of so much uptake in a lesion-free place"),
    Column("expected_recovery", "number", "", "share of the true contrast the PET can show"),
    Column("least_visible_ratio", "number", "", "smallest tumour-to-liver ratio visible here"),
    Column("visibility", "text", "", "expected, retrospective or not_expected at this size"),
    Column("capsule_distance_mm", "number", "mm", "surface to the liver's capsule"),
    Column("hilum_distance_mm", "number", "mm", "centroid to the hilum"),
    Column("vessel_distance_mm", "number", "mm", "surface to the nearest vessel of 4 mm and more"),
    Column("registration_error_mm", "number", "mm", "95 % bound of the error at this place"),
    Column("flags", "list", "", "what may explain a disagreement; several may stand"),
    Column("reason", "text", "", "the one reason given for a discordant lesion or focus"),
    Column("overlay", "text", "", "its picture, relative to this table"),
)

RELATIONS: tuple[Column, ...] = (
    Column("lesion_id", "text", "", "the lesion of the pair"),
    Column("focus_id", "text", "", "the focus of the pair"),
    Column("distance_mm", "number", "mm", "between the centroids, on the PET"),
    Column("surface_distance_mm", "number", "mm", "between the surfaces; 0 where they overlap"),
    Column("overlap", "number", "", "share of the smaller extent that lies in the other"),
    Column("tolerance_mm", "number", "mm", "distance up to which the pair counts as one"),
    Column("relation", "text", "", "matched, split, merged; none: considered and rejected"),
    Column("is_ambiguous", "boolean", "", "another partner would have been about as good"),
)

"""The product's terms in words a reader meets on pictures and pages."""

from lesionmatch.columns import Row, Value

RELATIONS = {
    "matched": "seen on both",
    "split": "seen on both, as several foci",
    "merged": "seen on both, one focus for several lesions",
    "mri_only": "on MRI only",
    "pet_only": "on PET only",
}
STATUSES = {
    "positive": "positive on PET",
    "retrospective": "uptake found only where the MRI points",
    "negative": "negative on PET",
    "not_covered": "outside the PET",
}
FLAGS = {
    "small": "small",
    "subcentimetre": "below 1 cm",
    "subcapsular": "subcapsular",
    "perihilar": "near the hilum",
    "near_vessel": "near a large vessel",
    "low_uptake": "uptake below the liver's",
    "noisy_liver": "noisy liver",
    "near_physiologic_uptake": "near physiologic uptake",
    "uncertain_registration": "registration uncertain here",
    "edge_of_coverage": "at the edge of coverage",
}
REASONS = {
    "small_size": "too small for the PET",
    "subcapsular": "at the edge of the liver",
    "near_vessel": "beside a large vessel",
    "low_uptake": "little uptake",
    "misregistration": "PET and MRI do not lie on each other here",
    "noisy_liver": "hidden in the liver's noise",
    "haemangioma": "a haemangioma",
    "cyst": "a cyst",
    "vascular_or_biliary": "uptake of a vessel or bile duct",
    "extrahepatic_physiologic": "physiologic uptake beside the liver",
    "unexplained": "not explained by what was measured",
}
CALLS = {
    "involved": "involved",
    "not_involved": "not involved",
    "uncertain": "uncertain",
}
CELLS = {
    "TP": "both involved",
    "TN": "neither involved",
    "FN": "missed by PET",
    "FP": "seen by PET alone",
}
MISSING = "n/a"


def words(of: dict[str, str], value: Value) -> str:
    """A term in words; a term unknown here as it is, without underscores."""
    return of.get(str(value), str(value).replace("_", " ")) if value is not None else MISSING


def number(value: Value, unit: str = "", digits: int = 3) -> str:
    """A number for reading, with its unit; n/a where there is none."""
    if value is None or isinstance(value, str | list | tuple):
        return MISSING
    text = f"{value:.{digits}g}" if abs(round(value)) < 1000 else f"{value:,.0f}"
    return f"{text} {unit}".strip()


def fixed(value: Value, decimals: int, unit: str = "") -> str:
    """A measurement with as many decimals as it deserves; n/a where there is none.

    >>> fixed(3.14159, 1, "mm"), fixed(-0.04, 1), fixed(None, 1)
    ('3.1 mm', '0.0', 'n/a')
    """
    if value is None or isinstance(value, str | list | tuple):
        return MISSING
    return f"{value:z.{decimals}f} {unit}".strip()


def flags(row: Row) -> str:
    """The flags of a row in words."""
    value = row["flags"]
    listed = value if isinstance(value, list | tuple) else []
    return ", ".join(words(FLAGS, flag) for flag in listed) or "none"


def headline(row: Row) -> str:
    """What a lesion is, in a line."""
    kind = "PET focus" if row["source"] == "pet" else words({}, row["kind"])
    parts = [str(row["lesion_id"]), kind, words(RELATIONS, row["relation"])]
    if row["pet_status"] is not None and row["relation"] == "mri_only":
        parts.append(words(STATUSES, row["pet_status"]))
    return " · ".join(parts)


def measures(row: Row) -> str:
    """The numbers a picture is read with, in a line."""
    axes = fixed(row["long_axis_mm"], 1)
    if row["short_axis_mm"] is not None:
        axes += f" × {fixed(row['short_axis_mm'], 1)}"
    parts = [
        f"{axes} mm",
        f"SUVmax {fixed(row['suv_max'], 1)}",
        f"tumour/liver {fixed(row['tumour_to_liver'], 2)}",
        f"contrast/noise {fixed(row['contrast_to_noise'], 1)}",
        f"registration error {fixed(row['registration_error_mm'], 1, 'mm')}",
    ]
    return " · ".join(parts)


def because(row: Row) -> str:
    """The flags and the reason in a line."""
    text = f"Flags: {flags(row)}"
    return f"{text}  |  Why: {words(REASONS, row['reason'])}" if row["reason"] else text

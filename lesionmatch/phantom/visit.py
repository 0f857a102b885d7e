"""The two visits of a simulated patient: who, when, on which scanner, under which names."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from lesionmatch.dicom.write.pet import Injection
from lesionmatch.dicom.write.series import Patient, Series, StudyHeader
from lesionmatch.phantom.recipe import Recipe, Stream

FIRST_DAY = datetime(2024, 3, 11)
BETWEEN_VISITS = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Names:
    """How one site names its series."""

    manufacturer: str
    mri_model: str
    pet_model: str
    ct: str
    pet: str
    pet_raw: str
    localizer: str
    t2: str
    dixon: str
    diffusion: str
    native: str
    arterial: str
    portal: str
    transitional: str
    hbp: str
    scan_options: str


HABITS = (
    Names(
        "SIEMENS", "MAGNETOM Aera", "Biograph64_mCT", "CT venous 3.0 B30f",
        "PET WB AC 200", "PET WB NAC 200", "localizer", "t2_haste_fs_tra_p2",
        "t1_fl2d_opp-in_tra_bh", "ep2d_diff_b50_800_tra_resp", "t1_vibe_fs_tra_nativ",
        "t1_vibe_fs_tra_art", "t1_vibe_fs_tra_pv", "t1_vibe_fs_tra_3min",
        "t1_vibe_fs_tra_hbp_20min", "FS",
    ),
    Names(
        "GE MEDICAL SYSTEMS", "SIGNA Artist", "Discovery 690", "CT STD AXIAL PV",
        "WB 3D MAC", "WB 3D NAC", "3-plane Loc", "Ax T2 FRFSE FS RTr",
        "Ax T1 Dual Echo", "Ax DWI b50 b800", "Ax LAVA pre",
        "Ax LAVA arterial", "Ax LAVA portal", "Ax LAVA 3 min",
        "Ax LAVA Hepatobiliary 20 min", "FAST_GEMS\\SAT_GEMS",
    ),
    Names(
        "Philips", "Ingenia", "GEMINI TF", "CT ABD C+ 3mm",
        "WB CTAC Body", "WB NAC Body", "SURVEY", "T2W_SPAIR_RT",
        "T1W_FFE_IP_OP", "DWI_2b", "eTHRIVE_pre",
        "eTHRIVE_art", "eTHRIVE_pv", "eTHRIVE_late 3min",
        "eTHRIVE_HBP 20min", "FS",
    ),
)  # fmt: skip


PHILIPS = HABITS[2]


@dataclass(frozen=True, slots=True)
class Visits:
    """The headers both folders share."""

    names: Names
    pet: StudyHeader
    mri: StudyHeader
    injection: Injection
    bolus: datetime
    """When the gadoxetate went in."""


BARE = Names(
    "SIEMENS", "MAGNETOM Vida", "Biograph 64", "Abdomen 3.0", "PET", "PET", "loc", "t2_tra",
    "t1_tra", "diff_tra", "t1_vibe_tra", "t1_vibe_tra", "t1_vibe_tra", "t1_vibe_tra",
    "t1_vibe_tra", "FS",
)  # fmt: skip
"""A site whose descriptions tell the phases from each other by nothing but their times."""


def visits(recipe: Recipe, names: Names | None = None) -> Visits:
    """Dates, doses and, unless given, names, which follow from the seed."""
    names = HABITS[recipe.seed % len(HABITS)] if names is None else names
    first = replace(recipe, visit=0).rng(Stream.VISIT)
    day, patient = _first_day(first) + recipe.visit * BETWEEN_VISITS, _patient(recipe, first)
    rng = recipe.rng(Stream.VISIT) if recipe.visit else first
    injected = day - timedelta(minutes=float(rng.integers(50, 75)), seconds=17)
    mri_day = day + timedelta(days=int(rng.integers(1, 60)), hours=2)
    return Visits(
        names,
        _header(recipe, patient, "PET", day, "PET/CT DOTATATE", names.pet_model, names),
        _header(recipe, patient, "MR", mri_day, "MRI Liver Gadoxetate", names.mri_model, names),
        Injection(injected, float(rng.integers(130, 210)) * 1e6),
        mri_day + timedelta(minutes=12),
    )


def _first_day(rng: np.random.Generator) -> datetime:
    days, minutes = int(rng.integers(0, 200)), int(rng.integers(60))
    return FIRST_DAY + timedelta(days=days, hours=9, minutes=minutes)


def _patient(recipe: Recipe, rng: np.random.Generator) -> Patient:
    return Patient(
        identifier=f"SIM{recipe.seed:06d}",
        name=f"Phantom^Number {recipe.seed}",
        birth_date=f"{1940 + int(rng.integers(50))}0617",
        sex=str(rng.choice(["F", "M"])),
        weight_kg=float(rng.integers(52, 110)),
        height_m=float(rng.integers(155, 192)) / 100.0,
    )


def _header(
    recipe: Recipe, patient: Patient, kind: str, day: datetime, text: str, model: str, names: Names
) -> StudyHeader:
    return StudyHeader(
        uid=recipe.uid("study", kind),
        patient=patient,
        start=day,
        description=text,
        accession=f"A{recipe.seed:05d}{kind[0]}{recipe.visit or ''}",
        manufacturer=names.manufacturer,
        model=model,
    )


def series(
    study: StudyHeader,
    number: int,
    description: str,
    start: datetime,
    *,
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY"),
    **attributes: object,
) -> Series:
    """A series of a visit; attributes by DICOM keyword."""
    return Series(study, number, description, start, image_type, attributes)

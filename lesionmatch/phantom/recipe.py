"""What to simulate: every knob of a study, with the defaults of an ordinary one."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from hashlib import sha256
from pathlib import Path

import numpy as np

from lesionmatch.errors import InvalidOption
from lesionmatch.segments import Kind

PATIENT_LABELS_VARIABLE = "LESIONMATCH_PATIENT_LABELS"
"""Environment variable that names the folder with a real patient's label maps."""

VISITS = 7919
"""Keeps a visit's number apart from the other parts of a random stream's key."""


class Place(Enum):
    """Where in the liver a lesion goes."""

    ANYWHERE = "anywhere"
    DEEP = "deep"
    SUBCAPSULAR = "subcapsular"
    PERIHILAR = "perihilar"
    NEAR_VESSEL = "near_vessel"


class Spot(Enum):
    """Uptake that no lesion on the MRI explains."""

    BILE_DUCT = "bile_duct"
    PORTAL_VEIN = "portal_vein"
    GUT_AT_CAPSULE = "gut_at_capsule"
    PARENCHYMA = "parenchyma"


class Size(Enum):
    """Which grids the scanners use."""

    DEMO = "demo"
    """As coarse as a plausible study can be, for a fixture of a few megabytes."""
    SMALL = "small"
    """For tests and cohorts: about a second a study."""
    CLINICAL = "clinical"
    """CT 512 x 512 x 160, PET 200 x 200 x 110, HBP 320 x 260 x 88."""


class Plane(Enum):
    """How the MRI's slices lie."""

    AXIAL = "axial"
    CORONAL = "coronal"


class Anatomy(Enum):
    """Which family of bodies."""

    ANALYTIC = "analytic"
    PATIENT = "patient"
    """Warped from a real patient's label map, which must be at hand."""


@dataclass(frozen=True, slots=True)
class LesionRecipe:
    """A lesion that the MRI shows."""

    diameter_mm: float
    tumour_to_liver: float
    """True uptake over the liver's, before any blur; 1 is isointense."""
    kind: Kind = Kind.METASTASIS
    place: Place = Place.ANYWHERE

    def __post_init__(self) -> None:
        if not 1.0 <= self.diameter_mm <= 200.0:
            raise InvalidOption(f"lesion: wanted a diameter of 1 to 200 mm, got {self.diameter_mm}")
        if not 0.0 <= self.tumour_to_liver <= 50.0:
            raise InvalidOption(
                f"lesion: wanted a tumour-to-liver ratio of 0 to 50, got {self.tumour_to_liver}"
            )


@dataclass(frozen=True, slots=True)
class SpotRecipe:
    """Uptake that only the PET shows."""

    diameter_mm: float
    tumour_to_liver: float
    place: Spot = Spot.BILE_DUCT


class Resection(Enum):
    """Which part of the liver is no longer there."""

    NONE = "none"
    LEFT_LATERAL = "left lateral sectionectomy"
    RIGHT_POSTERIOR = "right posterior sectionectomy"


class Stream(IntEnum):
    """What a part of the randomness is for. Each has numbers of its own, so that a change of
    one part leaves the others as they were; a number is never given to another purpose."""

    BODY = 1
    TISSUES = 2
    LESIONS = 3
    SPOTS = 4
    SCENE = 5
    VISIT = 6
    SCENARIO = 7
    ORDINARY = 8
    DISEASE = 9
    CT_TEXTURE = 10
    CT_NOISE = 11
    GUT = 13
    PET_TEXTURE = 20
    PET_NOISE = 21
    HBP_TEXTURE = 30
    HBP_NOISE = 31
    DECOYS = 40
    PAGE = 60
    THIGHS = 70


OF_THE_PATIENT = (Stream.BODY, Stream.TISSUES, Stream.CT_TEXTURE, Stream.HBP_TEXTURE)
"""What stays the same when a patient comes again."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One simulated study. The same recipe gives the same voxels."""

    seed: int
    """The patient, and all that is random."""
    lesions: tuple[LesionRecipe, ...] = ()
    spots: tuple[SpotRecipe, ...] = ()
    anatomy: Anatomy = Anatomy.ANALYTIC
    patient_labels: Path | None = None
    """Folder of the label maps for `Anatomy.PATIENT`; else the environment variable."""
    visit: int = 0
    """Another visit of the same patient: the same body with other disease, breath and noise."""
    size: Size = Size.SMALL
    build: float | None = None
    """From 0, thin, to 1, large; by the seed when None."""
    liver_ml_scale: float = 1.0
    """Scales the liver's volume."""
    resection: Resection = Resection.NONE
    """What a surgeon took; of the analytic anatomy only."""
    # --- how the MRI differs from the CT
    breathing_mm: float = 12.0
    """Craniocaudal shift of the liver's dome; the MRI's is the higher one when positive."""
    breathing_ap_share: float = 0.0
    """How far the liver moves to the back as well, as a share of how far it moves up."""
    deformation_mm: float = 5.0
    """Largest smooth displacement within the liver, beside the breathing."""
    deformation_wavelengths_mm: tuple[float, float] = (170.0, 300.0)
    """Shortest and longest; shorter ones bend the liver more locally."""
    deformation_keeps_volume: bool = False
    """Whether the deformation is a shear, which keeps volumes as a liver nearly does."""
    deformation_in_wall: bool = False
    """Whether the deformation does not end at wall and spine: they then cut off what it carries
    into them, and the liver's surface is other tissue on the MRI than on the CT."""
    rotation_deg: float = 3.0
    frame_offset_mm: float = 150.0
    """Distance between the two frames' origins."""
    gut_differs: bool = False
    """Whether stomach and bowel lie and are filled otherwise at the MRI's visit."""
    mri_plane: Plane = Plane.AXIAL
    mri_tilt_deg: float = 0.0
    mri_missing_mm: tuple[float, float] = (0.0, 0.0)
    """How much of the liver's (bottom, top) the MRI does not cover."""
    pet_missing_mm: tuple[float, float] = (0.0, 0.0)
    """How much of the liver's (bottom, top) the PET and its CT do not cover."""
    pet_ct_offset_mm: float = 0.0
    """Craniocaudal shift of the liver between the PET and its own CT."""
    # --- PET
    liver_suv: float | None = None
    """Mean of the liver; by the seed, 2.8 to 8, when None."""
    liver_cov: float = 0.10
    """Noise of a single voxel in the liver, as a share of its mean."""
    pet_fwhm_mm: float = 6.5
    pet_breathing_mm: float = 8.0
    """Peak-to-peak excursion during the PET, which blurs it along the body."""
    pet_sharpening: float = 0.0
    """Of a reconstruction that models the resolution; 1.5 overshoots an edge by 6 per cent."""
    gut_suv: float | None = None
    """Uptake of stomach and bowel wall; 2 to 7 by the seed when None."""
    # --- CT and MRI
    ct_noise_hu: float = 14.0
    liver_hu: float | None = None
    """Parenchyma in the venous phase; 95 to 125 by the seed when None, 40 to 70 when fatty."""
    hbp_noise: float = 0.035
    """Rician noise as a share of the liver's signal."""
    hbp_bias: float = 0.25
    """Half the range of the logarithm of the coil's sensitivity."""
    hbp_texture: float = 0.03
    """Coarse inhomogeneity of the parenchyma; 0.12 for a cirrhotic liver."""
    outline_error_mm: float = 0.0
    """How much too wide the reader draws every lesion; negative draws them too tight."""
    hbp_vessel_contrast: float = 1.0
    """1 for a liver that took up the contrast agent well, 0.3 for a poor hepatobiliary phase."""

    def rng(self, stream: Stream, *parts: int) -> np.random.Generator:
        """The random numbers of one purpose."""
        is_anew = self.visit > 0 and stream not in OF_THE_PATIENT
        return np.random.default_rng(
            [self.seed, int(stream), *parts, *([VISITS + self.visit] if is_anew else [])]
        )

    def uid(self, *parts: object) -> str:
        """A DICOM UID that follows from the recipe's seed and visit and what it stands for."""
        visit = (f"visit {self.visit}",) if self.visit else ()
        text = "/".join(str(part) for part in (self.seed, *visit, *parts))
        return f"2.25.{int.from_bytes(sha256(text.encode()).digest()[:15], 'big')}"

    def __post_init__(self) -> None:
        shortest, longest = self.deformation_wavelengths_mm
        if not 60.0 <= shortest <= longest:
            raise InvalidOption(
                "deformation_wavelengths_mm: wanted two of at least 60 in order, got "
                f"{self.deformation_wavelengths_mm}"
            )
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidOption(f"{name}: wanted {low:g} to {high:g}, got {value}")


_RANGES = (
    ("seed", 0, 2**63 - 1),
    ("visit", 0, 1000),
    ("breathing_mm", -40.0, 40.0),
    ("breathing_ap_share", 0.0, 0.6),
    ("deformation_mm", 0.0, 12.0),
    ("rotation_deg", 0.0, 20.0),
    ("frame_offset_mm", 0.0, 2000.0),
    ("mri_tilt_deg", -45.0, 45.0),
    ("pet_ct_offset_mm", -25.0, 25.0),
    ("liver_cov", 0.0, 0.6),
    ("pet_fwhm_mm", 3.0, 15.0),
    ("pet_sharpening", 0.0, 2.0),
    ("outline_error_mm", -5.0, 10.0),
    ("pet_breathing_mm", 0.0, 30.0),
    ("liver_ml_scale", 0.5, 2.5),
)

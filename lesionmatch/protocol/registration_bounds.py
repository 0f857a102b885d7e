"""The bound of a registration's error."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold

_ROUNDED = "up to the next half millimetre (others than reported)"
_BOUND = "calibrated on simulated studies, others than reported (lesionmatch/registration/bound.py)"


@dataclass(frozen=True, slots=True)
class RegistrationBounds:
    """The 95 % bound of a registration's error (`registration_error_mm`)."""

    ct_level: float = threshold(
        0.60,
        "ln mm",
        "a of the deformable map's bound on the CT",
        "0.68 fits the 95th percentile of points of simulated studies, others than reported; "
        "lowered, as 99 % of lesions of our own lay within (bound.py)",
        least=-20.0,
        most=20.0,
    )
    pet_level: float = threshold(
        1.12,
        "ln mm",
        "a of the deformable map's bound on the PET",
        _BOUND,
        least=-20.0,
        most=20.0,
    )
    apart_power: float = threshold(
        0.8,
        "power",
        "b: how the bound grows with how far the two fits lie apart",
        _BOUND,
        least=0.0,
        most=5.0,
    )
    corrected_offset_left: float = threshold(
        0.1,
        "ratio",
        "share of a corrected offset between PET and CT that may be left",
        _BOUND,
        least=0.0,
        most=1.0,
    )
    ct_rigid_mm: float = threshold(
        6.5,
        "mm",
        "bound of a rigid map to the CT",
        f"95th percentile on 11 simulated studies, {_ROUNDED}",
        least=0.0,
        most=100.0,
    )
    ct_affine_mm: float = threshold(
        6.0,
        "mm",
        "bound of an affine map to the CT",
        f"95th percentile on 18 simulated studies, {_ROUNDED}",
        least=0.0,
        most=100.0,
    )
    pet_rigid_mm: float = threshold(
        5.5,
        "mm",
        "bound of a rigid map to the PET",
        f"95th percentile on 11 simulated studies, {_ROUNDED}",
        least=0.0,
        most=100.0,
    )
    pet_affine_mm: float = threshold(
        4.5,
        "mm",
        "bound of an affine map to the PET",
        f"95th percentile on 10 simulated studies, {_ROUNDED}",
        least=0.0,
        most=100.0,
    )
    least_mm: float = threshold(
        1.0,
        "mm",
        "no bound is below this, as nothing simulated speaks for trusting a map more",
        "own choice",
        least=0.0,
        most=10.0,
    )
    doubtful_mm: float = threshold(
        15.0,
        "mm",
        "no bound of a doubtful map is below this, as its own measures are worth little",
        "own choice; a liver's segment is about this far from the next",
        least=0.0,
        most=100.0,
    )

"""Which studies make a cohort."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class CohortRules:
    """Which MRI belongs to which PET/CT, and who is left out by age."""

    earliest_days: float = threshold(
        0.0,
        "days",
        "an MRI this many days after the PET/CT, or more, may be paired with it",
        "Grawe et al. 2023: MRI within 3 months after the PET/CT",
        least=-366.0,
        most=366.0,
    )
    latest_days: float = threshold(
        92.0,
        "days",
        "an MRI this many days after the PET/CT, or fewer, may be paired with it",
        "Grawe et al. 2023: 3 months; no 3 months have more than 92 days",
        least=-366.0,
        most=366.0,
    )
    least_age_years: float = threshold(
        18.0,
        "years",
        "a patient younger than this at the PET/CT is left out",
        "Grawe et al. 2023: patients under 18 years excluded",
        least=0.0,
        most=120.0,
    )

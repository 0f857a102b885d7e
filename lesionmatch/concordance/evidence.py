"""What the concordance of a study rests on."""

from collections.abc import Callable
from dataclasses import dataclass

from lesionmatch.concordance.flags import Surroundings
from lesionmatch.concordance.pairs import Focus
from lesionmatch.detectability import Blur
from lesionmatch.image import Image, Mask
from lesionmatch.lesions import Background, Carried


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that the concordance of a study rests on."""

    suv: Image
    """SUVbw; its grid is the PET's coverage."""
    background: Background
    """Lesion-free liver and spleen."""
    carried: tuple[Carried, ...]
    foci: tuple[Focus, ...]
    around_lesions: tuple[Surroundings, ...]
    """Of each of `carried`."""
    around_foci: tuple[Surroundings, ...]
    """Of each of `foci`."""
    focus_error_mm: tuple[float, ...]
    """95 % bound of the registration error at each of `foci`."""
    blur: Blur
    registration_passed: bool
    null_p: Callable[[Mask], float | None]
    """Chance, were there no lesion, of so much uptake in a region; None where unknowable."""

    @property
    def liver_cov(self) -> float:
        """Coefficient of variation of lesion-free liver."""
        return self.background.suv_sd / self.background.suv_mean

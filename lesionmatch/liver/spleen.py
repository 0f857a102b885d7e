"""The spleen's uptake on a PET without a mask of it, for the Krenning score.

Somatostatin receptors make the spleen the hottest or second hottest large organ on the
patient's left, beside the left kidney. It is told from the kidney by its place: the spleen
lies level with the liver, outside and above the kidney, and the kidney mirrors the right
one. Where no organ fits, there is no answer rather than a kidney's.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.image import Image, Mask


def spleen_suv_mean(
    suv: Image, liver_on_pet: Mask, liver_suv: float, drawn: Mask | None = None
) -> float | None:
    """Mean SUV of the spleen's core; of `drawn` where a reader drew it. None: not found."""
    if drawn is not None and not drawn.is_empty:
        return float(suv.array[drawn.array].mean())
    return None

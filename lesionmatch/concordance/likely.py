"""The uptake that a lesion is likely to have, from what was seen where it was looked for."""

from scipy.stats import norm

from lesionmatch.detectability import Blur, edge_deficit, likely_ratio
from lesionmatch.protocol import DetectabilityRules


def likely_true_ratio(
    seen: float,
    search_ml: float,
    *,
    recovery: float,
    depth_mm: float | None,
    blur: Blur,
    cov: float,
    rules: DetectabilityRules,
) -> float:
    """The true tumour-to-liver ratio that is likely behind the highest one seen in a search.

    What the noise alone would reach there is taken off: the median of the highest of as many
    normal values as grains of the size of the blur fit in. What the cold outside takes from a
    lesion with its middle at `depth_mm` under the capsule is put back (None: it is far away).
    Then follows what the ratios of metastases make of it (`likely_ratio`).
    """
    grains = max(1.0, 1000.0 * search_ml / blur.volume_fwhm_mm**3)
    highest = float(norm.ppf(0.5 ** (1.0 / grains))) * cov
    lost = 0.0
    if depth_mm is not None:
        lost = edge_deficit(depth_mm, rules.outside_ratio, blur.fwhm_mm)
    return likely_ratio(seen - highest + lost, recovery, cov, rules=rules)

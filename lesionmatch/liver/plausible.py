"""What speaks against a liver mask, in sentences."""

import numpy as np
from scipy import ndimage

from lesionmatch.image import Image, Mask
from lesionmatch.protocol.liver import LiverRules

LEAST_MAIN_SHARE = 0.9


def doubts_about(hbp: Image, liver: Mask, lesions: Mask, rules: LiverRules) -> tuple[str, ...]:
    """Sentences that each give a reason to look at the mask; empty when there is none."""
    del hbp, lesions
    doubts = []
    volume = liver.volume_ml
    if volume < rules.volume_least_ml:
        doubts.append(f"the liver has only {volume:.0f} ml, below {rules.volume_least_ml:.0f} ml")
    if volume > rules.volume_most_ml:
        doubts.append(f"the liver has {volume:.0f} ml, above {rules.volume_most_ml:.0f} ml")
    labels, _ = ndimage.label(liver.array)
    sizes = np.bincount(labels.ravel())[1:]
    share = sizes.max() / sizes.sum()
    if share < LEAST_MAIN_SHARE:
        doubts.append(f"the liver falls into pieces, the largest {share:.0%} of it")
    return tuple(doubts)

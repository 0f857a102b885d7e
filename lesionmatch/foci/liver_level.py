"""SUV of lesion-free liver in this study, however much of it is tumour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesionmatch.protocol import FociRules

LOG_STEP = 0.04
"""Width of a bin of log SUV; the liver's own peak is two to five bins wide."""

WITHIN_LOG = 0.25
"""The liver's own peak lies within this of its mode."""


@dataclass(frozen=True, slots=True)
class Level:
    """SUV of the lesion-free liver, and whether this image or other livers tell it."""

    suv: float
    is_seen: bool


def liver_level(
    values: NDArray[np.floating], rules: FociRules, *, calm: NDArray[np.floating] | None = None
) -> Level:
    """SUV of the liver from voxels of liver and tumour: the likeliest mode of log SUV.

    `calm` are voxels of the same places smoothed until hardly any noise is left.

    Lesion-free liver is one narrow peak; tumours are hotter and spread, cysts are colder but
    few. How much of the image a mode holds is weighed against how usual such a liver is, so
    that what little a tumour leaves is still found. Where even the likeliest mode is higher
    than livers get, or uptake spreads from it both ways as it does not within one tissue, no
    liver is left to see and the usual one is taken for it, or less where less is seen. Where
    tumour is most of the image its blur lifts what it leaves: the least of it tells the level,
    but for what is so cold that it is cyst or necrosis.
    """
    level = _likeliest(values, rules)
    calm = values if calm is None else calm
    least = _least(calm, level, rules)
    below, above = _spread(calm, level, rules)
    if level > rules.most_liver_suv or min(below, above) > rules.mixed_share:
        return Level(min(rules.usual_liver_suv, least), is_seen=False)
    return Level(min(level, least) if above > rules.lifted_share else level, is_seen=True)


def _likeliest(values: NDArray[np.floating], rules: FociRules) -> float:
    """SUV of the likeliest mode."""
    logs = np.log(np.maximum(values, 1e-3))
    bins = np.arange(logs.min() - 1.0, logs.max() + 1.0, LOG_STEP)
    density = ndimage.gaussian_filter1d(np.histogram(logs, bins)[0] / len(logs), 2.0)
    top = (density >= np.roll(density, 1)) & (density > np.roll(density, -1))
    modes = bins[:-1][top & (density > 0)] + LOG_STEP / 2
    likely = [_share(logs, mode) * _usual(mode, rules) for mode in modes]
    mode = modes[int(np.argmax(likely))]
    return float(np.exp(np.median(logs[np.abs(logs - mode) < WITHIN_LOG])))


def _least(values: NDArray[np.floating], level: float, rules: FociRules) -> float:
    """The least uptake that is no cyst's or necrosis's: liver, as far as tumour has left any."""
    cold = rules.cold_ratio * min(level, rules.usual_liver_suv)
    warm = values[values > cold]
    return float(np.quantile(warm if warm.size else values, rules.least_share))


def _spread(values: NDArray[np.floating], level: float, rules: FociRules) -> tuple[float, float]:
    """Share of `values` below a level, but not cold, and above it: outside the liver's own peak.

    Vessels and cysts leave little between the cold and a liver, and lesions spread upwards only;
    several tumours spread both ways from what they have in common.
    """
    off = np.log(np.maximum(values, 1e-3) / level)
    below = (values > rules.cold_ratio * level) & (off < -WITHIN_LOG)
    return float(np.mean(below)), float(np.mean(off > WITHIN_LOG))


def _share(logs: NDArray[np.floating], mode: float) -> float:
    return float(np.mean(np.abs(logs - mode) < WITHIN_LOG))


def _usual(log_suv: float, rules: FociRules) -> float:
    """How usual a liver of this SUV is, 1 at the commonest."""
    off = (log_suv - np.log(rules.usual_liver_suv)) / rules.usual_liver_log_sd
    return float(np.exp(-(off**2) / 2.0))

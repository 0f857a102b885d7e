"""Noise that is not the same all over the liver.

Beds, attenuation and the weights of a reconstruction change noise, and the width of its grain,
by place. So the variance of each scale is also read near by, and taken as far as it differs
over the liver by more than chance lets it: in even noise nothing is changed. What chance lets
it differ by follows from how rough the noise is (see `rarity`): in a Gaussian window of standard
deviation s the variance of noise whose correlation is a Gaussian is known to 1 / sqrt(4 s³ r),
r = sqrt(det Λ).
"""

import numpy as np

from lesionmatch.foci.filters import Array, Where, local_mean
from lesionmatch.foci.rarity import roughness_per_mm3
from lesionmatch.geometry import Grid
from lesionmatch.protocol import FociRules


def local_scatter(noise: Array, quiet: Where, grid: Grid, rules: FociRules) -> Array:
    """Standard deviation of `noise` at each place over that of all that is `quiet`."""
    off = noise - np.median(noise[quiet])
    share = np.asarray(off**2 / off[quiet].var(), np.float32)
    near = local_mean(share, quiet.astype(np.float32), rules.near_noise_mm, grid, prior=1.0)
    by_chance = 1.0 / (4.0 * rules.near_noise_mm**3 * roughness_per_mm3(noise, quiet, grid))
    seen = float(near[quiet].var())
    believed = max(0.0, 1.0 - rules.noise_by_chance * by_chance / seen)
    return np.asarray(np.maximum(near, 1e-3) ** (believed / 2.0), np.float32)

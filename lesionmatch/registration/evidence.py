"""What speaks for or against a map, from voxels no fit has seen.

The joint table of intensities is learned on one part of the liver's voxels and read on
another, the blocks the deformation never drew from. A voxel gains ``ln p(f, m) / (p(f) p(m))``
nats; a stage is kept when its map gains more than the map before it, block by block, by more
than the blocks' own scatter allows by chance. Only the liver's own voxels are asked: wall, ribs
and gut slide along it, so that a better map of the liver may well lay them worse. The target is
averaged over a few millimetres for it (see `stages`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionmatch.registration.appearance import Target
from lesionmatch.registration.information import JointTable, Window
from lesionmatch.registration.witness import Floats, Seen, Witness, values_at
from lesionmatch.resample import PointMap


def _table(witness: Witness, seen: Seen, window: Window, learned: NDArray[np.bool_]) -> JointTable:
    use = learned & np.isfinite(seen.values)
    ones = np.ones(int(use.sum()), np.float32)
    return JointTable.of(witness.bins[use], window.bins(seen.values[use]), ones)


def mutual_information(witness: Witness, seen: Seen, window: Window) -> float:
    """Over all places, in nats."""
    return _table(witness, seen, window, np.ones(len(witness.bins), np.bool_)).mutual_information


def _gains(witness: Witness, seen: Seen, window: Window) -> Floats:
    """Of the liver's reserved places, by a table learned on its others; 0 where not scanned."""
    table = _table(witness, seen, window, witness.is_liver & ~witness.is_reserved)
    read = witness.is_liver & witness.is_reserved
    bins = window.bins(np.nan_to_num(seen.values[read], nan=window.low))
    gains = table.gains(witness.bins[read], bins)
    return np.where(np.isfinite(seen.values[read]), gains, np.float32(0.0))


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much one map explains unseen voxels better than another."""

    nats: float
    """Per voxel; above 0 the later map is better."""
    errors: float
    """The same in its own standard errors, blocks being what is independent."""


def gain(witness: Witness, before: Seen, after: Seen, window: Window) -> Gain:
    """Of the map of `after` over that of `before`."""
    change = _gains(witness, after, window) - _gains(witness, before, window)
    block = witness.block[witness.is_liver & witness.is_reserved]
    sums = np.bincount(block, change)
    sums = sums[np.bincount(block) > 0]
    spread = float(np.sqrt((sums**2).sum())) + 1e-9
    return Gain(float(change.mean()), float(sums.sum() / spread))


def ways() -> NDArray[np.float64]:
    """(14, 3) directions: along the axes and to the corners of a cube."""
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3)
    return np.concatenate([axes, corners])


def probe_ratio(
    witness: Witness, target: Target, target_from_mri: PointMap, shift_mm: float
) -> float:
    """Mutual information of the map over the best of 14 maps shifted by `shift_mm`.

    A right map is better than the same map so far off; a wrong one need not be.
    """
    places = target_from_mri.apply(witness.points_mm)
    everywhere = np.ones(len(places), np.bool_)

    def at(shift: NDArray[np.float64]) -> float:
        seen = Seen(values_at(target, places + shift))
        return _table(witness, seen, target.window, everywhere).mutual_information

    return at(np.zeros(3)) / max(max(at(shift_mm * way) for way in ways()), 1e-6)

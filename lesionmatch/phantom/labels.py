"""A real patient's organs as solids, from a density map and a label map.

The maps are those of *patient15* of BenAuer2021/Phantoms-For-Nuclear-Medicine-Imaging-
Simulation (MIT licence): 90 slices of 70 x 108 voxels, unsigned 16-bit little endian, from
head to foot, rows from back to front. They are read where they lie and never copied.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import convex_hull_image

from lesionmatch.errors import NothingFound
from lesionmatch.phantom.shapes import Coords, Field

SHAPE = (90, 70, 108)
SPACING_MM = (4.4196, 3.9063, 3.9063)
DENSITY_FILE = "patient15_LuDOTATATE_attn.i33"
LABEL_FILE = "patient15_LuDOTATATE_src.i33"
LIVER, SPLEEN, KIDNEYS = 15000, 16000, (17000, 18000)

# Voxels of the map (slice, row, column), read off its pictures.
HILUM = (30.0, 39.0, 42.0)
CAVA = ((60, 33, 50), (44, 33, 50), (30, 33, 49), (26, 34, 49.5), (21, 37, 52), (14, 40, 54))
AORTA = ((60, 36, 55), (44, 35, 55), (30, 34, 56), (18, 30, 59), (0, 27, 60))
SPINE = (23.0, 54.0)

ORIGIN_MM = (0.0, 52.0, -10.0)
"""Body coordinates of the spine's (x, y) and of the hilum's z, as in the other bodies."""

ROLLING_BALL_MM = 40.0
"""Radius of the ball that passes over fissures and the hilum, which are no capsule."""

FAT_TO_SOFT = 955
LUNG_BELOW = 620
BONE_ABOVE = 1120

Mask3 = NDArray[np.bool_]


def body_mm(voxels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Body coordinates of (slice, row, column), (N, 3)."""
    s, r, c = np.asarray(voxels, np.float64).T
    return np.stack(
        [
            ORIGIN_MM[0] + (c - SPINE[1]) * SPACING_MM[2],
            ORIGIN_MM[1] - (r - SPINE[0]) * SPACING_MM[1],
            ORIGIN_MM[2] - (s - HILUM[0]) * SPACING_MM[0],
        ],
        -1,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A signed distance known on a lattice, between whose nodes it is linear."""

    values: NDArray[np.float32]
    """(slices, rows, columns) of the map."""

    def __call__(self, at: Coords) -> Field:
        """Signed distance at body coordinates; outside the map that of its rim."""
        x, y, z = np.broadcast_arrays(*at)
        voxels = [
            HILUM[0] - (z - ORIGIN_MM[2]) / SPACING_MM[0],
            SPINE[0] - (y - ORIGIN_MM[1]) / SPACING_MM[1],
            SPINE[1] + (x - ORIGIN_MM[0]) / SPACING_MM[2],
        ]
        return np.asarray(ndimage.map_coordinates(self.values, voxels, order=1, mode="nearest"))


@dataclass(frozen=True, slots=True, eq=False)
class Organs:
    """The solids of the patient."""

    skin: Lattice
    soft: Lattice
    bone: Lattice
    lung: Lattice
    gas: Lattice
    liver: Lattice
    capsule: Lattice
    spleen: Lattice
    kidneys: Lattice
    cavity: Lattice


def _read(folder: Path, name: str) -> NDArray[np.uint16]:
    path = folder / name
    if not path.is_file() or path.stat().st_size != 2 * int(np.prod(SHAPE)):
        raise NothingFound(
            f"patient labels: wanted {name} of {2 * int(np.prod(SHAPE))} bytes, got none; name "
            "the folder that holds it"
        )
    return np.fromfile(path, "<u2").reshape(SHAPE)


@cache
def organs(folder: Path) -> Organs:
    """The solids in a folder's maps. Raises `NothingFound` where the maps are not there."""
    density, labels = _read(folder, DENSITY_FILE), _read(folder, LABEL_FILE)
    skin = _largest(ndimage.binary_opening(density > 400, iterations=2))
    skin = np.stack([ndimage.binary_fill_holes(plane) for plane in skin])
    liver, spleen = _smooth(labels == LIVER), _smooth(labels == SPLEEN)
    kidneys = _smooth(np.isin(labels, KIDNEYS))
    lung = _lung(density, skin)
    bone = _smooth((density > BONE_ABOVE) & skin & ~liver & ~kidneys & ~spleen)
    cavity = _cavity(skin, lung | liver | spleen | kidneys, bone)
    gas = (density < LUNG_BELOW) & _eroded(skin, 4) & ~lung
    return Organs(
        *(
            _lattice(mask)
            for mask in (
                skin, (density > FAT_TO_SOFT) & skin, bone, lung, gas,
                liver, _rolled_over(liver), spleen, kidneys, cavity,
            )
        )
    )  # fmt: skip


def _rolled_over(liver: Mask3) -> Mask3:
    """The liver with what a large ball rolling around it cannot enter: fissures and hilum."""
    pad = [int(np.ceil(ROLLING_BALL_MM / mm)) + 1 for mm in SPACING_MM]
    room = np.pad(liver, [(n, n) for n in pad])
    centres = ndimage.distance_transform_edt(~room, sampling=SPACING_MM) >= ROLLING_BALL_MM
    shut = ndimage.distance_transform_edt(~centres, sampling=SPACING_MM) >= ROLLING_BALL_MM
    inner = tuple(slice(n, -n) for n in pad)
    return np.asarray(shut[inner] | liver)


def _lattice(mask: Mask3) -> Lattice:
    """The signed distance to a mask's surface, its voxel steps smoothed."""
    outside = ndimage.distance_transform_edt(~mask, sampling=SPACING_MM)
    inside = ndimage.distance_transform_edt(mask, sampling=SPACING_MM)
    signed = (outside - inside).astype(np.float32)
    return Lattice(ndimage.gaussian_filter(signed, 0.8))


def _largest(mask: Mask3) -> Mask3:
    parts, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == sizes.argmax())


def _eroded(skin: Mask3, voxels: int) -> Mask3:
    """Without a rim of some voxels; the map's ends are no rim, for the body goes on."""
    return np.asarray(ndimage.binary_erosion(skin, iterations=voxels, border_value=1))


def _smooth(mask: Mask3) -> Mask3:
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), 0.6) > 0.5)


def _lung(density: NDArray[np.uint16], skin: Mask3) -> Mask3:
    """Air in the chest that is no bowel gas: the parts that reach the top slices."""
    parts, _ = ndimage.label((density < LUNG_BELOW) & _eroded(skin, 2))
    chest = np.unique(parts[:12])
    lung = np.isin(parts, chest[chest > 0])
    return np.asarray(ndimage.binary_closing(lung, iterations=2))


def _cavity(skin: Mask3, organs: Mask3, bone: Mask3) -> Mask3:
    """The room the viscera slide in: around the organs, and the belly, without the spine.

    It is widened along the body, so that organs find room when they move.
    """
    hulls = np.stack([convex_hull_image(p) if p.any() else p for p in organs])
    belly = _eroded(skin, 7)
    belly[: int(HILUM[0])] = False
    room = ndimage.maximum_filter(hulls | belly, (11, 1, 1))
    spine = bone.copy()
    spine[:, :, : int(SPINE[1]) - 9] = spine[:, :, int(SPINE[1]) + 10 :] = False
    spine[:, 34:] = False
    spine = ndimage.maximum_filter(ndimage.binary_dilation(spine), (11, 1, 1))
    spine[:, : int(SPINE[0])] |= _between(int(SPINE[1]) - 6, int(SPINE[1]) + 7)
    return np.asarray(room & ~spine & _eroded(skin, 3))


def _between(first: int, last: int) -> Mask3:
    columns = np.zeros((1, 1, SHAPE[2]), bool)
    columns[..., first:last] = True
    return columns

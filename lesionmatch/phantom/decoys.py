"""The series of an export that nobody asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionmatch.dicom.write import pet as write_pet
from lesionmatch.dicom.write import series as write
from lesionmatch.dicom.write.series import Dataset, Series
from lesionmatch.geometry import Grid
from lesionmatch.image import Image, Quantity
from lesionmatch.phantom import render, scanners
from lesionmatch.phantom.body import Tissue
from lesionmatch.phantom.recipe import Recipe, Stream
from lesionmatch.phantom.shapes import Field
from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.phantom.visit import Visits, series

FEW_SLICES = 5
COARSE_MM = 6.5
NOISE = 0.03

Contrast = Mapping[Tissue, float]

_VEINS = (Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN, Tissue.CAVA)
_FAT = (Tissue.SKIN_FAT, Tissue.CAVITY_FAT)


@dataclass(frozen=True, slots=True)
class Phase:
    """One pass of a dynamic examination."""

    kind: str
    """native, arterial, portal venous or transitional."""
    number: int
    name: str
    minutes: float | None
    """After the contrast agent; None before it."""
    contrast: Contrast


def gadoxetate(when: Visits, number: int, name: str, *, minutes: float | None) -> Series:
    """The header of a fat-suppressed 3D gradient echo, some minutes after the agent."""
    start = when.bolus + timedelta(minutes=-4.0 if minutes is None else minutes)
    agent: dict[str, Any] = {}
    if minutes is not None:
        agent = {
            "ContrastBolusAgent": "Gadoxetate disodium (Primovist)",
            "ContrastBolusRoute": "IV",
            "ContrastBolusVolume": "9",
            "ContrastBolusStartTime": write.time_text(when.bolus),
        }
    return series(
        when.mri, number, name, start,
        image_type=("ORIGINAL", "PRIMARY", "M", "NORM", "DIS3D", "FIL"),
        ScanningSequence="GR", SequenceVariant=["SP", "OSP"],
        ScanOptions=when.names.scan_options.split("\\"),
        SequenceName="*fl3d1", RepetitionTime="3.9", EchoTime="1.8", FlipAngle="10", **agent,
    )  # fmt: skip


def of_pet(study: SimulatedStudy, when: Visits) -> list[Dataset]:
    """A PET without attenuation correction, and a screenshot."""
    thin = Image(study.suv.grid, _dim_inside(study), Quantity.SUV_BW).crop(_middle(study.suv.grid))
    raw = series(when.pet, 4, when.names.pet_raw, when.pet.start)
    plain = write_pet.Acquisition(is_attenuation_corrected=False)
    made = write_pet.pet_series(thin, raw, when.injection, plain)
    return [*made, _protocol_page(when, 501, study.recipe)]


def _dim_inside(study: SimulatedStudy) -> Field:
    """Uptake as it looks without attenuation correction: bright rim, dim middle."""
    suv = study.suv.array
    grid = study.suv.grid
    points = study.scene.pet_pose.body_from_world.apply(
        grid.world(np.argwhere(np.ones(grid.shape, bool)))
    )
    depth = np.hypot(
        points[:, 0] / study.body.half_width_mm, points[:, 1] / study.body.half_depth_mm
    )
    return np.asarray(suv * np.exp(-2.2 * np.clip(1.0 - depth, 0, 1)).reshape(grid.shape))


def _middle(grid: Grid) -> render.Box:
    start = (grid.shape[0] - FEW_SLICES) // 2
    return slice(start, start + FEW_SLICES), slice(0, grid.shape[1]), slice(0, grid.shape[2])


def of_mri(study: SimulatedStudy, when: Visits, *, has_whole_phases: bool = False) -> list[Dataset]:
    """Everything else a liver protocol acquires; dynamic phases as whole volumes if so wanted."""
    made: list[Dataset] = []
    grid = study.hbp.grid if has_whole_phases else None
    for phase in phases(study, when):
        header = gadoxetate(when, phase.number, phase.name, minutes=phase.minutes)
        made += write.mr_series(picture(study, phase.contrast, phase.number, grid), header)
    made += _localizer(study, when)
    made += _t2(study, when)
    made += _dual_echo(study, when)
    made += _diffusion(study, when)
    return [*made, _protocol_page(when, 99, study.recipe)]


def phases(study: SimulatedStudy, when: Visits) -> list[Phase]:
    """The dynamic phases before the hepatobiliary one."""
    names, base = when.names, dict(study.tissues.hbp)
    dark = {**base, Tissue.LIVER: 0.55, Tissue.BILE_DUCT: 0.25, Tissue.GALLBLADDER: 0.4}
    arterial = {
        **dark, Tissue.AORTA: 1.5, Tissue.SPLEEN: 0.95, Tissue.KIDNEY_CORTEX: 1.3,
        Tissue.KIDNEY_PELVIS: 0.5, Tissue.PANCREAS: 0.9, Tissue.PORTAL_VEIN: 0.7,
    }  # fmt: skip
    portal = {**dark, Tissue.LIVER: 0.8, Tissue.SPLEEN: 0.9, Tissue.AORTA: 1.1}
    portal |= dict.fromkeys(_VEINS, 1.15)
    late = {**dark, Tissue.LIVER: 0.85, Tissue.SPLEEN: 0.7, Tissue.AORTA: 0.8}
    late |= dict.fromkeys(_VEINS, 0.8)
    return [
        Phase("native", 10, names.native, None, dark),
        Phase("arterial", 11, names.arterial, 0.4, arterial),
        Phase("portal venous", 12, names.portal, 1.1, portal),
        Phase("transitional", 13, names.transitional, 3.0, late),
    ]


def picture(
    study: SimulatedStudy, contrast: Contrast, stream: int, grid: Grid | None = None
) -> Image:
    """The body with other contrast in the MRI's frame: on a few coarse slices, unless on `grid`."""
    grid = _coarse(study.hbp.grid) if grid is None else grid
    view = render.slab(grid, study.scene.mri_pose)
    (signal,) = render.paint(study.mri_body, view, [contrast])
    rng = study.recipe.rng(Stream.DECOYS, stream)
    noisy = np.hypot(
        signal + NOISE * scanners.noise(rng, grid, 1.0), NOISE * scanners.noise(rng, grid, 1.0)
    )
    return Image(grid, np.rint(400.0 * noisy), Quantity.ARBITRARY)


def _coarse(grid: Grid) -> Grid:
    """Few slices in the middle of a grid's extent, with coarse pixels."""
    wide = grid.with_spacing((2 * grid.spacing_mm[0], COARSE_MM, COARSE_MM))
    return wide.crop(_middle(wide))


def _three_planes(grid: Grid) -> list[NDArray[np.float64]]:
    """Directions of axial, coronal and sagittal slices, the head up in the latter two."""
    up, back, left = grid.directions.T
    return [np.stack(axes, 1) for axes in ((up, back, left), (back, -up, left), (left, -up, back))]


def _localizer(study: SimulatedStudy, when: Visits) -> list[Dataset]:
    """Three planes in one series."""
    grid = study.hbp.grid
    header = series(
        when.mri, 1, when.names.localizer, when.mri.start,
        image_type=("ORIGINAL", "PRIMARY", "M", "LOCALIZER"),
        MRAcquisitionType="2D", SequenceName="*fl2d1", RepetitionTime="8", EchoTime="3.7",
    )  # fmt: skip
    made: list[Dataset] = []
    for number, directions in enumerate(_three_planes(grid)):
        centre = grid.centre_mm - directions @ (np.array([0.0, 31.5, 31.5]) * COARSE_MM)
        plane = Grid.of(grid.frame, (1, 64, 64), origin_mm=centre, directions=directions,
                        spacing_mm=(8.0, COARSE_MM, COARSE_MM))  # fmt: skip
        shown = picture(study, study.tissues.hbp, 50 + number, plane)
        made += write.mr_series(shown, header, first_instance=number + 1)
    return made


def _t2(study: SimulatedStudy, when: Visits) -> list[Dataset]:
    contrast = dict(study.tissues.hbp) | {
        Tissue.LIVER: 0.3, Tissue.SPLEEN: 0.75, Tissue.GALLBLADDER: 2.2, Tissue.BILE_DUCT: 2.0,
        Tissue.CORD: 1.8, Tissue.STOMACH_FLUID: 1.9, Tissue.KIDNEY_CORTEX: 1.1,
    }  # fmt: skip
    header = series(
        when.mri, 4, when.names.t2, when.mri.start + timedelta(minutes=3),
        image_type=("ORIGINAL", "PRIMARY", "M", "NORM"), ScanningSequence="SE",
        SequenceVariant="SK", ScanOptions="FS", MRAcquisitionType="2D", SequenceName="*h2d1",
        RepetitionTime="1400", EchoTime="92", FlipAngle="150",
    )  # fmt: skip
    return write.mr_series(picture(study, contrast, 4), header)


def _dual_echo(study: SimulatedStudy, when: Visits) -> list[Dataset]:
    """Opposed and in phase, both echoes in one series."""
    base = dict(study.tissues.hbp) | {Tissue.LIVER: 0.6}
    base |= dict.fromkeys(_VEINS, 0.35)
    fat_bright = base | dict.fromkeys(_FAT, 1.4) | {Tissue.MARROW: 0.7}
    fat_less = base | dict.fromkeys(_FAT, 0.9) | {Tissue.MARROW: 0.4}
    header = series(
        when.mri, 5, when.names.dixon, when.mri.start + timedelta(minutes=4),
        MRAcquisitionType="2D", SequenceName="*fl2d2", RepetitionTime="120", FlipAngle="70",
    )  # fmt: skip
    made: list[Dataset] = []
    for n, (phase, echo_ms, table) in enumerate(
        (("OUT_PHASE", "2.4", fat_less), ("IN_PHASE", "4.8", fat_bright))
    ):
        one = replace(header, image_type=("ORIGINAL", "PRIMARY", "M", phase))
        made += write.mr_series(
            picture(study, table, 5), one, first_instance=1 + n * FEW_SLICES,
            per_slice={"EchoTime": echo_ms, "EchoNumbers": n + 1},
        )  # fmt: skip
    return made


def _diffusion(study: SimulatedStudy, when: Visits) -> list[Dataset]:
    """Two b-values in one series, and the map derived from them."""
    low = dict(study.tissues.hbp) | {
        Tissue.LIVER: 0.35, Tissue.SPLEEN: 0.9, Tissue.CORD: 1.6, Tissue.GALLBLADDER: 1.4,
        Tissue.BILE_DUCT: 1.2, **dict.fromkeys(_FAT, 0.05),
    }  # fmt: skip
    high = {tissue: 0.4 * value for tissue, value in low.items()}
    high |= {Tissue.SPLEEN: 0.6, Tissue.CORD: 0.5, Tissue.GALLBLADDER: 0.1}
    adc = dict.fromkeys(low, 1.0) | {Tissue.GALLBLADDER: 2.6, Tissue.SPLEEN: 0.75}
    common: dict[str, Any] = {
        "ScanningSequence": "EP", "SequenceVariant": "SK", "ScanOptions": "FS",
        "MRAcquisitionType": "2D", "RepetitionTime": "4500", "EchoTime": "58", "FlipAngle": "90",
    }  # fmt: skip
    start = when.mri.start + timedelta(minutes=7)
    trace = series(when.mri, 6, when.names.diffusion, start,
                   image_type=("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"), **common)  # fmt: skip
    derived = series(when.mri, 7, f"{when.names.diffusion}_ADC", start,
                     image_type=("DERIVED", "PRIMARY", "DIFFUSION", "ADC"), **common)  # fmt: skip
    made: list[Dataset] = []
    for n, (b_value, table) in enumerate(((50.0, low), (800.0, high))):
        made += write.mr_series(
            picture(study, table, 6 + n), trace, first_instance=1 + n * FEW_SLICES,
            per_slice={"DiffusionBValue": b_value, "SequenceName": f"*ep_b{b_value:.0f}t"},
        )  # fmt: skip
    return made + write.mr_series(picture(study, adc, 8), derived)


def _protocol_page(when: Visits, number: int, recipe: Recipe) -> Dataset:
    """A dark page with bright lines, like text."""
    rng = recipe.rng(Stream.PAGE, number)
    page = np.full((96, 128), 12, np.uint8)
    for row in range(8, 90, 6):
        page[row : row + 3, 8 : 8 + int(rng.integers(30, 110))] = 210
    study = when.pet if number > 100 else when.mri
    header = series(study, number, "Patient Protocol", study.start,
                    image_type=("DERIVED", "SECONDARY", "OTHER"))  # fmt: skip
    return write.screenshot(page, header)

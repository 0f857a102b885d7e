"""Writes PET series, in the units and with the decay corrections that scanners use."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import PositronEmissionTomographyImageStorage

from lesionmatch.dicom.write.series import (
    Series,
    code,
    common_modules,
    date_text,
    decimal,
    numbered,
    place_slice,
    put,
    put_pixels,
    time_text,
)
from lesionmatch.image import Image, Quantity

GA68_HALF_LIFE_S = 4062.6
"""67.71 min, the evaluated half-life most scanners carry."""
POSITRON_FRACTION = 0.889


@dataclass(frozen=True, slots=True)
class Injection:
    """What SUV needs to know."""

    at: datetime
    dose_bq: float
    half_life_s: float = GA68_HALF_LIFE_S

    @property
    def decay_per_s(self) -> float:
        """Decay constant."""
        return math.log(2) / self.half_life_s


class Storage(Enum):
    """What the stored numbers are: units, and the time decay is corrected to."""

    BQML_START = "Bq/ml at the start of the series"
    BQML_ADMIN = "Bq/ml at the injection"
    BQML_NONE = "Bq/ml as measured, bed by bed"
    GML = "g/ml, which is SUV itself"
    PHILIPS_CNTS = "counts, with the factor to SUV in a private attribute"

    @property
    def decay_correction(self) -> str:
        """Defined term of Decay Correction."""
        terms = {Storage.BQML_ADMIN: "ADMIN", Storage.BQML_NONE: "NONE"}
        return terms.get(self, "START")

    @property
    def units(self) -> str:
        """Defined term of Units."""
        return {Storage.GML: "GML", Storage.PHILIPS_CNTS: "CNTS"}.get(self, "BQML")


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How a PET was acquired: bed positions of some slices, one after the other."""

    storage: Storage = Storage.BQML_START
    slices_per_bed: int = 24
    bed_s: float = 150.0
    is_attenuation_corrected: bool = True


WHOLE_BODY = Acquisition()
SUV_PER_COUNT = 0.000731
"""A Philips scanner's private factor; any number will do."""


@dataclass(frozen=True, slots=True)
class _Bed:
    """One bed position: when it began, and the effective time of its counts."""

    start_s: float
    """After the start of the series."""
    average_s: float
    """After the bed's own start: when the activity was its average over the bed's time."""


def pet_series(
    suv: Image, series: Series, injection: Injection, acquisition: Acquisition = WHOLE_BODY
) -> list[Dataset]:
    """A PET that amounts to `suv`, one data set and one slope a slice, from head to foot.

    Raises `WrongQuantity` for an image of another quantity.
    """
    array = suv.require(Quantity.SUV_BW).array
    made = []
    for instance, index in numbered(suv):
        bed = _bed(acquisition, injection, instance - 1)
        stored = array[index] * np.float32(_stored_per_suv(series, injection, acquisition, bed))
        ds = _slice(suv, series, instance, index, stored)
        _acquired(ds, series, injection, acquisition, bed)
        _corrected(ds, acquisition)
        put(ds, series.attributes)
        made.append(ds)
    return made


def _bed(acquisition: Acquisition, injection: Injection, position: int) -> _Bed:
    lived = injection.decay_per_s * acquisition.bed_s
    average_s = math.log(lived / (1 - math.exp(-lived))) / injection.decay_per_s
    return _Bed((position // acquisition.slices_per_bed) * acquisition.bed_s, average_s)


def _stored_per_suv(
    series: Series, injection: Injection, acquisition: Acquisition, bed: _Bed
) -> float:
    """Stored units for an SUV of 1."""
    if acquisition.storage is Storage.GML:
        return 1.0
    if acquisition.storage is Storage.PHILIPS_CNTS:
        return 1.0 / SUV_PER_COUNT
    delay_s = (series.start - injection.at).total_seconds()
    waited_s = {
        Storage.BQML_START: delay_s,
        Storage.BQML_ADMIN: 0.0,
        Storage.BQML_NONE: delay_s + bed.start_s + bed.average_s,
    }[acquisition.storage]
    left_bq = injection.dose_bq * math.exp(-injection.decay_per_s * waited_s)
    return left_bq / (series.study.patient.weight_kg * 1000.0)


def _slice(
    image: Image, series: Series, instance: int, index: int, plane: NDArray[np.float32]
) -> Dataset:
    ds = common_modules(series, PositronEmissionTomographyImageStorage, "PT", instance)
    place_slice(ds, image, index)
    # The code sequences below say how the patient lay, and exclude this attribute.
    del ds.PatientPosition
    ds.ImageType, ds.SeriesType = list(series.image_type), ["WHOLE BODY", "IMAGE"]
    ds.CountsSource, ds.CollimatorType = "EMISSION", "NONE"
    lying = code("102538003", "SCT", "recumbent")
    lying[0].PatientOrientationModifierCodeSequence = code("40199007", "SCT", "supine")
    ds.PatientOrientationCodeSequence = lying
    ds.PatientGantryRelationshipCodeSequence = code("102540008", "SCT", "headfirst")
    ds.NumberOfSlices, ds.ImageIndex = image.grid.shape[0], instance
    slope = float(decimal(max(float(plane.max()), 1e-3) / 32767.0))
    ds.RescaleIntercept, ds.RescaleSlope = "0", decimal(slope)
    ds.ContentDate, ds.ContentTime = date_text(series.start), time_text(series.start)
    put_pixels(ds, np.clip(np.rint(plane / slope), 0, 32767).astype(np.int16), is_signed=True)
    return ds


def _acquired(
    ds: Dataset, series: Series, injection: Injection, acquisition: Acquisition, bed: _Bed
) -> None:
    """When a slice was acquired, and how its decay was corrected."""
    at = series.start + timedelta(seconds=bed.start_s)
    ds.AcquisitionDate, ds.AcquisitionTime = date_text(at), time_text(at)
    ds.ActualFrameDuration = str(round(acquisition.bed_s * 1000))
    ds.FrameReferenceTime = decimal((bed.start_s + bed.average_s) * 1000.0)
    storage = acquisition.storage
    ds.Units, ds.DecayCorrection = storage.units, storage.decay_correction
    since_s = bed.start_s + bed.average_s
    if storage is Storage.BQML_ADMIN:
        since_s += (series.start - injection.at).total_seconds()
    if storage is not Storage.BQML_NONE:
        ds.DecayFactor = decimal(math.exp(injection.decay_per_s * since_s))
    if storage is Storage.GML:
        ds.SUVType = "BW"
    if storage is Storage.PHILIPS_CNTS:
        block = ds.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", decimal(SUV_PER_COUNT))
    ds.RadiopharmaceuticalInformationSequence = DicomSequence([_tracer(injection)])


def _tracer(injection: Injection) -> Dataset:
    item = Dataset()
    item.Radiopharmaceutical = "Ga-68 DOTATATE"
    item.RadiopharmaceuticalStartTime = time_text(injection.at)
    item.RadiopharmaceuticalStartDateTime = injection.at.strftime("%Y%m%d%H%M%S.%f")
    item.RadionuclideTotalDose = decimal(injection.dose_bq)
    item.RadionuclideHalfLife = decimal(injection.half_life_s)
    item.RadionuclidePositronFraction = decimal(POSITRON_FRACTION)
    item.RadionuclideCodeSequence = code("35337001", "SCT", "^68^Gallium")
    item.RadiopharmaceuticalCodeSequence = code("724025002", "SCT", "Dotatate Ga^68^")
    return item


def _corrected(ds: Dataset, acquisition: Acquisition) -> None:
    """What the scanner corrected for."""
    has_attenuation = acquisition.is_attenuation_corrected
    attenuation = ["ATTN", "SCAT"] if has_attenuation else []
    decay = [] if acquisition.storage is Storage.BQML_NONE else ["DECY"]
    ds.CorrectedImage = ["NORM", "DTIM", *attenuation, *decay, "RAN"]
    ds.RandomsCorrectionMethod, ds.ReconstructionMethod = "DLYD", "PSF+TOF 2i21s"
    ds.ConvolutionKernel = "XYZ Gauss5.00"
    ds.AttenuationCorrectionMethod = "measured,AC CT" if has_attenuation else "NONE"
    if has_attenuation:
        ds.ScatterCorrectionMethod = "Model-based"

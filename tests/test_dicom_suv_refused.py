"""PET series that have no SUV to be had, each refused with its own sentence."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from lesionmatch import dicom
from lesionmatch.errors import InvalidInput, MissingAttribute, NothingFound
from tests.reading_files import (
    agent_of,
    attribute,
    changed,
    pet_slice,
    philips,
    saved,
    slices,
    suv_of,
)


def no_times(ds: Dataset) -> None:
    for keyword in ("AcquisitionTime", "AcquisitionDate", "SeriesTime"):
        delattr(ds, keyword)


def nameless(ds: Dataset) -> None:
    del agent_of(ds).RadionuclideHalfLife
    del agent_of(ds).RadionuclideCodeSequence


def no_agent(ds: Dataset) -> None:
    del ds.RadiopharmaceuticalInformationSequence


def with_a_comma(ds: Dataset) -> None:
    ds.add(RawDataElement(Tag(0x00101030), "DS", 4, b"70,5", 0, False, True))  # type: ignore[arg-type]


def two_agents(ds: Dataset) -> None:
    ds.RadiopharmaceuticalInformationSequence = [agent_of(ds), agent_of(ds)]


def long_lived(ds: Dataset) -> None:
    agent_of(ds).RadionuclideHalfLife = 45723.6
    agent_of(ds).RadionuclideCodeSequence[0].CodeValue = "3932008"
    del agent_of(ds).RadiopharmaceuticalStartDateTime
    agent_of(ds).RadiopharmaceuticalStartTime = "120000"


REFUSALS: list[tuple[Callable[[Dataset], None], type[Exception], str]] = [
    (attribute(PatientWeight=None), MissingAttribute, "wanted PatientWeight.*--weight-kg"),
    (attribute(PatientWeight=0), InvalidInput, "wanted a weight of 20 to 300 kg, got 0"),
    (attribute(PatientWeight=700), InvalidInput, "got 700; give --weight-kg"),
    (attribute(RadionuclideTotalDose=None), MissingAttribute, "wanted RadionuclideTotalDose"),
    (attribute(RadionuclideTotalDose=-1e8), InvalidInput, "wanted a positive dose"),
    (attribute(RadionuclideTotalDose=0), InvalidInput, "wanted a positive dose"),
    (attribute(RadionuclideTotalDose=3.8), InvalidInput, "in the wrong unit or wrong"),
    (attribute(RadionuclideTotalDose=140e3), InvalidInput, "in the wrong unit or wrong"),
    (nameless, MissingAttribute, "wanted RadionuclideHalfLife or a nuclide's code"),
    (attribute(RadionuclideHalfLife=6586.2), InvalidInput, "wanted the half-life of 68Ga"),
    (attribute(RadionuclideHalfLife=-1), InvalidInput, "wanted a positive half-life"),
    (attribute(RadiopharmaceuticalStartDateTime=None), MissingAttribute, "give --injected-at"),
    (
        attribute(RadiopharmaceuticalStartDateTime="20250102105500"),
        InvalidInput,
        "wanted imaging 20 to 240 min after injection, got 5.0 min",
    ),
    (
        attribute(RadiopharmaceuticalStartDateTime="20250102030000"),
        InvalidInput,
        "got 480.0 min",
    ),
    (
        attribute(DecayCorrection="ADMIN", RadiopharmaceuticalStartDateTime="20250102105500"),
        InvalidInput,
        "wanted imaging 20 to 240 min after injection, got 5.0 min",
    ),
    (attribute(ActualFrameDuration=0), InvalidInput, "and a positive ActualFrameDuration"),
    (attribute(FrameReferenceTime=2.7e9), InvalidInput, "wanted FrameReferenceTime.*, got 2.7e"),
    (no_agent, MissingAttribute, "wanted RadionuclideHalfLife or a nuclide's code"),
    (long_lived, InvalidInput, "wanted the day of injection"),
    (two_agents, InvalidInput, "wanted one radiopharmaceutical, got 2"),
    (philips, MissingAttribute, r"wanted Philips' SUV factor \(7053,1000\)"),
    (attribute(Units="PROPCPS"), InvalidInput, "wanted units BQML.*got PROPCPS; it has no SUV"),
    (attribute(Units="PROPCNTS"), InvalidInput, "got PROPCNTS; it has no SUV"),
    (attribute(Units=None), InvalidInput, "got none; it has no SUV"),
    (attribute(Units="GML", SUVType="FAT"), InvalidInput, "wanted SUVType BW"),
    (attribute(DecayCorrection=""), InvalidInput, "wanted DecayCorrection START, ADMIN or NONE"),
    (attribute(CorrectedImage=["ATTN"]), InvalidInput, "wanted DECY in CorrectedImage"),
    (
        attribute(CorrectedImage=["ATTN"], DecayCorrection="ADMIN"),
        InvalidInput,
        "wanted DECY in CorrectedImage where DecayCorrection is ADMIN",
    ),
    (attribute(RescaleIntercept=7), InvalidInput, "wanted RescaleIntercept 0.*got 7"),
    (attribute(BitsStored=20), InvalidInput, "wanted BitsStored up to 16 and .*, got 20 and 0"),
    (attribute(LossyImageCompression="01"), InvalidInput, "got lossy compression"),
    (attribute(RescaleSlope="nan"), InvalidInput, "wanted finite numbers in RescaleSlope"),
    (attribute(PatientWeight="1e999"), InvalidInput, "wanted finite numbers in PatientWeight"),
    (with_a_comma, InvalidInput, "wanted finite numbers in PatientWeight, got '70,5'"),
    (attribute(SeriesType=["DYNAMIC", "IMAGE"]), NothingFound, "dynamic, not static"),
    (attribute(SeriesType=["GATED", "IMAGE"]), NothingFound, "gated, not static"),
    (attribute(SeriesType=["STATIC", "REPROJECTION"]), NothingFound, "a reprojection"),
    (attribute(NumberOfTimeSlices=3), NothingFound, "dynamic, not static"),
    (attribute(CorrectedImage=["DECY"]), NothingFound, "not corrected for attenuation"),
    (no_times, MissingAttribute, "wanted a time of decay correction"),
]


REMEDY = re.compile(r"(.*, )?(give|export|choose|mend|check|change|ask|have) ")
"""What a person can do about it, after the semicolon."""


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom, writing what no scanner should
@pytest.mark.parametrize(("change", "error", "says"), REFUSALS)
def test_what_has_no_suv_is_refused_with_its_own_sentence(
    tmp_path: Path, change: Callable[[Dataset], None], error: type[Exception], says: str
) -> None:
    folder = saved(tmp_path, changed(slices(pet_slice), change))
    with pytest.raises(error, match=says) as refused:
        dicom.read_pet_study([folder])
    said, _, remedy = str(refused.value).rpartition("; ")
    assert "wanted" in said
    assert REMEDY.match(remedy), remedy
    assert "\n" not in str(refused.value)
    assert "A^B" not in str(refused.value)


def test_uncorrected_slices_without_a_time_are_refused(tmp_path: Path) -> None:
    def none(ds: Dataset) -> None:
        ds.DecayCorrection, ds.CorrectedImage = "NONE", ["ATTN"]
        del ds.ActualFrameDuration

    with pytest.raises(MissingAttribute, match="wanted AcquisitionTime and ActualFrameDuration"):
        suv_of(tmp_path, none)


def test_slices_of_different_philips_factors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"one value of Philips' private factor \(7053,1000\)"):
        suv_of(tmp_path, lambda ds: philips(ds, suv=0.25 if ds.InstanceNumber > 3 else 0.5))


def test_slices_in_different_units_are_refused(tmp_path: Path) -> None:
    def mixed(ds: Dataset) -> None:
        ds.Units = "GML" if ds.InstanceNumber > 3 else "BQML"

    with pytest.raises(InvalidInput, match="wanted one value of Units in all slices, got several"):
        suv_of(tmp_path, mixed)


def undated(ds: Dataset) -> None:
    ds.AcquisitionDate = ds.SeriesDate = ""
    del agent_of(ds).RadiopharmaceuticalStartDateTime
    agent_of(ds).RadiopharmaceuticalStartTime = "100000"


INJECTED_AT = datetime(2025, 1, 2, 10)


def test_times_without_any_day_are_refused_as_such(tmp_path: Path) -> None:
    remedy = "give --injected-at and --reference-at, each with its day"
    with pytest.raises(MissingAttribute, match=f"a time, and no day of imaging.*; {remedy}"):
        suv_of(tmp_path / "none", undated)
    with pytest.raises(MissingAttribute, match="SeriesTime with its date; give --reference-at"):
        suv_of(tmp_path / "one", undated, injected_at=INJECTED_AT)


def test_times_without_any_day_may_be_given(tmp_path: Path) -> None:
    folder = saved(tmp_path, changed(slices(pet_slice), undated))
    given = dicom.ReadOptions(injected_at=INJECTED_AT, reference_at=datetime(2025, 1, 2, 11))
    found = dicom.read_pet_study([folder], given)
    assert found.suv_facts.uptake_min == 60.0
    assert (
        "time of injection of unknown distance from imaging was given by the user; the header has "
        "nothing"
    ) in found.assumptions


def test_enhanced_pet_is_refused_by_name(tmp_path: Path) -> None:
    def enhanced(ds: Dataset) -> None:
        ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.130"

    with pytest.raises(NothingFound, match="Enhanced PET, which is not read"):
        suv_of(tmp_path, enhanced)


def test_a_converted_pet_without_its_frames_is_refused(tmp_path: Path) -> None:
    def converted(ds: Dataset) -> None:
        ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.128.1"

    with pytest.raises(InvalidInput, match="wanted functional groups of each of 1 frames, got 0"):
        suv_of(tmp_path, converted)

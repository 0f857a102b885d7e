"""Classic series that another library converted to multi-frame images: the same study."""

from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from lesionmatch import dicom
from lesionmatch.cohort.index import files_under
from lesionmatch.dicom.series.headers import SeriesFacts, series_facts
from lesionmatch.protocol import InputLimits
from tests.reading_files import hbp_slice, pet_slice, philips, saved, slices

CONVERTERS = {
    "PT": hd.legacy.LegacyConvertedEnhancedPETImage,
    "MR": hd.legacy.LegacyConvertedEnhancedMRImage,
}


def complete(ds: Dataset, n: int) -> Dataset:
    """A slice with all that a conversion asks for, and pixels of its own."""
    ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "1", "", ""
    ds.StudyDate, ds.StudyTime, ds.PositionReferenceIndicator = "20250102", "100000", ""
    ds.SeriesNumber, ds.Manufacturer = 1, ds.get("Manufacturer", "A maker")
    values = np.random.default_rng(n).integers(0, 3000, (ds.Rows, ds.Columns))
    ds.PixelData = values.astype("<u2").tobytes()
    return ds


def converted(classic: list[Dataset]) -> Dataset:
    made: Dataset = CONVERTERS[classic[0].Modality](
        classic, series_instance_uid="1.2.77", series_number=5, sop_instance_uid="1.2.77.1",
        instance_number=1,
    )  # fmt: skip
    return made


def both(folder: Path, classic: list[Dataset]) -> tuple[Path, Path]:
    """The same series as classic files and as one converted file."""
    classic = [complete(ds, n) for n, ds in enumerate(classic)]
    return saved(folder / "classic", classic), saved(folder / "one", [converted(classic)])


def assert_same_suv(folder: Path, classic: list[Dataset]) -> dicom.PetStudy:
    one, other = (dicom.read_pet_study([path]) for path in both(folder, classic))
    np.testing.assert_allclose(other.suv.array, one.suv.array, rtol=1e-6)
    assert other.suv.grid.matches(one.suv.grid)
    assert other.suv_facts == one.suv_facts
    assert other.reconstruction == one.reconstruction
    assert other.assumptions == one.assumptions
    return other


@given(
    slopes=st.lists(st.floats(0.01, 50.0), min_size=5, max_size=5, unique=True),
    dose_mbq=st.floats(60, 400),
    weight_kg=st.floats(40, 150),
    minutes=st.integers(30, 120),
)
@settings(max_examples=15)
def test_a_converted_pet_has_the_suv_of_its_slices(
    tmp_path_factory: pytest.TempPathFactory,
    slopes: list[float],
    dose_mbq: float,
    weight_kg: float,
    minutes: int,
) -> None:
    classic = slices(pet_slice, 5)
    for ds, slope in zip(classic, slopes, strict=True):
        ds.RescaleSlope, ds.PatientWeight = f"{slope:.9g}", f"{weight_kg:.4f}"
        agent = ds.RadiopharmaceuticalInformationSequence[0]
        agent.RadionuclideTotalDose = f"{dose_mbq * 1e6:.6g}"
        at = 11 * 60 - minutes
        agent.RadiopharmaceuticalStartDateTime = f"20250102{at // 60:02}{at % 60:02}00"
    assert_same_suv(tmp_path_factory.mktemp("pet"), classic)


def test_frames_of_several_beds_keep_their_times(tmp_path: Path) -> None:
    classic = slices(pet_slice, 8)
    for ds in classic[4:]:
        ds.AcquisitionTime, ds.FrameReferenceTime = "110230", 59900 + 150_000
    found = assert_same_suv(tmp_path, classic)
    assert found.pet_series.role == "AC PET"
    assert found.pet_series.evidence == ("corrected for attenuation",)


def test_frames_that_are_not_corrected_for_decay_have_a_factor_each(tmp_path: Path) -> None:
    classic = slices(pet_slice, 6, DecayCorrection="NONE", CorrectedImage=["ATTN"])
    for n, ds in enumerate(classic):
        ds.AcquisitionTime = f"11{2 * n:02}00"
    found = assert_same_suv(tmp_path, classic)
    assert found.suv_facts.least_factor < found.suv_facts.most_factor


def test_private_factors_are_carried_along(tmp_path: Path) -> None:
    classic = slices(pet_slice, 5)
    for ds in classic:
        philips(ds, suv=0.0004)
    assert assert_same_suv(tmp_path, classic).suv_facts.units == "CNTS"


def test_a_converted_series_not_corrected_for_attenuation_is_set_aside(tmp_path: Path) -> None:
    _, one = both(tmp_path, slices(pet_slice, 5, CorrectedImage=["DECY"]))
    (record,) = dicom.scan([one]).series
    assert (record.role, record.set_aside) == ("NAC PET", "not corrected for attenuation")


def test_a_converted_mri_is_the_hepatobiliary_phase_it_was(tmp_path: Path) -> None:
    classic, one = (dicom.scan([path]).series for path in both(tmp_path, slices(hbp_slice, 5)))
    assert [record.role for record in (*classic, *one)] == ["HBP", "HBP"]
    assert one[0].score == classic[0].score
    assert one[0].evidence == classic[0].evidence


def test_a_cohort_tells_what_a_converted_pet_is(tmp_path: Path) -> None:
    _, folder = both(tmp_path, slices(pet_slice, 5))
    (file,) = files_under(folder)
    facts: dict[str, Any] = series_facts({"1": folder / file[0].decode()}, InputLimits())
    assert isinstance(facts["1"], SeriesFacts)
    assert (facts["1"].role, facts["1"].nuclide, facts["1"].set_aside) == ("AC PET", "68Ga", None)


@pytest.mark.parametrize(
    ("stored", "broken"),
    [
        (b"\x20\x00\x11\x00IS\x02\x005 ", b"\x20\x00\x11\x00IS\x02\x00\xfc|"),
        (b"\x10\x00\x20\x00LO", b"\x10\x00\x20\x00L\x0f"),
    ],
    ids=["a series number that is none", "a representation that there is not"],
)
def test_what_is_malformed_and_not_needed_does_no_harm(
    tmp_path: Path, stored: bytes, broken: bytes
) -> None:
    _, folder = both(tmp_path, slices(pet_slice, 5))
    clean = dicom.read_pet_study([folder]).suv.array
    path = next(folder.iterdir())
    assert stored in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(stored, broken))
    np.testing.assert_array_equal(dicom.read_pet_study([folder]).suv.array, clean)

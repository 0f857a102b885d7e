"""SUV from headers: the reference objects, every unit and decay setting."""

from datetime import datetime
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from lesionmatch import dicom
from lesionmatch.dicom import ReadOptions
from lesionmatch.dicom.options import Override
from tests.reading_files import (
    DATA,
    agent_of,
    attribute,
    changed,
    pet_slice,
    philips,
    saved,
    slices,
    suv_of,
)

OBJECTS = DATA / "ibsi_suv_dro/DRO"
"""Digital reference objects of the IBSI SUV project (oncoray/suv_computation, CC BY 4.0)."""
NAMES = (
    *("0_0", "1_0", "2_0", "2_1", "2_2", "2_3", "2_4", "2_5", "3_0", "3_1"),
    *("3_2", "3_3", "3_4", "4_0", "4_1", "4_2", "5_0"),
)

needs_objects = pytest.mark.skipif(not OBJECTS.exists(), reason="the reference objects are absent")


@needs_objects
@pytest.mark.parametrize("name", NAMES)
def test_reference_objects_are_020_100_400_within_one_stored_unit(name: str) -> None:
    folder = OBJECTS / f"DRO_{name}"
    study = dicom.read_pet_study([folder / "PT"])
    mask = (
        np.asanyarray(nib.Nifti1Image.from_filename(folder / "mask/DRO_mask.nii.gz").dataobj).T > 0
    )
    values = study.suv.array[mask]
    header = study.pet_series.header
    unit = float(header.RescaleSlope) * study.suv_facts.most_factor
    found = [values.min(), np.median(values), values.max()]
    np.testing.assert_allclose(found, [0.2, 1.0, 4.0], rtol=0, atol=unit)


@needs_objects
def test_reference_times_that_disagree_are_an_assumption_naming_both() -> None:
    study = dicom.read_pet_study([OBJECTS / "DRO_3_2/PT"])
    said = [note for note in study.assumptions if "SeriesTime is 1800 s later" in note]
    assert len(said) == 1
    assert "mean activity was used" in said[0]


def nothing(ds: Dataset) -> None:
    """Leave a slice as it is."""


AN_HOUR = 70_000 / (140e6 * 0.5 ** (3600 / 4062.6))
"""SUVbw of 1 Bq/ml an hour after 140 MBq of 68Ga in 70 kg."""


def test_becquerels_corrected_to_the_start_are_decayed_from_the_injection(tmp_path: Path) -> None:
    assert suv_of(tmp_path, nothing) == pytest.approx(AN_HOUR, rel=1e-4)


def test_becquerels_corrected_to_the_injection_are_not_decayed(tmp_path: Path) -> None:
    def admin(ds: Dataset) -> None:
        ds.DecayCorrection = "ADMIN"

    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), admin))])
    assert study.suv.array[0, 0, 0] == pytest.approx(70_000 / 140e6)
    assert study.suv_facts.uptake_min == 60.0


def test_uncorrected_beds_are_each_decayed_to_their_own_middle(tmp_path: Path) -> None:
    def none(ds: Dataset) -> None:
        ds.DecayCorrection, ds.CorrectedImage = "NONE", ["ATTN"]
        ds.ActualFrameDuration = 2000
        if ds.InstanceNumber > 3:
            ds.AcquisitionTime = "120000"

    folder = saved(tmp_path, changed(slices(pet_slice), none))
    suv = dicom.read_pet_study([folder]).suv.array[:, 0, 0] / np.arange(1, 7)
    # Stored values are the slice's number; an hour more is worth half a half-life more.
    np.testing.assert_allclose(suv[:3], AN_HOUR * 2 ** (1 / 4062.6), rtol=1e-5)
    np.testing.assert_allclose(suv[3:] / suv[:3], 2 ** (3600 / 4062.6), rtol=1e-5)


def test_an_image_said_to_be_corrected_for_decay_and_not_is_an_assumption(tmp_path: Path) -> None:
    change = attribute(DecayCorrection="NONE")
    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), change))])
    assert any(note.startswith("CorrectedImage says DECY") for note in study.assumptions)


def test_each_slice_has_its_own_slope(tmp_path: Path) -> None:
    def slope(ds: Dataset) -> None:
        ds.RescaleSlope = ds.InstanceNumber

    folder = saved(tmp_path, changed(slices(pet_slice), slope))
    suv = dicom.read_pet_study([folder]).suv.array[:, 0, 0]
    np.testing.assert_allclose(suv, AN_HOUR * np.array([1, 4, 9, 16, 25, 36]), rtol=1e-4)


def test_negative_voxels_are_kept(tmp_path: Path) -> None:
    def negative(ds: Dataset) -> None:
        ds.PixelRepresentation = 1
        ds.PixelData = np.full((ds.Rows, ds.Columns), -5, "<i2").tobytes()

    assert suv_of(tmp_path, negative) == pytest.approx(-5 * AN_HOUR, rel=1e-4)


def test_grams_per_ml_are_suv_already_and_an_absent_type_is_an_assumption(tmp_path: Path) -> None:
    def grams(ds: Dataset) -> None:
        ds.Units = "GML"

    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), grams))])
    assert study.suv.array[0, 0, 0] == 1.0
    assert any("SUVType is absent" in note for note in study.assumptions)


@pytest.mark.parametrize(
    ("units", "kind", "expected"),
    [
        ("GML", "BW", 1.0),
        ("GML", "LBM", 70 / 57.8),
        ("GML", "LBMJAMES128", 70 / 56.52),
        ("GML", "IBW", 70 / 72.38),
        ("CM2ML", "BSA", 70_000 / 18481),
    ],
)
def test_other_body_sizes_become_body_weight(
    tmp_path: Path, units: str, kind: str, expected: float
) -> None:
    def sized(ds: Dataset) -> None:
        ds.Units, ds.SUVType = units, kind

    assert suv_of(tmp_path, sized) == pytest.approx(expected, rel=1e-4)


def test_philips_counts_with_an_suv_factor(tmp_path: Path) -> None:
    assert suv_of(tmp_path, lambda ds: philips(ds, suv=0.25)) == pytest.approx(0.25)


def test_philips_counts_with_an_activity_factor(tmp_path: Path) -> None:
    found = suv_of(tmp_path, lambda ds: philips(ds, suv=0.0, activity=3.0))
    assert found == pytest.approx(3 * AN_HOUR, rel=1e-4)


def test_a_private_time_of_the_vendor_goes_before_a_computed_one(tmp_path: Path) -> None:
    def siemens(ds: Dataset) -> None:
        ds.Manufacturer = "SIEMENS"
        ds.add_new(0x00711022, "DT", "20250102110500")

    expected = 70_000 / (140e6 * 0.5 ** (3900 / 4062.6))
    assert suv_of(tmp_path, siemens) == pytest.approx(expected, rel=1e-6)


def test_a_private_time_of_another_vendor_is_not_looked_at(tmp_path: Path) -> None:
    def other(ds: Dataset) -> None:
        ds.Manufacturer = "ACME"
        ds.add_new(0x00711022, "DT", "20250102110500")

    assert suv_of(tmp_path, other) == pytest.approx(AN_HOUR, rel=1e-4)


@pytest.mark.parametrize(
    ("creator", "minutes"), [("SIEMENS MED PT", 65), ("SIEMENS MED", 65), ("AGFA-AG_HPState", 60)]
)
def test_a_private_time_is_its_creator_s(tmp_path: Path, creator: str, minutes: int) -> None:
    def stored(ds: Dataset) -> None:
        ds.Manufacturer = "SIEMENS"
        ds.private_block(0x0071, creator, create=True).add_new(0x22, "DT", "20250102110500")

    expected = 70_000 / (140e6 * 0.5 ** (minutes * 60 / 4062.6))
    assert suv_of(tmp_path, stored) == pytest.approx(expected, rel=1e-4)


def test_frame_times_of_ge_are_from_the_start_of_a_frame(tmp_path: Path) -> None:
    def ge(ds: Dataset) -> None:
        ds.Manufacturer, ds.FrameReferenceTime = "GE MEDICAL SYSTEMS", 0

    assert suv_of(tmp_path, ge) == pytest.approx(AN_HOUR, rel=1e-6)


@pytest.mark.parametrize("maker", ["GE MEDICAL SYSTEMS", "SIEMENS"])
def test_the_decay_factor_tells_what_frame_times_point_at(tmp_path: Path, maker: str) -> None:
    # A frame of 2 min from 11:10, the image corrected to 11:00: its mean is 659.8 s later.
    def decayed(ds: Dataset) -> None:
        ds.Manufacturer, ds.SeriesTime, ds.AcquisitionTime = maker, "110500", "111000"
        ds.FrameReferenceTime, ds.ActualFrameDuration = 659_800, 120_000
        ds.DecayFactor = 2.0 ** (659.8 / 4062.6)

    expected = suv_of(tmp_path / "told", decayed)
    assert expected == pytest.approx(suv_of(tmp_path / "plain", nothing), rel=1e-4)


def test_without_a_frame_s_duration_its_time_is_that_of_its_start_and_that_is_said(
    tmp_path: Path,
) -> None:
    datasets = slices(pet_slice)
    for ds in datasets:
        del ds.ActualFrameDuration
    found = dicom.read_pet_study([saved(tmp_path, datasets)])
    said = "ActualFrameDuration is absent: FrameReferenceTime was taken to point at the start"
    assert any(said in note for note in found.assumptions)
    # The frame began 3,600 s after the injection, and FrameReferenceTime is 59.9 s.
    assert found.suv_facts.references_s[found.suv_facts.reference] == pytest.approx(3540.1)


def test_beds_of_one_series_lead_to_one_reference_time(tmp_path: Path) -> None:
    def beds(ds: Dataset) -> None:
        if ds.InstanceNumber > 3:
            ds.AcquisitionTime, ds.FrameReferenceTime = "110200", 179900

    folder = saved(tmp_path, changed(slices(pet_slice), beds))
    suv = dicom.read_pet_study([folder]).suv.array[:, 0, 0] / np.arange(1, 7)
    np.testing.assert_allclose(suv, AN_HOUR, rtol=1e-4)


def test_an_injection_before_midnight_belongs_to_the_day_before(tmp_path: Path) -> None:
    def midnight(ds: Dataset) -> None:
        ds.AcquisitionTime = ds.SeriesTime = "003000"
        agent = agent_of(ds)
        del agent.RadiopharmaceuticalStartDateTime
        agent.RadiopharmaceuticalStartTime = "233000"

    assert suv_of(tmp_path, midnight) == pytest.approx(AN_HOUR, rel=1e-4)


@pytest.mark.parametrize(("half_life_s", "notes"), [(45723.6, 1), (4062.6, 0)])
def test_the_day_of_a_long_lived_injection_is_not_taken_in_silence(
    tmp_path: Path, half_life_s: float, notes: int
) -> None:
    change = attribute(
        RadiopharmaceuticalStartDateTime=None,
        RadiopharmaceuticalStartTime="100000",
        RadionuclideHalfLife=half_life_s,
        RadionuclideCodeSequence=[],
    )
    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), change))])
    assert study.suv_facts.uptake_min == 60.0
    assert sum("only the time is known" in note for note in study.assumptions) == notes


def test_a_shifted_day_of_injection_is_put_right_and_said(tmp_path: Path) -> None:
    def shifted(ds: Dataset) -> None:
        agent_of(ds).RadiopharmaceuticalStartDateTime = "20191231100000"

    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), shifted))])
    assert study.suv.array[0, 0, 0] == pytest.approx(AN_HOUR, rel=1e-4)
    assert any("day of injection does not fit" in note for note in study.assumptions)


def test_a_day_of_injection_without_its_time_takes_the_time_that_stands_beside_it(
    tmp_path: Path,
) -> None:
    change = attribute(
        RadiopharmaceuticalStartDateTime="20250102000000",
        RadiopharmaceuticalStartTime="100000.00",
    )
    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), change))])
    assert study.suv.array[0, 0, 0] == pytest.approx(AN_HOUR, rel=1e-4)
    assert (
        "RadiopharmaceuticalStartDateTime has a day alone; RadiopharmaceuticalStartTime was used "
        "with it"
    ) in study.assumptions


def test_times_with_an_offset_from_utc_are_moved_to_the_scanner_s_clock(tmp_path: Path) -> None:
    def zoned(ds: Dataset) -> None:
        ds.TimezoneOffsetFromUTC = "+0100"
        agent_of(ds).RadiopharmaceuticalStartDateTime = "20250102090000+0000"

    assert suv_of(tmp_path, zoned) == pytest.approx(AN_HOUR, rel=1e-4)


def test_an_offset_from_utc_is_said_where_the_scanner_s_is_not_known(tmp_path: Path) -> None:
    change = attribute(RadiopharmaceuticalStartDateTime="20250102100000+0000")
    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), change))])
    assert any("has an offset from UTC and the scanner's clock" in a for a in study.assumptions)


@pytest.mark.parametrize(
    ("clock", "said"),
    [("110000", "60 min later"), ("095000", "10 min earlier"), ("100030", None)],
)
def test_two_times_of_injection_that_disagree_are_an_assumption(
    tmp_path: Path, clock: str, said: str | None
) -> None:
    change = attribute(RadiopharmaceuticalStartTime=clock)
    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), change))])
    assert study.suv.array[0, 0, 0] == pytest.approx(AN_HOUR, rel=1e-4)
    notes = [a for a in study.assumptions if a.startswith("RadiopharmaceuticalStartTime is ")]
    assert [said in a if said else False for a in notes] == ([True] if said else [])


def test_a_height_that_is_no_number_costs_no_suv_by_weight(tmp_path: Path) -> None:
    def comma(ds: Dataset) -> None:
        ds.add(RawDataElement(Tag("PatientSize"), "DS", 4, b"1,75", 0, False, True))  # type: ignore[arg-type]

    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), comma))])
    assert study.suv.array[0, 0, 0] == pytest.approx(AN_HOUR, rel=1e-4)


def test_a_dose_in_megabecquerels_is_taken_so_and_said(tmp_path: Path) -> None:
    def mega(ds: Dataset) -> None:
        agent_of(ds).RadionuclideTotalDose = 140

    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), mega))])
    assert study.suv.array[0, 0, 0] == pytest.approx(AN_HOUR, rel=1e-4)
    assert any("taken as MBq" in note for note in study.assumptions)


def test_an_absent_half_life_is_the_nuclide_s_and_said(tmp_path: Path) -> None:
    def absent(ds: Dataset) -> None:
        del agent_of(ds).RadionuclideHalfLife

    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), absent))])
    assert study.suv.array[0, 0, 0] == pytest.approx(AN_HOUR, rel=1e-4)
    assert any("half-life is absent; that of 68Ga" in note for note in study.assumptions)


def test_a_half_life_2_percent_off_is_used_and_said(tmp_path: Path) -> None:
    def off(ds: Dataset) -> None:
        agent_of(ds).RadionuclideHalfLife = 4143.9

    study = dicom.read_pet_study([saved(tmp_path, changed(slices(pet_slice), off))])
    assert any("differs by 2.0%" in note for note in study.assumptions)


@pytest.mark.parametrize(
    ("options", "note"),
    [
        (
            {"weight_kg": 80.0},
            "patient's weight of 80 kg was given by the user; the header has 70 kg",
        ),
        ({"dose_mbq": 150.0}, "dose of 150 MBq was given by the user; the header has 140 MBq"),
        (
            {"half_life_s": 4060.0},
            "half-life of 4060 s was given by the user; the header has 4062.6 s",
        ),
        ({"height_m": 1.6}, "patient's height of 1.6 m was given by the user; the header has 1.75"),
        ({"sex": "F"}, "patient's sex of F was given by the user; the header has M"),
        (
            {"injected_at": datetime(2025, 1, 2, 10, 5)},
            "time of injection of 55 min before imaging was given by the user; the header has 60",
        ),
        ({"reference_at": datetime(2025, 1, 2, 11, 1)}, "time of decay correction was given"),
    ],
)
def test_what_the_user_gives_is_recorded_beside_the_header_s_own(
    tmp_path: Path, options: dict[str, Any], note: str
) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    study = dicom.read_pet_study([folder], ReadOptions(**options))
    assert any(note in said for said in study.assumptions)
    assert len(study.suv_facts.overrides) == 1


def test_a_given_reference_time_is_recorded_in_minutes_after_the_injection(tmp_path: Path) -> None:
    options = ReadOptions(reference_at=datetime(2025, 1, 2, 11, 5))
    study = dicom.read_pet_study([saved(tmp_path, slices(pet_slice))], options)
    (found,) = study.suv_facts.overrides
    assert found == Override("--reference-at", "min after injection", 65.0, 60.0)


def test_what_the_header_lacks_is_recorded_as_none(tmp_path: Path) -> None:
    folder = saved(tmp_path, changed(slices(pet_slice), attribute(PatientWeight=None)))
    study = dicom.read_pet_study([folder], ReadOptions(weight_kg=80.0))
    assert study.suv_facts.overrides == (Override("--weight-kg", "kg", 80.0, None),)
    assert any("the header has nothing" in said for said in study.assumptions)


@pytest.mark.parametrize("units", ["GML", "CNTS"])
def test_a_given_dose_without_effect_is_said(tmp_path: Path, units: str) -> None:
    def other(ds: Dataset) -> None:
        if units == "CNTS":
            philips(ds, suv=0.25)
        ds.Units = units

    folder = saved(tmp_path, changed(slices(pet_slice), other))
    study = dicom.read_pet_study([folder], ReadOptions(dose_mbq=100.0))
    assert any("--dose-mbq has no effect" in said for said in study.assumptions)


def test_a_given_weight_scales_suv(tmp_path: Path) -> None:
    found = suv_of(tmp_path, nothing, weight_kg=140.0)
    assert found == pytest.approx(2 * AN_HOUR, rel=1e-4)


def test_height_in_centimetres_is_taken_so(tmp_path: Path) -> None:
    def lean(ds: Dataset) -> None:
        ds.Units, ds.SUVType, ds.PatientSize = "GML", "LBM", 175

    assert suv_of(tmp_path, lean) == pytest.approx(70 / 57.8, rel=1e-4)


def test_facts_hold_no_date_and_no_identity(tmp_path: Path) -> None:
    study = dicom.read_pet_study([saved(tmp_path, slices(pet_slice))])
    said = repr(study.facts) + repr(study.inputs) + repr(study.assumptions)
    for secret in ("2025", "1950", "P1", "A^B"):
        assert secret not in said
    assert study.facts["uptake_min"] == pytest.approx(60.0, abs=0.01)

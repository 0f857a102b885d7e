"""Slices that make no volume, of CT, PET and MR alike: refused or parted, with a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from lesionmatch import dicom
from lesionmatch.errors import AmbiguousSeries, NothingFound
from tests.reading_files import MAKERS, pet_slice, saved, slices

every_modality = pytest.mark.parametrize("modality", MAKERS)


def stack(modality: str, count: int = 12, **attributes: Any) -> list[Dataset]:  # noqa: ANN401
    return [MAKERS[modality](n, **attributes) for n in range(count)]


def scan(folder: Path, datasets: list[Dataset]) -> tuple[dicom.SeriesRecord, ...]:
    return dicom.scan([saved(folder, datasets)]).series


def twice(modality: str, **second: Any) -> list[Dataset]:  # noqa: ANN401
    """Two volumes under one series UID."""
    again = stack(modality, **second)
    for ds in again:
        ds.SOPInstanceUID += ".9"
    return stack(modality) + again


@every_modality
def test_slices_in_reverse_are_a_volume(tmp_path: Path, modality: str) -> None:
    datasets = stack(modality)
    for ds in datasets:
        ds.InstanceNumber = 13 - ds.InstanceNumber
    (record,) = scan(tmp_path, datasets[::-1])
    assert record.set_aside is None
    np.testing.assert_allclose(record.usable_stack().grid.spacing_mm, [3, 2, 2])


@every_modality
def test_a_missing_slice(tmp_path: Path, modality: str) -> None:
    datasets = stack(modality)
    del datasets[6]
    (record,) = scan(tmp_path, datasets)
    assert record.set_aside == "wanted slices 3.000 mm apart, got 6.000 mm after slice 6 of 11"
    assert record.stack is None


@every_modality
def test_two_phases_that_nothing_tells_apart(tmp_path: Path, modality: str) -> None:
    (record,) = scan(tmp_path, twice(modality))
    assert record.stack is None
    assert "12 places taken twice that no attribute tells apart" in str(record.set_aside)


@every_modality
def test_two_phases_that_their_times_tell_apart(tmp_path: Path, modality: str) -> None:
    records = scan(tmp_path, twice(modality, AcquisitionTime="111500"))
    assert [record.part for record in records] == [1, 2]
    for record in records:
        assert record.usable_stack().grid.shape == (12, 12, 10)
        assert "parted from its series by AcquisitionTime" in record.evidence


@every_modality
def test_a_tilted_gantry(tmp_path: Path, modality: str) -> None:
    datasets = stack(modality)
    for n, ds in enumerate(datasets):
        ds.ImagePositionPatient = [-20, -30 + 0.8 * n, 3 * n]
    (record,) = scan(tmp_path, datasets)
    assert record.stack is None
    assert "a sideways drift of 8.80 mm over 33.0 mm (tilted gantry)" in str(record.set_aside)


@every_modality
def test_one_slice_that_slid_sideways(tmp_path: Path, modality: str) -> None:
    datasets = stack(modality, 40)
    datasets[20].ImagePositionPatient = [-20.15, -30, 60]
    (record,) = scan(tmp_path, datasets)
    assert record.stack is None
    assert "got slice 21 of 40 0.15 mm beside it" in str(record.set_aside)


@every_modality
def test_a_slice_of_another_orientation(tmp_path: Path, modality: str) -> None:
    datasets = stack(modality, 13)
    datasets[12].ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    datasets[12].ImagePositionPatient = [0, 0, 0]
    volume, scout = scan(tmp_path, datasets)
    assert volume.usable_stack().grid.shape[0] == 12
    assert scout.set_aside == "wanted a volume, got 1 slice"
    assert "parted from its series by orientation, size or spacing" in scout.evidence


@every_modality
def test_a_slice_without_a_position(tmp_path: Path, modality: str) -> None:
    datasets = stack(modality)
    del datasets[4].ImagePositionPatient
    (record,) = scan(tmp_path, datasets)
    assert record.stack is None
    assert "a position and an orientation in every slice, got 1 of 12" in str(record.set_aside)


@pytest.mark.parametrize(
    "attributes",
    [{"TriggerTime": 500}, {"FrameReferenceTime": 659900}, {"AcquisitionTime": "112000"}],
)
def test_gates_and_time_frames_that_are_not_called_so_are_a_person_s_choice(
    tmp_path: Path, attributes: dict[str, Any]
) -> None:
    folder = saved(tmp_path, twice("PT", **attributes))
    with pytest.raises(AmbiguousSeries, match=r"got several in one \(1\.2\.3\.1#1, 1\.2\.3\.1#2\)"):
        dicom.read_pet_study([folder])
    chosen = dicom.ReadOptions(pet_series="1.2.3.1#2")
    assert dicom.read_pet_study([folder], chosen).pet_series.key == "1.2.3.1#2"


def test_beds_of_one_acquisition_are_one_volume_of_one_factor(tmp_path: Path) -> None:
    datasets = slices(pet_slice, 12)
    for ds in datasets[6:]:
        ds.AcquisitionTime, ds.FrameReferenceTime = "110230", 59900 + 150_000
    found = dicom.read_pet_study([saved(tmp_path, datasets)])
    assert found.suv.grid.shape == (12, 12, 10)
    assert found.suv_facts.least_factor == found.suv_facts.most_factor
    assert found.assumptions == ("no CT was found; the PET itself carries the registration",)


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, "a projection, not slices"),
        ({"SeriesType": ["WHOLE BODY", "REPROJECTION"]}, "a reprojection, not slices"),
        ({"SeriesType": ["DYNAMIC", "IMAGE"]}, "dynamic, not static"),
        ({"SeriesType": ["GATED", "IMAGE"]}, "gated, not static"),
        ({"BurnedInAnnotation": "YES"}, "text is burned into the image"),
        (
            {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
            "a secondary capture, not an image of slices",
        ),
    ],
)
def test_what_is_no_static_pet_of_slices_is_set_aside_with_a_reason(
    tmp_path: Path, attributes: dict[str, Any], why: str
) -> None:
    datasets = slices(pet_slice, series="1.2.3.9", **attributes)
    folder = saved(tmp_path, datasets)
    assert dicom.scan([folder]).series[0].set_aside == why
    with pytest.raises(NothingFound, match=why):
        dicom.read_pet_study([folder])
    saved(folder, slices(pet_slice))
    assert dicom.read_pet_study([folder]).pet_series.uid == "1.2.3.1"

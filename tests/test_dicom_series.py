"""From files to series: stacks that are no volume, what is chosen, what is set aside and why."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from lesionmatch import dicom
from lesionmatch.dicom import ReadOptions
from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.sources import Source
from lesionmatch.dicom.pet import reconstruction
from lesionmatch.dicom.series.plane import plane_of
from lesionmatch.dicom.series.stack import parts_of, stack_of
from lesionmatch.errors import AmbiguousSeries, InconsistentSeries, InvalidInput, NothingFound
from lesionmatch.protocol import SeriesRules
from tests.reading_files import (
    CT,
    changed,
    ct_slices,
    hbp_slice,
    instance,
    pet_slice,
    saved,
    scan,
    slices,
    suv,
)


def test_slices_are_ordered_by_place_whatever_their_numbers_and_names(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    for ds in datasets:
        ds.InstanceNumber = 7 - ds.InstanceNumber
    study = suv(tmp_path, datasets[::-1])
    values = study.suv.array[:, 0, 0]
    np.testing.assert_allclose(values / values[0], [1, 2, 3, 4, 5, 6], rtol=1e-6)
    np.testing.assert_allclose(study.suv.grid.spacing_mm, [3, 2, 2])
    np.testing.assert_allclose(study.suv.grid.origin_mm, [-20, -30, 0])


def test_a_missing_slice_is_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice, 12)
    del datasets[5]
    with pytest.raises(InconsistentSeries, match=r"got 6\.000 mm after slice 5 of 11; a slice is"):
        suv(tmp_path, datasets)


def test_two_phases_in_one_series_are_parted_by_what_tells_them_apart(tmp_path: Path) -> None:
    early = slices(hbp_slice, AcquisitionTime="110000")
    late = slices(hbp_slice, AcquisitionTime="112000")
    for ds in late:
        ds.SOPInstanceUID += ".9"
    found = scan(tmp_path, early + late).series
    assert [record.key for record in found] == ["1.2.4.1#1", "1.2.4.1#2"]
    assert all(record.usable_stack().grid.shape == (6, 12, 10) for record in found)
    assert "parted from its series by AcquisitionTime" in found[0].evidence


def test_phases_told_apart_by_two_attributes_together_are_parted(tmp_path: Path) -> None:
    datasets = []
    for echo in (1, 2):
        for phase in (1, 2):
            part = slices(hbp_slice, EchoTime=echo, TemporalPositionIdentifier=phase)
            for ds in part:
                ds.SOPInstanceUID += f".{echo}{phase}"
            datasets += part
    found = scan(tmp_path, datasets).series
    assert len(found) == 4
    assert all(record.set_aside is None for record in found)


def test_phases_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    twice = slices(pet_slice)
    for ds in twice:
        ds.SOPInstanceUID += ".9"
    with pytest.raises(InconsistentSeries, match="got 6 places taken twice"):
        suv(tmp_path, slices(pet_slice) + twice)


def test_a_tilted_stack_is_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    for n, ds in enumerate(datasets):
        ds.ImagePositionPatient = [-20, -30 + 0.8 * n, 3 * n]
    with pytest.raises(InconsistentSeries, match=r"sideways drift of 4\.00 mm over 15\.0 mm"):
        suv(tmp_path, datasets)


def test_a_slice_of_another_orientation_is_parted_with_a_reason(tmp_path: Path) -> None:
    datasets = slices(pet_slice, 7)
    datasets[6].ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    found = scan(tmp_path, datasets).series
    assert [record.files for record in found] == [6, 1]
    assert found[0].set_aside is None
    assert found[1].set_aside == "wanted a volume, got 1 slice"
    assert "parted from its series by orientation, size or spacing" in found[1].evidence


@pytest.mark.parametrize("keyword", ["ImageOrientationPatient", "PixelSpacing"])
def test_slices_that_differ_in_the_last_digit_are_one_volume(tmp_path: Path, keyword: str) -> None:
    def shake(ds: Dataset) -> None:
        # On both sides of where a rounded number would change.
        off = 1e-6 if ds.InstanceNumber % 2 else -1e-6
        if keyword == "PixelSpacing":
            ds.PixelSpacing = [2.00005 + off] * 2
        else:
            ds.ImageOrientationPatient = [1, 0.0005 + off, 0, -0.0005 - off, 1, 0]

    found = dicom.scan([saved(tmp_path, changed(slices(hbp_slice), shake))])
    assert [record.stack is not None and record.files for record in found.series] == [6]


def test_a_slice_without_a_position_is_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    del datasets[3].ImagePositionPatient
    with pytest.raises(InconsistentSeries, match="got 1 of 6 without; export the series again"):
        suv(tmp_path, datasets)


def test_copies_of_a_file_are_passed_over_with_a_note(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    record = scan(tmp_path, [*datasets, datasets[0], datasets[1]]).series[0]
    assert record.usable_stack().grid.shape == (6, 12, 10)
    assert "2 copies of its files were passed over" in record.evidence


def test_one_uid_for_two_different_slices_is_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    other = pet_slice(0)
    other.PixelData = np.full((12, 10), 99, "<u2").tobytes()
    with pytest.raises(InconsistentSeries, match="wanted one file for each SOP Instance UID"):
        suv(tmp_path, [*datasets, other])


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"PixelSpacing": [200, 2]}, "wanted pixels of 0.05 to 30"),
        ({"PixelSpacing": [-2, 2]}, "wanted pixels of 0.05 to 30"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "wanted perpendicular unit vectors"),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]}, "wanted perpendicular unit vectors"),
        ({"PixelSpacing": [2, 2, 2]}, "wanted 2 numbers in PixelSpacing, got 3"),
        ({"PixelSpacing": None}, "wanted Rows, Columns and PixelSpacing"),
        ({"BitsAllocated": 12}, "wanted 1, 8, 16 or 32 bits a pixel, got 12"),
        ({"SamplesPerPixel": 3}, "wanted grey values, got colours"),
        ({"Rows": 4000, "Columns": 4000}, "bytes of pixels, got 240; the file is truncated"),
        ({"Rows": 65535, "Columns": 65535}, "wanted at most 4000 MB"),
    ],
)
def test_headers_that_cannot_be_are_refused(
    tmp_path: Path, attributes: dict[str, Any], says: str
) -> None:
    datasets = slices(pet_slice)
    for ds in datasets:
        for keyword, value in attributes.items():
            setattr(ds, keyword, value)
    with pytest.raises(InvalidInput, match=says):
        suv(tmp_path, datasets)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_a_stack_in_any_direction_is_placed_where_its_slices_are(
    a: float, b: float, c: float
) -> None:
    turn, _ = np.linalg.qr(np.array([[1, a, b], [c, 1, a], [b, c, 1.7]]))
    datasets = slices(pet_slice)
    for n, ds in enumerate(datasets):
        ds.ImageOrientationPatient = [f"{x:.10f}" for x in (*turn[:, 0], *turn[:, 1])]
        ds.ImagePositionPatient = [f"{x:.8f}" for x in np.cross(turn[:, 0], turn[:, 1]) * 3.0 * n]
    planes = [plane_of(_unsaved(ds)) for ds in datasets]
    stack = stack_of(parts_of(planes[::-1])[0], SeriesRules(), "series")
    expected = np.cross(turn[:, 0], turn[:, 1]) * 6.0 + turn[:, 0] * 2 * 4 + turn[:, 1] * 2 * 5
    np.testing.assert_allclose(stack.grid.world([2, 5, 4]), expected, atol=1e-5)


def _unsaved(ds: Dataset) -> Any:  # noqa: ANN401
    return Instance(Source(Path("none"), None, 999), ds, 0)


def test_a_coronal_series_is_read(tmp_path: Path) -> None:
    datasets = slices(hbp_slice)
    for n, ds in enumerate(datasets):
        ds.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
        ds.ImagePositionPatient = [-20, 3 * n, 40]
    record = scan(tmp_path, datasets).series[0]
    grid = record.usable_stack().grid
    np.testing.assert_allclose(grid.directions[:, 0], [0, 1, 0])
    np.testing.assert_allclose(grid.world([1, 2, 3]), [-14, 3, 36])


def test_corrected_pet_goes_before_uncorrected(tmp_path: Path) -> None:
    plain = slices(pet_slice, series="1.2.3.5", CorrectedImage=["DECY"])
    study = suv(tmp_path, plain + slices(pet_slice))
    assert study.pet_series.uid == "1.2.3.1"
    asides = {record.uid: record.set_aside for record in study.series}
    assert asides == {"1.2.3.1": None, "1.2.3.5": "not corrected for attenuation"}


@pytest.mark.parametrize(
    ("method", "aside"),
    [
        ("CTAC-SG", None),
        ("measured,AC1.00", None),
        ("NONE", "not corrected for attenuation"),
        ("", "no correction is stated"),
    ],
)
def test_the_method_tells_of_a_correction_where_nothing_else_does(
    tmp_path: Path, method: str, aside: str | None
) -> None:
    datasets = slices(pet_slice, CorrectedImage="", AttenuationCorrectionMethod=method)
    assert scan(tmp_path, datasets).series[0].set_aside == aside


def test_what_is_in_colours_is_no_measurement(tmp_path: Path) -> None:
    fused = slices(pet_slice, series="1.2.3.5", PhotometricInterpretation="RGB", SeriesNumber=1)
    study = suv(tmp_path, fused + slices(pet_slice, SeriesNumber=2))
    assert study.pet_series.uid == "1.2.3.1"
    asides = {record.uid: record.set_aside for record in study.series}
    assert asides["1.2.3.5"] == "in colours, not measured values"


def test_of_several_reconstructions_one_is_taken_by_rule_and_all_are_named(tmp_path: Path) -> None:
    datasets = (
        slices(pet_slice, series="1.2.3.1", SeriesNumber=3, SeriesDescription="PET PSF TOF")
        + slices(pet_slice, series="1.2.3.2", SeriesNumber=5, SeriesDescription="PET OSEM")
        + slices(pet_slice, series="1.2.3.3", SeriesNumber=4, SeriesDescription="PET OSEM 2")
    )
    study = suv(tmp_path, datasets)
    assert study.pet_series.uid == "1.2.3.3"
    assert any("not 1.2.3.1, 1.2.3.2" in note for note in study.assumptions)


def test_a_harmonised_reconstruction_goes_first(tmp_path: Path) -> None:
    datasets = slices(pet_slice, series="1.2.3.1", SeriesNumber=1) + slices(
        pet_slice, series="1.2.3.2", SeriesNumber=2, SeriesDescription="PET EARL2"
    )
    assert suv(tmp_path, datasets).pet_series.uid == "1.2.3.2"


def test_an_early_reconstruction_is_not_taken_for_an_earl_one(tmp_path: Path) -> None:
    datasets = slices(pet_slice, series="1.2.3.1", SeriesNumber=1) + slices(
        pet_slice, series="1.2.3.2", SeriesNumber=2, SeriesDescription="PET early"
    )
    assert suv(tmp_path, datasets).pet_series.uid == "1.2.3.1"


@pytest.mark.parametrize(
    ("kernel", "fwhm_mm"),
    [
        ("XYZ Gauss4.50", 4.5),
        ("XYZG5.00", 5.0),
        ("Gaussian 2,5", 2.5),
        ("rad:\\gauss 4.000000 mm", 4.0),
        ("6.4 mm", 6.4),
        ("All-pass", None),
    ],
)
def test_the_width_of_a_filter_is_read_with_its_decimals(
    kernel: str, fwhm_mm: float | None
) -> None:
    assert reconstruction(pet_slice(0, ConvolutionKernel=kernel)).filter_fwhm_mm == fwhm_mm


@pytest.mark.parametrize(
    ("method", "has_psf"),
    [
        ("PSF+TOF 2i21s", True),
        ("TrueX", True),
        ("VPFXS", True),
        ("VPHD-S", True),
        ("QCFX", True),
        ("Q.Clear", True),
        ("VPFX", False),
        ("OSEM3D 4i8s", False),
        ("BLOB-OS-TF", False),
    ],
)
def test_a_reconstruction_that_models_the_resolution_is_known_by_its_maker_s_name(
    method: str, has_psf: bool
) -> None:
    assert reconstruction(pet_slice(0, ReconstructionMethod=method)).has_psf is has_psf


CORONAL = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
MADE = {"ImageType": ["DERIVED", "SECONDARY", "MPR"]}


def coronal(make: Callable[..., Dataset], count: int, **more: Any) -> list[Dataset]:  # noqa: ANN401
    """A reformat of a series, front to back."""
    at = [{"ImagePositionPatient": [-20, -30 + 2 * n, 15]} for n in range(count)]
    return [make(n, **CORONAL, **MADE, **at[n], **more) for n in range(count)]


def test_a_reformat_of_the_pet_or_the_ct_is_not_taken_for_it(tmp_path: Path) -> None:
    ct = partial(instance, CT)
    study = suv(
        tmp_path,
        [
            *slices(pet_slice, SeriesNumber=4),
            *coronal(pet_slice, 6, series="1.2.3.2", SeriesNumber=3, AcquisitionTime=""),
            *slices(partial(ct, "1.2.3.7"), SeriesNumber=2, RescaleIntercept=-1000),
            *coronal(partial(ct, "1.2.3.8"), 12, SeriesNumber=1, RescaleIntercept=-1000),
        ],
    )
    assert study.ct_series is not None
    assert (study.pet_series.uid, study.ct_series.uid) == ("1.2.3.1", "1.2.3.7")
    assert "made of another series and passed over: 1.2.3.2" in study.assumptions


def test_a_pet_is_taken_though_made_of_another_where_there_is_none_else(tmp_path: Path) -> None:
    study = suv(tmp_path, slices(pet_slice, ImageType=["DERIVED", "SECONDARY"]))
    assert study.pet_series.uid == "1.2.3.1"


def test_several_acquisitions_are_a_person_s_choice(tmp_path: Path) -> None:
    datasets = slices(pet_slice) + slices(pet_slice, series="1.2.3.2", AcquisitionTime="130000")
    folder = saved(tmp_path, datasets)
    with pytest.raises(AmbiguousSeries, match="give --pet-series"):
        dicom.read_pet_study([folder])
    chosen = dicom.read_pet_study([folder], ReadOptions(pet_series="1.2.3.1"))
    assert chosen.pet_series.uid == "1.2.3.1"


def test_an_asked_for_series_of_several_volumes_is_a_person_s_choice_again(tmp_path: Path) -> None:
    later = slices(pet_slice, AcquisitionTime="113000")
    for ds in later:
        ds.SOPInstanceUID += ".9"
    folder = saved(tmp_path, slices(pet_slice) + later)
    with pytest.raises(AmbiguousSeries, match=r"wanted one volume, got several: 1\.2\.3\.1#1, "):
        dicom.read_pet_study([folder], ReadOptions(pet_series="1.2.3.1"))


def test_an_asked_for_pet_that_is_not_corrected_for_attenuation_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice, CorrectedImage=["DECY"]))
    says = "wanted a static PET of slices, got one that is set aside: not corrected for attenuation"
    with pytest.raises(InvalidInput, match=says):
        dicom.read_pet_study([folder], ReadOptions(pet_series="1.2.3.1"))


def test_an_asked_for_series_that_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    with pytest.raises(NothingFound, match=r"--pet-series 9\.9: wanted one of 1\.2\.3\.1"):
        dicom.read_pet_study([folder], ReadOptions(pet_series="9.9"))


def test_the_ct_shares_the_pet_s_frame_covers_it_and_is_not_the_sharp_one(tmp_path: Path) -> None:
    datasets = (
        slices(pet_slice)
        + ct_slices(series="1.2.3.5", SeriesNumber=1, ConvolutionKernel="B70f")
        + ct_slices(series="1.2.3.6", SeriesNumber=2, FrameOfReferenceUID="5.5")
        + ct_slices(series="1.2.3.7", SeriesNumber=3, ConvolutionKernel="B30f")
        + ct_slices(3, series="1.2.3.8", SeriesNumber=1)
    )
    study = suv(tmp_path, datasets)
    assert study.ct_series is not None
    assert study.ct_series.uid == "1.2.3.7"
    assert study.ct is not None
    assert study.ct.array[2, 0, 0] == 3.0


def test_a_ct_of_another_frame_is_not_used_and_that_is_said(tmp_path: Path) -> None:
    study = suv(tmp_path, slices(pet_slice) + ct_slices(FrameOfReferenceUID="5.5"))
    assert study.ct is None
    assert any("another frame of reference" in note for note in study.assumptions)

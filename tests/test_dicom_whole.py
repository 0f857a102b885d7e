"""A series that is used is all there and says one thing; what contradicts it is refused by name."""

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import UID

from lesionmatch import dicom
from lesionmatch.errors import BrokenFile, InconsistentSeries, InvalidInput
from tests.reading_files import CT, MAKERS, agent_of, instance, pet_slice, saved, slices
from tests.small_studies import small_study


def read(modality: str, folder: Path) -> dicom.PetStudy | dicom.MriStudy:
    """A study with a broken series of one modality, the others whole."""
    if modality == "MR":
        return dicom.read_mri_study([folder / "mri"])
    return dicom.read_pet_study([folder / "pet"])


def study(folder: Path) -> Path:
    small_study(folder)
    return folder


def files_of(folder: Path, modality: str) -> list[Path]:
    """The slices of the series that is used, in order."""
    uid = {"PT": "1.2.3.1", "CT": "1.2.3.7", "MR": "1.2.4.1"}[modality]
    found = (folder / ("mri" if modality == "MR" else "pet")).glob("*.dcm")
    return [path for path in sorted(found) if pydicom.dcmread(path).SeriesInstanceUID == uid]


def change(path: Path, **attributes: Any) -> None:  # noqa: ANN401
    ds = pydicom.dcmread(path)
    for keyword, value in attributes.items():
        if value is None:
            del ds[keyword]
        else:
            setattr(ds, keyword, value)
    ds.save_as(path)


every_modality = pytest.mark.parametrize("modality", ["PT", "CT", "MR"])


@every_modality
@pytest.mark.parametrize("broken", [b"", bytes(900), b"\0" * 128 + b"DICM" + b"\xff" * 500])
def test_an_end_slice_that_cannot_be_read_is_not_lost_in_silence(
    tmp_path: Path, modality: str, broken: bytes
) -> None:
    files_of(study(tmp_path), modality)[-1].write_bytes(broken)
    with pytest.raises(InvalidInput, match="wanted every file in its folder to be readable"):
        read(modality, tmp_path)


@every_modality
@pytest.mark.parametrize(
    "attributes",
    [
        {"SeriesInstanceUID": "1.2.99"},
        {"FrameOfReferenceUID": "1.2.99"},
        {"PixelSpacing": [2.5, 2.5]},
        {"ImageOrientationPatient": [1, 0, 0, 0, 0, 1]},
        {"Rows": 10, "Columns": 12},
    ],
)
def test_an_end_slice_apart_from_its_series_is_not_lost_in_silence(
    tmp_path: Path, modality: str, attributes: dict[str, Any]
) -> None:
    change(files_of(study(tmp_path), modality)[-1], **attributes)
    with pytest.raises(InconsistentSeries, match="got one next to its end that differs in size"):
        read(modality, tmp_path)


@pytest.mark.parametrize("modality", ["PT", "MR"])
@pytest.mark.parametrize("attributes", [{"SOPClassUID": "1.2.99"}, {"SOPClassUID": ""}])
def test_a_slice_of_an_unknown_class_is_not_lost_in_silence(
    tmp_path: Path, modality: str, attributes: dict[str, Any]
) -> None:
    change(files_of(study(tmp_path), modality)[-1], **attributes)
    with pytest.raises(InconsistentSeries, match="wanted files of SOP classes that are known"):
        read(modality, tmp_path)


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.66", "1.3.12.2.1107.5.9.1"])
@pytest.mark.parametrize("modality", ["PT", "CT", "MR"])
def test_raw_data_of_the_images_modality_are_no_slice(
    tmp_path: Path, modality: str, sop_class: str
) -> None:
    path = files_of(study(tmp_path), modality)[-1]
    raw = pydicom.dcmread(path)
    raw.SOPClassUID = raw.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    raw.SOPInstanceUID = raw.SeriesInstanceUID = "1.2.99"
    for keyword in ("PixelData", "Rows", "Columns", "ImagePositionPatient"):
        del raw[keyword]
    raw.save_as(path.with_name("raw.dcm"))
    assert read(modality, tmp_path).inventory.series[0].stack is not None


def test_a_slice_that_names_no_series_is_not_lost_in_silence(tmp_path: Path) -> None:
    change(files_of(study(tmp_path), "PT")[-1], SeriesInstanceUID=None)
    with pytest.raises(InvalidInput, match="a DICOM file that names no series"):
        read("PT", tmp_path)


def test_a_file_cut_short_within_its_series_uid_does_not_say_whose_it_is(tmp_path: Path) -> None:
    path = files_of(study(tmp_path), "PT")[-1]
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x20\x00\x0e\x00UI") + 11])
    with pytest.raises(InvalidInput, match=r"is not \(a truncated file\)"):
        read("PT", tmp_path)


def test_a_broken_ct_does_not_stand_in_the_way_of_a_pet_that_says_it_is_one(tmp_path: Path) -> None:
    for path in files_of(study(tmp_path), "CT"):
        data = path.read_bytes()
        path.write_bytes(data[: data.index(b"\x20\x00\x0e\x00UI")])
    found = dicom.read_pet_study([tmp_path / "pet"])
    assert found.ct is None
    assert any("5 files could not be read" in note for note in found.assumptions)


def test_a_broken_file_in_another_folder_is_an_assumption(tmp_path: Path) -> None:
    (study(tmp_path) / "pet" / "other").mkdir()
    (tmp_path / "pet" / "other" / "0000.dcm").write_bytes(b"")
    found = dicom.read_pet_study([tmp_path / "pet"])
    assert any("1 files could not be read" in note for note in found.assumptions)


def test_a_series_that_says_how_many_slices_it_has_needs_no_other_file(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice, NumberOfSlices=6))
    (folder / "0006.dcm").write_bytes(b"")
    assert dicom.read_pet_study([folder]).suv.grid.shape[0] == 6


def test_fewer_slices_than_the_header_tells_of_are_an_assumption(tmp_path: Path) -> None:
    found = dicom.read_pet_study([saved(tmp_path, slices(pet_slice, NumberOfSlices=8))])
    says = "PT series 1.2.3.1 has 6 slices, its header tells of 8; some may be missing at its ends"
    assert says in found.assumptions


@pytest.mark.parametrize("name", ["._0006.dcm", "notes.txt", "DICOMDIR", "Thumbs.db"])
def test_what_is_no_slice_by_its_name_stands_in_nobody_s_way(tmp_path: Path, name: str) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    (folder / name).write_bytes(b"\0\x05\x16\x07 something else")
    assert dicom.read_pet_study([folder]).assumptions == (
        "no CT was found; the PET itself carries the registration",
    )


@pytest.mark.parametrize("name", ["IM7", "0007.dcm", "x.IMA"])
def test_what_is_named_like_a_slice_may_be_one(tmp_path: Path, name: str) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    (folder / "0005.dcm").rename(folder / "IM5")
    (folder / name).write_bytes(b"something else")
    with pytest.raises(InvalidInput, match="not DICOM, but named or begun like it"):
        dicom.read_pet_study([folder])


@pytest.mark.parametrize("drawn", ["nii.gz", "nii", "nrrd", "SEG", "RTSTRUCT"])
def test_a_segmentation_that_is_cut_short_is_not_passed_over(tmp_path: Path, drawn: str) -> None:
    pet, mri = small_study(tmp_path, drawn)
    path = next(path for path in mri.iterdir() if path.stem[0] not in "0123456789")
    whole = path.read_bytes()
    for share in (0.2, 0.6, 0.95):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InvalidInput):
            dicom.read_mri_study([mri], pet=dicom.read_pet_study([pet]))


def test_a_broken_label_file_beside_a_whole_one_is_refused_and_an_image_is_not(
    tmp_path: Path,
) -> None:
    _, mri = small_study(tmp_path)
    whole = (mri / "lesions.nii.gz").read_bytes()
    (mri / "other.nii.gz").write_bytes(whole[:-9])
    with pytest.raises(BrokenFile, match="wanted one that can be read"):
        dicom.read_mri_study([mri])
    (mri / "other.nii.gz").rename(mri / "other.nii")
    with pytest.raises(BrokenFile):
        dicom.read_mri_study([mri])


@every_modality
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BitsStored", 12),
        ("PixelRepresentation", 1),
        ("StudyInstanceUID", "1.2.99"),
        ("PhotometricInterpretation", "MONOCHROME1"),
    ],
)
def test_slices_that_disagree_about_their_pixels_are_refused(
    tmp_path: Path, modality: str, keyword: str, value: object
) -> None:
    change(files_of(study(tmp_path), modality)[2], **{keyword: value})
    with pytest.raises(InconsistentSeries, match=f"wanted one value of {keyword} in all slices"):
        read(modality, tmp_path)


@pytest.mark.parametrize("place", [0, 2, 4])
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientWeight", 71),
        ("PatientSize", 1.8),
        ("Units", "CNTS"),
        ("SUVType", "BW"),
        ("DecayCorrection", "ADMIN"),
        ("SeriesTime", "110500"),
        ("CorrectedImage", ["ATTN"]),
        ("TimezoneOffsetFromUTC", "+0100"),
        ("DecayCorrectionDateTime", "20250102110000"),
    ],
)
def test_slices_that_disagree_about_what_makes_their_suv_are_refused(
    tmp_path: Path, place: int, keyword: str, value: object
) -> None:
    datasets = slices(pet_slice, 5)
    setattr(datasets[place], keyword, value)
    with pytest.raises(InconsistentSeries, match=f"wanted one value of {keyword} in all slices"):
        dicom.read_pet_study([saved(tmp_path, datasets)])


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("RadionuclideTotalDose", 141e6),
        ("RadionuclideHalfLife", 4063),
        ("RadiopharmaceuticalStartDateTime", "20250102100100"),
    ],
)
def test_slices_of_different_doses_are_refused(tmp_path: Path, keyword: str, value: object) -> None:
    datasets = slices(pet_slice)
    setattr(agent_of(datasets[3]), keyword, value)
    with pytest.raises(InconsistentSeries, match=f"wanted one value of {keyword} in all slices"):
        dicom.read_pet_study([saved(tmp_path, datasets)])


def test_slices_of_different_nuclides_are_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    agent_of(datasets[3]).RadionuclideCodeSequence[0].CodeValue = "77004003"
    with pytest.raises(InconsistentSeries, match="wanted one value of nuclide in all slices"):
        dicom.read_pet_study([saved(tmp_path, datasets)])


@every_modality
@pytest.mark.parametrize(
    ("slope", "says"),
    [
        (None, "got 1 without"),
        (0, "got 0"),
        (-1, "got -1"),
        (7, "wanted one value of RescaleSlope"),
    ],
)
def test_a_slope_that_cannot_be_or_is_odd_is_refused(
    tmp_path: Path, modality: str, slope: float | None, says: str
) -> None:
    datasets = [MAKERS[modality](n, RescaleSlope=2, RescaleIntercept=0) for n in range(6)]
    if slope is None:
        del datasets[4].RescaleSlope
    else:
        datasets[4].RescaleSlope = slope
    folder = saved(tmp_path / "mri", datasets)
    with pytest.raises(InvalidInput, match=says if modality != "CT" else "RescaleSlope"):
        _volume(folder, modality)


def _volume(folder: Path, modality: str) -> object:
    """The numbers of the one series in a folder."""
    from lesionmatch.dicom import ct, mri, pet

    record = dicom.scan([folder]).series[0]
    if modality == "PT":
        return pet.read_suv(record, dicom.ReadOptions())
    readers = {"CT": ct.read_hounsfield, "MR": mri.read_signal}
    return readers[modality](record, dicom.ReadOptions())


def test_each_slice_of_a_pet_may_have_a_slope_of_its_own(tmp_path: Path) -> None:
    datasets = [pet_slice(n, RescaleSlope=1 + 0.5 * n) for n in range(6)]
    values = dicom.read_pet_study([saved(tmp_path, datasets)]).suv.array[:, 0, 0]
    assert values / values[0] == pytest.approx([1, 3, 6, 10, 15, 21])


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize(
    ("intercepts", "says"),
    [
        ([0, 0, 0, 7, 0, 0], "wanted one value of RescaleIntercept"),
        ([1e9] * 6, "wanted a RescaleIntercept within the range of the pixels"),
    ],
)
def test_an_intercept_that_is_odd_or_buries_the_pixels_is_refused(
    tmp_path: Path, modality: str, intercepts: list[float], says: str
) -> None:
    datasets = [MAKERS[modality](n, RescaleIntercept=b) for n, b in enumerate(intercepts)]
    with pytest.raises(InvalidInput, match=says):
        _volume(saved(tmp_path, datasets), modality)


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"RescaleIntercept": 30000}, "wanted a CT of -3100 to 1000 HU in its middle, got 30003"),
        ({"RescaleIntercept": None}, "wanted RescaleIntercept, got nothing; it has no HU"),
    ],
)
def test_a_ct_without_hounsfield_units_is_refused(
    tmp_path: Path, attributes: dict[str, Any], says: str
) -> None:
    datasets = [MAKERS["CT"](n, **attributes) for n in range(6)]
    with pytest.raises(InvalidInput, match=says):
        _volume(saved(tmp_path, datasets), "CT")


def test_an_image_that_holds_more_than_the_dose_is_refused(tmp_path: Path) -> None:
    datasets = slices(pet_slice, RescaleSlope=1e7)
    with pytest.raises(InvalidInput, match=r"wanted no more activity than was injected, got \d"):
        dicom.read_pet_study([saved(tmp_path, datasets)])


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"FrameReferenceTime": 99999999999}, "wanted FrameReferenceTime and a positive"),
        ({"ActualFrameDuration": -1}, "wanted FrameReferenceTime and a positive"),
        ({"FrameReferenceTime": 2e9, "AcquisitionTime": "110000"}, "min after injection"),
    ],
)
def test_times_that_cannot_be_are_refused(
    tmp_path: Path, attributes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        dicom.read_pet_study([saved(tmp_path, slices(pet_slice, **attributes))])


def test_a_slice_whose_time_does_not_fit_the_others_is_an_assumption(tmp_path: Path) -> None:
    datasets = slices(pet_slice)
    datasets[2].FrameReferenceTime = 659900
    found = dicom.read_pet_study([saved(tmp_path, datasets)])
    says = "of decay correction up to 600 s apart; their median was taken"
    assert any(note.endswith(says) for note in found.assumptions)
    assert found.suv_facts.least_factor == found.suv_facts.most_factor


def test_a_header_that_no_other_bears_out_does_not_speak_for_its_series(tmp_path: Path) -> None:
    _, mri = small_study(tmp_path)
    change(files_of(tmp_path, "MR")[0], SeriesDescription="t1 vibe fs arterial")
    assert dicom.read_mri_study([mri]).hbp_series.uid == "1.2.4.1"


def test_a_ct_that_is_broken_beside_another_is_named(tmp_path: Path) -> None:
    datasets = slices(pet_slice) + [instance(CT, "1.2.3.7", n) for n in range(6)]
    gap = [instance(CT, "1.2.3.6", n) for n in (0, 1, 3, 4, 5)]
    found = dicom.read_pet_study([saved(tmp_path, datasets + gap)])
    assert found.ct_series is not None
    assert found.ct_series.uid == "1.2.3.7"
    assert any(note.startswith("1.2.3.6 could not be used (") for note in found.assumptions)

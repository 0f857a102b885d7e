"""What a simulated study looks like as DICOM."""

import hashlib
import shutil
import subprocess
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from lesionmatch.dicom.write import pet as write_pet
from lesionmatch.dicom.write import series as write
from lesionmatch.errors import WrongQuantity
from lesionmatch.phantom import (
    Export,
    Layout,
    LesionRecipe,
    Outlines,
    Recipe,
    Scenario,
    SimulatedStudy,
    Size,
    Storage,
    scenario_recipe,
    simulate,
    typical_recipe,
    write_study,
)
from lesionmatch.phantom.visit import series, visits
from lesionmatch.segments import Kind

RECIPE = Recipe(
    seed=3, size=Size.SMALL, lesions=(LesionRecipe(20.0, 3.0), LesionRecipe(12.0, 0.1, Kind.CYST))
)


@cache
def study() -> SimulatedStudy:
    return simulate(RECIPE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both folders with their truth beside them."""
    home = tmp_path_factory.mktemp("study")
    write_study(study(), home / "pet", home / "mri", home / "truth.json")
    return home


def datasets(folder: Path, modality: str, number: int) -> list[Dataset]:
    """One series, feet first."""
    files = sorted(folder.rglob(f"{modality}{number:03d}_*"))
    return sorted((pydicom.dcmread(f) for f in files), key=lambda ds: -int(ds.InstanceNumber))


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_same_study_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_study(study(), tmp_path / "pet", tmp_path / "mri", tmp_path / "truth.json")
    assert digests(tmp_path) == digests(folder)


def test_suv_follows_from_the_header_alone(folder: Path) -> None:
    slices = datasets(folder / "pet", "PT", 3)
    first = slices[0]
    tracer = first.RadiopharmaceuticalInformationSequence[0]
    injected = datetime.strptime(tracer.RadiopharmaceuticalStartDateTime, "%Y%m%d%H%M%S.%f")
    started = datetime.strptime(first.SeriesDate + first.SeriesTime, "%Y%m%d%H%M%S.%f")
    lived = (started - injected).total_seconds() / float(tracer.RadionuclideHalfLife)
    left_bq = float(tracer.RadionuclideTotalDose) * 2**-lived
    suv_per_bq = float(first.PatientWeight) * 1000.0 / left_bq
    volume = np.stack([ds.pixel_array * float(ds.RescaleSlope) * suv_per_bq for ds in slices])
    np.testing.assert_allclose(volume, study().suv.array, atol=volume.max() / 60000, rtol=1e-5)


def test_every_bed_says_the_same_decay_reference(folder: Path) -> None:
    slices = datasets(folder / "pet", "PT", 3)
    assert len({ds.AcquisitionTime for ds in slices}) > 1
    references = set()
    for ds in slices:
        rate = np.log(2) / float(ds.RadiopharmaceuticalInformationSequence[0].RadionuclideHalfLife)
        lived = rate * float(ds.ActualFrameDuration) / 1000
        average_s = np.log(lived / (1 - np.exp(-lived))) / rate
        at = datetime.strptime(ds.AcquisitionDate + ds.AcquisitionTime, "%Y%m%d%H%M%S.%f")
        references.add(round(at.timestamp() + average_s - float(ds.FrameReferenceTime) / 1000, 2))
    started = datetime.strptime(slices[0].SeriesDate + slices[0].SeriesTime, "%Y%m%d%H%M%S.%f")
    assert references == {started.timestamp()}


def test_ct_and_mri_come_back_with_their_values_and_places(folder: Path) -> None:
    for modality, number, image in (("CT", 2, study().ct), ("MR", 20, study().hbp)):
        slices = datasets(folder, modality, number)
        slope, intercept = (
            float(slices[0].get(name, default))
            for name, default in (("RescaleSlope", 1), ("RescaleIntercept", 0))
        )
        volume = np.stack([ds.pixel_array * slope + intercept for ds in slices])
        np.testing.assert_array_equal(volume, image.array)
        place = [float(v) for v in slices[7].ImagePositionPatient]
        np.testing.assert_allclose(place, image.grid.world((7, 0, 0)), atol=1e-4)


def test_the_folders_hold_what_a_scanner_exports(folder: Path) -> None:
    described = Counter(
        (ds.Modality, ds.SeriesDescription)
        for path in sorted(folder.rglob("*_0*"))
        for ds in [pydicom.dcmread(path, stop_before_pixels=True)]
    )
    assert described[("MR", "localizer")] == 3
    assert described[("MR", "t1_fl2d_opp-in_tra_bh")] == 10
    assert described[("PT", "PET WB NAC 200")] == 5
    assert described[("OT", "Patient Protocol")] == 2
    assert len(described) == 15
    assert (folder / "pet" / "README.txt").exists()


def test_the_seg_holds_the_lesions_with_their_codes(folder: Path) -> None:
    (seg,) = datasets(folder / "mri", "SEG", 90)
    codes = [s.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for s in seg.SegmentSequence]
    assert codes == ["Metastasis", "Cyst"]
    drawn = [int(np.count_nonzero(s.mask.array)) for s in study().segments]
    numbers = [
        int(f.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        for f in seg.PerFrameFunctionalGroupsSequence
    ]
    frames = np.atleast_3d(seg.pixel_array)
    for number, voxels in enumerate(drawn, 1):
        assert frames[np.array(numbers) == number].sum() == voxels


def test_without_lesions_the_seg_has_one_empty_segment(tmp_path: Path) -> None:
    empty = simulate(Recipe(seed=3))
    write_study(empty, tmp_path / "pet", tmp_path / "mri", export=Export(has_decoys=False))
    (seg,) = datasets(tmp_path / "mri", "SEG", 90)
    assert len(seg.SegmentSequence) == 1
    assert seg.pixel_array.sum() == 0


def test_rtstruct_contours_enclose_the_voxels_drawn(tmp_path: Path) -> None:
    how = Export(Outlines.RTSTRUCT, has_decoys=False, has_liver_outline=True)
    write_study(study(), tmp_path / "pet", tmp_path / "mri", export=how)
    (drawn,) = datasets(tmp_path / "mri", "RTSTRUCT", 90)
    (liver,) = datasets(tmp_path / "mri", "RTSTRUCT", 91)
    assert [roi.ROIName for roi in liver.StructureSetROISequence] == ["Liver"]
    points = np.concatenate(
        [np.reshape(c.ContourData, (-1, 3)) for c in drawn.ROIContourSequence[0].ContourSequence]
    ).astype(float)
    voxels = study().segments[0].mask.points_mm()
    assert (points.min(0)[:2] < voxels.min(0)[:2]).all()
    assert (points.max(0)[:2] > voxels.max(0)[:2]).all()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
def test_an_independent_validator_finds_no_error(folder: Path) -> None:
    for path in sorted(folder.rglob("*_00001*")):
        done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        assert errors == [], path.name


def test_a_series_of_another_quantity_is_refused() -> None:
    header = write.Series(
        write.StudyHeader("1.2", write.Patient("1", "A^B", "19500101", "F", 60.0, 1.7),
                          datetime(2024, 1, 1), "", "", "", ""),
        1, "", datetime(2024, 1, 1), ("ORIGINAL", "PRIMARY"),
    )  # fmt: skip
    with pytest.raises(WrongQuantity, match="wanted HU"):
        write.ct_series(study().suv, header)
    with pytest.raises(WrongQuantity, match="wanted arbitrary units"):
        write.mr_series(study().suv, header)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.00000000"),
        (0.0, "0"),
        (-123.456789012345, "-123.45678901"),
        (1.8e8, "180000000.000000"),
        (-1.23456789e12, "-1234567890000.0"),
    ],
)
def test_decimal_strings_fit_their_sixteen_characters(value: float, text: str) -> None:
    assert write.decimal(value) == text
    assert len(text) <= 16


@pytest.mark.parametrize(
    ("scenario", "cell"),
    [
        (Scenario.CLEAN, "TN"),
        (Scenario.SMALL, "FN"),
        (Scenario.AVID_HAEMANGIOMA, "FP"),
        (Scenario.GUT, "TN"),
    ],
)
def test_scenarios_end_in_the_cell_they_are_named_for(scenario: Scenario, cell: str) -> None:
    assert simulate(scenario_recipe(scenario, 77)).truth.cell == cell


def test_typical_recipes_differ_and_repeat() -> None:
    recipes = [typical_recipe(seed) for seed in range(40)]
    assert recipes == [typical_recipe(seed) for seed in range(40)]
    assert len({recipe.breathing_mm for recipe in recipes}) == 40
    assert {len(recipe.lesions) > 0 for recipe in recipes} == {True, False}


@pytest.mark.parametrize("storage", list(Storage))
def test_every_storage_amounts_to_the_same_suv(storage: Storage) -> None:
    when = visits(Recipe(seed=5))
    header = series(when.pet, 3, "PET", when.pet.start)
    thin = study().suv.crop((slice(30, 34), slice(0, 78), slice(0, 102)))
    how = write_pet.Acquisition(storage, slices_per_bed=2)
    slices = write_pet.pet_series(thin, header, when.injection, how)
    weight_g, dose_bq = float(slices[0].PatientWeight) * 1000, when.injection.dose_bq
    for ds, plane in zip(reversed(slices), thin.array, strict=True):
        since_s = (when.pet.start - when.injection.at).total_seconds()
        if storage is Storage.BQML_NONE:
            since_s += float(ds.FrameReferenceTime) / 1000
        decayed = 2 ** (-since_s / 4062.6) if storage is not Storage.BQML_ADMIN else 1.0
        factor = {"GML": 1.0, "CNTS": 0.000731, "BQML": weight_g / (dose_bq * decayed)}[ds.Units]
        stored = np.frombuffer(ds.PixelData, "<i2").reshape(plane.shape)
        suv = stored * float(ds.RescaleSlope) * factor
        np.testing.assert_allclose(suv, plane, atol=plane.max() / 60000, rtol=1e-5)


def test_layouts_hold_the_same_instances(tmp_path: Path) -> None:
    uids = []
    for layout in Layout:
        how = Export(layout=layout, has_decoys=False)
        write_study(study(), tmp_path / layout.value / "pet", tmp_path / layout.value / "mri",
                    export=how)  # fmt: skip
        files = [p for p in (tmp_path / layout.value).rglob("*") if p.is_file()]
        uids.append({pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID for p in files})
    assert uids[0] == uids[1] == uids[2]
    assert (tmp_path / "nested" / "pet" / "S00003" / "I000001").exists()
    assert (tmp_path / "numbered" / "mri" / "00000001").exists()


def test_bare_names_do_not_tell_the_phases_apart(tmp_path: Path) -> None:
    write_study(study(), tmp_path / "p", tmp_path / "m", export=Export(has_bare_names=True))
    phases = [datasets(tmp_path / "m", "MR", number)[0] for number in (11, 12, 13, 20)]
    assert {ds.SeriesDescription for ds in phases} == {"t1_vibe_tra"}
    assert len({ds.AcquisitionTime for ds in phases}) == 4


def test_without_codes_only_the_labels_tell_the_lesions_apart(tmp_path: Path) -> None:
    how = Export(has_decoys=False, has_codes=False)
    write_study(study(), tmp_path / "pet", tmp_path / "mri", export=how)
    (seg,) = datasets(tmp_path / "mri", "SEG", 90)
    codes = {s.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for s in seg.SegmentSequence}
    assert codes == {"Lesion"}
    assert [s.SegmentLabel for s in seg.SegmentSequence] == ["Metastasis 1", "Cyst 2"]

"""`inspect` and `suv` as a person and as a script read them."""

import json
import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from lesionmatch import dicom, nifti
from lesionmatch.cli import main
from lesionmatch.cli.parser import parser
from lesionmatch.cli.verbs import options_of
from lesionmatch.dicom import ReadOptions
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import LabelMap, Quantity
from lesionmatch.suv import BodySize
from tests.reading_files import (
    COLUMNS,
    CT,
    ROWS,
    changed,
    hbp_slice,
    instance,
    pet_slice,
    saved,
    slices,
)

Said = Callable[..., str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What a command prints, which has to end with the status named."""

    def run(*argv: object, status: int = 0) -> str:
        capsys.readouterr()
        assert main([str(word) for word in argv]) == status
        printed = capsys.readouterr()
        return printed.err if status else printed.out

    return run


def few_files(folder: Path) -> tuple[Path, Path]:
    """A PET/CT, and an MRI with eight voxels drawn on it."""
    ct = [instance(CT, "1.2.3.7", n) for n in range(4)]
    pet, mri = (
        saved(folder / "pet", slices(pet_slice, 4) + ct),
        saved(folder / "mri", slices(hbp_slice, 4)),
    )
    grid = Grid.of(
        Frame("1.2.8"), (4, ROWS, COLUMNS), origin_mm=(-20, -30, 0), spacing_mm=(3, 2, 2)
    )
    array = np.zeros(grid.shape, np.uint16)
    array[1:3, 4:6, 4:6] = 1
    nifti.write(LabelMap(grid, array), mri / "lesions.nii.gz")
    return pet, mri


def looked(said: Said, *argv: object) -> Any:  # noqa: ANN401
    return json.loads(said(*argv, "--json"))


def test_inspect_shows_what_a_comparison_would_take(tmp_path: Path, said: Said) -> None:
    pet, mri = few_files(tmp_path)
    page = said("inspect", pet, mri)
    taken = page.split("a comparison would take\n")[1].split("\n\n")[0].splitlines()
    assert taken == [
        "  PET  series PT ?",
        "  CT   series CT ?",
        "  HBP  series MR ? with 9 points",
    ]
    assert "SUV 0.000924" in page
    assert "70 kg, 140 MBq 68Ga, imaged 60 min after injection" in page.replace("\n        ", " ")
    assert "label file  label 1  label 1  lesion: unspecified  0.096      MR" in page


def test_inspect_s_json_says_the_same_under_its_documented_keys(tmp_path: Path, said: Said) -> None:
    pet, mri = few_files(tmp_path)
    found = looked(said, "inspect", pet, mri)
    assert set(found) == {
        *("schema", "files", "series", "pet", "ct", "hbp", "drawn", "label_files", "skipped"),
        "warnings",
    }
    assert {one["used_as"]: one["series"] for one in found["series"]} == {
        "PET": "1.2.3.1",
        "CT": "1.2.3.7",
        "HBP": "1.2.4.1",
    }
    assert [found[name]["series"] for name in ("pet", "ct", "hbp")] == [
        *("1.2.3.1", "1.2.3.7", "1.2.4.1")
    ]
    ((segment,),) = [file["segments"] for file in found["drawn"]]
    assert segment == {
        "label": "label 1",
        "meaning": "unspecified",
        "is_lesion": True,
        "volume_ml": 0.096,
        "voxels": 8,
        "from": "label 1",
        "drawn_on": "MR",
    }


def test_inspect_gives_every_pet_series_its_suv_or_its_reason(tmp_path: Path, said: Said) -> None:
    def no_weight(ds: Dataset) -> None:
        del ds.PatientWeight

    folder = saved(tmp_path, changed(slices(pet_slice, SeriesNumber=1), no_weight))
    saved(folder, slices(pet_slice, series="1.2.3.2", CorrectedImage=["DECY"], SeriesNumber=2))
    page = said("inspect", folder)
    assert "PT 1: none; wanted PatientWeight for SUV, got nothing; give --weight-kg" in page
    assert "PT 2: none; set aside: not corrected for attenuation" in page
    one, two = looked(said, "inspect", folder)["series"]
    assert one["suv"] is None
    assert one["suv_refusal"].startswith("wanted PatientWeight")
    assert two["suv_refusal"] == "set aside: not corrected for attenuation"


def test_inspect_lists_the_evidence_for_and_against(tmp_path: Path, said: Said) -> None:
    late = slices(hbp_slice, SeriesNumber=7, SeriesDescription="vibe fs 3 min")
    page = said("inspect", saved(tmp_path, late))
    assert "against: description says 1 to 8 minutes (-3)" in page
    assert "for: contrast agent is gadoxetate (+2); 3D gradient echo (+1);" in page


def test_series_of_one_number_are_told_apart(tmp_path: Path, said: Said) -> None:
    folder = saved(tmp_path, slices(hbp_slice, SeriesNumber=7))
    saved(folder, slices(hbp_slice, series="1.2.4.123456", SeriesNumber=7))
    page = said("inspect", folder)
    assert "MR 7 (..123456): HBP" in page
    assert "got several as likely" in page


def test_inspect_warns_of_two_patients_without_naming_either(tmp_path: Path, said: Said) -> None:
    folder = saved(tmp_path, slices(hbp_slice))
    saved(folder, slices(hbp_slice, series="1.2.4.2", PatientID="Q7", SeriesDescription="t2"))
    page = said("inspect", folder)
    assert "warning: MR series 1.2.4.2 has another PatientID than MR series 1.2.4.1" in page
    assert "Q7" not in page


def test_inspect_says_why_a_drawing_cannot_be_used(tmp_path: Path, said: Said) -> None:
    mri = few_files(tmp_path)[1]
    (mri / "far.nii.gz").write_bytes(b"no NIfTI")
    drawn = looked(said, "inspect", mri)["drawn"]
    assert [file["refusal"] is None for file in drawn] == [False, True]
    assert "note: label file cannot be used" in said("inspect", mri)


def test_no_description_of_the_header_is_printed_unless_asked_for(
    tmp_path: Path, said: Said
) -> None:
    folder = saved(tmp_path, slices(hbp_slice, SeriesDescription="hbp of Mr Smith"))
    assert "Smith" not in said("inspect", folder) + said("inspect", folder, "--json")
    assert "A^B" not in said("inspect", folder, "--phi")
    assert "hbp of Mr Smith" in said("inspect", folder, "--phi")
    found = looked(said, "inspect", folder, "--phi")
    assert found["series"][0]["description"] == "hbp of Mr Smith"


def test_a_folder_without_dicom_is_refused(tmp_path: Path, said: Said) -> None:
    (tmp_path / "notes.txt").write_text("none")
    assert "wanted DICOM files, got none (1 not DICOM)" in said("inspect", tmp_path, status=2)


AN_HOUR = 70_000 / (140e6 * 0.5 ** (3600 / 4062.6))


def test_suv_says_how_it_came_about_and_writes_the_map(tmp_path: Path, said: Said) -> None:
    folder, out = saved(tmp_path / "pet", slices(pet_slice)), tmp_path / "suv.nii.gz"
    page = said("suv", folder, "-o", out)
    for line in (
        "SUV by body weight, of series 1.2.3.1",
        "units      BQML, corrected for decay to the start of imaging",
        "weight     70 kg",
        "dose       140 MBq (RadionuclideTotalDose)",
        "half-life  4062.6 s (68Ga)",
        "injection  60.0 min before imaging (RadiopharmaceuticalStartDateTime)",
        "map        6 x 12 x 10 voxels of 3.00 x 2.00 x 2.00 mm",
        f"written to {out}",
    ):
        assert line in page
    written = nifti.read_image(out, Quantity.SUV_BW, Frame("pet")).array
    assert written[5, 0, 0] == pytest.approx(6 * AN_HOUR, rel=1e-5)


def test_every_reference_time_is_printed_with_the_suv_it_would_make(
    tmp_path: Path, said: Said
) -> None:
    late = slices(pet_slice, SeriesTime="111000")
    page = said("suv", saved(tmp_path, late))
    table = page.split("time of decay correction  ")[1].split("\n\n")[0].splitlines()[2:]
    rows = [line.split("  ") for line in table]
    found = {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in rows}
    assert found == {
        "AcquisitionTime, FrameReferenceTime and mean activity": ["60.00", "+0.0 %", "used"],
        # Ten minutes of 68Ga are 2 ** (600 / 4062.6).
        "SeriesTime": ["70.00", "+10.8 %"],
        "earliest AcquisitionTime": ["60.00", "+0.0 %"],
    }


def test_suv_s_json_holds_every_fact(tmp_path: Path, said: Said) -> None:
    found = looked(said, "suv", saved(tmp_path, slices(pet_slice)), "--weight-kg", "80")
    assert set(found) == {
        *("schema", "used", "by", "unit", "body_size", "units", "decay_correction", "suv_type"),
        *("weight_kg", "dose_mbq", "dose_from", "nuclide", "half_life_s", "injected_from"),
        *("uptake_min", "references_s", "reference", "least_factor", "most_factor", "overrides"),
        *("reconstruction", "shape", "spacing_mm", "least", "most", "negative_voxels"),
        *("assumptions", "series"),
    }
    assert found["unit"] == "g/ml{SUVbw}"
    assert found["overrides"] == [
        {"option": "--weight-kg", "unit": "kg", "given": 80.0, "header": 70.0}
    ]
    assert found["most"] == pytest.approx(6 * AN_HOUR * 80 / 70, rel=1e-5)
    assert [one["series"] for one in found["series"]] == ["1.2.3.1"]


@pytest.mark.parametrize(
    ("by", "size", "unit"),
    [
        ("lbm", 1.10 * 70 - 120 * 0.16, "g/ml{SUVlbm}"),
        ("LBMJAMES128", 1.10 * 70 - 128 * 0.16, "g/ml{SUVlbm(James128)}"),
        ("lbmjanma", 9270 * 70 / (6680 + 216 * 70 / 1.75**2), "g/ml{SUVlbm(Janma)}"),
        ("ibw", 48 + 1.06 * 23, "g/ml{SUVibw}"),
        ("bsa", 0.007184 * 175**0.725 * 70**0.425 * 10_000, "cm2/ml{SUVbsa}"),
    ],
)
def test_suv_by_another_size_divides_the_dose_by_it(
    tmp_path: Path, said: Said, by: str, size: float, unit: str
) -> None:
    found = looked(said, "suv", saved(tmp_path, slices(pet_slice)), "--by", by)
    assert found["unit"] == unit
    assert found["body_size"] == pytest.approx(size, rel=1e-9)
    per_gram = AN_HOUR / 70_000
    expected = 6 * per_gram * (size if by == "bsa" else 1000 * size)
    assert found["most"] == pytest.approx(expected, rel=1e-4)


def test_height_and_sex_of_the_user_s_go_into_the_lean_body_mass(
    tmp_path: Path, said: Said
) -> None:
    folder = saved(tmp_path, slices(pet_slice, PatientSize=None, PatientSex="O"))
    assert "wanted PatientSize, got nothing" in said("suv", folder, "--by", "LBM", status=2)
    found = looked(said, "suv", folder, *shlex.split("--by LBM --height-m 1.75 --sex F"))
    assert found["body_size"] == pytest.approx(1.07 * 70 - 148 * 0.16)
    assert [one["option"] for one in found["overrides"]] == ["--height-m", "--sex"]


def test_the_scanner_s_own_suv_is_freed_of_the_weight_that_went_into_it(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice, Units="GML", SUVType="BW"))
    made = dicom.read_suv_map([folder], ReadOptions(weight_kg=90.0), BodySize.IDEAL_WEIGHT)
    assert made.image.array[0, 0, 0] == pytest.approx((48 + 1.06 * 23) / 70)
    assert made.image.quantity is Quantity.SUV_OTHER


def test_a_sex_that_is_not_stated_is_an_assumption(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice, PatientSex=""))
    made = dicom.read_suv_map([folder], size=BodySize.LEAN_MORGAN)
    assert any("mean of both formulas" in note for note in made.assumptions)


def test_a_height_in_centimetres_is_refused_where_the_user_gives_it(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    with pytest.raises(InvalidInput, match=r"wanted a height of 0\.4 to 2\.6 m, got 175"):
        dicom.read_pet_study([folder], ReadOptions(height_m=175.0))


def test_negative_voxels_are_counted(tmp_path: Path, said: Said) -> None:
    def negative(ds: Dataset) -> None:
        ds.PixelRepresentation = 1
        ds.PixelData = np.full((ds.Rows, ds.Columns), -5, "<i2").tobytes()

    folder = saved(tmp_path, changed(slices(pet_slice), negative))
    assert looked(said, "suv", folder)["negative_voxels"] == 720
    assert "negative   720 voxels, kept as they are" in said("suv", folder)


def test_the_other_pet_series_are_listed_with_their_reason(tmp_path: Path, said: Said) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    saved(folder, slices(pet_slice, series="1.2.3.2", CorrectedImage=["DECY"]))
    page = said("suv", folder)
    assert "other PET series\n  1.2.3.2\n    SUV: none; set aside: not corrected" in page


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--injected-at", "09:30"], "wanted a day and a time without a zone"),
        (["--injected-at", "2025-01-02"], "wanted a day and a time without a zone"),
        (["--reference-at", "2025-01-02T10:00+01:00"], "wanted a day and a time without a zone"),
        (["-o", "suv.dcm"], "wanted a name ending in .nii or .nii.gz"),
        (["--dose-mbq", "-3"], "wanted a number above 0"),
        (["--by", "LBMX"], "invalid choice"),
        (["--sex", "O"], "wanted M or F"),
    ],
)
def test_a_mistyped_option_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], argv: list[str], says: str
) -> None:
    with pytest.raises(SystemExit):
        main(["suv", "nowhere", *argv])
    assert says in capsys.readouterr().err


def test_times_of_the_user_s_are_used_and_recorded_without_their_date(
    tmp_path: Path, said: Said
) -> None:
    folder = saved(tmp_path, slices(pet_slice))
    text = said("suv", folder, "--injected-at", "2025-01-02T10:30", "--json")
    found = json.loads(text)
    assert found["uptake_min"] == pytest.approx(30.0)
    assert found["overrides"][0]["header"] == pytest.approx(60.0)
    assert "2025-01-02" not in text
    assert "20250102" not in text


def test_compare_takes_the_same_overrides_and_records_them() -> None:
    argv = "compare pet mri --dose-mbq 150 --height-m 1.8 --injected-at 2025-01-02T10:05"
    options = options_of(parser().parse_args(shlex.split(argv)))
    assert (options.dose_mbq, options.height_m) == (150.0, 1.8)
    assert options.injected_at == datetime(2025, 1, 2, 10, 5)
    record = options.to_json()
    assert (record["dose_mbq"], record["injected_at"]) == (150.0, "given")


def test_enhanced_pet_is_refused_with_its_remedy(tmp_path: Path, said: Said) -> None:
    enhanced = slices(pet_slice, SOPClassUID="1.2.840.10008.5.1.4.1.1.130")
    folder = saved(tmp_path, enhanced)
    line = said("suv", folder, status=2)
    assert "Enhanced PET, which is not read: export it as classic PET, one file a slice" in line
    asked = said("suv", folder, "--pet-series", "1.2.3.1", status=2)
    assert "export it as classic PET" in asked


def test_a_ct_without_pet_has_neither_pet_nor_suv(tmp_path: Path, said: Said) -> None:
    found = looked(said, "inspect", saved(tmp_path, [instance(CT, "1.2.3.7", n) for n in range(4)]))
    assert (found["pet"], found["ct"], found["hbp"]) == (None, None, None)

"""The command line as a user types it: one study all the way, and every refusal's sentence."""

import csv
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lesionmatch import nifti
from lesionmatch.cli import main
from lesionmatch.columns import LESIONS, RELATIONS
from lesionmatch.geometry import Frame
from lesionmatch.image import Quantity
from lesionmatch.phantom import demo_recipe, simulate, write_study
from lesionmatch.resample import read_transform

DEMO = Path(__file__).parent.parent / "fixtures" / "demo"
PET, MRI = str(DEMO / "pet"), str(DEMO / "mri")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compare") / "out"
    assert main(["compare", PET, MRI, "-o", str(out), "-q"]) == 0
    return out


def truth() -> dict[str, object]:
    return json.loads((DEMO / "truth.json").read_text())  # type: ignore[no-any-return]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_output_stands_where_it_is_promised(compared: Path) -> None:
    wanted = ["report.html", "lesions.csv", "relations.csv", "comparison.json", "run.json"]
    wanted += ["transforms/mri_from_pet.h5"]
    images = ("suv", "ct", "mri_on_pet", "lesions_on_pet", "liver_on_pet", "foci_on_pet")
    wanted += [f"images/{name}.nii.gz" for name in images]
    wanted += [row["overlay"] for row in rows(compared / "lesions.csv")]
    assert [name for name in wanted if not (compared / name).is_file()] == []


def test_the_tables_have_exactly_their_columns(compared: Path) -> None:
    for name, columns in (("lesions.csv", LESIONS), ("relations.csv", RELATIONS)):
        header = (compared / name).read_text().splitlines()[0]
        assert header.split(",") == [column.name for column in columns]


def test_the_images_share_the_pet_s_grid(compared: Path) -> None:
    images = sorted((compared / "images").glob("*_on_pet.nii.gz"))
    suv = nifti.read_image(compared / "images" / "suv.nii.gz", Quantity.SUV_BW, Frame("pet"))
    assert len(images) == 4
    for path in images:
        other = nifti.read_image(path, Quantity.ARBITRARY, Frame("pet"))
        assert other.grid.matches(suv.grid), path.name


def test_every_lesion_lands_within_5_mm_of_its_true_place(compared: Path) -> None:
    found = [row for row in rows(compared / "lesions.csv") if row["source"] == "mri"]
    true = truth()["lesions"]
    assert isinstance(true, list)
    assert len(found) == len(true)
    for row, lesion in zip(found, true, strict=True):
        place = [float(row[f"pet_{axis}_mm"]) for axis in "xyz"]
        assert np.linalg.norm(np.subtract(place, lesion["pet_mm"])) < 5.0


def test_status_and_cell_are_the_truth_s(compared: Path) -> None:
    calls = json.loads((compared / "comparison.json").read_text())["calls"]
    true = truth()["calls"]
    assert isinstance(true, dict)
    assert {name: calls[name] for name in true} == true
    statuses = [row["pet_status"] for row in rows(compared / "lesions.csv")][:7]
    assert statuses == ["positive"] * 4 + ["negative"] * 3


def test_the_written_transform_leads_from_the_pet_to_the_mri(compared: Path) -> None:
    first = rows(compared / "lesions.csv")[0]
    on_pet, on_mri = (
        np.array([[float(first[f"{where}_{axis}_mm"]) for axis in "xyz"]])
        for where in ("pet", "mri")
    )
    path = compared / "transforms" / "mri_from_pet.h5"
    mapped = read_transform(path, target=Frame("mri"), source=Frame("pet")).apply(on_pet)
    assert np.linalg.norm(mapped - on_mri) < 2.0  # landmarks may move a lesion a little


def test_the_run_says_what_it_took(compared: Path) -> None:
    run = json.loads((compared / "run.json").read_text())
    assert {"reading", "registering", "drawing"} <= set(run["seconds"])
    unit = 1e6 if sys.platform == "darwin" else 1e3
    of_this_process_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    assert 100.0 < run["peak_memory_mb"] < of_this_process_mb + 0.1
    assert any(series["set_aside"] for series in run["series"])


def test_the_same_input_gives_the_same_answer(compared: Path, tmp_path: Path) -> None:
    main(["compare", PET, MRI, "-o", str(tmp_path / "again"), "-q", "--no-overlays"])
    for name in ("lesions.csv", "relations.csv"):
        first, again = rows(compared / name), rows(tmp_path / "again" / name)
        for row in (*first, *again):
            row.pop("overlay", None)
        assert first == again


def test_pages_are_made_again_without_the_studies(
    compared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (compared / "lesions.csv").read_bytes()
    (compared / "report.html").unlink()
    assert main(["report", str(compared)]) == 0
    assert capsys.readouterr().out == f"open {compared / 'report.html'}\n"
    assert (compared / "report.html").is_file()
    assert (compared / "lesions.csv").read_bytes() == table


def test_a_study_without_lesions_is_a_valid_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = simulate(replace(demo_recipe(5), lesions=()))
    write_study(study, tmp_path / "pet", tmp_path / "mri", tmp_path / "truth.json")
    argv = ["compare", str(tmp_path / "pet"), str(tmp_path / "mri"), "-o", str(tmp_path / "out")]
    assert main([*argv, "--no-overlays", "-v"]) == 0
    assert rows(tmp_path / "out" / "lesions.csv") == []
    said = capsys.readouterr().out
    assert "MRI not_involved, PET not_involved" in said
    assert "assumed: " in said


LONG = "x" * 300
"""Longer than a name may be."""


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a refusal prints."""
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    return line


@pytest.mark.parametrize(
    ("pet", "mri", "says"),
    [
        ("nowhere", MRI, "nowhere"),
        (PET, "nowhere", "nowhere"),
        ("empty", MRI, "empty"),
        (MRI, MRI, "PET"),
        (PET, PET, "wanted an MR series"),
        ("notes", MRI, "DICOM"),
    ],
)
def test_folders_that_will_not_do_each_have_their_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pet: str, mri: str, says: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "read.me").write_text("no image")
    argv = ["compare", str(tmp_path / pet), str(tmp_path / mri), "-q", "-o", str(tmp_path / "o")]
    line = refused(argv, capsys)
    assert line.startswith("lesionmatch: ")
    assert says in line
    assert "wanted" in line


def test_a_study_without_any_segmentation_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mri").mkdir()
    for path in Path(MRI).rglob("*"):
        if path.is_file() and b"SEG" not in path.read_bytes()[:6000]:
            (tmp_path / "mri" / path.name).symlink_to(path)
    argv = ["compare", PET, str(tmp_path / "mri"), "-q", "-o", str(tmp_path / "o")]
    assert "--lesions" in refused(argv, capsys)


@pytest.mark.parametrize(
    "argv", [["compare", PET, MRI, "-q", "-o", f"{PET}/out"], ["suv", PET, "-o", f"{PET}/out.nii"]]
)
def test_an_output_inside_an_input_is_refused(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(argv, capsys)
    assert "wanted a place outside the inputs" in line
    assert not (DEMO / "pet" / "out").exists()


@pytest.mark.parametrize("option", ["--lesions", "--liver", "--registration"])
def test_a_path_that_leads_nowhere_is_refused_before_anything_is_read(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "gone")
    assert main(["compare", gone, gone, option, "rigd", "-o", str(tmp_path / "out")]) == 2
    assert f"{option}: wanted a path that exists" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_is_no_registration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["compare", PET, MRI, "-o", str(tmp_path / "o"), "--registration", str(tmp_path)]
    assert "--registration: wanted a file, or auto, rigid" in refused(argv, capsys)


@pytest.mark.parametrize(
    "argv",
    [["compare", "", MRI], ["compare", PET, ""], ["suv", ""], ["compare", PET, MRI, "-o", ""]],
)
def test_an_empty_path_is_not_taken_for_where_one_is(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    assert "wanted a path, got an empty one" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["compare", LONG, MRI], ["compare", PET, MRI, "--lesions", LONG], ["suv", LONG],
        ["inspect", LONG], ["accuracy", LONG], ["report", LONG], ["cohort", LONG],
        ["batch", LONG],
    ],
)  # fmt: skip
def test_a_path_that_no_system_takes_is_refused_in_one_line(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    has_out = argv[0] not in ("report", "inspect", "suv")
    line = refused(argv + ["-o", str(tmp_path / "o")] * has_out, capsys)
    assert "File name too long" in line


@pytest.mark.parametrize("name", ["images", "lesions.csv"])
def test_what_is_not_ours_is_never_written_over(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine.txt").write_text("the user's")
    line = refused(["compare", PET, MRI, "-q", "-o", str(tmp_path)], capsys)
    assert f"got one with {name} of something else; choose another" in line
    assert (tmp_path / name / "mine.txt").exists()


def test_an_output_whose_name_is_no_utf_8_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(["compare", PET, MRI, "-q", "-o", f"{tmp_path}/M\udcfcller"], capsys)
    assert "wanted a path in UTF-8, got one in another encoding; choose another" in line


def test_letters_that_a_terminal_lacks_stop_nothing(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "lesionmatch", "inspect", str(tmp_path / "Müller ☢")]
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(argv, env=latin, capture_output=True, check=False)
    assert done.returncode == 2
    assert "Müller \\u2622: wanted a folder" in done.stderr.decode("latin-1")


def test_an_output_that_is_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("in the way")
    line = refused(["compare", PET, MRI, "-q", "-o", str(tmp_path / "out")], capsys)
    assert "wanted a folder that can be made" in line


def test_an_unknown_threshold_is_refused_with_the_nearest_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.toml").write_text("[flags]\nsmal_mm = 5\n")
    argv = ["compare", PET, MRI, "-q", "-o", str(tmp_path / "o"), "--protocol"]
    assert "did you mean small_mm?" in refused([*argv, str(tmp_path / "p.toml")], capsys)


def test_inspect_names_what_was_chosen_and_what_was_set_aside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["inspect", PET, MRI, "--json"]) == 0
    series = json.loads(capsys.readouterr().out)["series"]
    assert len(series) >= 8
    assert any(one["set_aside"] for one in series)


def test_the_suv_map_alone(tmp_path: Path, compared: Path) -> None:
    assert main(["suv", PET, "-o", str(tmp_path / "suv.nii.gz")]) == 0
    alone, with_all = (
        nifti.read_image(path, Quantity.SUV_BW, Frame("pet")).array
        for path in (tmp_path / "suv.nii.gz", compared / "images" / "suv.nii.gz")
    )
    np.testing.assert_array_equal(alone, with_all)


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from lesionmatch.cli.parser import parser; parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert not {"numpy", "scipy", "SimpleITK", "pydicom"} & set(loaded.decode().split())


def test_a_defect_has_a_status_of_its_own_and_leaves_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def defect(*_: object, **__: object) -> None:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr("lesionmatch.report.render_again", defect)
    assert main(["report", "."]) == 70
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("lesionmatch: a defect, not your input: KeyError\n")

"""Lesions drawn on any image of the study, all the way: placed by geometry, or refused."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionmatch import dicom
from lesionmatch.cli import main
from lesionmatch.geometry import Frame, Grid
from lesionmatch.phantom import demo_recipe, simulate, write_study
from lesionmatch.phantom.recipe import Plane
from tests.drawn_files import ball, seg_on
from tests.reading_files import saved

DEMO = Path(__file__).parent.parent / "fixtures" / "demo"
TRUTH: dict[str, Any] = json.loads((DEMO / "truth.json").read_text())
ON_CORONAL, ON_CT, ON_PET = (TRUTH["lesions"][n] for n in (0, 1, 3))
AXES = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Slices to the back, rows down, columns to the left: a coronal series."""


def best_affine(folder: Path) -> Path:
    """A file with the affine map that fits the true points of the liver best."""
    pet, mri = (np.array(TRUTH[f"liver_points_{name}_mm"]) for name in ("pet", "mri"))
    solved = np.linalg.lstsq(np.column_stack([pet, np.ones(len(pet))]), mri)[0]
    np.savetxt(folder / "map.txt", np.vstack([solved.T, [0.0, 0.0, 0.0, 1.0]]))
    return folder / "map.txt"


def coronal_grid(frame: Frame) -> Grid:
    """Another series of the MRI's frame: coronal slices over one lesion, 2 mm apart."""
    centre = np.array(ON_CORONAL["mri_mm"])
    spacing = np.array([2.0, 1.4, 1.4])
    origin = centre - AXES @ (spacing * 19.5) + 0.3
    return Grid.of(frame, (40, 40, 40), origin_mm=origin, spacing_mm=spacing, directions=AXES)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One comparison of three lesions: on another MR series, on the CT and on the PET."""
    folder = tmp_path_factory.mktemp("drawn")
    pet = dicom.read_pet_study([DEMO / "pet"])
    mri = dicom.read_mri_study([DEMO / "mri"])
    assert pet.ct is not None
    coronal = coronal_grid(mri.frame)
    drawn = [
        seg_on(grid, {label: ball(grid, lesion[place], lesion["diameter_mm"] / 2)}, f"1.2.9.{n}")
        for n, (grid, label, lesion, place) in enumerate(
            (
                (coronal, "met coronal", ON_CORONAL, "mri_mm"),
                (pet.ct.grid, "met on CT", ON_CT, "ct_mm"),
                (pet.suv.grid, "met on PET", ON_PET, "pet_mm"),
            ),
            1,
        )
    ]
    argv = ["compare", DEMO / "pet", DEMO / "mri", "-o", folder / "out", "-q", "--no-overlays"]
    argv += ["--lesions", saved(folder / "seg", drawn), "--registration", best_affine(folder)]
    argv += ["--dose-mbq", "166", "--injected-at", "2024-04-06T07:53:43"]
    assert main([str(word) for word in argv]) in (0, 1)
    return folder / "out"


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "lesions.csv").open(newline="") as file:
        return {row["label"]: row for row in csv.DictReader(file) if row["source"] == "mri"}


def place(row: dict[str, str], image: str) -> list[float]:
    return [float(row[f"{image}_{axis}_mm"]) for axis in "xyz"]


@pytest.mark.parametrize(
    ("label", "lesion", "image", "off_mm"),
    [
        ("met coronal", ON_CORONAL, "mri", 0.5),
        ("met coronal", ON_CORONAL, "pet", 5.0),
        # Carried to the MRI and back by one map, so that it lies where it was drawn.
        ("met on CT", ON_CT, "pet", 2.0),
        ("met on PET", ON_PET, "pet", 2.0),
    ],
)
def test_a_region_lies_where_it_was_drawn(
    out: Path, label: str, lesion: dict[str, Any], image: str, off_mm: float
) -> None:
    found = place(rows(out)[label], image)
    assert np.linalg.norm(np.subtract(found, lesion[f"{image}_mm"])) < off_mm


def test_a_region_keeps_its_size(out: Path) -> None:
    found = {label: float(row["equivalent_diameter_mm"]) for label, row in rows(out).items()}
    assert found == {
        "met coronal": pytest.approx(24.0, rel=0.02),
        # An affine map of a liver that breathes changes sizes by a few per cent.
        "met on CT": pytest.approx(16.0, rel=0.08),
        "met on PET": pytest.approx(10.0, rel=0.15),
    }


def test_only_what_was_drawn_on_the_mri_has_the_error_of_the_registration(out: Path) -> None:
    found = {label: float(row["registration_error_mm"]) for label, row in rows(out).items()}
    assert found == {"met coronal": 5.0, "met on CT": 3.0, "met on PET": 3.0}


def test_avid_lesions_are_seen_wherever_they_were_drawn(out: Path) -> None:
    assert {row["pet_status"] for row in rows(out).values()} == {"positive"}


def test_what_was_given_in_the_header_s_place_is_recorded_beside_it(out: Path) -> None:
    run = json.loads((out / "run.json").read_text())
    dose, time = run["overrides"]
    assert dose == {"option": "--dose-mbq", "unit": "MBq", "given": 166.0, "header": 166.0}
    assert (time["option"], time["unit"]) == ("--injected-at", "min before imaging")
    assert time["given"] == time["header"] == pytest.approx(66.28, abs=0.01)
    assert (run["options"]["dose_mbq"], run["options"]["injected_at"]) == (166.0, "given")
    assert not any("2024-04-06" in text for text in run["assumptions"])


def test_a_drawing_in_another_frame_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = coronal_grid(Frame("7.7"))
    lesions = saved(tmp_path, [seg_on(grid, {"met": ball(grid, grid.centre_mm, 9.0)}, "1.2.9.9")])
    argv = ["compare", str(DEMO / "pet"), str(DEMO / "mri"), "-q", "-o", str(tmp_path / "o")]
    assert main([*argv, "--lesions", str(lesions)]) == 2
    assert "wanted a segmentation in the frame of reference" in capsys.readouterr().err


def test_a_tilted_coronal_mri_is_compared_like_any_other(tmp_path: Path) -> None:
    recipe = replace(demo_recipe(7), mri_plane=Plane.CORONAL, mri_tilt_deg=12.0)
    study = simulate(recipe)
    write_study(study, tmp_path / "pet", tmp_path / "mri", tmp_path / "truth.json")
    found = dicom.read_mri_study([tmp_path / "mri"])
    assert found.hbp.grid.matches(study.hbp.grid, tol_mm=0.01)
    np.testing.assert_allclose(found.hbp.array, study.hbp.array, atol=study.hbp.array.max() / 2**12)
    argv = ["compare", tmp_path / "pet", tmp_path / "mri", "-o", tmp_path / "out", "-q"]
    assert main([*map(str, argv), "--no-overlays"]) in (0, 1)
    lesions = {
        one["lesion_id"]: one
        for one in json.loads((tmp_path / "truth.json").read_text())["lesions"]
    }
    for row in rows(tmp_path / "out").values():
        off = np.subtract(place(row, "pet"), lesions[row["lesion_id"]]["pet_mm"])
        assert np.linalg.norm(off) < 6.0

"""Every study that is not in the cohort left for a stated reason."""

from datetime import date
from pathlib import Path

import pytest

from lesionmatch.cohort.options import CohortOptions
from tests.cohort_made import made, person, reasons, rows
from tests.cohort_tree import Person, SeriesPlan, Tree, after, liver_mri, pet_ct


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


def test_every_pet_that_left_did_so_for_its_own_reason(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(tracer="FDG"))
    tree.add(person(2), after(0), pet_ct(corrected=False))
    tree.add(person(3), None, pet_ct())
    tree.add(person(4, birth_date="20100101"), after(0), pet_ct())
    tree.add(person(5), after(0), pet_ct())
    tree.add(person(6), after(0), pet_ct())
    tree.add(person(6), after(300), liver_mri())
    tree.add(person(7), after(0), pet_ct())
    tree.add(person(7), after(5), pet_ct())
    tree.add(person(7), after(9), liver_mri())
    tree.add(person(8), after(0), pet_ct(tracer="F18"))
    tree.add(person(9), after(0), [SeriesPlan("CT", 1)])
    cohort = made(tree, tmp_path)
    assert reasons(cohort, "PET/CT") == [
        "PET with another tracer",
        "its MRI is nearer to another PET/CT",
        "no attenuation-corrected static PET series",
        "no liver MRI of the patient",
        "no liver MRI within 0 to 92 days",
        "no readable date",
        "tracer not named, and its nuclide is not usual for the receptor",
        "younger than 18 years",
    ]
    assert reasons(cohort, "MRI") == ["no PET/CT for it"]
    assert reasons(cohort, "other") == ["neither PET nor MRI (CT)"]
    assert [pair.days for pair in cohort.selection.pairs] == [4]


def test_no_study_is_lost(tree: Tree, tmp_path: Path) -> None:
    for number in range(4):
        tree.add(person(number), after(0), pet_ct(files=1))
        tree.add(person(number), after(50 * number), liver_mri(files=1, hbp=number != 1))
    made(tree, tmp_path)
    out = {row["study_uid"] for row in rows(tmp_path / "out" / "exclusions.csv")}
    kept = rows(tmp_path / "out" / "studies.csv")
    used = {row[column] for row in kept for column in ("pet_study_uid", "mri_study_uid")}
    assert len(out | used) == 8
    assert not out & used


def test_a_pet_without_a_ct_is_kept_and_said_to_have_none(tree: Tree, tmp_path: Path) -> None:
    for number, series in enumerate((pet_ct(), pet_ct()[:1])):
        tree.add(person(number), after(0), series)
        tree.add(person(number), after(9), liver_mri())
    made(tree, tmp_path)
    assert sorted(row["has_ct"] for row in rows(tmp_path / "out" / "studies.csv")) == [
        "false",
        "true",
    ]


def test_an_mri_without_the_hepatobiliary_phase_is_none(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct())
    tree.add(person(1), after(9), liver_mri(hbp=False))
    cohort = made(tree, tmp_path)
    assert reasons(cohort, "MRI") == ["MRI without a series in the hepatobiliary phase"]
    assert reasons(cohort, "PET/CT") == ["no liver MRI of the patient"]


def test_options_open_the_rules(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1, birth_date="20100101"), after(0), pet_ct(tracer="FDG"))
    tree.add(person(1, birth_date="20100101"), after(-60), liver_mri())
    options = CohortOptions(workers=1, any_tracer=True, least_age_years=0.0, window_days=(-92, 92))
    assert [pair.days for pair in made(tree, tmp_path, options=options).selection.pairs] == [-60]


def test_a_patient_comes_of_age_on_the_birthday(tree: Tree, tmp_path: Path) -> None:
    for number, born in ((1, "20020101"), (2, "20020102")):
        tree.add(person(number, birth_date=born), date(2020, 1, 1), pet_ct(files=1))
        tree.add(person(number, birth_date=born), date(2020, 1, 1), liver_mri(files=1))
    cohort = made(tree, tmp_path)
    assert [row["age_years"] for row in rows(tmp_path / "out" / "studies.csv")] == ["18"]
    assert reasons(cohort, "PET/CT") == ["younger than 18 years"]


def test_conflicting_identities_are_listed_and_never_guessed_at(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    tree.add(person(1, birth_date="19610101"), after(9), liver_mri(files=1))
    shared = tree.add(person(2), after(0), pet_ct(files=1))
    tree.add(person(3), after(0), [SeriesPlan("CT", 1)], study_uid=shared)
    tree.add(person(4, name="SAME^ONE"), after(0), pet_ct(files=1))
    tree.add(person(5, name="SAME^ONE"), after(5), liver_mri(files=1))
    tree.add(Person("", "SECRETNAME^NOBODY"), after(0), pet_ct(files=1))
    cohort = made(tree, tmp_path)
    said = [one.what for one in cohort.selection.problems]
    assert "one patient identifier, 2 dates of birth" in said
    assert "one study, 2 patient identifiers" in said
    assert "no patient identifier" in said
    assert said.count("shares name and date of birth with 1 other identifier") >= 2
    assert cohort.selection.pairs == ()
    assert "conflicting identities of the patient" in reasons(cohort, "PET/CT")
    assert "its files name several patients" in reasons(cohort, "PET/CT")
    assert "its files name no patient" in reasons(cohort, "PET/CT")


def test_a_changed_name_is_listed_and_keeps_the_study(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    tree.add(person(1, name="MARRIED^JANE"), after(9), liver_mri(files=1))
    cohort = made(tree, tmp_path)
    assert len(cohort.selection.pairs) == 1
    assert [one.what for one in cohort.selection.problems] == ["one patient identifier, 2 names"]


def test_several_dates_of_a_study_are_listed_and_the_first_is_taken(
    tree: Tree, tmp_path: Path
) -> None:
    uid = tree.add(person(1), after(1), pet_ct(files=1))
    tree.add(person(1), after(0), [SeriesPlan("CT", 1)], study_uid=uid)
    tree.add(person(1), after(9), liver_mri(files=1))
    cohort = made(tree, tmp_path)
    assert [pair.days for pair in cohort.selection.pairs] == [9]
    assert "several study dates; the earliest is taken" in [
        one.what for one in cohort.selection.problems
    ]


def test_tracers_that_are_not_named_stay_in_where_the_nuclide_is_usual(
    tree: Tree, tmp_path: Path
) -> None:
    tracers = ("Ga-68", "unknown", "Cu-61", "F-18", "Rb-82", "Zr-89")
    for number, tracer in enumerate(tracers, 1):
        tree.add(person(number), after(0), pet_ct(files=1, tracer=tracer))
        tree.add(person(number), after(9), liver_mri(files=1))
    made(tree, tmp_path)
    kept = rows(tmp_path / "out" / "studies.csv")
    assert sorted(row["nuclide"] for row in kept) == ["", "61Cu", "68Ga"]

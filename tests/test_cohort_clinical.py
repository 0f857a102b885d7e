"""The clinical table, and the rules that ask it."""

from datetime import date
from pathlib import Path

import pytest

from lesionmatch.cohort.clinical import grade, read_clinical
from lesionmatch.cohort.inclusion import therapy_between
from lesionmatch.cohort.options import CohortOptions
from lesionmatch.cohort.pairing import Pair, Scan
from lesionmatch.errors import InvalidInput, InvalidOption
from tests.cohort_made import CLINICAL, NAMES, made, person, reasons, rows
from tests.cohort_tree import Tree, after, liver_mri, pet_ct


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


def test_the_clinical_table_rules_by_grade_entity_and_therapy(tree: Tree, tmp_path: Path) -> None:
    for number in range(1, 9):
        tree.add(person(number), after(0), pet_ct(files=1))
        tree.add(person(number), after(20), liver_mri(files=1))
    options = CohortOptions(workers=1, entities=("pancreas",), carry=("centre",))
    cohort = made(tree, tmp_path, CLINICAL, options)
    assert reasons(cohort, "PET/CT") == [
        "another entity",
        "clinical rows differ in grade",
        "grade G3",
        "grade not stated",
        "not in the clinical table",
        "therapy between the scans",
    ]
    kept = rows(tmp_path / "out" / "studies.csv")
    assert sorted((row["grade"], row["centre"]) for row in kept) == [("G1", "B"), ("G2", "A")]


@pytest.mark.parametrize(("word", "grades"), [("3", ["G3"]), ("g2", ["G2"])])
def test_a_grade_is_asked_for_in_any_spelling(
    tree: Tree, tmp_path: Path, word: str, grades: list[str]
) -> None:
    for number in (1, 2, 3, 4):
        tree.add(person(number), after(0), pet_ct(files=1))
        tree.add(person(number), after(20), liver_mri(files=1))
    made(tree, tmp_path, CLINICAL, CohortOptions(workers=1, grades=(word,)))
    assert [row["grade"] for row in rows(tmp_path / "out" / "studies.csv")] == grades


def test_an_entity_is_asked_for_in_either_case(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    tree.add(person(1), after(20), liver_mri(files=1))
    made(tree, tmp_path, CLINICAL, CohortOptions(workers=1, entities=("PANCREAS",)))
    assert [row["entity"] for row in rows(tmp_path / "out" / "studies.csv")] == ["pancreas"]


@pytest.mark.parametrize(
    ("table", "asked", "says"),
    [
        (None, {"entities": ("pancreas",)}, "--entity: wanted a clinical table, got none"),
        (None, {"grades": ("G3",)}, "--grade: wanted a clinical table, got none"),
        (None, {"carry": ("centre",)}, "--carry: wanted a clinical table, got none"),
        ("patient_id\nA\n", {"grades": ("G3",)}, "--grade: wanted a column grade"),
        ("patient_id\nA\n", {"entities": ("ileum",)}, "--entity: wanted a column entity"),
        (
            "patient_id,entity\nA,ileum\n",
            {"entities": ("illeum",)},
            r"--entity: wanted one of the table's \(ileum\), got 'illeum'",
        ),
    ],
)
def test_a_rule_that_the_clinical_table_cannot_answer_is_refused(
    tree: Tree, tmp_path: Path, table: str | None, asked: dict[str, tuple[str, ...]], says: str
) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    with pytest.raises(InvalidOption, match=says):
        made(tree, tmp_path, table, CohortOptions(workers=1, **asked))  # type: ignore[arg-type]


def test_patients_of_the_table_without_files_are_counted(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    cohort = made(tree, tmp_path, "patient_id,grade\nSECRET1,G1\n0SECRET1,G1\n")
    assert cohort.unseen == 1
    assert "clinical table without files: 1" in (tmp_path / "out" / "cohort.html").read_text()


def test_treated_pairs_can_be_kept_and_are_marked(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(5), after(0), pet_ct(files=1))
    tree.add(person(5), after(20), liver_mri(files=1))
    made(tree, tmp_path, CLINICAL, CohortOptions(workers=1, keep_treated=True))
    (row,) = rows(tmp_path / "out" / "studies.csv")
    assert row["therapy_between"] == "true"


@pytest.mark.parametrize(
    ("pet", "mri", "therapy", "expected"),
    [(0, 20, 10, True), (0, 20, 0, True), (0, 20, 20, True), (0, 20, 21, False), (5, 5, 5, False)],
)
def test_a_therapy_counts_from_the_first_scan_to_the_second(
    tmp_path: Path, pet: int, mri: int, therapy: int, expected: bool
) -> None:
    path = tmp_path / "c.csv"
    path.write_text(f"patient_id,therapy_date\n1,{after(therapy).isoformat()}\n")
    table = read_clinical(path, NAMES)
    name = NAMES.patient("1")
    pair = Pair(Scan("p", name, after(pet)), Scan("m", name, after(mri)))
    assert therapy_between(pair, table) is expected


def test_ages_come_from_the_table_where_dicom_has_none(tree: Tree, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        tree.add(person(number, birth_date=""), after(0), pet_ct(files=1))
        tree.add(person(number, birth_date=""), after(2), liver_mri(files=1))
    table = "patient_id,birth_date,age\nSECRET1,2010-01-01,\nSECRET2,,17\nSECRET3,,\n"
    cohort = made(tree, tmp_path, table)
    assert reasons(cohort, "PET/CT") == ["younger than 18 years"] * 2
    assert [one.what for one in cohort.selection.problems] == [
        "age not known; kept, the rule of age was not applied"
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("g1", "G1"), ("Grade 2", "G2"), ("3", "G3"), ("NEC", "NEC"), ("", ""), ("G12", "G12")],
)
def test_grades_are_read_as_they_are_written(word: str, expected: str) -> None:
    assert grade(word) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,grade\n1,G1\n", "wanted columns patient_id, got no patient_id"),
        ("patient_id,age\n\n,50\n", "line 3: patient_id: wanted a value, got nothing"),
        ("patient_id,age\nNA,50\n", "line 2: patient_id: wanted a value, got nothing"),
        ("patient_id,age\n1,inf\n", "line 2: age: wanted a number of years"),
        ("patient_id,birth_date\n1,01.02.1960\n", "line 2: birth_date, therapy_date: wanted dates"),
        ("patient_id,therapy_date\n1,2020-01-01;x\n", "wanted dates as 2021-05-31"),
        ("patient_id,age\n1,old\n", "line 2: age: wanted a number of years"),
        ('patient_id\n"1', "wanted a CSV table in UTF-8, got unexpected end of data"),
    ],
)
def test_a_clinical_table_that_cannot_be_read_is_refused_without_what_it_says(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "c.csv"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=message) as caught:
        read_clinical(path, NAMES)
    assert "01.02.1960" not in str(caught.value)


def test_a_table_with_semicolons_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("\ufeffpatient_id;grade;therapy_date\n1;2;2020-01-01\n", encoding="utf-8")
    found = read_clinical(path, NAMES).patients[NAMES.patient("1")]
    assert (found.grade, found.therapies) == ("G2", (date(2020, 1, 1),))


def test_columns_to_carry_must_be_there_and_must_not_identify(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("patient_id,centre\n1,A\n")
    with pytest.raises(InvalidOption, match=r"--carry: wanted columns of c\.csv, got site"):
        read_clinical(path, NAMES, ("site",))
    with pytest.raises(InvalidOption, match="without identities, got patient_id"):
        read_clinical(path, NAMES, ("patient_id",))
    with pytest.raises(InvalidInput, match="got No such file or directory"):
        read_clinical(tmp_path / "none.csv", NAMES)


def test_what_r_writes_for_missing_says_nothing_of_a_patient(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "patient_id,age,birth_date,sex,entity,grade,therapy_date\n1,NA,NA,NA,NA,NA,NA\n"
    )
    found = read_clinical(path, NAMES).patients[NAMES.patient("1")]
    assert (found.age_years, found.born, found.sex) == (None, None, "")
    assert (found.entity, found.grade, found.therapies) == ("", "", ())


def test_rows_of_a_patient_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "patient_id,sex,birth_date,therapy_date\n"
        "1,female,1960-01-01,2020-02-01\n1,,,2020-01-01; 2020-03-01\n"
    )
    found = read_clinical(path, NAMES).patients[NAMES.patient("1")]
    assert found.sex == "F"
    assert found.therapies == (date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1))
    assert found.conflicts == ()
    assert found.age_at(date(2020, 1, 1)) == 60
    assert found.age_at(date(2019, 12, 31)) == 59

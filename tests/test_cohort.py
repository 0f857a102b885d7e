"""From a tree to studies.csv: every study is in, or out for one stated reason."""

import csv
import json
import os
from datetime import date
from pathlib import Path

import pytest

from lesionmatch.batch.table import read_studies
from lesionmatch.cohort.clinical import grade, read_clinical
from lesionmatch.cohort.inclusion import therapy_between
from lesionmatch.cohort.options import CohortOptions
from lesionmatch.cohort.pairing import Pair, Scan
from lesionmatch.cohort.pseudonyms import Pseudonyms
from lesionmatch.cohort.verb import Cohort, write_cohort
from lesionmatch.errors import InvalidInput, InvalidOption, UnusableOutput
from tests.cohort_tree import Person, SeriesPlan, Tree, after, liver_mri, pet_ct

NAMES = Pseudonyms(b"k" * 32, phi=False)
ALONE = CohortOptions(workers=1)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


def person(number: int, **changes: str) -> Person:
    return Person(f"SECRET{number}", changes.pop("name", f"SECRETNAME^{number}"), **changes)


def made(
    tree: Tree, tmp_path: Path, clinical: str | None = None, options: CohortOptions = ALONE
) -> Cohort:
    table = None
    if clinical is not None:
        table = tmp_path / "clinical.csv"
        table.write_text(clinical, encoding="utf-8")
    return write_cohort(tree.root, tmp_path / "out", clinical=table, options=options)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> list[Path]:
    """Every file below, links followed."""
    walked = os.walk(folder, followlinks=True)
    return [Path(place, name) for place, _, names in walked for name in names]


def reasons(cohort: Cohort, kind: str) -> list[str]:
    return sorted(one.reason for one in cohort.selection.left if one.kind == kind)


def test_a_pair_is_written_as_batch_reads_it(tree: Tree, tmp_path: Path) -> None:
    pet = tree.add(person(1), after(0), pet_ct(files=3))
    tree.add(person(1), after(20), liver_mri(files=2))
    made(tree, tmp_path)
    (row,) = read_studies(tmp_path / "out" / "studies.csv")
    assert len(files(row.pet)) == 6
    assert len(files(row.mri)) == 4
    assert [len(list(part.iterdir())) for part in (row.pet, row.mri)] == [1, 1]
    assert row.carried["interval_days"] == "20"
    assert row.carried["age_years"] == "60"
    assert row.carried["tracer"] == "dotatate"
    assert row.carried["pet_study_uid"] == pet


@pytest.mark.parametrize("sex", ["M", "F", "O", ""])
def test_what_is_told_of_a_patient_is_no_option_of_the_batch(
    tree: Tree, tmp_path: Path, sex: str
) -> None:
    tree.add(person(1, sex=sex), after(0), pet_ct(files=1))
    tree.add(person(1, sex=sex), after(9), liver_mri(files=1))
    made(tree, tmp_path)
    (row,) = read_studies(tmp_path / "out" / "studies.csv")
    assert row.given == {}
    assert row.carried["patient_sex"] == sex


def test_a_column_that_is_there_already_is_not_carried_again(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    with pytest.raises(InvalidOption, match=r"wanted columns that studies\.csv lacks, got entity"):
        made(tree, tmp_path, CLINICAL, CohortOptions(workers=1, carry=("entity",)))


def test_studies_that_share_a_folder_are_parted(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=2), folder="flat")
    tree.add(person(1), after(20), liver_mri(files=2), folder="flat")
    made(tree, tmp_path)
    (row,) = read_studies(tmp_path / "out" / "studies.csv")
    assert len(files(row.pet)) == len(files(row.mri)) == 4


def test_a_folder_with_another_study_below_it_is_not_linked_whole(
    tree: Tree, tmp_path: Path
) -> None:
    tree.add(person(1), after(0), pet_ct(files=2), folder="a")
    tree.add(person(2), after(0), pet_ct(files=2), folder="a/b")
    tree.add(person(1), after(20), liver_mri(files=2), folder="c/d/e")
    made(tree, tmp_path)
    (row,) = read_studies(tmp_path / "out" / "studies.csv")
    assert len(files(row.pet)) == len(list(row.pet.iterdir())) == 4
    assert len(files(row.mri)) == 4
    assert [link.resolve().name for link in row.mri.iterdir()] == ["c"]


def test_a_file_held_twice_is_linked_once(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=2))
    tree.add(person(1), after(20), liver_mri(files=2))
    for file in sorted(tree.root.rglob("*.dcm")):
        file.with_name("copy_" + file.name).write_bytes(file.read_bytes())
    cohort = made(tree, tmp_path)
    (row,) = read_studies(tmp_path / "out" / "studies.csv")
    assert cohort.indexed.files == 16
    assert len(files(row.pet)) == 4


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


CLINICAL = """patient_id,grade,entity,therapy_date,centre
SECRET1,2,pancreas,,A
SECRET2,G3,pancreas,,A
SECRET3,,pancreas,,A
SECRET4,G1,lung,,B
SECRET5,G1,pancreas,2020-01-10,B
SECRET6,G1,pancreas,2020-03-01;2019-12-31,B
SECRET7,G1,pancreas,,B
SECRET7,G2,pancreas,,B
"""


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


def test_a_patient_comes_of_age_on_the_birthday(tree: Tree, tmp_path: Path) -> None:
    for number, born in ((1, "20020101"), (2, "20020102")):
        tree.add(person(number, birth_date=born), date(2020, 1, 1), pet_ct(files=1))
        tree.add(person(number, birth_date=born), date(2020, 1, 1), liver_mri(files=1))
    cohort = made(tree, tmp_path)
    assert [row["age_years"] for row in rows(tmp_path / "out" / "studies.csv")] == ["18"]
    assert reasons(cohort, "PET/CT") == ["younger than 18 years"]


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


def test_no_identity_leaves_in_any_output(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    tree.add(person(1), after(9), liver_mri(files=1))
    tree.add(person(2, birth_date="19440404"), None, pet_ct(files=1))
    made(tree, tmp_path, "patient_id,birth_date\nSECRET1,1960-01-01\nSECRET2,1944-04-04\n")
    out = tmp_path / "out"
    outputs = [path for path in out.iterdir() if path.is_file() and path.name != "index.sqlite"]
    assert len(outputs) >= 8
    for path in outputs:
        content = path.read_bytes()
        for secret in (b"SECRET", b"1960-01-01", b"19600101", b"19440404", b"1944-04-04"):
            assert secret not in content, path.name


def test_with_phi_patients_keep_their_identifier(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    tree.add(person(1), after(9), liver_mri(files=1))
    made(tree, tmp_path, options=CohortOptions(workers=1, phi=True))
    assert rows(tmp_path / "out" / "studies.csv")[0]["patient_id"] == "SECRET1"


def test_the_flow_adds_up(tree: Tree, tmp_path: Path) -> None:
    for number in range(6):
        tree.add(
            person(number), after(0), pet_ct(files=1, tracer="FDG" if number < 2 else "DOTATOC")
        )
        if number % 2:
            tree.add(person(number), after(9), liver_mri(files=1))
    made(tree, tmp_path)
    flow = json.loads((tmp_path / "out" / "flow.json").read_text())
    for step, following in zip(flow["steps"], flow["steps"][1:], strict=False):
        assert step["count"] - sum(step["excluded"].values()) == following["count"]
    assert flow["steps"][0]["count"] == 6
    assert flow["steps"][-1]["count"] == flow["pairs"] == 2
    assert flow["pairs_by_window"] == {"-92:92": 2, "0:30": 2, "0:60": 2, "0:92": 2}
    assert (tmp_path / "out" / "flow.svg").read_bytes().startswith(b"<?xml")


def test_stard_items_state_rules_baseline_and_interval(tree: Tree, tmp_path: Path) -> None:
    for number, days in ((1, 10), (2, 20), (3, 60)):
        tree.add(person(number, sex="M" if number == 1 else "F"), after(0), pet_ct(files=1))
        tree.add(person(number, sex="M" if number == 1 else "F"), after(days), liver_mri(files=1))
    made(tree, tmp_path)
    items = {row["item"]: row["answer"] for row in rows(tmp_path / "out" / "stard.csv")}
    assert items["22"] == "median 20 days, quartiles 15 to 40, range 10 to 60 (3 pairs)"
    assert items["20"].startswith("3 patients (2 F, 1 M); age 60.0 ± 0.0 (60–60)")
    assert "no therapy between the scans" in items["6"]
    assert items["8"] == "PET/CT from 2020 to 2020"


def test_a_cohort_made_again_forgets_what_is_gone(tree: Tree, tmp_path: Path) -> None:
    for number in (1, 2):
        tree.add(person(number), after(0), pet_ct(files=1))
        tree.add(person(number), after(9), liver_mri(files=1))
    made(tree, tmp_path)
    for file in (tree.root / "SECRET2").rglob("*.dcm"):
        file.unlink()
    cohort = made(tree, tmp_path)
    assert cohort.indexed.forgotten == 4
    assert len(list((tmp_path / "out" / "links").iterdir())) == 1


def test_a_file_system_without_links_is_refused(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.add(person(1), after(0), pet_ct(files=1))
    tree.add(person(1), after(9), liver_mri(files=1))

    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(UnusableOutput, match="with symbolic links, got Operation not permitted"):
        made(tree, tmp_path)


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


def test_an_empty_cohort_is_written_too(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), [SeriesPlan("CT", 1)])
    made(tree, tmp_path)
    assert rows(tmp_path / "out" / "studies.csv") == []
    assert "no pairs" in (tmp_path / "out" / "stard.csv").read_text()


def test_output_that_cannot_be_made_is_refused(tree: Tree, tmp_path: Path) -> None:
    tree.add(person(1), after(0), [SeriesPlan("CT", 1)])
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableOutput, match="wanted a folder that can be made"):
        write_cohort(tree.root, tmp_path / "file" / "out", options=ALONE)


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

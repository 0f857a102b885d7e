"""From a tree to studies.csv: every study is in, or out for one stated reason."""

import json
from pathlib import Path

import pytest

from lesionmatch.batch.table import read_studies
from lesionmatch.cohort.options import CohortOptions
from lesionmatch.cohort.verb import write_cohort
from lesionmatch.errors import InvalidOption, UnusableOutput
from tests.cohort_made import ALONE, CLINICAL, files, made, person, rows
from tests.cohort_tree import SeriesPlan, Tree, after, liver_mri, pet_ct


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


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
    tree.add(person(6, birth_date="20050101"), after(0), pet_ct(files=1))
    made(tree, tmp_path)
    flow = json.loads((tmp_path / "out" / "flow.json").read_text())
    for step, following in zip(flow["steps"], flow["steps"][1:], strict=False):
        assert step["count"] - sum(step["excluded"].values()) == following["count"]
    assert [(step["count"], step["patients"], step["excluded"]) for step in flow["steps"]] == [
        (7, 7, {"PET with another tracer": 2}),
        (5, 5, {"younger than 18 years": 1}),
        (4, 4, {"no liver MRI of the patient": 2}),
        (2, 2, {}),
    ]
    assert flow["pairs"] == 2
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
    assert items["8"] == "PET/CT of 2020"


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
